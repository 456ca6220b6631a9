//! What each message changes, and what is to be done about it. Pure: no input or output, no clock, no thread.

use std::collections::HashSet;
use std::path::PathBuf;

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::layout::Rect;

use super::alerts;
use super::chart_settings;
use super::chart_transform;
use super::cleanup;
use super::command::Action;
use super::discovery;
use super::effect::Effect;
use super::evaluations;
use super::export;
use super::external_rename;
use super::form_jobs;
use super::keymap;
use super::long_job;
use super::machine;
use super::message::{Message, Notice};
use super::run_edits;
use super::state::{Screen, State};
use super::steering;
use super::view::alerts::AlertList;
use super::view::confirm::Confirm;
use super::view::opened::Opened;
use super::view::overlay::{self, Overlay};
use super::view::picker::Picker;
use super::view::run::detail::Detail;
use super::view::run::layout::Pane;
use super::view::run::zoom::Zoom;
use super::view::run::{Move, RunView};
use super::view::{self, clean, compare, form, help, runs, trash};
use traintop_run::RunDir;
use traintop_run::layout::TRAINING_RUNS;
use traintop_run::queue_reasons;

/// Takes in a message that came at `now`.
pub fn update(state: &mut State, now: Timestamp, message: Message) -> Vec<Effect> {
    state.now = now;
    state.runs.at(now);
    state.dirty = true;
    let mut effects = take_in(state, message);
    state.look_back();
    effects.extend(form::learn_the_rest(state));
    effects.extend(machine::due(state));
    let unsampled = state.runs.unsampled();
    effects.extend(unsampled.map(|(epochs, dirs)| Effect::ValuesAtEpoch(epochs, dirs)));
    if let Some(left) = state.runs.unsaved() {
        // Before the order to quit, which is the last.
        effects.insert(0, Effect::Remember(Box::new(left)));
    }
    effects
}

fn take_in(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(event) => key(state, event),
        Message::Mouse(event) => match state.screen {
            Screen::Compare(_) => compare::mouse::act(state, event),
            _ => view::run::mouse::act(state, event),
        },
        Message::Pasted(text) => {
            paste(state, &text);
            Vec::new()
        }
        Message::Resized(columns, rows) => {
            state.size = (columns, rows);
            state.runs.keep_in_sight(runs::table_height(state.size));
            look_closer(state)
        }
        Message::Terminated(_) | Message::InputEnded => end(state),
        Message::AskedToSuspend => vec![Effect::Suspend],
        Message::Continued => vec![Effect::TakeTerminal],
        Message::Woke => woke(state),
        Message::RunsFound(found) => discovery::runs_found(state, found),
        Message::SearchEnded {
            dirs,
            fresh,
            problems,
        } => discovery::search_ended(state, &dirs, fresh, problems),
        Message::Summarised(summaries) => discovery::summarised(state, summaries),
        Message::RunGone(dir) => external_rename::gone(state, &dir),
        Message::FolderChanged(folder) => discovery::folder_changed(state, &folder),
        Message::ProcessEnded(dir) => discovery::changed(state, &dir),
        Message::RunRead(dir, reading) => {
            let opened = state.opened.as_mut().filter(|opened| opened.dir == dir);
            let mut effects: Vec<Effect> = opened
                .and_then(|opened| opened.take(*reading))
                .into_iter()
                .collect();
            effects.extend(chart_transform::due(state));
            effects
        }
        Message::RecipesListed(choices) => {
            state.form.offer(choices);
            Vec::new()
        }
        Message::RecipeRead(choice) => form::begin_with(state, &choice),
        Message::SizesMeasured(sizes) => {
            state.runs.measured(sizes);
            Vec::new()
        }
        Message::FormDone(outcome) => form_jobs::update(state, outcome),
        Message::Launched(Ok(dir)) => {
            state.notice = Some(Notice::good(format!("started {}", dir.name())));
            state.runs.expect(dir.clone());
            vec![Effect::Summarise(vec![dir])]
        }
        Message::Steered(outcome) => steering::update(state, outcome),
        Message::StopAsked(Ok(text)) => {
            state.notice = Some(Notice::good(text));
            Vec::new()
        }
        Message::MarksLoaded(dirs) => {
            state.runs.remember_marks(dirs);
            Vec::new()
        }
        Message::Alert(outcome) => alerts::update(state, outcome),
        Message::Compared(news) => compare::update(state, news),
        Message::ValuesRead(samples) => {
            state.runs.sampled(samples);
            look_closer(state)
        }
        Message::Evaluation(news) => evaluations::update(state, news),
        Message::FirstDrawn => {
            // Nothing has changed but that there is time now.
            state.dirty = false;
            let mut effects = evaluations::find(state);
            let load = Effect::Alert(alerts::AlertJob::Load);
            effects.extend([Effect::ListRecipes, Effect::FindZone, load]);
            effects
        }
        Message::ZoneFound(zone) => {
            state.runs.set_zone(zone);
            Vec::new()
        }
        Message::UsageSampled(sampled_usage) => {
            machine::take(state, *sampled_usage);
            Vec::new()
        }
        Message::ChartsLoaded(options) => chart_settings::loaded(state, options),
        Message::ChartsTransformed(outcome) => chart_transform::take(state, outcome),
        Message::Edited(outcome) => run_edits::update(state, outcome),
        Message::Cleaned(outcome) => cleanup::update(state, outcome),
        Message::Launched(Err(problem)) | Message::StopAsked(Err(problem)) => {
            state.notice = Some(Notice::bad(problem));
            Vec::new()
        }
        Message::LongJob(news) => long_job::update(state, news),
        Message::Noticed(notice) => {
            state.notice = Some(notice);
            Vec::new()
        }
    }
}

