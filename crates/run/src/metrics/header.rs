//! What the header says of the cells below it, and what its columns have turned out to hold.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::block::Values;
use super::names::{self, Kind};
use super::series::{Column, Metrics};
use super::value::{Unit, Value};
use crate::metric_names::Split;
use traintop_text::clean;

/// Where a file without any column that places its rows has them.
pub const BY_ROW: &str = "row";

/// What the nameless index of a file without another x is called.
const INDEX_AS_X: &str = "epoch";

/// pandas calls a nameless column so when it reads its own file and writes it again.
const UNNAMED: &str = "Unnamed: 0";

/// A line of more names is damage, or no table of metrics at all.
pub const MAX_COLUMNS: usize = 10_000;

/// Longer texts, in bytes, are not certain to be names of columns.
const MAX_NAME_BYTES: usize = 64;

/// What the cells of a column have held so far.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    /// Its place among the columns of numbers, from its first number on.
    numbers: Option<usize>,
    /// Cells of text.
    texts: usize,
}

/// The columns that any header of a file has named.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    by_name: HashMap<String, usize>,
    names: Vec<String>,
    seen: Vec<Seen>,
}

impl Columns {
    fn len(&self) -> usize {
        self.names.len()
    }

    fn entry(&mut self, name: &str) -> usize {
        if let Some(at) = self.by_name.get(name) {
            return *at;
        }
        let at = self.names.len();
        self.by_name.insert(name.to_owned(), at);
        self.names.push(name.to_owned());
        self.seen.push(Seen::default());
        at
    }

    /// The column of numbers that holds this one's, made for its first. Text that came before is
    /// from then on what was not understood.
    pub fn numbers(&mut self, at: usize, metrics: &mut Metrics) -> usize {
        let seen = &mut self.seen[at];
        if let Some(column) = seen.numbers {
            return column;
        }
        let name = &self.names[at];
        metrics.columns.push(Column {
            name: name.clone(),
            ..Column::default()
        });
        if seen.texts > 0 {
            metrics.text_columns.retain(|column| column != name);
            *metrics.unread.entry(name.clone()).or_default() += seen.texts;
        }
        *seen.numbers.insert(metrics.columns.len() - 1)
    }

    /// Counts a cell of text; says whether its column holds numbers otherwise.
    pub fn count_text(&mut self, at: usize, metrics: &mut Metrics) -> bool {
        let seen = &mut self.seen[at];
        seen.texts += 1;
        let name = &self.names[at];
        let is_of_numbers = seen.numbers.is_some();
        if is_of_numbers {
            *metrics.unread.entry(name.clone()).or_default() += 1;
        } else if seen.texts == 1 {
            metrics.text_columns.push(name.clone());
        }
        is_of_numbers
    }

    /// Remembers what the cells of a column say they measure.
    pub fn set_unit(&self, at: usize, unit: Unit, metrics: &mut Metrics) {
        let name = &self.names[at];
        if !metrics.units.contains_key(name) {
            metrics.units.insert(name.clone(), unit);
        }
    }

    pub fn name(&self, at: usize) -> &str {
        &self.names[at]
    }
}

/// The columns that a header names.
#[derive(Debug, Clone)]
pub struct Header {
    /// Cleaned for a terminal, and unique.
    names: Vec<String>,
    /// Among [`Columns`]: of rows that say nothing of the data's part, and of those that do.
    targets: Vec<usize>,
    of_part: [Option<Vec<usize>>; Split::COUNT],
    x: Option<usize>,
    kind: Kind,
    /// Another column that counts epochs.
    epoch: Option<usize>,
    /// A column that may say what part of the data its row is about.
    part: Option<usize>,
    /// A column that may distinguish trainings in one file.
    key: Option<usize>,
    has_all_names: bool,
    /// Up to the last column that has a name.
    named: usize,
}

