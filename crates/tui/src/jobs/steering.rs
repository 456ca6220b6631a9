//! Jobs on runs that wait or train.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Zoned;

use crate::jobs::form::wait_for;
use traintop_launch as launch;
use traintop_launch::queue::{self, Entry, Place, Queue};
use traintop_launch::{LaunchError, Proposal, Request, Steering};
use traintop_run::RunDir;
use traintop_text::clean;

/// A job on runs that wait or train.
#[derive(Debug, Clone, PartialEq)]
pub enum SteeringJob {
    /// Queue a run.
    Queue(Request),
    /// Give a waiting run another place.
    Put(RunDir, Place),
    /// Make sure that the queues of these output trees have a keeper.
    Tend(BTreeSet<PathBuf>),
    /// End a run at once.
    Kill(RunDir),
    /// Send a control request to a run that trains.
    Steer(RunDir, Steering),
    /// Resume runs that have ended: one at once, several as the queue has room.
    Resume(Vec<RunDir>),
    /// Ask whether the command of a run is to be trusted that this user did not start.
    ProposeTrust(RunDir),
    /// Let the command be executed as this user.
    Trust(Box<Proposal>),
}

/// The result.
#[derive(Debug)]
pub struct SteeringOutcome {
    /// The runs whose records have changed.
    pub changed: Vec<RunDir>,
    pub new: Option<RunDir>,
    /// A command that is not executed before the user trusts it.
    pub proposal: Option<Proposal>,
    /// A notice, or what failed.
    pub said: Result<Option<String>, String>,
}

impl SteeringOutcome {
    fn of(changed: Vec<RunDir>, said: impl Into<Option<String>>) -> Self {
        Self {
            changed,
            new: None,
            proposal: None,
            said: Ok(said.into()),
        }
    }
}

/// Runs a job.
pub fn carry_out(job: SteeringJob) -> SteeringOutcome {
    try_to(job).unwrap_or_else(|problem| SteeringOutcome {
        changed: Vec::new(),
        new: None,
        proposal: None,
        said: Err(clean(&problem).into_owned()),
    })
}

fn try_to(job: SteeringJob) -> Result<SteeringOutcome, String> {
    match job {
        SteeringJob::Queue(request) => {
            let recipe = launch::resolve(&request).map_err(|error| error.to_string())?;
            launch::find_worker().ok_or_else(|| launch::LaunchError::NoWorker.to_string())?;
            let entry = Entry {
                recipe: recipe.with_absolute_paths(),
                label: None,
                sweep: None,
                time_limit_s: request.time_limit_s,
            };
            let queued = queue::add(&[entry], &Zoned::now()).map_err(|error| error.to_string())?;
            let new = queued.into_iter().next();
            let said = new
                .as_ref()
                .map(|dir| format!("queued {}; w shows the queue", dir.name()));
            Ok(SteeringOutcome {
                changed: new.iter().cloned().collect(),
                new,
                proposal: None,
                said: Ok(said),
            })
        }
        SteeringJob::Put(dir, place) => {
            let queue = Queue::around(&dir).map_err(|error| error.to_string())?;
            queue.put(&dir, place).map_err(|error| error.to_string())?;
            let waiting = queue.waiting().map_err(|error| error.to_string())?;
            let changed = waiting.into_iter().map(|waiting| waiting.dir);
            Ok(SteeringOutcome::of(changed.collect(), None))
        }
        SteeringJob::Tend(trees) => {
            for tree in trees {
                Queue::of(&tree).tend();
            }
            Ok(SteeringOutcome::of(Vec::new(), None))
        }
        SteeringJob::Steer(dir, steering) => {
            let said = launch::steer(&dir, steering).map_err(|error| error.to_string())?;
            Ok(SteeringOutcome::of(vec![dir], said))
        }
        SteeringJob::Resume(dirs) if dirs.len() == 1 => {
            let dir = &dirs[0];
            match launch::resume(dir) {
                Ok(started) => wait_for(started),
                Err(LaunchError::Untrusted { .. }) => return propose(dir),
                Err(error) => return Err(error.to_string()),
            }
            let said = format!("resuming {}", dir.name());
            Ok(SteeringOutcome::of(dirs, said))
        }
        SteeringJob::Resume(dirs) => queue_again(dirs),
        SteeringJob::ProposeTrust(dir) => propose(&dir),
        SteeringJob::Trust(proposal) => {
            proposal.accept().map_err(|error| error.to_string())?;
            let said = format!("{}: its command is trusted now", proposal.dir.name());
            Ok(SteeringOutcome::of(vec![proposal.dir.clone()], said))
        }
        SteeringJob::Kill(dir) => {
            let done = launch::kill(&dir).map_err(|error| error.to_string())?;
            Ok(SteeringOutcome::of(vec![dir], done.to_string()))
        }
    }
}

/// Asks whether a run's command is to be trusted, with everything that would be executed.
fn propose(dir: &RunDir) -> Result<SteeringOutcome, String> {
    let proposal = Proposal::of(dir).map_err(|error| error.to_string())?;
    if proposal.is_none() {
        let said = format!("{}: you trust its command already", dir.name());
        return Ok(SteeringOutcome::of(Vec::new(), said));
    }
    Ok(SteeringOutcome {
        proposal,
        ..SteeringOutcome::of(Vec::new(), None)
    })
}

fn queue_again(dirs: Vec<RunDir>) -> Result<SteeringOutcome, String> {
    let count = dirs.len();
    let (mut changed, mut problem) = (Vec::new(), None);
    for dir in dirs {
        match Queue::around(&dir).and_then(|queue| queue.add_again(&dir)) {
            Ok(_) => changed.push(dir),
            Err(error) => problem = problem.or(Some(error.to_string())),
        }
    }
    let said = match (problem, changed.len()) {
        (Some(problem), 0) => return Err(problem),
        (Some(problem), done) => format!("{done} of {count} runs are queued; {problem}"),
        (None, 1) => "queued; w shows the queue".to_owned(),
        (None, done) => format!("{done} runs are queued; w shows the queue"),
    };
    Ok(SteeringOutcome::of(changed, said))
}
