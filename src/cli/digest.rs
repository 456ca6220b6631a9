//! `traintop digest`: what has happened to the runs since some moment, for mail and cron.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::{Result, bail};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::{list, summary_json};
use traintop_analysis::digest::Digest;
use traintop_analysis::query::quantity;
use traintop_text::{clean, pretty_json};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// From when on: `yesterday`, `today`, a date such as 2026-11-24, or how long ago, such as 2d
    /// or 12h
    #[arg(long, default_value = "yesterday", value_name = "TIME")]
    since: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let now = SystemTime::now();
    let at = Timestamp::try_from(now)?;
    let Some((since, _)) = quantity::moment(&arguments.since, at, &TimeZone::system()) else {
        bail!(
            "--since {:?}: must be yesterday, today, a date such as 2026-11-24, or how long ago, such as 2d",
            arguments.since
        );
    };
    let summaries = list::summaries(&arguments.roots, now)?;
    let digest = Digest::since(&summaries.iter().collect::<Vec<_>>(), since);
    if arguments.json {
        let failed = digest
            .failed
            .iter()
            .map(|(name, reason)| json!({"name": name, "reason": reason}));
        let best = digest.new_best.as_ref().map(|new| {
            json!({
                "val_acc": new.best.accuracy().map(summary_json::number),
                "name": new.run,
                "before": new.before.map(summary_json::number),
                "best": summary_json::best(&new.best),
            })
        });
        let all = json!({
            "since": since,
            "finished": digest.finished,
            "failed": failed.collect::<Vec<_>>(),
            "failed_alike": digest.failed_alike,
            "stopped": digest.stopped,
            "lost": digest.lost,
            "started": digest.started,
            "new_best": best,
        });
        writeln!(out, "{}", pretty_json(&all)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let since = since
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string();
    if digest.is_empty() {
        writeln!(out, "nothing has happened since {since}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "since {since}: {}", clean(&digest.line()))?;
    let failed = digest.failed.iter().map(|(name, reason)| match reason {
        Some(reason) => format!("{name} ({reason})"),
        None => name.clone(),
    });
    let failed: Vec<_> = failed.collect();
    let lists = [
        ("finished", &digest.finished),
        ("failed", &failed),
        ("stopped", &digest.stopped),
        ("lost", &digest.lost),
        ("started", &digest.started),
    ];
    for (what, names) in lists {
        for name in names {
            writeln!(out, "  {what:<9} {}", clean(name))?;
        }
    }
    if let Some(best) = &digest.new_best {
        let before = best.before;
        let before = before.map_or_else(String::new, |before| format!(", {before:.2} before"));
        let unit = if best.best.accuracy().is_some() {
            " %"
        } else {
            ""
        };
        let (text, run) = (best.text(), clean(&best.run));
        writeln!(out, "  {:<9} {text}{unit} by {run}{before}", "new best")?;
    }
    Ok(ExitCode::SUCCESS)
}
