//! Tables of runs and of their curves, written as other programs read them. Every number is written
//! so that reading it gives the same number again, except where people are to read it (Markdown,
//! LaTeX).

pub mod curves;
mod parquet;
pub mod runs;
mod write;

pub use write::markdown_row;

use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing is known.
    Missing,
    /// Words.
    Text(String),
    /// A number, which may be NaN or infinite.
    Number(f64),
}

impl Cell {
    pub fn number(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }

    /// Words, unless there are none.
    pub fn text(value: impl Into<String>) -> Self {
        match value.into() {
            text if text.is_empty() => Self::Missing,
            text => Self::Text(text),
        }
    }
}

/// Named columns; each row has a cell for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The names.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// What a table is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, as RFC 4180 has it, with a header; nothing where nothing is known.
    Csv,
    /// An array of objects; NaN and infinities are the texts "NaN", "inf" and "-inf".
    Json,
    /// A table of GitHub's Markdown.
    Markdown,
    /// A `tabular` that needs no package.
    Latex,
    /// Apache Parquet: columns of doubles, and of text where any cell is text.
    Parquet,
}

impl Format {
    pub const ALL: [Self; 5] = [
        Self::Csv,
        Self::Json,
        Self::Markdown,
        Self::Latex,
        Self::Parquet,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Latex => "latex",
            Self::Parquet => "parquet",
        }
    }

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Markdown => "md",
            Self::Latex => "tex",
            Self::Parquet => "parquet",
        }
    }

    /// The format of a file with this ending.
    pub fn of_ending(ending: &str) -> Option<Self> {
        let ending = ending.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.ending() == ending)
    }
}

/// How untrusted text is written to CSV and Parquet, which cannot escape it. Markdown, LaTeX and
/// JSON escape their special characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Texts {
    /// Control and invisible characters become visible marks; in CSV an apostrophe precedes what a
    /// spreadsheet would compute.
    #[default]
    Safe,
    /// Texts are written as they are.
    Raw,
}

/// A number, or the text for what JSON has no number for.
pub fn json_number(value: f64) -> Value {
    if value.is_finite() {
        value.into()
    } else if value.is_nan() {
        "NaN".into()
    } else {
        if value > 0.0 { "inf" } else { "-inf" }.into()
    }
}

/// A name that is not a column of the table.
#[derive(Debug, thiserror::Error)]
#[error("there is no column {name:?}; the columns are {}", known.join(", "))]
pub struct UnknownColumn {
    pub name: String,
    /// The columns there are.
    pub known: Vec<String>,
}

impl Table {
    /// The table with these columns only, in this order.
    ///
    /// # Errors
    /// If there is no such column.
    pub fn with_columns(&self, names: &[String]) -> Result<Self, UnknownColumn> {
        let place = |name: &String| {
            let found = self.columns.iter().position(|column| column == name);
            found.ok_or_else(|| UnknownColumn {
                name: name.clone(),
                known: self.columns.clone(),
            })
        };
        let places: Vec<usize> = names.iter().map(place).collect::<Result<_, _>>()?;
        let row = |row: &Vec<Cell>| places.iter().map(|at| row[*at].clone()).collect();
        Ok(Self {
            columns: names.to_vec(),
            rows: self.rows.iter().map(row).collect(),
        })
    }
}
