//! `traintop clean ROOT...`: a dry run that shows what could go, why, and what it would cost to
//! make again, unless `--yes` is given.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::{Report, Result};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::table::{self, Side};
use super::{roots, trash};
use traintop_config as config;
use traintop_ops::clean::{
    self, Candidate, Done, Plan, Policy, Protection, Reason, Rule, SortOrder, Totals,
};
use traintop_text::terminal::error_line;
use traintop_text::{bytes, clean as cleaned, count, pretty_json};

const ONLY: &str = "\
Select all candidates of these reasons and no others, separated by commas: superseded, failed, empty, few_epochs, old, duplicate, temporary, optimiser_state";

/// Runs in doubt that are named; more are only counted.
const DOUBTS: usize = 10;

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Arguments {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Keep checkpoints of this many of a run's best epochs
    #[arg(long, value_name = "N")]
    keep_best: Option<u32>,
    /// Keep this many of a run's last checkpoints
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep checkpoints of every Nth epoch or step; 0 keeps none by this
    #[arg(long, value_name = "N")]
    keep_every: Option<u32>,
    /// Runs that ended with fewer epochs may go
    #[arg(long, value_name = "N")]
    min_epochs: Option<u32>,
    /// Unmarked runs without a change for this many days may go; 0 is never
    #[arg(long, value_name = "DAYS")]
    max_age: Option<u32>,
    /// What protects a run, separated by commas: starred, tagged, noted, evaluated, baseline; or
    /// nothing
    #[arg(long, value_name = "LIST")]
    protect: Option<String>,
    #[arg(long, value_name = "LIST", help = ONLY)]
    only: Option<String>,
    /// Also drop the optimiser state of the checkpoints that stay; those runs can then no longer be
    /// resumed
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
    let (config, problems) = config::load();
    for problem in problems {
        error_line(&problem);
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
        // Naming a reason selects all of it, as a key does on the screen.
        if let Some(only) = &only {
            candidate.is_in = only.contains(&candidate.reason);
        }
        if candidate.reason == Reason::OptimiserState {
            candidate.is_in |= arguments.drop_optimiser_state;
        }
    }
    if arguments.by_cost {
        plan.order = SortOrder::BytesPerHour;
    }
    plan.sort();
    let sentence = plan.sentence();
    let whole_runs = plan.whole_runs();
    let done = arguments
        .yes
        .then(|| clean::carry_out(&plan, &roots, Timestamp::now()))
        .transpose()?;
    if arguments.json {
        let value = as_json(&plan, &roots, (&sentence, &whole_runs), done.as_ref());
        writeln!(out, "{}", pretty_json(&value)?)?;
    } else {
        print(out, &plan, &roots)?;
        match &done {
            Some(done) => writeln!(out, "{}", done.sentence())?,
            None if plan.totals(|_| true).in_count == 0 => writeln!(out, "{sentence}")?,
            None => {
                if !whole_runs.is_empty() {
                    writeln!(out, "whole runs that would go:")?;
                }
                for line in &whole_runs {
                    writeln!(out, "  {line}")?;
                }
                writeln!(out, "this would {sentence}; --yes does it")?;
            }
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
    ("GO", Side::Left),
    ("RUN", Side::Left),
    ("WHAT", Side::Left),
    ("SIZE", Side::Right),
    ("RETRAIN", Side::Right),
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
            let (number, size) = (selected(totals), bytes(totals.bytes));
            let (title, name) = (reason.title(), reason.name());
            let how = match (totals.in_count, reason) {
                (0, Reason::OptimiserState) => "; --drop-optimiser-state selects them".to_owned(),
                (0, _) => format!("; --only {name} selects them"),
                _ => String::new(),
            };
            writeln!(out, "{title}: {number}, {size}{how}")?;
        }
    }
    for (run, totals) in plan.by_run() {
        let name = cleaned(&plan.survey.runs[run].dir.name()).into_owned();
        let (number, size) = (selected(totals), bytes(totals.bytes));
        writeln!(out, "{name}: {number}, {size}")?;
    }
    let all = plan.totals(|_| true);
    writeln!(out, "in all: {}, {}", selected(all), bytes(all.bytes))?;
    writeln!(
        out,
        "left alone: {} at work, {} protected, {} in doubt",
        plan.at_work,
        plan.protected,
        plan.doubts.len()
    )?;
    for (run, why) in plan.doubts.iter().take(DOUBTS) {
        let name = cleaned(&plan.survey.runs[*run].dir.name()).into_owned();
        writeln!(out, "  {name}: {why}")?;
    }
    if let Some(more @ 1..) = plan.doubts.len().checked_sub(DOUBTS) {
        writeln!(out, "  and {} more", count(more as u64))?;
    }
    for (root, space) in clean::spaces(roots) {
        let root = root.display().to_string();
        writeln!(out, "{}: {}", cleaned(&root), space.sentence())?;
    }
    Ok(())
}

/// `3`, or `1 of 3` where not all of them are selected.
fn selected(totals: Totals) -> String {
    let all = count(totals.count as u64);
    if totals.in_count == totals.count {
        all
    } else {
        format!("{} of {all}", count(totals.in_count as u64))
    }
}

fn row(plan: &Plan, candidate: &Candidate) -> Vec<String> {
    let run = &plan.survey.runs[candidate.run];
    let detail = match candidate.detail.as_str() {
        "" => candidate.reason.name().replace('_', " "),
        detail => format!("{}: {detail}", candidate.reason.name().replace('_', " ")),
    };
    let mark = if candidate.is_in { "yes" } else { "-" };
    vec![
        mark.to_owned(),
        cleaned(&run.dir.name()).into_owned(),
        candidate.what.clone(),
        bytes(candidate.bytes()),
        candidate.cost(),
        cleaned(&detail).into_owned(),
    ]
}

fn as_json(
    plan: &Plan,
    roots: &[PathBuf],
    (sentence, whole_runs): (&str, &[String]),
    done: Option<&Done>,
) -> Value {
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
            "selected": candidate.is_in,
            "whole_run": candidate.is_whole,
        })
    });
    let reasons = Reason::ALL.iter().map(|reason| {
        let totals = plan.totals(|candidate| candidate.reason == *reason);
        let value = json!({
            "count": totals.count,
            "selected": totals.in_count,
            "size_bytes": totals.bytes,
        });
        (reason.name().to_owned(), value)
    });
    let runs = plan.by_run().into_iter().map(|(run, totals)| {
        json!({
            "run": plan.survey.runs[run].dir.path().to_string_lossy(),
            "count": totals.count,
            "selected": totals.in_count,
            "size_bytes": totals.bytes,
        })
    });
    let doubts = plan.doubts.iter().map(|(run, why)| {
        let path = plan.survey.runs[*run].dir.path();
        json!({ "run": path.to_string_lossy(), "why": why })
    });
    let spaces = clean::spaces(roots).into_iter().map(|(root, space)| {
        let quota = space
            .quota
            .map(|quota| json!({ "used_bytes": quota.used, "limit_bytes": quota.limit }));
        json!({
            "root": root.to_string_lossy(),
            "free_bytes": space.free,
            "total_bytes": space.total,
            "quota": quota,
        })
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
        "in_doubt": doubts.collect::<Vec<_>>(),
        "whole_runs": whole_runs,
        "disks": spaces.collect::<Vec<_>>(),
        "left": left.collect::<Vec<_>>(),
        "trash_ids": ids.map(|ticket| ticket.id.clone()).collect::<Vec<_>>(),
    })
}
