//! What each message changes, and what is to be done about it. Pure: no input or output, no clock,
//! no thread.

pub mod alerts;
pub mod chart_settings;
pub mod charts;
pub mod cleanup;
pub mod discovery;
pub mod edits;
pub mod evaluations;
pub mod export;
pub mod external_rename;
pub mod form;
pub mod long_job;
pub mod machine;
pub mod steering;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use crate::command::{Action, Scope};
use crate::component::{Component, Request, Response};
use crate::effect::Effect;
use crate::jobs::edits::UndoEntry;
use crate::message::Message;
use crate::notice::Notice;
use crate::state::State;
use crate::view::alerts::AlertList;
use crate::view::compare::{self};
use crate::view::confirm::Confirm;
use crate::view::machine::MachineView;
use crate::view::note::NoteEditor;
use crate::view::opened::Opened;
use crate::view::picker::Picker;
use crate::view::run::RunView;
use crate::view::{self, clean, help, runs, trash};
use crate::{jobs, keymap};
use traintop_run::layout::TRAINING_RUNS;
use traintop_run::{RunDir, queue_reasons};

/// Takes in a message that came at `now`.
pub fn update(state: &mut State, now: Timestamp, message: Message) -> Vec<Effect> {
    state.now = now;
    state.runs.at(now);
    state.dirty = true;
    let mut effects = take_in(state, message);
    if !view::scope(state).takes_text()
        && let Some(question) = state.question.take()
    {
        state.overlays.push(question);
    }
    state.look_back();
    effects.extend(view::form::learn_the_rest(state));
    effects.extend(machine::due(state));
    let unsampled = state.runs.unsampled();
    effects.extend(unsampled.map(|(epochs, dirs)| Effect::ValuesAtEpoch(epochs, dirs)));
    if let Some(left) = state.runs.unsaved() {
        // Before the effect that quits, which is the last.
        effects.insert(0, Effect::Remember(Box::new(left)));
    }
    effects
}

fn take_in(state: &mut State, message: Message) -> Vec<Effect> {
    match message {
        Message::Key(event) => key(state, event),
        Message::Mouse(event) => mouse(state, event),
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
        Message::SearchBegan => {
            state.runs.search_begins();
            Vec::new()
        }
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
            effects.extend(charts::due(state));
            effects
        }
        Message::RecipesListed(choices) => {
            state.form.offer(choices);
            Vec::new()
        }
        Message::RecipeRead(choice) => view::form::begin_with(state, &choice),
        Message::SizesMeasured(sizes) => {
            state.runs.measured(sizes);
            Vec::new()
        }
        Message::FormDone(outcome) => form::update(state, outcome),
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
        Message::Compared(outcome) => compare::update(state, outcome),
        Message::ValuesRead(samples) => {
            state.runs.sampled(samples);
            look_closer(state)
        }
        Message::Evaluation(outcome) => evaluations::update(state, outcome),
        Message::FirstDrawn => {
            // Nothing has changed but that there is time now.
            state.dirty = false;
            let mut effects = evaluations::find(state);
            let load = Effect::Alert(jobs::alerts::AlertJob::Load);
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
        Message::ChartsTransformed(outcome) => charts::take(state, outcome),
        Message::Edited(outcome) => edits::update(state, outcome),
        Message::Cleaned(outcome) => cleanup::update(state, outcome),
        Message::Launched(Err(problem)) | Message::StopAsked(Err(problem)) => {
            state.notice = Some(Notice::bad(problem));
            Vec::new()
        }
        Message::LongJob(outcome) => long_job::update(state, outcome),
        Message::Judged(root, notice) => judged(state, &root, notice),
        Message::Noticed(notice) => {
            state.notice = Some(notice);
            Vec::new()
        }
    }
}

/// The runs below a root are judged by something else: they are summed up again.
fn judged(state: &mut State, root: &Path, notice: Notice) -> Vec<Effect> {
    state.notice = Some(notice);
    let runs = state.runs.all().map(|row| &row.found.dir);
    let below = runs.filter(|dir| dir.path().starts_with(root));
    vec![Effect::Summarise(below.cloned().collect())]
}

/// Time has passed: keys have rested, a run has come to an age that the query names, or ages read
/// differently.
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
    match view::scope(state) {
        Scope::Query => runs::paste(state, text),
        Scope::FormValue => view::form::paste(state, text),
        _ => {
            if let Some(component) = state.overlays.top_mut() {
                component.paste(text);
            }
        }
    }
}

