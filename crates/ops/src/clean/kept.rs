//! Which checkpoints of a run stay: the best and the last always, others by the rules of a policy.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::PathBuf;

use super::policy::Policy;
use super::survey::{Role, Surveyed, Weights};
use super::walk::series;
use super::weights::LAST;
use traintop_disk::FileStat;

/// A last checkpoint that is older than one of an epoch by more than this, an hour, is not of the
/// same training.
const LATE_NS: i64 = 3_600_000_000_000;

/// The checkpoints that stay, by their paths.
#[derive(Debug, Default)]
pub struct Kept<'a> {
    /// Under any policy: the best and the last of each series, what a file of the run names, and
    /// what is of no known epoch or step.
    pub always: HashSet<&'a OsStr>,
    /// Those that a rule keeps beside these.
    pub by_rules: HashSet<&'a OsStr>,
    /// What must be there still when another checkpoint goes.
    pub relied_on: Vec<(PathBuf, FileStat)>,
}

impl<'a> Kept<'a> {
    /// Decides for a run.
    pub fn of(run: &'a Surveyed, policy: &Policy) -> Self {
        let mut kept = Self::default();
        let mut all_series: BTreeMap<_, Vec<(u64, &Weights)>> = BTreeMap::new();
        let mut add = |place: u64, weights: &'a Weights| {
            let key = series(&weights.path);
            all_series.entry(key).or_default().push((place, weights));
        };
        for weights in &run.weights {
            if weights.is_named {
                kept.keep_always(weights);
            }
            match weights.role {
                Role::Epoch(epoch) => add(epoch.into(), weights),
                Role::Step(step) => add(step, weights),
                Role::Best | Role::Last => kept.keep_always(weights),
                Role::Other => drop(kept.always.insert(weights.path.as_os_str())),
            }
        }
        // A file called `best` or `last` belongs to the only series; with several it is unknown to
        // which.
        let is_only = all_series.len() == 1;
        for periodic in all_series.values_mut() {
            periodic.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
            let of_run = run.weights.iter().filter(|_| is_only);
            let has_best = of_run
                .clone()
                .any(|weights| stands_for_best(weights, periodic));
            let has_last = of_run
                .clone()
                .any(|weights| stands_for_last(weights, periodic));
            if !has_best {
                kept.keep_best(periodic);
            }
            if !has_last {
                kept.keep_last(periodic);
            }
            kept.keep_extremes(periodic);
            // Files of epochs and steps that the metrics do not know are of another training.
            let is_unknown = |weights: &Weights| match weights.role {
                Role::Epoch(epoch) => epoch > run.epochs_done,
                Role::Step(step) => run.last_step.is_none_or(|last| step > last),
                _ => false,
            };
            for (_, weights) in periodic.iter().filter(|(_, weights)| is_unknown(weights)) {
                kept.always.insert(weights.path.as_os_str());
            }
            kept.keep_by_rules(periodic, policy, (has_best, has_last));
        }
        kept
    }

    fn keep_always(&mut self, weights: &'a Weights) {
        if self.always.insert(weights.path.as_os_str()) {
            self.relied_on.extend(weights.stats.iter().cloned());
        }
    }

    /// Keeps the best by the metric; if it cannot be determined, all. Names may count epochs from 0
    /// where metrics count from 1, or the other way round, so the best by the other count is kept
    /// as well.
    fn keep_best(&mut self, periodic: &[(u64, &'a Weights)]) {
        for at in 0..3 {
            let score = |weights: &Weights| weights.scores()[at];
            let scored = periodic.iter().filter_map(|(_, weights)| score(weights));
            let best = scored.reduce(f64::max);
            for (_, weights) in periodic {
                if best.is_none() || score(weights) == best {
                    self.keep_always(weights);
                }
            }
        }
    }

    /// The last by number, and the last by time: a restarted training counts from the beginning.
    fn keep_last(&mut self, periodic: &[(u64, &'a Weights)]) {
        let last = periodic.first().map(|(place, _)| *place);
        for (_, weights) in periodic.iter().filter(|(place, _)| Some(*place) == last) {
            self.keep_always(weights);
        }
        if let Some((_, newest)) = periodic
            .iter()
            .max_by_key(|(place, weights)| (weights.modified_ns(), *place))
        {
            self.keep_always(newest);
        }
    }

    /// Names may hold the value that a trainer saved them for, as in `epoch=3-val_loss=0.25.ckpt`.
    /// Whether less or more of it is better is not known, so both ends stay.
    fn keep_extremes(&mut self, periodic: &[(u64, &'a Weights)]) {
        let named: Vec<(Vec<f64>, &Weights)> = periodic
            .iter()
            .map(|(_, weights)| (decimals(weights), *weights))
            .collect();
        let most = named.iter().map(|(values, _)| values.len()).max();
        for at in 0..most.unwrap_or_default() {
            let values = || {
                named
                    .iter()
                    .filter_map(|(values, _)| values.get(at).copied())
            };
            let ends = [values().reduce(f64::min), values().reduce(f64::max)];
            // One number in all names is a setting.
            if ends[0] == ends[1] {
                continue;
            }
            for (values, weights) in &named {
                if ends.contains(&values.get(at).copied()) && values.get(at).is_some() {
                    self.keep_always(weights);
                }
            }
        }
    }

    fn keep_by_rules(
        &mut self,
        periodic: &[(u64, &'a Weights)],
        policy: &Policy,
        (has_best, has_last): (bool, bool),
    ) {
        let more = |count: u32, has_one: bool| count.saturating_sub(u32::from(has_one)) as usize;
        let last = periodic.iter().take(more(policy.keep_last, has_last));
        let nth = u64::from(policy.keep_every);
        let every = periodic
            .iter()
            .filter(|(place, _)| nth > 0 && place % nth == 0);
        let mut by_score: Vec<_> = periodic
            .iter()
            .filter_map(|(_, weights)| Some((weights.score?, *weights)))
            .collect();
        by_score.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = by_score.iter().take(more(policy.keep_best, has_best));
        let kept = last.chain(every).map(|(_, weights)| *weights);
        let kept = kept.chain(best.map(|(_, weights)| *weights));
        self.by_rules
            .extend(kept.map(|weights| weights.path.as_os_str()));
    }
}

/// The decimal numbers in a file's name, without its ending, in their order.
fn decimals(weights: &Weights) -> Vec<f64> {
    let stem = weights.path.file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let pieces = stem.split(|char: char| !char.is_ascii_digit() && char != '.');
    pieces
        .filter(|piece| piece.trim_matches('.').contains('.'))
        .filter_map(|piece| piece.trim_matches('.').parse().ok())
        .collect()
}

/// Whether a file is the best of a series, which need not hold another then.
fn stands_for_best(weights: &Weights, periodic: &[(u64, &Weights)]) -> bool {
    weights.role == Role::Best && has_word(weights, &["best"]) && is_as_large(weights, periodic)
}

/// Whether a file is the last of a series: it may have been written before the checkpoint of its
/// epoch, but not long before.
fn stands_for_last(weights: &Weights, periodic: &[(u64, &Weights)]) -> bool {
    let newest = periodic.iter().map(|(_, weights)| weights.modified_ns());
    let is_recent = newest
        .max()
        .is_none_or(|newest| weights.modified_ns().saturating_add(LATE_NS) >= newest);
    weights.role == Role::Last
        && has_word(weights, &LAST)
        && is_as_large(weights, periodic)
        && is_recent
}

/// Whether a name has one of these words, and not only letters such as those of `blast`.
fn has_word(weights: &Weights, words: &[&str]) -> bool {
    let name = weights
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let name = name.to_ascii_lowercase();
    let mut parts = name.split(|char: char| !char.is_ascii_alphanumeric());
    parts.any(|part| words.contains(&part))
}

/// Whether a file may hold the same network as a series: the last layer, or a threshold, is much
/// smaller. Optimiser states make checkpoints three times as large.
fn is_as_large(weights: &Weights, periodic: &[(u64, &Weights)]) -> bool {
    let smallest = periodic.iter().map(|(_, weights)| weights.length()).min();
    smallest.is_none_or(|smallest| weights.length().saturating_mul(4) >= smallest)
}
