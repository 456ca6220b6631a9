//! Runs come, change and go: what the table learns of them, and what is then looked at.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::command::{Action, Scope};
use crate::effect::Effect;
use crate::notice::Notice;
use crate::state::State;
use crate::update::{self, look_closer, measure, standing, watched};
use crate::view::opened::Opened;
use crate::view::runs;
use traintop_run::found::Found;
use traintop_run::summary::Summary;
use traintop_run::{RunDir, queue_reasons};

/// Runs were found, some with what is known of them.
pub fn runs_found(state: &mut State, mut found: Vec<(Found, Option<Summary>)>) -> Vec<Effect> {
    let summaries = found.iter_mut().filter_map(|(_, summary)| summary.as_mut());
    summaries.for_each(|summary| stamp(state, summary));
    let height = runs::table_height(state.context.size);
    let unknown = state.context.runs.add(found, height);
    state.context.runs.keep_in_sight(height);
    let due: Vec<_> = unknown
        .into_iter()
        .filter(|dir| !state.refreshing.contains_key(dir))
        .collect();
    state
        .refreshing
        .extend(due.iter().map(|dir| (dir.clone(), false)));
    let mut effects = update::external_rename::found(state);
    if !due.is_empty() {
        let sum_up = Effect::Summarise(due);
        effects.push(if state.context.runs.is_searched() {
            // It is new, and may still be written or moved: later changes must be seen.
            Effect::WatchThen(watched(state), Box::new(sum_up))
        } else {
            sum_up
        });
    }
    // The first run there is can be looked at before all are known.
    if state.context.opened.is_none() && state.context.runs.selected().is_some() {
        effects.extend(look_closer(state));
    }
    effects
}

/// Gives a summary its best evaluation: those may have been found before the run was read.
fn stamp(state: &State, summary: &mut Summary) {
    if state.context.evaluations.is_found {
        state.context.evaluations.stamp(summary);
    }
}

/// All roots were searched.
pub fn search_ended(
    state: &mut State,
    dirs: &[RunDir],
    fresh: HashSet<PathBuf>,
    problems: Vec<String>,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(dir) = state.run_on_screen().cloned()
        && problems.is_empty()
        && !dirs.contains(&dir)
        && !state.context.runs.is_newer_than_search(&dir)
    {
        effects.extend(update::external_rename::gone(state, &dir));
    }
    let is_first = !state.context.runs.is_searched();
    state.context.runs.searched(dirs, problems);
    // The keeper of a queue may have been killed, or the machine have been switched off.
    effects.extend(update::steering::tend(&state.context, dirs, is_first));
    let new = !fresh.is_subset(&state.fresh);
    state.fresh = fresh;
    effects.extend(look_closer(state));
    if new {
        effects.push(Effect::WatchThen(
            watched(state),
            Box::new(Effect::Discover),
        ));
    }
    effects.push(Effect::FlushCache);
    // The first time they are looked for is after the first frame, which does not wait for them.
    if state.context.evaluations.has_begun() {
        effects.extend(update::evaluations::find(state));
    }
    effects
}

/// Something in a watched folder is another.
pub fn folder_changed(state: &mut State, folder: &Path) -> Vec<Effect> {
    if let Some(effects) = update::evaluations::folder_changed(state, folder) {
        return effects;
    }
    let queues = state.context.runs.queues();
    let queue = queues
        .iter()
        .find(|tree| queue_reasons::folder(tree) == folder);
    if let Some(tree) = queue.map(|tree| tree.to_path_buf()) {
        return why_runs_wait_changed(state, &tree);
    }
    let inside = state.context.runs.in_databases(folder);
    if !inside.is_empty() {
        return databases_changed(state, folder, &inside);
    }
    match state.context.runs.owner(folder).cloned() {
        Some(dir) => changed(state, &dir),
        // A folder in which runs appear: one may have.
        None => vec![Effect::Discover],
    }
}

/// One of the files that hold these runs changed: those that are followed are read on. Which of the
/// others changed, and which are new, the databases say.
fn databases_changed(state: &mut State, folder: &Path, inside: &[RunDir]) -> Vec<Effect> {
    let owner = state.context.runs.owner(folder).cloned();
    let mut effects = owner.map_or_else(Vec::new, |dir| changed(state, &dir));
    for dir in inside {
        let summary = state.context.summary(dir);
        let is_active = summary.is_some_and(|summary| summary.observed.state.is_active());
        let is_opened = state
            .context
            .opened
            .as_ref()
            .is_some_and(|opened| opened.dir == *dir);
        effects.extend(if is_active || is_opened {
            changed(state, dir)
        } else {
            update::compare::changed(state, dir).into_iter().collect()
        });
    }
    let is_root = standing(&state.context.roots).any(|root| root == folder);
    effects.push(if is_root {
        Effect::Discover
    } else {
        Effect::LookIntoDatabases(folder.to_owned())
    });
    effects
}

