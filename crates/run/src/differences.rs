//! The settings in which runs differ: what tells the runs of a sweep, or repeated launches, apart.

use std::collections::{HashMap, HashSet};

use super::settings::Settings;

/// Limit of settings that are named of each run.
const MAX_NAMED: usize = 4;
/// Longer values would fill a line.
const MAX_VALUE: usize = 24;
/// Keys that place or time a run, by their last word: they differ between any two runs.
const IDENTITY: [&str; 13] = [
    "id",
    "uuid",
    "dir",
    "path",
    "folder",
    "file",
    "time",
    "date",
    "timestamp",
    "host",
    "user",
    "port",
    "command",
];
/// Keys of a run's name; that of a model is a setting.
const NAMES: [&str; 6] = [
    "name",
    "run_name",
    "exp_name",
    "experiment_name",
    "display_name",
    "job_name",
];

/// What each of these runs has in the settings that they do not share, as
/// `max_lr=0.1 · seed=2`; empty where a run has none of them.
///
/// The settings are in the order of the first run that has them, a seed last; at most four of them
/// are named.
pub fn differences(runs: &[&Settings]) -> Vec<String> {
    let keys = differing(runs, MAX_NAMED);
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    let mut short: HashMap<String, usize> = HashMap::new();
    for key in &keys {
        *short.entry(last(key)).or_default() += 1;
    }
    let label = |key: &str| {
        let last = last(key);
        if short[&last] == 1 {
            last
        } else {
            key.to_owned()
        }
    };
    let labels: Vec<(&str, String)> = keys.iter().map(|key| (*key, label(key))).collect();
    let of_run = |run: &&Settings| {
        let parts = labels.iter().filter_map(|(key, label)| {
            let value = run.exact(key)?;
            Some(format!("{label}={value}"))
        });
        parts.collect::<Vec<_>>().join(" · ")
    };
    runs.iter().map(of_run).collect()
}

/// The keys in which these differ that are worth naming, at most `limit`: those of which there are
/// several values in the order of the first run, then those that some runs lack, a seed last.
pub fn differing<'a>(runs: &[&'a Settings], limit: usize) -> Vec<&'a str> {
    // Of a run without settings nothing is known: it says of no key that it differs.
    let runs: Vec<&Settings> = runs
        .iter()
        .copied()
        .filter(|run| run.pairs().next().is_some())
        .collect();
    let Some((first, others)) = runs.split_first() else {
        return Vec::new();
    };
    let mut order: Vec<&str> = first.pairs().map(|(key, _)| key).collect();
    let mut known: HashSet<&str> = order.iter().copied().collect();
    // Keys with two values, and keys that some lack.
    let (mut differs, mut absent): (HashSet<&str>, HashSet<&str>) = Default::default();
    for other in others.iter().filter(|other| *other != first) {
        let mut pairs = first.pairs();
        let mut is_aligned = true;
        for (key, value) in other.pairs() {
            // Files of one trainer have the same keys in the same order.
            let beside = pairs.next().filter(|_| is_aligned);
            is_aligned = beside.is_some_and(|(same, _)| same == key);
            let before = match beside {
                Some((_, before)) if is_aligned => Some(before),
                _ => first.exact(key),
            };
            match before {
                Some(before) if before == value => {}
                Some(_) => drop(differs.insert(key)),
                None => {
                    absent.insert(key);
                    if known.insert(key) {
                        order.push(key);
                    }
                }
            }
        }
        if !is_aligned || pairs.next().is_some() {
            let is_absent = |key: &&str| other.exact(key).is_none();
            absent.extend(first.pairs().map(|(key, _)| key).filter(is_absent));
        }
    }
    let is_worth_naming = |key: &&str| !names_a_run(key) && is_short(key, &runs);
    let order = order.into_iter().filter(is_worth_naming);
    let (mut sure, rest): (Vec<&str>, Vec<&str>) = order.partition(|key| differs.contains(key));
    sure.extend(rest.into_iter().filter(|key| absent.contains(key)));
    let is_seed = |key: &&str| key.to_ascii_lowercase().ends_with("seed");
    let (seeds, mut others): (Vec<&str>, Vec<&str>) = sure.into_iter().partition(is_seed);
    others.truncate(limit - usize::from(!seeds.is_empty()));
    others.extend(seeds.into_iter().take(1));
    others
}