/// What a header is made from, beside its names.
pub struct Start<'a> {
    /// The row below the first header of a file, if it is known.
    pub row: Option<&'a [Value]>,
    /// What x is by an earlier header.
    pub x_name: Option<&'a str>,
}

impl Header {
    /// Reads a header. One that is not the first of its file (a resumed run) keeps the columns of
    /// those before it: what has the same name is the same column, and x stays what it is.
    pub fn new(cells: &[Cow<str>], start: &Start, columns: &mut Columns) -> Self {
        let has_all_names = cells.iter().all(|cell| !cell.trim().is_empty());
        let width = cells
            .iter()
            .rposition(|cell| !cell.trim().is_empty())
            .map_or(cells.len(), |last| last + 1);
        let mut names = unique_names(cells);
        let mut x = match start.x_name {
            Some(x_name) => names.iter().position(|name| name == x_name),
            None => x_of(&names, start.row),
        };
        if is_index(cells, start.row) {
            let name = if x.is_none() && start.x_name.is_none_or(|name| name == INDEX_AS_X) {
                x = Some(0);
                INDEX_AS_X
            } else {
                names::INDEX
            };
            if !names.iter().any(|other| other == name) {
                name.clone_into(&mut names[0]);
            }
        }
        let is_other = |at: usize| Some(at) != x;
        let position =
            |is: fn(&str) -> bool| (0..names.len()).find(|at| is_other(*at) && is(&names[*at]));
        let is_epoch = |name: &str| names::place(name).is_some_and(|(_, kind)| kind == Kind::Epoch);
        let (epoch, part) = (position(is_epoch), position(names::may_name_parts));
        let key = position(names::may_be_key);
        Self {
            targets: names.iter().map(|name| columns.entry(name)).collect(),
            kind: x
                .and_then(|x| names::place(&names[x]))
                .map_or(Kind::Step, |(_, kind)| kind),
            of_part: [const { None }; Split::COUNT],
            names,
            x,
            epoch,
            part,
            key,
            has_all_names,
            named: width,
        }
    }

    /// Whether there is room for the columns of such a header beside those before it.
    pub fn fits(cells: &[Cow<str>], columns: &Columns) -> bool {
        if columns.len() + cells.len() <= MAX_COLUMNS {
            return true;
        }
        let names = unique_names(cells).into_iter();
        let new = names.filter(|name| !columns.by_name.contains_key(name));
        cells.len() <= MAX_COLUMNS && columns.len() + new.count() <= MAX_COLUMNS
    }

