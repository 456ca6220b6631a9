//! How the table of runs was left, kept between starts in the user's state folder: the query and those before it, the order, the
//! columns and the grouping.

use std::io::{self, ErrorKind};
use std::path::Path;

use serde::{Deserialize, Serialize};

use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};
use traintop_run::state_dir;

/// The file in the state folder.
const FILE: &str = "table.json";
/// Older queries are let go.
pub const MOST_QUERIES: usize = 100;

/// How the table was left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The query that filters; empty if none does.
    pub query: String,
    /// Queries that were used, the last one first.
    pub queries: Vec<String>,
    /// What the table is sorted by, and whether the largest come first.
    pub sort: Option<(String, bool)>,
    /// The columns in their order, with the widths that somebody gave them; `None` are those of the configuration.
    pub columns: Option<Vec<(String, Option<u16>)>>,
    /// What the runs are grouped by.
    pub group: Option<String>,
}

/// How the table was left last; as it is at first if nothing is kept, or it cannot be read.
pub fn load() -> Remembered {
    state_dir::state_dir().map_or_else(Remembered::default, |folder| load_in(&folder))
}

/// Keeps how the table is left.
///
/// # Errors
/// If it cannot be written.
pub fn save(remembered: &Remembered) -> io::Result<()> {
    match state_dir::state_dir() {
        Some(folder) => save_in(&folder, remembered),
        None => Err(io::Error::other("there is no home to keep it in")),
    }
}

fn load_in(folder: &Path) -> Remembered {
    let path = folder.join(FILE);
    let read = read::bytes(&path, read::RECORD_LIMIT)
        .and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
    read.unwrap_or_else(|error| {
        if error.kind() != ErrorKind::NotFound {
            log::warn!("{}: starting without it: {error}", path.display());
        }
        Remembered::default()
    })
}

fn save_in(folder: &Path, remembered: &Remembered) -> io::Result<()> {
    make_folders(folder)?;
    let text = serde_json::to_string(remembered)?;
    replace_file(&folder.join(FILE), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_kept_reads_back_and_damage_is_a_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("state");
        assert_eq!(load_in(&below), Remembered::default());
        let left = Remembered {
            query: "lr<0.1".to_owned(),
            queries: vec!["lr<0.1".to_owned(), "\"two\nlines\"".to_owned()],
            sort: Some(("best".to_owned(), true)),
            columns: Some(vec![
                ("name".to_owned(), Some(30)),
                ("seed".to_owned(), None),
            ]),
            group: Some("lr".to_owned()),
        };
        save_in(&below, &left).unwrap();
        assert_eq!(load_in(&below), left);
        fs::write(below.join(FILE), "{\"query\": \"a\", \"later\": 1}").unwrap();
        assert_eq!(load_in(&below).query, "a");
        fs::write(below.join(FILE), "{\"query\": 3").unwrap();
        assert_eq!(load_in(&below), Remembered::default());
    }
}
