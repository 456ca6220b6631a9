//! `traintop train --sweep` and `--queue`: what would be trained and what that costs, and queueing
//! it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::Result;
use jiff::Zoned;
use serde_json::{Value as Json, json};

use super::list;
use super::queue::path;
use traintop_analysis::run_history::{PastRun, RunHistory};
use traintop_config as config;
use traintop_config::Place;
use traintop_launch as launch;
use traintop_launch::{Launch, Plan, Planned, Request, SweepPoint, SweepRequest};
use traintop_recipe::{Axis, Recipe, Sweep, parse_override};
use traintop_run::{Record, RunDir};
use traintop_text::terminal::error_line;
use traintop_text::{clean, pretty_json};

/// Points that are shown; the rest are counted.
const SHOWN: usize = 20;

#[derive(Debug, Args)]
#[group(skip)]
pub struct Arguments {
    /// Vary a value: `max_lr=0.05,0.1`, `seed=1..5`, `max_lr=0.1..0.5/5` (evenly),
    /// `max_lr=0.001..0.1*3` (by a factor); each with every other. With --launcher, `{key}` in its
    /// command or arguments is what each run has. Without --queue only shows the runs and what they
    /// would cost
    #[arg(long, value_name = "KEY=VALUES")]
    sweep: Vec<String>,
    /// Of a sweep's points, take this many at random
    #[arg(long, value_name = "N", requires = "sweep", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// Seed of the sample
    #[arg(long, value_name = "S", default_value_t = 0, requires = "sample")]
    seed: u64,
    /// What lists call the sweep [default: the experiment and the time]
    #[arg(long, value_name = "NAME", requires = "sweep")]
    sweep_name: Option<String>,
    /// Leave out what a finished run has already: the same recipe on the same data, or a launcher's
    /// same command
    #[arg(long)]
    skip_done: bool,
    /// Queue the runs; each starts when a slot is free
    #[arg(long, conflicts_with = "detach")]
    queue: bool,
}

impl Arguments {
    /// Whether the runs are queued.
    pub fn queues(&self) -> bool {
        self.queue
    }

    /// Whether values are varied.
    pub fn varies(&self) -> bool {
        !self.sweep.is_empty()
    }

    /// The request.
    pub fn wanted(&self) -> SweepRequest {
        SweepRequest {
            axes: self.sweep.clone(),
            sample: self.sample.map(|count| (count, self.seed)),
            skip_done: self.skip_done,
            name: self.sweep_name.clone(),
        }
    }

    /// The request, as rows of the form.
    pub fn rows(&self) -> Vec<(String, String)> {
        let axes = self.sweep.iter();
        let mut rows: Vec<(String, String)> =
            axes.filter_map(|text| parse_override(text).ok()).collect();
        let mut add = |key: &str, text: String| rows.push((key.to_owned(), text));
        if let Some(sample) = self.sample {
            add("sample", sample.to_string());
            add("sample_seed", self.seed.to_string());
        }
        if self.skip_done {
            add("skip_done", "true".to_owned());
        }
        rows
    }

    /// Whether any option of a sweep is set.
    pub fn is_asked_for(&self) -> bool {
        self.queue || !self.sweep.is_empty()
    }
}

