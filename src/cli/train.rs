//! `traintop train`: starts a worker as the dashboard does, then follows its log, or leaves it to
//! itself.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use color_eyre::eyre::{Result, bail};
use jiff::Timestamp;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::follow::Lines;
use super::sweep;
use traintop_config as config;
use traintop_config::Place;
use traintop_launch as launch;
use traintop_launch::recent::{self, Recent};
use traintop_launch::{Launch, Request, StopError};
use traintop_recipe as recipe;
use traintop_run::record::RecordError;
use traintop_run::{Record, RunDir, State};
use traintop_text::terminal::error_line;
use traintop_text::{clean, escape_json};

/// How often the log is read.
const POLL: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub struct Arguments {
    /// A recipe's file, or the name of one that comes with the program, such as quick
    #[arg(long, value_name = "FILE", required_unless_present = "launcher")]
    config: Option<PathBuf>,
    /// Instead of a recipe, start the command of this launcher of your configuration
    #[arg(long, value_name = "NAME", conflicts_with_all = ["config", "set"])]
    launcher: Option<String>,
    /// With --launcher, the folder below which the run is made
    #[arg(
        long,
        value_name = "DIR",
        default_value = "runs",
        requires = "launcher"
    )]
    output_dir: PathBuf,
    /// With --launcher, what follows its command
    #[arg(last = true, requires = "launcher", value_name = "ARGUMENT")]
    words: Vec<String>,
    /// Replace a value of the recipe; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = recipe::parse_override)]
    set: Vec<(String, String)>,
    /// Ask the run to save and end before it has trained for this time, such as 90m or 4h
    #[arg(long, value_name = "TIME", value_parser = launch::time_limit)]
    time_limit: Option<u64>,
    /// Where to train: on this machine, or as a job of Slurm [default: launch.on of your
    /// configuration, else local]
    #[arg(long, value_name = "PLACE", hide = !launch::slurm::is_here())]
    on: Option<On>,
    /// Return as soon as the run is started; it runs on its own
    #[arg(long)]
    detach: bool,
    /// With --detach the run's folder and process, with --sweep or --queue the plan and the
    /// folders, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sweep: sweep::Arguments,
}

impl Arguments {
    /// What is remembered of what was started, in the words of the form.
    fn recent(&self) -> Recent {
        let mut values = self.set.clone();
        let mut add = |key: &str, text: Option<String>| {
            values.extend(text.map(|text| (key.to_owned(), text)));
        };
        let limit = self.time_limit.map(|seconds| format!("{seconds}s"));
        if self.launcher.is_some() {
            add(
                "arguments",
                (!self.words.is_empty()).then(|| launch::quoted(&self.words)),
            );
            let folder = self.output_dir.display().to_string();
            add("output_dir", (folder != "runs").then_some(folder));
        }
        add("time_limit", limit);
        values.extend(self.sweep.rows());
        Recent {
            recipe: self.config.clone(),
            launcher: self.launcher.clone(),
            values,
            at: Timestamp::now(),
        }
    }
}

/// Where a run trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    Local,
    Slurm,
}

/// What happens while a run is followed.
enum Event {
    Signal,
    Ended(Result<(), RecordError>),
}

