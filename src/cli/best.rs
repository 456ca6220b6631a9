//! `traintop best [ROOT...]`: the best run below some folders, and what its being the best of many
//! is worth.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::Result;
use serde_json::json;

use super::judged_by::Directions;
use super::{compare, roots, summary_json};
use traintop_analysis::compare::{Question, compare as compared};
use traintop_run::compared_run::ComparedRun;
use traintop_run::run_names;
use traintop_text::terminal::error_line;
use traintop_text::{clean, pretty_json};

/// The exit code where no run has a value.
const NONE: u8 = 3;

#[derive(Debug, Args)]
#[command(after_help = "\
The best value of each run counts, whatever it did afterwards; nothing but its own metrics decides. The best of many runs is partly \
luck: by about how much is estimated from runs that differ only in the seed, where there are any.

Exit codes: 0 found, 1 failed, 2 wrong command line, 3 no run below the roots has a value of the metric.")]
pub struct Arguments {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// What to judge by, as a column is called [default: what most of the runs are judged by]
    #[arg(long)]
    metric: Option<String>,
    #[command(flatten)]
    directions: Directions,
    /// Print the run's folder and nothing else
    #[arg(long, conflicts_with = "json")]
    path: bool,
    /// Print the run as `show --json` begins, with its value
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let now = SystemTime::now();
    arguments.directions.apply(arguments.metric.as_deref());
    let mut found = roots::runs_below(&arguments.roots)?;
    // The result does not depend on the order on the disk: of equals the first by name.
    found.sort_by(|a, b| a.dir.cmp(&b.dir));
    let mut read: Vec<ComparedRun> = found
        .into_iter()
        .map(|found| ComparedRun::load(found.dir, now))
        .collect();
    run_names::tell_apart(read.iter_mut().map(|run| &mut run.summary));
    let runs: Vec<&ComparedRun> = read.iter().filter(|run| run.metrics.rows > 0).collect();
    if runs.is_empty() {
        error_line("no run below the roots has any metrics");
        return Ok(ExitCode::from(NONE));
    }
    let metric = match compare::metric(&runs, arguments.metric.as_deref()) {
        Ok(metric) => metric,
        Err(error) => {
            error_line(error);
            return Ok(ExitCode::from(NONE));
        }
    };
    let question = Question {
        folded: false,
        ..Question::by(metric)
    };
    let compared = compared(&runs, &[], &question);
    let Some((best, value)) = compared
        .best_of
        .and_then(|best| Some((best, compared.rows[best.row].best?.mean)))
    else {
        error_line(format_args!(
            "no run below the roots has a finite {}",
            compared.metric.name
        ));
        return Ok(ExitCode::from(NONE));
    };
    let (run, row) = (runs[best.row], &compared.rows[best.row]);
    let metric = &compared.metric;
    if arguments.path {
        writeln!(out, "{}", run.dir().path().display())?;
    } else if arguments.json {
        let mut value_json = summary_json::of(&run.summary);
        value_json.insert("metric".to_owned(), compare::metric_json(metric));
        value_json.insert("value".to_owned(), summary_json::number(value));
        value_json.insert("epoch".to_owned(), json!(row.best_epoch));
        value_json.insert("best_of".to_owned(), json!(best.n));
        let flattery = best.flattery.map(summary_json::number);
        value_json.insert("flattery".to_owned(), json!(flattery));
        writeln!(out, "{}", pretty_json(&value_json)?)?;
    } else {
        let epoch = row
            .best_epoch
            .map_or_else(String::new, |epoch| format!(" at epoch {epoch}"));
        let path = run.dir().path().to_string_lossy().into_owned();
        writeln!(out, "{}", clean(&path))?;
        writeln!(
            out,
            "{}: {} {}{epoch} ({})",
            run.summary.title(),
            metric.name,
            metric.scale.reading(value),
            metric.better_words()
        )?;
        if let Some(sentence) = compared.best_sentence() {
            writeln!(out, "{sentence}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
