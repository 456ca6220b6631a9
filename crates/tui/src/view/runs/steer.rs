//! Steering runs from the table or a run's own screen: waiting and going on, what may change while
//! a run trains, resuming runs that have ended.

use crate::component::{Request, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::steering::SteeringJob;
use crate::notice::Notice;
use crate::view::confirm::Confirm;
use crate::view::picker::Picker;
use traintop_launch::Steering;
use traintop_run::RunDir;
use traintop_run::state::State as RunState;
use traintop_run::summary::Summary;

fn refuse(problem: String) -> Response {
    Response::asking(Request::Notify(Notice::bad(problem)))
}

/// What is said where the table is empty.
const NO_RUN: &str = "there is no run under the cursor";

/// The only run that is meant, if it trains; else what to say.
fn training<'a>(context: &'a Context, dirs: &[RunDir]) -> Result<&'a Summary, String> {
    if dirs.is_empty() {
        return Err(NO_RUN.to_owned());
    }
    let [dir] = dirs else {
        return Err("this is about one run; U takes the marks away".to_owned());
    };
    let summary = context
        .summary(dir)
        .ok_or_else(|| format!("{} is still being read", dir.name()))?;
    let run = summary.observed.state;
    if run.is_active() {
        Ok(summary)
    } else {
        Err(format!("{} is not running: it is {run}", summary.title()))
    }
}

/// Lets runs wait; those of them that wait go on.
pub fn pause(context: &Context, dirs: &[RunDir]) -> Response {
    let order = |dir: &RunDir| {
        let steering = match context.summary(dir)?.observed.state {
            RunState::Paused => Steering::Continue,
            RunState::Running | RunState::Starting => Steering::Pause,
            _ => return None,
        };
        Some(Effect::Steer(SteeringJob::Steer(dir.clone(), steering)))
    };
    let orders: Vec<Effect> = dirs.iter().filter_map(order).collect();
    match (&orders[..], training(context, dirs)) {
        ([], Err(problem)) => refuse(problem),
        _ => Response::running(orders),
    }
}

/// Has runs save a checkpoint now.
pub fn save(context: &Context, dirs: &[RunDir]) -> Response {
    let trains = |dir: &&RunDir| {
        context
            .summary(dir)
            .is_some_and(|summary| summary.observed.state.is_active())
    };
    let order = |dir: &RunDir| Effect::Steer(SteeringJob::Steer(dir.clone(), Steering::Save));
    let orders: Vec<Effect> = dirs.iter().filter(trains).map(order).collect();
    match (&orders[..], training(context, dirs)) {
        ([], Err(problem)) => refuse(problem),
        _ => Response::running(orders),
    }
}

/// Offers what may change while a run trains.
pub fn offer(context: &Context, dirs: &[RunDir]) -> Response {
    let summary = match training(context, dirs) {
        Ok(summary) => summary,
        Err(problem) => return refuse(problem),
    };
    let (this, dir) = (summary.epochs_done + 1, &summary.dir);
    let waits = summary.observed.state == RunState::Paused;
    let wait = if waits {
        ("resume", "end the pause".to_owned(), Steering::Continue)
    } else {
        (
            "wait",
            "after this step, until it is resumed".to_owned(),
            Steering::Pause,
        )
    };
    let rate = |factor: f64| {
        (
            format!("times {factor} from epoch {} on", this + 1),
            Steering::LearningRate(factor),
        )
    };
    let ((half, halve), (tenth, divide), (whole, restore)) = (rate(0.5), rate(0.1), rate(1.0));
    let requeue = summary.job.as_ref().map(|_| {
        (
            "requeue",
            "save, give up the slot, resume later".to_owned(),
            Steering::Requeue,
        )
    });
    let items = [
        (
            "save a checkpoint",
            "after this step".to_owned(),
            Steering::Save,
        ),
        (
            "end after this epoch",
            format!("epoch {this}; it can be resumed"),
            Steering::EndAfter(None),
        ),
        (
            "end after the last epoch",
            "cancels an earlier end".to_owned(),
            Steering::EndNever,
        ),
        wait,
        ("halve the learning rate", half, halve),
        ("a tenth of the learning rate", tenth, divide),
        ("the schedule's learning rate", whole, restore),
    ];
    let items = items.into_iter().chain(requeue);
    let items = items.map(|(name, detail, steering)| {
        let order = Effect::Steer(SteeringJob::Steer(dir.clone(), steering));
        (name.to_owned(), detail, order)
    });
    Response::opening(Picker::things("Steer", items.collect()))
}

/// Asks whether runs that have ended are to go on.
pub fn resume(context: &Context, dirs: &[RunDir]) -> Response {
    let has_ended =
        |run: RunState| matches!(run, RunState::Stopped | RunState::Failed | RunState::Lost);
    let ended = |dir: &&RunDir| {
        context
            .summary(dir)
            .is_some_and(|summary| has_ended(summary.observed.state))
    };
    let ended: Vec<RunDir> = dirs.iter().filter(ended).cloned().collect();
    let (title, text, yes) = match (&ended[..], dirs) {
        ([], []) => return refuse(NO_RUN.to_owned()),
        ([], [dir]) => {
            let what = context.summary(dir).map_or(RunState::Queued, |summary| summary.observed.state);
            return refuse(format!("{} is {what}; only a run that ended before its last epoch can be resumed", dir.name()));
        }
        ([], _) => return refuse("none of the marked runs has ended before its last epoch".to_owned()),
        ([dir], _) => {
            let name = context.summary(dir).map_or_else(|| dir.name(), |summary| summary.title().into_owned());
            (
                "Resume this run?".to_owned(),
                format!("{name} resumes at once from its last checkpoint, in its folder; without a checkpoint it starts from scratch."),
                "resume",
            )
        }
        (ended, _) => (
            format!("Resume {} runs?", ended.len()),
            "They are queued, and resume from their last checkpoints, in their folders, when a slot is free.".to_owned(),
            "queue them",
        ),
    };
    Response::opening(Confirm {
        title,
        text,
        yes: yes.to_owned(),
        then: Effect::Steer(SteeringJob::Resume(ended)),
    })
}
