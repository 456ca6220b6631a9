//! Runs that a query finds, for commands that take one.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::SystemTime;

use jiff::Timestamp;

use traintop_analysis::query::filter::{self, Clock};
use traintop_analysis::query::{Names, QueryProblem, Samples, Subject};
use traintop_run::summary::Summary;
use traintop_run::{RunDir, value_at_epoch};
use traintop_text::clean;
use traintop_text::terminal::{error_line, error_text};

/// The folders of the runs that pass a query. Where it asks for an epoch, their metrics are read.
///
/// # Errors
/// If the query makes no sense for these runs.
pub fn found(
    summaries: &[Summary],
    query: &str,
    now: SystemTime,
) -> Result<HashSet<RunDir>, QueryProblem> {
    let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let filter = filter::read(query, &Names::of(summaries), &Clock::at(now))?;
    let mut samples = Samples::default();
    for epoch in filter.epochs() {
        for summary in summaries {
            let values = value_at_epoch::values_at_epoch(&summary.dir, epoch);
            samples.insert(summary.dir.clone(), epoch, values);
        }
    }
    let passing = summaries
        .iter()
        .filter(|summary| filter.passes(&Subject::new(summary, now, &samples)));
    Ok(passing.map(|summary| summary.dir.clone()).collect())
}

/// Prints the problem of a query below its word; the exit code of a wrong command line.
pub fn refuse(query: &str, problem: &QueryProblem) -> ExitCode {
    // Marks go below a line only if it is the line whose columns were counted.
    if clean(query) == query {
        error_text(problem.shown_in(query));
    }
    error_line(format_args!("--where: {}", problem.message));
    ExitCode::from(2)
}
