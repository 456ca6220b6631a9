//! Which settings go with a metric: over some runs, each key's relation to their results. It holds
//! for these runs only, and shows no causes.

use std::collections::HashMap;

use super::aggregate::Aggregate;
use super::configs::{Setting, side_by_side};
use super::repetitions::{is_name, is_seed};
use super::spearman::{Correlation, spearman};
use traintop_run::compared_run::ComparedRun;

/// With fewer runs a warning is shown.
const FEW: usize = 8;

/// How a key and the metric go together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Relation {
    /// Of numbers: their rank correlation with the metric.
    Rank(Correlation),
    /// Of anything else: the highest less the lowest of its values' means.
    Spread {
        /// In the metric's unit.
        between: f64,
        /// The pooled deviation of runs with the same value; `None` where no value has two runs.
        within: Option<f64>,
    },
}

/// One key.
#[derive(Debug, Clone, PartialEq)]
pub struct Relevance {
    pub key: String,
    /// Runs that have the key and the metric.
    pub n: usize,
    /// How the two go together.
    pub relation: Relation,
    /// The results of runs with each value, in the order of the values.
    pub by_value: Vec<(String, Aggregate)>,
    /// Other keys that change exactly where this one does: its effect may be theirs.
    pub together_with: Vec<String>,
}

impl Relevance {
    /// A number for sorting, larger where the two go together more: rank correlations before
    /// spreads, which have a unit.
    fn strength(&self) -> (u8, f64) {
        match self.relation {
            Relation::Rank(correlation) => (1, correlation.rho.abs()),
            Relation::Spread { between, .. } => (0, between),
        }
    }
}

/// Each key in which `runs` differ, with `values` their results (`None` or not finite where
/// unknown), the strongest relation first. Seeds and names are left out.
pub fn relevance(runs: &[&ComparedRun], values: &[Option<f64>]) -> Vec<Relevance> {
    let differing: Vec<Setting> = side_by_side(runs)
        .into_iter()
        .filter(|setting| setting.differs && !is_seed(&setting.key) && !is_name(&setting.key))
        .collect();
    let mut by_pattern: HashMap<Vec<usize>, Vec<String>> = HashMap::new();
    for setting in &differing {
        let keys = by_pattern.entry(pattern(setting)).or_default();
        keys.push(setting.key.clone());
    }
    let mut found: Vec<Relevance> = differing
        .iter()
        .filter_map(|setting| {
            let mut relevance = relation(setting, values)?;
            let same = by_pattern.get(&pattern(setting)).into_iter().flatten();
            let others = same.filter(|key| **key != setting.key);
            relevance.together_with = others.cloned().collect();
            Some(relevance)
        })
        .collect();
    found.sort_by(|a, b| {
        let ((kind_a, a), (kind_b, b)) = (a.strength(), b.strength());
        kind_b.cmp(&kind_a).then(b.total_cmp(&a))
    });
    found
}

/// Which runs have the same value: equal for two keys that change in the same places.
fn pattern(setting: &Setting) -> Vec<usize> {
    let mut first: HashMap<&Option<String>, usize> = HashMap::new();
    let values = setting.values.iter().enumerate();
    values
        .map(|(at, value)| *first.entry(value).or_insert(at))
        .collect()
}

fn relation(setting: &Setting, values: &[Option<f64>]) -> Option<Relevance> {
    let known: Vec<(&str, f64)> = setting
        .values
        .iter()
        .zip(values)
        .filter_map(|(setting, value)| Some((setting.as_deref()?, (*value)?)))
        .filter(|(_, value)| value.is_finite())
        .collect();
    let numbers: Option<Vec<f64>> = known.iter().map(|(text, _)| text.parse().ok()).collect();
    let mut groups: Vec<(&str, Vec<f64>)> = Vec::new();
    for (text, value) in &known {
        match groups.iter_mut().find(|(other, _)| other == text) {
            Some((_, of)) => of.push(*value),
            None => groups.push((text, vec![*value])),
        }
    }
    if groups.len() < 2 {
        return None;
    }
    groups.sort_by(|a, b| match (a.0.parse::<f64>(), b.0.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.0.cmp(b.0),
    });
    let by_value: Vec<(String, Aggregate)> = groups
        .iter()
        .filter_map(|(text, of)| Some(((*text).to_owned(), Aggregate::of(of.iter().copied())?)))
        .collect();
    let rank = numbers.and_then(|numbers| {
        let of = known.iter().map(|(_, value)| *value);
        spearman(&numbers.into_iter().zip(of).collect::<Vec<_>>())
    });
    let relation = rank.map_or_else(|| spread(&by_value), Relation::Rank);
    Some(Relevance {
        key: setting.key.clone(),
        n: known.len(),
        relation,
        by_value,
        together_with: Vec::new(),
    })
}

