//! What the table of runs holds: the runs, those that pass the filter in their order, and where the
//! cursor is.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::groups::Grouping;
use super::marks::Marks;
use super::query_line::QueryLine;
use crate::evaluations::Evaluations;
use crate::message::ValuesAtEpoch;
use crate::view::columns::{self, Column};
use crate::view::sort_key::{SortKey, TableColumn};
use traintop_run::RunDir;
use traintop_run::finding::Finding;
use traintop_run::found::Found;
use traintop_run::run_names;
use traintop_run::state::State;
use traintop_run::summary::Summary;
use traintop_run::usual::Usual;
use traintop_text as text;

/// How long the cursor must rest before the runs on the screen are read: moving through a list must
/// cost little on a slow line.
const REST: Duration = Duration::from_millis(250);

/// A run in the table.
#[derive(Debug)]
pub struct Row {
    /// Where it was found, and in what condition.
    pub found: Found,
    /// What is known of it; `None` until it was summed up.
    pub summary: Option<Summary>,
}

/// The table of runs.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something else about the table, in any combination"
)]
pub struct Runs {
    pub(super) rows: HashMap<RunDir, Row>,
    /// The runs that pass the filter, in the order of the table.
    pub(super) order: Vec<RunDir>,
    pub(super) cursor: Option<RunDir>,
    /// Where in the order the cursor's run was found last.
    pub(super) cursor_place: Cell<usize>,
    /// The first row on the screen.
    pub(super) top: usize,
    pub(super) sort: (SortKey, bool),
    pub(super) columns: Vec<TableColumn>,
    /// Whether the user chose them here; else they are the configuration's.
    pub(super) columns_chosen: bool,
    /// All runs in the order of the table, whether they pass or not.
    pub(super) sorted: Vec<RunDir>,
    /// What most of them are judged by.
    pub(super) usual: Option<Usual>,
    pub(super) grouping: Grouping,
    pub(super) marks: Marks,
    pub(super) query: QueryLine,
    /// Whether something that is remembered has changed since it was last asked for.
    pub(super) unsaved: bool,
    /// Whether all roots have been searched.
    pub(super) searched: bool,
    pub(super) problems: Vec<String>,
    /// When the cursor moved last, until it has rested.
    moved_at: Option<Timestamp>,
    /// Whether the user has moved the cursor, or all is known: until then it stays on the first
    /// run.
    pub(super) touched: bool,
    /// A run that was just started: the cursor goes to it when it appears.
    pub(super) expected: Option<RunDir>,
    /// Runs that came since the last search began: it may have listed their folder before.
    arrived: HashSet<RunDir>,
    /// Whether runs came, went or have other names, so that other names may tell them apart.
    are_names_stale: bool,
}

/// How far below a run's folder its metrics may lie.
const MOST_LEVELS: usize = 8;

impl Default for Runs {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            order: Vec::new(),
            cursor: None,
            cursor_place: Cell::default(),
            top: 0,
            sort: (Column::Age.into(), false),
            columns: TableColumn::all(),
            columns_chosen: false,
            sorted: Vec::new(),
            usual: None,
            grouping: Grouping::default(),
            marks: Marks::default(),
            query: QueryLine::default(),
            unsaved: false,
            searched: false,
            problems: Vec::new(),
            moved_at: None,
            touched: false,
            expected: None,
            arrived: HashSet::new(),
            are_names_stale: false,
        }
    }
}

impl Runs {
    /// The reader's time zone, in which days begin.
    pub fn set_zone(&mut self, zone: TimeZone) {
        if self.query.zone != zone {
            self.query.zone = zone;
            self.reread_query();
        }
    }

    /// The time is another.
    pub fn at(&mut self, now: Timestamp) {
        self.query.now = now;
    }

    /// The runs, to be changed: what the query found out about them no longer holds.
    fn rows_mut(&mut self) -> &mut HashMap<RunDir, Row> {
        self.query.memo.forget();
        &mut self.rows
    }

