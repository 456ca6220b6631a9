//! How the table of runs was left, kept between starts in the user's state folder: the query, the
//! order, the columns and the grouping of each set of roots, and the queries used before in all.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use traintop_run::state_file::StateFile;

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
    /// The columns in their order, with the widths that the user gave them; `None` are those of the
    /// configuration.
    pub columns: Option<Vec<(String, Option<u16>)>>,
    /// What the runs are grouped by.
    pub group: Option<String>,
}

/// The tables of each set of roots: a filter of one project must not hide the runs of another.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Tables {
    /// By the roots, as paths without links.
    by_roots: BTreeMap<String, Remembered>,
    /// The queries that were used last in any of them, the last one first.
    queries: Vec<String>,
}

fn file() -> StateFile {
    StateFile::of_user("tables.json")
}

fn key(roots: &[PathBuf]) -> String {
    let path = |root: &PathBuf| {
        let absolute = || std::path::absolute(root).unwrap_or_else(|_| root.clone());
        root.canonicalize().unwrap_or_else(|_| absolute())
    };
    let roots: BTreeSet<PathBuf> = roots.iter().map(path).collect();
    let roots: Vec<_> = roots.iter().map(|root| root.to_string_lossy()).collect();
    roots.join("\n")
}

/// How the table of these roots was left last; as it is at first if nothing is kept, or it cannot
/// be read.
pub fn load(roots: &[PathBuf]) -> Remembered {
    of(file().json(), &key(roots))
}

fn of(mut tables: Tables, key: &str) -> Remembered {
    let left = tables.by_roots.remove(key).unwrap_or_default();
    Remembered {
        queries: tables.queries,
        ..left
    }
}

/// Keeps how the table of these roots is left.
///
/// # Errors
/// If it cannot be written.
pub fn save(roots: &[PathBuf], remembered: &Remembered) -> io::Result<()> {
    let mut tables: Tables = file().json();
    put(&mut tables, key(roots), remembered.clone());
    file().write_json(&tables)
}

fn put(tables: &mut Tables, key: String, mut left: Remembered) {
    tables.queries = std::mem::take(&mut left.queries);
    if left == Remembered::default() {
        tables.by_roots.remove(&key);
    } else {
        tables.by_roots.insert(key, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back_and_unknown_keys_are_ignored() {
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
        let text = serde_json::to_string(&left).unwrap();
        let read = |text: &str| serde_json::from_str::<Remembered>(text).unwrap();
        assert_eq!(read(&text), left);
        assert_eq!(read("{\"query\": \"a\", \"later\": 1}").query, "a");
    }

    #[test]
    fn each_project_has_its_own_table_and_all_share_the_queries() {
        let mut tables = Tables::default();
        let left = |query: &str| Remembered {
            query: query.to_owned(),
            queries: vec![query.to_owned(), "seed:1".to_owned()],
            ..Remembered::default()
        };
        put(&mut tables, "/a".to_owned(), left("lr<0.1"));
        put(&mut tables, "/b".to_owned(), left(""));
        assert_eq!(tables.by_roots.len(), 1);
        let text = serde_json::to_string(&tables).unwrap();
        let load = |key: &str| of(serde_json::from_str(&text).unwrap(), key);
        assert_eq!(load("/a").query, "lr<0.1");
        assert_eq!(
            (load("/c").query.as_str(), load("/c").queries.len()),
            ("", 2)
        );
    }
}
