//! Runs for tests, read from files as every run is.

use std::fs;
use std::time::{Duration, SystemTime};

use traintop_run::RunDir;
use traintop_run::found::Found;
use traintop_run::summary::Summary;

/// The summary of a run with these files, ten minutes after they were written. Nothing is left of
/// the files.
pub fn run_of_files(name: &str, config: Option<&str>, metrics: &str) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path().join(name));
    fs::create_dir_all(dir.logs()).unwrap();
    fs::write(dir.metrics_csv(), metrics).unwrap();
    if let Some(config) = config {
        fs::write(dir.config_json(), config).unwrap();
    }
    let later = SystemTime::now() + Duration::from_secs(600);
    Summary::load(&Found::look(dir), later)
}
