//! How the table of runs was left, kept between starts in the user's state folder: the query and
//! those before it, the order, the columns and the grouping.

use std::io;

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

fn file() -> StateFile {
    StateFile::of_user("table.json")
}

/// How the table was left last; as it is at first if nothing is kept, or it cannot be read.
pub fn load() -> Remembered {
    file().json()
}

/// Keeps how the table is left.
///
/// # Errors
/// If it cannot be written.
pub fn save(remembered: &Remembered) -> io::Result<()> {
    file().write_json(remembered)
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
}
