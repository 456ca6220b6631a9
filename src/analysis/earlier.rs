//! What earlier runs tell of a run that is about to begin: how long one like it took, and whether it was trained already.

use std::collections::HashMap;
use std::time::Duration;

use crate::recipe::{FIELDS, Field, Recipe, field};
use crate::run::RunDir;
use crate::run::settings::Key;
use crate::run::state::State;
use crate::run::summary::Summary;

/// What the time of an epoch hangs on most.
const COSTLY: [&str; 14] = [
    "data_dir",
    "val_split",
    "val_fraction",
    "max_train_images",
    "max_val_images",
    "width",
    "blocks",
    "use_se",
    "batch_size",
    "gradient_accumulation",
    "use_randaugment",
    "device",
    "precision",
    "num_threads",
];

/// What changes neither the weights nor the metrics: names, places, and how often something is written.
const IRRELEVANT: [&str; 7] = [
    "experiment_name",
    "model_name",
    "output_dir",
    "num_workers",
    "pin_memory",
    "log_interval",
    "save_interval",
];

/// How long a run will take, by those like it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// An epoch: the median of the earlier runs'.
    pub epoch: Duration,
    /// The whole run.
    pub whole: Duration,
    /// How many runs it rests on.
    pub runs: usize,
}

/// How long epochs of earlier runs took.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EpochTimes {
    /// Seconds of an epoch, by what they hang on; sorted.
    seconds: HashMap<String, Vec<f64>>,
}

impl EpochTimes {
    /// Takes in these runs. Those whose configuration is not of this program's form tell nothing.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a Summary>) -> Self {
        let keys = keyed(&costly());
        let mut times = Self::default();
        for run in runs.into_iter().filter(|run| run.epochs_done > 0) {
            if let Some(took) = run.duration
                && let Some(key) = told(run, &keys)
            {
                let seconds = took.as_secs_f64() / f64::from(run.epochs_done);
                times.seconds.entry(key).or_default().push(seconds);
            }
        }
        for seconds in times.seconds.values_mut() {
            seconds.sort_by(f64::total_cmp);
        }
        times
    }

    /// How long a recipe will take; `None` if there is no earlier run like it.
    pub fn estimate(&self, recipe: &Recipe) -> Option<Estimate> {
        let seconds = self.seconds.get(&told_by(recipe, &costly()))?;
        let middle = seconds.len() / 2;
        let median = if seconds.len().is_multiple_of(2) {
            f64::midpoint(seconds[middle - 1], seconds[middle])
        } else {
            seconds[middle]
        };
        let epoch = Duration::try_from_secs_f64(median).ok()?;
        Some(Estimate {
            epoch,
            whole: epoch.checked_mul(recipe.num_epochs)?,
            runs: seconds.len(),
        })
    }
}

/// What has been trained to its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finished {
    /// By all that matters.
    runs: HashMap<String, RunDir>,
}

impl Finished {
    /// Takes in these runs. Those whose configuration is not of this program's form tell nothing.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a Summary>) -> Self {
        let keys = keyed(&relevant());
        let is_finished = |run: &&Summary| run.observed.state == State::Finished;
        let finished = runs.into_iter().filter(is_finished);
        let runs = finished.filter_map(|run| Some((told(run, &keys)?, run.dir.clone())));
        Self {
            runs: runs.collect(),
        }
    }

    /// A run of the same recipe and data.
    pub fn of_recipe(&self, recipe: &Recipe) -> Option<&RunDir> {
        self.runs.get(&told_by(recipe, &relevant()))
    }
}

fn keyed(fields: &[&'static Field]) -> Vec<(&'static Field, Key)> {
    let keys = fields.iter();
    keys.map(|field| (*field, Key::new(field.key))).collect()
}

/// A run's values of these keys; `None` if it lacks one, or has one that no recipe has.
fn told(run: &Summary, keys: &[(&'static Field, Key)]) -> Option<String> {
    let value = |(field, key): &(&'static Field, Key)| {
        let value = field.parse(run.settings.get(key)?).ok()?;
        Some(value.to_string())
    };
    let values: Option<Vec<String>> = keys.iter().map(value).collect();
    values.map(|values| values.join("\n"))
}

fn costly() -> Vec<&'static Field> {
    COSTLY.iter().filter_map(|key| field(key)).collect()
}

fn relevant() -> Vec<&'static Field> {
    let fields = FIELDS.iter();
    fields
        .filter(|field| !IRRELEVANT.contains(&field.key))
        .collect()
}

fn told_by(recipe: &Recipe, fields: &[&'static Field]) -> String {
    let values = fields.iter().filter_map(|field| recipe.get(field.key));
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    values.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::discover::Found;
    use std::fs;
    use std::time::SystemTime;

    /// A finished run of a recipe whose epochs took so many seconds each.
    fn run(place: &std::path::Path, name: &str, recipe: &Recipe, seconds: f64) -> Summary {
        let dir = RunDir::new(place.join(name));
        fs::create_dir_all(dir.logs()).unwrap();
        let row = |epoch: u32| format!("{epoch},50.0,{}\n", seconds * f64::from(epoch));
        let rows: String = (1..=recipe.num_epochs).map(row).collect();
        let text = format!("epoch,val_acc,time_elapsed\n{rows}");
        fs::write(dir.logs().join("metrics.csv"), text).unwrap();
        let config = serde_json::Value::from(recipe.to_json());
        fs::write(dir.logs().join("config.json"), format!("{config:#}")).unwrap();
        Summary::load(&Found::look(dir), SystemTime::now())
    }

    #[test]
    fn runs_like_it_tell_the_time_and_others_do_not() {
        let place = tempfile::tempdir().unwrap();
        let recipe = Recipe {
            num_epochs: 4,
            ..Recipe::default()
        };
        let wide = Recipe {
            width: 64,
            ..recipe.clone()
        };
        let runs: Vec<Summary> = [
            ("a", &recipe, 10.0),
            ("b", &recipe, 30.0),
            ("c", &wide, 99.0),
        ]
        .map(|(name, recipe, seconds)| run(place.path(), name, recipe, seconds))
        .to_vec();
        let times = EpochTimes::of(&runs);
        let other_seed = Recipe {
            seed: 9,
            num_epochs: 2,
            ..recipe.clone()
        };
        let estimate = times.estimate(&other_seed).unwrap();
        assert_eq!((estimate.whole.as_secs(), estimate.runs), (40, 2));
        let deep = Recipe {
            blocks: 9,
            ..recipe
        };
        assert_eq!(times.estimate(&deep), None);
    }

    #[test]
    fn a_finished_run_of_the_same_recipe_is_known_whatever_it_is_called() {
        let place = tempfile::tempdir().unwrap();
        let recipe = Recipe {
            num_epochs: 3,
            max_lr: 1.0,
            ..Recipe::default()
        };
        let runs = [run(place.path(), "a", &recipe, 1.0)];
        let finished = Finished::of(&runs);
        let renamed = Recipe {
            experiment_name: "other".to_owned(),
            ..recipe.clone()
        };
        assert_eq!(finished.of_recipe(&renamed), Some(&runs[0].dir));
        let other_seed = Recipe { seed: 1, ..recipe };
        assert_eq!(finished.of_recipe(&other_seed), None);
    }
}
