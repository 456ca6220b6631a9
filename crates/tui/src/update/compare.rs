//! When a comparison opens, and what its jobs' outcomes change.

use std::sync::Arc;

use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::compare::CompareOutcome;
use crate::notice::Notice;
use crate::state::State;
use crate::view::compare::CompareView;
use traintop_run::RunDir;
use traintop_run::compared_run::ComparedRun;

/// No more runs than these are looked through for repetitions.
const MOST_OTHERS: usize = 2000;
/// Compares the marked runs; without marks the run under the cursor with a baseline.
pub fn open(state: &mut State) -> Vec<Effect> {
    let mut dirs = state.context.runs.chosen();
    let is_baseline = |dir: &RunDir| {
        let summary = state.context.summary(dir);
        summary.is_some_and(|summary| summary.notes.baseline)
    };
    if let Some(at) = dirs.iter().position(is_baseline) {
        dirs[..=at].rotate_right(1);
    } else if let Some(baseline) = baseline_for(&state.context, &dirs) {
        dirs.insert(0, baseline);
    }
    if dirs.len() < 2 {
        let text = "nothing to compare: mark runs with Space, or make one a baseline with b";
        state.context.notice = Some(Notice::bad(text));
        return Vec::new();
    }
    let mut others: Vec<(jiff::Timestamp, RunDir)> = state
        .context
        .runs
        .all()
        .filter_map(|row| Some((row.summary.as_ref()?.modified_at, row.found.dir.clone())))
        .filter(|(_, dir)| !dirs.contains(dir))
        .collect();
    others.sort_by(|a, b| b.cmp(a));
    let others = others.into_iter().take(MOST_OTHERS).map(|(_, dir)| dir);
    let (mut view, read) = CompareView::new(dirs, others.collect(), state.context.now);
    view.look(state.context.charts);
    state.overlays.push(view);
    vec![read]
}

/// The baseline for runs none of which is one: of the same network before others, the newest first.
fn baseline_for(context: &Context, dirs: &[RunDir]) -> Option<RunDir> {
    let summary = |dir: &RunDir| context.summary(dir);
    let model = dirs.first().and_then(summary).map(|first| &first.model);
    let marked = context.runs.all().filter_map(|row| row.summary.as_ref());
    let marked = marked.filter(|summary| summary.notes.baseline);
    marked
        .max_by_key(|summary| (Some(&summary.model) == model, summary.modified_at))
        .map(|summary| summary.dir.clone())
}

/// A run's folder has another name.
pub fn renamed(state: &mut State, from: &RunDir, to: &RunDir) -> Option<Effect> {
    state.overlays.find_mut::<CompareView>()?.renamed(from, to)
}

/// A run's files have changed.
pub fn changed(state: &mut State, dir: &RunDir) -> Option<Effect> {
    state.overlays.find_mut::<CompareView>()?.changed(dir)
}

/// The run under the name that the table has for it.
fn under_its_name(context: &Context, mut run: Arc<ComparedRun>) -> Arc<ComparedRun> {
    let row = context.runs.row(run.dir());
    let shown = row.and_then(|row| row.summary.as_ref());
    if let Some(shown) = shown.filter(|shown| shown.title() != run.summary.title()) {
        let summary = &mut Arc::make_mut(&mut run).summary;
        summary.name.clone_from(&shown.name);
        summary.differs.clone_from(&shown.differs);
    }
    run
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: CompareOutcome) -> Vec<Effect> {
    // The table tells equal names apart.
    let outcome = match outcome {
        CompareOutcome::Read(opened, read) => {
            let read = read
                .into_iter()
                .map(|(place, run)| (place, under_its_name(&state.context, run)));
            CompareOutcome::Read(opened, read.collect())
        }
        other => other,
    };
    match state.overlays.find_mut::<CompareView>() {
        Some(view) => view.take(outcome),
        // It was left meanwhile.
        None => Vec::new(),
    }
}
