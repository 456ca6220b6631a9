//! The line in which runs are looked for: a query that is read with every key, what could stand at
//! the cursor, and the queries before.

use std::collections::HashMap;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::table::Row;
use crate::command::Action;
use crate::remembered::MOST_QUERIES;
use crate::widget::prompt::Prompt;
use traintop_analysis::query::complete::{Candidate, complete};
use traintop_analysis::query::filter::{self, Clock, Filter};
use traintop_analysis::query::{Memo, Names, QueryProblem, Samples, Subject};
use traintop_run::RunDir;

#[derive(Debug)]
pub struct QueryLine {
    pub(super) prompt: Prompt,
    /// Whether it is being typed.
    pub(super) editing: bool,
    /// The last query that made sense.
    pub(super) filter: Filter,
    /// What is wrong with what is typed.
    pub(super) problem: Option<QueryProblem>,
    /// What could stand at the cursor.
    pub(super) offer: Option<Offer>,
    /// What can be asked for; gathered when it is first needed.
    names: Option<Names>,
    /// The word that was left out because it may be becoming a name, after the text before it.
    passed_over: Option<(String, String)>,
    /// What was found out while it was typed.
    pub(super) memo: Memo,
    /// Values of chosen epochs.
    pub(super) samples: Samples,
    /// Queries that were used, the last one first.
    pub(super) queries: Vec<String>,
    /// Which of them is shown, and what was typed before.
    recalled: Option<(usize, String)>,
    pub(super) now: Timestamp,
    /// The zone of the reader, in which days begin.
    pub(super) zone: TimeZone,
}

/// What could stand at the cursor.
#[derive(Debug)]
pub struct Offer {
    /// Where the word begins, in bytes.
    pub(super) start: usize,
    pub(super) candidates: Vec<Candidate>,
    /// The one that was put in.
    pub(super) chosen: Option<usize>,
}

impl Default for QueryLine {
    fn default() -> Self {
        Self {
            prompt: Prompt::default(),
            editing: false,
            filter: Filter::Everything,
            problem: None,
            offer: None,
            names: None,
            passed_over: None,
            memo: Memo::default(),
            samples: Samples::default(),
            queries: Vec::new(),
            recalled: None,
            now: Timestamp::UNIX_EPOCH,
            zone: TimeZone::UTC,
        }
    }
}

/// What a key did to the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The text is another: runs are to be filtered anew.
    Changed,
    /// The query stays, and is to be remembered.
    Kept,
    /// Nothing that concerns the table.
    Nothing,
}

impl QueryLine {
    /// The line as it was left.
    pub fn restore(&mut self, query: &str, queries: Vec<String>) {
        self.prompt = Prompt::new(query);
        self.queries = queries;
    }

    /// What is typed.
    pub fn text(&self) -> String {
        self.prompt.text()
    }

    /// What can be asked for among these runs.
    pub(super) fn names(&mut self, rows: &HashMap<RunDir, Row>) -> &Names {
        let summaries = rows.values().filter_map(|row| row.summary.as_ref());
        self.names.get_or_insert_with(|| Names::of(summaries))
    }

    /// The runs are others: what they can be asked for is gathered anew once it is needed.
    pub(super) fn forget_names(&mut self) {
        self.names = None;
    }

