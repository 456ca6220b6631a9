//! When evaluations are looked for, and what their jobs' outcomes change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::command::Action;
use crate::context::Context;
use crate::effect::Effect;
use crate::evaluations::Searching;
use crate::jobs::evaluations::{EvaluationJob, EvaluationOutcome};
use crate::notice::Notice;
use crate::state::State;
use crate::view::evaluations::{EvaluationScreen, Form};
use traintop_launch::EvaluateRequest;
use traintop_run::RunDir;
use traintop_run::evaluation::{BestByRun, EvaluationDir};
use traintop_run::summary::Summary;

/// Searches for evaluations, unless that is being done.
pub fn find(state: &mut State) -> Vec<Effect> {
    let evaluations = &mut state.context.evaluations;
    if evaluations.searching != Searching::No {
        evaluations.searching = Searching::Again;
        return Vec::new();
    }
    vec![Effect::Evaluate(find_job(state))]
}

fn find_job(state: &mut State) -> EvaluationJob {
    let evaluations = &mut state.context.evaluations;
    evaluations.searching = Searching::Yes;
    let known = evaluations.known.iter();
    let known = known.map(|(dir, known)| (dir.clone(), known.stamps));
    EvaluationJob::Find {
        known: known.collect(),
        trees: trees(&state.context),
    }
}

/// The roots, and the output trees of the runs.
fn trees(context: &Context) -> Vec<PathBuf> {
    let of_runs = context.runs.all();
    let of_runs = of_runs.filter_map(|row| row.found.dir.output_tree());
    let all: BTreeSet<&Path> = of_runs
        .chain(context.roots.iter().map(PathBuf::as_path))
        .collect();
    all.into_iter().map(Path::to_owned).collect()
}

/// A watched folder changed; `None` if it has nothing to do with evaluations.
pub fn folder_changed(state: &mut State, folder: &Path) -> Option<Vec<Effect>> {
    if !state.context.evaluations.watch.contains(folder) {
        return None;
    }
    let mut running = state.context.evaluations.running.iter();
    let is_running = running.any(|running| running.dir.path() == folder);
    if is_running {
        let trees = state.context.evaluations.trees.clone();
        return Some(vec![Effect::Evaluate(EvaluationJob::Look(trees))]);
    }
    Some(find(state))
}

/// What an outcome changes, and what is to be done next.
pub fn update(state: &mut State, outcome: EvaluationOutcome) -> Vec<Effect> {
    match outcome {
        EvaluationOutcome::Found {
            dirs,
            read,
            running,
            trees,
            watch,
        } => {
            let evaluations = &mut state.context.evaluations;
            evaluations.known.retain(|dir, _| dirs.contains(dir));
            let read = read.into_iter();
            evaluations
                .known
                .extend(read.map(|known| (known.card.dir.clone(), known)));
            evaluations.running = running;
            evaluations.trees = trees;
            let is_new = !watch.is_subset(&evaluations.watch);
            evaluations.watch = watch;
            let mut best = BestByRun::default();
            for (key, one) in evaluations.cards().filter_map(|card| card.best.as_ref()) {
                best.add(key, one);
            }
            evaluations.best = best;
            evaluations.is_found = true;
            let again = std::mem::take(&mut evaluations.searching) == Searching::Again;
            state.context.runs.stamp(&state.context.evaluations);
            if let Some(screen) = state.overlays.find_mut::<EvaluationScreen>() {
                screen.refresh(&state.context.evaluations);
            }
            // What happened before a folder was watched would go unseen: it is looked at once more.
            return if is_new {
                let job = find_job(state);
                vec![Effect::WatchThen(
                    super::watched(state),
                    Box::new(Effect::Evaluate(job)),
                )]
            } else if again {
                find(state)
            } else {
                Vec::new()
            };
        }
        EvaluationOutcome::Looked(running) => {
            let ended = state.context.evaluations.running.len() > running.len();
            state.context.evaluations.running = running;
            if ended {
                return find(state);
            }
        }
        EvaluationOutcome::Opened(opened) => {
            let screen = state.overlays.find_mut::<EvaluationScreen>();
            let problem = screen.and_then(|screen| screen.show_result(*opened));
            state.context.notice = problem.or_else(|| state.context.notice.take());
        }
        EvaluationOutcome::Compared(compared) => {
            let screen = state.overlays.find_mut::<EvaluationScreen>();
            let problem = screen.and_then(|screen| screen.show_comparison(*compared));
            state.context.notice = problem.or_else(|| state.context.notice.take());
        }
        EvaluationOutcome::Started => {
            return find(state);
        }
        EvaluationOutcome::Ended(outcome, left) => {
            state.context.evaluations.started = left;
            let mut effects = find(state);
            match outcome {
                Ok(dir) => effects.extend(ended(state, dir)),
                Err(problem) => {
                    let text = format!("the evaluation failed: {}", traintop_text::clean(&problem));
                    state.context.notice = Some(Notice::bad(text));
                }
            }
            return effects;
        }
    }
    Vec::new()
}

