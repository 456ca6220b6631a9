//! `traintop train --sweep` and `--queue`: what would be trained and what that costs, and queueing it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use color_eyre::eyre::{Result, bail};
use jiff::Zoned;
use serde_json::{Value as Json, json};

use super::list;
use super::queue::path;
use crate::analysis::earlier::{EpochTimes, Finished};
use crate::config;
use crate::launch::queue::{self, Entry};
use crate::launch::{self, Request};
use crate::recipe::{Axis, Point, Recipe, Sweep};
use crate::run::RunDir;
use crate::run::summary::Summary;
use crate::text::{clean, duration};

/// Points that are shown; the rest are counted.
const SHOWN: usize = 20;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Vary a value: `max_lr=0.05,0.1`, `seed=1..5`, `max_lr=0.1..0.5/5` (evenly), `max_lr=0.001..0.1*3` (by a factor); each with every
    /// other. Without --queue only shows the runs and what they would cost
    #[arg(long, value_name = "KEY=VALUES")]
    sweep: Vec<String>,
    /// Of a sweep's points, take so many at random
    #[arg(long, value_name = "N", requires = "sweep", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// Seed of the sample
    #[arg(long, value_name = "S", default_value_t = 0, requires = "sample")]
    seed: u64,
    /// What lists call the sweep [default: the experiment and the time]
    #[arg(long, value_name = "NAME", requires = "sweep")]
    sweep_name: Option<String>,
    /// Leave out what a finished run has already: the same recipe on the same data
    #[arg(long)]
    skip_done: bool,
    /// Queue what is to be trained; each run begins when a slot is free
    #[arg(long, conflicts_with = "detach")]
    queue: bool,
}

/// A run that would be queued.
struct Planned {
    point: Point,
    /// The finished run that has it already.
    done: Option<RunDir>,
    estimate: Option<Duration>,
}

impl Arguments {
    /// Whether what is to be trained is to be queued.
    pub fn queues(&self) -> bool {
        self.queue
    }

    /// Whether any of this is asked for.
    pub fn is_asked_for(&self) -> bool {
        self.queue || !self.sweep.is_empty()
    }
}

