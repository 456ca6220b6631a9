//! What says a run's name or path beside its folder's own name, and follows when that changes: its
//! record, its notes, its models in `best_models/` and `final_models/`, links to it, and
//! evaluations of it.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use traintop_disk::write::beside;
use traintop_disk::{Disk, Kind};
use traintop_run::layout::RunDir;
use traintop_run::notes;
use traintop_run::record::Record;
use traintop_run::state_dir::Storage;

/// Where an output tree keeps what belongs to runs, beside them.
const MODELS: [&str; 2] = ["best_models", "final_models"];
const EVALUATIONS: &str = "evaluations";
/// What models are called at their end, after the run's name.
const KINDS: [&str; 2] = ["best", "final"];
/// Larger files are no summaries of evaluations.
const MAX_BYTES: u64 = 16 << 20;

/// A file's or folder's number on its file system. Device numbers are not the same after a restart
/// of the machine.
pub type Identity = u64;

/// The inode at a path, which a renaming keeps; `None` if there is nothing.
pub fn identity(disk: &dyn Disk, path: &Path) -> io::Result<Option<Identity>> {
    Ok(disk.stat_if_exists(path)?.map(|stat| stat.inode))
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
        identity: Identity,
    },
    /// A link leads to the new path.
    Link {
        /// The link.
        path: PathBuf,
        /// Its old target.
        before: PathBuf,
        /// Its new target.
        after: PathBuf,
    },
    /// A file has another text; `None` if there is no file.
    Text {
        path: PathBuf,
        /// Its old text.
        before: Option<String>,
        /// Its words then.
        after: Option<String>,
    },
}

/// All that must follow when `from` is renamed to `to`, and a sentence for each thing that may have
/// to and cannot be read: collected before anything moves. Paths in the folder are those after the
/// move.
///
/// # Errors
/// If what is in the folder itself, or the user's own notes on it, cannot be read.
pub fn plan(
    storage: &Storage,
    from: &RunDir,
    to: &RunDir,
    links: &mut Links,
) -> io::Result<(Vec<Follow>, Vec<String>)> {
    let disk = &*storage.disk;
    let mut follows: Vec<Follow> = record(disk, from, to)?.into_iter().collect();
    let texts = notes::follows(storage, from, to)?.into_iter();
    follows.extend(texts.map(|change| Follow::Text {
        path: change.path,
        before: change.before,
        after: change.after,
    }));
    let mut unread = Vec::new();
    // Such as `latest`.
    if let Some(parent) = from.path().parent() {
        for path in links.within(disk, parent)? {
            follows.extend(link(disk, path, from, to)?);
        }
    }
    let Some(tree) = from.output_tree() else {
        return Ok((follows, unread));
    };
    let mut add = |path: &Path, found: io::Result<Option<Follow>>| match found {
        Ok(follow) => follows.extend(follow),
        Err(cause) => unread.push(format!(
            "{}: may still say the other name, and cannot be read ({cause})",
            path.display()
        )),
    };
    let entries = |folder: &Path| match entries(disk, folder) {
        Ok(entries) => (entries, None),
        Err(cause) => (Vec::new(), Some(cause)),
    };
    for folder in MODELS.map(|folder| tree.join(folder)) {
        let (paths, problem) = entries(&folder);
        add(&folder, problem.map_or(Ok(None), Err));
        for path in paths {
            add(&path, link_or_model(disk, &path, from, to));
        }
    }
    let all = tree.join(EVALUATIONS);
    let (evaluations, problem) = entries(&all);
    add(&all, problem.map_or(Ok(None), Err));
    for folder in evaluations {
        match disk.stat(&folder).map(|stat| stat.kind) {
            Ok(Kind::Folder) => {
                let (paths, problem) = entries(&folder);
                add(&folder, problem.map_or(Ok(None), Err));
                for path in paths {
                    add(&path, link(disk, &path, from, to));
                }
                let path = folder.join("summary.json");
                add(&path, summary(disk, &path, from, to));
            }
            Ok(Kind::Link) => add(&folder, link(disk, &folder, from, to)),
            Ok(_) => {}
            Err(cause) => add(&folder, Err(cause)),
        }
    }
    Ok((follows, unread))
}