/// Shows what would be trained, and queues it if that is asked for, or submits it to Slurm; a
/// single run is submitted at once.
pub fn run(
    arguments: &Arguments,
    request: &Request,
    place: Place,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let recipe = launch::resolve(request)?.with_absolute_paths();
    let earlier = earlier(&recipe);
    let plan = match Plan::of(request, arguments.wanted(), &earlier) {
        Ok(plan) => plan,
        Err(problem) => {
            error_line(&problem);
            return Ok(ExitCode::from(2));
        }
    };
    let goes = arguments.queue || place == Place::Slurm && arguments.sweep.is_empty();
    let dirs = if goes {
        plan.queue(place, &Zoned::now())?
    } else {
        Vec::new()
    };
    if as_json {
        let json = as_json_of(&plan, &dirs);
        writeln!(out, "{}", pretty_json(&json)?)?;
    } else {
        print_points(arguments, place, &plan, &dirs, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows at which points a launcher's command would be started, and queues it at each if that is
/// asked for, or submits it to Slurm.
pub fn run_launcher(
    arguments: &Arguments,
    launch: &Launch,
    place: Place,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let time = Zoned::now().strftime("%m-%d %H:%M:%S").to_string();
    let name = arguments.sweep_name.clone();
    let name = name.unwrap_or_else(|| format!("{} {time}", launch.launcher.name));
    let axes = arguments.sweep.iter().map(|text| Axis::argument(text));
    let sample = arguments.sample.map(|count| (count, arguments.seed));
    let points = axes
        .collect::<Result<Vec<Axis>, String>>()
        .and_then(Sweep::new)
        .and_then(|sweep| launch.vary(&sweep, sample, &name));
    let points = match points {
        Ok(points) => points,
        Err(problem) => {
            error_line(&problem);
            return Ok(ExitCode::from(2));
        }
    };
    let done = points.iter().filter(|(_, done)| done.is_some()).count();
    let goes = |done: &Option<RunDir>| !(arguments.skip_done && done.is_some());
    let mut dirs = Vec::new();
    if arguments.queue {
        for (launch, _) in points.iter().filter(|(_, done)| goes(done)) {
            dirs.push(match place {
                Place::Local => launch.queue()?,
                Place::Slurm => launch.submit(&config::load().0.slurm)?,
            });
        }
    }
    let label = |launch: &Launch| {
        launch
            .point
            .as_ref()
            .map_or_else(String::new, SweepPoint::label)
    };
    if as_json {
        let point = |(launch, done): &(Launch, Option<RunDir>)| {
            let values = launch.point.as_ref().map(|point| &point.values[..]);
            json!({
                "label": label(launch),
                "set": set(values.unwrap_or_default()),
                "finished_as": done.as_ref().map(path),
                "skipped": !goes(done),
                "estimated_s": Json::Null,
            })
        };
        let runs = points.iter().filter(|(_, done)| goes(done)).count();
        // Nothing is known of what a launcher's command trains, or how long.
        let json = json!({
            "sweep": name,
            "runs": runs,
            "skipped": points.len() - runs,
            "epochs": Json::Null,
            "estimated_s": Json::Null,
            "estimated_runs": 0,
            "points": points.iter().map(point).collect::<Vec<_>>(),
            "queued": dirs.iter().map(path).collect::<Vec<_>>(),
        });
        writeln!(out, "{}", pretty_json(&json)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let labels = points.iter();
    let labels = labels.map(|(launch, done)| (label(launch), done.as_ref()));
    tell_points(labels, arguments, out)?;
    let runs = points.iter().filter(|(_, done)| goes(done)).count();
    let plural = if runs == 1 { "" } else { "s" };
    writeln!(
        out,
        "{runs} run{plural} of launcher {}",
        clean(&launch.launcher.name)
    )?;
    print_rest(arguments, place, done, &dirs, out)?;
    Ok(ExitCode::SUCCESS)
}

/// The first points, and what of them has finished already.
fn tell_points<'a>(
    points: impl ExactSizeIterator<Item = (String, Option<&'a RunDir>)>,
    arguments: &Arguments,
    out: &mut dyn Write,
) -> Result<()> {
    let more = points.len().saturating_sub(SHOWN);
    let skipped = if arguments.skip_done {
        ", left out"
    } else {
        ""
    };
    for (label, done) in points.take(SHOWN) {
        let done = done.map_or_else(String::new, |dir| {
            format!("  (finished already: {}{skipped})", clean(&dir.name()))
        });
        writeln!(out, "{}{done}", clean(&label))?;
    }
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    Ok(())
}

/// The history of the runs below the recipe's own folder, and of those that lists show.
fn earlier(recipe: &Recipe) -> RunHistory {
    let now = SystemTime::now();
    let mut summaries = list::known_summaries(&[], now).unwrap_or_default();
    let own = PathBuf::from(&recipe.output_dir);
    if let Ok(own) = list::known_summaries(&[own], now) {
        summaries.extend(own);
    }
    RunHistory::of(summaries.iter().map(PastRun::of))
}

fn print_points(
    arguments: &Arguments,
    place: Place,
    plan: &Plan,
    dirs: &[RunDir],
    out: &mut dyn Write,
) -> Result<()> {
    if !arguments.sweep.is_empty() {
        let points = plan.points.iter();
        let points = points.map(|planned| (planned.point.label(), planned.done.as_ref()));
        tell_points(points, arguments, out)?;
    }
    let slots = config::load().0.slots.unwrap_or(1);
    writeln!(out, "{}", plan.cost().sentence(slots))?;
    print_rest(arguments, place, plan.done(), dirs, out)
}

/// How many have finished already, and where the others are now.
fn print_rest(
    arguments: &Arguments,
    place: Place,
    done: usize,
    dirs: &[RunDir],
    out: &mut dyn Write,
) -> Result<()> {
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
    if place == Place::Slurm && !dirs.is_empty() {
        for dir in dirs {
            let job = Record::load(dir)?.and_then(|record| record.slurm?.name());
            let job = job.map_or_else(String::new, |job| format!("job {job}: "));
            writeln!(out, "{job}{}", clean(&path(dir)))?;
        }
    } else if arguments.queue {
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

/// What a point has, in the order of the axes.
fn set(values: &[(String, String)]) -> Json {
    let values = values.iter();
    let values = values.map(|(key, value)| (key.clone(), json!(value)));
    Json::Object(values.collect())
}

fn as_json_of(plan: &Plan, dirs: &[RunDir]) -> Json {
    let cost = plan.cost();
    let point = |planned: &Planned| {
        json!({
            "label": planned.point.label(),
            "set": set(&planned.point.changes),
            "finished_as": planned.done.as_ref().map(path),
            "skipped": plan.is_skipped(planned),
            "estimated_s": planned.estimate.map(|estimate| estimate.as_secs_f64()),
        })
    };
    json!({
        "sweep": plan.wanted.name,
        "runs": cost.runs,
        "skipped": plan.points.len() - cost.runs,
        "epochs": cost.epochs,
        "estimated_s": (cost.known > 0).then_some(cost.training.as_secs_f64()),
        "estimated_runs": cost.known,
        "points": plan.points.iter().map(point).collect::<Vec<_>>(),
        "queued": dirs.iter().map(path).collect::<Vec<_>>(),
    })
}
