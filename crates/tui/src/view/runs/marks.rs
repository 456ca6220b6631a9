//! Marks: which runs the next action is about. They stay through filter, order, search and restart.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::table::Runs;
use traintop_run::RunDir;
use traintop_run::summary::Summary;

/// What stands before a marked run.
pub const MARK: &str = "◆";

/// The marked runs, and the range that is being marked.
#[derive(Debug, Default)]
pub struct Marks {
    kept: HashSet<RunDir>,
    /// Where the range began.
    anchor: Option<RunDir>,
    /// Marked runs whose folders are gone, by the run's id: another program may have given one
    /// another name.
    gone: HashMap<String, RunDir>,
    /// Folders that have come since the last search, by the id of a marked run that they have too:
    /// a copy, or the run itself by another name. The next search tells.
    come: HashMap<String, RunDir>,
    unsaved: bool,
}

impl Runs {
    /// The runs that an action is about: the marked ones in the table's order, then those that the
    /// filter hides; if none is marked, the one under the cursor, or on a group's header all of
    /// that group.
    pub fn chosen(&self) -> Vec<RunDir> {
        let mut hidden: BTreeSet<&RunDir> = self.marked().into_iter().collect();
        if hidden.is_empty() {
            if let Some(runs) = self.of_header() {
                return runs.to_vec();
            }
            return self.cursor.clone().into_iter().collect();
        }
        let shown: Vec<_> = self
            .order
            .iter()
            .filter(|dir| hidden.remove(dir))
            .cloned()
            .collect();
        shown
            .into_iter()
            .chain(hidden.into_iter().cloned())
            .collect()
    }

    /// The marked runs, those of an open range among them.
    pub fn marked(&self) -> HashSet<&RunDir> {
        let kept = self.marks.kept.iter();
        let range = self.range().map(|range| self.order[range].iter());
        kept.filter(|dir| self.rows.contains_key(*dir))
            .chain(range.into_iter().flatten())
            .collect()
    }

    /// How many runs are marked, and how many of them the filter hides.
    pub fn mark_counts(&self) -> (usize, usize) {
        let marked = self.marked();
        let shown = self.order.iter().filter(|dir| marked.contains(dir));
        (marked.len(), marked.len() - shown.count())
    }

    /// Whether a range is being marked.
    pub fn is_marking(&self) -> bool {
        self.marks.anchor.is_some()
    }

    /// The rows of the range that is being marked, by their places in the order.
    fn range(&self) -> Option<RangeInclusive<usize>> {
        let anchor = self.marks.anchor.as_ref()?;
        let from = self.order.iter().position(|dir| dir == anchor)?;
        let to = self.position();
        Some(from.min(to)..=from.max(to))
    }

    /// Ends a range, and keeps its marks.
    fn end_range(&mut self) {
        if let Some(range) = self.range() {
            self.marks.kept.extend(self.order[range].iter().cloned());
        }
        self.marks.anchor = None;
    }

    /// Marks the run under the cursor, or unmarks it, and moves to the next; a range that is being
    /// marked ends.
    pub(super) fn toggle_mark(&mut self, height: u16, now: Timestamp) {
        if self.is_marking() {
            return self.toggle_range(now);
        }
        if let Some(cursor) = self.cursor.clone()
            && !self.marks.kept.remove(&cursor)
        {
            self.marks.kept.insert(cursor);
        }
        self.marks.unsaved = true;
        self.move_to(self.line() + 1, height, now);
    }

    /// Begins a range at the cursor, or ends it at the cursor.
    pub(super) fn toggle_range(&mut self, now: Timestamp) {
        if self.is_marking() {
            self.end_range();
            self.changed_marks(now);
        } else {
            self.marks.anchor.clone_from(&self.cursor);
        }
    }

    /// Gives a range up; says whether there was one.
    pub(super) fn leave_range(&mut self) -> bool {
        self.marks.anchor.take().is_some()
    }

