//! What the form has done outside of it: learning from earlier runs, working a sweep out, queueing
//! it, starting a launcher's command, and keeping recipes and what was started.

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, thread};

use jiff::Zoned;

use crate::jobs::choice::Choice;
use traintop_analysis::run_history::{PastRun, RunHistory};
use traintop_config as config;
use traintop_config::Place;
use traintop_disk::read;
use traintop_disk::write::{create_with, make_folders, replace_file};
use traintop_launch::recent::{self, Recent};
use traintop_launch::{Launch, Plan, Request, Started, SweepRequest, slurm};
use traintop_recipe as recipe;
use traintop_recipe::{OWN, Recipe, SHIPPED};
use traintop_run::RunDir;
use traintop_text::clean;

/// A job for the form.
#[derive(Debug, Clone, PartialEq)]
pub enum FormJob {
    /// Learn from earlier runs, and list what was started lately.
    Learn(Vec<PastRun>),
    /// Work out a sweep; the number tells the answer from older ones.
    Plan(u64, Box<(Request, SweepRequest)>, Arc<RunHistory>),
    /// Queue a sweep that was worked out, or hand it to Slurm, and remember that.
    Queue(Arc<Worked>, Option<Box<Recent>>, Place),
    /// Hand a run to Slurm.
    Submit(Box<Request>),
    /// Hand a launcher's command to Slurm.
    SubmitCommand(Box<Launch>),
    /// Start a launcher's command, or queue it.
    Launch(Box<Launch>, bool),
    /// Remember what was started.
    Note(Box<Recent>),
    /// Keep a recipe.
    Save(Box<Saving>),
}

/// A sweep that was worked out, and what it comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Worked {
    /// Its points.
    pub plan: Plan,
    /// Runs to be trained.
    pub runs: usize,
    /// What that costs, in a sentence.
    pub cost: String,
}

/// A recipe to be kept in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Saving {
    /// Its name: the file's, without `.toml`.
    pub name: String,
    /// What it is, for the file's first line.
    pub description: String,
    /// What it builds on, and what that has.
    pub source: PathBuf,
    /// The values of that.
    pub base: Recipe,
    /// Its own values.
    pub recipe: Recipe,
    /// Whether a file of that name may be replaced.
    pub replaces: bool,
}

/// The result of a job.
#[derive(Debug)]
pub enum FormOutcome {
    /// What earlier runs tell, what was started lately, the last first, and where runs train if
    /// nobody says otherwise, where there is Slurm.
    Learnt(Arc<RunHistory>, Vec<Recent>, Option<Place>),
    /// A sweep was worked out, or what is wrong with it.
    Planned(u64, Result<Arc<Worked>, String>),
    /// Runs were queued, or handed to Slurm, or why not.
    Queued(Result<Vec<RunDir>, String>, Place),
    /// A command was started.
    Started(RunDir),
    /// It was not, and why.
    Refused(String),
    /// A recipe was kept, in this file.
    Saved(PathBuf),
    /// There is a file of that name already.
    Taken(Box<Saving>),
}

