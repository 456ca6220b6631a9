//! When the dashboard last showed the runs below some roots: the file `looked` in the user's state
//! folder, a JSON object of roots and times.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::state_file::StateFile;

type Times = BTreeMap<String, Timestamp>;

fn file() -> StateFile {
    StateFile::of_user("looked")
}

/// When all of these roots were last visited; `None` if one never was.
pub fn load(roots: &[PathBuf]) -> Option<Timestamp> {
    earliest(&file().json(), roots)
}

/// These roots are shown now.
///
/// # Errors
/// If it cannot be written down.
pub fn save(roots: &[PathBuf], now: Timestamp) -> io::Result<()> {
    let mut times: Times = file().json();
    times.extend(roots.iter().map(|root| (key(root), now)));
    file().write_json(&times)
}

/// A root as it is without links, as text.
fn key(root: &Path) -> String {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    root.to_string_lossy().into_owned()
}

fn earliest(times: &Times, roots: &[PathBuf]) -> Option<Timestamp> {
    let times = roots.iter().map(|root| times.get(&key(root)).copied());
    times.collect::<Option<Vec<_>>>()?.into_iter().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_roots_the_one_looked_at_longest_ago_counts() {
        let [early, late] = [100, 200].map(|second| Timestamp::from_second(second).unwrap());
        let [a, b] = ["/nowhere/a", "/nowhere/b"].map(PathBuf::from);
        let mut times = Times::from([(key(&a), early)]);
        assert_eq!(earliest(&times, &[a.clone(), b.clone()]), None);
        times.insert(key(&b), late);
        assert_eq!(earliest(&times, &[a, b]), Some(early));
    }
}
