//! What people add to a run: tags, a note, a star, a baseline mark, a name of their own. They are
//! in `notes.toml` in the run folder, or, where that cannot be written, in a file of the user's own
//! that says which run it is about.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Table;

use super::evaluation::EVALUATIONS;
use super::layout::{RunDir, refuse_link};
use super::state_dir::{self, Storage};
use traintop_disk::{Disk, System, io_reason};
use traintop_text::{clean, toml as toml_text};

/// The file in a run's folder.
pub(super) const FILE: &str = "notes.toml";
/// The key by which a file of the user's own names its run.
const RUN: &str = "run";
/// Longer tags are sentences, and belong into the note.
const MAX_TAG_LENGTH: usize = 64;

/// A run's notes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// In the order in which they were given, each once.
    pub tags: Vec<String>,
    /// Free text, of any number of lines.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether it is worth keeping in sight.
    pub star: bool,
    /// Whether others are measured by it.
    pub baseline: bool,
    /// What lists call it in place of the worker's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What other versions, or people, wrote beside these.
    #[serde(flatten)]
    other: Table,
}

/// One change of a run's notes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Turn the star on or off.
    Star(bool),
    /// Turn the baseline mark on or off.
    Baseline(bool),
    /// Have these tags and no others.
    Tags(Vec<String>),
    /// Add some tags and take others away.
    Retag {
        /// Tags to have.
        add: Vec<String>,
        /// Tags not to have.
        remove: Vec<String>,
    },
    /// Replace the note; empty takes it away.
    Note(String),
    /// Add a line at the note's end.
    NoteLine(String),
    /// Call it so in lists; empty gives the worker's name back.
    Name(String),
}

impl Change {
    /// Whether somebody typed it, and would have to again.
    pub fn is_typed(&self) -> bool {
        !matches!(self, Self::Star(_) | Self::Baseline(_))
    }
}

/// A run's notes before and after a change, so that it can be undone.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotated {
    pub dir: RunDir,
    before: Notes,
    after: Notes,
}

/// Why notes could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum NotesError {
    /// A file.
    #[error("{path}: the notes cannot be read or written ({})", io_reason(cause))]
    Io { path: PathBuf, cause: io::Error },
    /// To write into it could lose what was meant.
    #[error(
        "{path}: must be TOML with tags, note, star, baseline and name ({cause}); correct or remove it"
    )]
    Damaged {
        path: PathBuf,
        /// The first line of the parser's message.
        cause: String,
    },
    /// There is neither a writable run folder nor a home.
    #[error("{path}: is not writable, and there is no home to keep the notes in; set HOME")]
    Nowhere { path: PathBuf },
}

impl Notes {
    /// Reads a run's notes; those of the user's own count before those in the folder. Without any,
    /// nothing is noted.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn load(dir: &RunDir) -> Result<Self, NotesError> {
        load_in(&System, dir, own_folder().as_deref())
    }

    /// Changes a run's notes, and returns them as they then are.
    ///
    /// # Errors
    /// If they cannot be read, or written anywhere.
    pub fn change(dir: &RunDir, change: &Change) -> Result<Self, NotesError> {
        change_in(&System, dir, change, own_folder().as_deref())
    }

    /// Undoes a change of these notes, except what has changed since, so that no later change is
    /// lost.
    fn undo(&mut self, before: &Self, after: &Self) {
        if self.tags == after.tags {
            self.tags.clone_from(&before.tags);
        } else {
            self.tags
                .retain(|tag| before.tags.contains(tag) || !after.tags.contains(tag));
            let lost = before.tags.iter().filter(|tag| !after.tags.contains(tag));
            self.add(&lost.cloned().collect::<Vec<_>>());
        }
        if self.note == after.note {
            self.note.clone_from(&before.note);
        }
        if self.star == after.star {
            self.star = before.star;
        }
        if self.baseline == after.baseline {
            self.baseline = before.baseline;
        }
        if self.name == after.name {
            self.name.clone_from(&before.name);
        }
    }

    /// Makes a change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Star(star) => self.star = *star,
            Change::Baseline(baseline) => self.baseline = *baseline,
            Change::Tags(tags) => {
                self.tags.clear();
                self.add(tags);
            }
            Change::Retag { add, remove } => {
                self.tags.retain(|tag| !remove.contains(tag));
                self.add(add);
            }
            Change::Note(note) => note.trim().clone_into(&mut self.note),
            Change::NoteLine(line) => {
                let whole = format!("{}\n{}", self.note, line.trim());
                whole.trim().clone_into(&mut self.note);
            }
            Change::Name(name) => {
                self.name = Some(name.trim().to_owned()).filter(|name| !name.is_empty())
            }
        }
    }

    fn add(&mut self, tags: &[String]) {
        for tag in tags {
            if !self.tags.contains(tag) {
                self.tags.push(tag.clone());
            }
        }
    }

    /// As lists show them: every text cleaned for a terminal, and what is not known left out.
    #[must_use]
    pub fn shown(&self) -> Self {
        let cleaned = |text: &String| clean(text).into_owned();
        let lines: Vec<_> = self.note.lines().map(clean).collect();
        Self {
            tags: self.tags.iter().map(cleaned).collect(),
            note: lines.join("\n"),
            name: self.name.as_ref().map(cleaned),
            other: Table::new(),
            ..*self
        }
    }

    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Changes a run's notes, and returns what undoes that.
