//! Makes a metric the one by which the runs of a tree are judged, or no longer.

use std::path::{Path, PathBuf};

use traintop_config as config;
use traintop_run::RunDir;
use traintop_run::judging;

/// The root that holds a run, as the settings name it: a path without links.
pub fn root_of(roots: &[PathBuf], run: &RunDir) -> PathBuf {
    let roots = roots.iter().filter_map(|root| root.canonicalize().ok());
    let holds = roots.filter(|root| run.path().starts_with(root));
    // The closest of roots that lie in each other.
    let closest = holds.max_by_key(|root| root.as_os_str().len());
    closest.unwrap_or_else(|| run.path().parent().unwrap_or(run.path()).to_owned())
}

/// Judges the runs below a root by a metric, or no longer if they are, and keeps that in the user's
/// settings. Returns what was done, as a sentence.
///
/// # Errors
/// A sentence, if the settings cannot be written; nothing changes then.
pub fn switch(root: &Path, metric: &str) -> Result<String, String> {
    let folder = config::folder().ok_or("there is no home folder for settings")?;
    let mut settings = (*judging::user()).clone();
    let is_set = |(below, known): &(PathBuf, String)| below == root && known == metric;
    let undoes = settings.below.iter().any(is_set);
    let chosen = (!undoes).then_some(metric);
    config::save_primary(&folder, root, chosen).map_err(|error| error.to_string())?;
    settings.below.retain(|(below, _)| below != root);
    settings
        .below
        .extend(chosen.map(|metric| (root.to_owned(), metric.to_owned())));
    judging::set_user(settings);
    let root = root.display();
    Ok(if undoes {
        format!("no longer judged by {metric}: the runs in {root}")
    } else {
        format!("judged by {metric}, choosing it again undoes that: the runs in {root}")
    })
}