    /// Reads what is typed. While it makes no sense the last query that did stays; while not all
    /// runs are known, a name that none bears may still come, and finds nothing until then.
    pub(super) fn read(&mut self, rows: &HashMap<RunDir, Row>, all_known: bool) {
        self.passed_over = None;
        let text = self.prompt.text();
        if text.trim().is_empty() {
            (self.filter, self.problem) = (Filter::Everything, None);
            return;
        }
        let clock = Clock {
            now: self.now,
            zone: self.zone.clone(),
        };
        match filter::read(&text, self.names(rows), &clock) {
            Ok(filter) => (self.filter, self.problem) = (filter, None),
            Err(_) if !all_known && !self.editing => {
                self.filter = Filter::Not(Box::new(Filter::Everything));
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// The text before the word that ends with it at the cursor, and that word, if it may be
    /// becoming a name.
    fn name_in_the_making(&self) -> Option<(String, String)> {
        let text = self.prompt.text();
        let cursor = byte_at(&text, self.prompt.cursor());
        let offer = self.offer.as_ref().filter(|_| self.editing)?;
        let first = offer.candidates.first()?;
        let word = text.get(offer.start..cursor)?;
        let is_one = !word.is_empty() && first.text.starts_with(word) && text.len() == cursor;
        is_one.then(|| (text[..offer.start].to_owned(), word.to_owned()))
    }

    /// Whether what is typed only makes a word longer that was left out: no run holds the longer
    /// one either.
    pub(super) fn passes_over_still(&self) -> bool {
        let name = self.passed_over.as_ref().zip(self.name_in_the_making());
        name.is_some_and(|(passed, now)| now.0 == passed.0 && now.1.starts_with(&passed.1))
    }

    /// Leaves the word at the cursor out, if it may be becoming a name and is no use as a word;
    /// says whether it did.
    pub(super) fn pass_over_name(&mut self, rows: &HashMap<RunDir, Row>) -> bool {
        let Some((text, word)) = self.name_in_the_making() else {
            return false;
        };
        let clock = Clock {
            now: self.now,
            zone: self.zone.clone(),
        };
        let before = text.trim_end_matches(['-', ' ']).to_owned();
        match filter::read(&before, self.names(rows), &clock) {
            Ok(filter) => {
                self.filter = filter;
                self.passed_over = Some((text, word));
                true
            }
            Err(_) => false,
        }
    }

    /// Shows all runs again.
    pub(super) fn clear(&mut self) {
        self.prompt = Prompt::default();
        (self.editing, self.offer, self.recalled) = (false, None, None);
    }

    /// Does what a command says while the line is typed.
    pub(super) fn act(&mut self, action: Action, rows: &HashMap<RunDir, Row>) -> Typed {
        match action {
            Action::Confirm if self.problem.is_some() => Typed::Nothing,
            Action::Confirm => {
                self.keep();
                Typed::Kept
            }
            Action::Back => {
                let offer = self.offer.as_ref();
                if offer.is_some_and(|offer| offer.chosen.is_some()) {
                    self.offer = None;
                    return Typed::Nothing;
                }
                self.clear();
                Typed::Kept
            }
            Action::Complete => self.complete(1, rows),
            Action::CompletePrevious => self.complete(-1, rows),
            Action::Up => self.recall(1),
            Action::Down => self.recall(-1),
            _ => Typed::Nothing,
        }
    }

    /// Takes a key that is text, or moves the cursor in it.
    pub(super) fn type_key(&mut self, event: KeyEvent, rows: &HashMap<RunDir, Row>) -> Typed {
        let before = self.prompt.cursor();
        let changed = self.prompt.key(event);
        if changed || self.prompt.cursor() != before {
            self.recalled = None;
            self.offer(rows);
        }
        if changed {
            Typed::Changed
        } else {
            Typed::Nothing
        }
    }

    /// Puts text in.
    pub(super) fn insert(&mut self, text: &str, rows: &HashMap<RunDir, Row>) {
        self.prompt.insert(text);
        self.offer(rows);
    }

    /// Ends typing, and puts the query before those used earlier.
    fn keep(&mut self) {
        (self.editing, self.offer, self.recalled) = (false, None, None);
        let query = self.prompt.text().trim().to_owned();
        if !query.is_empty() {
            self.queries.retain(|known| *known != query);
            self.queries.insert(0, query);
            self.queries.truncate(MOST_QUERIES);
        }
    }

    /// An earlier query, or a later one, or at last what was typed.
    fn recall(&mut self, step: isize) -> Typed {
        let at = self.recalled.as_ref().map_or(-1, |(at, _)| *at as isize) + step;
        let typed = self
            .recalled
            .as_ref()
            .map_or_else(|| self.prompt.text(), |(_, typed)| typed.clone());
        self.offer = None;
        if at < 0 {
            self.recalled = None;
            self.prompt = Prompt::new(&typed);
            return Typed::Changed;
        }
        let Some(query) = self.queries.get(at as usize) else {
            return Typed::Nothing;
        };
        self.prompt = Prompt::new(query);
        self.recalled = Some((at as usize, typed));
        Typed::Changed
    }

    fn offer(&mut self, rows: &HashMap<RunDir, Row>) {
        let text = self.prompt.text();
        let cursor = byte_at(&text, self.prompt.cursor());
        self.names(rows);
        let Some(names) = &self.names else {
            return;
        };
        let (now, samples) = (self.now, &self.samples);
        let summaries = rows.values().filter_map(|row| row.summary.as_ref());
        let subjects = summaries.map(|summary| Subject::new(summary, now, samples));
        let (range, candidates) = complete(&text, cursor, names, subjects, &mut self.memo);
        let is_there = matches!(&candidates[..], [only] if only.text == text[range.clone()]);
        self.offer = (!candidates.is_empty() && !is_there).then_some(Offer {
            start: range.start,
            candidates,
            chosen: None,
        });
    }

    /// Puts the next of what could stand here in.
    fn complete(&mut self, step: isize, rows: &HashMap<RunDir, Row>) -> Typed {
        if self.offer.is_none() {
            self.offer(rows);
        }
        let Some(offer) = &mut self.offer else {
            return Typed::Nothing;
        };
        let count = offer.candidates.len() as isize;
        let at = match offer.chosen {
            Some(at) => (at as isize + step).rem_euclid(count),
            None if step < 0 => count - 1,
            None => 0,
        };
        offer.chosen = Some(at as usize);
        let text = self.prompt.text();
        let cursor = byte_at(&text, self.prompt.cursor());
        let (before, after) = (&text[..offer.start.min(cursor)], &text[cursor..]);
        let completed = format!("{before}{}", offer.candidates[at as usize].text);
        let place = completed.chars().count();
        self.prompt = Prompt::with_cursor(&format!("{completed}{after}"), place);
        Typed::Changed
    }

    /// The word that the offer completes.
    pub(super) fn is_offering(&self) -> Option<&Offer> {
        let offer = self.offer.as_ref().filter(|_| self.editing)?;
        let cursor = byte_at(&self.prompt.text(), self.prompt.cursor());
        // A single letter says too little, and a list over the table is in the way of who just
        // types a word.
        let typed = cursor.saturating_sub(offer.start);
        let is_value = self.prompt.text()[..offer.start].ends_with([':', '=', '<', '>', ',']);
        (offer.chosen.is_some() || typed > 1 || is_value).then_some(offer)
    }
}

/// The byte at which a character begins.
pub(super) fn byte_at(text: &str, char: usize) -> usize {
    text.char_indices()
        .nth(char)
        .map_or(text.len(), |(at, _)| at)
}
