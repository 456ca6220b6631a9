//! What says a run's name or path beside its folder's own name, and follows when that changes: its record, its notes, its models in
//! `best_models/` and `final_models/`, links to it, and evaluations of it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::move_without_replacing;
use crate::run::layout::RunDir;
use crate::run::notes;
use crate::run::record::Record;
use crate::run::write::{beside, replace_file};

/// Where an output tree keeps what belongs to runs, beside them.
const MODELS: [&str; 2] = ["best_models", "final_models"];
const EVALUATIONS: &str = "evaluations";
/// What models are called at their end, after the run's name.
const KINDS: [&str; 2] = ["best", "final"];
/// Larger files are no summaries of evaluations.
const LARGEST: u64 = 16 << 20;

/// Device and number of a file or folder.
pub type Identity = (u64, u64);

/// What is at a path, whatever its name.
pub fn identity(path: &Path) -> Option<Identity> {
    let metadata = fs::symlink_metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// One thing that follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Follow {
    /// A file gets another name.
    Name {
        /// Its path before.
        from: PathBuf,
        /// Its path after.
        to: PathBuf,
        /// By which it is known again.
        identity: Option<Identity>,
    },
    /// A link leads to the new path.
    Link {
        /// The link.
        path: PathBuf,
        /// What it said.
        before: PathBuf,
        /// What it says then.
        after: PathBuf,
    },
    /// A file says other words; `None` where there is none.
    Text {
        /// The file.
        path: PathBuf,
        /// Its words before.
        before: Option<String>,
        /// Its words then.
        after: Option<String>,
    },
}

/// All that is to follow when `from` is called `to`: looked up before anything moves. Paths in the folder are those after the move.
pub fn plan(from: &RunDir, to: &RunDir) -> Vec<Follow> {
    let mut follows: Vec<Follow> = record(from, to).into_iter().collect();
    follows.extend(
        notes::follows(from, to)
            .into_iter()
            .map(|(path, before, after)| Follow::Text {
                path,
                before,
                after,
            }),
    );
    let Some(tree) = from.output_tree() else {
        return follows;
    };
    for path in MODELS.iter().flat_map(|folder| entries(&tree.join(folder))) {
        follows.extend(link(&path, from, to).or_else(|| model(&path, from, to)));
    }
    let evaluations = entries(&tree.join(EVALUATIONS));
    for folder in &evaluations {
        follows.extend(link(folder, from, to));
        if folder
            .symlink_metadata()
            .is_ok_and(|metadata| metadata.is_dir())
        {
            let inside = entries(folder);
            follows.extend(inside.iter().filter_map(|path| link(path, from, to)));
            follows.extend(summary(&folder.join("summary.json"), from, to));
        }
    }
    follows
}

/// The entries of a folder, in order; none if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The record says the folder's name. A damaged one is left as it is.
fn record(from: &RunDir, to: &RunDir) -> Option<Follow> {
    let before = fs::read_to_string(from.run_json()).ok()?;
    let mut record: Record = serde_json::from_str(&before).ok()?;
    record.name = to.name();
    let mut after = serde_json::to_string_pretty(&record).ok()?;
    after.push('\n');
    Some(Follow::Text {
        path: to.run_json(),
        before: Some(before),
        after: Some(after),
    })
}

/// A model that was kept under the run's name: `{experiment}_{run}_best.safetensors`.
fn model(path: &Path, from: &RunDir, to: &RunDir) -> Option<Follow> {
    let stem = path.file_stem()?.to_str()?;
    let name = KINDS.iter().find_map(|kind| {
        let experiment = stem.strip_suffix(&format!("_{}_{kind}", from.name()))?;
        Some(format!("{experiment}_{}_{kind}", to.name()))
    })?;
    let name = match path.extension() {
        Some(extension) => format!("{name}.{}", extension.to_str()?),
        None => name,
    };
    Some(Follow::Name {
        from: path.to_owned(),
        to: path.with_file_name(name),
        identity: identity(path),
    })
}