    /// The run under the cursor.
    pub fn selected(&self) -> Option<&Row> {
        self.rows.get(self.cursor.as_ref()?)
    }

    pub fn row(&self, dir: &RunDir) -> Option<&Row> {
        self.rows.get(dir)
    }

    /// The run to which a changed folder belongs: its own, or its `logs`.
    pub fn owner(&self, folder: &Path) -> Option<&RunDir> {
        let own = RunDir::new(folder);
        let parent = folder.parent().map(RunDir::new);
        let known = |dir: RunDir| self.rows.get_key_value(&dir).map(|(dir, _)| dir);
        let of_metrics = || {
            let outer = folder
                .ancestors()
                .skip(2)
                .take(MOST_LEVELS)
                .map(RunDir::new);
            let mut outer = outer.filter_map(|dir| self.rows.get_key_value(&dir));
            let is_its = |row: &Row| row.found.folders().any(|its| its == folder);
            outer.find_map(|(dir, row)| is_its(row).then_some(dir))
        };
        known(own).or_else(|| known(parent?)).or_else(of_metrics)
    }

    /// The runs in the databases of a folder.
    pub fn in_databases(&self, folder: &Path) -> Vec<RunDir> {
        let rows = self.rows.values().map(|row| &row.found);
        let inside = rows.filter(|found| {
            let database = found.dir.path().parent();
            found.is_in_database() && database.and_then(Path::parent) == Some(folder)
        });
        inside.map(|found| found.dir.clone()).collect()
    }

    /// All runs that are known.
    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// Whether text is being typed.
    pub fn is_typing(&self) -> bool {
        self.query.editing
    }

    /// Takes in runs that were found. Returns those that still have to be summed up, those on the
    /// screen first.
    pub fn add(&mut self, found: Vec<(Found, Option<Summary>)>, height: u16) -> Vec<RunDir> {
        let mut unknown = Vec::new();
        let mut is_changed = false;
        for (found, summary) in found {
            let dir = found.dir.clone();
            let known = self
                .rows
                .get(&dir)
                .is_some_and(|row| row.found.stamps == found.stamps && row.summary.is_some());
            if known {
                continue;
            }
            is_changed = true;
            if summary.is_none() {
                unknown.push(dir.clone());
            }
            if let Some(summary) = &summary {
                self.mark_returns(summary);
            }
            let summary =
                summary.or_else(|| self.rows_mut().remove(&dir).and_then(|row| row.summary));
            self.rows_mut().insert(dir, Row { found, summary });
        }
        self.are_names_stale |= is_changed;
        if is_changed || !self.searched {
            self.reread();
        }
        let place: HashMap<&RunDir, usize> = self
            .order
            .iter()
            .enumerate()
            .map(|(at, dir)| (dir, at))
            .collect();
        let on_screen = self.top..self.top + usize::from(height);
        unknown.sort_by_key(|dir| {
            let at = place.get(dir).copied().unwrap_or(usize::MAX);
            (!on_screen.contains(&at), at)
        });
        unknown
    }

    /// Takes in a summary, keeping what only this program counted.
    pub fn update(&mut self, found: Found, mut summary: Summary) {
        let size = self
            .rows
            .get(&found.dir)
            .and_then(|row| row.summary.as_ref()?.size_bytes);
        summary.size_bytes = summary.size_bytes.or(size);
        self.mark_returns(&summary);
        let known = self.rows.get(&found.dir);
        if known.is_none() {
            self.arrived.insert(found.dir.clone());
        }
        match known.and_then(|row| row.summary.as_ref()) {
            Some(known) if known.own_name == summary.own_name => {
                if known.name != known.own_name && summary.name == summary.own_name {
                    summary.name.clone_from(&known.name);
                }
                summary.differs.clone_from(&known.differs);
                self.are_names_stale |= known.settings != summary.settings;
            }
            _ => self.are_names_stale = true,
        }
        self.query.samples.forget(&found.dir);
        let evaluated = || known?.summary.as_ref()?.evaluated.clone();
        summary.evaluated = summary.evaluated.or_else(evaluated);
        self.rows_mut().insert(
            found.dir.clone(),
            Row {
                found,
                summary: Some(summary),
            },
        );
    }

