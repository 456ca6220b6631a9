//! The table of runs at two sizes, and what keys and changes do to its order, filter and cursor.

pub(in crate::view) mod marks;

use crate::effect::Effect;
use crate::state::State;
use std::collections::HashSet;
use std::time::Duration;
use traintop_run::RunDir;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::{Timestamp, ToSpan};

pub(super) use super::super::test_driver::{drawn, press};

use super::super::run::tests::{summary, text};
use super::*;
use crate::jobs;
use crate::jobs::edits::{EditJob, EditOutcome, Gathered, UndoEntry};
use crate::message::Message;
use crate::theme::Role;
use crate::update::update;
use crate::view::opened::Opened;
use traintop_run::best_and_trend::Best as BestValue;
use traintop_run::evaluation::{Best, RunKey};
use traintop_run::finding::Finding;
use traintop_run::found::Found;
use traintop_run::name_template::Value;
use traintop_run::notes::Change;
use traintop_run::state::State as RunState;
use traintop_run::summary::Summary;

pub(super) fn start() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(in crate::view) fn dir(name: &str) -> RunDir {
    RunDir::new(format!("/nowhere/runs/{name}"))
}

/// A run that is `hours` hours old.
pub(super) fn aged(name: &str, run: RunState, best: f64, hours: i64) -> (Found, Summary) {
    let mut summary = summary(run);
    summary.dir = dir(name);
    summary.id = format!("id of {name}");
    (summary.name, summary.own_name) = (name.to_owned(), name.to_owned());
    summary.best = Some(BestValue::of_accuracy(best, Some(97)));
    // Every column tells the runs apart, so that its order shows.
    summary.model = format!("net-{hours:02}");
    summary.epochs_done = 120_u32.saturating_sub(hours as u32);
    summary.duration = Some(Duration::from_secs(60 * hours.unsigned_abs()));
    let val_loss = if run == RunState::Failed {
        f64::NAN
    } else {
        hours as f64 / 10.0
    };
    summary.last = vec![
        ("train_loss".to_owned(), hours as f64 / 20.0),
        ("val_loss".to_owned(), val_loss),
        ("learning_rate".to_owned(), hours as f64 * 1e-5),
    ];
    summary.trend = (0..64_u8).map(f32::from).collect();
    summary.notes.tags = vec![format!("t{hours:02}")];
    summary.notes.star = hours == 3;
    summary.started_at = Some(start() - hours.hours());
    summary.size_bytes = Some(22_600_000 * hours.unsigned_abs());
    (Found::look(dir(name)), summary)
}

/// Gives each run an evaluation of the test images.
fn give_evaluations(state: &mut State) {
    for row in state.context.runs.rows.values_mut() {
        let summary = row.summary.as_mut().unwrap();
        let accuracy = summary.best_val_acc().unwrap_or_default() - 0.5;
        summary.evaluated = Some(Best {
            path: "/nowhere/evaluations/one".into(),
            split: "test".to_owned(),
            accuracy,
            low: accuracy - 1.0,
            high: accuracy + 1.0,
            views: 8,
        });
    }
}

/// All runs of a small table, newest first: `lively`, `broken`, `proud`, `ancient`.
pub(in crate::view) fn listed(columns: u16, rows: u16) -> State {
    let mut state = State::new(vec!["/nowhere/runs".into()], (columns, rows), start());
    let runs = [
        aged("lively", RunState::Running, 71.5, 1),
        aged("broken", RunState::Failed, 10.0, 2),
        aged("proud", RunState::Finished, 94.56, 3),
        aged("ancient", RunState::Stopped, 88.25, 90),
    ];
    let dirs = runs.iter().map(|(found, _)| found.dir.clone()).collect();
    let found = runs.map(|(found, summary)| (found, Some(summary)));
    update(&mut state, start(), Message::RunsFound(found.to_vec()));
    let problems = Vec::new();
    update(
        &mut state,
        start(),
        Message::SearchEnded {
            dirs,
            problems,
            fresh: HashSet::new(),
        },
    );
    state
}

