//! Whose use of the machine is measured, and who is shown it.

use crate::effect::Effect;
use crate::jobs::machine::SampledUsage;
use crate::state::State;
use crate::view::machine::{History, MachineView};
use crate::view::run::RunView;
use traintop_run::RunDir;

/// The runs whose use of this machine is to be measured, if anybody looks at it.
fn wanted(state: &State) -> Option<Vec<RunDir>> {
    if state.overlays.find::<MachineView>().is_some() {
        let rows = state.context.runs.all();
        let at_work = rows.filter(|row| {
            let summary = row.summary.as_ref();
            summary.is_some_and(|summary| summary.observed.state.is_active())
        });
        let mut dirs: Vec<RunDir> = at_work.map(|row| row.found.dir.clone()).collect();
        dirs.sort();
        return Some(dirs);
    }
    let dir = state.run_on_screen()?;
    let summary = state.context.summary(dir)?;
    let is_active = summary.observed.state.is_active();
    is_active.then(|| vec![dir.clone()])
}

/// The order that follows from what is shown now, if it differs from the last.
pub fn due(state: &mut State) -> Option<Effect> {
    let wanted = wanted(state);
    if wanted == state.sampled_usage {
        return None;
    }
    if let Some(view) = state.overlays.find_mut::<RunView>() {
        // What it used before it ended or was left is not what it uses.
        if wanted.as_ref().is_none_or(|dirs| !dirs.contains(&view.dir)) {
            view.usage = History::default();
        }
    }
    state.sampled_usage.clone_from(&wanted);
    Some(Effect::SampleUsage(wanted))
}

/// Hands what was measured to the screens that show it.
pub fn take(state: &mut State, sampled_usage: SampledUsage) {
    if let Some(view) = state.overlays.find_mut::<RunView>() {
        let place = sampled_usage.dirs.iter().position(|dir| *dir == view.dir);
        if let Some(usage) = place.and_then(|place| sampled_usage.reading.processes[place].clone())
        {
            view.usage.push(usage);
        }
    }
    if let Some(view) = state.overlays.find_mut::<MachineView>() {
        view.take(sampled_usage);
    }
}