    /// Adds a warning to those of a run that trains.
    pub fn warn(&mut self, dir: &RunDir, finding: &Finding) {
        let summary = self.rows.get_mut(dir).and_then(|row| row.summary.as_mut());
        let signs = summary.and_then(|summary| Some(&mut summary.health.as_mut()?.signs));
        if let Some(signs) = signs {
            signs.retain(|sign| sign.kind != finding.kind);
            signs.push(finding.clone());
        }
    }

    /// The output trees in whose queues runs wait.
    pub fn queues(&self) -> BTreeSet<&Path> {
        let summaries = self.all().filter_map(|row| row.summary.as_ref());
        let waiting = summaries
            .filter(|summary| summary.observed.state == State::Queued && summary.job.is_none());
        waiting
            .filter_map(|summary| summary.dir.output_tree())
            .collect()
    }

    /// The runs that wait, those of each tree in their order.
    pub fn waiting(&self) -> Vec<&RunDir> {
        let summaries = self.all().filter_map(|row| row.summary.as_ref());
        let mut waiting: Vec<_> = summaries
            .filter(|summary| summary.observed.state == State::Queued)
            .collect();
        waiting.sort_by_key(|summary| {
            let position = summary.queue_position.unwrap_or(i64::MAX);
            (summary.dir.output_tree(), position, &summary.dir)
        });
        waiting.into_iter().map(|summary| &summary.dir).collect()
    }

    /// Puts the cursor on this run, now or as soon as it is there.
    pub fn expect(&mut self, dir: RunDir) {
        if self.order.contains(&dir) {
            (self.cursor, self.touched) = (Some(dir), true);
        } else {
            self.expected = Some(dir);
        }
    }

    /// A run that was just started, and that the filter hides; it is told once.
    pub fn hidden_new_run(&mut self) -> Option<String> {
        let dir = self.expected.as_ref()?;
        let title = self.rows.get(dir)?.summary.as_ref()?.title().into_owned();
        self.expected = None;
        Some(title)
    }

    /// Takes in sizes.
    pub fn measured(&mut self, sizes: Vec<(RunDir, u64)>) {
        for (dir, size) in sizes {
            if let Some(summary) = self
                .rows_mut()
                .get_mut(&dir)
                .and_then(|row| row.summary.as_mut())
            {
                summary.size_bytes = Some(size);
            }
        }
        if self.sort.0 == Column::Size {
            self.arrange();
        }
    }

    /// Gives each run its best evaluation.
    pub fn stamp(&mut self, evaluations: &Evaluations) {
        let summaries = self.rows_mut().values_mut();
        let changed = summaries
            .filter_map(|row| row.summary.as_mut())
            .filter_map(|summary| evaluations.stamp(summary).then_some(()))
            .count();
        if changed > 0 && self.sort.0 == Column::Test {
            self.arrange();
        }
    }

    /// A run that is gone.
    pub fn remove(&mut self, dir: &RunDir) {
        self.mark_leaves(dir);
        self.rows_mut().remove(dir);
        self.are_names_stale = true;
        self.tell_names_apart();
        self.arrange();
    }

    /// A search of all roots begins.
    pub fn search_begins(&mut self) {
        self.arrived.clear();
    }

    /// Whether a search that has just ended may have missed this run.
    pub fn is_newer_than_search(&self, dir: &RunDir) -> bool {
        self.arrived.contains(dir)
    }

    /// All roots were searched and hold these runs.
    pub fn searched(&mut self, dirs: &[RunDir], problems: Vec<String>) {
        let arrived = std::mem::take(&mut self.arrived);
        let there: HashSet<_> = dirs.iter().chain(&arrived).collect();
        let gone = self.rows.keys().filter(|dir| !there.contains(dir));
        for dir in gone.cloned().collect::<Vec<_>>() {
            self.mark_leaves(&dir);
        }
        self.marks_are_settled();
        let count = self.rows.len();
        self.rows_mut().retain(|dir, _| there.contains(dir));
        self.are_names_stale |= self.rows.len() != count;
        self.searched = true;
        // What could not be searched may hold them.
        if problems.is_empty() {
            self.forget_lost_marks();
        }
        self.problems = problems;
        self.reread();
    }

