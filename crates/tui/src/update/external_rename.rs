//! A run that is shown alone, and whose folder another program gives another name: its screen goes
//! with it.

use crate::effect::Effect;
use crate::notice::Notice;
use crate::state::{Gone, State};
use crate::update::{look_into, watched};
use crate::view::run::RunView;
use traintop_run::RunDir;
use traintop_text::clean;

/// A run's folder is no longer there.
pub fn gone(state: &mut State, dir: &RunDir) -> Vec<Effect> {
    let summary = state.context.summary(dir);
    let id = summary.map(|summary| summary.id.clone());
    state.refreshing.remove(dir);
    state.context.runs.remove(dir);
    if state.run_on_screen().is_none_or(|shown| shown != dir) {
        // Below another screen it is closed: there would be nothing to come back to.
        let below = state.overlays.find::<RunView>();
        if below.is_some_and(|view| view.dir == *dir) {
            state.overlays.close::<RunView>();
        }
        return Vec::new();
    }
    if let (Some(view), Some(id)) = (state.overlays.take::<RunView>(), id) {
        let view = Box::new(view);
        state.gone = Some(Gone { id, view });
    }
    let name = dir.name();
    state.context.notice = Some(Notice::bad(format!("{} is no longer there", clean(&name))));
    found(state)
}

/// Runs were found or summed up: if one of them is the one that is gone, it is shown again as it
/// was.
pub fn found(state: &mut State) -> Vec<Effect> {
    let Some(Gone { id, view }) = &state.gone else {
        return Vec::new();
    };
    let name_before = view.run().map(RunDir::name);
    let dir = state.context.runs.all().find_map(|row| {
        let summary = row.summary.as_ref()?;
        (summary.id == *id).then(|| row.found.dir.clone())
    });
    let (Some(dir), true) = (dir, state.shows_table_alone()) else {
        return Vec::new();
    };
    let Some(Gone { view, .. }) = state.gone.take() else {
        return Vec::new();
    };
    state.overlays.push_box(view);
    if let Some(view) = state.overlays.screen_as_mut::<RunView>() {
        view.dir.clone_from(&dir);
    }
    let name = dir.name();
    state.context.notice = (Some(&name) != name_before.as_ref())
        .then(|| Notice::good(format!("it is called {} now", clean(&name))));
    let mut effects = look_into(state, &dir);
    // Its record may have been read before its new name was written and before its folder was
    // watched.
    state.refreshing.insert(dir.clone(), false);
    let again = Effect::Summarise(vec![dir]);
    effects.push(Effect::WatchThen(watched(state), Box::new(again)));
    effects
}
