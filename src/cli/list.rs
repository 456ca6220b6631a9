//! `traintop list`: every run below some folders, newest first.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use color_eyre::eyre::Result;
use directories::ProjectDirs;
use serde_json::{Map, Value, json};

use super::judged_by::Directions;
use super::table::{self, Side};
use super::{finding, roots, summary_json};
use traintop_analysis::lint;
use traintop_launch::slurm;
use traintop_run::RunDir;
use traintop_run::cache::Cache;
use traintop_run::checkpoints;
use traintop_run::evaluation::BestByRun;
use traintop_run::found::Found;
use traintop_run::judging::{self, MetricSettings};
use traintop_run::run_names::{self, shortest_ends};
use traintop_run::size;
use traintop_run::summary::Summary;
use traintop_run::usual::{self, Usual};
use traintop_text::{bytes, counted, duration, number, pretty_json, since, terminal};

#[derive(Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    pub roots: Vec<PathBuf>,
    /// Only runs that a query finds, as `/` takes it in the dashboard: `val_acc>94 model:resnet
    /// -tag:old age<2d "free text"`
    #[arg(long = "where", value_name = "QUERY", allow_hyphen_values = true)]
    pub query: Option<String>,
    /// What runs are judged by, where they have it [default: as each is judged]
    #[arg(long)]
    pub metric: Option<String>,
    #[command(flatten)]
    pub directions: Directions,
    /// Print an array of runs as JSON
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// Whether this is an interactive terminal, where a user would rather see the dashboard.
    pub fn opens_dashboard(&self) -> bool {
        !self.json
            && self.query.is_none()
            && self.metric.is_none()
            && io::stdin().is_terminal()
            && terminal::raw_output().is_terminal()
    }
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let now = SystemTime::now();
    arguments.directions.apply(arguments.metric.as_deref());
    let mut summaries = summaries(&arguments.roots, now)?;
    let there_are_runs = !summaries.is_empty();
    if let Some(query) = &arguments.query {
        match finding::found(&summaries, query, now) {
            Ok(found) => summaries.retain(|summary| found.contains(&summary.dir)),
            Err(problem) => return Ok(finding::refuse(query, &problem)),
        }
    }
    if arguments.json {
        let runs = summaries
            .iter()
            .map(|summary| Value::Object(with_checkpoints(summary)));
        let text = pretty_json(&runs.collect::<Vec<_>>())?;
        writeln!(out, "{text}")?;
    } else if summaries.is_empty() && there_are_runs {
        writeln!(out, "no run passes the query")?;
    } else if summaries.is_empty() {
        let roots = roots::or_default(&arguments.roots);
        let roots: Vec<_> = roots
            .iter()
            .map(|root| root.display().to_string())
            .collect();
        writeln!(
            out,
            "no runs below {}; `traintop train --config quick` starts one",
            roots.join(", ")
        )?;
    } else {
        let usual = Usual::of(summaries.iter());
        let best = usual
            .as_ref()
            .map_or_else(|| BEST.to_owned(), Usual::heading);
        let paths: Vec<_> = summaries.iter().map(|summary| summary.dir.path()).collect();
        let mut rows: Vec<_> = summaries
            .iter()
            .zip(shortest_ends(&paths))
            .map(|(summary, folder)| row(summary, folder, usual.as_ref(), now))
            .collect();
        let mut headings = HEADINGS.to_vec();
        for heading in headings.iter_mut().filter(|(name, _)| *name == BEST) {
            heading.0 = &best;
        }
        if summaries.iter().any(|summary| summary.job.is_some()) {
            headings.push(("JOB", Side::Left));
            for (row, summary) in rows.iter_mut().zip(&summaries) {
                let job = summary.job.as_ref().and_then(|job| job.name.clone());
                row.push(job.unwrap_or_else(|| "-".to_owned()));
            }
        }
        if summaries.iter().any(has_unread) {
            headings.push(("UNREAD", Side::Left));
            for (row, summary) in rows.iter_mut().zip(&summaries) {
                row.push(unread(summary));
            }
        }
        table::print(out, &headings, &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The runs with their sizes, newest first. Summaries of runs that have not changed come from the
/// user's cache.
pub fn summaries(named: &[PathBuf], now: SystemTime) -> Result<Vec<Summary>> {
    let mut summaries = known_summaries(named, now)?;
    learn(&mut summaries, now);
    for summary in &mut summaries {
        summary.size_bytes = size::of_run(&summary.dir);
    }
    let roots = roots::or_default(named);
    let best = BestByRun::of_runs(&roots, summaries.iter().map(|summary| &summary.dir));
    for summary in &mut summaries {
        summary.evaluated = best.of(&summary.id, &summary.dir).cloned();
    }
    summaries.sort_by_key(|summary| {
        std::cmp::Reverse((
            summary.started_at.unwrap_or(summary.modified_at),
            summary.dir.clone(),
        ))
    });
    Ok(summaries)
}

/// Asks Slurm after the jobs that may have changed, if it is time to.
fn learn(summaries: &mut [Summary], now: SystemTime) {
    let is_open = |summary: &&Summary| summary.job.as_ref().is_some_and(|job| job.is_open);
    let open: Vec<RunDir> = summaries
        .iter()
        .filter(is_open)
        .map(|summary| summary.dir.clone())
        .collect();
    let learnt = slurm::learn(&open);
    roots::report_silence(&learnt);
    for dir in learnt.changed {
        let found = Found::look(dir);
        for summary in summaries
            .iter_mut()
            .filter(|summary| summary.dir == found.dir)
        {
            *summary = lint::load(&found, now);
        }
    }
}

/// The runs as they are found, without what has to be counted or looked up outside of them.
pub fn known_summaries(named: &[PathBuf], now: SystemTime) -> Result<Vec<Summary>> {
    let folder =
        ProjectDirs::from("", "", "traintop").map(|folders| folders.cache_dir().to_owned());
    // A single request with other settings must not replace the cache.
    let is_usual = judging::user().now == MetricSettings::default();
    let folder = folder.filter(|_| is_usual);
    let mut cache = folder.as_deref().map(Cache::open);
    let mut summaries = Vec::new();
    for found in roots::runs_below(named)? {
        let cached = cache.as_mut().and_then(|cache| cache.lookup(&found));
        summaries.push(cached.unwrap_or_else(|| {
            let summary = lint::load(&found, now);
            if let Some(cache) = &mut cache {
                cache.store(&found, &summary);
            }
            summary
        }));
    }
    if let Some(cache) = &mut cache {
        // It is only there for speed: a cache that cannot be written costs the next call some time.
        let _ = cache.flush();
    }
    run_names::tell_apart(&mut summaries);
    Ok(summaries)
}

/// Stands for the column of best values, whose heading names their metric.
const BEST: &str = "BEST";

const HEADINGS: &[(&str, Side)] = &[
    ("FOLDER", Side::Left),
    ("STATE", Side::Left),
    ("NAME", Side::Left),
    ("MODEL", Side::Left),
    ("EPOCHS", Side::Right),
    (BEST, Side::Right),
    ("AT", Side::Right),
    ("TRAIN LOSS", Side::Right),
    ("VAL LOSS", Side::Right),
    ("STARTED", Side::Right),
    ("TOOK", Side::Right),
    ("SIZE", Side::Right),
];

fn row(summary: &Summary, folder: String, usual: Option<&Usual>, now: SystemTime) -> Vec<String> {
    let absent = || "-".to_owned();
    let text = |text: &str| {
        if text.is_empty() {
            absent()
        } else {
            text.to_owned()
        }
    };
    let last = |column| {
        summary
            .last(column)
            .map_or_else(absent, |value| number(value, 4))
    };
    let started = summary.started_at.map_or_else(absent, |started| {
        let age = now.duration_since(started.into()).unwrap_or(Duration::ZERO);
        let (text, _) = since(age);
        if text == "now" {
            text
        } else {
            format!("{text} ago")
        }
    });
    let at = summary.best.as_ref().and_then(|best| {
        let step = || Some(format!("step {}", best.step?));
        best.epoch
            .map(|epoch| format!("epoch {epoch}"))
            .or_else(step)
    });
    vec![
        folder,
        state(summary),
        text(&summary.title()),
        text(&summary.model),
        summary.how_far(),
        summary
            .best
            .as_ref()
            .map_or_else(absent, |best| usual::cell(best, usual)),
        at.unwrap_or_else(absent),
        last("train_loss"),
        last("val_loss"),
        started,
        summary.duration.map_or_else(absent, duration),
        summary.size_bytes.map_or_else(absent, bytes),
    ]
}

/// A run's fields, and how many checkpoints it has of how many bytes.
fn with_checkpoints(summary: &Summary) -> Map<String, Value> {
    let mut run = summary_json::of(summary);
    let checkpoints = checkpoints::list(&summary.dir);
    let bytes: u64 = checkpoints.iter().map(|checkpoint| checkpoint.bytes).sum();
    let counted = json!({ "count": checkpoints.len(), "bytes": bytes });
    run.insert("checkpoints".to_owned(), counted);
    run
}

fn has_unread(summary: &Summary) -> bool {
    summary.problems > 0 || !summary.unread.is_empty()
}

/// How many lines and cells of a run's metrics were not understood.
fn unread(summary: &Summary) -> String {
    let counts = [
        (summary.problems, "line"),
        (summary.unread.values().sum(), "cell"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let texts: Vec<_> = counts
        .map(|(count, what)| counted(count as u64, what))
        .collect();
    if texts.is_empty() {
        return "-".to_owned();
    }
    texts.join(", ")
}

/// The state; a deduced one with a mark.
pub fn state(summary: &Summary) -> String {
    let mark = if summary.observed.deduced { "?" } else { "" };
    format!("{}{mark}", summary.observed.state)
}