/// The links in the folders of runs; each folder is searched once, however many of its runs are
/// renamed.
#[derive(Debug, Default)]
pub struct Links(HashMap<PathBuf, Vec<PathBuf>>);

impl Links {
    fn within(&mut self, disk: &dyn Disk, folder: &Path) -> io::Result<&[PathBuf]> {
        if !self.0.contains_key(folder) {
            let mut found = entries(disk, folder)?;
            let is_link =
                |path: &PathBuf| disk.stat(path).is_ok_and(|stat| stat.kind == Kind::Link);
            found.retain(is_link);
            self.0.insert(folder.to_owned(), found);
        }
        Ok(self.0.get(folder).map_or(&[], Vec::as_slice))
    }
}

/// The entries of a folder, in order; none if there is no folder.
///
/// # Errors
/// If it cannot be read, or is a link, which leads out of this tree.
fn entries(disk: &dyn Disk, folder: &Path) -> io::Result<Vec<PathBuf>> {
    if disk
        .stat_if_exists(folder)?
        .is_some_and(|stat| stat.kind == Kind::Link)
    {
        return Err(io::Error::other("it is a link, which is not followed here"));
    }
    let names = match disk.names(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Vec::new()
        }
        names => names?,
    };
    let mut paths: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
    paths.sort();
    Ok(paths)
}

/// The text of a file, `None` if there is none, or it is no text.
fn text(disk: &dyn Disk, path: &Path) -> io::Result<Option<String>> {
    match disk.text(path) {
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(None),
        text => text,
    }
}

/// The record says the folder's name. A damaged one is left as it is.
fn record(disk: &dyn Disk, from: &RunDir, to: &RunDir) -> io::Result<Option<Follow>> {
    let Some(before) = text(disk, &from.run_json())? else {
        return Ok(None);
    };
    let renamed = || {
        let mut record: Record = serde_json::from_str(&before).ok()?;
        record.name = to.name();
        let mut after = serde_json::to_string_pretty(&record).ok()?;
        after.push('\n');
        Some(after)
    };
    let after = renamed();
    Ok(after.map(|after| Follow::Text {
        path: to.run_json(),
        before: Some(before),
        after: Some(after),
    }))
}

fn link_or_model(
    disk: &dyn Disk,
    path: &Path,
    from: &RunDir,
    to: &RunDir,
) -> io::Result<Option<Follow>> {
    if disk.stat(path)?.kind == Kind::Link {
        return link(disk, path, from, to);
    }
    model(path, from, to)
        .map(|name| {
            Ok(Follow::Name {
                from: path.to_owned(),
                to: path.with_file_name(name),
                identity: disk.stat(path)?.inode,
            })
        })
        .transpose()
}

/// The new name of a model that was kept under the run's name:
/// `{experiment}_{run}_best.safetensors`.
fn model(path: &Path, from: &RunDir, to: &RunDir) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let name = KINDS.iter().find_map(|kind| {
        let experiment = stem.strip_suffix(&format!("_{}_{kind}", from.name()))?;
        Some(format!("{experiment}_{}_{kind}", to.name()))
    })?;
    Some(match path.extension() {
        Some(extension) => format!("{name}.{}", extension.to_str()?),
        None => name,
    })
}