///
/// # Errors
/// As [`Notes::change`].
pub fn annotate(dir: &RunDir, change: &Change) -> Result<Annotated, NotesError> {
    annotate_on(&Storage::real(), dir, change)
}

/// As [`annotate`], with this home.
pub fn annotate_on(home: &Storage, dir: &RunDir, change: &Change) -> Result<Annotated, NotesError> {
    let own = home.folder(FOLDER);
    let edit = |notes: &mut Notes| notes.apply(change);
    let (before, after) = edit_in(&*home.disk, dir, own.as_deref(), edit)?;
    Ok(Annotated {
        dir: dir.clone(),
        before,
        after,
    })
}

/// Undoes a change; what another process has changed since stays.
///
/// # Errors
/// As [`Notes::change`].
pub fn undo(annotated: &Annotated) -> Result<(), NotesError> {
    undo_on(&Storage::real(), annotated)
}

/// As [`undo`], with this home.
pub fn undo_on(home: &Storage, annotated: &Annotated) -> Result<(), NotesError> {
    let Annotated { dir, before, after } = annotated;
    let edit = |notes: &mut Notes| notes.undo(before, after);
    let own = home.folder(FOLDER);
    edit_in(&*home.disk, dir, own.as_deref(), edit).map(drop)
}

/// The tags to add and those to remove in a line: words, with `-` before those to remove.
///
/// # Errors
/// As [`tags_of`].
pub fn retag_of(line: &str) -> Result<Change, String> {
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for word in line.split(|char: char| char.is_whitespace() || char == ',') {
        match word.strip_prefix('-') {
            Some(word) => remove.extend(tags_of(word)?),
            None => add.extend(tags_of(word.strip_prefix('+').unwrap_or(word))?),
        }
    }
    Ok(Change::Retag { add, remove })
}

/// The tags in a line: words, with or without `#`, apart by spaces or commas.
///
/// # Errors
/// A sentence, if one is too long to be a tag.
pub fn tags_of(line: &str) -> Result<Vec<String>, String> {
    let words = line.split(|char: char| char.is_whitespace() || char == ',');
    let words = words.map(|word| word.trim_start_matches('#'));
    let mut tags: Vec<String> = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        let word = clean(word).into_owned();
        if word.chars().count() > MAX_TAG_LENGTH {
            return Err(format!(
                "a tag has at most {MAX_TAG_LENGTH} characters, got {word:?}; longer text goes into the note"
            ));
        }
        if !tags.contains(&word) {
            tags.push(word);
        }
    }
    Ok(tags)
}

/// The file that holds a run's notes now, or would in its folder.
pub fn file(dir: &RunDir) -> PathBuf {
    let beside = dir.path().join(FILE);
    place(&System, dir, own_folder().as_deref()).unwrap_or(beside)
}

