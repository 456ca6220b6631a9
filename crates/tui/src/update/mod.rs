//! What each message changes, and what is to be done about it. Pure: no input or output, no clock,
//! no thread.

pub mod alerts;
pub mod chart_settings;
pub mod charts;
pub mod cleanup;
pub mod compare;
pub mod discovery;
pub mod edits;
pub mod evaluations;
pub mod export;
pub mod external_rename;
pub mod form;
pub mod long_job;
pub mod machine;
pub mod steering;
pub mod table;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use crate::command::{Action, Scope};
use crate::component::{Component, Request, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::edits::UndoEntry;
use crate::keymap::Key;
use crate::message::Message;
use crate::notice::Notice;
use crate::state::State;
use crate::view::alerts::AlertList;
use crate::view::confirm::Confirm;
use crate::view::machine::MachineView;
use crate::view::note::NoteEditor;
use crate::view::opened::Opened;
use crate::view::picker::Picker;
use crate::view::run::RunView;
use crate::view::run::detail::Reading;
use crate::view::{self, help, runs};
use crate::{jobs, keymap};
use traintop_run::layout::TRAINING_RUNS;
use traintop_run::{RunDir, queue_reasons};

/// Takes in a message that came at `now`.
pub fn update(state: &mut State, now: Timestamp, message: Message) -> Vec<Effect> {
    state.context.now = now;
    state.context.runs.at(now);
    state.dirty = true;
    let mut effects = take_in(state, message);
    if !view::scope(state).takes_text()
        && let Some(question) = state.question.take()
    {
        state.overlays.push(question);
    }
    state.look_back();
    effects.extend(form::learn_the_rest(state));
    effects.extend(machine::due(state));
    let unsampled = state.context.runs.unsampled();
    effects.extend(unsampled.map(|(epochs, dirs)| Effect::ValuesAtEpoch(epochs, dirs)));
    if let Some(left) = state.context.runs.unsaved() {
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
            state.context.size = (columns, rows);
            state
                .context
                .runs
                .keep_in_sight(runs::table_height(state.context.size));
            look_closer(state)
        }
        Message::Terminated(_) | Message::InputEnded => end(state),
        Message::AskedToSuspend => vec![Effect::Suspend],
        Message::Continued => vec![Effect::TakeTerminal],
        Message::Woke => woke(state),
        Message::RunsFound(found) => discovery::runs_found(state, found),
        Message::SearchBegan => {
            state.context.runs.search_begins();
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
        Message::RunRead(dir, reading) => run_read(state, &dir, *reading),
        Message::RecipesListed(choices) => {
            state.form_mut().offer(choices);
            Vec::new()
        }
        Message::RecipeRead(choice) => form::begin_with(state, &choice),
        Message::SizesMeasured(sizes) => {
            state.context.runs.measured(sizes);
            Vec::new()
        }
        Message::FormDone(outcome) => form::update(state, outcome),
        Message::Launched(Ok(dir)) => {
            state.context.notice = Some(Notice::good(format!("started {}", dir.name())));
            state.context.runs.expect(dir.clone());
            vec![Effect::Summarise(vec![dir])]
        }
        Message::Steered(outcome) => steering::update(state, outcome),
        Message::StopAsked(Ok(text)) => {
            state.context.notice = Some(Notice::good(text));
            Vec::new()
        }
        Message::MarksLoaded(dirs) => {
            state.context.runs.remember_marks(dirs);
            Vec::new()
        }
        Message::Alert(outcome) => alerts::update(state, outcome),
        Message::Compared(outcome) => compare::update(state, outcome),
        Message::ValuesRead(samples) => {
            state.context.runs.sampled(samples);
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
            state.context.runs.set_zone(zone);
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
            state.context.notice = Some(Notice::bad(problem));
            Vec::new()
        }
        Message::LongJob(outcome) => long_job::update(state, outcome),
        Message::Judged(root, notice) => judged(state, &root, notice),
        Message::Noticed(notice) => {
            state.context.notice = Some(notice);
            Vec::new()
        }
    }
}

/// Something of a run's files was read: the opened run takes it in.
fn run_read(state: &mut State, dir: &RunDir, reading: Reading) -> Vec<Effect> {
    let opened = state.context.opened.as_mut();
    let opened = opened.filter(|opened| opened.dir == *dir);
    let next = opened.and_then(|opened| opened.take(reading));
    let mut effects: Vec<Effect> = next.into_iter().collect();
    effects.extend(charts::due(state));
    effects
}

/// The runs below a root are judged by something else: they are summed up again.
fn judged(state: &mut State, root: &Path, notice: Notice) -> Vec<Effect> {
    state.context.notice = Some(notice);
    let runs = state.context.runs.all().map(|row| &row.found.dir);
    let below = runs.filter(|dir| dir.path().starts_with(root));
    vec![Effect::Summarise(below.cloned().collect())]
}

/// Time has passed: keys have rested, a run has come to an age that the query names, or ages read
/// differently.
fn woke(state: &mut State) -> Vec<Effect> {
    let height = runs::table_height(state.context.size);
    let has_aged = state.context.runs.sift_by_age(height);
    let mut effects = alerts::woke(state);
    if !state.context.runs.has_rested(state.context.now) && !has_aged {
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
        Scope::Query => state.context.runs.paste(text),
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
    (state.context.notice, state.gone) = (None, None);
    if let Some(action) = state.context.keymap.action(view::scope(state), event) {
        return act(state, action);
    }
    let context = &mut state.context;
    if let Some(component) = state.overlays.top_mut() {
        let response = component.type_key(event, context);
        if response.is_ignored {
            context.notice = unbound(context, event);
        }
        return respond(state, response);
    }
    if context.runs.is_typing() {
        let height = runs::table_height(context.size);
        context.runs.type_key(event, height, context.now);
    } else {
        context.notice = unbound(context, event);
    }
    Vec::new()
}

/// What to say of a key that does nothing.
fn unbound(context: &Context, event: KeyEvent) -> Option<Notice> {
    let key = Key::of(event);
    let help = context.keymap.key_of(Scope::Everywhere, Action::Help)?;
    Some(Notice::bad(format!(
        "{key} does nothing here; {help} shows what can be done"
    )))
}

/// The screen gets what the mouse does, unless something lies over it.
fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    if state.overlays.has_dialog() {
        return Vec::new();
    }
    let Some(screen) = state.overlays.top_mut() else {
        return Vec::new();
    };
    let response = screen.mouse(event, &state.context);
    respond(state, response)
}

/// Does what an action says: in what lies over the table, else everywhere, else on the screen.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(component) = state.overlays.top_mut() {
        let response = component.act(action, &state.context);
        if !response.is_ignored {
            return respond(state, response);
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
            let context = &mut state.context;
            let height = runs::table_height(context.size);
            context.runs.act_in_query(action, height, context.now);
            Vec::new()
        }
        Scope::Run => act_on_run(state, action),
        Scope::Compare => chart_settings::act(state, action),
        Scope::Evaluations => evaluations::act(state, action),
        _ => Vec::new(),
    }
}