fn key(state: &mut State, event: KeyEvent) -> Vec<Effect> {
    // Before all else: whatever the configuration says and whatever is typed, there is a way out.
    if keymap::is_way_out(event) {
        return quit(state);
    }
    (state.notice, state.gone) = (None, None);
    if let Some(action) = state.keymap.action(view::scope(state), event) {
        return act(state, action);
    }
    if let Some(mut component) = state.overlays.pop() {
        let response = component.type_key(event, state);
        let is_ignored = response.is_ignored;
        let effects = respond(state, component, response);
        if !is_ignored {
            return effects;
        }
    }
    match view::scope(state) {
        Scope::Query => {
            runs::type_key(state, event);
            Vec::new()
        }
        Scope::FormValue => view::form::type_key(state, event),
        _ => Vec::new(),
    }
}

/// The screen gets what the mouse does, unless something lies over it.
fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    if state.overlays.has_dialog() {
        return Vec::new();
    }
    let Some(mut screen) = state.overlays.pop() else {
        return Vec::new();
    };
    let response = screen.mouse(event, state);
    respond(state, screen, response)
}

/// Does what an action says: in what lies over the table, else everywhere, else on the screen.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(mut component) = state.overlays.pop() {
        let response = component.act(action, state);
        let is_ignored = response.is_ignored;
        let effects = respond(state, component, response);
        if !is_ignored {
            return effects;
        }
    }
    if let Some(effects) = act_everywhere(state, action) {
        return effects;
    }
    if state.overlays.has_dialog() {
        return Vec::new();
    }
    if action == Action::Undo {
        return edits::undo(state);
    }
    match view::screen_scope(state) {
        Scope::Runs => act_in_table(state, action),
        Scope::Query => {
            runs::act_in_query(state, action);
            Vec::new()
        }
        Scope::Run => act_on_run(state, action),
        Scope::Form => view::form::act(state, action),
        Scope::FormValue => view::form::act_in_value(state, action),
        Scope::Compare => chart_settings::act(state, action),
        Scope::Evaluations => evaluations::act(state, action),
        _ => Vec::new(),
    }
}

/// Puts a component back unless it is done, and does what it asks for.
fn respond(state: &mut State, component: Box<dyn Component>, response: Response) -> Vec<Effect> {
    let is_left = response.closes && component.is_screen();
    if !response.closes {
        state.overlays.push_box(component);
    }
    let mut effects = Vec::new();
    for request in response.requests {
        effects.extend(grant(state, request));
    }
    if is_left {
        effects.extend(look_closer(state));
    }
    effects
}

/// Does what a component asks for.
fn grant(state: &mut State, request: Request) -> Vec<Effect> {
    match request {
        Request::Run(effect) => return vec![effect],
        Request::Act(action) => return act(state, action),
        Request::GoTo(dir) => return go_to(state, &dir),
        Request::OpenRun(dir) => return show_run(state, dir),
        Request::JudgeBy(run, metric) => return vec![Effect::JudgeBy { run, metric }],
        Request::Fill(values) => return view::form::fill(state, &values),
        Request::Evaluate(requests) => return evaluations::start(state, requests),
        Request::SortBy(key) => {
            state.runs.sort_on(&key);
            return look_closer(state);
        }
        Request::GroupBy(key) => {
            state.runs.group_on(key);
            return look_closer(state);
        }
        Request::Notify(notice) => state.notice = Some(notice),
        Request::UseTheme(theme) => state.theme = *theme,
        Request::ChooseColumns { columns, is_chosen } => {
            state.runs.choose_columns(columns, is_chosen);
        }
        Request::AlertsSeen => state.alerts.unseen = 0,
        Request::Open(component) => state.overlays.push_box(component),
        Request::ForgetRemoval(ticket) => state.undo_stack.retain(|entry| match entry {
            UndoEntry::Removed(tickets) => !tickets.contains(&ticket),
            _ => true,
        }),
    }
    Vec::new()
}

/// Shows the table with the cursor on a run.
fn go_to(state: &mut State, dir: &RunDir) -> Vec<Effect> {
    state.overlays.clear();
    let height = runs::table_height(state.size);
    if state.runs.jump(dir, height, state.now) {
        let text = "the query was cleared: it hid this run; / and ↑ restore it";
        state.notice = Some(Notice::good(text));
    }
    look_closer(state)
}

