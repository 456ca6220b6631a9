//! `traintop show RUN`: all that is known of one run.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::Result;
use serde_json::{Map, Value, json};

use super::{list, roots, summary_json};
use traintop_analysis::lint::lint;
use traintop_launch::slurm;
use traintop_run::checkpoints;
use traintop_run::config_file::Config;
use traintop_run::evaluation::BestByRun;
use traintop_run::log::{Log, LogReader};
use traintop_run::metrics::Metrics;
use traintop_run::settled;
use traintop_run::size;
use traintop_run::summary::Summary;
use traintop_text::{bytes, clean, counted, duration, number, pretty_json};

/// Log lines that are shown.
const LOG_LINES: usize = 5;
/// Errors of the log that are shown.
const MAX_ERRORS: usize = 5;
/// Lines that were not understood that are shown.
const MAX_PROBLEMS: usize = 5;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A run's folder, or the name of a run or its beginning
    run: String,
    /// Folder to search for the name [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Print everything as JSON, with every column's values
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let found = roots::run_named(&arguments.run, &arguments.roots)?;
    // A run that has no metrics yet is shown without them.
    let metrics = settled::read(&found, SystemTime::now()).metrics;
    roots::report_silence(&slurm::learn(std::slice::from_ref(&found.dir)));
    let mut summary = Summary::load(&found, SystemTime::now());
    // Of any number of rows, since they are all at hand here.
    summary.findings = Some(lint(&metrics, &summary.settings, &summary.resumes));
    summary.size_bytes = size::of_run(&found.dir);
    let best = BestByRun::of_runs(&roots::or_default(&arguments.roots), [&found.dir]);
    summary.evaluated = best.of(&summary.id, &found.dir).cloned();
    if arguments.json {
        let json = as_json(&summary, &metrics);
        writeln!(out, "{}", pretty_json(&json)?)?;
    } else {
        print(&summary, &metrics, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The summary's fields, then the configuration as it is in the file, the checkpoints and the
/// metrics.
fn as_json(summary: &Summary, metrics: &Metrics) -> Value {
    let mut run = summary_json::of(summary);
    run.insert("config".to_owned(), Config::load(&summary.dir).into_json());
    let checkpoints = checkpoints::list(&summary.dir)
        .into_iter()
        .map(|checkpoint| {
            json!({
                "path": checkpoint.path.to_string_lossy(),
                "what": checkpoint.what,
                "epoch": checkpoint.epoch,
                "step": checkpoint.step,
                "bytes": checkpoint.bytes,
            })
        });
    run.insert("checkpoints".to_owned(), checkpoints.collect());
    let columns: Map<String, Value> = metrics
        .columns
        .iter()
        .map(|column| {
            let values = |of: &[f64]| {
                of.iter()
                    .map(|value| summary_json::number(*value))
                    .collect::<Vec<_>>()
            };
            let (x, y) = (values(&column.x), values(&column.y));
            (column.name.clone(), json!({ "x": x, "y": y }))
        })
        .collect();
    run.insert(
        "metrics".to_owned(),
        json!({ "x": metrics.x_name, "columns": columns }),
    );
    Value::Object(run)
}

/// What of the metrics was not understood: cells by column, and the first lines.
fn unread(metrics: &Metrics) -> Vec<(String, String)> {
    let cells = metrics.unread.iter();
    let cells =
        cells.map(|(column, count)| (clean(column).into_owned(), counted(*count as u64, "cell")));
    let lines = metrics.problems.iter().take(MAX_PROBLEMS);
    let lines = lines.map(|problem| (format!("line {}", problem.line), problem.what.clone()));
    let more = metrics.problem_count.saturating_sub(MAX_PROBLEMS);
    let more = (more > 0).then(|| ("and".to_owned(), counted(more as u64, "more line")));
    cells.chain(lines).chain(more).collect()
}

fn print(summary: &Summary, metrics: &Metrics, out: &mut dyn Write) -> Result<()> {
    let mut lines = vec![
        (
            "folder",
            clean(&summary.dir.path().to_string_lossy()).into_owned(),
        ),
        ("name", summary.name.clone()),
    ];
    let reason = summary.observed.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(" ({})", clean(reason)));
    lines.push(("state", format!("{}{reason}", list::state(summary))));
    lines.push(("written by", summary.trainer.clone()));
    if !summary.sources.is_empty() {
        lines.push((
            "not read",
            format!("its metrics of {}", summary.sources.join(", ")),
        ));
    }
    if let Some(job) = summary.job.as_ref().and_then(|job| job.name.as_ref()) {
        lines.push(("job", format!("{job} of Slurm")));
    }
    let (unit, done, planned) = match summary.steps() {
        Some((done, planned)) => ("steps", done, planned),
        None => {
            let planned = summary.epochs_planned.map(u64::from);
            ("epochs", u64::from(summary.epochs_done), planned)
        }
    };
    let planned = planned.map_or_else(String::new, |planned| format!(" of {planned}"));
    lines.push((unit, format!("{done}{planned}")));
    let label = summary
        .best
        .as_ref()
        .map(|best| format!("best {}", best.metric));
    if let (Some(best), Some(label)) = (&summary.best, &label) {
        let place = match (best.epoch, best.step) {
            (Some(epoch), _) => format!(" in epoch {epoch}"),
            (None, Some(step)) => format!(" at step {step}"),
            (None, None) => String::new(),
        };
        lines.push((label.as_str(), format!("{}{place}", best.text_with_unit())));
    }
    if let Some(best) = &summary.evaluated {
        let views = if best.views > 1 {
            format!(", {} views", best.views)
        } else {
            String::new()
        };
        let split = clean(&best.split);
        let (accuracy, low, high) = (best.accuracy, best.low, best.high);
        let text =
            format!("{accuracy:.2} % on {split} (95 % interval {low:.2} to {high:.2}){views}");
        lines.push(("evaluated", text));
    }
    if let Some(started) = summary.started_at {
        let zoned = started.to_zoned(jiff::tz::TimeZone::system());
        lines.push(("started", zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()));
    }
    lines.extend(summary.duration.map(|took| ("took", duration(took))));
    lines.extend(summary.size_bytes.map(|size| ("size", bytes(size))));
    let findings = summary.findings.iter().flatten();
    lines.extend(findings.map(|finding| ("odd", finding.text.clone())));
    for (label, value) in lines {
        writeln!(out, "{label:<13} {value}")?;
    }
    section(
        out,
        "last values",
        summary
            .last
            .iter()
            .map(|(column, value)| (clean(column).into_owned(), number(*value, 6))),
    )?;
    section(out, "not understood in its metrics", unread(metrics))?;
    section(out, "configuration", Config::load(&summary.dir).lines())?;
    let files = checkpoints::list(&summary.dir).into_iter();
    section(
        out,
        "checkpoints",
        files.map(|file| (file.what, bytes(file.bytes))),
    )?;
    let mut log = Log::default();
    log.take(LogReader::open(&summary.dir).poll().unwrap_or_default());
    let errors = log.errors.iter().take(MAX_ERRORS);
    section(
        out,
        "errors in the log, the last first",
        errors.map(|found| (format!("{} x", found.count), found.text.clone())),
    )?;
    let lines: Vec<_> = log.all().rev().take(LOG_LINES).collect();
    if !lines.is_empty() {
        writeln!(out, "\nlog")?;
    }
    for line in lines.into_iter().rev() {
        writeln!(out, "  {}", line.text)?;
    }
    Ok(())
}

/// A heading and its keys with their values; nothing if there are none.
fn section(
    out: &mut dyn Write,
    heading: &str,
    lines: impl IntoIterator<Item = (String, String)>,
) -> Result<()> {
    let lines: Vec<_> = lines.into_iter().collect();
    let width = lines.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    if !lines.is_empty() {
        writeln!(out, "\n{heading}")?;
    }
    for (key, value) in lines {
        writeln!(out, "  {key:<width$}  {value}")?;
    }
    Ok(())
}
