//! Which checkpoints of a run stay: the best and the last always, others by the rules of a policy.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::PathBuf;

use super::policy::Policy;
use super::survey::{Role, Surveyed, Weights};
use super::walk::series;
use crate::disk::Look;

/// The checkpoints that stay, by their paths.
#[derive(Debug, Default)]
pub struct Kept<'a> {
    /// Under any policy: the best and the last of each series, and what is of no known epoch.
    pub always: HashSet<&'a OsStr>,
    /// Those that a rule keeps beside these.
    pub by_rules: HashSet<&'a OsStr>,
    /// What must be there still when another checkpoint goes.
    pub relied_on: Vec<(PathBuf, Look)>,
}

impl<'a> Kept<'a> {
    /// Decides for a run.
    pub fn of(run: &'a Surveyed, policy: &Policy) -> Self {
        let mut kept = Self::default();
        let mut all_series: BTreeMap<_, Vec<(u32, &Weights)>> = BTreeMap::new();
        for weights in &run.weights {
            match weights.role {
                Role::Epoch(epoch) => {
                    let key = series(&weights.path);
                    all_series.entry(key).or_default().push((epoch, weights));
                }
                Role::Best | Role::Last => kept.keep_always(weights),
                Role::Other => drop(kept.always.insert(weights.path.as_os_str())),
            }
        }
        // A file called `best` or `last` is that of the only series, or of nobody knows which of several.
        let is_only = all_series.len() == 1;
        let has = |role| is_only && run.weights.iter().any(|weights| weights.role == role);
        let (has_best, has_last) = (has(Role::Best), has(Role::Last));
        for of_epochs in all_series.values_mut() {
            of_epochs.sort_by_key(|(epoch, _)| std::cmp::Reverse(*epoch));
            if !has_best {
                kept.keep_best(of_epochs);
            }
            if !has_last {
                kept.keep_last(of_epochs);
            }
            // Files of epochs that the metrics do not know are of another training.
            for (_, weights) in of_epochs
                .iter()
                .filter(|(epoch, _)| *epoch > run.epochs_done)
            {
                kept.always.insert(weights.path.as_os_str());
            }
            kept.keep_by_rules(of_epochs, policy, (has_best, has_last));
        }
        kept
    }

    fn keep_always(&mut self, weights: &'a Weights) {
        if self.always.insert(weights.path.as_os_str()) {
            self.relied_on.push((weights.path.clone(), weights.look));
        }
    }

    /// The most accurate epochs; where accuracies do not tell, all. Names may count epochs from 0 where metrics count from 1, or
    /// the other way round, so what would be the best then stays as well.
    fn keep_best(&mut self, of_epochs: &[(u32, &'a Weights)]) {
        for at in 0..3 {
            let score = |weights: &Weights| weights.accuracies()[at];
            let scored = of_epochs.iter().filter_map(|(_, weights)| score(weights));
            let best = scored.reduce(f64::max);
            for (_, weights) in of_epochs {
                if best.is_none() || score(weights) == best {
                    self.keep_always(weights);
                }
            }
        }
    }

    fn keep_last(&mut self, of_epochs: &[(u32, &'a Weights)]) {
        let last = of_epochs.first().map(|(epoch, _)| *epoch);
        for (_, weights) in of_epochs.iter().filter(|(epoch, _)| Some(*epoch) == last) {
            self.keep_always(weights);
        }
    }

    fn keep_by_rules(
        &mut self,
        of_epochs: &[(u32, &'a Weights)],
        policy: &Policy,
        (has_best, has_last): (bool, bool),
    ) {
        let more = |count: u32, has_one: bool| count.saturating_sub(u32::from(has_one)) as usize;
        let last = of_epochs.iter().take(more(policy.keep_last, has_last));
        let every = of_epochs
            .iter()
            .filter(|(epoch, _)| policy.keep_every > 0 && epoch % policy.keep_every == 0);
        let mut by_accuracy: Vec<_> = of_epochs
            .iter()
            .filter_map(|(_, weights)| Some((weights.val_acc?, *weights)))
            .collect();
        by_accuracy.sort_by(|a, b| b.0.total_cmp(&a.0));
        let best = by_accuracy.iter().take(more(policy.keep_best, has_best));
        let kept = last.chain(every).map(|(_, weights)| *weights);
        let kept = kept.chain(best.map(|(_, weights)| *weights));
        self.by_rules
            .extend(kept.map(|weights| weights.path.as_os_str()));
    }
}
