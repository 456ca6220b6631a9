//! Databases of `SQLite`, read as data: rows of tables, by their row ids or by an index. Nothing is
//! written or locked, so a writer never waits for this, and no file is made beside the database, as
//! opening it with `SQLite` would do. What the format is, <https://sqlite.org/fileformat2.html>
//! says.
//!
//! A writer may change pages while they are read. So what was read counts only if
//! [`Database::is_unchanged`] says so afterwards.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "the walls around `disk` are for the program; tests set up what they need"
    )
)]

mod btree;
mod pages;
mod record;
mod schema;
#[cfg(test)]
mod tests;
mod wal;

use std::io;
use std::path::Path;

pub use record::{Record, Value};
pub use schema::{Index, Table};

use self::pages::Pages;
use self::schema::Schema;

/// Why a database cannot be read, as half a sentence.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the database is damaged: {0}")]
    Damaged(String),
    #[error("the database is not supported: {0}")]
    Unsupported(&'static str),
    #[error(
        "the database is being changed, or was when its writer was killed; the writer's next start mends it"
    )]
    Changing,
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// A database, as it was when it was opened.
#[derive(Debug)]
pub struct Database {
    pages: Pages,
    schema: Schema,
}

impl Database {
    /// Reads the names of what is in it; `None` if the file is no database of `SQLite`.
    ///
    /// # Errors
    /// If it cannot be read, or is damaged.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let Some(pages) = Pages::open(path)? else {
            return Ok(None);
        };
        let schema = Schema::read(&pages)?;
        Ok(Some(Self { pages, schema }))
    }

    /// A table of rows, by its name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.schema.table(name)
    }

    /// An index of all rows of a table that sorts them by these columns first.
    pub fn index(&self, table: &str, columns: &[&str]) -> Option<&Index> {
        self.schema.index(table, columns)
    }

    /// Calls `each` with the rows of a table from a row id on, in the order of these, until it says
    /// `false`.
    ///
    /// # Errors
    /// If the table cannot be read, or is damaged.
    pub fn rows(
        &self,
        table: &Table,
        from: i64,
        each: &mut dyn FnMut(i64, Record) -> bool,
    ) -> Result<(), Error> {
        btree::rows(&self.pages, table.root, from, each)
    }

    /// Calls `each` with the entries of an index from the first on of which `is_before` is not
    /// true, in the order of the index, until it says `false`. An entry has the values of the
    /// indexed columns, and last the row id.
    ///
    /// # Errors
    /// As [`Database::rows`].
    pub fn entries(
        &self,
        index: &Index,
        is_before: &dyn Fn(Record) -> bool,
        each: &mut dyn FnMut(Record) -> bool,
    ) -> Result<(), Error> {
        btree::entries(&self.pages, index.root, is_before, each)
    }

    /// The last entry of an index of which `is_before` is true.
    ///
    /// # Errors
    /// As [`Database::rows`].
    pub fn last_entry<T>(
        &self,
        index: &Index,
        is_before: &dyn Fn(Record) -> bool,
        read: &dyn Fn(Record) -> T,
    ) -> Result<Option<T>, Error> {
        btree::last_entry(&self.pages, index.root, is_before, read)
    }

    /// The last row id of a table, or the smallest number where it has no row.
    ///
    /// # Errors
    /// As [`Database::rows`].
    pub fn last_row_id(&self, table: &Table) -> Result<i64, Error> {
        btree::last_row_id(&self.pages, table.root)
    }

    /// Whether the files are still what they were when it was opened, so that all that was read is
    /// of one state. In doubt they are not.
    pub fn is_unchanged(&self) -> bool {
        self.pages.is_unchanged()
    }
}

fn damaged<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Damaged(what.into()))
}
