//! Which runs are marked, kept between starts: the file `marks` in the user's state folder has the
//! folder of one run on each line, as a JSON text, since a path may hold a line end.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::RunDir;
use super::state_dir::{self, Storage};
use super::state_file::StateFile;
use traintop_disk::{Disk, System};

/// The file in the state folder.
const FILE: &str = "marks";

/// The marked runs below `roots`; none if nothing was ever marked, or the file cannot be read.
pub fn load(roots: &[PathBuf]) -> Vec<RunDir> {
    state_dir::state_dir().map_or_else(Vec::new, |folder| load_in(&folder, roots))
}

/// Keeps `marks` as the marked runs below `roots`; those elsewhere stay marked.
///
/// # Errors
/// If they cannot be written.
pub fn save(roots: &[PathBuf], marks: &[RunDir]) -> io::Result<()> {
    match state_dir::state_dir() {
        Some(folder) => save_in(&folder, roots, marks),
        None => Err(io::Error::other("there is no home to keep marks in")),
    }
}

/// A marked run whose folder has another name now stays marked.
pub fn follow(home: &Storage, from: &RunDir, to: &RunDir) {
    let Some(folder) = &home.state else {
        return;
    };
    if let Err(error) = follow_in(&*home.disk, folder, from, to) {
        log::warn!("the mark of {} was lost: {error}", from.path().display());
    }
}

fn load_in(folder: &Path, roots: &[PathBuf]) -> Vec<RunDir> {
    let roots = canonical(roots);
    let marked = read(folder).into_iter();
    let here = marked.filter(|path| is_below(path, &roots));
    here.map(RunDir::new).collect()
}

fn save_in(folder: &Path, roots: &[PathBuf], marks: &[RunDir]) -> io::Result<()> {
    let roots = canonical(roots);
    change(&System, folder, |paths| {
        paths.retain(|path| !is_below(path, &roots));
        paths.extend(marks.iter().map(|dir| dir.path().to_owned()));
    })
}

fn follow_in(disk: &dyn Disk, folder: &Path, from: &RunDir, to: &RunDir) -> io::Result<()> {
    // Looked at first: most renamed runs are not marked, and nothing has to be written.
    if !read(folder).contains(from.path()) {
        return Ok(());
    }
    change(disk, folder, |paths| {
        if paths.remove(from.path()) {
            paths.insert(to.path().to_owned());
        }
    })
}

fn is_below(path: &Path, roots: &[PathBuf]) -> bool {
    roots.iter().any(|root| path.starts_with(root))
}

/// Runs are found below the roots as they are without links.
fn canonical(roots: &[PathBuf]) -> Vec<PathBuf> {
    let canonical = |root: &PathBuf| root.canonicalize().unwrap_or_else(|_| root.clone());
    roots.iter().map(canonical).collect()
}

fn read(folder: &Path) -> BTreeSet<PathBuf> {
    let text = StateFile::at(folder.join(FILE)).text();
    let lines = text.lines();
    lines
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn change(
    disk: &dyn Disk,
    folder: &Path,
    change: impl FnOnce(&mut BTreeSet<PathBuf>),
) -> io::Result<()> {
    disk.make_folders(folder)?;
    // Two who change at once do so one after the other; where there are no locks, the later one
    // wins.
    let _lock = disk.lock_folder(folder)?;
    let before = read(folder);
    let mut paths = before.clone();
    change(&mut paths);
    if paths == before {
        return Ok(());
    }
    // A folder whose name is no text cannot be written as JSON: its mark lasts until the dashboard
    // is left.
    let lines = paths
        .iter()
        .filter_map(|path| serde_json::to_string(path).ok());
    let text: String = lines.map(|line| line + "\n").collect();
    disk.replace_file(&folder.join(FILE), text.as_bytes(), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn dirs(paths: &[&str]) -> Vec<RunDir> {
        paths.iter().map(RunDir::new).collect()
    }

    #[test]
    fn marks_of_other_roots_stay_and_damage_costs_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = ([PathBuf::from("/here")], [PathBuf::from("/there")]);
        assert!(load_in(folder.path(), &here).is_empty());
        save_in(folder.path(), &here, &dirs(&["/here/a", "/here/b\n\"c\""])).unwrap();
        save_in(folder.path(), &there, &dirs(&["/there/a"])).unwrap();
        save_in(folder.path(), &here, &dirs(&["/here/b\n\"c\""])).unwrap();
        assert_eq!(load_in(folder.path(), &here), dirs(&["/here/b\n\"c\""]));
        assert_eq!(load_in(folder.path(), &there), dirs(&["/there/a"]));
        let file = folder.path().join(FILE);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("half a li\n{text}")).unwrap();
        assert_eq!(load_in(folder.path(), &there), dirs(&["/there/a"]));
    }

    #[test]
    fn a_mark_goes_with_its_folders_name() {
        let folder = tempfile::tempdir().unwrap();
        let here = [PathBuf::from("/here")];
        save_in(folder.path(), &here, &dirs(&["/here/a"])).unwrap();
        let [a, b, c] = ["/here/a", "/here/b", "/here/c"].map(RunDir::new);
        follow_in(&System, folder.path(), &a, &b).unwrap();
        follow_in(&System, folder.path(), &c, &a).unwrap();
        assert_eq!(load_in(folder.path(), &here), [b]);
    }
}