#[test]
fn a_run_that_is_read_after_its_evaluation_was_found_shows_that_too() {
    let (found, summary) = aged("lively", RunState::Finished, 71.5, 1);
    let mut state = State::new(vec!["/nowhere/runs".into()], (80, 24), start());
    let best = Best {
        path: "/nowhere/evaluations/one".into(),
        split: "test".to_owned(),
        accuracy: 70.25,
        low: 69.0,
        high: 71.0,
        views: 1,
    };
    let evaluations = &mut state.context.evaluations;
    evaluations.best.add(&RunKey::Id(summary.id.clone()), &best);
    evaluations.is_found = true;
    update(
        &mut state,
        start(),
        Message::RunsFound(vec![(found.clone(), None)]),
    );
    update(
        &mut state,
        start(),
        Message::Summarised(vec![(found, summary)]),
    );
    assert!(
        text(&drawn(&state)).contains("70.25"),
        "{}",
        text(&drawn(&state))
    );
}

pub(super) fn control(state: &mut State, key: char) -> Vec<Effect> {
    let event = KeyEvent::new(KeyCode::Char(key), KeyModifiers::CONTROL);
    update(state, start(), Message::Key(event))
}

pub(super) fn order(state: &State) -> Vec<String> {
    state.context.runs.order.iter().map(RunDir::name).collect()
}

fn selected(state: &State) -> String {
    state.context.runs.selected().unwrap().found.dir.name()
}

#[test]
fn small_screen_keeps_names_and_what_matters() {
    let mut state = listed(80, 24);
    let whole = text(&drawn(&state));
    press(&mut state, "/e o");
    insta::assert_snapshot!(format!(
        "{whole}\nwhile `e o` is typed:\n{}",
        text(&drawn(&state))
    ));
}

#[test]
fn large_screen_shows_every_column() {
    let mut state = listed(200, 50);
    give_evaluations(&mut state);
    insta::assert_snapshot!(text(&drawn(&state)));
}

#[test]
fn a_run_that_comes_while_the_roots_are_searched_stays_with_the_cursor_on_it() {
    let mut state = listed(80, 24);
    let ended = || Message::SearchEnded {
        dirs: ["lively", "broken", "proud", "ancient"].map(dir).into(),
        problems: Vec::new(),
        fresh: HashSet::new(),
    };
    update(&mut state, start(), Message::SearchBegan);
    update(&mut state, start(), Message::Launched(Ok(dir("new"))));
    let new = aged("new", RunState::Queued, 0.0, 30);
    update(&mut state, start(), Message::Summarised(vec![new]));
    assert_eq!(selected(&state), "new");
    // The search listed the folder before the run was made in it.
    update(&mut state, start(), ended());
    assert_eq!(selected(&state), "new");
    // The next one would have seen it.
    update(&mut state, start(), Message::SearchBegan);
    update(&mut state, start(), ended());
    assert_eq!(order(&state), ["lively", "broken", "proud", "ancient"]);
}

#[test]
fn empty_table_tells_what_to_do_and_what_could_not_be_searched() {
    let mut state = State::new(vec!["/nowhere/runs".into()], (80, 24), start());
    let searching = text(&drawn(&state));
    let ended = Message::SearchEnded {
        dirs: Vec::new(),
        problems: vec!["/nowhere/runs: cannot be searched for runs".to_owned()],
        fresh: HashSet::new(),
    };
    update(&mut state, start(), ended);
    insta::assert_snapshot!(format!("{searching}\nsearched:\n{}", text(&drawn(&state))));
}

#[test]
fn a_state_has_its_colour_and_the_cursor_row_another_ground() {
    let mut state = listed(80, 24);
    press(&mut state, "j");
    let buf = drawn(&state);
    let row = (0..24)
        .find(|y| buf[(0, *y)].symbol() == "▌")
        .expect("a row is marked");
    let colour = |role| state.context.theme.style(role).fg;
    assert_eq!(Some(buf[(2, row - 1)].fg), colour(Role::StateRunning));
    let ground = state.context.theme.style(Role::Selection).bg;
    let is_marked = |x: u16| Some(buf[(x, row)].bg) == ground;
    assert!((2..80).all(is_marked) && !is_marked(0));
}