/// Shows what would be trained, and queues it if that is asked for.
pub fn run(
    arguments: &Arguments,
    request: &Request,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let recipe = launch::resolve(request)?.with_absolute_paths();
    let points = match points(arguments, &recipe) {
        Ok(points) => points,
        Err(problem) => {
            eprintln!("{}", clean(&problem));
            return Ok(ExitCode::from(2));
        }
    };
    let earlier = earlier(&recipe);
    let (finished, times) = (Finished::of(&earlier), EpochTimes::of(&earlier));
    let planned = points.into_iter().map(|point| Planned {
        done: finished.of_recipe(&point.recipe).cloned(),
        estimate: times.estimate(&point.recipe).map(|estimate| estimate.whole),
        point,
    });
    let planned: Vec<Planned> = planned.collect();
    let (queued, skipped): (Vec<&Planned>, Vec<&Planned>) = planned
        .iter()
        .partition(|planned| !(arguments.skip_done && planned.done.is_some()));
    let cost = Cost::of(&queued);
    let dirs = if arguments.queue {
        let name = sweep_name(arguments, &recipe);
        let entry = |planned: &&Planned| Entry {
            label: name.as_ref().map(|_| planned.point.label()),
            recipe: planned.point.recipe.clone(),
            sweep: name.clone(),
            time_limit_s: request.time_limit_s,
        };
        let entries: Vec<Entry> = queued.iter().map(entry).collect();
        if launch::find_worker().is_none() {
            bail!("{}", launch::LaunchError::NoWorker);
        }
        queue::add(&entries, &Zoned::now())?
    } else {
        Vec::new()
    };
    if as_json {
        let json = as_json_of(&planned, &cost, &dirs, skipped.len());
        writeln!(out, "{}", serde_json::to_string_pretty(&json)?)?;
    } else {
        tell(arguments, &planned, &cost, &dirs, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn points(arguments: &Arguments, recipe: &Recipe) -> Result<Vec<Point>, String> {
    let axes = arguments.sweep.iter().map(|text| Axis::parse(text));
    let sweep = Sweep::new(axes.collect::<Result<_, _>>()?)?;
    let sample = arguments.sample.map(|count| (count, arguments.seed));
    sweep
        .points(recipe, sample)
        .map_err(|problem| problem.to_string())
}

fn sweep_name(arguments: &Arguments, recipe: &Recipe) -> Option<String> {
    if arguments.sweep.is_empty() {
        return None;
    }
    let default = || {
        let time = Zoned::now().strftime("%m-%d %H:%M:%S").to_string();
        format!("{} {time}", recipe.experiment_name)
            .trim()
            .to_owned()
    };
    Some(arguments.sweep_name.clone().unwrap_or_else(default))
}

/// The runs below the recipe's own folder, and those that lists show.
fn earlier(recipe: &Recipe) -> Vec<Summary> {
    let now = SystemTime::now();
    let mut summaries = list::known_summaries(&[], now).unwrap_or_default();
    let own = PathBuf::from(&recipe.output_dir);
    if let Ok(own) = list::known_summaries(&[own], now) {
        summaries.extend(own);
    }
    summaries
}

/// What runs will cost, as far as earlier ones tell.
struct Cost {
    runs: usize,
    epochs: u64,
    known: usize,
    training: Duration,
    slots: usize,
}

impl Cost {
    fn of(queued: &[&Planned]) -> Self {
        let estimates = queued.iter().filter_map(|planned| planned.estimate);
        let epochs = queued
            .iter()
            .map(|planned| u64::from(planned.point.recipe.num_epochs));
        Self {
            runs: queued.len(),
            epochs: epochs.sum(),
            known: estimates.clone().count(),
            training: estimates.sum(),
            slots: config::load().0.slots.unwrap_or(1),
        }
    }

    fn sentence(&self) -> String {
        let plural = if self.runs == 1 { "" } else { "s" };
        let count = format!("{} run{plural}, {} epochs", self.runs, self.epochs);
        if self.known == 0 {
            return format!(
                "{count}; no earlier run is like these, so nobody knows how long that takes"
            );
        }
        let takes = duration(self.training);
        let beside = self.slots.min(self.runs);
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

fn tell(
    arguments: &Arguments,
    planned: &[Planned],
    cost: &Cost,
    dirs: &[RunDir],
    out: &mut dyn Write,
) -> Result<()> {
    if !arguments.sweep.is_empty() {
        for planned in planned.iter().take(SHOWN) {
            let done = planned.done.as_ref().map_or_else(String::new, |dir| {
                let skipped = if arguments.skip_done {
                    ", left out"
                } else {
                    ""
                };
                format!("  (finished already: {}{skipped})", clean(&dir.name()))
            });
            writeln!(out, "{}{done}", clean(&planned.point.label()))?;
        }
        if planned.len() > SHOWN {
            writeln!(out, "and {} more", planned.len() - SHOWN)?;
        }
    }
    let done = planned
        .iter()
        .filter(|planned| planned.done.is_some())
        .count();
    writeln!(out, "{}", cost.sentence())?;
    if done > 0 && !arguments.skip_done {
        let runs = if done == 1 {
            "one of them"
        } else {
            "some of them"
        };
        writeln!(
            out,
            "{runs} finished already ({done}); --skip-done leaves that out"
        )?;
    }
    if arguments.queue {
        let trees: std::collections::BTreeSet<_> =
            dirs.iter().filter_map(RunDir::output_tree).collect();
        for tree in trees {
            writeln!(out, "queued in {}", tree.display())?;
        }
    } else {
        writeln!(out, "nothing is queued yet; --queue does so")?;
    }
    Ok(())
}

fn as_json_of(planned: &[Planned], cost: &Cost, dirs: &[RunDir], skipped: usize) -> Json {
    let point = |planned: &Planned| {
        let set: serde_json::Map<String, Json> = planned
            .point
            .changes
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect();
        json!({
            "set": set,
            "finished_as": planned.done.as_ref().map(path),
            "estimated_s": planned.estimate.map(|estimate| estimate.as_secs_f64()),
        })
    };
    json!({
        "runs": cost.runs,
        "skipped": skipped,
        "epochs": cost.epochs,
        "estimated_s": (cost.known > 0).then_some(cost.training.as_secs_f64()),
        "estimated_runs": cost.known,
        "points": planned.iter().map(point).collect::<Vec<_>>(),
        "queued": dirs.iter().map(path).collect::<Vec<_>>(),
    })
}