    /// The runs are others, or the query is: it is read anew, and the runs that pass are put in
    /// order.
    pub fn reread(&mut self) {
        self.tell_names_apart();
        self.query.forget_names();
        self.sort_all();
        self.reread_query();
    }

    fn tell_names_apart(&mut self) {
        if std::mem::take(&mut self.are_names_stale) {
            let rows = self.rows_mut().values_mut();
            run_names::tell_apart(rows.filter_map(|row| row.summary.as_mut()));
        }
    }

    /// Another key was typed into the query.
    pub(super) fn typed(&mut self) {
        if !self.query.passes_over_still() {
            self.reread_query();
        }
    }

    /// The query is another.
    pub(super) fn reread_query(&mut self) {
        self.query.read(&self.rows, self.searched);
        self.sift();
        let is_lost = self.order.is_empty() && self.query.problem.is_none();
        if is_lost && self.query.pass_over_name(&self.rows) {
            self.sift();
        }
    }

    /// The epochs at which the query asks for values, and the runs of which they were not read.
    pub fn unsampled(&mut self) -> Option<(Vec<u32>, Vec<RunDir>)> {
        let epochs = self.query.filter.epochs();
        if epochs.is_empty() {
            return None;
        }
        let summed = self.rows.values().filter(|row| row.summary.is_some());
        let dirs = summed.map(|row| &row.found.dir);
        let missing = self.query.samples.missing(dirs, &epochs);
        // Asked for once: what stands for them until the answer comes is nothing.
        for dir in &missing {
            for epoch in &epochs {
                self.query.samples.insert(dir.clone(), *epoch, Vec::new());
            }
        }
        let epochs = epochs.into_iter().collect();
        (!missing.is_empty()).then_some((epochs, missing))
    }

    /// Takes in values of chosen epochs.
    pub fn sampled(&mut self, samples: Vec<ValuesAtEpoch>) {
        for sample in samples {
            let samples = &mut self.query.samples;
            samples.insert(sample.dir, sample.epoch, sample.values);
        }
        self.arrange();
    }

    /// All runs are known: from now on the cursor stays with its run, wherever the order puts it.
    pub fn settle(&mut self) {
        self.touched = true;
    }

    /// Whether all roots have been searched.
    pub fn is_searched(&self) -> bool {
        self.searched
    }

    /// The user changed what is looked at, or what is marked: once that rests, it is looked at
    /// more closely and kept.
    pub(super) fn moved(&mut self, now: Timestamp) {
        self.moved_at = Some(now);
    }

    /// The runs that the filter shows, in their order.
    pub fn shown(&self) -> impl Iterator<Item = &Row> {
        self.order.iter().filter_map(|dir| self.rows.get(dir))
    }

    /// Whether the cursor has rested long enough; true once after each move.
    pub fn has_rested(&mut self, now: Timestamp) -> bool {
        let rested = self.moved_at.is_some_and(|moved| now >= moved + REST);
        if rested {
            self.moved_at = None;
        }
        rested
    }

    /// When the cursor has rested, or visible ages read differently: those change together, on the
    /// clock's whole minutes, and may be a minute behind, so that a screen of young runs is not
    /// drawn again every few seconds.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        let rest = self.moved_at.map(|moved| moved + REST);
        // A screen has far fewer rows than this; those beyond it change no sooner to the eye.
        let ages = self.on_screen(200).filter_map(|row| {
            let (_, left) = text::since(columns::age(row.summary.as_ref()?, now));
            let changes = now.checked_add(left).ok()?;
            Timestamp::from_second(changes.as_second() / 60 * 60 + 60).ok()
        });
        let passing = self.next_age(now);
        rest.into_iter().chain(ages).chain(passing).min()
    }
}
