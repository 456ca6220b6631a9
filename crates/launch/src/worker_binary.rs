//! Where the worker's program is.

use std::path::PathBuf;

/// The worker's file name.
const NAME: &str = "traintop-worker";

/// The program named by `TRAINTOP_WORKER`, else the one beside this program, else the one on the
/// path. `None` if there is none.
pub fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TRAINTOP_WORKER").filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let beside = std::env::current_exe()
        .ok()
        .map(|program| program.with_file_name(NAME));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path)
        .map(|folder| folder.join(NAME))
        .collect::<Vec<_>>();
    beside
        .into_iter()
        .chain(on_path)
        .find(|program| program.is_file())
}
