//! The Run screen and the preview through messages: what is opened, read, followed and let go.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::{Timestamp, ToSpan};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::detail::tests::trained;
use super::detail::{Reading, Rows};
use super::tests::{all, summary, text};
use crate::effect::Effect;
use crate::message::Message;
use crate::state::State;
use crate::update::update;
use crate::view::run::RunView;
use crate::view::test_driver::press;
use crate::{jobs, view};
use traintop_run::found::Found;
use traintop_run::log_line::LineClassifier;
use traintop_run::state::State as RunState;
use traintop_run::{RunDir, log};

fn start() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn dir(name: &str) -> RunDir {
    RunDir::new(format!("/nowhere/runs/{name}"))
}

/// A dashboard that has found three runs, `c` the newest and training; and what it ordered.
fn opened(columns: u16, rows: u16) -> (State, Vec<Effect>) {
    let mut state = State::new(vec!["/nowhere/runs".into()], (columns, rows), start());
    let found = [
        ("c", RunState::Running, 3),
        ("b", RunState::Finished, 2),
        ("a", RunState::Finished, 1),
    ]
    .map(|(name, run, age)| {
        let mut summary = summary(run);
        summary.dir = dir(name);
        (summary.name, summary.own_name) = (name.to_owned(), name.to_owned());
        summary.started_at = Some(start() - (4 - age).hours());
        (Found::look(dir(name)), Some(summary))
    });
    let effects = update(&mut state, start(), Message::RunsFound(found.to_vec()));
    (state, effects)
}

fn read(state: &mut State, name: &str, epochs: u32, anew: bool) -> Vec<Effect> {
    let reading = Reading {
        metrics: Some(if anew {
            all(trained(epochs))
        } else {
            Rows::New(Box::new(trained(epochs)))
        }),
        ..Reading::default()
    };
    let now = state.context.now;
    update(state, now, Message::RunRead(dir(name), Box::new(reading)))
}

fn screen(state: &State) -> String {
    let mut buf = Buffer::empty(Rect::new(0, 0, state.context.size.0, state.context.size.1));
    view::draw(state, buf.area, &mut buf);
    text(&buf)
}

