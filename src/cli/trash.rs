//! `traintop trash list|restore|purge`: what was removed, back to its place, or gone for good.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use color_eyre::eyre::{Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::roots;
use super::table::{self, Side};
use traintop_ops::trash::{self, Entry, Ticket, Trash};
use traintop_ops::{archive, rename};
use traintop_text::terminal::error_line;
use traintop_text::{bytes, clean, pretty_json, since};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what is in the trash, the newest first
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Put things back to their places
    Restore {
        /// Which removals, as `trash list` names them
        #[arg(value_name = "ID", required_unless_present = "all")]
        ids: Vec<String>,
        /// All of them, the newest first
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Remove things for good, and free their space; without `--yes` only shows which
    Purge {
        /// Which removals; without any, all
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// Only those removed this many days ago or longer
        #[arg(long, value_name = "DAYS", conflicts_with = "ids")]
        older_than: Option<u32>,
        /// Do it; this cannot be undone
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Args)]
struct Common {
    /// Folder whose trash is meant [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Print the removals as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let (Command::List { common }
    | Command::Restore { common, .. }
    | Command::Purge { common, .. }) = &arguments.command;
    let roots = roots::or_default(&common.roots);
    let is_reported = finish_what_was_left(&roots);
    let (listed, problems) = trash::list_below(&roots);
    for problem in &problems {
        error_line(problem);
    }
    match &arguments.command {
        Command::List { .. } => print(out, common, &listed, None, "")?,
        Command::Restore { ids, all, .. } => {
            let mut chosen = chosen(&listed, &roots, ids, *all)?;
            for (ticket, entry) in &mut chosen {
                let trash = Trash::of(&ticket.root)?;
                let places = trash.restore(&ticket.id)?;
                // A run may have been renamed since: what is printed is where things are now.
                for (item, place) in entry.items.iter_mut().zip(places) {
                    if let Ok(below) = place.strip_prefix(trash.root()) {
                        below.clone_into(&mut item.path);
                    }
                }
            }
            print(out, common, &chosen, Some(true), "restored")?;
        }
        Command::Purge {
            ids,
            older_than,
            yes,
            ..
        } => {
            let mut chosen = chosen(&listed, &roots, ids, ids.is_empty())?;
            if let Some(days) = older_than {
                let now = Timestamp::now();
                chosen.retain(|(_, entry)| entry.is_older_than(*days, now));
            }
            if *yes {
                for (ticket, _) in &chosen {
                    Trash::of(&ticket.root)?.purge(&ticket.id)?;
                }
            }
            let sentence = if *yes {
                "removed for good"
            } else {
                "this is what would be removed for good; --yes does it"
            };
            print(out, common, &chosen, Some(*yes), sentence)?;
        }
    }
    let is_whole = problems.is_empty() && is_reported;
    Ok(if is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Finishes what a killed process has left, and prints that; returns whether nothing failed.
pub fn finish_what_was_left(roots: &[PathBuf]) -> bool {
    for sentence in rename::recover().into_iter().chain(archive::recover()) {
        error_line(sentence);
    }
    let (finished, problems) = trash::recover_below(roots);
    for finished in finished {
        error_line(&finished.sentence);
    }
    for problem in &problems {
        error_line(problem);
    }
    problems.is_empty()
}

type Listed = (Ticket, Entry);

fn chosen(listed: &[Listed], roots: &[PathBuf], ids: &[String], all: bool) -> Result<Vec<Listed>> {
    if all {
        return Ok(listed.to_vec());
    }
    let mut chosen = Vec::new();
    for id in ids {
        let mut found = listed.iter().filter(|(ticket, _)| ticket.id == *id);
        match (found.next(), found.next()) {
            (Some(one), None) => chosen.push(one.clone()),
            (Some(_), Some(_)) => {
                bail!("{id:?} is in the trash of several roots; name one by --root")
            }
            (None, _) => match trash::unfinished_below(roots, id)? {
                Some(unfinished) => chosen.push(unfinished),
                None => bail!("{id:?} is not in the trash; `traintop trash list` shows what is"),
            },
        }
    }
    Ok(chosen)
}

fn print(
    out: &mut dyn Write,
    common: &Common,
    listed: &[Listed],
    done: Option<bool>,
    sentence: &str,
) -> Result<()> {
    if common.json {
        let entries: Vec<Value> = listed.iter().map(as_json).collect();
        let value = match done {
            Some(done) => json!({ "done": done, "removals": entries }),
            None => Value::Array(entries),
        };
        writeln!(out, "{}", pretty_json(&value)?)?;
        return Ok(());
    }
    if listed.is_empty() {
        writeln!(out, "there is nothing in the trash")?;
        return Ok(());
    }
    let now = Timestamp::now();
    let rows: Vec<_> = listed.iter().map(|listed| row(listed, now)).collect();
    table::print(out, HEADINGS, &rows)?;
    if !sentence.is_empty() {
        writeln!(out, "{sentence}")?;
    }
    Ok(())
}

const HEADINGS: &[(&str, Side)] = &[
    ("ID", Side::Left),
    ("AGE", Side::Right),
    ("SIZE", Side::Right),
    ("WHAT", Side::Left),
    ("WHY", Side::Left),
];

fn row((ticket, entry): &Listed, now: Timestamp) -> Vec<String> {
    let age = std::time::Duration::try_from(now - entry.removed_at).unwrap_or_default();
    let first = entry
        .items
        .first()
        .map(|item| item.path.display().to_string());
    let first = first.unwrap_or_default();
    let what = match entry.items.len() {
        1 => clean(&first).into_owned(),
        _ => format!("{}: {}, ...", entry.count(), clean(&first)),
    };
    vec![
        ticket.id.clone(),
        since(age).0,
        bytes(entry.bytes),
        what,
        clean(&format!("{}: {}", entry.by, entry.why)).into_owned(),
    ]
}

/// A removal for scripts.
fn as_json((ticket, entry): &Listed) -> Value {
    let paths = entry.items.iter().map(|item| {
        let path = ticket.root.join(&item.path);
        path.to_string_lossy().into_owned()
    });
    json!({
        "id": entry.id,
        "root": ticket.root.to_string_lossy(),
        "removed_at": entry.removed_at.to_string(),
        "by": entry.by,
        "why": entry.why,
        "size_bytes": entry.bytes,
        "paths": paths.collect::<Vec<_>>(),
    })
}
