//! Estimates for a new run from earlier runs: duration, memory, number of images, and whether it
//! was trained already.

use std::collections::HashMap;
use std::time::Duration;

use traintop_recipe::{FIELDS, Field, REQUEUE, Recipe, field};
use traintop_run::RunDir;
use traintop_run::record::Data;
use traintop_run::settings::{Key, Settings};
use traintop_run::state::State;
use traintop_run::summary::Summary;

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

/// What the images of an epoch hang on.
const CHOOSING: [&str; 5] = [
    "data_dir",
    "val_split",
    "val_fraction",
    "max_train_images",
    "max_val_images",
];

/// What changes neither the weights nor the metrics: names, places, and how often something is
/// written.
const IRRELEVANT: [&str; 8] = [
    "experiment_name",
    "model_name",
    "output_dir",
    "num_workers",
    "pin_memory",
    "log_interval",
    "save_interval",
    REQUEUE,
];

/// The facts of an earlier run. Copying them from the summaries of ten thousand runs takes
/// milliseconds; parsing them takes longer.
#[derive(Debug, Clone, PartialEq)]
pub struct PastRun {
    dir: RunDir,
    settings: Settings,
    data: Option<Data>,
    is_finished: bool,
    epochs_done: u32,
    took: Option<Duration>,
    memory_mb: Option<f64>,
}

impl PastRun {
    /// The facts of a run.
    pub fn of(run: &Summary) -> Self {
        Self {
            dir: run.dir.clone(),
            settings: run.settings.clone(),
            data: run.data.clone(),
            is_finished: run.observed.state == State::Finished,
            epochs_done: run.epochs_done,
            took: run.duration,
            memory_mb: run.last("memory_used_mb").filter(|mb| mb.is_finite()),
        }
    }
}

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

/// What earlier runs cost that are alike in what costs hang on.
#[derive(Debug, Clone, Default, PartialEq)]
struct Costs {
    /// Seconds of an epoch of each, sorted.
    seconds: Vec<f64>,
    /// The memory that each took in its last epoch at the most, in megabytes of 1024 x 1024 bytes.
    memory_mb: Vec<f64>,
}

/// A run that was trained to its end.
#[derive(Debug, Clone, PartialEq)]
struct Finished {
    dir: RunDir,
    data_dir: String,
    fingerprint: Option<String>,
}

/// The facts of all earlier runs, indexed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunHistory {
    /// By what costs hang on.
    costs: HashMap<String, Costs>,
    /// By what the images of an epoch hang on.
    data: HashMap<String, Data>,
    /// By all that matters except the data's folder.
    finished: HashMap<String, Vec<Finished>>,
}

impl RunHistory {
    /// Indexes these runs. Those whose configuration is not of this program's form are ignored.
    pub fn of(runs: impl IntoIterator<Item = PastRun>) -> Self {
        let [costly, choosing, relevant] =
            [costly(), choosing(), relevant()].map(|fields| keyed(&fields));
        let data_dir = Key::new("data_dir");
        let mut earlier = Self::default();
        for run in runs {
            let settings = &run.settings;
            if let Some(data) = &run.data
                && let Some(key) = values_of(settings, &choosing)
            {
                earlier.data.insert(key, data.clone());
            }
            if run.epochs_done > 0
                && let Some(took) = run.took
                && let Some(key) = values_of(settings, &costly)
            {
                let seconds = took.as_secs_f64() / f64::from(run.epochs_done);
                let costs = earlier.costs.entry(key).or_default();
                costs.seconds.push(seconds);
                costs.memory_mb.extend(run.memory_mb);
            }
            if run.is_finished
                && let Some(key) = values_of(settings, &relevant)
            {
                let finished = Finished {
                    data_dir: settings.get(&data_dir).unwrap_or_default().to_owned(),
                    fingerprint: run.data.and_then(|data| data.fingerprint),
                    dir: run.dir,
                };
                earlier.finished.entry(key).or_default().push(finished);
            }
        }
        for costs in earlier.costs.values_mut() {
            costs.seconds.sort_by(f64::total_cmp);
        }
        earlier
    }

