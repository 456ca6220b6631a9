//! What a plan's candidates would cost to make again, their sums, and their descriptions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use super::candidate::{Candidate, Reason, SortOrder, Totals};
use super::plan::Plan;
use traintop_run::size::Freed;
use traintop_text as text;

impl Plan {
    /// Sorts the candidates after recomputing how much each would free.
    pub fn sort(&mut self) {
        self.recompute_costs(None);
        let order = self.order;
        let order_of = |reason: Reason| Reason::ALL.iter().position(|known| *known == reason);
        let key = |candidate: &Candidate| {
            let value = match order {
                SortOrder::Size => candidate.bytes() as f64,
                // What is not known comes last.
                SortOrder::BytesPerHour => candidate.bytes_per_hour().unwrap_or(-1.0),
            };
            // Never negative but for -1, and so ordered as its bits are.
            let descending = Reverse(if value < 0.0 { 0 } else { value.to_bits() + 1 });
            (order_of(candidate.reason), descending)
        };
        let keys: Vec<_> = self.candidates.iter().map(key).collect();
        let place = |at: usize| {
            let candidate = &self.candidates[at];
            let run = self.survey.runs[candidate.run].dir.path().as_os_str();
            (run, &candidate.places)
        };
        let name = |at: usize| {
            let first = self.candidates[at].paths.first();
            first.map(|path| path.as_os_str())
        };
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| {
            keys[*a]
                .cmp(&keys[*b])
                .then_with(|| place(*a).cmp(&place(*b)))
                .then_with(|| name(*a).cmp(&name(*b)))
        });
        let mut candidates: Vec<Option<Candidate>> = std::mem::take(&mut self.candidates)
            .into_iter()
            .map(Some)
            .collect();
        self.candidates = order
            .into_iter()
            .filter_map(|at| candidates[at].take())
            .collect();
    }

    /// What each candidate, or those of one run, would cost to make again: the time of an epoch or
    /// step times the distance from the nearest checkpoint before it that stays, or from the
    /// beginning; no time if another of its place stays. What is not known is `None`.
    pub fn recompute_costs(&mut self, only: Option<usize>) {
        let concerns = |run: usize| only.is_none_or(|only| only == run);
        // How many files there are of each epoch or step.
        let mut staying: Vec<BTreeMap<u64, usize>> = vec![BTreeMap::new(); self.survey.runs.len()];
        for (number, run) in self.survey.runs.iter().enumerate() {
            if concerns(number) {
                let weights = run.weights.iter();
                for place in weights.filter_map(|weights| run.place_of(weights)) {
                    *staying[number].entry(place).or_default() += 1;
                }
            }
        }
        let going = self.candidates.iter().filter(|candidate| {
            candidate.is_in && candidate.reason != Reason::OptimiserState && concerns(candidate.run)
        });
        for candidate in going {
            let staying = &mut staying[candidate.run];
            if candidate.is_whole {
                staying.clear();
            }
            for place in &candidate.places {
                if let Some(count) = staying.get_mut(place) {
                    *count = count.saturating_sub(1);
                }
            }
            staying.retain(|_, count| *count > 0);
        }
        for candidate in &mut self.candidates {
            if !concerns(candidate.run) {
                continue;
            }
            let run = &self.survey.runs[candidate.run];
            let own = usize::from(!candidate.is_in);
            let distance = |place: &u64| {
                // Another file of the very epoch may stay, as the last one often does.
                let same = staying[candidate.run].get(place).copied().unwrap_or(0);
                if same > own {
                    return 0;
                }
                let nearest = staying[candidate.run].range(..place).next_back();
                // From the beginning, where the epoch may be called 0, it takes one at least.
                nearest.map_or((*place).max(1), |(nearest, _)| place - nearest)
            };
            let of_run = run.done();
            let places = match candidate.reason {
                Reason::Temporary | Reason::Duplicate => Some(0),
                // No other checkpoint need have an optimiser's state: it comes with a training from
                // the beginning.
                Reason::OptimiserState => {
                    let own = candidate.places.iter().max().copied();
                    own.or(of_run)
                }
                _ if candidate.is_whole => of_run,
                _ => candidate.places.iter().map(distance).max(),
            };
            candidate.cost_s = match places {
                Some(0) => Some(0.0),
                Some(places) => run.place_s().map(|seconds| places as f64 * seconds),
                // The whole of a run that counts steps or rows takes as long as it took.
                None if candidate.is_whole && run.rows > 0 => {
                    run.trained.map(|trained| trained.as_secs_f64())
                }
                None => None,
            };
        }
    }

    /// Sums over the candidates that `wanted` picks.
    pub fn totals(&self, wanted: impl Fn(&Candidate) -> bool) -> Totals {
        let all = self.totals_by(|candidate| wanted(candidate).then_some(()));
        all.get(&Some(())).copied().unwrap_or_default()
    }

    /// Sums over the candidates that have the same key: of each reason, of each run.
    pub fn totals_by<K: Eq + Hash>(&self, key: impl Fn(&Candidate) -> K) -> HashMap<K, Totals> {
        let mut sums: HashMap<K, (Totals, Freed)> = HashMap::new();
        for candidate in &self.candidates {
            let (totals, freed) = sums.entry(key(candidate)).or_default();
            totals.count += 1;
            if candidate.is_in {
                totals.in_count += 1;
                candidate.taken.iter().for_each(|taken| freed.count(*taken));
            }
        }
        let sum = |(key, (totals, freed)): (K, (Totals, Freed))| {
            let bytes = freed.bytes();
            (key, Totals { bytes, ..totals })
        };
        sums.into_iter().map(sum).collect()
    }

    /// What each run has in the plan, by its number; the one first that frees most.
    pub fn by_run(&self) -> Vec<(usize, Totals)> {
        let mut runs: Vec<_> = self
            .totals_by(|candidate| candidate.run)
            .into_iter()
            .collect();
        runs.sort_by_key(|(run, totals)| (Reverse(totals.bytes), *run));
        runs
    }

    /// What it is going to do, in one sentence.
    pub fn sentence(&self) -> String {
        let freed = self.totals(|_| true).bytes;
        match self.action() {
            action if action.is_empty() && self.candidates.is_empty() => {
                "there is nothing to clean up".to_owned()
            }
            action if action.is_empty() => "nothing is selected to go".to_owned(),
            action => format!(
                "{action}; purging the trash then gives {} back",
                text::bytes(freed)
            ),
        }
    }

    /// What it does to how much; empty if that is nothing.
    pub(super) fn action(&self) -> String {
        let (mut checkpoints, mut temporary, mut runs) = (0, 0, 0);
        let (mut slimmed, mut concerned) = (0, HashSet::new());
        for candidate in self.candidates.iter().filter(|candidate| candidate.is_in) {
            concerned.insert(candidate.run);
            match candidate.reason {
                Reason::OptimiserState => slimmed += 1,
                _ if candidate.is_whole => runs += 1,
                Reason::Temporary => temporary += 1,
                _ => checkpoints += 1,
            }
        }
        let several = |count: usize, noun: &str| {
            let plural = if count == 1 { "" } else { "s" };
            (count > 0).then(|| format!("{} {noun}{plural}", text::count(count as u64)))
        };
        let moved = [
            several(checkpoints, "checkpoint"),
            several(temporary, "temporary file"),
            several(runs, "whole run"),
        ];
        let moved: Vec<String> = moved.into_iter().flatten().collect();
        let mut does = Vec::new();
        if !moved.is_empty() {
            does.push(format!("move {} to the trash", moved.join(", ")));
        }
        if let Some(checkpoints) = several(slimmed, "checkpoint") {
            does.push(format!("drop the optimiser state of {checkpoints}"));
        }
        if does.is_empty() {
            return String::new();
        }
        let of = several(concerned.len(), "run").unwrap_or_default();
        format!("{} (of {of})", does.join(" and "))
    }
}