/// Time has passed: keys have rested, a run has come to an age that the query names, or ages read differently.
fn woke(state: &mut State) -> Vec<Effect> {
    let height = runs::table_height(state.size);
    let has_aged = state.runs.sift_by_age(height);
    let mut effects = alerts::woke(state);
    if !state.runs.has_rested(state.now) && !has_aged {
        return effects;
    }
    let looks = look_closer(state);
    // The preview changes once, when the run is read.
    let reads = |effect: &Effect| matches!(effect, Effect::Read(_));
    state.dirty = has_aged || !looks.iter().any(reads);
    effects.extend(looks);
    effects
}

fn paste(state: &mut State, text: &str) {
    match (&mut state.overlay, &state.screen) {
        (Some(Overlay::Ask(ask)), _) => ask.paste(text),
        (Some(Overlay::Note(editor)), _) => editor.paste(text),
        (Some(Overlay::Rename(renaming)), _) => renaming.paste(text),
        (Some(Overlay::Evaluate(form)), _) => form.paste(text),
        (Some(Overlay::SaveAs(saving)), _) => saving.paste(text),
        (None, Screen::Runs) if state.runs.is_typing() => runs::paste(state, text),
        (None, Screen::Form) if state.form.is_typing() => form::paste(state, text),
        (None, Screen::Compare(_)) => compare::paste(state, text),
        _ => {}
    }
}

fn key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    // Before all else: whatever the configuration says and whatever is typed, there is a way out.
    if keymap::is_way_out(event) {
        return quit(state);
    }
    (state.notice, state.gone) = (None, None);
    if state.overlay.is_some() {
        return overlay::key(state, event);
    }
    if matches!(state.screen, Screen::Runs) && state.runs.is_typing() {
        runs::type_key(state, event);
        return Vec::new();
    }
    if matches!(state.screen, Screen::Form) && state.form.is_typing() {
        return form::type_key(state, event);
    }
    if compare::is_typing(state) {
        return compare::type_key(state, event);
    }
    match state.keymap.action(view::context(state), event) {
        Some(action) => act(state, action),
        None => Vec::new(),
    }
}

/// Does what an action says.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return quit(state),
        Action::Suspend => return vec![Effect::Suspend],
        Action::CancelJobs => return vec![Effect::CancelJobs],
        Action::Help => state.overlay = Some(Overlay::Help(help::Help::new(view::context(state)))),
        Action::Palette => {
            state.overlay = Some(Overlay::Pick(Box::new(Picker::commands(
                state,
                view::context(state),
            ))));
        }
        Action::Alerts => state.overlay = Some(Overlay::Alerts(Box::new(AlertList::open(state)))),
        Action::ShowMachine => state.overlay = Some(Overlay::Machine(Box::default())),
        Action::PickTheme => state.overlay = Some(Overlay::Pick(Box::new(Picker::themes(state)))),
        Action::OpenRun => return open_run(state),
        Action::NewRun => return form::open(state),
        Action::NewLike | Action::NewLikeThis => return form::ask_for_recipe(state),
        _ if matches!(state.screen, Screen::Clean(_)) => return clean::act(state, action),
        _ if matches!(state.screen, Screen::Trash(_)) => return trash::act(state, action),
        _ if matches!(state.screen, Screen::Compare(_)) => return compare::act(state, action),
        Action::CompareRuns => return compare::open(state),
        Action::CleanUp => return clean::open(state),
        Action::OpenTrash => return trash::open(state),
        Action::RemoveRuns => {
            let chosen = state.runs.chosen();
            cleanup::ask_to_remove(state, chosen);
        }
        _ if matches!(state.screen, Screen::Form) => return form::act(state, action),
        Action::Evaluate | Action::EvaluateThis => return view::evaluations::ask(state),
        Action::ShowEvaluations | Action::ShowRunEvaluations => {
            return view::evaluations::open(state);
        }
        _ if matches!(state.screen, Screen::Evaluations(_)) => {
            return view::evaluations::act(state, action);
        }
        Action::Back => {
            state.screen = state.aside.take().map_or(Screen::Runs, Screen::Compare);
            return look_closer(state);
        }
        Action::Copy | Action::CopyOfThis => export::offer_copies(state),
        Action::Export | Action::ExportThis => export::offer_exports(state),
        Action::Figures | Action::FiguresOfThis => return export::draw(state),
        _ if in_table(action).is_some() => {
            return in_table(action).map_or_else(Vec::new, |same| runs::act(state, same));
        }
        Action::StopThisRun => {
            if let Screen::Run(view) = &state.screen {
                let dir = view.dir.clone();
                return runs::stopping::ask(state, &[dir]);
            }
        }
        _ if matches!(state.screen, Screen::Run(_)) && chart_settings::is_one(action) => {
            return chart_settings::act(state, action);
        }
        _ => match movement(action) {
            Some(movement) => move_in_run(state, movement),
            None => {
                let mut effects = runs::act(state, action);
                // What a move shows is looked at when the cursor rests.
                effects.extend(
                    measure(state)
                        .filter(|_| !matches!(action, Action::CursorDown | Action::CursorUp)),
                );
                return effects;
            }
        },
    }
    Vec::new()
}

