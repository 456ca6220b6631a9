//! Runs under headers, by a value: how many a group has, and the mean and the deviation of its
//! numbers.

use std::collections::HashSet;
use std::ops::Range;

use jiff::Timestamp;

use super::table::Row;
use crate::view::sort_key::{SortKey, TableColumn};
use traintop_analysis::compare::Aggregate;
use traintop_analysis::shared_settings;
use traintop_run::settings::Settings;

/// The fact by which runs are explained that failed.
const CAUSE: &str = "cause";

/// The label of the runs that have no value.
pub const NOTHING: &str = "-";

/// How the table is grouped.
#[derive(Debug, Default)]
pub struct Grouping {
    pub(super) by: Option<SortKey>,
    pub(super) groups: Vec<Group>,
    /// Labels of the groups of which only the header shows.
    pub(super) folded: HashSet<String>,
    /// What the table shows, row by row; empty where nothing is grouped.
    pub(super) lines: Vec<Line>,
    /// Whether the cursor is on the header of its run's group.
    pub(super) on_header: bool,
}

/// A row of a grouped table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The header of a group, by its number.
    Header(usize),
    /// A run, by its place in the order.
    Run(usize),
}

/// Runs that have one value.
#[derive(Debug, PartialEq)]
pub struct Group {
    /// The value.
    pub label: String,
    /// Its runs, by their places in the order.
    pub runs: Range<usize>,
    /// What its runs have in common and most others have not, where it explains something: of
    /// causes.
    pub alike: Option<String>,
    /// Of each column of numbers what a cell of the header says.
    pub said: Vec<(String, Aggregate)>,
}

/// What the runs of a group have in common and those of the others do not.
fn alike(all: &[(String, &Row)], group: &Range<usize>) -> Option<String> {
    let mut others = settings(&all[..group.start]);
    others.extend(settings(&all[group.end..]));
    shared_settings::sentence(&settings(&all[group.clone()]), &others)
}

fn settings<'a>(rows: &[(String, &'a Row)]) -> Vec<&'a Settings> {
    let summaries = rows.iter().filter_map(|(_, row)| row.summary.as_ref());
    summaries.map(|summary| &summary.settings).collect()
}

/// How good a run is, below all others if nothing says.
fn best(row: &Row) -> f64 {
    let best = row
        .summary
        .as_ref()
        .and_then(|summary| Some(summary.best.as_ref()?.goodness()));
    best.filter(|best| !best.is_nan())
        .unwrap_or(f64::NEG_INFINITY)
}

impl Grouping {
    /// Puts `runs`, which are in order, together by their values, and says where each group is.
    /// Groups are in the order of their values: numbers before texts, those without a value last.
    /// Where `best_first`, the runs of a group go by their best values instead.
    pub(super) fn gather<'a>(
        &mut self,
        runs: Vec<&'a Row>,
        columns: &[TableColumn],
        best_first: bool,
        now: Timestamp,
    ) -> Vec<&'a Row> {
        self.groups.clear();
        self.lines.clear();
        let Some(by) = &self.by else {
            self.on_header = false;
            return runs;
        };
        let label = |row: &Row| match &row.summary {
            Some(summary) => by.text(summary, now),
            None => NOTHING.to_owned(),
        };
        let mut labelled: Vec<(String, &Row)> =
            runs.into_iter().map(|row| (label(row), row)).collect();
        let rank = |label: &str| {
            let number = label.parse::<f64>().ok();
            (
                label == NOTHING || label.is_empty(),
                number.is_none(),
                number,
            )
        };
        labelled.sort_by(|(a, _), (b, _)| {
            let (key, other) = (rank(a), rank(b));
            (key.0, key.1)
                .cmp(&(other.0, other.1))
                .then_with(|| match (key.2, other.2) {
                    (Some(a), Some(b)) => a.total_cmp(&b),
                    _ => std::cmp::Ordering::Equal,
                })
                .then_with(|| a.cmp(b))
        });
        if best_first {
            for group in labelled.chunk_by_mut(|(a, _), (b, _)| a == b) {
                if group.first().is_some_and(|(label, _)| label != NOTHING) {
                    group.sort_by(|(_, a), (_, b)| best(b).total_cmp(&best(a)));
                }
            }
        }
        let explains = by.name() == CAUSE;
        let mut start = 0;
        while start < labelled.len() {
            let label = &labelled[start].0;
            let length = labelled[start..]
                .iter()
                .take_while(|(other, _)| other == label)
                .count();
            let members = &labelled[start..start + length];
            let said = columns.iter().filter_map(|shown| {
                let numbers = members
                    .iter()
                    .filter_map(|(_, row)| shown.key.number(row.summary.as_ref()?, now));
                Some((shown.key.name(), Aggregate::of(numbers)?))
            });
            let runs = start..start + length;
            let is_cause = explains && label != NOTHING && !label.is_empty();
            self.groups.push(Group {
                label: label.clone(),
                alike: is_cause.then(|| alike(&labelled, &runs)).flatten(),
                runs,
                said: said.collect(),
            });
            start += length;
        }
        self.lay_out();
        labelled.into_iter().map(|(_, row)| row).collect()
    }

    /// Says again what the table shows, row by row.
    pub(super) fn lay_out(&mut self) {
        let (groups, folded) = (&self.groups, &self.folded);
        let lines = groups.iter().enumerate().flat_map(|(number, group)| {
            let is_folded = folded.contains(&group.label);
            let runs = if is_folded { 0..0 } else { group.runs.clone() };
            std::iter::once(Line::Header(number)).chain(runs.map(Line::Run))
        });
        self.lines = lines.collect();
    }

    /// The group of a run, by its place in the order.
    pub(super) fn group_of(&self, run: usize) -> Option<usize> {
        self.groups
            .iter()
            .position(|group| group.runs.contains(&run))
    }
}