/// Does what the component on top asks for, after it is closed if it is done.
pub(super) fn respond(state: &mut State, response: Response) -> Vec<Effect> {
    let is_left = response.closes && state.overlays.top().is_some_and(Component::is_screen);
    if response.closes {
        state.close_top();
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
        Request::Fill(values) => return form::fill(state, &values),
        Request::ShowTable => state.show_table(),
        Request::Evaluate(requests) => return evaluations::start(state, requests),
        Request::SortBy(key) => {
            state.context.runs.sort_on(&key);
            return look_closer(state);
        }
        Request::GroupBy(key) => {
            state.context.runs.group_on(key);
            return look_closer(state);
        }
        Request::Notify(notice) => state.context.notice = Some(notice),
        Request::UseTheme(theme) => state.context.theme = *theme,
        Request::ChooseColumns { columns, is_chosen } => {
            state.context.runs.choose_columns(columns, is_chosen);
        }
        Request::AlertsSeen => state.context.alerts.unseen = 0,
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
    state.show_table();
    let height = runs::table_height(state.context.size);
    if state.context.runs.jump(dir, height, state.context.now) {
        let text = "the query was cleared: it hid this run; / and ↑ restore it";
        state.context.notice = Some(Notice::good(text));
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
            let commands = Picker::commands(&state.context, view::scope(state));
            state.overlays.push(commands);
        }
        Action::Alerts => {
            state.context.alerts.unseen = 0;
            state.overlays.push(AlertList::new(&state.context));
        }
        Action::ShowMachine => state.overlays.push(MachineView::default()),
        Action::PickTheme => state.overlays.push(Picker::themes(&state.context)),
        _ => return None,
    }
    Some(Vec::new())
}

