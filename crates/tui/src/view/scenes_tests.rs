//! Every screen and every overlay draws and takes keys at any size of the terminal, and Ctrl-C
//! leaves each.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::run::tests::detail;
use super::test_driver::{drawn, press};
use super::{alerts, clean, compare, evaluations, form, machine, pictures, runs, trash};
use crate::command::{COMMANDS, Scope};
use crate::effect::Effect;
use crate::graphics::Protocol;
use crate::keymap::{Key, Keymap};
use crate::message::Message;
use crate::notice::Notice;
use crate::state::State;
use crate::update::update;
use traintop_run::state::State as RunState;

/// Something that can be on the screen, by the function that leads to it.
type Scene = (&'static str, fn() -> State);

/// The size at which a scene is opened.
const OPENED_AT: (u16, u16) = (100, 30);

fn listed() -> State {
    runs::tests::listed(OPENED_AT.0, OPENED_AT.1)
}

fn after(mut state: State, keys: &str) -> State {
    press(&mut state, keys);
    state
}

/// A run on the screen that has been read, at this part of the screen.
fn run(keys: &str) -> State {
    let mut state = after(listed(), "\n");
    let read = detail(RunState::Running);
    state.context.opened.as_mut().unwrap().detail = Some(read);
    after(state, keys)
}

fn compared(keys: &str) -> State {
    let (mut state, runs) = compare::tests::compared(OPENED_AT.0, OPENED_AT.1);
    let effects = press(&mut state, keys);
    compare::tests::settle(&mut state, &runs, effects);
    state
}

fn result(keys: &str) -> State {
    after(
        evaluations::tests::opened_at(OPENED_AT.0, OPENED_AT.1),
        keys,
    )
}

fn side_by_side(keys: &str) -> State {
    after(
        evaluations::tests::compared_at(OPENED_AT.0, OPENED_AT.1),
        keys,
    )
}

fn sampled_usage() -> State {
    let mut state = after(listed(), "i");
    machine::tests::feed(&mut state, 1..3);
    state
}

fn renaming() -> State {
    let mut state = after(listed(), "jj  r");
    let now = state.context.now;
    update(
        &mut state,
        now,
        Message::Edited(runs::tests::marks::gathered()),
    );
    state
}

fn in_blanks() -> State {
    let mut state = result("4");
    state.context.pictures = Protocol::Kitty;
    state
}

const SCENES: &[Scene] = &[
    ("runs", listed),
    ("runs, grouped", || after(listed(), "Bstate\n")),
    ("runs, query typed", || after(listed(), "/e o")),
    ("runs, marked", || after(listed(), "A")),
    ("no runs", || {
        State::new(
            vec!["/nowhere".into()],
            OPENED_AT,
            jiff::Timestamp::UNIX_EPOCH,
        )
    }),
    ("run, not read", || after(listed(), "\n")),
    ("run, charts", || run("1")),
    ("run, one chart", || run("1f")),
    ("run, epochs", || run("2")),
    ("run, config", || run("3")),
    ("run, log", || run("4")),
    ("run, checkpoints", || run("5")),
    ("form, recipes", form::tests::opened),
    ("form, values", || after(form::tests::opened(), "\n")),
    ("form, typing", || after(form::tests::opened(), "\njje")),
    ("save as", || after(form::tests::opened(), "\nS")),
    ("evaluations", || {
        after(evaluations::tests::state(OPENED_AT.0, OPENED_AT.1), "E")
    }),
    ("result, 1", || result("1")),
    ("result, 2", || result("2")),
    ("result, 3", || result("3")),
    ("result, 4", || result("4")),
    ("result, pictures of the terminal", in_blanks),
    ("side by side, 1", || side_by_side("1")),
    ("side by side, 2", || side_by_side("2")),
    ("side by side, 3", || side_by_side("3")),
    ("evaluate", || {
        after(evaluations::tests::state(OPENED_AT.0, OPENED_AT.1), "e")
    }),
    ("evaluate, data typed", || {
        after(evaluations::tests::state(OPENED_AT.0, OPENED_AT.1), "ej")
    }),
    ("compared, curves", || compared("1")),
    ("compared, one curve", || compared("1f")),
    ("compared, table", || compared("2")),
    ("compared, configs", || compared("3")),
    ("compared, logs", || compared("4")),
    ("compared, settings", || compared("5")),
    ("clean", || clean::tests::opened(OPENED_AT.0, OPENED_AT.1)),
    ("trash", || trash::tests::opened(OPENED_AT.0, OPENED_AT.1)),
    ("help", || after(listed(), "?")),
    ("confirm", || after(listed(), "jD")),
    ("ask", || after(listed(), "T")),
    ("name", || after(listed(), "r")),
    ("compared, a number is typed", || compared("e")),
    ("note", || after(listed(), "m")),
    ("rename", renaming),
    ("columns", || after(listed(), "o")),
    ("queue", || {
        after(runs::queue_tests::queued(OPENED_AT.0, OPENED_AT.1), "w")
    }),
    ("alerts", || after(alerts::tests::state(OPENED_AT), "!")),
    ("machine", sampled_usage),
    ("pick", || after(listed(), ":")),
    ("themes", || after(listed(), "t")),
    ("notice", || {
        let mut state = listed();
        state.context.notice = Some(Notice::bad("one sentence"));
        state
    }),
];

fn sizes() -> Vec<(u16, u16)> {
    let mut sizes: Vec<(u16, u16)> = (0..=3)
        .flat_map(|columns| (0..=3).map(move |rows| (columns, rows)))
        .collect();
    sizes.extend((0..=12).map(|rows| (80, rows)));
    sizes.extend([0, 1, 2, 3, 5, 8, 13, 20, 30].map(|columns| (columns, 24)));
    sizes.extend([(300, 200), (300, 1), (1, 200), (u16::MAX, 1), (1, u16::MAX)]);
    sizes
}

fn show(state: &State) {
    drawn(state);
    pictures(state);
}

/// What is on the screen and over it, so that a key which leads elsewhere is noticed.
fn place(state: &State) -> (Scope, Scope) {
    (super::screen_scope(state), super::scope(state))
}

/// Runs `test` for each scene, and panics with all that failed.
fn in_each_scene(test: impl Fn(fn() -> State) -> Vec<String>) {
    let failed: Vec<String> = SCENES
        .iter()
        .flat_map(|(name, open)| {
            let failed = test(*open);
            failed
                .into_iter()
                .map(move |what| format!("{name}: {what}"))
        })
        .collect();
    // The first are enough to find the cause.
    let first: Vec<_> = failed.iter().take(40).map(String::as_str).collect();
    let count = failed.len();
    assert!(failed.is_empty(), "{count} panics:\n{}", first.join("\n"));
}

#[test]
fn every_screen_and_scope_is_among_the_scenes() {
    let places: Vec<_> = SCENES.iter().map(|(_, open)| place(&open())).collect();
    let missing = Scope::ALL.into_iter().filter(|scope| {
        let is_there = places.iter().any(|(_, there)| there == scope);
        !is_there && *scope != Scope::Everywhere
    });
    assert_eq!(missing.collect::<Vec<_>>(), []);
}

#[test]
fn every_scene_draws_at_any_size() {
    in_each_scene(|open| {
        let mut state = open();
        let mut failed = Vec::new();
        for (columns, rows) in sizes() {
            let drawn = catch_unwind(AssertUnwindSafe(|| {
                let now = state.context.now;
                update(&mut state, now, Message::Resized(columns, rows));
                show(&state);
            }));
            if drawn.is_err() {
                failed.push(format!("at {columns}x{rows}"));
                state = open();
            }
        }
        failed
    });
}

/// All keys that mean something in a context or everywhere, and some that overlays know.
fn keys(scope: Scope) -> Vec<KeyEvent> {
    let places = COMMANDS.iter().flat_map(|command| command.places);
    let places = places
        .filter(|place| place.scopes.contains(&scope) || place.scopes.contains(&Scope::Everywhere));
    let names = places.flat_map(|place| place.keys);
    let bound = names.map(|name| name.parse::<Key>().unwrap().event());
    let more = [
        KeyCode::PageDown,
        KeyCode::PageUp,
        KeyCode::End,
        KeyCode::Home,
        KeyCode::Left,
    ];
    let more = more.map(|code| KeyEvent::new(code, KeyModifiers::NONE));
    bound.chain(more).collect()
}

#[test]
fn every_key_works_at_the_smallest_sizes() {
    in_each_scene(|open| {
        let mut failed = Vec::new();
        let mut state = open();
        let opened = place(&state);
        let keys = keys(super::scope(&state));
        for (columns, rows) in [(0, 0), (1, 1), (80, 0), (0, 24), (80, 1), (3, 3), (80, 2)] {
            for key in &keys {
                let done = catch_unwind(AssertUnwindSafe(|| {
                    let now = state.context.now;
                    update(&mut state, now, Message::Resized(columns, rows));
                    update(&mut state, now, Message::Key(*key));
                    show(&state);
                }));
                if done.is_err() {
                    failed.push(format!("{key:?} at {columns}x{rows}"));
                }
                if done.is_err() || place(&state) != opened {
                    state = open();
                }
            }
        }
        failed
    });
}

/// Presses Ctrl-C; whether the dashboard is left.
fn leaves(state: &mut State) -> bool {
    let event = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    let now = state.context.now;
    update(state, now, Message::Key(event)).contains(&Effect::Quit)
}

#[test]
fn ctrl_c_leaves_every_scene_and_asks_only_where_something_would_be_lost() {
    let (keymap, _) = Keymap::with(&[("quit".to_owned(), Vec::new())]);
    for (name, open) in SCENES {
        let mut state = open();
        state.context.keymap = keymap.clone();
        assert!(leaves(&mut state), "{name}");
    }
    let mut state = after(listed(), "mseed 3");
    assert!(!leaves(&mut state) && super::scope(&state) == Scope::Note);
    assert!(leaves(&mut state));
    // Also where the note lies below something else: its question must be seen.
    let mut state = after(listed(), "mseed 3<f1>");
    assert!(!leaves(&mut state) && super::scope(&state) == Scope::Note);
    for (_, open) in SCENES {
        let mut state = open();
        state.context.evaluations.started = 2;
        assert!(!leaves(&mut state) && super::scope(&state) == Scope::Question);
        assert!(leaves(&mut state));
    }
}

#[test]
fn the_mouse_works_at_any_size() {
    let kinds = [
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollLeft,
        MouseEventKind::Up(MouseButton::Left),
    ];
    in_each_scene(|open| {
        let mut state = open();
        let mut failed = Vec::new();
        for (columns, rows) in sizes() {
            let places = [
                (0, 0),
                (columns / 2, rows / 2),
                (columns.saturating_sub(1), rows.saturating_sub(1)),
                (u16::MAX, u16::MAX),
            ];
            for ((column, row), kind) in places
                .into_iter()
                .flat_map(|at| kinds.map(|kind| (at, kind)))
            {
                let modifiers = KeyModifiers::NONE;
                let event = MouseEvent {
                    kind,
                    column,
                    row,
                    modifiers,
                };
                let done = catch_unwind(AssertUnwindSafe(|| {
                    let now = state.context.now;
                    update(&mut state, now, Message::Resized(columns, rows));
                    update(&mut state, now, Message::Mouse(event));
                }));
                if done.is_err() {
                    failed.push(format!("{event:?} at {columns}x{rows}"));
                    state = open();
                }
            }
        }
        failed
    });
}
