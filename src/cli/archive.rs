//! `traintop archive RUN...` and `traintop unarchive RUN...`: dry runs unless `--yes` is given.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::{Result, bail};
use serde_json::{Value, json};

use super::{roots, trash};
use traintop_ops::archive::{self, Plan};
use traintop_run::RunDir;
use traintop_text::terminal::error_line;
use traintop_text::{bytes, clean, pretty_json};

#[derive(Debug, Args)]
pub struct ArchiveArguments {
    #[command(flatten)]
    common: Common,
    /// Pack no checkpoints but the best one; the others go to the trash alone
    #[arg(long)]
    without_checkpoints: bool,
}

#[derive(Debug, Args)]
pub struct UnarchiveArguments {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Runs' folders, or names of runs or their beginnings
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Do it; without this, only what would happen is shown
    #[arg(long)]
    yes: bool,
    /// Folder to search for the names [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Print what would happen, or has, as JSON
    #[arg(long)]
    json: bool,
}

pub fn archive(arguments: &ArchiveArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let roots = roots::or_default(&arguments.common.roots);
    let each = |dir: &RunDir, yes: bool| {
        let plan = Plan::of(dir, arguments.without_checkpoints)?;
        let archived = yes.then(|| archive::archive(&roots, &plan)).transpose()?;
        let name = clean(&dir.name()).into_owned();
        let left_out = match plan.left_out_bytes() {
            0 => String::new(),
            left => format!(", {} of checkpoints left out", bytes(left)),
        };
        let packed = bytes(plan.packed_bytes());
        let text = match &archived {
            None => format!(
                "{name}: {packed} would be packed{left_out}, {} files and folders moved to the trash",
                plan.removed.len()
            ),
            Some(done) => format!(
                "{name}: {packed} packed into {}{left_out}; u or `traintop unarchive` restores it",
                bytes(done.bytes)
            ),
        };
        let value = json!({
            "path": dir.path().to_string_lossy(),
            "archive": dir.archive().to_string_lossy(),
            "packed_bytes": plan.packed_bytes(),
            "left_out_bytes": plan.left_out_bytes(),
            "archive_bytes": archived.as_ref().map(|done| done.bytes),
            "moved_to_trash": plan.removed.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        });
        Ok((text, value))
    };
    for_each(&arguments.common, each, out)
}

pub fn unarchive(arguments: &UnarchiveArguments, out: &mut dyn Write) -> Result<ExitCode> {
    let roots = roots::or_default(&arguments.common.roots);
    let each = |dir: &RunDir, yes: bool| {
        let name = clean(&dir.name()).into_owned();
        let path = dir.archive();
        if !path.exists() {
            bail!("{name}: it is not archived");
        }
        let done = yes.then(|| archive::unarchive(&roots, dir)).transpose()?;
        let done = done.map(|done| done.unpacked);
        let text = match &done {
            None => format!(
                "{name}: would be restored from {}",
                clean(&path.to_string_lossy())
            ),
            Some(done) => format!(
                "{name}: {} files ({}) restored; {} were in place{}",
                done.files.len(),
                bytes(done.bytes),
                done.kept,
                done.left_out_sentence(),
            ),
        };
        let left_out = done.as_ref().map(|done| {
            let paths = done.left_out.iter();
            paths.map(|path| path.to_string_lossy()).collect::<Vec<_>>()
        });
        let value = json!({
            "path": dir.path().to_string_lossy(),
            "files": done.as_ref().map(|done| done.files.len()),
            "bytes": done.as_ref().map(|done| done.bytes),
            "kept": done.as_ref().map(|done| done.kept),
            "left_out": left_out,
        });
        Ok((text, value))
    };
    for_each(&arguments.common, each, out)
}

/// Does it to each run; one that refuses does not keep the others from it.
fn for_each(
    common: &Common,
    each: impl Fn(&RunDir, bool) -> Result<(String, Value)>,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    trash::finish_what_was_left(&roots::or_default(&common.roots));
    let mut dirs: Vec<RunDir> = Vec::new();
    for word in &common.runs {
        let dir = roots::run_named(word, &common.roots)?.dir;
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    let (mut runs, mut problems) = (Vec::new(), Vec::new());
    for dir in &dirs {
        match each(dir, common.yes) {
            Ok((text, value)) => {
                if !common.json {
                    writeln!(out, "{text}")?;
                }
                runs.push(value);
            }
            Err(error) => problems.push(clean(&format!("{error:#}")).into_owned()),
        }
    }
    if common.json {
        let value = json!({ "done": common.yes, "runs": runs, "problems": problems });
        writeln!(out, "{}", pretty_json(&value)?)?;
    } else if !common.yes && !runs.is_empty() {
        writeln!(out, "this is what would happen; --yes does it")?;
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
