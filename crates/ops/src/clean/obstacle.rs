//! Why the folder of a run must not go as a whole.

use std::fmt;
use std::path::PathBuf;

use traintop_text as text;

/// Something because of which a run's folder stays. Paths are below that folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It is under version control.
    VersionControl(PathBuf),
    /// There is a program's source in it.
    Source(PathBuf),
    /// It contains another run.
    RunBelow(PathBuf),
    /// It holds weights, or what may be some.
    Weights(PathBuf),
    /// A file is too large to be worth nothing.
    Large(PathBuf),
    /// A file that neither traintop nor a known trainer writes, or that does not hold what its name
    /// says.
    Unknown(PathBuf),
    /// A link, pipe or device.
    Special(PathBuf),
    /// Something in it cannot be read.
    Unread(PathBuf),
    /// Its metrics cannot be read, or not all of them: half a sentence.
    Metrics(String),
    /// A log or a file of steps holds progress that the metrics do not.
    Progress(PathBuf),
    /// A file of settings, or the record, holds results as well.
    Results(PathBuf),
    /// It is no folder: half a sentence.
    OnlyRead(String),
    /// It ended well, but its metrics are empty.
    Finished,
    /// It may still be at work: half a sentence.
    MayLive(String),
}

impl Obstacle {
    /// Whether the folder is more than a run, so that nothing in it is a run's to clean up.
    pub fn is_project(&self) -> bool {
        match self {
            Self::VersionControl(_) | Self::RunBelow(_) | Self::OnlyRead(_) => true,
            // Trainers copy sources into folders below; at the top of a folder they are a project's
            // own.
            Self::Source(path) => path.components().count() == 1,
            _ => false,
        }
    }

    /// Whether another folder with the very same content makes up for what is in this one.
    pub(super) fn is_replaced_by_copy(&self) -> bool {
        matches!(
            self,
            Self::Weights(_)
                | Self::Large(_)
                | Self::Unknown(_)
                | Self::Progress(_)
                | Self::Results(_)
                | Self::Finished
        )
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (what, path) = match self {
            Self::VersionControl(path) => ("it is under version control", path),
            Self::Source(path) => ("it holds source code", path),
            Self::RunBelow(path) => ("another run lies in it", path),
            Self::Weights(path) => ("it holds weights", path),
            Self::Large(path) => ("it holds a file of more than 1 MB", path),
            Self::Unknown(path) => ("it holds a file of unknown use", path),
            Self::Special(path) => ("it holds a link, pipe or device", path),
            Self::Unread(path) => ("not all of it can be read", path),
            Self::Progress(path) => ("it has steps that its metrics do not contain", path),
            Self::Results(path) => ("it holds results beside its settings", path),
            Self::Metrics(why) | Self::MayLive(why) | Self::OnlyRead(why) => {
                return f.write_str(&text::clean(why));
            }
            Self::Finished => {
                return f.write_str("it finished, but its metrics are empty");
            }
        };
        let path = path.display().to_string();
        write!(f, "{what} ({})", text::clean(&path))
    }
}