/// The keeper of a queue says anew why its runs wait: each says it in its row's summary.
fn why_runs_wait_changed(state: &mut State, tree: &Path) -> Vec<Effect> {
    let waiting = state.context.runs.waiting().into_iter();
    let here = waiting.filter(|dir| dir.output_tree() == Some(tree));
    let here: Vec<RunDir> = here.cloned().collect();
    let due = here.into_iter().filter(|dir| is_due(state, dir));
    let due: Vec<RunDir> = due.collect();
    if due.is_empty() {
        return Vec::new();
    }
    vec![Effect::Summarise(due)]
}

/// Runs were summed up.
pub fn summarised(state: &mut State, summaries: Vec<(Found, Summary)>) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut again = Vec::new();
    let mut grown = Vec::new();
    let mut newly_active = Vec::new();
    let mut looked = Vec::new();
    for (found, mut summary) in summaries {
        stamp(state, &mut summary);
        let dir = found.dir.clone();
        if state.refreshing.remove(&dir) == Some(true) {
            again.push(dir.clone());
        }
        let before = state.context.summary(&dir);
        let active = summary.observed.state.is_active();
        let was_active = before.is_some_and(|before| before.observed.state.is_active());
        // Checkpoints are written at the ends of epochs and of the run.
        let is_further =
            |before: &Summary| before.epochs_done != summary.epochs_done || was_active && !active;
        if before.is_some_and(|before| before.size_bytes.is_some() && is_further(before)) {
            grown.push(dir.clone());
        }
        if active && !was_active {
            newly_active.push(dir.clone());
            effects.push(Effect::AwaitEnd(dir.clone()));
        }
        state.context.runs.update(found, summary);
        looked.push(dir);
    }
    effects.extend(update::alerts::look(state, &looked));
    state.context.runs.reread();
    if let Some(name) = state.context.runs.hidden_new_run()
        && let Some(key) = state
            .context
            .keymap
            .key_of(Scope::Runs, Action::ClearFilter)
    {
        let text = format!("the query hides {name}; {key} shows all runs");
        state
            .context
            .notice
            .get_or_insert_with(|| Notice::good(text));
    }
    let height = runs::table_height(state.context.size);
    state.context.runs.keep_in_sight(height);
    effects.extend(update::external_rename::found(state));
    let due = again.iter().chain(&newly_active);
    state.refreshing.extend(due.map(|dir| (dir.clone(), false)));
    again.retain(|dir| !newly_active.contains(dir));
    if !again.is_empty() {
        effects.push(Effect::Summarise(again));
    }
    if !grown.is_empty() {
        effects.push(Effect::Measure(grown));
    }
    if !newly_active.is_empty() {
        let again = Box::new(Effect::Summarise(newly_active));
        effects.push(Effect::WatchThen(watched(state), again));
    }
    if state.context.runs.is_searched() && state.refreshing.is_empty() {
        state.context.runs.settle();
        effects.extend(look_closer(state));
    } else {
        effects.extend(measure(&state.context));
    }
    effects
}

/// Whether a run is to be summed up now; one that is being summed up is again afterwards.
fn is_due(state: &mut State, dir: &RunDir) -> bool {
    if let Some(again) = state.refreshing.get_mut(dir) {
        *again = true;
        return false;
    }
    state.refreshing.insert(dir.clone(), false);
    true
}

/// A run's files changed: its row is refreshed, and if it is opened, what is new is read. Changes
/// that come faster than they can be read are taken together.
pub fn changed(state: &mut State, dir: &RunDir) -> Vec<Effect> {
    let mut effects = Vec::new();
    if is_due(state, dir) {
        effects.push(Effect::Summarise(vec![dir.clone()]));
    }
    let opened = state
        .context
        .opened
        .as_mut()
        .filter(|opened| opened.dir == *dir);
    effects.extend(opened.and_then(Opened::changed));
    effects.extend(update::compare::changed(state, dir));
    effects
}
