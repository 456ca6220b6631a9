//! What a sweep would train, before anything starts: its points, those that a finished run has
//! already, and what the others cost.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Zoned;

use super::queue::{self, Entry};
use super::slurm;
use super::spawn::{LaunchError, Request, resolve};
use super::worker_binary;
use traintop_analysis::run_history::RunHistory;
use traintop_config as config;
use traintop_config::Place;
use traintop_recipe::{Axis, Point, Recipe, Sweep, fingerprint};
use traintop_run::RunDir;
use traintop_text as text;
use traintop_text::duration;

/// The sweep that the user asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SweepRequest {
    /// What is varied, as `--sweep` takes it; nothing is one run.
    pub axes: Vec<String>,
    /// How many of the points to draw, and the seed; all without.
    pub sample: Option<(u64, u64)>,
    /// Whether points that a finished run has are left out.
    pub skip_done: bool,
    /// What lists call it; by itself the experiment and the time.
    pub name: Option<String>,
}

/// A run that would be queued.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub point: Point,
    /// The finished run that has it already.
    pub done: Option<RunDir>,
    /// How long it will take, by earlier runs like it.
    pub estimate: Option<Duration>,
}

/// All runs of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// In their order.
    pub points: Vec<Planned>,
    /// The request.
    pub wanted: SweepRequest,
    recipe: Recipe,
    time_limit_s: Option<u64>,
}

/// What runs will cost, estimated from earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    pub runs: usize,
    /// Their epochs.
    pub epochs: u64,
    /// For how many of them there is an estimate.
    pub known: usize,
    /// How long those will train.
    pub training: Duration,
}

impl Plan {
    /// Plans a sweep, with estimates from `earlier` runs.
    ///
    /// # Errors
    /// A sentence, if the recipe or what is asked for is wrong.
    pub fn of(
        request: &Request,
        wanted: SweepRequest,
        earlier: &RunHistory,
    ) -> Result<Self, String> {
        let recipe = resolve(request).map_err(|error| error.to_string())?;
        let recipe = recipe.with_absolute_paths();
        let axes = wanted.axes.iter().map(|text| Axis::parse(text));
        let sweep = Sweep::new(axes.collect::<Result<_, _>>()?)?;
        let points = sweep.points(&recipe, wanted.sample);
        // Reading the data may be slow over a network: only once, and only if an earlier run may
        // have had the same.
        let mut known: HashMap<String, Option<String>> = HashMap::new();
        let mut print = |folder: &str| {
            let known = known.entry(folder.to_owned());
            known.or_insert_with(|| fingerprint(folder)).clone()
        };
        let points = points.map_err(|problem| problem.to_string())?;
        let planned = points.into_iter().map(|point| Planned {
            done: earlier.finished(&point.recipe, &mut print).cloned(),
            estimate: earlier
                .estimate(&point.recipe)
                .map(|estimate| estimate.whole),
            point,
        });
        Ok(Self {
            points: planned.collect(),
            wanted,
            recipe,
            time_limit_s: request.time_limit_s,
        })
    }

    /// Whether a point is left out because a finished run has it.
    pub fn is_skipped(&self, planned: &Planned) -> bool {
        self.wanted.skip_done && planned.done.is_some()
    }

    /// The points that would be trained.
    pub fn queued(&self) -> impl Iterator<Item = &Planned> + Clone {
        self.points
            .iter()
            .filter(|planned| !self.is_skipped(planned))
    }

    /// How many points finished runs have.
    pub fn done(&self) -> usize {
        let done = self.points.iter().filter(|planned| planned.done.is_some());
        done.count()
    }

    pub fn cost(&self) -> Cost {
        let estimates = self.queued().filter_map(|planned| planned.estimate);
        let epochs = self
            .queued()
            .map(|planned| u64::from(planned.point.recipe.num_epochs));
        Cost {
            runs: self.queued().count(),
            epochs: epochs.sum(),
            known: estimates.clone().count(),
            training: estimates.sum(),
        }
    }

    /// Queues the runs here, or submits them to Slurm; returns the runs' folders.
    ///
    /// # Errors
    /// If there is no worker, a folder cannot be made, or Slurm refuses.
    pub fn queue(&self, place: Place, now: &Zoned) -> Result<Vec<RunDir>, LaunchError> {
        let is_sweep = !self.wanted.axes.is_empty();
        let name = is_sweep.then(|| {
            let given = self.wanted.name.clone();
            given.unwrap_or_else(|| {
                let time = now.strftime("%m-%d %H:%M:%S");
                let name = format!("{} {time}", self.recipe.experiment_name);
                name.trim().to_owned()
            })
        });
        let entry = |planned: &Planned| Entry {
            label: name.as_ref().map(|_| planned.point.label()),
            recipe: planned.point.recipe.clone(),
            sweep: name.clone(),
            time_limit_s: self.time_limit_s,
        };
        let entries: Vec<Entry> = self.queued().map(entry).collect();
        worker_binary::find().ok_or(LaunchError::NoWorker)?;
        match place {
            Place::Local => queue::add(&entries, now),
            Place::Slurm => slurm::submit(&entries, &config::load().0.slurm, now),
        }
    }
}

impl Cost {
    /// In one sentence, for a machine on which this many queued runs train at once.
    pub fn sentence(&self, slots: usize) -> String {
        if self.runs == 0 {
            return "nothing is left to be trained".to_owned();
        }
        let plural = if self.runs == 1 { "" } else { "s" };
        let epochs = if self.epochs == 1 { "" } else { "s" };
        let runs = text::count(self.runs as u64);
        let count = format!(
            "{runs} run{plural}, {} epoch{epochs}",
            text::count(self.epochs)
        );
        if self.known == 0 {
            return format!("{count}; how long is unknown: no earlier run is like these");
        }
        let takes = duration(self.training);
        let beside = slots.min(self.runs);
        let wall = match beside {
            0 | 1 => String::new(),
            // Runs beside each other share the machine: this is the least.
            beside => format!(
                ", at least {} with {beside} at once",
                duration(self.training / beside as u32)
            ),
        };
        let of = if self.known < self.runs {
            format!(" for the {} of them that earlier runs are like", self.known)
        } else {
            " by earlier runs like them".to_owned()
        };
        format!("{count}; about {takes} of training{of}{wall}")
    }
}