fn spread(by_value: &[(String, Aggregate)]) -> Relation {
    let means = || by_value.iter().map(|(_, aggregate)| aggregate.mean);
    let highest = means().fold(f64::NEG_INFINITY, f64::max);
    let lowest = means().fold(f64::INFINITY, f64::min);
    let (mut squares, mut degrees) = (0.0, 0.0);
    for (_, aggregate) in by_value {
        if let Some(deviation) = aggregate.deviation {
            let weight = aggregate.n as f64 - 1.0;
            squares += weight * deviation * deviation;
            degrees += weight;
        }
    }
    Relation::Spread {
        between: highest - lowest,
        within: (degrees > 0.0).then(|| (squares / degrees).sqrt()),
    }
}

/// What must be known beside such a table, as sentences: `n` runs, `keys` of them shown.
pub fn limits(n: usize, keys: usize) -> Vec<String> {
    let mut sentences = vec![
        "over these runs only; keys were not varied one at a time, so effects may be mixed"
            .to_owned(),
    ];
    if n < FEW {
        sentences.push(format!("{n} runs are few: most of this may be chance"));
    } else {
        let by_chance = (keys as f64 * 0.05).max(0.1);
        sentences.push(format!(
            "of {keys} keys about {by_chance:.1} would stay below p = 0.05 by chance alone"
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::configured;
    use super::*;

    fn run(name: &str, lr: &str, net: &str) -> ComparedRun {
        let config = [
            ("lr", lr),
            ("net", net),
            ("act", net),
            ("seed", name),
            ("depth", "8"),
        ];
        configured(name, &config, &[1.0])
    }

    #[test]
    fn numbers_are_ranked_words_are_spread_and_seeds_are_left_out() {
        let runs = [
            run("1", "0.1", "a"),
            run("2", "0.2", "b"),
            run("3", "0.3", "a"),
            run("4", "1e0", "b"),
        ];
        let runs: Vec<&ComparedRun> = runs.iter().collect();
        let values = [Some(10.0), Some(20.0), Some(30.0), Some(44.0)];
        let found = relevance(&runs, &values);
        let keys: Vec<_> = found.iter().map(|found| found.key.as_str()).collect();
        assert_eq!(keys, ["lr", "act", "net"]);
        let Relation::Rank(correlation) = found[0].relation else {
            panic!("{found:?}");
        };
        assert_eq!((correlation.rho, correlation.n), (1.0, 4));
        let counts = |relevance: &Relevance| -> Vec<usize> {
            let values = relevance.by_value.iter();
            values.map(|(_, aggregate)| aggregate.n).collect()
        };
        assert!(counts(&found[0]).iter().all(|n| *n < 2));
        assert!(counts(&found[1]).iter().any(|n| *n >= 2));
        let Relation::Spread { between, within } = found[1].relation else {
            panic!("{found:?}");
        };
        assert_eq!(between, 12.0);
        // Deviations sqrt(200) of two runs and sqrt(288) of two.
        assert!((within.unwrap() - 244f64.sqrt()).abs() < 1e-9);
        assert_eq!(found[1].together_with, ["net"]);
        assert_eq!(found[1].by_value[0].1.mean, 20.0);
    }

    #[test]
    fn runs_without_a_value_do_not_count() {
        let runs = [
            run("1", "0.1", "a"),
            run("2", "0.2", "b"),
            run("3", "0.3", "b"),
        ];
        let runs: Vec<&ComparedRun> = runs.iter().collect();
        let found = relevance(&runs, &[Some(1.0), None, Some(f64::NAN)]);
        assert_eq!(found, []);
        let found = relevance(&runs, &[Some(1.0), None, Some(3.0)]);
        assert_eq!(found[0].n, 2);
    }

    #[test]
    fn few_runs_are_said_to_be_few() {
        assert!(limits(4, 3)[1].starts_with("4 runs are few"));
        assert!(limits(40, 20)[1].contains("about 1.0"));
    }
}
