//! Why the trash did not do something, as sentences.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use traintop_disk as disk;

/// Why something was not done. Unless it says otherwise, everything is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum TrashError {
    /// A path that no trash of these roots may touch.
    #[error("{path}: {why}; nothing was removed")]
    NotOurs {
        path: PathBuf,
        /// Half a sentence.
        why: String,
    },
    /// Something else is where a thing was.
    #[error(
        "{path}: there is something of this name again; rename or remove it, and restore then; nothing was restored"
    )]
    Taken { path: PathBuf },
    /// The folder that a thing was in was removed later.
    #[error(
        "{path}: the folder it was in is in the trash as well; restore {id} first; nothing was restored"
    )]
    Buried {
        path: PathBuf,
        /// The entry that holds the folder.
        id: String,
    },
    /// The run was renamed, and several folders could be it.
    #[error(
        "{path}: the run was renamed, and both {first} and {second} could be it; rename the right one to the old name, and \
         restore then; nothing was restored"
    )]
    Ambiguous {
        path: PathBuf,
        /// A folder with its id.
        first: PathBuf,
        /// Another.
        second: PathBuf,
    },
    /// No such entry.
    #[error("{id:?} is not in the trash below {root}; `traintop trash list` shows what is")]
    Unknown { id: String, root: PathBuf },
    /// A journal that cannot be understood.
    #[error("{path}: is damaged ({cause}); what lies beside it is left as it is, move it by hand")]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The parser's message.
        cause: String,
    },
    /// What this user has begun cannot be read from the state folder.
    #[error("{0}")]
    Mark(String),
    /// The system refused.
    #[error("{path}: cannot be {what} ({})", reason(cause))]
    Io {
        path: PathBuf,
        /// The attempted operation: `moved to the trash`.
        what: &'static str,
        cause: io::Error,
    },
    /// The system refused, and then also to undo what was done before.
    #[error(
        "{first}; and not all could be restored ({second}): the next start of traintop tries again"
    )]
    HalfDone {
        /// What went wrong first.
        first: Box<TrashError>,
        /// What failed when it was undone.
        second: Box<TrashError>,
    },
}

impl TrashError {
    /// For `map_err`.
    pub(super) fn io(
        path: impl Into<PathBuf>,
        what: &'static str,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io { path, what, cause }
    }
}

/// The system's reason, with advice where it is not plain.
fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        ErrorKind::CrossesDevices => {
            "it is on another file system than its root; give the folder it is in as a root of its own"
                .to_owned()
        }
        _ => disk::io_reason(cause),
    }
}
