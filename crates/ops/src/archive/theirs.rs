//! Runs of other trainers: what of them stays beside their archive.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ArchiveError, STAYS, is_own, names};
use crate::clean::is_weights_name;
use traintop_run::discover::{Limits, discover_within};
use traintop_run::formats::Located;
use traintop_run::found::Found;
use traintop_run::layout::RunDir;

/// Folders of other trainers' runs that hold settings, and a file that has a name of weights.
const SETTINGS_FOLDERS: [&str; 4] = [".hydra", "files", "params", "tags"];
const ARGUMENTS: &str = "training_args.bin";

/// In other trainers' runs, larger files go, in bytes: settings and logs are smaller.
const MAX_KEPT_BYTES: u64 = 1_000_000;

/// What goes of a run of another trainer, below its folder: weights, large files and folders, but
/// not what is read of it nor what may be its settings.
pub fn going(root: &Path, located: &Located) -> Result<Vec<PathBuf>, ArchiveError> {
    let metrics = located.metrics().iter();
    let metrics = metrics.filter_map(|path| path.strip_prefix(root).ok());
    let metrics: Vec<&Path> = metrics.collect();
    let mut going = Vec::new();
    going_below(root, Path::new(""), &metrics, &mut going)?;
    Ok(going)
}

fn going_below(
    root: &Path,
    below: &Path,
    metrics: &[&Path],
    going: &mut Vec<PathBuf>,
) -> Result<(), ArchiveError> {
    for name in names(&root.join(below))?
        .into_iter()
        .filter(|name| is_own(name))
    {
        let below = below.join(&name);
        let path = root.join(&below);
        let metadata =
            fs::symlink_metadata(&path).map_err(ArchiveError::io(&path, "cannot be read"))?;
        let text = name.to_string_lossy();
        // `add_hparams` of PyTorch names a folder by the time.
        let is_time = || text.contains('.') && text.parse::<f64>().is_ok();
        let is_settings = if metadata.is_dir() {
            SETTINGS_FOLDERS.contains(&&*text) || STAYS.contains(&&*text) || is_time()
        } else {
            text == ARGUMENTS
        };
        if is_settings || metrics.contains(&below.as_path()) {
            continue;
        }
        if metadata.is_dir() && metrics.iter().any(|path| path.starts_with(&below)) {
            going_below(root, &below, metrics, going)?;
        } else if !metadata.is_file() || metadata.len() > MAX_KEPT_BYTES || is_weights_name(&text) {
            going.push(below);
        }
    }
    Ok(())
}

/// A run in the folder of another one, below that, or a folder there that cannot be searched for
/// one; `.` if that is the folder itself.
pub fn run_below(dir: &RunDir) -> Option<PathBuf> {
    run_below_within(dir, Limits::default())
}

pub(super) fn run_below_within(dir: &RunDir, limits: Limits) -> Option<PathBuf> {
    let Ok(whole) = dir.path().canonicalize() else {
        return Some(".".into());
    };
    let mut others = Vec::new();
    let roots = std::slice::from_ref(&whole);
    let each = |found: Found| others.push(found.dir.path().to_owned());
    let unsearched = discover_within(limits, roots, each, |_| {});
    let below = |path: &PathBuf| path.strip_prefix(&whole).map(Path::to_owned).ok();
    let other = others.iter().filter(|path| **path != whole).find_map(below);
    // A limit that was hit names the folder that was searched.
    let unsearched = unsearched.first().map(|it| {
        let below = below(&it.path).filter(|below| !below.as_os_str().is_empty());
        below.unwrap_or_else(|| ".".into())
    });
    other.or(unsearched)
}