    /// Marks all runs that pass the filter.
    pub(super) fn mark_shown(&mut self, now: Timestamp) {
        self.end_range();
        self.marks.kept.extend(self.order.iter().cloned());
        self.changed_marks(now);
    }

    /// Of the runs that pass the filter, marks those that are not, and no others.
    pub(super) fn invert_marks(&mut self, now: Timestamp) {
        self.end_range();
        for dir in &self.order {
            if !self.marks.kept.remove(dir) {
                self.marks.kept.insert(dir.clone());
            }
        }
        self.changed_marks(now);
    }

    /// Takes all marks away, also those of runs that the filter hides.
    pub(super) fn unmark_all(&mut self, now: Timestamp) {
        self.marks.anchor = None;
        self.marks.kept.clear();
        self.changed_marks(now);
    }

    /// Takes in the marks of before.
    pub fn remember_marks(&mut self, dirs: Vec<RunDir>) {
        // Another process was quicker: what it kept lacks these.
        self.marks.unsaved |= !self.marks.kept.is_empty();
        self.marks.kept.extend(dirs);
    }

    /// A marked run whose folder has another name now stays marked.
    pub fn mark_follows(&mut self, from: &RunDir, to: &RunDir) {
        if self.marks.kept.remove(from) {
            self.marks.kept.insert(to.clone());
            self.marks.unsaved = true;
        }
    }

    /// A run's folder is gone: its mark goes to the folder that has its id now, or will.
    pub(super) fn mark_leaves(&mut self, dir: &RunDir) {
        let summary = self.row(dir).and_then(|row| row.summary.as_ref());
        let Some(id) = summary.map(|summary| summary.id.clone()) else {
            return;
        };
        if !self.marks.kept.contains(dir) {
            return;
        }
        match self.marks.come.remove(&id) {
            Some(there) if there != *dir => self.mark_follows(dir, &there),
            _ => drop(self.marks.gone.insert(id, dir.clone())),
        }
    }

    /// All roots were searched: what has come beside a marked run that is still there is a copy of
    /// it.
    pub(super) fn marks_are_settled(&mut self) {
        self.marks.come.clear();
    }

    /// A run was summed up: if a marked one that is gone had its id, it is that one, and marked.
    pub(super) fn mark_returns(&mut self, summary: &Summary) {
        let (id, dir) = (&summary.id, &summary.dir);
        let is_new = self.row(dir).is_none_or(|row| row.summary.is_none());
        let has_id = |marked: &&RunDir| {
            let row = self.row(marked).and_then(|row| row.summary.as_ref());
            row.is_some_and(|row| row.id == *id && row.dir != *dir)
        };
        if is_new && self.marks.kept.iter().any(|marked| has_id(&marked)) {
            self.marks.come.insert(id.clone(), dir.clone());
        }
        if let Some(gone) = self.marks.gone.remove(&summary.id) {
            self.marks.kept.remove(&gone);
            self.marks.kept.insert(summary.dir.clone());
            self.marks.unsaved = true;
        }
    }

    /// Lets marks go of runs that are no longer anywhere.
    pub(super) fn forget_lost_marks(&mut self) {
        let (rows, kept) = (&self.rows, &mut self.marks.kept);
        let before = kept.len();
        kept.retain(|dir| rows.contains_key(dir));
        self.marks.unsaved |= kept.len() != before;
    }

    fn changed_marks(&mut self, now: Timestamp) {
        self.marks.unsaved = true;
        self.moved(now);
    }

    /// The marks to be kept for the next start, if they have changed since they were last asked
    /// for.
    pub fn unsaved_marks(&mut self) -> Option<Vec<RunDir>> {
        if !std::mem::take(&mut self.marks.unsaved) {
            return None;
        }
        let mut kept: Vec<_> = self.marks.kept.iter().cloned().collect();
        kept.sort();
        Some(kept)
    }
}
