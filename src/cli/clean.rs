//! `traintop clean ROOT...`: a dry run that shows what could go, why, and what it would cost to make again, unless `--yes` is
//! given.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use color_eyre::eyre::{Report, Result};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::table::{self, Side};
use super::{roots, trash};
use crate::config;
use crate::run::clean::{self, Candidate, Done, Order, Plan, Policy, Protection, Reason, Rule};
use crate::text::{bytes, clean as cleaned, count, duration};

const ONLY: &str = "\
Only for these reasons, apart by commas: superseded, failed, empty, few_epochs, old, duplicate, temporary, optimiser_state";

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Arguments {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Keep checkpoints of so many of a run's best epochs
    #[arg(long, value_name = "N")]
    keep_best: Option<u32>,
    /// Keep so many of a run's last checkpoints
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep checkpoints of every Nth epoch; 0 keeps none by this
    #[arg(long, value_name = "N")]
    keep_every: Option<u32>,
    /// Runs that ended with fewer epochs may go
    #[arg(long, value_name = "N")]
    min_epochs: Option<u32>,
    /// Unmarked runs without a change for so many days may go; 0 is never
    #[arg(long, value_name = "DAYS")]
    max_age: Option<u32>,
    /// What protects a run, apart by commas: starred, tagged, noted, evaluated, baseline; or nothing
    #[arg(long, value_name = "LIST")]
    protect: Option<String>,
    #[arg(long, value_name = "LIST", help = ONLY)]
    only: Option<String>,
    /// Also drop the optimiser state of the checkpoints that stay; those runs can then no longer be resumed
    #[arg(long)]
    drop_optimiser_state: bool,
    /// Show first what frees most bytes for each hour of training lost
    #[arg(long)]
    by_cost: bool,
    /// Do it: move these things to the trash
    #[arg(long)]
    yes: bool,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let (config, mistakes) = config::load();
    for mistake in mistakes {
        eprintln!("{}", cleaned(&mistake));
    }
    let policy = policy(arguments, config.retention)?;
    let only = arguments.only.as_deref().map(reasons).transpose()?;
    let roots = if arguments.roots.is_empty() {
        roots::configured(config.roots)
    } else {
        arguments.roots.clone()
    };
    trash::finish_what_was_left(&roots);
    let found = roots::runs_below(&roots)?;
    let mut plan = clean::make(&found, policy, SystemTime::now(), |_| {});
    for candidate in &mut plan.candidates {
        if candidate.reason == Reason::OptimiserState {
            candidate.is_in = arguments.drop_optimiser_state;
        }
        candidate.is_in &= only
            .as_ref()
            .is_none_or(|only| only.contains(&candidate.reason));
    }
    plan.candidates.retain(|candidate| candidate.is_in);
    if arguments.by_cost {
        plan.order = Order::BytesPerHour;
    }
    plan.sort();
    let sentence = plan.sentence();
    let done = arguments
        .yes
        .then(|| clean::carry_out(&plan, &roots, Timestamp::now()))
        .transpose()?;
    if arguments.json {
        let value = as_json(&plan, &roots, &sentence, done.as_ref());
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    } else {
        print(out, &plan, &roots)?;
        match &done {
            Some(done) => writeln!(out, "{}", done.sentence())?,
            None if plan.candidates.is_empty() => writeln!(out, "{sentence}")?,
            None => writeln!(out, "this would {sentence}; --yes does it")?,
        }
    }
    let has_left = done.is_some_and(|done| !done.left.is_empty());
    Ok(if has_left {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// The configuration's policy, with the flags in the place of what it says.
fn policy(arguments: &Arguments, mut policy: Policy) -> Result<Policy> {
    let flags = [
        (Rule::KeepBest, arguments.keep_best),
        (Rule::KeepLast, arguments.keep_last),
        (Rule::KeepEvery, arguments.keep_every),
        (Rule::MinEpochs, arguments.min_epochs),
        (Rule::MaxAge, arguments.max_age),
    ];
    for (rule, value) in flags {
        if let Some(value) = value {
            *rule.of(&mut policy) = value;
        }
    }
    if let Some(list) = &arguments.protect {
        let words = words(list).map(Protection::named);
        policy.protect = words
            .collect::<Result<_, String>>()
            .map_err(|problem| Report::msg(format!("--protect: {problem}")))?;
    }
    Ok(policy)
}

fn reasons(list: &str) -> Result<Vec<Reason>> {
    let named = |word: &str| {
        let found = Reason::ALL.into_iter().find(|known| known.name() == word);
        found.ok_or_else(|| {
            let names = Reason::ALL.map(Reason::name).join(", ");
            Report::msg(format!("--only: {word:?} is none of {names}"))
        })
    };
    words(list).map(named).collect()
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

const HEADINGS: &[(&str, Side)] = &[
    ("RUN", Side::Left),
    ("WHAT", Side::Left),
    ("SIZE", Side::Right),
    ("AGAIN", Side::Right),
    ("WHY", Side::Left),
];

fn print(out: &mut dyn Write, plan: &Plan, roots: &[PathBuf]) -> Result<()> {
    let rows: Vec<_> = plan.candidates.iter().map(|one| row(plan, one)).collect();
    if !rows.is_empty() {
        table::print(out, HEADINGS, &rows)?;
        writeln!(out)?;
    }
    for reason in Reason::ALL {
        let totals = plan.totals(|candidate| candidate.reason == reason);
        if totals.count > 0 {
            let (number, size) = (count(totals.count as u64), bytes(totals.bytes));
            writeln!(out, "{}: {number}, {size}", reason.title())?;
        }
    }
    for (run, totals) in plan.by_run() {
        let name = cleaned(&plan.survey.runs[run].dir.name()).into_owned();
        let (number, size) = (count(totals.count as u64), bytes(totals.bytes));
        writeln!(out, "{name}: {number}, {size}")?;
    }
    let all = plan.totals(|_| true);
    writeln!(
        out,
        "in all: {}, {}",
        count(all.count as u64),
        bytes(all.bytes)
    )?;
    writeln!(
        out,
        "left alone: {} at work, {} protected",
        plan.at_work, plan.protected
    )?;
    for (root, space) in clean::spaces(roots) {
        let root = root.display().to_string();
        writeln!(out, "{}: {}", cleaned(&root), space.sentence())?;
    }
    Ok(())
}

fn row(plan: &Plan, candidate: &Candidate) -> Vec<String> {
    let run = &plan.survey.runs[candidate.run];
    let cost = candidate.cost_s.map_or_else(
        || "?".to_owned(),
        |seconds| match seconds {
            0.0 => "nothing".to_owned(),
            seconds => duration(Duration::try_from_secs_f64(seconds).unwrap_or_default()),
        },
    );
    let detail = match candidate.detail.as_str() {
        "" => candidate.reason.name().replace('_', " "),
        detail => format!("{}: {detail}", candidate.reason.name().replace('_', " ")),
    };
    vec![
        cleaned(&run.dir.name()).into_owned(),
        candidate.what.clone(),
        bytes(candidate.bytes()),
        cost,
        cleaned(&detail).into_owned(),
    ]
}

fn as_json(plan: &Plan, roots: &[PathBuf], sentence: &str, done: Option<&Done>) -> Value {
    let candidates = plan.candidates.iter().map(|candidate| {
        let paths = candidate.paths.iter();
        let paths: Vec<_> = paths.map(|path| path.to_string_lossy()).collect();
        json!({
            "run": plan.survey.runs[candidate.run].dir.path().to_string_lossy(),
            "reason": candidate.reason.name(),
            "what": candidate.what,
            "detail": candidate.detail,
            "paths": paths,
            "size_bytes": candidate.bytes(),
            "cost_s": candidate.cost_s,
        })
    });
    let reasons = Reason::ALL.iter().map(|reason| {
        let totals = plan.totals(|candidate| candidate.reason == *reason);
        let value = json!({ "count": totals.count, "size_bytes": totals.bytes });
        (reason.name().to_owned(), value)
    });
    let runs = plan.by_run().into_iter().map(|(run, totals)| {
        json!({
            "run": plan.survey.runs[run].dir.path().to_string_lossy(),
            "count": totals.count,
            "size_bytes": totals.bytes,
        })
    });
    let spaces = clean::spaces(roots).into_iter().map(|(root, space)| {
        let mut value = json!({
            "root": root.to_string_lossy(),
            "free_bytes": space.free,
            "total_bytes": space.total,
        });
        if let Some(quota) = space.quota {
            value["quota"] = json!({ "used_bytes": quota.used, "limit_bytes": quota.limit });
        }
        value
    });
    let left = done
        .iter()
        .flat_map(|done| &done.left)
        .map(|(path, why)| json!({ "path": path.to_string_lossy(), "why": why }));
    let ids = done.iter().flat_map(|done| &done.tickets);
    json!({
        "done": done.is_some(),
        "sentence": sentence,
        "size_bytes": plan.totals(|_| true).bytes,
        "reasons": reasons.collect::<serde_json::Map<_, _>>(),
        "runs": runs.collect::<Vec<_>>(),
        "candidates": candidates.collect::<Vec<_>>(),
        "at_work": plan.at_work,
        "protected": plan.protected,
        "disks": spaces.collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
        "trash_ids": ids.map(|ticket| ticket.id.clone()).collect::<Vec<_>>(),
    })
}