#[test]
fn every_column_sorts_both_ways_and_the_cursor_stays_on_its_run() {
    let mut state = listed(200, 50);
    give_evaluations(&mut state);
    assert_eq!(order(&state), ["lively", "broken", "proud", "ancient"]);
    press(&mut state, "j");
    for _ in state.context.runs.shown_columns() {
        let forth = order(&state);
        press(&mut state, "R");
        let back = order(&state);
        assert_ne!(forth, back, "{:?}", state.context.runs.sort);
        assert_eq!(selected(&state), "broken");
        press(&mut state, "Rs");
    }
    assert_eq!(order(&state), ["lively", "broken", "proud", "ancient"]);
}

#[test]
fn filter_holds_every_word_and_esc_drops_it() {
    let mut state = listed(80, 24);
    press(&mut state, "/FINI pro");
    assert_eq!(order(&state), ["proud"]);
    // While it is typed, letters are no commands.
    assert!(!press(&mut state, "q").contains(&Effect::Quit));
    assert!(order(&state).is_empty());
    press(&mut state, "\x1b");
    assert_eq!(order(&state).len(), 4);
    press(&mut state, "/stopped\n");
    assert_eq!(order(&state), ["ancient"]);
    press(&mut state, "\x1b");
    assert_eq!(order(&state).len(), 4);
}

#[test]
fn tags_notes_and_stars_are_changed_by_keys_and_found_by_the_filter() {
    let mut state = listed(120, 24);
    let change = |change| vec![Effect::Edit(EditJob::Annotate(vec![dir("lively")], change))];
    assert_eq!(press(&mut state, "*"), change(Change::Star(true)));
    press(&mut state, "T paper #one");
    insta::assert_snapshot!(text(&drawn(&state)));
    let tags = ["t01", "paper", "one"].map(str::to_owned).to_vec();
    assert_eq!(press(&mut state, "\n"), change(Change::Tags(tags)));
    press(&mut state, &format!("T {}", "x".repeat(70)));
    assert!(text(&drawn(&state)).contains("at most 64 characters"));
    assert!(press(&mut state, "\n").is_empty() && !state.overlays.is_empty());
    press(&mut state, "\x1bmseed 3\n");
    let pasted = Message::Pasted("diverged\r\nat epoch 40".to_owned());
    update(&mut state, start(), pasted);
    insta::assert_snapshot!("the_note_is_written_in_an_editor", text(&drawn(&state)));
    // One Esc asks, since something was typed.
    press(&mut state, "\x1b");
    assert!(text(&drawn(&state)).contains("Esc discard"));
    let note = "seed 3\ndiverged\nat epoch 40".to_owned();
    assert_eq!(control(&mut state, 's'), change(Change::Note(note)));
    assert!(state.overlays.is_empty());
    assert_eq!(press(&mut state, "b"), change(Change::Baseline(true)));
    press(&mut state, "/starred\n");
    assert_eq!(order(&state), ["proud"]);
    press(&mut state, "\x1b/t02\n");
    assert_eq!(order(&state), ["broken"]);
}

#[test]
fn rename_tells_what_is_wrong_as_one_types_and_can_be_taken_back() {
    let mut state = listed(100, 24);
    press(&mut state, "r");
    assert!(text(&drawn(&state)).contains("it is running, and its worker writes by its path"));
    assert!(press(&mut state, "\n").is_empty());
    press(&mut state, "\x1bjjr/");
    insta::assert_snapshot!(text(&drawn(&state)));
    update(
        &mut state,
        start(),
        Message::Key(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)),
    );
    let order = EditJob::Rename(dir("proud"), "proud2".to_owned());
    assert_eq!(press(&mut state, "2\n"), [Effect::Edit(order)]);
    let undo_entry = UndoEntry::Renamed(Vec::new());
    let moved = vec![(dir("proud"), dir("proud2"))];
    let outcome = EditOutcome::Moved(moved, Some(undo_entry.clone()));
    let effects = update(&mut state, start(), Message::Edited(outcome));
    assert!(effects.contains(&Effect::Summarise(vec![dir("proud2")])));
    assert!(state.context.runs.row(&dir("proud")).is_none());
    let undo = press(&mut state, "u");
    assert!(undo.contains(&Effect::Edit(EditJob::Undo(undo_entry))));
    // What was removed before this session can be restored too.
    let undo = press(&mut state, "u");
    assert_eq!(undo, [Effect::Clean(jobs::cleanup::CleanupJob::FindLatest)]);
}

