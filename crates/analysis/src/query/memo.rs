//! Caches results of a query's parts while it is typed: each key changes one part, and only that
//! part is tested on every run again.

use std::collections::{BTreeSet, HashMap};

use super::field::Field;
use super::filter::{Filter, Test};
use super::subject::Subject;

/// Limit of cached answers.
const MAX_ANSWERS: usize = 256;
/// Limit of values of a field for completion.
const MAX_VALUES: usize = 1000;

/// Answers about the same runs in the same order; a change of either must call [`Memo::forget`].
#[derive(Debug, Default)]
pub struct Memo {
    answers: HashMap<String, Vec<bool>>,
    values: HashMap<String, BTreeSet<String>>,
}

impl Memo {
    /// The runs are others, or in another order.
    pub fn forget(&mut self) {
        self.answers.clear();
        self.values.clear();
    }

    /// Which runs pass: as [`Filter::passes`] says of each.
    pub fn passing(&mut self, filter: &Filter, runs: &[Subject]) -> Vec<bool> {
        let mut together = |filters: &[Filter], all: bool| {
            let mut passing = vec![all; runs.len()];
            for filter in filters {
                for (passing, passes) in passing.iter_mut().zip(self.passing(filter, runs)) {
                    *passing = if all {
                        *passing && passes
                    } else {
                        *passing || passes
                    };
                }
            }
            passing
        };
        match filter {
            Filter::Everything => vec![true; runs.len()],
            Filter::All(filters) => together(filters, true),
            Filter::Any(filters) => together(filters, false),
            Filter::Not(filter) => {
                let mut passing = self.passing(filter, runs);
                for passes in &mut passing {
                    *passes = !*passes;
                }
                passing
            }
            Filter::Words(word) => self.grown("\"", word, filter, runs),
            // Not cached: what depends on the time, or on what is still being read.
            Filter::Test(field, _) if field.epoch().is_some() || field.name() == "age" => {
                runs.iter().map(|run| filter.passes(run)).collect()
            }
            Filter::Test(field, Test::OneOf(values, false)) if let [(part, None)] = &values[..] => {
                self.grown(&format!("{}:", field.name()), part, filter, runs)
            }
            Filter::Test(field, test) => {
                let question = format!("{} {test:?}", field.name());
                self.answered(question, runs.len(), |number| filter.passes(&runs[number]))
            }
        }
    }

    /// What contains a text contains its beginning: when a text grows by a letter, only the runs
    /// that passed before are tested.
    fn grown(&mut self, what: &str, text: &str, filter: &Filter, runs: &[Subject]) -> Vec<bool> {
        let beginnings = text.char_indices().rev().map(|(end, _)| &text[..end]);
        let mut known = beginnings.map(|beginning| format!("{what}{beginning}"));
        let passed = known.find_map(|question| self.answers.get(&question).cloned());
        self.answered(format!("{what}{text}"), runs.len(), |number| {
            passed.as_ref().is_none_or(|passed| passed[number]) && filter.passes(&runs[number])
        })
    }

    /// What is kept of a question, or else the answer for each of this many runs.
    fn answered(
        &mut self,
        question: String,
        runs: usize,
        answer: impl Fn(usize) -> bool,
    ) -> Vec<bool> {
        if self.answers.len() >= MAX_ANSWERS {
            self.answers.clear();
        }
        let answers = self.answers.entry(question);
        answers
            .or_insert_with(|| (0..runs).map(answer).collect())
            .clone()
    }

    /// The texts that a field has, only some of those without a limit.
    pub fn values<'a>(
        &mut self,
        field: &Field,
        runs: impl Iterator<Item = Subject<'a>>,
    ) -> &BTreeSet<String> {
        let values = self.values.entry(field.name());
        values.or_insert_with(|| values_of(field, runs))
    }
}

fn values_of<'a>(field: &Field, runs: impl Iterator<Item = Subject<'a>>) -> BTreeSet<String> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for subject in runs {
        for text in field.texts(&subject) {
            let line = text.lines().next().unwrap_or_default();
            if !seen.contains(line) {
                seen.insert(line.to_owned());
            }
        }
        if seen.len() > MAX_VALUES {
            break;
        }
    }
    seen.remove("");
    seen
}