/// A link into the run's folder.
fn link(disk: &dyn Disk, path: &Path, from: &RunDir, to: &RunDir) -> io::Result<Option<Follow>> {
    let before = match disk.read_link(path) {
        // What the system says of anything that is no link.
        Err(error) if error.kind() == ErrorKind::InvalidInput => return Ok(None),
        before => before?,
    };
    let parent = path.parent().unwrap_or(path);
    let mut walked = if before.is_absolute() {
        PathBuf::new()
    } else {
        parent.to_owned()
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
    Ok(leads_there.then(|| Follow::Link {
        path: path.to_owned(),
        before,
        after,
    }))
}

/// An evaluation says the path of the run, and of its checkpoint, as JSON texts.
fn summary(disk: &dyn Disk, path: &Path, from: &RunDir, to: &RunDir) -> io::Result<Option<Follow>> {
    let stat = disk.stat_if_exists(path)?;
    if stat.is_none_or(|stat| stat.length > MAX_BYTES) {
        return Ok(None);
    }
    let quoted = |dir: &RunDir| {
        let text = serde_json::to_string(dir.path()).ok()?;
        // Without the quote at the end, which is a path's end or not.
        Some(text[..text.len() - 1].to_owned())
    };
    let (Some(before), Some(old), Some(new)) = (text(disk, path)?, quoted(from), quoted(to)) else {
        return Ok(None);
    };
    let mut after = before.clone();
    for end in ["\"", "/"] {
        after = after.replace(&format!("{old}{end}"), &format!("{new}{end}"));
    }
    Ok((after != before).then(|| Follow::Text {
        path: path.to_owned(),
        before: Some(before),
        after: Some(after),
    }))
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
    pub fn forth(&self, disk: &dyn Disk) -> io::Result<()> {
        let changed = match self {
            Self::Name { from, to, .. } => return disk.relocate(from, to),
            Self::Link {
                path,
                before,
                after,
            } => change_link(disk, path, before, after)?,
            Self::Text {
                path,
                before,
                after,
            } => change_text(disk, path, before.as_deref(), after.as_deref())?,
        };
        match changed {
            Undone::Done => Ok(()),
            Undone::Changed => Err(io::Error::other("it was changed meanwhile")),
        }
    }

    /// Undoes that; what was not done, or is back already, is passed over.
    pub fn back(&self, disk: &dyn Disk) -> io::Result<Undone> {
        match self {
            Self::Name {
                from,
                to,
                identity: own,
            } => {
                if identity(disk, to)? == Some(*own) {
                    disk.relocate(to, from)?;
                }
                Ok(Undone::Done)
            }
            Self::Link {
                path,
                before,
                after,
            } => change_link(disk, path, after, before),
            Self::Text {
                path,
                before,
                after,
            } => change_text(disk, path, after.as_deref(), before.as_deref()),
        }
    }
}

/// The result of undoing one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    Done,
    /// It was changed since, and stays as it is.
    Changed,
}

/// Changes a link's target from `before` to `after`, and keeps its time.
fn change_link(disk: &dyn Disk, path: &Path, before: &Path, after: &Path) -> io::Result<Undone> {
    let Some(stat) = disk
        .stat_if_exists(path)?
        .filter(|stat| stat.kind == Kind::Link)
    else {
        return Ok(Undone::Changed);
    };
    let now = disk.read_link(path)?;
    if now == after {
        return Ok(Undone::Done);
    }
    if now != before {
        return Ok(Undone::Changed);
    }
    let temporary = beside(path);
    disk.make_link(after, &temporary)
        .and_then(|()| disk.set_modified(&temporary, stat.modified_ns))
        .and_then(|()| disk.replace(&temporary, path))
        .inspect_err(|_| drop(disk.remove_file(&temporary)))?;
    Ok(Undone::Done)
}

/// Changes a file's text from `before` to `after`, and keeps its time, since its content is no
/// newer.
fn change_text(
    disk: &dyn Disk,
    path: &Path,
    before: Option<&str>,
    after: Option<&str>,
) -> io::Result<Undone> {
    let now = text(disk, path)?;
    if now.as_deref() == after {
        return Ok(Undone::Done);
    }
    if now.as_deref() != before {
        return Ok(Undone::Changed);
    }
    match after {
        None => disk.remove_file(path)?,
        Some(after) => {
            let dated = disk.stat_if_exists(path)?.map(|stat| stat.modified_ns);
            disk.replace_file(path, after.as_bytes(), dated)?;
        }
    }
    Ok(Undone::Done)
}