/// Ends the program.
fn end(state: &mut State) -> Vec<Effect> {
    let marks = state.runs.unsaved_marks().map(Effect::SaveMarks);
    let end = [Effect::FlushCache, Effect::Quit];
    marks.into_iter().chain(end).collect()
}

/// Ends the program because the user wants to. It asks first where something would be lost: a note
/// that is being written, or evaluations that wait for another to end. The second time it ends.
fn quit(state: &mut State) -> Vec<Effect> {
    if let Some(Overlay::Note(editor)) = &mut state.overlay
        && editor.asks_before_it_closes()
    {
        return Vec::new();
    }
    let is_asked =
        matches!(&state.overlay, Some(Overlay::Confirm(asked)) if asked.then == Effect::Quit);
    let waiting = state.evaluations.started.saturating_sub(1);
    if waiting == 0 || is_asked {
        return end(state);
    }
    let plural = if waiting == 1 { "" } else { "s" };
    state.overlay = Some(Overlay::Confirm(Confirm {
        title: "Leave?".to_owned(),
        text: format!(
            "The evaluation under way goes on, but {waiting} more evaluation{plural} that wait for it will not begin."
        ),
        yes: "leave".to_owned(),
        then: Effect::Quit,
    }));
    // The answer is the end alone: what is to be kept is kept before it.
    let mut effects = end(state);
    effects.retain(|effect| *effect != Effect::Quit);
    effects
}

/// What an action on the opened run is called in the table.
fn in_table(action: Action) -> Option<Action> {
    Some(match action {
        Action::StarThis => Action::Star,
        Action::BaselineThis => Action::Baseline,
        Action::RenameThis => Action::RenameRun,
        Action::TagsOfThis => Action::EditTags,
        Action::NoteOfThis => Action::EditNote,
        Action::ArchiveThis => Action::Archive,
        Action::RebuildThis => Action::Organise,
        Action::UndoHere => Action::Undo,
        Action::PauseThis => Action::PauseRun,
        Action::SteerThis => Action::SteerRun,
        Action::ResumeThis => Action::ResumeRun,
        Action::SaveThis => Action::SaveNow,
        _ => return None,
    })
}

fn movement(action: Action) -> Option<Move> {
    Some(match action {
        Action::NextPane => Move::NextPane,
        Action::PreviousPane => Move::PreviousPane,
        Action::ChartsPane => Move::Pane(Pane::Charts),
        Action::EpochsPane => Move::Pane(Pane::Epochs),
        Action::ConfigPane => Move::Pane(Pane::Config),
        Action::LogPane => Move::Pane(Pane::Log),
        Action::CheckpointsPane => Move::Pane(Pane::Checkpoints),
        Action::Left => Move::Left,
        Action::Right => Move::Right,
        Action::FarLeft => Move::FarLeft,
        Action::FarRight => Move::FarRight,
        Action::Down => Move::Down,
        Action::Up => Move::Up,
        Action::ScrollDown => Move::PageDown,
        Action::ScrollUp => Move::PageUp,
        Action::First => Move::First,
        Action::Last => Move::Last,
        Action::ZoomIn => Move::Zoom(Zoom::In),
        Action::ZoomOut => Move::Zoom(Zoom::Out),
        Action::ZoomWhole => Move::Zoom(Zoom::Whole),
        Action::PanLeft => Move::Zoom(Zoom::Pan(-0.25)),
        Action::PanRight => Move::Zoom(Zoom::Pan(0.25)),
        Action::FullChart => Move::Full,
        _ => return None,
    })
}

