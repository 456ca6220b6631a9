//! Which runs are one recipe tried several times: those that differ in nothing but the seed and in
//! what they are called.

use std::collections::HashMap;

use traintop_run::compared_run::ComparedRun;

/// The last parts of keys that say on what, with what and how long a run trains: runs in which
/// these differ are not as noisy as each other.
const KINDS: [&str; 10] = [
    "data_dir",
    "dataset",
    "data",
    "data_path",
    "model_name",
    "model",
    "arch",
    "num_epochs",
    "epochs",
    "max_epochs",
];

/// The last parts of keys that hold a seed.
const SEEDS: [&str; 5] = [
    "seed",
    "random_seed",
    "rng_seed",
    "manual_seed",
    "seed_everything",
];

/// The last parts of keys that say what a run is called, or where it writes.
const NAMES: [&str; 15] = [
    "experiment_name",
    "experiment",
    "name",
    "run_name",
    "run_id",
    "exp_name",
    "output_dir",
    "out_dir",
    "save_dir",
    "log_dir",
    "logdir",
    "run_dir",
    "checkpoint_dir",
    "timestamp",
    "tags",
];

/// Whether a key holds a seed.
pub fn is_seed(key: &str) -> bool {
    SEEDS.contains(&last_part(key).as_str())
}

/// Whether a key holds a run's name or output folder, and so does not affect the training.
pub fn is_name(key: &str) -> bool {
    NAMES.contains(&last_part(key).as_str())
}

/// Whether a key says on what, with what or how long a run trains.
pub fn is_alike_key(key: &str) -> bool {
    KINDS.contains(&last_part(key).as_str())
}

fn last_part(key: &str) -> String {
    let last = key.rsplit_once('.').map_or(key, |(_, last)| last);
    last.to_ascii_lowercase().replace('-', "_")
}

/// The configuration of a run: its keys, sorted, with their values.
pub type Settings = [(String, String)];

/// Of runs that are not compared themselves, by their configurations, those that help to estimate
/// the spread of runs of one recipe: the recipe occurs more than once (`compared` counts), and has
/// the data, the network and the length of a compared one.
pub fn teachers<T>(runs: Vec<(T, Vec<(String, String)>)>, compared: &[&Settings]) -> Vec<T> {
    let mut times: HashMap<Vec<(&str, &str)>, usize> = HashMap::new();
    let theirs = runs.iter().map(|(_, config)| config.as_slice());
    for config in theirs.chain(compared.iter().copied()) {
        *times.entry(recipe(config)).or_default() += 1;
    }
    let teaches: Vec<bool> = runs
        .iter()
        .map(|(_, config)| {
            let recipe = recipe(config);
            let alike = compared.iter().any(|other| are_alike(config, other));
            alike && !recipe.is_empty() && times[&recipe] > 1
        })
        .collect();
    let runs = runs.into_iter().zip(teaches);
    runs.filter(|(_, teaches)| *teaches)
        .map(|((run, _), _)| run)
        .collect()
}

fn are_alike(a: &Settings, b: &Settings) -> bool {
    let kinds = |config: &Settings| -> Vec<(String, String)> {
        let of_kind = config.iter().filter(|(key, _)| is_alike_key(key));
        of_kind.cloned().collect()
    };
    kinds(a) == kinds(b)
}

/// The runs by recipe, each by its place in `runs`: groups in the order of their first run. A run
/// without a configuration is alone: it is unknown what it repeats.
pub fn groups(runs: &[&ComparedRun]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<Vec<(&str, &str)>, usize> = HashMap::new();
    for (place, run) in runs.iter().enumerate() {
        let recipe = recipe(&run.config);
        if recipe.is_empty() {
            groups.push(vec![place]);
            continue;
        }
        match known.get(&recipe) {
            Some(group) => groups[*group].push(place),
            None => {
                known.insert(recipe, groups.len());
                groups.push(vec![place]);
            }
        }
    }
    groups
}

fn recipe(config: &Settings) -> Vec<(&str, &str)> {
    config
        .iter()
        .filter(|(key, _)| !is_seed(key) && !is_name(key))
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// The seed that a run says it had.
pub fn seed(run: &ComparedRun) -> Option<&str> {
    let mut settings = run.config.iter();
    settings
        .find(|(key, _)| is_seed(key))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{compared_run, configured};
    use super::*;

    #[test]
    fn runs_that_differ_in_seed_and_name_only_are_one_recipe() {
        let runs = [
            configured(
                "a",
                &[("lr", "0.1"), ("seed", "1"), ("experiment_name", "x")],
                &[1.0],
            ),
            configured("b", &[("lr", "0.2"), ("seed", "1")], &[1.0]),
            configured(
                "c",
                &[("lr", "0.1"), ("seed", "2"), ("train.output-dir", "y")],
                &[1.0],
            ),
            compared_run("d", &[("val_acc", &[1.0])]),
            compared_run("e", &[("val_acc", &[1.0])]),
        ];
        let runs: Vec<&ComparedRun> = runs.iter().collect();
        assert_eq!(groups(&runs), [vec![0, 2], vec![1], vec![3], vec![4]]);
        assert_eq!(seed(runs[2]), Some("2"));
        assert_eq!(seed(runs[3]), None);
    }

    #[test]
    fn only_repeated_runs_of_the_same_kind_teach() {
        let config = |pairs: &[(&str, &str)]| configured("x", pairs, &[1.0]).config;
        let compared = config(&[("lr", "0.1"), ("model", "a"), ("seed", "1")]);
        let runs = vec![
            (
                "repeats the compared",
                config(&[("lr", "0.1"), ("model", "a"), ("seed", "2")]),
            ),
            (
                "alone",
                config(&[("lr", "0.2"), ("model", "a"), ("seed", "2")]),
            ),
            (
                "another network",
                config(&[("lr", "0.1"), ("model", "b"), ("seed", "1")]),
            ),
            (
                "another network again",
                config(&[("lr", "0.1"), ("model", "b"), ("seed", "2")]),
            ),
            ("no configuration", Vec::new()),
        ];
        assert_eq!(teachers(runs, &[&compared]), ["repeats the compared"]);
    }

    #[test]
    fn nested_keys_count_by_their_last_part_and_no_other() {
        assert!(is_seed("trainer.Seed") && is_name("run.save-dir"));
        assert!(!is_seed("seed.count") && !is_name("model_name"));
    }
}