fn reads(effects: &[Effect]) -> Vec<&RunDir> {
    effects
        .iter()
        .filter_map(|effect| {
            if let Effect::Read(dir) = effect {
                Some(dir)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn a_run_is_read_when_it_opens_and_let_go_when_it_closes_with_the_selection_kept() {
    let (mut state, found) = opened(80, 24);
    assert!(
        reads(&found).is_empty(),
        "a small screen has no preview to read for"
    );
    press(&mut state, "j");
    let effects = press(&mut state, "\n");
    assert_eq!(reads(&effects), [&dir("b")]);
    assert!(screen(&state).contains("reading the run's files"));
    press(&mut state, "2");
    press(&mut state, "1");
    read(&mut state, "b", 120, true);
    let drawn = screen(&state);
    assert!(
        drawn.contains("t train_loss") && drawn.contains("v val_acc"),
        "{drawn}"
    );
    press(&mut state, "h");
    assert!(screen(&state).contains("Loss  epoch 119"));
    press(&mut state, "2");
    assert!(screen(&state).contains("▸★  119"));
    let effects = press(&mut state, "\x1b");
    assert!(effects.contains(&Effect::Close(dir("b"))), "{effects:?}");
    assert!(state.context.opened.is_none() && state.shows_table_alone());
    assert_eq!(
        state.context.runs.selected().map(|row| &row.found.dir),
        Some(&dir("b"))
    );
}

#[test]
fn curves_grow_as_rows_arrive_and_readings_do_not_pile_up() {
    let (mut state, _) = opened(80, 24);
    press(&mut state, "\n");
    read(&mut state, "c", 120, true);
    let changed = |state: &mut State| {
        let now = state.context.now;
        update(state, now, Message::FolderChanged(dir("c").logs()))
    };
    assert_eq!(reads(&changed(&mut state)), [&dir("c")]);
    assert!(reads(&changed(&mut state)).is_empty(), "one is under way");
    let effects = read(&mut state, "c", 150, true);
    assert_eq!(
        reads(&effects),
        [&dir("c")],
        "what came meanwhile is read after it"
    );
    press(&mut state, "2");
    assert!(
        screen(&state).contains("132-150 of 150"),
        "{}",
        screen(&state)
    );
}

#[test]
fn errors_of_the_log_are_told_from_each_part_and_gone_to_in_the_log() {
    let (mut state, _) = opened(100, 24);
    press(&mut state, "\n");
    read(&mut state, "c", 120, true);
    press(&mut state, "4");
    let drawn = screen(&state);
    assert!(
        !drawn.contains("error") && !drawn.contains(" zoom"),
        "{drawn}"
    );
    let mut classifier = LineClassifier::default();
    let mut text: Vec<String> = (0..90).map(|step| format!("step {step}")).collect();
    text[30] = "train.py:3: UserWarning: slow".to_owned();
    text[40] = "Traceback (most recent call last):".to_owned();
    text[41] = "  File \"train.py\", line 3, in <module>".to_owned();
    text[42] = "KeyError: 'x'".to_owned();
    text[60] = "ERROR: no shard 3".to_owned();
    text[62] = "ERROR: no shard 3".to_owned();
    let reading = Reading {
        log: Some(log::News {
            lines: text
                .into_iter()
                .map(|line| classifier.classify(line))
                .collect(),
            ..log::News::default()
        }),
        ..Reading::default()
    };
    let now = state.context.now;
    update(
        &mut state,
        now,
        Message::RunRead(dir("c"), Box::new(reading)),
    );
    press(&mut state, "1");
    let drawn = screen(&state);
    assert!(drawn.contains("2 errors in the log"), "{drawn}");
    press(&mut state, "4");
    press(&mut state, "h");
    press(&mut state, "h");
    insta::assert_snapshot!(screen(&state));
}

#[test]
fn what_was_read_of_a_run_that_is_no_longer_opened_is_dropped() {
    let (mut state, _) = opened(80, 24);
    press(&mut state, "\n");
    press(&mut state, "q");
    assert!(read(&mut state, "c", 120, true).is_empty());
    assert!(state.context.opened.is_none());
}

#[test]
fn the_preview_shows_the_first_run_at_once_and_follows_when_the_cursor_has_rested() {
    let (mut state, found) = opened(200, 50);
    assert_eq!(reads(&found), [&dir("c")]);
    assert!(reads(&press(&mut state, "j")).is_empty());
    let due = state.next_wake().unwrap();
    assert_eq!(due, start() + 250.milliseconds());
    let effects = update(&mut state, due, Message::Woke);
    assert_eq!(reads(&effects), [&dir("b")]);
    assert!(effects.contains(&Effect::Close(dir("c"))), "{effects:?}");
    assert!(!state.dirty, "the preview is drawn once, when it is read");
    read(&mut state, "b", 120, true);
    assert!(state.dirty);
    assert!(
        screen(&state).contains("val_acc 90.86%"),
        "{}",
        screen(&state)
    );
    // The screen of the same run needs no second reading.
    assert!(reads(&press(&mut state, "\n")).is_empty());
    assert!(screen(&state).contains("2 Epochs"));
}

#[test]
fn the_screen_is_complete_once_the_preview_is_read() {
    let (mut state, _) = opened(200, 50);
    assert!(!state.is_complete());
    read(&mut state, "c", 120, true);
    assert!(state.is_complete());
    // A small screen has no preview to wait for.
    assert!(opened(80, 24).0.is_complete());
}

#[test]
fn a_folder_that_may_become_a_run_is_watched_and_looked_at_again_once() {
    let (mut state, _) = opened(80, 24);
    let searched = |state: &mut State| {
        let message = Message::SearchEnded {
            dirs: ["a", "b", "c"].map(dir).to_vec(),
            fresh: [dir("d").path().to_owned()].into(),
            problems: Vec::new(),
        };
        let now = state.context.now;
        update(state, now, message)
    };
    let again = |effects: &[Effect]| {
        effects.iter().any(|effect| matches!(effect, Effect::WatchThen(folders, _) if folders.contains(dir("d").path())))
    };
    assert!(again(&searched(&mut state)));
    assert!(!again(&searched(&mut state)));
    let now = state.context.now;
    let effects = update(
        &mut state,
        now,
        Message::FolderChanged(dir("d").path().to_owned()),
    );
    assert!(effects.contains(&Effect::Discover), "{effects:?}");
}

#[test]
fn stopping_asks_first() {
    let (mut state, _) = opened(80, 24);
    press(&mut state, "\n");
    assert!(press(&mut state, "K").is_empty());
    assert!(!state.overlays.is_empty());
    assert!(press(&mut state, "y").contains(&Effect::Stop(dir("c"))));
}

#[test]
fn an_open_run_asks_for_no_waking() {
    let (mut state, _) = opened(200, 50);
    press(&mut state, "\n");
    assert_eq!(state.next_wake(), None);
}

#[test]
fn settings_of_charts_are_kept_made_on_the_pool_and_found_by_every_screen() {
    let mut state = opened(80, 24).0;
    press(&mut state, "\n");
    read(&mut state, "c", 60, true);
    let effects = press(&mut state, "s");
    let kept = |effects: &[Effect]| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::SaveCharts(_)))
    };
    let orders = |effects: Vec<Effect>| -> Vec<_> {
        let order = |effect| match effect {
            Effect::TransformCharts(order) => Some(order),
            _ => None,
        };
        effects.into_iter().filter_map(order).collect()
    };
    assert!(kept(&effects));
    let mut due = orders(effects);
    assert_eq!(due.len(), 1);
    // While it is being made nothing more is ordered; what has changed meanwhile is then due.
    assert!(orders(press(&mut state, "s")).is_empty());
    let now = state.context.now;
    let made = jobs::charts::carry_out(due.remove(0));
    let mut due = orders(update(&mut state, now, Message::ChartsTransformed(made)));
    assert_eq!(due.len(), 1);
    let made = jobs::charts::carry_out(due.remove(0));
    assert!(update(&mut state, now, Message::ChartsTransformed(made)).is_empty());
    assert!(screen(&state).contains("smooth 0.6"), "{}", screen(&state));
    // A new row is smoothed too; without smoothing nothing is made any more.
    assert_eq!(orders(read(&mut state, "c", 61, true)).len(), 1);
    press(&mut state, "S");
    assert!(orders(press(&mut state, "S")).is_empty());
}

#[test]
fn the_mouse_reads_out_zooms_and_scrolls() {
    let mut state = opened(80, 24).0;
    press(&mut state, "\n");
    read(&mut state, "c", 60, true);
    let mouse = |state: &mut State, kind: MouseEventKind, column: u16, row: u16| {
        let now = state.context.now;
        let event = MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        };
        update(state, now, Message::Mouse(event));
        match state.overlays.screen_as::<RunView>() {
            Some(view) => (view.cursor, view.zoom),
            None => panic!("another screen"),
        }
    };
    let left = MouseEventKind::Down(MouseButton::Left);
    let (cursor, _) = mouse(&mut state, left, 45, 6);
    let cursor = cursor.unwrap();
    assert!((20.0..50.0).contains(&cursor), "{cursor}");
    let (_, zoom) = mouse(&mut state, MouseEventKind::ScrollUp, 45, 6);
    let zoom = zoom.unwrap();
    assert!(zoom.contains(cursor) && zoom.max() - zoom.min() < 30.0);
    mouse(&mut state, left, 45, 6);
    let drag = MouseEventKind::Drag(MouseButton::Left);
    let (_, panned) = mouse(&mut state, drag, 35, 6);
    assert!(panned.unwrap().min() > zoom.min());
    mouse(&mut state, MouseEventKind::ScrollDown, 35, 6);
    let (_, whole) = mouse(&mut state, MouseEventKind::ScrollDown, 35, 6);
    assert_eq!(whole, None);
    assert!(view::uses_mouse(&state));
    press(&mut state, "?");
    assert!(!view::uses_mouse(&state));
}