fn move_in_run(state: &mut State, movement: Move) {
    let [main, _] = view::areas(Rect::new(0, 0, state.size.0, state.size.1));
    let Screen::Run(view) = &mut state.screen else {
        return;
    };
    let opened = state
        .opened
        .as_ref()
        .filter(|opened| opened.dir == view.dir);
    let detail = opened.and_then(|opened| opened.detail.as_ref());
    let summary = state
        .runs
        .row(&view.dir)
        .and_then(|row| row.summary.as_ref());
    // Parts can be gone through while the run is still being read.
    let nothing = Detail::default();
    if let Some(summary) = summary {
        let known = (summary, detail.unwrap_or(&nothing), state.charts);
        view.act(movement, known, main);
    }
}

fn open_run(state: &mut State) -> Vec<Effect> {
    if matches!(state.screen, Screen::Runs) && state.runs.is_on_header() {
        state.runs.fold();
        return look_closer(state);
    }
    let Some(dir) = state
        .runs
        .selected()
        .filter(|row| row.summary.is_some())
        .map(|row| row.found.dir.clone())
    else {
        return Vec::new();
    };
    state.aside = None;
    let effects = look_into(state, &dir);
    state.screen = Screen::Run(RunView::new(dir));
    effects
}

/// Makes a run the opened one, in place of any other.
pub(super) fn look_into(state: &mut State, dir: &RunDir) -> Vec<Effect> {
    if state
        .opened
        .as_ref()
        .is_some_and(|opened| opened.dir == *dir)
    {
        return Vec::new();
    }
    let (opened, read) = Opened::new(dir.clone());
    let old = state.opened.replace(opened);
    let mut effects: Vec<Effect> = old.map(|old| Effect::Close(old.dir)).into_iter().collect();
    effects.push(read);
    effects.push(watch(state));
    effects
}

/// The runs on the screen, or their order, have changed, or the cursor has come to rest: what is shown of them is asked for.
pub(super) fn look_closer(state: &mut State) -> Vec<Effect> {
    let mut effects: Vec<Effect> = measure(state).into_iter().collect();
    effects.extend(state.runs.unsaved_marks().map(Effect::SaveMarks));
    if matches!(
        state.screen,
        Screen::Run(_) | Screen::Evaluations(_) | Screen::Compare(_)
    ) {
        return effects;
    }
    let selected = state.runs.selected().map(|row| row.found.dir.clone());
    match selected {
        Some(dir) if runs::has_preview(state.size) => effects.extend(look_into(state, &dir)),
        // Nothing shows it any more: what was read of it is let go.
        _ => effects.extend(state.opened.take().map(|old| Effect::Close(old.dir))),
    }
    effects.push(watch(state));
    effects
}

/// The folders whose changes matter: those of the runs that may change and are on the screen or active, the opened one, and those
/// in which runs appear.
fn watch(state: &State) -> Effect {
    Effect::Watch(watched(state))
}

/// Where runs appear: watched all the time.
pub(super) fn standing(roots: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    roots
        .iter()
        .flat_map(|root| [root.clone(), root.join(TRAINING_RUNS)])
}

pub(super) fn watched(state: &State) -> HashSet<PathBuf> {
    let mut folders: HashSet<_> = standing(&state.roots)
        .chain(state.fresh.iter().cloned())
        .chain(state.evaluations.watched())
        .collect();
    folders.extend(
        steering::queues(state)
            .into_iter()
            .map(queue_reasons::folder),
    );
    let height = runs::table_height(state.size);
    let active = state.runs.all().filter(|row| {
        row.summary
            .as_ref()
            .is_some_and(|summary| summary.observed.state.may_act())
    });
    let opened = state.opened.iter().map(|opened| &opened.dir);
    let on_screen = state.runs.on_screen(height);
    for dir in active
        .chain(on_screen)
        .map(|row| &row.found.dir)
        .chain(opened)
    {
        folders.insert(dir.path().to_owned());
        folders.insert(dir.logs());
    }
    folders
}

/// The order to measure the runs on the screen that nobody has measured yet.
pub(super) fn measure(state: &State) -> Option<Effect> {
    let height = runs::table_height(state.size);
    let unmeasured = state.runs.on_screen(height).filter(|row| {
        row.summary
            .as_ref()
            .is_some_and(|summary| summary.size_bytes.is_none())
    });
    let dirs: Vec<_> = unmeasured.map(|row| row.found.dir.clone()).collect();
    (!dirs.is_empty()).then_some(Effect::Measure(dirs))
}