#[test]
fn cursor_stays_on_its_run_when_others_come_and_go() {
    let mut state = listed(80, 24);
    press(&mut state, "jj");
    assert_eq!(selected(&state), "proud");
    let (found, summary) = aged("newest", RunState::Finished, 50.0, 0);
    let message = Message::RunsFound(vec![(found, Some(summary))]);
    update(&mut state, start(), message);
    assert_eq!(order(&state)[0], "newest");
    assert_eq!(selected(&state), "proud");
    update(&mut state, start(), Message::RunGone(dir("proud")));
    assert_eq!(selected(&state), "ancient");
}

#[test]
fn stop_asks_first_and_a_run_that_has_ended_is_not_stopped() {
    let mut state = listed(80, 24);
    assert!(!press(&mut state, "K").contains(&Effect::Stop(dir("lively"))));
    assert!(text(&drawn(&state)).contains("Stop this run?"));
    assert!(press(&mut state, "y").contains(&Effect::Stop(dir("lively"))));
    press(&mut state, "jK");
    assert!(state.overlays.is_empty());
    let notice = state.context.notice.as_ref().unwrap();
    assert!(notice.bad && notice.text.contains("broken"), "{notice:?}");
}

#[test]
fn a_move_beyond_the_edge_scrolls_half_a_screen_and_the_next_ones_none() {
    let mut state = listed(80, 13);
    let many = (0..40).map(|number| {
        aged(
            &format!("run-{number:02}"),
            RunState::Stopped,
            50.0,
            100 + number,
        )
    });
    let many = many
        .map(|(found, summary)| (found, Some(summary)))
        .collect();
    update(&mut state, start(), Message::RunsFound(many));
    let height = usize::from(table_height(state.context.size));
    let first = |state: &State| {
        let row = state.context.runs.on_screen(1).next().unwrap();
        state
            .context
            .runs
            .order
            .iter()
            .position(|dir| row.found.dir == *dir)
    };
    press(&mut state, &"j".repeat(height - 1));
    assert_eq!(first(&state), Some(0));
    press(&mut state, "j");
    let half = height - height / 2;
    assert_eq!(first(&state), Some(half));
    press(&mut state, &"j".repeat(half - 1));
    assert_eq!(first(&state), Some(half));
    press(&mut state, "G");
    assert_eq!(first(&state), Some(44 - height));
    press(&mut state, "g");
    assert_eq!(first(&state), Some(0));
}

#[test]
fn ages_wake_the_loop_together_and_only_when_they_read_differently() {
    let state = listed(80, 24);
    // Whole hours at the start: the next to change is an hour away.
    let wake = state.next_wake().unwrap();
    assert!(
        wake > start() + 59.minutes() && wake <= start() + 61.minutes(),
        "{wake}"
    );
    assert_eq!(wake.as_second() % 60, 0, "{wake}");
}

#[test]
fn a_run_with_odd_numbers_is_marked_and_its_reason_stands_in_the_preview() {
    let mut state = listed(80, 50);
    let odd = "epoch 7 is missing";
    for row in state.context.runs.rows.values_mut() {
        let summary = row.summary.as_mut().unwrap();
        let findings = (summary.name == "proud").then(|| Finding::new("missing_epochs", odd));
        summary.findings = Some(findings.into_iter().collect());
    }
    let screen = text(&drawn(&state));
    assert!(
        screen.contains("! ★ proud") && !screen.contains("! lively"),
        "{screen}"
    );
    press(&mut state, "jj");
    state.context.opened = Some(Opened::new(dir("proud")).0);
    let screen = text(&drawn(&state));
    assert!(screen.contains("! epoch 7 is missing"), "{screen}");
}
