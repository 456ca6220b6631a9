//! Evaluations side by side: each against the first.

use std::collections::HashMap;

use crate::jobs::evaluations::opened::{Answer, Opened};
use traintop_analysis::mcnemar::Comparison;

/// How one class fares against the first evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassChange {
    pub class: usize,
    /// Images of it that only this evaluation gets right.
    pub gained: u64,
    /// Images of it that only the first gets right.
    pub lost: u64,
}

impl ClassChange {
    /// Images more, or fewer, that are right.
    pub fn net(self) -> i64 {
        self.gained as i64 - self.lost as i64
    }
}

/// An image about which two evaluations answer differently.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// What the first says.
    pub first: Answer,
    /// What this one says.
    pub second: Answer,
}

/// An evaluation against the first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pair {
    /// Whether both saw the same images. Where they did not, nothing is compared.
    pub same_data: bool,
    /// Who is right about what.
    pub counts: Comparison,
    /// Every class that gained or lost, the largest change first.
    pub classes: Vec<ClassChange>,
    /// Every image that is answered differently, those that changed between right and wrong first,
    /// then by confidence.
    pub changed: Vec<Changed>,
}

/// Evaluations side by side; the first is what the others are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// All of them, in order.
    pub evaluations: Vec<Opened>,
    /// One for each but the first.
    pub pairs: Vec<Pair>,
}

impl Compared {
    /// Compares each with the first.
    pub fn of(evaluations: Vec<Opened>) -> Self {
        let pairs = match evaluations.split_first() {
            Some((first, others)) => others.iter().map(|other| pair(first, other)).collect(),
            None => Vec::new(),
        };
        Self { evaluations, pairs }
    }

    /// The comparison of the evaluation with this number with the first; `None` for the first
    /// itself.
    pub fn pair(&self, number: usize) -> Option<&Pair> {
        self.pairs.get(number.checked_sub(1)?)
    }
}

fn pair(first: &Opened, second: &Opened) -> Pair {
    let same_data = first.card.sha256 == second.card.sha256 && !first.card.sha256.is_empty();
    if !same_data {
        return Pair::default();
    }
    let by_id: HashMap<i64, &Answer> = first
        .answers
        .iter()
        .map(|answer| (answer.id, answer))
        .collect();
    let shared: Vec<(&Answer, &Answer)> = second
        .answers
        .iter()
        .filter_map(|answer| Some((*by_id.get(&answer.id)?, answer)))
        .collect();
    let right =
        |(first, second): &(&Answer, &Answer)| Some((first.is_right()?, second.is_right()?));
    Pair {
        same_data,
        counts: Comparison::of(shared.iter().filter_map(right)),
        classes: classes(&shared),
        changed: changed(&shared),
    }
}

fn classes(shared: &[(&Answer, &Answer)]) -> Vec<ClassChange> {
    let mut counts: HashMap<usize, (u64, u64)> = HashMap::new();
    for (first, second) in shared {
        let Some(label) = first.label else { continue };
        match (first.is_right(), second.is_right()) {
            (Some(false), Some(true)) => counts.entry(label).or_default().0 += 1,
            (Some(true), Some(false)) => counts.entry(label).or_default().1 += 1,
            _ => {}
        }
    }
    let mut classes: Vec<ClassChange> = counts
        .into_iter()
        .map(|(class, (gained, lost))| ClassChange {
            class,
            gained,
            lost,
        })
        .collect();
    classes.sort_by_key(|change| (-change.net().abs(), -change.net(), change.class));
    classes
}

fn changed(shared: &[(&Answer, &Answer)]) -> Vec<Changed> {
    let mut changed: Vec<Changed> = shared
        .iter()
        .filter(|(first, second)| first.class() != second.class())
        .map(|(first, second)| Changed {
            first: (*first).clone(),
            second: (*second).clone(),
        })
        .collect();
    changed.sort_by(|a, b| {
        let turned = |one: &Changed| one.first.is_right() != one.second.is_right();
        turned(b)
            .cmp(&turned(a))
            .then(b.second.confidence().total_cmp(&a.second.confidence()))
            .then(a.first.id.cmp(&b.first.id))
    });
    changed
}