/// Runs a job and sends the result.
pub fn carry_out(job: FormJob, send: impl Fn(FormOutcome)) {
    match job {
        FormJob::Learn(past) => {
            let earlier = Arc::new(RunHistory::of(past));
            let place = slurm::is_here().then(|| config::load().0.place);
            send(FormOutcome::Learnt(earlier, recent::load(), place));
        }
        FormJob::Plan(number, asked, earlier) => {
            let (request, wanted) = *asked;
            let slots = config::load().0.slots.unwrap_or(1);
            let worked = Plan::of(&request, wanted, &earlier).map(|plan| {
                let cost = plan.cost();
                let (runs, cost) = (cost.runs, cost.sentence(slots));
                Arc::new(Worked { plan, runs, cost })
            });
            let worked = worked.map_err(|problem| clean(&problem).into_owned());
            send(FormOutcome::Planned(number, worked));
        }
        FormJob::Queue(worked, recent, place) => {
            if let Some(recent) = recent {
                recent::note(*recent);
            }
            let queued = worked.plan.queue(place, &Zoned::now());
            let queued = queued.map_err(|error| error.to_string());
            send(FormOutcome::Queued(queued, place));
        }
        FormJob::Submit(request) => {
            let handed = submit(&request);
            send(FormOutcome::Queued(handed, Place::Slurm));
        }
        FormJob::SubmitCommand(launch) => {
            let handed = launch.submit(&config::load().0.slurm);
            let handed = handed.map(|dir| vec![dir]);
            let handed = handed.map_err(|error| error.to_string());
            send(FormOutcome::Queued(handed, Place::Slurm));
        }
        FormJob::Launch(launch, true) => {
            let queued = launch.queue().map(|dir| vec![dir]);
            let queued = queued.map_err(|error| error.to_string());
            send(FormOutcome::Queued(queued, Place::Local));
        }
        FormJob::Launch(launch, false) => match launch.start() {
            Ok(started) => {
                send(FormOutcome::Started(started.dir.clone()));
                wait_for(started);
            }
            Err(error) => send(FormOutcome::Refused(error.to_string())),
        },
        FormJob::Note(recent) => recent::note(*recent),
        FormJob::Save(saving) => match save(&saving, Path::new(OWN)) {
            Ok(path) => send(FormOutcome::Saved(path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                send(FormOutcome::Taken(saving));
            }
            Err(error) => send(FormOutcome::Refused(format!(
                "{OWN}/{}.toml: cannot be written ({error})",
                clean(&saving.name)
            ))),
        },
    }
}

fn submit(request: &Request) -> Result<Vec<RunDir>, String> {
    let plan = Plan::of(request, SweepRequest::default(), &RunHistory::default())?;
    let handed = plan.queue(Place::Slurm, &Zoned::now());
    handed.map_err(|error| error.to_string())
}

/// Waits, on a thread of its own, for the end of a run that this program started, so that a command
/// that cannot even start leaves its reason in the run.
pub fn wait_for(mut started: Started) {
    let waiting = thread::Builder::new()
        .name("run-exit".to_owned())
        .spawn(move || {
            if let Err(error) = started.wait() {
                log::warn!("{error}");
            }
        });
    if let Err(error) = waiting {
        log::error!("the end of a run goes unseen: {error}");
    }
}

/// The recipes that the program ships, those in the working folder's `configs/` that differ from
/// them, and the launchers of the configuration.
pub fn choices() -> Vec<Choice> {
    let entries = fs::read_dir(OWN).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    let read = paths.into_iter().filter_map(|path| {
        read::text(&path, read::RECORD_LIMIT)
            .ok()
            .map(|text| (path, text))
    });
    let own = read.filter(|(_, text)| SHIPPED.iter().all(|shipped| shipped.text != text));
    let own = own.map(|(path, text)| Choice::of(path, &text));
    let (config, _) = config::load();
    let launchers = config.launchers.into_iter();
    let launchers = launchers.map(Choice::launcher);
    Choice::shipped()
        .into_iter()
        .chain(own)
        .chain(launchers)
        .collect()
}

/// Writes a recipe's file; one of the same name stays unless it may be replaced.
fn save(saving: &Saving, folder: &Path) -> io::Result<PathBuf> {
    let extends = builds_on(&saving.source, folder)?;
    let text = format!(
        "# {}\n{}",
        saving.description,
        recipe::variant(&saving.recipe, &saving.base, extends.as_deref())
    );
    make_folders(folder)?;
    let path = folder.join(format!("{}.toml", saving.name));
    if saving.replaces {
        replace_file(&path, text.as_bytes())?;
        return Ok(path);
    }
    create_with(&path, |file| file.write_all(text.as_bytes()))?;
    Ok(path)
}

/// What a recipe in `folder` calls the one in `source`; nothing where no recipe can build on that,
/// as on a run's configuration.
fn builds_on(source: &Path, folder: &Path) -> io::Result<Option<String>> {
    if source.extension().is_some_and(|ending| ending == "json") {
        return Ok(None);
    }
    if !source.exists() {
        return Ok(Some(source.display().to_string()));
    }
    if source.parent() == Some(folder) {
        let name = source.file_name().unwrap_or_default();
        return Ok(Some(name.to_string_lossy().into_owned()));
    }
    Ok(Some(std::path::absolute(source)?.display().to_string()))
}
