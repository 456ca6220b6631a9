//! What steering changes, and which runs wait.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::steering::{SteeringJob, SteeringOutcome};
use crate::notice::Notice;
use crate::state::State;
use crate::view::confirm::Confirm;
use traintop_run::RunDir;
use traintop_text::clean;

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: SteeringOutcome) -> Vec<Effect> {
    match outcome.said {
        Ok(None) => {}
        Ok(Some(text)) => state.context.notice = Some(Notice::good(text)),
        Err(problem) => state.context.notice = Some(Notice::bad(problem)),
    }
    if let Some(proposal) = outcome.proposal {
        let text = format!(
            "{} was {}. If you trust it, it is executed as you when the run starts or resumes. {}",
            clean(&proposal.dir.name()),
            proposal.origin,
            proposal.lines().join(" · "),
        );
        state.question = Some(Confirm {
            title: "Trust this command?".to_owned(),
            text,
            yes: "trust it".to_owned(),
            then: Effect::Steer(SteeringJob::Trust(Box::new(proposal))),
        });
    }
    if let Some(new) = outcome.new {
        state.context.runs.expect(new);
    }
    if outcome.changed.is_empty() {
        return Vec::new();
    }
    vec![Effect::Summarise(outcome.changed)]
}

/// The job that looks after the queues after a search that has found `dirs`. After the first search
/// it names every tree, since no summary says yet where runs wait; later those where runs wait.
pub fn tend(context: &Context, dirs: &[RunDir], is_first: bool) -> Option<Effect> {
    let trees: BTreeSet<&Path> = if is_first {
        dirs.iter().filter_map(RunDir::output_tree).collect()
    } else {
        context.runs.queues()
    };
    let trees: BTreeSet<PathBuf> = trees.into_iter().map(Path::to_owned).collect();
    (!trees.is_empty()).then_some(Effect::Steer(SteeringJob::Tend(trees)))
}
