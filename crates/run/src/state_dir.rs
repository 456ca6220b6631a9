//! The user's state folder: what traintop keeps about runs outside of them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use directories::ProjectDirs;

use traintop_disk::{Disk, Progress, System, Watched};

/// The user's state folder; `None` where there is no home.
pub fn state_dir() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "traintop")?;
    dirs.state_dir().map(PathBuf::from)
}

/// Where edits of runs read and write: the disk of the runs, and the user's state folder.
#[derive(Clone)]
pub struct Storage {
    /// Every call goes through it.
    pub disk: Arc<dyn Disk>,
    /// Where notes on runs of others, marks and journals are; `None` where there is no home.
    pub state: Option<PathBuf>,
}

impl Storage {
    /// The real ones.
    pub fn real() -> Self {
        Self {
            disk: Arc::new(System),
            state: state_dir(),
        }
    }

    /// The real ones, for a job that `progress` watches and can cancel.
    pub fn watched(progress: &Arc<Progress>) -> Self {
        Self {
            disk: Arc::new(Watched::system(progress)),
            ..Self::real()
        }
    }

    /// A folder in the state folder.
    pub fn folder(&self, name: &str) -> Option<PathBuf> {
        Some(self.state.as_ref()?.join(name))
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_tuple("Home").field(&self.state).finish()
    }
}