/// The commands that apply on every screen; `None` for any other.
fn act_everywhere(state: &mut State, action: Action) -> Option<Vec<Effect>> {
    match action {
        Action::Quit => return Some(quit(state)),
        Action::Suspend => return Some(vec![Effect::Suspend]),
        Action::CancelJobs => return Some(vec![Effect::CancelJobs]),
        Action::Help => state.overlays.push(help::Help::new(view::scope(state))),
        Action::Palette => {
            let commands = Picker::commands(state, view::scope(state));
            state.overlays.push(commands);
        }
        Action::Alerts => {
            let alerts = AlertList::open(state);
            state.overlays.push(alerts);
        }
        Action::ShowMachine => state.overlays.push(MachineView::default()),
        Action::PickTheme => state.overlays.push(Picker::themes(state)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Does what an action says on the table of runs.
fn act_in_table(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Open => open_run(state),
        Action::NewRun => view::form::open(state),
        Action::NewLike => view::form::ask_for_recipe(state),
        Action::Compare => compare::open(state),
        Action::CleanUp => clean::open(state),
        Action::OpenTrash => trash::open(state),
        Action::Remove => {
            let chosen = state.runs.chosen();
            cleanup::ask_to_remove(state, chosen);
            Vec::new()
        }
        Action::Evaluate => evaluations::ask(state),
        Action::ShowEvaluations => evaluations::open(state),
        Action::Copy => export::offer_copies(state),
        Action::Export => export::offer_exports(state),
        Action::Figures => export::draw(state),
        _ => {
            let mut effects = runs::act(state, action);
            // What a move shows is looked at when the cursor rests.
            let is_step = matches!(action, Action::Down | Action::Up);
            effects.extend(measure(state).filter(|_| !is_step));
            effects
        }
    }
}

/// Does what an action says on the screen of one run.
fn act_on_run(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::NewLike => view::form::ask_for_recipe(state),
        Action::Evaluate => evaluations::ask(state),
        Action::ShowEvaluations => evaluations::open(state),
        Action::Copy => export::offer_copies(state),
        Action::Export => export::offer_exports(state),
        Action::Figures => export::draw(state),
        _ if crate::chart_settings::is_one(action) => chart_settings::act(state, action),
        _ => runs::act(state, action),
    }
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
    if let Some(mut editor) = state.overlays.take::<NoteEditor>() {
        let asks = editor.asks_before_it_closes();
        // On top, where its question is seen.
        state.overlays.push(editor);
        if asks {
            return Vec::new();
        }
    }
    let asked = state.overlays.find::<Confirm>();
    let is_asked = asked.is_some_and(|asked| asked.then == Effect::Quit);
    let waiting = state.evaluations.started.saturating_sub(1);
    if waiting == 0 || is_asked {
        return end(state);
    }
    let plural = if waiting == 1 { "" } else { "s" };
    state.overlays.push(Confirm {
        title: "Leave?".to_owned(),
        text: format!(
            "The running evaluation continues, but {waiting} more evaluation{plural} that wait for it will not start."
        ),
        yes: "leave".to_owned(),
        then: Effect::Quit,
    });
    // The answer is the end alone: what is to be kept is kept before it.
    let mut effects = end(state);
    effects.retain(|effect| *effect != Effect::Quit);
    effects
}

fn open_run(state: &mut State) -> Vec<Effect> {
    if state.runs.is_on_header() {
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
    show_run(state, dir)
}

/// Shows a run by itself.
fn show_run(state: &mut State, dir: RunDir) -> Vec<Effect> {
    let effects = look_into(state, &dir);
    state.overlays.push(RunView::new(dir));
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

/// The runs on the screen, or their order, have changed, or the cursor has come to rest: what is
/// shown of them is asked for.
pub(super) fn look_closer(state: &mut State) -> Vec<Effect> {
    let mut effects: Vec<Effect> = measure(state).into_iter().collect();
    effects.extend(state.runs.unsaved_marks().map(Effect::SaveMarks));
    // What was opened stays while one of these shows it, or is returned to.
    if state.overlays.iter().any(|layer| layer.keeps_opened_run()) {
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

/// The folders whose changes matter: those of the runs that may change and are on the screen or
/// active, the opened one, and those in which runs appear.
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
    folders.extend(state.runs.queues().into_iter().map(queue_reasons::folder));
    let height = runs::table_height(state.size);
    let active = state.runs.all().filter(|row| {
        row.summary
            .as_ref()
            .is_some_and(|summary| summary.observed.state.may_act())
    });
    let opened = state
        .opened
        .iter()
        .filter_map(|opened| state.runs.row(&opened.dir));
    let on_screen = state.runs.on_screen(height);
    for found in active.chain(on_screen).chain(opened).map(|row| &row.found) {
        folders.insert(found.dir.path().to_owned());
        folders.insert(found.dir.logs());
        folders.extend(found.folders().map(Path::to_owned));
    }
    folders
}

/// The job that measures the runs on the screen whose sizes are unknown.
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