    /// The columns of a file that has no header, by their places.
    pub fn numbered(count: usize, columns: &mut Columns) -> Self {
        let start = Start {
            row: None,
            x_name: Some(BY_ROW),
        };
        Self::new(&vec![Cow::Borrowed(""); count], &start, columns)
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many cells a row must have: up to the last that has a name.
    pub fn named(&self) -> usize {
        self.named
    }

    /// Which column places the rows; `None` if they are counted.
    pub fn x(&self) -> Option<usize> {
        self.x
    }

    pub fn x_name(&self) -> &str {
        self.x.map_or(BY_ROW, |x| &self.names[x])
    }

    /// What x counts.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The column beside x that counts epochs.
    pub fn epoch(&self) -> Option<usize> {
        self.epoch
    }

    /// The column that may say what part of the data a row is about.
    pub fn part(&self) -> Option<usize> {
        self.part
    }

    /// The column that may distinguish trainings in one file.
    pub fn key(&self) -> Option<usize> {
        self.key
    }

    pub fn has_text(&self, columns: &Columns) -> bool {
        self.targets.iter().any(|at| {
            let seen = columns.seen[*at];
            seen.texts > 0 && seen.numbers.is_none()
        })
    }

    /// The column of numbers that the cells at `at` go to, once it has any.
    pub fn numbers(&self, at: usize, columns: &Columns) -> Option<usize> {
        columns.seen[self.targets[at]].numbers
    }

    /// The column of the cells at `at` in rows about a part of the data.
    pub fn target(&mut self, at: usize, part: Option<Split>, columns: &mut Columns) -> usize {
        let Some(part) = part else {
            return self.targets[at];
        };
        let of_part = &mut self.of_part[part as usize];
        let targets = of_part.get_or_insert_with(|| {
            let of = |(at, name): (usize, &String)| {
                let is_shared = names::place(name).is_some()
                    || name == names::INDEX
                    || names::names_part(name)
                    || Some(at) == self.part;
                if is_shared {
                    self.targets[at]
                } else {
                    columns.entry(&format!("{}_{name}", part.prefix()))
                }
            };
            self.names.iter().enumerate().map(of).collect()
        });
        targets[at]
    }

    /// Whether this is surely a header: several names, none of which could be a value or a
    /// sentence. The first line of a file without a header, a comment or an error message is not.
    pub fn is_certain(&self) -> bool {
        let is_name = |name: &String| {
            let begins_as_one = name.starts_with(|char: char| char.is_alphabetic() || char == '_');
            begins_as_one && name.parse::<f64>().is_err() && name.len() <= MAX_NAME_BYTES
        };
        self.names.len() > 1 && self.has_all_names && self.names.iter().all(is_name)
    }

    /// Whether a line is a header again: no number is in it, and it begins as this header does or
    /// names its x.
    pub fn is_repeated_by(&self, cells: &[Cow<str>], values: &[Value]) -> bool {
        if cells[0].starts_with(|char: char| char.is_ascii_digit())
            || values
                .iter()
                .any(|value| matches!(value, Value::Number(..)))
        {
            return false;
        }
        let names = unique_names(cells);
        names.first() == self.names.first()
            || self.x.is_some_and(|x| names.contains(&self.names[x]))
    }

    /// Makes the columns that first hold a number in these rows, in the order in which the numbers
    /// come.
    pub fn name_columns(&self, values: &[Values], columns: &mut Columns, metrics: &mut Metrics) {
        let first = |values: &Values| match values {
            Values::Dense(values) => (!values.is_empty()).then_some(0),
            Values::Sparse(values) => values.iter().position(Option::is_some),
        };
        let unknown = (0..values.len()).filter(|at| self.numbers(*at, columns).is_none());
        let mut new: Vec<_> = unknown
            .filter_map(|at| Some((first(&values[at])?, at)))
            .collect();
        new.sort_unstable();
        for (_, at) in new {
            columns.numbers(self.targets[at], metrics);
        }
    }
}

/// The column that places the rows: of those whose names say so the preferred one, and one that
/// the first row leaves empty only if all are.
fn x_of(names: &[String], row: Option<&[Value]>) -> Option<usize> {
    let value = |at: usize| row.and_then(|row| row.get(at));
    let is_date = |at: usize| match value(at) {
        Some(Value::Number(_, Some(Unit::Date))) => true,
        Some(Value::Number(number, None)) => *number > names::FIRST_DATE,
        _ => false,
    };
    let ranked = |at: usize| {
        let (rank, kind) = names::place(&names[at])?;
        if kind == Kind::Date && !is_date(at) {
            return None;
        }
        let is_empty = row.is_some() && !matches!(value(at), Some(Value::Number(..)));
        Some((is_empty, rank, at))
    };
    let best = (0..names.len()).filter_map(ranked).min()?;
    Some(best.2)
}

/// Whether the first column is a nameless one that counts the rows, as pandas writes its index.
fn is_index(cells: &[Cow<str>], row: Option<&[Value]>) -> bool {
    let is_nameless = cells.len() > 1 && (cells[0].trim().is_empty() || cells[0] == UNNAMED);
    let first = row.and_then(|row| row.first());
    let counts =
        matches!(first, Some(Value::Number(first, None)) if *first == 0.0 || *first == 1.0);
    is_nameless && counts && cells[1..].iter().any(|cell| !cell.trim().is_empty())
}

/// Names as shown: cleaned, a missing one by its place, and a repeated one numbered, so that every
/// column has its own name.
fn unique_names(cells: &[Cow<str>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    let mut taken: HashSet<String> = HashSet::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let mut name = if cell.contains(['\n', '\r']) {
            clean(&cell.replace(['\n', '\r'], " ")).into_owned()
        } else {
            clean(cell).into_owned()
        };
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
    use crate::metrics::cells::{Separator, split};
    use crate::metrics::value::value;

    fn cells(line: &str) -> Vec<Cow<'_, str>> {
        split(line, Separator::Comma)
    }

    fn values(line: &str) -> Vec<Value> {
        cells(line).iter().map(|cell| value(cell, false)).collect()
    }

    fn above(line: &str, row: Option<&str>) -> Header {
        let row = row.map(values);
        let start = Start {
            row: row.as_deref(),
            x_name: None,
        };
        Header::new(&cells(line), &start, &mut Columns::default())
    }

    fn header(line: &str) -> Header {
        above(line, None)
    }

    #[test]
    fn the_finest_place_is_x_in_any_case() {
        for (line, x) in [
            ("epoch,loss", "epoch"),
            ("Wall time,Step,Value", "Step"),
            ("epoch,loss,global_step", "global_step"),
            ("Epoch,loss,Global Step,step", "Global Step"),
            ("epoch,training_iteration", "training_iteration"),
            (
                "Epoch,AverageEpRet,TotalEnvInteracts,Time",
                "TotalEnvInteracts",
            ),
            ("batch,epoch", "epoch"),
            ("time,loss", "row"),
            ("a,b", "row"),
        ] {
            assert_eq!(header(line).x_name(), x);
        }
    }

    #[test]
    fn the_first_row_says_which_place_is_one() {
        for (line, row, x) in [
            ("epoch,step,loss", "1,,0.5", "epoch"),
            ("epoch,step,loss", "1,5,0.5", "step"),
            ("epoch,step,loss", ",,0.5", "step"),
            ("time,loss", "12.5,0.5", "row"),
            ("time,loss", "1790000000.5,0.5", "time"),
            ("date,loss", "2026-11-30 10:00:00,0.5", "date"),
            ("date,epoch,loss", "2026-11-30 10:00:00,1,0.5", "epoch"),
        ] {
            assert_eq!(above(line, Some(row)).x_name(), x, "{line} {row}");
        }
    }

    #[test]
    fn a_nameless_index_is_the_epoch_where_nothing_else_is_x() {
        for (line, row, names, x) in [
            (",loss", "0,1", ["epoch", "loss"], "epoch"),
            ("Unnamed: 0,loss", "0,1", ["epoch", "loss"], "epoch"),
            (",loss", "0.5,1", ["column 1", "loss"], "row"),
            (",step", "0,100", ["index", "step"], "step"),
            (",", "0,1", ["column 1", "column 2"], "row"),
        ] {
            let header = above(line, Some(row));
            assert_eq!(
                (header.names(), header.x_name()),
                (&names.map(str::to_owned)[..], x)
            );
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
            assert_eq!(
                header.is_repeated_by(&cells(line), &values(line)),
                is_header,
                "{line}"
            );
        }
    }

    #[test]
    fn columns_of_a_part_have_names_of_their_own() {
        let mut columns = Columns::default();
        let start = Start {
            row: None,
            x_name: None,
        };
        let mut header = Header::new(&cells("epoch,phase,loss,val_acc"), &start, &mut columns);
        let named = |at: usize, part, header: &mut Header, columns: &mut Columns| {
            let target = header.target(at, part, columns);
            columns.name(target).to_owned()
        };
        for (at, part, name) in [
            (0, Some(Split::Train), "epoch"),
            (2, Some(Split::Train), "train_loss"),
            (2, Some(Split::Validation), "val_loss"),
            (3, Some(Split::Train), "val_acc"),
            (2, None, "loss"),
        ] {
            assert_eq!(named(at, part, &mut header, &mut columns), name);
        }
    }
}
