//! `traintop alerts`: what is worth telling of the runs now, and telling it without a dashboard,
//! from cron.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::{Result, bail};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::list;
use super::table::{self, Side};
use traintop_analysis::alert::{self, Kind};
use traintop_analysis::prognosis::{self, Question};
use traintop_analysis::query::quantity;
use traintop_config as config;
use traintop_launch as launch;
use traintop_run::alerts::{Alert, claim};
use traintop_run::best_so_far::BestSoFar;
use traintop_run::state_dir;
use traintop_run::summary::Summary;
use traintop_text::pretty_json;
use traintop_text::terminal::error_line;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Of runs that have ended those that did so since: `yesterday`, `today`, a date, or how long
    /// ago, such as 2d or 12h
    #[arg(long, default_value = "1d", value_name = "TIME")]
    since: String,
    /// Only alerts that were not notified yet, and notify them by the `notify` command of your
    /// configuration; no dashboard notifies them again
    #[arg(long)]
    notify: bool,
    /// Print an array of alerts as JSON
    #[arg(long)]
    json: bool,
}

const HEADINGS: &[(&str, Side)] = &[
    ("ALERT", Side::Left),
    ("RUN", Side::Left),
    ("WHAT", Side::Left),
];

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let now = SystemTime::now();
    let at = Timestamp::try_from(now)?;
    let Some((since, _)) = quantity::moment(&arguments.since, at, &TimeZone::system()) else {
        bail!(
            "--since {:?}: must be yesterday, today, a date such as 2026-11-24, or how long ago, such as 2d",
            arguments.since
        );
    };
    let (config, problems) = config::load();
    for problem in problems {
        error_line(&problem);
    }
    let config = config.alerts;
    if arguments.notify && config.notify.is_empty() {
        bail!(
            "there is no command to notify with; `notify = [\"mail\", ...]` below [alerts] in your configuration makes one"
        );
    }
    let mut runs = list::known_summaries(&arguments.roots, now)?;
    if config.rules.has(Kind::Hopeless) {
        weigh(&mut runs);
    }
    let mut alerts: Vec<Alert> = runs
        .iter()
        .flat_map(|run| alert::alerts(run, &config.rules, since, at))
        .collect();
    let mut failed = None;
    if arguments.notify {
        let Some(folder) = state_dir::state_dir() else {
            bail!("there is no home folder to remember in what was notified");
        };
        alerts = claim(&folder, &alerts)?.new;
        let is_sent = |alert: &&Alert| config.send.iter().any(|kind| kind.name() == alert.kind);
        for alert in alerts.iter().filter(is_sent) {
            failed = launch::notify(&config.notify, alert).err().or(failed);
        }
    }
    if arguments.json {
        let alerts: Vec<_> = alerts.iter().map(as_json).collect();
        writeln!(out, "{}", pretty_json(&alerts)?)?;
    } else if alerts.is_empty() {
        writeln!(out, "nothing to report")?;
    } else {
        let row = |alert: &Alert| {
            vec![
                alert.kind.clone(),
                alert.name.clone(),
                alert.message.clone(),
            ]
        };
        let rows: Vec<_> = alerts.iter().map(row).collect();
        table::print(out, HEADINGS, &rows)?;
    }
    match failed {
        Some(problem) => bail!("{problem}"),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// An alert for scripts, with the key for a run's folder that all commands have.
fn as_json(alert: &Alert) -> Value {
    json!({
        "about": alert.about,
        "kind": alert.kind,
        "path": alert.dir.path().to_string_lossy(),
        "name": alert.name,
        "message": alert.message,
        "at": alert.at,
    })
}

/// Warns of those runs that are hopeless by the others.
fn weigh(runs: &mut [Summary]) {
    let far = runs
        .iter()
        .enumerate()
        .filter(|(_, run)| prognosis::milestone(run).is_some());
    let questions: Vec<(usize, Option<Question>)> = far
        .map(|(at, run)| (at, Question::of(run, runs.iter())))
        .collect();
    for (at, question) in questions {
        let found = question.and_then(|question| question.answer(BestSoFar::read));
        if let (Some(finding), Some(health)) = (found, &mut runs[at].health) {
            health.signs.push(finding);
        }
    }
}