/// The action that the arguments request.
enum Plan {
    SweepLauncher {
        launch: Launch,
        place: Place,
    },
    SubmitLauncher(Launch),
    QueueLauncher(Launch),
    /// A sweep of recipes, or one that is queued or submitted to Slurm.
    Sweep {
        request: Request,
        place: Place,
    },
    Start(Start),
    /// The arguments do not go together, as a sentence says.
    Refused(&'static str),
}

/// What a run is started from.
enum Start {
    Launcher(Launch),
    Recipe(Request),
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let launch = match &arguments.launcher {
        Some(name) => Some(launch_of(name, arguments)?),
        None => None,
    };
    let place = place_of(arguments);
    let sweep = &arguments.sweep;
    let what = match launch {
        Some(launch) if sweep.varies() => return Ok(Plan::SweepLauncher { launch, place }),
        Some(launch) if place == Place::Slurm => return Ok(Plan::SubmitLauncher(launch)),
        Some(launch) if sweep.queues() => return Ok(Plan::QueueLauncher(launch)),
        Some(launch) => Start::Launcher(launch),
        None => {
            let request = Request {
                recipe: arguments.config.clone().unwrap_or_default(),
                overrides: arguments.set.clone(),
                time_limit_s: arguments.time_limit,
            };
            if sweep.is_asked_for() || place == Place::Slurm {
                return Ok(Plan::Sweep { request, place });
            }
            Start::Recipe(request)
        }
    };
    if arguments.json && !arguments.detach {
        return Ok(Plan::Refused(
            "--json goes with --detach, --sweep or --queue",
        ));
    }
    Ok(Plan::Start(what))
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let sweep = &arguments.sweep;
    match plan(arguments)? {
        // It is not kept for the form, which cannot sweep a launcher's arguments.
        Plan::SweepLauncher { launch, place } => {
            sweep::run_launcher(sweep, &launch, place, arguments.json, out)
        }
        Plan::SubmitLauncher(launch) => submit(&launch, arguments, out),
        Plan::QueueLauncher(launch) => {
            let dir = launch.queue()?;
            recent::note(arguments.recent());
            if arguments.json {
                print_json(&dir, None, None, out)?;
            } else {
                writeln!(out, "{}", dir.path().display())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Plan::Sweep { request, place } => {
            let done = sweep::run(sweep, &request, place, arguments.json, out)?;
            // A sweep that is only shown starts nothing.
            let starts = sweep.queues() || !sweep.is_asked_for();
            if starts && done == ExitCode::SUCCESS {
                recent::note(arguments.recent());
            }
            Ok(done)
        }
        Plan::Start(what) => start(arguments, &what, out),
        Plan::Refused(sentence) => {
            error_line(sentence);
            Ok(ExitCode::from(2))
        }
    }
}

/// Starts one run here, and follows it unless it is detached.
fn start(arguments: &Arguments, what: &Start, out: &mut dyn Write) -> Result<ExitCode> {
    // Caught before there is a run: a Ctrl-C in between must not leave one behind that keeps
    // running.
    let signals = if arguments.detach {
        None
    } else {
        Some(Signals::new([SIGINT, SIGTERM])?)
    };
    let mut started = match what {
        Start::Launcher(launch) => launch.start()?,
        Start::Recipe(request) => launch::start(request)?,
    };
    recent::note(arguments.recent());
    let dir = started.dir.clone();
    let path = dir.path().display();
    let Some(mut signals) = signals else {
        if arguments.json {
            let pid = launch::signed(&dir)?.map(|process| process.pid);
            print_json(&dir, pid, None, out)?;
        } else {
            writeln!(out, "{path}")?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let (sender, events) = channel();
    let ends = sender.clone();
    thread::spawn(move || ends.send(Event::Ended(started.wait())));
    thread::spawn(move || {
        for _ in signals.forever() {
            if sender.send(Event::Signal).is_err() {
                break;
            }
        }
    });
    writeln!(out, "{path}")?;
    out.flush()?;
    // What a command of the user's prints is all that it says.
    let log = match what {
        Start::Launcher(_) => dir.worker_out(),
        Start::Recipe(_) => dir.training_log(),
    };
    follow(&dir, Lines::of(log), &events, out)
}

/// Hands a launcher's command to Slurm.
fn submit(launch: &Launch, arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let dir = launch.submit(&config::load().0.slurm)?;
    recent::note(arguments.recent());
    let job = Record::load(&dir)?.and_then(|record| record.slurm?.name());
    if arguments.json {
        print_json(&dir, None, job.as_deref(), out)?;
    } else {
        let job = job.map_or_else(String::new, |job| format!("job {job}: "));
        writeln!(out, "{job}{}", dir.path().display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A run that was started, queued or submitted to Slurm, for scripts.
fn print_json(
    dir: &RunDir,
    pid: Option<u32>,
    slurm_job: Option<&str>,
    out: &mut dyn Write,
) -> Result<()> {
    let run = json!({
        "path": dir.path().to_string_lossy(),
        "pid": pid,
        "slurm_job": slurm_job,
    });
    writeln!(out, "{}", escape_json(run.to_string()))?;
    Ok(())
}

fn place_of(arguments: &Arguments) -> Place {
    match arguments.on {
        Some(On::Slurm) => Place::Slurm,
        Some(On::Local) => Place::Local,
        None => config::load().0.place,
    }
}

/// What a launcher of the configuration starts.
fn launch_of(name: &str, arguments: &Arguments) -> Result<Launch> {
    let (config, problems) = config::load();
    for problem in problems {
        error_line(&problem);
    }
    let found = config.launchers.iter().find(|known| known.name == name);
    let Some(launcher) = found else {
        let names: Vec<&str> = config
            .launchers
            .iter()
            .map(|launcher| launcher.name.as_str())
            .collect();
        let known = if names.is_empty() {
            "your configuration has none".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        bail!("there is no launcher {name:?}; {known}; [launcher.{name}] with a command makes one");
    };
    Ok(Launch {
        launcher: launcher.clone(),
        arguments: arguments.words.clone(),
        output_dir: arguments.output_dir.clone(),
        time_limit_s: arguments.time_limit,
        point: None,
    })
}

/// Prints the log as it grows until the run has ended, and how that was. The first signal asks the
/// run to stop; the second leaves it to itself.
fn follow(
    dir: &RunDir,
    mut log: Lines,
    events: &Receiver<Event>,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let (mut signals, mut asked) = (0, false);
    loop {
        let event = events.recv_timeout(POLL);
        for line in log.read() {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        match event {
            Ok(Event::Ended(ended)) => {
                loop {
                    let lines = log.read();
                    if lines.is_empty() {
                        break;
                    }
                    for line in lines {
                        writeln!(out, "{line}")?;
                    }
                }
                ended?;
                return report_end(dir, out);
            }
            Ok(Event::Signal) => signals += 1,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => bail!(
                "the run's end was missed; `traintop show {}` shows it",
                dir.name()
            ),
        }
        if signals > 1 {
            writeln!(out, "left running; it saves to {}", dir.path().display())?;
            return Ok(ExitCode::FAILURE);
        }
        if signals == 1 && !asked {
            match launch::stop(dir) {
                Ok(_) => {
                    asked = true;
                    writeln!(
                        out,
                        "stopping: it finishes its step and saves; Ctrl-C again leaves it to itself"
                    )?;
                    out.flush()?;
                }
                // It has only just been started: the next round tries again. If it has ended, the
                // next round says how.
                Err(
                    StopError::NotYet { .. }
                    | StopError::NotRunning { .. }
                    | StopError::Gone { .. },
                ) => {}
                Err(error) => bail!("{error}"),
            }
        }
    }
}

fn report_end(dir: &RunDir, out: &mut dyn Write) -> Result<ExitCode> {
    let Some(record) = Record::load(dir)? else {
        bail!(
            "{}: run.json is gone, so it is unknown how the run ended",
            dir.path().display()
        );
    };
    let reason = record.exit.as_ref().and_then(|exit| exit.reason.as_deref());
    let reason = reason.map_or_else(String::new, |reason| format!(": {}", clean(reason)));
    if record.state == State::Failed {
        bail!("{}: failed{reason}", dir.path().display());
    }
    let best = record.best.map_or_else(String::new, |best| {
        format!(
            ", best val_acc {:.2} % in epoch {}",
            best.val_acc, best.epoch
        )
    });
    let (done, planned) = (record.epochs_done, record.epochs_planned);
    writeln!(
        out,
        "{}: {done} of {planned} epochs{best}{reason}",
        record.state
    )?;
    Ok(ExitCode::SUCCESS)
}
