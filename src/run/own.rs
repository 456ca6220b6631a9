//! The user's own folder, for what is kept about runs outside them.

use std::path::PathBuf;

use directories::ProjectDirs;

/// The user's state folder; `None` where there is no home.
pub fn state_folder() -> Option<PathBuf> {
    let dirs = ProjectDirs::from("", "", "traintop")?;
    dirs.state_dir().map(PathBuf::from)
}