/// A file of notes that changes.
#[derive(Debug)]
pub struct TextChange {
    /// After the move.
    pub path: PathBuf,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// The files of notes that change when `from` is called `to`. Those of the user's own go with the
/// run, and a name for lists that was given before gives way.
///
/// # Errors
/// If one cannot be read.
pub fn follows(home: &Storage, from: &RunDir, to: &RunDir) -> io::Result<Vec<TextChange>> {
    let text = |path: &Path| match home.disk.text(path) {
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(None),
        text => text,
    };
    let mut changes = Vec::new();
    let mut change = |path, before, after| {
        changes.push(TextChange {
            path,
            before,
            after,
        });
    };
    if let Some(own) = &home.folder(FOLDER)
        && let Some(before) = text(&own_file(own, from))?
    {
        let after = parsed(&before).ok().and_then(|mut notes| {
            notes.name = None;
            let run = to.path().to_string_lossy().into_owned();
            notes.other.insert(RUN.to_owned(), run.into());
            toml::to_string(&notes).ok()
        });
        // Damaged ones go as they are.
        let after = after.or_else(|| Some(before.clone()));
        change(own_file(own, to), None, after);
        change(own_file(own, from), Some(before), None);
    }
    if let Some(before) = text(&from.path().join(FILE))?
        && let Ok(mut notes) = parsed(&before)
        && notes.name.take().is_some()
        && let Ok(after) = toml::to_string(&notes)
    {
        change(to.path().join(FILE), Some(before), Some(after));
    }
    Ok(changes)
}

fn parsed(text: &str) -> Result<Notes, String> {
    if toml_text::is_too_deep(text) {
        return Err(toml_text::TOO_DEEP.to_owned());
    }
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

/// Where a run's notes are now, or would be in its folder.
fn place(disk: &dyn Disk, dir: &RunDir, own: Option<&Path>) -> io::Result<PathBuf> {
    if let Some(own) = own.map(|own| own_file(own, dir))
        && disk.stat_if_exists(&own)?.is_some()
    {
        return Ok(own);
    }
    Ok(dir.path().join(FILE))
}

/// Notes on runs of others, in the user's state folder.
const FOLDER: &str = "notes";

pub(super) fn own_folder() -> Option<PathBuf> {
    Some(state_dir::state_dir()?.join(FOLDER))
}

/// A path can be longer than a file's name may be: the name is made of its FNV-1a hash, and the
/// file says the path.
pub(super) fn own_file(own: &Path, dir: &RunDir) -> PathBuf {
    let bytes = dir.path().as_os_str().as_encoded_bytes();
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    own.join(format!("{hash:016x}.toml"))
}

fn load_in(disk: &dyn Disk, dir: &RunDir, own: Option<&Path>) -> Result<Notes, NotesError> {
    let path = place(disk, dir, own).map_err(|cause| NotesError::Io {
        path: dir.path().join(FILE),
        cause,
    })?;
    read(disk, &path)
}

fn read(disk: &dyn Disk, path: &Path) -> Result<Notes, NotesError> {
    let damaged = |cause: &str| NotesError::Damaged {
        path: path.to_owned(),
        cause: cause.lines().next().unwrap_or_default().to_owned(),
    };
    match disk.text(path) {
        Ok(None) => Ok(Notes::default()),
        Ok(Some(text)) => parsed(&text).map_err(|cause| damaged(&cause)),
        Err(error) if error.kind() == ErrorKind::InvalidData => Err(damaged(&error.to_string())),
        Err(cause) => Err(NotesError::Io {
            path: path.to_owned(),
            cause,
        }),
    }
}

fn change_in(
    disk: &dyn Disk,
    dir: &RunDir,
    change: &Change,
    own: Option<&Path>,
) -> Result<Notes, NotesError> {
    edit_in(disk, dir, own, |notes| notes.apply(change)).map(|(_, after)| after)
}

/// Edits a run's notes, and returns them as they were and as they are.
fn edit_in(
    disk: &dyn Disk,
    dir: &RunDir,
    own: Option<&Path>,
    edit: impl FnOnce(&mut Notes),
) -> Result<(Notes, Notes), NotesError> {
    // Two who change at once do so one after the other. Where the folder cannot be locked, the
    // later one wins.
    let _lock = disk.lock_folder(dir.path());
    let beside = dir.path().join(FILE);
    let place = place(disk, dir, own).map_err(|cause| NotesError::Io {
        path: beside.clone(),
        cause,
    })?;
    let before = read(disk, &place)?;
    let mut notes = before.clone();
    edit(&mut notes);
    if notes == before {
        return Ok((before, notes));
    }
    let mut plain = notes.clone();
    plain.other.remove(RUN);
    // A link in the place of `evaluations` could redirect writes out of the tree.
    let parent = dir.path().parent().unwrap_or(dir.path());
    let is_led_away =
        parent.file_name().is_some_and(|name| name == EVALUATIONS) && refuse_link(parent).is_err();
    // Without a word in it, the file goes: a run that was starred by mistake is as it was.
    let written = if is_led_away {
        Err(NotesError::Io {
            path: beside.clone(),
            cause: io::ErrorKind::PermissionDenied.into(),
        })
    } else if plain.is_empty() {
        disk.remove_if_there(&beside)
            .map_err(|cause| NotesError::Io {
                path: beside.clone(),
                cause,
            })
    } else if dir.database().is_some() {
        Err(NotesError::Io {
            path: beside.clone(),
            cause: io::ErrorKind::PermissionDenied.into(),
        })
    } else {
        write(disk, &beside, &plain)
    };
    match written {
        Ok(()) => {
            // What was noted while the folder could not be written is in it now; as long as it is
            // there, it counts.
            if place != beside {
                disk.remove_if_there(&place)
                    .map_err(|cause| NotesError::Io { path: place, cause })?;
            }
        }
        Err(NotesError::Io { cause, .. }) if is_refusal(&cause) => {
            let path = dir.path().to_owned();
            let own = own.ok_or(NotesError::Nowhere { path })?;
            write_own(disk, dir, notes.clone(), own)?;
        }
        Err(error) => return Err(error),
    }
    Ok((before, notes))
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}

fn write_own(
    disk: &dyn Disk,
    dir: &RunDir,
    mut notes: Notes,
    own: &Path,
) -> Result<(), NotesError> {
    let path = own_file(own, dir);
    disk.make_folders(own).map_err(|cause| NotesError::Io {
        path: path.clone(),
        cause,
    })?;
    let run = dir.path().to_string_lossy().into_owned();
    notes.other.insert(RUN.to_owned(), run.into());
    write(disk, &path, &notes)
}

fn write(disk: &dyn Disk, path: &Path, notes: &Notes) -> Result<(), NotesError> {
    let text = toml::to_string(notes).map_err(|error| NotesError::Damaged {
        path: path.to_owned(),
        cause: error.to_string(),
    })?;
    let written = disk.replace_file(path, text.as_bytes(), None);
    written.map_err(|cause| NotesError::Io {
        path: path.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests;