/// One that was started here is done: it opens where the list waits for it, and is a notice
/// elsewhere.
fn ended(state: &mut State, dir: EvaluationDir) -> Option<Effect> {
    let is_waited_for = !state.overlays.has_dialog() && state.context.evaluations.started == 0;
    let screen = state.overlays.find_mut::<EvaluationScreen>();
    let opens = screen
        .filter(|_| is_waited_for)
        .and_then(|screen| screen.open(dir));
    let notice = Notice::good("an evaluation is done; E shows it");
    state.context.notice = opens.is_none().then_some(notice);
    opens
}

/// Folders of evaluations have other names now.
pub fn follow(state: &mut State, moved: &[(RunDir, RunDir)]) {
    if let Some(screen) = state.overlays.find_mut::<EvaluationScreen>() {
        screen.follow(moved);
    }
}

/// The runs that an action is about: the opened one, those of the list of evaluations, or those
/// chosen in the table.
fn chosen(state: &State) -> Vec<&Summary> {
    let context = &state.context;
    if let Some(dir) = state.run_on_screen() {
        return context.summary(dir).into_iter().collect();
    }
    match state.overlays.screen_as::<EvaluationScreen>() {
        Some(screen) => screen
            .runs()
            .filter_map(|dir| context.summary(dir))
            .collect(),
        None => {
            let chosen = context.runs.chosen();
            chosen
                .iter()
                .filter_map(|dir| context.summary(dir))
                .collect()
        }
    }
}

/// Shows the evaluations of the chosen runs.
pub fn open(state: &mut State) -> Vec<Effect> {
    let screen = EvaluationScreen::of(chosen(state), &state.context.evaluations);
    state.overlays.push(screen);
    find(state)
}

/// Asks what to evaluate.
pub fn ask(state: &mut State) -> Vec<Effect> {
    let screen = state.overlays.screen_as::<EvaluationScreen>();
    let card = screen.and_then(|screen| screen.selected_card(&state.context));
    match Form::new(&state.context, &chosen(state), card) {
        Some(form) => state.overlays.push(form),
        None => state.context.notice = Some(Notice::bad("there is no run with a checkpoint here")),
    }
    Vec::new()
}

/// Starts what the form asks for, and shows where its progress is seen.
pub fn start(state: &mut State, requests: Vec<EvaluateRequest>) -> Vec<Effect> {
    state.context.evaluations.started += requests.len();
    let mut effects = Vec::new();
    match state.overlays.screen_as_mut::<EvaluationScreen>() {
        Some(screen) => drop(screen.show_list()),
        None => effects = open(state),
    }
    effects.push(Effect::Evaluate(EvaluationJob::Start(requests)));
    state.context.notice = Some(Notice::good("the evaluation starts"));
    effects
}

/// Does what a command says that the list of evaluations leaves to others.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Evaluate => ask(state),
        Action::Refresh => find(state),
        Action::Remove => {
            ask_to_remove(state);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Asks whether the marked evaluations, or else the one under the cursor, are to be removed.
fn ask_to_remove(state: &mut State) {
    let Some(screen) = state.overlays.screen_as::<EvaluationScreen>() else {
        return;
    };
    let dirs = screen.chosen();
    let first = dirs
        .first()
        .and_then(|dir| state.context.evaluations.card(dir));
    if let Some(name) = first.map(|card| card.name.clone()) {
        super::cleanup::ask_to_remove_evaluations(state, dirs, &name);
    }
}
