//! Templates for names that were used, kept for the next time: a line each in `templates` in the user's state folder, the last used
//! first.

use std::io;
use std::path::Path;

use super::state_dir;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};

/// The file in the state folder.
const FILE: &str = "templates";
/// Older ones are let go.
const MOST: usize = 20;

/// The reference's form, offered where nothing was used yet.
pub const FIRST: &str = "{model}_acc{best.val_acc:.2f}_epoch{best.epoch}_{started:%Y%m%d_%H%M%S}";

/// The kept templates, the last used first; [`FIRST`] if there are none.
pub fn load() -> Vec<String> {
    state_dir::state_dir().map_or_else(|| vec![FIRST.to_owned()], |folder| load_in(&folder))
}

/// Keeps a template as the last used.
///
/// # Errors
/// If it cannot be written.
pub fn keep(template: &str) -> io::Result<()> {
    match state_dir::state_dir() {
        Some(folder) => keep_in(&folder, template),
        None => Err(io::Error::other("there is no home to keep templates in")),
    }
}

fn load_in(folder: &Path) -> Vec<String> {
    let text = read::text(&folder.join(FILE), read::RECORD_LIMIT).unwrap_or_default();
    let mut kept: Vec<String> = Vec::new();
    for line in text.lines().chain([FIRST]) {
        if !line.is_empty() && !kept.iter().any(|known| known == line) {
            kept.push(line.to_owned());
        }
    }
    kept.truncate(MOST);
    kept
}

fn keep_in(folder: &Path, template: &str) -> io::Result<()> {
    // A name holds no line end, and so no template that was used.
    let first = template.lines().next().unwrap_or_default().to_owned();
    let others = load_in(folder).into_iter().filter(|known| *known != first);
    let text: String = std::iter::once(first.clone())
        .chain(others)
        .take(MOST)
        .map(|line| line + "\n")
        .collect();
    make_folders(folder)?;
    replace_file(&folder.join(FILE), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_comes_first_and_each_once() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load_in(folder.path()), [FIRST]);
        for template in ["{n}", "{model}", "{n}"] {
            keep_in(folder.path(), template).unwrap();
        }
        assert_eq!(load_in(folder.path()), ["{n}", "{model}", FIRST]);
        for number in 0..30 {
            keep_in(folder.path(), &format!("run-{number}")).unwrap();
        }
        assert_eq!(load_in(folder.path()).len(), MOST);
        assert_eq!(load_in(folder.path())[0], "run-29");
    }
}
