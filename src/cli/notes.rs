//! `traintop tag RUN [+tag -tag ...]` and `traintop note RUN [TEXT]`: what people add to a run;
//! with the tags, or `--text`, first it is for several runs.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::{Result, bail};
use serde_json::{Value, json};

use super::roots;
use traintop_run::RunDir;
use traintop_run::notes::{Change, Notes, retag_of};
use traintop_text::terminal::error_line;
use traintop_text::{clean, pretty_json};

#[derive(Debug, Args)]
pub struct TagArguments {
    /// A run's folder, or the name of a run or its beginning, and then tags to add, as WORD or
    /// +WORD, and to remove, as -WORD; none shows those it has. Of several runs the tags come
    /// first: +WORD -WORD RUN RUN
    #[arg(allow_hyphen_values = true, required = true, value_name = "RUN|TAG")]
    words: Vec<String>,
    /// Give it a star (`yes`) or remove it (`no`)
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
    /// A run's folder, or the name of a run or its beginning; with `--text`, any number of them
    #[arg(required = true, value_name = "RUN")]
    run: String,
    /// The new note; an empty text takes it away, none shows the one it has
    #[arg(value_name = "TEXT")]
    rest: Vec<String>,
    /// The new note of all these runs
    #[arg(long, value_name = "TEXT")]
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
    // Tags may begin with a hyphen, and so swallow options after them.
    for word in &arguments.words {
        match word.as_str() {
            "--json" => json = true,
            option if option.starts_with("--") => {
                bail!("{option} must stand before the run, or is no option of `traintop tag`")
            }
            word => words.push(word),
        }
    }
    // A run, and then its tags; or tags, and then any number of runs.
    let is_tag = |word: &&str| word.starts_with(['+', '-']);
    let leading = words.iter().take_while(|word| is_tag(word)).count();
    let (tags, runs) = match leading {
        0 => (&words[1..], &words[..1]),
        leading => words.split_at(leading),
    };
    if runs.is_empty() {
        bail!("there is no run after {}; name one or more", tags.join(" "));
    }
    let mut changes = Vec::new();
    if !tags.is_empty() {
        changes.push(retag_of(&tags.join(" ")).map_err(color_eyre::Report::msg)?);
    }
    changes.extend(arguments.star.map(Change::Star));
    changes.extend(arguments.baseline.map(Change::Baseline));
    let text = |notes: &Notes| {
        let mut words: Vec<String> = notes.tags.clone();
        let marks = [(notes.star, "★ starred"), (notes.baseline, "baseline")];
        let marks = marks.iter().filter(|(is, _)| *is);
        words.extend(marks.map(|(_, word)| (*word).to_owned()));
        if words.is_empty() {
            "no tags".to_owned()
        } else {
            words.join("  ")
        }
    };
    change_all(runs, &changes, text, (&arguments.common.roots, json), out)
}

pub fn note(arguments: &NoteArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let mut runs = vec![arguments.run.as_str()];
    let rest = arguments.rest.iter().map(String::as_str);
    let text = match (&arguments.text, &arguments.rest[..]) {
        (Some(text), _) => {
            runs.extend(rest);
            Some(text)
        }
        (None, []) => None,
        (None, [text]) => Some(text),
        (None, _) => bail!(
            "a note is one text, in quotes; for several runs it stands before them: --text TEXT RUN RUN"
        ),
    };
    let changes: Vec<_> = text.cloned().map(Change::Note).into_iter().collect();
    let text = |notes: &Notes| {
        if notes.note.is_empty() {
            "no note".to_owned()
        } else {
            notes.note.clone()
        }
    };
    let common = (&arguments.common.roots[..], arguments.common.json);
    change_all(&runs, &changes, text, common, out)
}

/// Changes the notes of these runs, and prints them as they are then: with each run's name if there
/// are several.
fn change_all(
    runs: &[&str],
    changes: &[Change],
    text: impl Fn(&Notes) -> String,
    (roots, json): (&[PathBuf], bool),
    out: &mut dyn Write,
) -> Result<ExitCode> {
    // Every run is found before any is changed.
    let mut dirs: Vec<RunDir> = Vec::new();
    for run in runs {
        let dir = roots::run_named(run, roots)?.dir;
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    for dir in &dirs {
        // One that cannot be changed does not keep the others from it.
        let notes = match changed(dir, changes) {
            Ok(notes) => notes.shown(),
            Err(error) if dirs.len() > 1 => {
                problems.push(clean(&format!("{error:#}")).into_owned());
                continue;
            }
            Err(error) => return Err(error),
        };
        if json {
            values.push(as_json(dir, &notes));
        } else if dirs.len() == 1 {
            writeln!(out, "{}", text(&notes))?;
        } else {
            writeln!(out, "{}: {}", clean(&dir.name()), text(&notes))?;
        }
    }
    if json {
        let value = match (dirs.len(), values.pop()) {
            (1, Some(value)) => value,
            (_, last) => values.into_iter().chain(last).collect(),
        };
        writeln!(out, "{}", pretty_json(&value)?)?;
    }
    for problem in &problems {
        error_line(problem);
    }
    Ok(if problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn changed(dir: &RunDir, changes: &[Change]) -> Result<Notes> {
    let mut notes = Notes::load(dir)?;
    for change in changes {
        notes = Notes::change(dir, change)?;
    }
    Ok(notes)
}

fn as_json(dir: &RunDir, notes: &Notes) -> Value {
    json!({
        "path": dir.path().to_string_lossy(),
        "name": notes.name,
        "tags": notes.tags,
        "note": notes.note,
        "star": notes.star,
        "baseline": notes.baseline,
    })
}
