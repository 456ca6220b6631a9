//! The order of the table: what it is sorted and grouped by, which row the cursor is on, and what
//! of it is in sight.

use std::collections::HashMap;

use jiff::Timestamp;

use super::groups::{Group, Line};
use super::table::{Row, Runs};
use crate::view::columns::Column;
use crate::view::sort_key::{SortKey, TableColumn};
use traintop_analysis::query::Subject;
use traintop_run::RunDir;
use traintop_run::summary::Summary;
use traintop_run::usual::Usual;

/// The value of a run that says which sweep it is a point of.
const SWEEP: &str = "sweep";

/// A row of the table.
pub enum Seen<'a> {
    /// The header of a group; whether only it shows, and whether the cursor is on it.
    Header(&'a Group, bool, bool),
    Run(&'a Row),
}

impl Runs {
    /// Puts the runs in order, and shows those that pass. The cursor stays on its run, or where it
    /// was.
    pub fn arrange(&mut self) {
        self.sort_all();
        self.sift();
    }

    /// Puts all runs in order, whether they pass or not: a key in the query then only has to go
    /// through them.
    pub(super) fn sort_all(&mut self) {
        self.query.memo.forget();
        let summed = self.rows.values().filter_map(|row| row.summary.as_ref());
        let mut summed: Vec<&Summary> = summed.collect();
        self.usual = Usual::of(summed.iter().copied());
        let (key, descending) = &self.sort;
        key.sort(&mut summed, self.query.now, *descending);
        let unknown = self.rows.values().filter(|row| row.summary.is_none());
        let mut unknown: Vec<&RunDir> = unknown.map(|row| &row.found.dir).collect();
        // Folders are named by the time at which they were made.
        unknown.sort_by(|a, b| b.cmp(a));
        // By their folders of now: a summary may still name an earlier one.
        let mut place: HashMap<*const Summary, &RunDir> = HashMap::with_capacity(summed.len());
        for row in self.rows.values() {
            if let Some(summary) = &row.summary {
                place.insert(std::ptr::from_ref(summary), &row.found.dir);
            }
        }
        let known = summed
            .into_iter()
            .filter_map(|summary| place.get(&std::ptr::from_ref(summary)).copied());
        self.sorted = known.chain(unknown).cloned().collect();
    }

    /// Shows the runs that pass the query, under headers if they are grouped.
    pub(super) fn sift(&mut self) {
        let was = self.order_place();
        let rows: Vec<&Row> = {
            let rows = self.sorted.iter().filter_map(|dir| self.rows.get(dir));
            rows.collect()
        };
        let query = &mut self.query;
        let subjects = rows.iter().map(|row| Subject {
            summary: row.summary.as_ref(),
            dir: &row.found.dir,
            now: query.now,
            samples: &query.samples,
        });
        let shown: Vec<&Row> = if query.editing {
            let subjects: Vec<Subject> = subjects.collect();
            let passing = query.memo.passing(&query.filter, &subjects);
            let rows = rows.iter().zip(passing).filter(|(_, passes)| *passes);
            rows.map(|(row, _)| *row).collect()
        } else {
            let rows = rows.iter().zip(subjects);
            let passing = rows.filter(|(_, subject)| query.filter.passes(subject));
            passing.map(|(row, _)| *row).collect()
        };
        let shown = {
            // A sweep shows its best run first, unless the user chose another order.
            let by = self.grouping.by.as_ref().map(SortKey::name);
            let best_first = by.as_deref() == Some(SWEEP) && self.sort.0 == Column::Age;
            self.grouping
                .gather(shown, &self.columns, best_first, self.query.now)
        };
        self.order = shown.iter().map(|row| row.found.dir.clone()).collect();
        let order = &self.order;
        if let Some(expected) = self.expected.take_if(|expected| order.contains(expected)) {
            self.cursor = Some(expected);
            self.touched = true;
        }
        if !self.touched {
            self.cursor = self.order.first().cloned();
        } else if self.order_place().is_none() {
            let at = was.unwrap_or(0).min(self.order.len().saturating_sub(1));
            self.cursor = self.order.get(at).cloned();
        }
        self.see_folded();
    }

    /// Sifts again if the query names an age; says whether that has changed which runs pass.
    pub fn sift_by_age(&mut self, height: u16) -> bool {
        if self.query.filter.ages().is_empty() {
            return false;
        }
        let before = self.order.clone();
        self.sift();
        self.keep_in_sight(height);
        self.order != before
    }

    /// When the next run comes to an age that the query names.
    pub(super) fn next_age(&self, now: Timestamp) -> Option<Timestamp> {
        let ages = self.query.filter.ages();
        let summaries = self.rows.values().filter_map(|row| row.summary.as_ref());
        let summaries = summaries.filter(|_| !ages.is_empty());
        let due = summaries.flat_map(|summary| {
            let begun = summary.started_at.unwrap_or(summary.modified_at);
            // A second later it is past that age by any sign.
            let at = move |age: &f64| begun.as_second().checked_add(*age as i64 + 1);
            ages.iter().filter_map(at)
        });
        let next = due.filter(|second| *second > now.as_second()).min();
        next.and_then(|second| Timestamp::from_second(second).ok())
    }

    /// All runs in the order of the table.
    pub fn in_order(&self) -> impl Iterator<Item = &Summary> {
        let rows = self.sorted.iter().filter_map(|dir| self.rows.get(dir));
        rows.filter_map(|row| row.summary.as_ref())
    }

    /// Where the cursor's run is in the order.
    fn order_place(&self) -> Option<usize> {
        let cursor = self.cursor.as_ref()?.path().as_os_str();
        // As texts: to compare paths part by part takes ten times as long.
        let is_it = |dir: &RunDir| dir.path().as_os_str() == cursor;
        // Asked several times a frame, of thousands of runs: it is mostly where it was.
        let was = self.cursor_place.get();
        if self.order.get(was).is_some_and(is_it) {
            return Some(was);
        }
        let place = self.order.iter().position(is_it);
        self.cursor_place.set(place.unwrap_or(was));
        place
    }

    /// The place of the cursor's run in the order.
    pub(super) fn position(&self) -> usize {
        self.order_place().unwrap_or(0)
    }

    /// How many rows the table has, headers among them.
    pub(super) fn line_count(&self) -> usize {
        if self.grouping.by.is_some() {
            self.grouping.lines.len()
        } else {
            self.order.len()
        }
    }

    /// The row that the cursor is on.
    pub(super) fn line(&self) -> usize {
        let at = self.position();
        if self.grouping.by.is_none() {
            return at;
        }
        let header = self
            .grouping
            .group_of(at)
            .filter(|_| self.grouping.on_header);
        let line = header.map_or(Line::Run(at), Line::Header);
        let lines = &self.grouping.lines;
        lines.iter().position(|known| *known == line).unwrap_or(0)
    }

    /// A cursor whose run is folded away is on the header.
    fn see_folded(&mut self) {
        let Some(group) = self.grouping.group_of(self.position()) else {
            return;
        };
        let group = &self.grouping.groups[group];
        if self.grouping.folded.contains(&group.label) {
            self.grouping.on_header = true;
        }
        if self.grouping.on_header {
            self.cursor = self.order.get(group.runs.start).cloned();
        }
    }

    pub(super) fn move_to(&mut self, at: usize, height: u16, now: Timestamp) {
        let at = at.min(self.line_count().saturating_sub(1));
        let line = if self.grouping.by.is_some() {
            self.grouping.lines.get(at).copied()
        } else {
            Some(Line::Run(at))
        };
        let place = match line {
            Some(Line::Run(place)) => place,
            Some(Line::Header(group)) => self.grouping.groups[group].runs.start,
            None => 0,
        };
        self.grouping.on_header = matches!(line, Some(Line::Header(_)));
        self.cursor = self.order.get(place).cloned();
        self.scroll(at, height);
        self.moved(now);
        self.touched = true;
    }

    /// Puts the cursor on a run; takes the query away if that hides it. Says whether it did.
    pub fn jump(&mut self, dir: &RunDir, height: u16, now: Timestamp) -> bool {
        let hidden = !self.order.contains(dir);
        if hidden {
            self.query.clear();
            self.unsaved = true;
            self.reread_query();
        }
        self.cursor = Some(dir.clone());
        self.grouping.on_header = false;
        if let Some(group) = self.grouping.group_of(self.position()) {
            let label = &self.grouping.groups[group].label;
            self.grouping.folded.remove(label);
            self.grouping.lay_out();
        }
        self.scroll(self.line(), height);
        self.moved(now);
        self.touched = true;
        hidden
    }

    /// Brings row `at` into sight, in the middle if it was not: scrolling by single rows would send
    /// the whole table again with each move beyond an edge, which is slow on a slow line.
    fn scroll(&mut self, at: usize, height: u16) {
        let height = usize::from(height).max(1);
        if !(self.top..self.top + height).contains(&at) {
            self.top = at.saturating_sub(height / 2);
        }
        self.top = self.top.min(self.line_count().saturating_sub(height));
    }

    /// Keeps the cursor on the screen after the order or the size has changed.
    pub fn keep_in_sight(&mut self, height: u16) {
        self.scroll(self.line(), height);
    }

    /// Sorts by another of the columns.
    pub(super) fn sort_by(&mut self, step: isize) {
        // By one that has nothing to show the order would seem to be none.
        let columns = self.shown_columns();
        let count = columns.len().max(1) as isize;
        let is_sorted = |shown: &TableColumn| shown.key == self.sort.0;
        let at = columns.iter().position(is_sorted);
        let at = (at.unwrap_or(0) as isize + step).rem_euclid(count) as usize;
        if let Some(column) = columns.get(at) {
            self.sort_on(&column.key);
        }
    }

    /// Sorts by this; accuracies from the best down.
    pub fn sort_on(&mut self, key: &SortKey) {
        self.sort = (key.clone(), key.is_descending());
        self.unsaved = true;
        self.arrange();
    }

    /// Groups by sweeps, unless the runs are grouped already; says whether it did.
    pub fn group_sweeps(&mut self) -> bool {
        let is_new = self.grouping.by.is_none();
        if is_new {
            self.group_on(SortKey::named(SWEEP));
        }
        is_new
    }

    /// Groups by this, or not any more.
    pub fn group_on(&mut self, by: Option<SortKey>) {
        self.grouping.folded.clear();
        self.grouping.on_header = false;
        self.grouping.by = by;
        self.unsaved = true;
        self.sift();
    }

    /// Folds the group of the cursor's run up, or unfolds it.
    pub fn fold(&mut self) {
        if let Some(group) = self.grouping.group_of(self.position()) {
            let label = self.grouping.groups[group].label.clone();
            if !self.grouping.folded.remove(&label) {
                self.grouping.folded.insert(label);
            }
            self.grouping.lay_out();
            self.see_folded();
        }
    }

    /// Folds all groups up, or unfolds them if they are.
    pub fn fold_all(&mut self) {
        let labels = self.grouping.groups.iter().map(|group| &group.label);
        if self.grouping.folded.is_empty() {
            self.grouping.folded = labels.cloned().collect();
        } else {
            self.grouping.folded.clear();
        }
        self.grouping.lay_out();
        self.see_folded();
    }

    /// Whether the cursor is on a group's header.
    pub fn is_on_header(&self) -> bool {
        self.grouping.on_header && self.grouping.by.is_some()
    }

    /// The runs of the group on whose header the cursor is.
    pub(super) fn of_header(&self) -> Option<&[RunDir]> {
        let group = self.grouping.group_of(self.position())?;
        let runs = self.grouping.groups[group].runs.clone();
        self.is_on_header().then(|| &self.order[runs])
    }

    /// What is on the screen, row by row.
    pub fn seen(&self, height: u16) -> impl Iterator<Item = Seen<'_>> {
        let grouping = &self.grouping;
        let at = self
            .is_on_header()
            .then(|| grouping.group_of(self.position()));
        let at = at.flatten();
        let lines = self.top..self.line_count().min(self.top + usize::from(height));
        lines.filter_map(move |line| {
            let line = if grouping.by.is_some() {
                *grouping.lines.get(line)?
            } else {
                Line::Run(line)
            };
            Some(match line {
                Line::Run(place) => Seen::Run(self.rows.get(self.order.get(place)?)?),
                Line::Header(number) => {
                    let group = grouping.groups.get(number)?;
                    let folded = grouping.folded.contains(&group.label);
                    Seen::Header(group, folded, at == Some(number))
                }
            })
        })
    }

    /// The runs on the screen.
    pub fn on_screen(&self, height: u16) -> impl Iterator<Item = &Row> {
        self.seen(height).filter_map(|seen| match seen {
            Seen::Run(row) => Some(row),
            Seen::Header(..) => None,
        })
    }
}
