//! `traintop tag RUN [+tag -tag ...]` and `traintop note RUN [TEXT]`: what people add to a run.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::{Result, bail};
use serde_json::json;

use super::roots;
use crate::run::RunDir;
use crate::run::notes::{Change, Notes, retag_of};

#[derive(Debug, Args)]
pub struct TagArguments {
    /// A run's folder, or the name of a run or its beginning
    run: String,
    /// Tags to add, as WORD or +WORD, and to take away, as -WORD; none shows those it has
    #[arg(allow_hyphen_values = true, value_name = "TAG")]
    tags: Vec<String>,
    /// Give it a star (`yes`) or take it away (`no`)
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    star: Option<bool>,
    /// Mark it as a baseline (`yes`) or not (`no`)
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    baseline: Option<bool>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub struct NoteArguments {
    /// A run's folder, or the name of a run or its beginning
    run: String,
    /// The new note; an empty text takes it away, none shows the one it has
    text: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Folder to search for the name [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Print the run's notes as JSON
    #[arg(long)]
    json: bool,
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
}

pub fn tag(arguments: &TagArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let (mut words, mut json) = (Vec::new(), arguments.common.json);
    // Tags may begin with a hyphen, and so take in options that stand behind them.
    for word in &arguments.tags {
        match word.as_str() {
            "--json" => json = true,
            option if option.starts_with("--") => {
                bail!("{option} must stand before the run, or is no option of `traintop tag`")
            }
            word => words.push(word),
        }
    }
    let dir = roots::run_named(&arguments.run, &arguments.common.roots)?.dir;
    let mut changes = Vec::new();
    if !words.is_empty() {
        changes.push(retag_of(&words.join(" ")).map_err(color_eyre::Report::msg)?);
    }
    changes.extend(arguments.star.map(Change::Star));
    changes.extend(arguments.baseline.map(Change::Baseline));
    let notes = changed(&dir, &changes)?.shown();
    if json {
        return print_json(&dir, &notes, out);
    }
    let mut words: Vec<String> = notes.tags.clone();
    let marks = [(notes.star, "★ starred"), (notes.baseline, "baseline")];
    words.extend(
        marks
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| (*word).to_owned()),
    );
    if words.is_empty() {
        writeln!(out, "no tags")?;
    } else {
        writeln!(out, "{}", words.join("  "))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub fn note(arguments: &NoteArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let dir = roots::run_named(&arguments.run, &arguments.common.roots)?.dir;
    let change: Vec<_> = arguments
        .text
        .clone()
        .map(Change::Note)
        .into_iter()
        .collect();
    let notes = changed(&dir, &change)?.shown();
    if arguments.common.json {
        return print_json(&dir, &notes, out);
    }
    if notes.note.is_empty() {
        writeln!(out, "no note")?;
    } else {
        writeln!(out, "{}", notes.note)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn changed(dir: &RunDir, changes: &[Change]) -> Result<Notes> {
    let mut notes = Notes::load(dir)?;
    for change in changes {
        notes = Notes::change(dir, change)?;
    }
    Ok(notes)
}

fn print_json(dir: &RunDir, notes: &Notes, out: &mut dyn Write) -> Result<ExitCode> {
    let value = json!({
        "path": dir.path().to_string_lossy(),
        "tags": notes.tags,
        "note": notes.note,
        "star": notes.star,
        "baseline": notes.baseline,
    });
    writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    Ok(ExitCode::SUCCESS)
}
