//! The files in which trainers write what a run was configured with, and what they plan.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Facts, json, yaml};
use traintop_disk::read;

/// Larger files are no settings.
const MAX_BYTES: u64 = 1 << 20;

/// Files of settings, the fullest first; the keys of the first that has any count.
pub const FILES: [&str; 13] = [
    "hparams.yaml",
    "args.yaml",
    "opt.yaml",
    "training_args.yaml",
    ".hydra/config.yaml",
    "config.yaml",
    "config.yml",
    "params.yaml",
    "config.json",
    "args.json",
    "hparams.json",
    "params.json",
    "variant.json",
];

/// Names of the planned epochs, in any part of a nested key.
const EPOCHS: [&str; 9] = [
    "max_epochs",
    "epochs",
    "num_epochs",
    "n_epochs",
    "nb_epochs",
    "nb_epoch",
    "num_train_epochs",
    "total_epochs",
    "max_epoch",
];

/// Names of the planned steps.
const STEPS: [&str; 9] = [
    "max_steps",
    "total_steps",
    "num_steps",
    "max_iters",
    "max_iter",
    "total_iters",
    "n_timesteps",
    "total_timesteps",
    "num_iterations",
];

/// Names of the network.
const MODELS: [&str; 6] = [
    "model_name",
    "model",
    "arch",
    "architecture",
    "backbone",
    "algo",
];

/// Names of what the run belongs to.
const EXPERIMENTS: [&str; 4] = ["experiment_name", "experiment", "exp_name", "task_name"];

/// The settings beside a run's metrics.
pub fn beside(dir: &Path) -> Map<String, Value> {
    let read = FILES.iter().map(|name| file(&dir.join(name)));
    read.into_iter()
        .find(|map| !map.is_empty())
        .unwrap_or_default()
}

/// The settings in a file of JSON or YAML; none if it cannot be read.
pub fn file(path: &Path) -> Map<String, Value> {
    if path.extension().is_some_and(|ending| ending == "json") {
        return json::object(&read::bytes(path, MAX_BYTES).unwrap_or_default());
    }
    yaml::file(path)
}

/// What the settings say of a run by names that many trainers use.
pub fn facts(config: Map<String, Value>) -> Facts {
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| config.get(*name));
        found
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    Facts {
        model: text(&MODELS),
        experiment: text(&EXPERIMENTS),
        epochs_planned: planned(&config, &EPOCHS).and_then(|epochs| epochs.try_into().ok()),
        steps_planned: planned(&config, &STEPS),
        config,
        ..Facts::default()
    }
}

/// The first of these keys that holds a number above 0, those nested less deeply first.
fn planned(config: &Map<String, Value>, names: &[&str]) -> Option<u64> {
    let here = |map: &Map<String, Value>| {
        let is_it = |key: &String, name: &str| key.eq_ignore_ascii_case(name);
        names.iter().find_map(|name| {
            let (_, value) = map.iter().find(|(key, _)| is_it(key, name))?;
            let number = json::number(value).or_else(|| value.as_str()?.trim().parse().ok())?;
            (number >= 1.0).then_some(number as u64)
        })
    };
    here(config).or_else(|| {
        let inner = config.values().filter_map(Value::as_object);
        inner
            .filter(|map| map.len() < 1000)
            .find_map(|map| planned_below(map, &here, 3))
    })
}

fn planned_below(
    map: &Map<String, Value>,
    here: &dyn Fn(&Map<String, Value>) -> Option<u64>,
    depth: u32,
) -> Option<u64> {
    here(map).or_else(|| {
        let inner = map.values().filter_map(Value::as_object);
        let depth = depth.checked_sub(1)?;
        inner
            .into_iter()
            .find_map(|map| planned_below(map, here, depth))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planned_lengths_are_found_by_their_usual_names_also_nested() {
        for (text, epochs, steps) in [
            ("max_epochs: 3", Some(3), None),
            (
                "trainer:\n  max_epochs: 10\n  max_steps: -1",
                Some(10),
                None,
            ),
            ("SOLVER:\n  MAX_ITER: 270000", None, Some(270_000)),
            ("epochs: '20'\nmodel: r18", Some(20), None),
            ("lr: 1", None, None),
        ] {
            let facts = facts(yaml::object(text));
            assert_eq!(
                (facts.epochs_planned, facts.steps_planned),
                (epochs, steps),
                "{text}"
            );
        }
    }
}
