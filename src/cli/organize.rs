//! `traintop organize ROOT...`: rebuilds logs that are missing or broken, and records; a dry run
//! unless `--yes` is given.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::Result;
use serde_json::{Value, json};

use super::roots;
use super::table::{self, Side};
use traintop_ops::organise::{self, Plan};
use traintop_text::terminal::error_line;
use traintop_text::{clean, pretty_json};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Folders to search for runs [default: runs]
    #[arg(value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Do it; without this, only what would happen is shown
    #[arg(long)]
    yes: bool,
    /// Print what would happen, or has, as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let (plans, unsearched) = organise::plan_below(&roots::or_default(&arguments.roots));
    roots::tell_unsearched(unsearched, &arguments.roots)?;
    let now = jiff::Timestamp::now();
    let mut failed = Vec::new();
    for plan in plans
        .iter()
        .filter(|plan| arguments.yes && !plan.rebuilds.is_empty())
    {
        // One run that cannot be written does not keep the others from it.
        if let Err(error) = organise::apply(plan, now) {
            failed.push(clean(&error.to_string()).into_owned());
        }
    }
    if arguments.json {
        let runs: Vec<Value> = plans.iter().map(as_json).collect();
        let value = json!({ "done": arguments.yes, "runs": runs, "problems": failed });
        writeln!(out, "{}", pretty_json(&value)?)?;
    } else if plans.is_empty() {
        writeln!(out, "nothing is missing that could be made again")?;
    } else {
        table::print(
            out,
            HEADINGS,
            &plans.iter().flat_map(rows).collect::<Vec<_>>(),
        )?;
        let sentence = if arguments.yes {
            "done"
        } else {
            "this is what would happen; --yes does it"
        };
        writeln!(out, "{sentence}")?;
    }
    for problem in &failed {
        error_line(problem);
    }
    Ok(if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn as_json(plan: &Plan) -> Value {
    let files = plan.rebuilds.iter().map(|file| {
        json!({
            "path": file.path.to_string_lossy(),
            "from": file.from,
            "what": file.what,
            "broken_goes_to": file.aside.as_ref().map(|aside| aside.to_string_lossy()),
        })
    });
    json!({
        "path": plan.dir.path().to_string_lossy(),
        "files": files.collect::<Vec<_>>(),
        "problem": plan.problem,
    })
}

const HEADINGS: &[(&str, Side)] = &[
    ("FOLDER", Side::Left),
    ("FILE", Side::Left),
    ("FROM", Side::Left),
    ("WHAT", Side::Left),
    ("BROKEN ONE GOES TO", Side::Left),
];

fn rows(plan: &Plan) -> Vec<Vec<String>> {
    let folder = clean(&plan.dir.name()).into_owned();
    let below = |path: &std::path::Path| {
        let below = path.strip_prefix(plan.dir.path()).unwrap_or(path);
        clean(&below.to_string_lossy()).into_owned()
    };
    let absent = || "-".to_owned();
    let problem = plan.problem.iter().map(|problem| {
        vec![
            folder.clone(),
            absent(),
            absent(),
            format!("left as it is: {problem}"),
            absent(),
        ]
    });
    let files = plan.rebuilds.iter().map(|file| {
        let aside = file.aside.as_deref().map_or_else(absent, below);
        vec![
            folder.clone(),
            below(&file.path),
            clean(&file.from).into_owned(),
            file.what.clone(),
            aside,
        ]
    });
    problem.chain(files).collect()
}
