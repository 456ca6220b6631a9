//! Names that distinguish runs: other trainers call a run's folder `version_0`, `train` or
//! `output`, and the difference is further up in its path; runs of a sweep share a name and differ
//! in settings.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::differences::differences;
use super::settings::Settings;
use super::summary::Summary;
use traintop_text::clean;

/// The trainer of traintop's own runs.
pub const OURS: &str = "traintop";

/// The shortest end of each path that none of the others has, cleaned for a terminal.
pub fn shortest_ends(paths: &[&Path]) -> Vec<String> {
    let parts = |path: &Path, count: usize| {
        let from = path.iter().count().saturating_sub(count);
        let end: PathBuf = path.iter().skip(from).collect();
        (clean(&end.to_string_lossy()).into_owned(), from == 0)
    };
    let mut ends: Vec<String> = vec![String::new(); paths.len()];
    let mut open: Vec<usize> = (0..paths.len()).collect();
    let mut count = 1;
    while !open.is_empty() {
        let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
        for at in open.drain(..) {
            alike.entry(parts(paths[at], count).0).or_default().push(at);
        }
        for (end, those) in alike {
            let is_only = those.len() == 1;
            for at in those {
                // A path that is listed twice has no unique end.
                let is_whole = parts(paths[at], count).1;
                ends[at].clone_from(&end);
                open.extend((!is_only && !is_whole).then_some(at));
            }
        }
        count += 1;
    }
    ends
}

/// Tells runs apart that have one name: those of other trainers get the end of the folder's path,
/// behind the trainer's own name where it has one. [`Summary::differs`] becomes the settings in
/// which runs of one name differ, or runs that are named by a time.
pub fn tell_apart<'a>(summaries: impl IntoIterator<Item = &'a mut Summary>) {
    let mut summaries: Vec<&mut Summary> = summaries.into_iter().collect();
    // The first run decides the order of the settings: the same one at each start.
    summaries.sort_by(|a, b| a.dir.cmp(&b.dir));
    let mut alike: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, summary) in summaries.iter().enumerate() {
        let name = summary.own_name.as_str();
        let group = if is_time(name) { "" } else { name };
        alike.entry(group).or_default().push(at);
    }
    let groups: Vec<Vec<usize>> = alike.into_values().collect();
    for group in groups {
        let settings: Vec<&Settings> = group.iter().map(|at| &summaries[*at].settings).collect();
        let mut differs = differences(&settings);
        add_folders(&mut differs, &group, &summaries);
        for (at, differs) in group.into_iter().zip(differs) {
            summaries[at].differs = differs;
        }
    }
    name_by_folders(&mut summaries);
}

/// Whether a name is a time, which says nothing of a run: digits, and what stands between them.
fn is_time(name: &str) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let is_part = |char: char| char.is_ascii_digit() || "_-:.T ".contains(char);
    digits >= 8 && name.chars().all(is_part)
}

/// Adds the folder where runs of traintop have one name and equal settings: those of other trainers
/// are named by it.
fn add_folders(differs: &mut [String], group: &[usize], summaries: &[&mut Summary]) {
    let mut count: HashMap<(&str, String), usize> = HashMap::new();
    let key = |at: usize, differs: &str| (summaries[at].own_name.as_str(), differs.to_owned());
    for (at, differs) in group.iter().zip(differs.iter()) {
        *count.entry(key(*at, differs)).or_default() += 1;
    }
    for (at, differs) in group.iter().zip(differs) {
        let summary = &summaries[*at];
        if summary.trainer == OURS && count[&key(*at, differs)] > 1 {
            let dot = if differs.is_empty() { "" } else { " · " };
            *differs = format!("{differs}{dot}{}", clean(&summary.dir.name()));
        }
    }
}

fn name_by_folders(summaries: &mut [&mut Summary]) {
    let mut alike: HashMap<&str, usize> = HashMap::new();
    for summary in summaries.iter() {
        *alike.entry(&summary.own_name).or_default() += 1;
    }
    let is_alike =
        |summary: &Summary| summary.trainer != OURS && alike[summary.own_name.as_str()] > 1;
    let these: Vec<bool> = summaries.iter().map(|summary| is_alike(summary)).collect();
    let dirs: Vec<_> = summaries
        .iter()
        .map(|summary| summary.dir.clone())
        .collect();
    let (at, paths): (Vec<usize>, Vec<&Path>) = (0..dirs.len())
        .filter(|at| these[*at])
        .map(|at| (at, dirs[at].path()))
        .unzip();
    let mut ends = vec![None; dirs.len()];
    for (at, end) in at.into_iter().zip(shortest_ends(&paths)) {
        ends[at] = Some(end);
    }
    for (summary, end) in summaries.iter_mut().zip(ends) {
        let own = &summary.own_name;
        match end {
            None if summary.trainer == OURS => {}
            None => summary.name.clone_from(own),
            Some(end) if clean(&summary.dir.name()) == own.as_str() => summary.name = end,
            Some(end) => summary.name = format!("{own} ({end})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_as_long_as_it_takes_to_tell_paths_apart() {
        let paths = [
            "/r/cats/version_0",
            "/r/dogs/version_0",
            "/r/dogs/version_1",
            "/r/a/x/out",
            "/r/b/x/out",
        ];
        let paths = paths.map(Path::new);
        let ends = shortest_ends(&paths);
        assert_eq!(
            ends,
            [
                "cats/version_0",
                "dogs/version_0",
                "version_1",
                "a/x/out",
                "b/x/out"
            ]
        );
        assert_eq!(
            shortest_ends(&[paths[0], paths[0]]),
            ["/r/cats/version_0"; 2]
        );
    }
}
