//! The user's own folders, as the system names them, and the dashboard's log in one of them.

use std::fs;
use std::path::PathBuf;

use directories::ProjectDirs;
use log::LevelFilter;
use simplelog::WriteLogger;

use traintop_disk::write::{make_folders, open_append};

/// A log that has grown beyond this starts anew.
const LARGEST_LOG: u64 = 1_000_000;

/// Where the dashboard keeps what is its own.
#[derive(Debug, Clone)]
pub struct Folders {
    /// What can be made again.
    pub cache: PathBuf,
    /// The log.
    pub state: PathBuf,
}

impl Folders {
    /// The user's folders; below the system's temporary folder where there is no home.
    pub fn find() -> Self {
        let dirs = ProjectDirs::from("", "", "traintop");
        let temporary = || std::env::temp_dir().join("traintop");
        let cache = dirs
            .as_ref()
            .map_or_else(temporary, |dirs| dirs.cache_dir().to_owned());
        let state = dirs
            .as_ref()
            .and_then(|dirs| dirs.state_dir().map(PathBuf::from))
            .unwrap_or_else(temporary);
        Self { cache, state }
    }
}

/// Sends what is logged to `traintop.log` in the state folder, never to the screen.
pub fn start_log(folders: &Folders) {
    let path = folders.state.join("traintop.log");
    let grown = fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LARGEST_LOG);
    let opened = make_folders(&folders.state).and_then(|()| {
        let file = open_append(&path)?;
        if grown {
            file.set_len(0)?;
        }
        Ok(file)
    });
    if let Ok(file) = opened {
        // A second logger can only be a second dashboard in one process, as tests have; the first
        // one stays.
        let _ = WriteLogger::init(LevelFilter::Info, simplelog::Config::default(), file);
    }
}
