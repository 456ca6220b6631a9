//! What the header says of the cells below it, and what its columns have turned out to hold.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::block::Values;
use super::cells::number;
use super::series::{Column, Metrics};
use traintop_text::clean;

/// Names that place a row, in any case, the first present wins. An epoch comes last: where a file
/// has steps too, they are finer.
const X_NAMES: [&str; 4] = ["step", "global_step", "iteration", "epoch"];

/// Where a file without any of these places its rows.
const BY_ROW: &str = "row";

/// A line of more names is damage, or no table of metrics at all.
pub const MAX_COLUMNS: usize = 10_000;

/// Longer texts are not taken for certain to be names of columns, in bytes.
const LONGEST_NAME: usize = 64;

/// Where the cells of a header's column go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// No cell of it has been seen yet.
    Unknown,
    /// Into this column of numbers.
    Numbers(usize),
    /// Nowhere: its first cell was text.
    Text,
}

/// Where the cells of each column go that any header of the file has named, as far as that is
/// decided.
pub type Known = HashMap<String, Target>;

/// The columns that a header names.
#[derive(Debug, Clone)]
pub struct Header {
    /// Cleaned for a terminal, and unique.
    names: Vec<String>,
    targets: Vec<Target>,
    x: Option<usize>,
    has_all_names: bool,
}

impl Header {
    /// Reads a header. One that is not the first of its file (a resumed run) keeps the columns of
    /// those before it: what has the same name is the same column, and x stays what it is.
    pub fn new(cells: &[Cow<str>], metrics: &Metrics, known: &Known, is_first: bool) -> Self {
        let has_all_names = cells.iter().all(|cell| !cell.trim().is_empty());
        let names = unique_names(cells);
        let x = if is_first {
            X_NAMES
                .iter()
                .find_map(|x| names.iter().position(|name| name.eq_ignore_ascii_case(x)))
        } else {
            names.iter().position(|name| *name == metrics.x_name)
        };
        let target = |name: &String| known.get(name).copied().unwrap_or(Target::Unknown);
        let targets = names.iter().map(target).collect();
        Self {
            names,
            targets,
            x,
            has_all_names,
        }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many columns it has that no header before it had.
    pub fn new_columns(&self) -> usize {
        let is_new = |target: &&Target| **target == Target::Unknown;
        self.targets.iter().filter(is_new).count()
    }

    /// Which column places the rows; `None` if they are counted.
    pub fn x(&self) -> Option<usize> {
        self.x
    }

    pub fn x_name(&self) -> &str {
        self.x.map_or(BY_ROW, |x| &self.names[x])
    }

    pub fn has_text(&self) -> bool {
        self.targets.contains(&Target::Text)
    }

    /// The column of numbers that the cells at `at` go to.
    pub fn numbers(&self, at: usize) -> Option<usize> {
        match self.targets[at] {
            Target::Numbers(column) => Some(column),
            Target::Unknown | Target::Text => None,
        }
    }

    /// Whether this is surely a header: several names, none of which could be a value or a
    /// sentence. The first line of a file without a header, a comment or an error message is not.
    pub fn is_certain(&self) -> bool {
        let is_name = |name: &String| {
            let begins_as_one = name.starts_with(|char: char| char.is_alphabetic() || char == '_');
            begins_as_one && number(name).is_none() && name.len() <= LONGEST_NAME
        };
        self.names.len() > 1 && self.has_all_names && self.names.iter().all(is_name)
    }

    /// Whether a line is a header again: no number is in it, and it begins as this header does or
    /// names its x.
    pub fn is_repeated_by(&self, cells: &[Cow<str>]) -> bool {
        if cells[0].starts_with(|char: char| char.is_ascii_digit())
            || cells.iter().any(|cell| number(cell).is_some())
        {
            return false;
        }
        let names = unique_names(cells);
        names.first() == self.names.first()
            || self.x.is_some_and(|x| names.contains(&self.names[x]))
    }

    /// Where a cell goes; the first of its column decides.
    pub fn target(
        &mut self,
        at: usize,
        is_number: bool,
        metrics: &mut Metrics,
        known: &mut Known,
    ) -> Target {
        if self.targets[at] == Target::Unknown {
            let name = self.names[at].clone();
            self.targets[at] = if is_number {
                metrics.columns.push(Column {
                    name,
                    ..Column::default()
                });
                Target::Numbers(metrics.columns.len() - 1)
            } else {
                metrics.text_columns.push(name);
                Target::Text
            };
            known.insert(self.names[at].clone(), self.targets[at]);
        }
        self.targets[at]
    }

    /// Makes the columns that first hold a number in these rows, in the order in which the numbers
    /// come.
    pub fn name_columns(&mut self, columns: &[Values], metrics: &mut Metrics, known: &mut Known) {
        let first = |values: &Values| match values {
            Values::Dense(values) => (!values.is_empty()).then_some(0),
            Values::Sparse(values) => values.iter().position(Option::is_some),
        };
        let unknown = (0..columns.len()).filter(|at| self.targets[*at] == Target::Unknown);
        let mut new: Vec<_> = unknown
            .filter_map(|at| Some((first(&columns[at])?, at)))
            .collect();
        new.sort_unstable();
        for (_, at) in new {
            self.target(at, true, metrics, known);
        }
    }
}

/// Names as shown: cleaned, a missing one by its place, and a repeated one numbered, so that no two
/// columns are taken for one.
fn unique_names(cells: &[Cow<str>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    let mut taken: HashSet<String> = HashSet::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let mut name = clean(cell).into_owned();
        if name.is_empty() {
            name = format!("column {}", at + 1);
        }
        while !taken.insert(name.clone()) {
            name = format!("{name} ({})", at + 1);
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::cells::split;

    fn header(line: &str) -> Header {
        Header::new(&split(line), &Metrics::default(), &Known::new(), true)
    }

    #[test]
    fn the_finest_place_is_x_in_any_case() {
        for (line, x) in [
            ("epoch,loss", "epoch"),
            ("Wall time,Step,Value", "Step"),
            ("epoch,loss,global_step", "global_step"),
            ("a,b", "row"),
        ] {
            assert_eq!(header(line).x_name(), x);
        }
    }

    #[test]
    fn values_comments_and_sentences_are_no_certain_header() {
        for (line, is_certain) in [
            ("epoch,train_loss,Val Acc (%)", true),
            ("_step,metrics/mAP50(B)", true),
            ("1,0.5,0.4", false),
            ("nan,inf", false),
            ("epoch,0.5", false),
            ("#{\"t_start\": 1.0, \"env_id\": \"X\"}", false),
            ("Traceback (most recent call last):", false),
            ("epoch;loss", false),
            ("epoch\tloss", false),
            (",loss", false),
            ("epoch,loss,", false),
        ] {
            assert_eq!(header(line).is_certain(), is_certain, "{line}");
        }
    }

    #[test]
    fn nameless_and_repeated_columns_stay_apart() {
        assert_eq!(
            header(",loss,loss").names(),
            ["column 1", "loss", "loss (3)"]
        );
    }

    #[test]
    fn a_line_of_names_is_a_header_again_and_a_line_of_text_is_not() {
        let header = header("epoch,loss,note");
        for (line, is_header) in [
            ("epoch,loss,note", true),
            ("lr,epoch,loss", true),
            ("epoch,loss", true),
            ("1,2,epoch", false),
            ("nan,inf,epoch", false),
            ("oops,what,this", false),
        ] {
            assert_eq!(header.is_repeated_by(&split(line)), is_header, "{line}");
        }
    }
}
