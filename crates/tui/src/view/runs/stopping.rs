//! The questions before runs are stopped: gently, then hard, or taken out of the queue.

use crate::component::{Request, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::steering::SteeringJob;
use crate::notice::Notice;
use crate::view::confirm::Confirm;
use traintop_run::RunDir;
use traintop_run::state::State as RunState;

/// Asks whether these runs are to be stopped, or says why they cannot be.
pub fn ask(context: &Context, dirs: &[RunDir]) -> Response {
    let asked = match dirs {
        [] => return Response::handled(),
        [dir] => about_one(context, dir),
        dirs => about_many(context, dirs),
    };
    match asked {
        Ok(confirm) => Response::opening(confirm),
        Err(problem) => Response::asking(Request::Notify(Notice::bad(problem))),
    }
}

fn state_of(context: &Context, dir: &RunDir) -> Option<RunState> {
    let summary = context.summary(dir)?;
    Some(summary.observed.state)
}

fn about_one(context: &Context, dir: &RunDir) -> Result<Confirm, String> {
    let summary = context.summary(dir);
    let summary = summary.ok_or_else(|| format!("{} is still being read", dir.name()))?;
    let name = summary.title();
    let confirm = |title: &str, text: String, yes: &str, then| Confirm {
        title: title.to_owned(),
        text,
        yes: yes.to_owned(),
        then,
    };
    Ok(match summary.observed.state {
        RunState::Queued => confirm(
            "Remove this run from the queue?",
            format!("{name} will not begin. It is then stopped, and can be queued again."),
            "remove",
            Effect::Stop(dir.clone()),
        ),
        RunState::Stopping => confirm(
            "End this run at once?",
            format!(
                "{name} was asked to stop and is saving. Ended now, it loses what it has not saved; it can be resumed from its last checkpoint."
            ),
            "end it at once",
            Effect::Steer(SteeringJob::Kill(dir.clone())),
        ),
        other if other.is_active() => confirm(
            "Stop this run?",
            format!(
                "{name} will finish its step, save its last checkpoint and stop. It can be resumed from there."
            ),
            "stop it",
            Effect::Stop(dir.clone()),
        ),
        other => return Err(format!("{name} is not running: it is {other}")),
    })
}

fn about_many(context: &Context, dirs: &[RunDir]) -> Result<Confirm, String> {
    let of = |wanted: fn(RunState) -> bool| -> Vec<RunDir> {
        let is_wanted = |dir: &&RunDir| state_of(context, dir).is_some_and(wanted);
        dirs.iter().filter(is_wanted).cloned().collect()
    };
    let (active, queued) = (
        of(RunState::is_active),
        of(|state| state == RunState::Queued),
    );
    let count = active.len() + queued.len();
    if count == 0 {
        return Err(format!("none of the {} marked runs is running", dirs.len()));
    }
    let runs = if count == 1 { "run" } else { "runs" };
    let train = format!(
        "{} will finish the step, save the last checkpoint and stop",
        active.len()
    );
    let wait = format!("{} will be taken out of the queue", queued.len());
    let (what, then) = match (active.is_empty(), queued.is_empty()) {
        (_, true) => (train, "They can be resumed from there."),
        (true, false) => (wait, "They can be queued again."),
        (false, false) => (
            format!("{train}, and {wait}"),
            "They can be resumed, or queued again.",
        ),
    };
    let text = format!("Of the {} marked runs, {what}. {then}", dirs.len());
    Ok(Confirm {
        title: format!("Stop {count} {runs}?"),
        text,
        yes: format!("stop {count}"),
        // Waiting runs first: a slot that becomes free is not for them.
        then: Effect::StopAll(queued.into_iter().chain(active).collect()),
    })
}