/// A link into the run's folder.
fn link(path: &Path, from: &RunDir, to: &RunDir) -> Option<Follow> {
    let before = fs::read_link(path).ok()?;
    let mut walked = if before.is_absolute() {
        PathBuf::new()
    } else {
        path.parent()?.to_owned()
    };
    let mut after = PathBuf::new();
    let mut leads_there = false;
    for part in before.components() {
        match part {
            Component::ParentDir => drop(walked.pop()),
            Component::CurDir => {}
            part => walked.push(part),
        }
        if walked == from.path() && matches!(part, Component::Normal(_)) {
            leads_there = true;
            after.push(to.name());
        } else {
            after.push(part);
        }
    }
    leads_there.then(|| Follow::Link {
        path: path.to_owned(),
        before,
        after,
    })
}

/// An evaluation says the path of the run, and of its checkpoint, as JSON texts.
fn summary(path: &Path, from: &RunDir, to: &RunDir) -> Option<Follow> {
    let is_small = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= LARGEST);
    let before = is_small.then(|| fs::read_to_string(path).ok())??;
    let quoted = |dir: &RunDir| {
        let text = serde_json::to_string(dir.path()).ok()?;
        // Without the quote at the end, which is a path's end or not.
        Some(text[..text.len() - 1].to_owned())
    };
    let (old, new) = (quoted(from)?, quoted(to)?);
    let mut after = before.clone();
    for end in ["\"", "/"] {
        after = after.replace(&format!("{old}{end}"), &format!("{new}{end}"));
    }
    (after != before).then(|| Follow::Text {
        path: path.to_owned(),
        before: Some(before),
        after: Some(after),
    })
}

/// A sentence about something that did not follow.
pub fn left_behind(follow: &Follow, cause: &io::Error) -> String {
    format!(
        "{}: still says the other name ({cause})",
        follow.path().display()
    )
}

impl Follow {
    /// The file or link.
    pub fn path(&self) -> &Path {
        match self {
            Self::Name { from, .. } => from,
            Self::Link { path, .. } | Self::Text { path, .. } => path,
        }
    }

    /// The same where the folder `to` is called `from` again.
    pub fn seen_from(&self, to: &Path, from: &Path) -> Self {
        let mut seen = self.clone();
        if let Self::Text { path, .. } = &mut seen
            && let Ok(inside) = path.strip_prefix(to)
        {
            *path = from.join(inside);
        }
        seen
    }

    /// Follows.
    pub fn forth(&self) -> io::Result<()> {
        match self {
            Self::Name { from, to, .. } => move_without_replacing(from, to),
            Self::Link {
                path,
                before,
                after,
            } => change_link(path, before, after),
            Self::Text {
                path,
                before,
                after,
            } => change_text(path, before.as_deref(), after.as_deref()),
        }
    }

    /// Takes that back; what was not done, or is back already, is passed over.
    pub fn back(&self) -> io::Result<()> {
        match self {
            Self::Name {
                from,
                to,
                identity: own,
            } if own.is_some() && identity(to) == *own => move_without_replacing(to, from),
            Self::Name { .. } => Ok(()),
            Self::Link {
                path,
                before,
                after,
            } => change_link(path, after, before),
            Self::Text {
                path,
                before,
                after,
            } => change_text(path, after.as_deref(), before.as_deref()),
        }
    }
}

/// Lets a link say something else, if it says what it is thought to.
fn change_link(path: &Path, before: &Path, after: &Path) -> io::Result<()> {
    let now = fs::read_link(path)?;
    if now == after {
        return Ok(());
    }
    if now != before {
        return Err(io::Error::other("somebody has changed it meanwhile"));
    }
    let temporary = beside(path);
    std::os::unix::fs::symlink(after, &temporary)?;
    fs::rename(&temporary, path).inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// Lets a file say something else, if it says what it is thought to. Its time stays: what it tells of is no newer.
fn change_text(path: &Path, before: Option<&str>, after: Option<&str>) -> io::Result<()> {
    let now = match fs::read_to_string(path) {
        Ok(now) => Some(now),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if now.as_deref() == after {
        return Ok(());
    }
    if now.as_deref() != before {
        return Err(io::Error::other("somebody has changed it meanwhile"));
    }
    let Some(after) = after else {
        return fs::remove_file(path);
    };
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    replace_file(path, after.as_bytes())?;
    match modified {
        Ok(modified) => File::options()
            .write(true)
            .open(path)?
            .set_modified(modified),
        Err(_) => Ok(()),
    }
}