fn names_a_run(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let last = key.rsplit(['.', '/']).next().unwrap_or_default();
    let word = last.rsplit(['_', '-']).next().unwrap_or_default();
    IDENTITY.contains(&word) || NAMES.contains(&last)
}

/// Whether every run's value is short and no path.
fn is_short(key: &str, runs: &[&Settings]) -> bool {
    let mut values = runs.iter().filter_map(|run| run.exact(key));
    values.all(|value| value.chars().count() <= MAX_VALUE && !value.contains(['/', '\\']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[&[(&str, &str)]]) -> Vec<String> {
        let owned = |pairs: &&[(&str, &str)]| -> Settings {
            let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            pairs.iter().map(pair).collect()
        };
        let runs: Vec<Settings> = runs.iter().map(owned).collect();
        differences(&runs.iter().collect::<Vec<_>>())
    }

    #[test]
    fn runs_differ_by_the_settings_that_they_do_not_share() {
        let runs: [&[(&str, &str)]; 3] = [
            &[("model", "a"), ("seed", "1"), ("max_lr", "0.1")],
            &[("model", "a"), ("seed", "2"), ("max_lr", "0.1")],
            &[("model", "a"), ("seed", "1"), ("max_lr", "0.2")],
        ];
        assert_eq!(
            of(&runs),
            [
                "max_lr=0.1 · seed=1",
                "max_lr=0.1 · seed=2",
                "max_lr=0.2 · seed=1"
            ]
        );
        assert_eq!(of(&runs[..1]), [""]);
        assert_eq!(of(&[runs[0], runs[0]]), ["", ""]);
        assert_eq!(of(&[]), [""; 0]);
    }

    #[test]
    fn a_setting_that_some_runs_lack_is_one_that_differs() {
        let all = of(&[
            &[("a", "1"), ("b", "2"), ("d", "4")],
            &[("a", "1"), ("d", "4")],
            &[("a", "1"), ("c", "3"), ("b", "2"), ("d", "4")],
        ]);
        assert_eq!(all, ["b=2", "", "b=2 · c=3"]);
    }

    #[test]
    fn a_run_without_settings_makes_nothing_differ() {
        let all = of(&[
            &[("model", "a"), ("batch", "8"), ("lr", "1")],
            &[],
            &[("model", "a"), ("batch", "8"), ("lr", "2")],
        ]);
        assert_eq!(all, ["lr=1", "", "lr=2"]);
    }

    #[test]
    fn what_names_or_places_a_run_does_not_count() {
        let all = of(&[
            &[
                ("output_dir", "a"),
                ("run_name", "x"),
                ("data", "/d/1"),
                ("model_name", "m"),
            ],
            &[
                ("output_dir", "b"),
                ("run_name", "y"),
                ("data", "/d/2"),
                ("model_name", "n"),
            ],
        ]);
        assert_eq!(all, ["model_name=m", "model_name=n"]);
    }

    #[test]
    fn nested_keys_are_named_by_their_end_where_that_is_clear() {
        let all = of(&[
            &[("optim.lr", "1"), ("model.width", "8")],
            &[("optim.lr", "2"), ("model.width", "16")],
        ]);
        assert_eq!(all, ["lr=1 · width=8", "lr=2 · width=16"]);
        let all = of(&[
            &[("encoder.width", "1"), ("decoder.width", "8")],
            &[("encoder.width", "2"), ("decoder.width", "16")],
        ]);
        assert_eq!(all[0], "encoder.width=1 · decoder.width=8");
    }

    #[test]
    fn no_more_than_four_are_named_and_the_seed_is_one_of_them() {
        let pairs = |value: &'static str| ["a", "b", "seed", "c", "d", "e"].map(|key| (key, value));
        let (one, two) = (pairs("1"), pairs("2"));
        let all = of(&[&one, &two]);
        assert_eq!(
            all,
            ["a=1 · b=1 · c=1 · seed=1", "a=2 · b=2 · c=2 · seed=2"]
        );
    }
}