/// Does what an action says on the table of runs.
fn act_in_table(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Open => open_run(state),
        Action::NewRun => form::open(state),
        Action::NewLike => form::ask_for_recipe(state),
        Action::Compare => compare::open(state),
        Action::CleanUp => cleanup::open(state),
        Action::OpenTrash => cleanup::open_trash(state),
        Action::Remove => {
            let chosen = state.context.runs.chosen();
            cleanup::ask_to_remove(state, chosen);
            Vec::new()
        }
        Action::Evaluate => evaluations::ask(state),
        Action::ShowEvaluations => evaluations::open(state),
        Action::Copy => export::offer_copies(state),
        Action::Export => export::offer_exports(state),
        Action::Figures => export::draw(state),
        _ => {
            let mut effects = table::act(state, action);
            // What a move shows is looked at when the cursor rests.
            let is_step = matches!(action, Action::Down | Action::Up);
            effects.extend(measure(&state.context).filter(|_| !is_step));
            effects
        }
    }
}

/// Does what an action says on the screen of one run.
fn act_on_run(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::NewLike => form::ask_for_recipe(state),
        Action::Evaluate => evaluations::ask(state),
        Action::ShowEvaluations => evaluations::open(state),
        Action::Copy => export::offer_copies(state),
        Action::Export => export::offer_exports(state),
        Action::Figures => export::draw(state),
        _ if crate::chart_settings::is_one(action) => chart_settings::act(state, action),
        _ => table::act(state, action),
    }
}

/// Ends the program.
fn end(state: &mut State) -> Vec<Effect> {
    let marks = state.context.runs.unsaved_marks().map(Effect::SaveMarks);
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
    let waiting = state.context.evaluations.started.saturating_sub(1);
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
    if state.context.runs.is_on_header() {
        state.context.runs.fold();
        return look_closer(state);
    }
    let Some(dir) = state
        .context
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
        .context
        .opened
        .as_ref()
        .is_some_and(|opened| opened.dir == *dir)
    {
        return Vec::new();
    }
    let (opened, read) = Opened::new(dir.clone());
    let old = state.context.opened.replace(opened);
    let mut effects: Vec<Effect> = old.map(|old| Effect::Close(old.dir)).into_iter().collect();
    effects.push(read);
    effects.push(watch(state));
    effects
}

/// The runs on the screen, or their order, have changed, or the cursor has come to rest: what is
/// shown of them is asked for.
pub(super) fn look_closer(state: &mut State) -> Vec<Effect> {
    let mut effects: Vec<Effect> = measure(&state.context).into_iter().collect();
    effects.extend(state.context.runs.unsaved_marks().map(Effect::SaveMarks));
    // What was opened stays while one of these shows it, or is returned to.
    if state.overlays.iter().any(|layer| layer.keeps_opened_run()) {
        return effects;
    }
    let selected = state
        .context
        .runs
        .selected()
        .map(|row| row.found.dir.clone());
    match selected {
        Some(dir) if runs::has_preview(state.context.size) => {
            effects.extend(look_into(state, &dir))
        }
        // Nothing shows it any more: what was read of it is let go.
        _ => effects.extend(
            state
                .context
                .opened
                .take()
                .map(|old| Effect::Close(old.dir)),
        ),
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
    let mut folders: HashSet<_> = standing(&state.context.roots)
        .chain(state.fresh.iter().cloned())
        .chain(state.context.evaluations.watched())
        .collect();
    folders.extend(
        state
            .context
            .runs
            .queues()
            .into_iter()
            .map(queue_reasons::folder),
    );
    let height = runs::table_height(state.context.size);
    let active = state.context.runs.all().filter(|row| {
        row.summary
            .as_ref()
            .is_some_and(|summary| summary.observed.state.may_act())
    });
    let opened = state
        .context
        .opened
        .iter()
        .filter_map(|opened| state.context.runs.row(&opened.dir));
    let on_screen = state.context.runs.on_screen(height);
    for found in active.chain(on_screen).chain(opened).map(|row| &row.found) {
        if !found.is_in_database() {
            folders.insert(found.dir.path().to_owned());
            folders.insert(found.dir.logs());
        }
        folders.extend(found.folders().map(Path::to_owned));
    }
    folders
}

/// The job that measures the runs on the screen whose sizes are unknown.
pub(super) fn measure(context: &Context) -> Option<Effect> {
    let height = runs::table_height(context.size);
    let unmeasured = context.runs.on_screen(height).filter(|row| {
        let summary = row.summary.as_ref();
        summary.is_some_and(|summary| summary.size_bytes.is_none()) && !row.found.is_in_database()
    });
    let dirs: Vec<_> = unmeasured.map(|row| row.found.dir.clone()).collect();
    (!dirs.is_empty()).then_some(Effect::Measure(dirs))
}