    /// How long a recipe will take; `None` if there is no earlier run like it.
    pub fn estimate(&self, recipe: &Recipe) -> Option<Estimate> {
        let seconds = &self.costs.get(&told_by(recipe, &costly()))?.seconds;
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

    /// The most memory that the process of a run like this one took, in bytes, and how many runs
    /// that rests on.
    pub fn memory(&self, recipe: &Recipe) -> Option<(u64, usize)> {
        let mb = &self.costs.get(&told_by(recipe, &costly()))?.memory_mb;
        let most = mb.iter().copied().max_by(f64::total_cmp)?;
        Some(((most * 1024.0 * 1024.0) as u64, mb.len()))
    }

    /// The images that a recipe's epochs have, by a run that had the same.
    pub fn data(&self, recipe: &Recipe) -> Option<&Data> {
        self.data.get(&told_by(recipe, &choosing()))
    }

    /// A finished run of the same recipe and data. Where the run says what its data were,
    /// `fingerprint` gives that of the recipe's `data_dir`; for older runs the folder must be the
    /// same.
    pub fn finished(
        &self,
        recipe: &Recipe,
        fingerprint: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Option<&RunDir> {
        let alike = self.finished.get(&told_by(recipe, &relevant()))?;
        let mut is_same = |run: &&Finished| match &run.fingerprint {
            Some(known) => fingerprint(&recipe.data_dir).is_some_and(|now| now == *known),
            None => run.data_dir == recipe.data_dir,
        };
        alike.iter().find(|run| is_same(run)).map(|run| &run.dir)
    }
}

fn keyed(fields: &[&'static Field]) -> Vec<(&'static Field, Key)> {
    let keys = fields.iter();
    keys.map(|field| (*field, Key::new(field.key))).collect()
}

/// A run's values of these keys; `None` if it lacks one, or has one that no recipe has.
fn values_of(settings: &Settings, keys: &[(&'static Field, Key)]) -> Option<String> {
    let value = |(field, key): &(&'static Field, Key)| {
        let value = field.parse(settings.get(key)?).ok()?;
        Some(value.to_string())
    };
    let values: Option<Vec<String>> = keys.iter().map(value).collect();
    values.map(|values| values.join("\n"))
}

fn costly() -> Vec<&'static Field> {
    COSTLY.iter().filter_map(|key| field(key)).collect()
}

fn choosing() -> Vec<&'static Field> {
    CHOOSING.iter().filter_map(|key| field(key)).collect()
}

fn relevant() -> Vec<&'static Field> {
    let fields = FIELDS.iter();
    fields
        .filter(|field| !IRRELEVANT.contains(&field.key) && field.key != "data_dir")
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
    use crate::run_of_files::run_of_files;

    /// A finished run of a recipe whose epochs took this many seconds each.
    fn run(name: &str, recipe: &Recipe, seconds: f64) -> Summary {
        let row = |epoch: u32| format!("{epoch},50.0,{}\n", seconds * f64::from(epoch));
        let rows: String = (1..=recipe.num_epochs).map(row).collect();
        let config = serde_json::Value::from(recipe.to_json());
        let metrics = format!("epoch,val_acc,time_elapsed\n{rows}");
        run_of_files(name, Some(&config.to_string()), &metrics)
    }

    #[test]
    fn runs_like_it_tell_the_time_and_others_do_not() {
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
        .map(|(name, recipe, seconds)| run(name, recipe, seconds))
        .to_vec();
        let times = RunHistory::of(runs.iter().map(PastRun::of));
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
        let recipe = Recipe {
            num_epochs: 3,
            max_lr: 1.0,
            ..Recipe::default()
        };
        let runs = [run("a", &recipe, 1.0)];
        let mut nobody = |_: &str| None;
        let earlier = RunHistory::of(runs.iter().map(PastRun::of));
        let renamed = Recipe {
            experiment_name: "other".to_owned(),
            ..recipe.clone()
        };
        assert_eq!(earlier.finished(&renamed, &mut nobody), Some(&runs[0].dir));
        let moved = Recipe {
            data_dir: "elsewhere".to_owned(),
            ..recipe.clone()
        };
        assert_eq!(earlier.finished(&moved, &mut nobody), None);
        let other_seed = Recipe { seed: 1, ..recipe };
        assert_eq!(earlier.finished(&other_seed, &mut nobody), None);
    }

    #[test]
    fn data_are_the_same_by_what_they_hold_where_the_run_says_so() {
        let recipe = Recipe {
            data_dir: "/here".to_owned(),
            num_epochs: 3,
            max_lr: 1.0,
            ..Recipe::default()
        };
        let mut summary = run("a", &recipe, 1.0);
        let data = Data {
            fingerprint: Some("1-ab".to_owned()),
            train_images: 400,
            classes: 7,
        };
        summary.data = Some(data.clone());
        summary.last.push(("memory_used_mb".to_owned(), 2.0));
        let earlier = RunHistory::of([PastRun::of(&summary)]);
        let moved = Recipe {
            data_dir: "/there".to_owned(),
            ..recipe.clone()
        };
        let mut holds =
            |folder: &str| Some(if folder == "/there" { "1-ab" } else { "1-cd" }.to_owned());
        assert_eq!(earlier.finished(&moved, &mut holds), Some(&summary.dir));
        assert_eq!(earlier.finished(&recipe, &mut holds), None);
        assert_eq!(earlier.data(&recipe), Some(&data));
        assert_eq!(earlier.data(&moved), None);
        assert_eq!(earlier.memory(&recipe), Some((2 << 20, 1)));
        assert_eq!(earlier.memory(&moved), None);
    }
}
