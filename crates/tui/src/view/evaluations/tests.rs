//! Evaluations on the screen at two sizes, and where keys lead.

use crate::state::State;
use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use ratatui::style::Modifier;

use super::super::run::tests::summary;
use super::super::test_driver::{drawn, press, screen};
use super::*;
use crate::graphics::Protocol;
use crate::jobs::evaluations::card::Running;
use crate::jobs::evaluations::{EvaluationOutcome, Known, fixtures};
use crate::message::Message;
use crate::theme::Depth;
use crate::update::update;
use crate::{jobs, view};
use traintop_run::found::{Found, Stamp};
use traintop_run::notes::Notes;
use traintop_run::state::State as RunState;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn known(run: &str, views: u32, wrong: usize) -> Known {
    Known {
        card: fixtures::opened(run, views, wrong).card,
        stamps: [Stamp::default(); 2],
    }
}

fn found(read: Vec<Known>, running: Vec<Running>) -> Message {
    let running_dirs = running.iter().map(|running| running.dir.path().to_owned());
    let watch = running_dirs
        .chain(["/nowhere/evaluations".into()])
        .collect();
    Message::Evaluation(EvaluationOutcome::Found {
        dirs: read.iter().map(|known| known.card.dir.clone()).collect(),
        read,
        running,
        trees: vec!["/nowhere".into()],
        watch,
    })
}

/// Two runs, `alpha` under the cursor with two evaluations, `beta` with one.
pub(in crate::view) fn state(columns: u16, rows: u16) -> State {
    let mut state = State::new(vec!["/nowhere/runs".into()], (columns, rows), now());
    let runs = ["alpha", "beta"].map(|name| {
        let mut summary = summary(RunState::Finished);
        summary.dir = RunDir::new(format!("/nowhere/runs/{name}"));
        summary.id = name.to_owned();
        (summary.name, summary.own_name) = (name.to_owned(), name.to_owned());
        summary.started_at = Some(now() - jiff::SignedDuration::from_hours(3));
        (Found::look(summary.dir.clone()), Some(summary))
    });
    let dirs = runs.iter().map(|(found, _)| found.dir.clone()).collect();
    update(&mut state, now(), Message::RunsFound(runs.to_vec()));
    let ended = Message::SearchEnded {
        dirs,
        fresh: HashSet::new(),
        problems: Vec::new(),
    };
    update(&mut state, now(), ended);
    let drawn = update(&mut state, now(), Message::FirstDrawn);
    assert!(matches!(
        drawn[..],
        [
            Effect::Evaluate(EvaluationJob::Find { .. }),
            Effect::ListRecipes,
            Effect::FindZone,
            Effect::Alert(_),
        ]
    ));
    let read = vec![
        known("alpha", 1, 5),
        known("alpha", 8, 20),
        known("beta", 1, 6),
    ];
    // The folders are watched from now on, and looked at once more for what came before that.
    let effects = update(&mut state, now(), found(read.clone(), Vec::new()));
    assert!(
        matches!(effects[..], [Effect::WatchThen(..)]),
        "{effects:?}"
    );
    assert_eq!(update(&mut state, now(), found(read, Vec::new())), []);
    state
}

/// The state with the evaluation under the list's cursor opened.
pub(in crate::view) fn opened_at(columns: u16, rows: u16) -> State {
    let mut state = state(columns, rows);
    press(&mut state, "E");
    assert!(matches!(
        press(&mut state, "\n")[..],
        [Effect::Evaluate(EvaluationJob::Open(_))]
    ));
    let opened = Box::new(Ok(fixtures::opened("alpha", 8, 5)));
    update(
        &mut state,
        now(),
        Message::Evaluation(EvaluationOutcome::Opened(opened)),
    );
    state
}

pub(in crate::view) fn compared_at(columns: u16, rows: u16) -> State {
    let mut state = state(columns, rows);
    press(&mut state, "E");
    assert!(matches!(
        press(&mut state, "c")[..],
        [Effect::Evaluate(EvaluationJob::Compare(_))]
    ));
    let compared = Box::new(Ok(fixtures::compared()));
    update(
        &mut state,
        now(),
        Message::Evaluation(EvaluationOutcome::Compared(compared)),
    );
    state
}

#[test]
fn the_runs_show_their_best_test_accuracy_and_sort_by_it() {
    let mut state = state(100, 24);
    let shown = screen(&state);
    assert!(
        shown.contains("TEST %") && shown.contains("95.00 ×8"),
        "{shown}"
    );
    press(&mut state, "sssssss");
    let at = |shown: &str, name: &str| shown.lines().position(|line| line.contains(name));
    let shown = screen(&state);
    assert!(at(&shown, "alpha") < at(&shown, "beta"), "{shown}");
}

#[test]
fn the_list_is_of_the_chosen_run_or_of_all() {
    let mut state = state(80, 24);
    press(&mut state, "E");
    insta::assert_snapshot!("list_80x24", screen(&state));
    press(&mut state, "a");
    assert!(screen(&state).contains("of all runs  3 evaluations"));
    state.context.size = (200, 50);
    insta::assert_snapshot!("list_200x50", screen(&state));
    press(&mut state, "\x1b");
    assert!(state.shows_table_alone());
}

#[test]
fn an_evaluation_under_way_is_seen_in_list_and_table() {
    let mut state = state(100, 24);
    let running = Running {
        dir: EvaluationDir::new("/nowhere/evaluations/.c.1-0.tmp"),
        name: "c".to_owned(),
        checkpoints: fixtures::made("alpha", 1, 5).0.checkpoints,
        checkpoint: "best".to_owned(),
        fraction: 0.45,
        images_per_s: 1234.0,
        is_abandoned: false,
    };
    let read = vec![known("alpha", 1, 5)];
    for _ in 0..2 {
        let outcome = found(read.clone(), vec![running.clone()]);
        update(&mut state, now(), outcome);
    }
    let shown = screen(&state);
    assert!(
        shown.contains("evaluating, 45 %") && shown.contains("▸ 45 %"),
        "{shown}"
    );
    press(&mut state, "E");
    let shown = screen(&state);
    assert!(shown.contains("45 %  1,234 images/s"), "{shown}");
    let running = state.context.evaluations.running.clone();
    update(
        &mut state,
        now(),
        found(vec![known("alpha", 1, 5)], running),
    );
    // Its folder is watched, and a change of it is only looked at.
    let changed = Message::FolderChanged("/nowhere/evaluations/.c.1-0.tmp".into());
    let effects = update(&mut state, now(), changed);
    assert!(
        matches!(effects[..], [Effect::Evaluate(EvaluationJob::Look(_))]),
        "{effects:?}"
    );
    // Once it is gone, there is something to be found.
    let looked = Message::Evaluation(EvaluationOutcome::Looked(Vec::new()));
    let effects = update(&mut state, now(), looked);
    assert!(matches!(
        effects[..],
        [Effect::Evaluate(EvaluationJob::Find { .. })]
    ));
}

#[test]
fn each_part_of_a_result_on_a_small_screen() {
    let mut state = opened_at(80, 24);
    let mut parts = Vec::new();
    for key in ["1", "2", "3", "4"] {
        press(&mut state, key);
        parts.push(screen(&state));
    }
    press(&mut state, "\n");
    parts.push(screen(&state));
    insta::assert_snapshot!(parts.join("\n\n"));
}

#[test]
fn a_large_screen_shows_the_whole_result() {
    insta::assert_snapshot!(screen(&opened_at(200, 50)));
}

#[test]
fn a_cell_of_the_matrix_opens_its_images_and_escape_goes_back() {
    let mut state = opened_at(80, 24);
    // It begins at the most frequent mistake.
    press(&mut state, "2");
    let shown = screen(&state);
    assert!(
        shown.contains("images of airplane are taken for bird"),
        "{shown}"
    );
    press(&mut state, "\n");
    let shown = screen(&state);
    assert!(
        shown.contains("airplane → bird 1-")
            && shown.contains("✗")
            && shown.contains("is airplane"),
        "{shown}"
    );
    press(&mut state, "\x1b");
    assert!(screen(&state).contains("are taken for"));
    press(&mut state, "\x1b");
    assert!(screen(&state).contains("evaluations  of alpha"));
}

#[test]
fn right_and_wrong_cells_differ_by_more_than_colour() {
    for depth in [Depth::True, Depth::Sixteen, Depth::None] {
        let mut state = opened_at(80, 24);
        state.context.theme = state.context.theme.fitted(depth);
        press(&mut state, "2G");
        let buf = drawn(&state);
        let row = (0..24).find(|y| {
            let row: String = (0..8).map(|x| buf[(x, *y)].symbol()).collect();
            row == "airplane"
        });
        let row = row.unwrap();
        let cells: Vec<_> = (0..80)
            .filter(|x| {
                buf[(*x, row)]
                    .symbol()
                    .chars()
                    .all(|char| char.is_ascii_digit())
            })
            .map(|x| (buf[(x, row)].bg, buf[(x, row)].fg, buf[(x, row)].modifier))
            .collect();
        // The first number is on the diagonal, with most of the row: a strong ground.
        let strong = cells[0];
        assert!(cells.iter().any(|cell| *cell != strong), "{depth:?}");
        if depth == Depth::None {
            assert!(strong.2.contains(Modifier::REVERSED));
        }
    }
}

#[test]
fn side_by_side_on_a_small_screen() {
    let mut state = compared_at(80, 24);
    let mut parts = Vec::new();
    for key in ["1", "2", "3"] {
        press(&mut state, key);
        parts.push(screen(&state));
    }
    insta::assert_snapshot!(parts.join("\n\n"));
}

#[test]
fn side_by_side_on_a_large_screen() {
    let mut state = compared_at(200, 50);
    insta::assert_snapshot!(screen(&state));
    // The one under the cursor becomes the one that the others are compared with.
    match &press(&mut state, "b")[..] {
        [Effect::Evaluate(EvaluationJob::Compare(dirs))] => assert!(dirs[0].name().ends_with("-8")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn different_images_are_warned_of() {
    let mut state = state(80, 24);
    press(&mut state, "E");
    press(&mut state, "c");
    let mut other = fixtures::opened("beta", 1, 9);
    other.card.sha256 = "77".repeat(32);
    let compared = Compared::of(vec![fixtures::opened("alpha", 1, 5), other]);
    let outcome = EvaluationOutcome::Compared(Box::new(Ok(compared)));
    update(&mut state, now(), Message::Evaluation(outcome));
    let shown = screen(&state);
    assert!(
        shown.contains("were asked about different images"),
        "{shown}"
    );
}

#[test]
fn terminal_graphics_get_blanks_and_the_pictures_beside() {
    let mut state = opened_at(80, 24);
    press(&mut state, "4");
    assert!(screen(&state).contains('▀'));
    assert_eq!(view::pictures(&state), Vec::new());
    state.context.pictures = Protocol::Kitty;
    assert!(!screen(&state).contains('▀'));
    let pictures = view::pictures(&state);
    assert_eq!(pictures.len(), 4);
    let buf = drawn(&state);
    for placed in &pictures {
        for position in placed.area.positions() {
            assert_eq!(buf[position].symbol(), " ");
        }
    }
    // What lies over the screen hides them.
    press(&mut state, "?");
    assert_eq!(view::pictures(&state), Vec::new());
}

#[test]
fn the_form_says_what_is_wrong_and_starts_what_was_chosen() {
    let mut state = state(80, 24);
    press(&mut state, "e");
    press(&mut state, "→");
    press(&mut state, "\t\t\t\t");
    insta::assert_snapshot!("form", screen(&state));
    let mut at_views = state;
    let up = KeyEvent::new(KeyCode::Up, KeyModifiers::NONE);
    update(&mut at_views, now(), Message::Key(up));
    press(&mut at_views, "x");
    assert!(screen(&at_views).contains("views must be a whole number from 1 to 1000"));
    assert_eq!(press(&mut at_views, "\n"), []);
    let back = KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE);
    update(&mut at_views, now(), Message::Key(back));
    press(&mut at_views, "6");
    let effects = press(&mut at_views, "\n");
    let started = effects.iter().find_map(|effect| match effect {
        Effect::Evaluate(EvaluationJob::Start(requests)) => Some(requests.clone()),
        _ => None,
    });
    let [request] = &started.unwrap()[..] else {
        panic!("one run, one evaluation");
    };
    assert_eq!(
        request.checkpoints,
        [std::path::PathBuf::from("/nowhere/runs/alpha")]
    );
    assert_eq!(
        (request.which.as_deref(), request.views),
        (Some("last"), Some(16))
    );
    // Its progress is where it is listed, and what comes out opens by itself.
    assert!(screen(&at_views).contains("evaluations  of alpha"));
    let dir = EvaluationDir::new("/nowhere/evaluations/new");
    let ended = Message::Evaluation(EvaluationOutcome::Ended(Ok(dir.clone()), 0));
    let effects = update(&mut at_views, now(), ended);
    assert!(
        effects.contains(&Effect::Evaluate(EvaluationJob::Open(dir))),
        "{effects:?}"
    );
}

#[test]
fn a_failed_evaluation_tells_the_workers_sentence() {
    let mut state = state(80, 24);
    let problem = "best.safetensors: holds 10 classes\u{1b}[2J, the data 100".to_owned();
    let ended = Message::Evaluation(EvaluationOutcome::Ended(Err(problem), 0));
    update(&mut state, now(), ended);
    let shown = screen(&state);
    let failure = "the evaluation failed: best.safetensors: holds 10 classes, the data 100";
    assert!(shown.contains(failure), "{shown}");
}

#[test]
fn evaluations_are_noted_and_renamed_as_runs_are() {
    use crate::jobs::edits::EditJob as Keep;
    use traintop_run::notes::Change;
    let mut state = state(80, 24);
    press(&mut state, "E");
    let again = vec![known("alpha", 1, 5), known("alpha", 8, 20)];
    update(&mut state, now(), found(again, Vec::new()));
    press(&mut state, "m");
    assert!(screen(&state).contains("Note of alpha, best"));
    press(&mut state, "good");
    let keep = KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL);
    let note = update(&mut state, now(), Message::Key(keep));
    let dir = RunDir::new("/nowhere/evaluations/alpha-1");
    let expected = Keep::Annotate(vec![dir.clone()], Change::Note("good".to_owned()));
    assert_eq!(note, [Effect::Edit(expected)]);
    let annotated = jobs::edits::EditOutcome::Annotated(vec![dir], None, None);
    let effects = update(&mut state, now(), Message::Edited(annotated));
    assert!(
        matches!(effects[..], [Effect::Evaluate(EvaluationJob::Find { .. })]),
        "{effects:?}"
    );
    let mut noted = Notes::default();
    noted.apply(&Change::Tags(vec!["paper".to_owned()]));
    let mut read = known("alpha", 1, 5);
    read.card.notes = noted;
    update(&mut state, now(), found(vec![read], Vec::new()));
    state.context.size = (140, 24);
    assert!(screen(&state).contains("paper"));
    let moved = [("alpha-1", "kept")].map(|(from, to)| {
        let dir = |name: &str| RunDir::new(format!("/nowhere/evaluations/{name}"));
        (dir(from), dir(to))
    });
    let outcome = jobs::edits::EditOutcome::Moved(moved.to_vec(), None);
    let effects = update(&mut state, now(), Message::Edited(outcome));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Summarise(_))),
        "{effects:?}"
    );
}

#[test]
fn leaving_asks_first_while_evaluations_wait_for_another() {
    let mut state = state(80, 24);
    state.context.evaluations.started = 1;
    assert!(press(&mut state, "q").contains(&Effect::Quit));
    state.context.evaluations.started = 3;
    assert!(!press(&mut state, "q").contains(&Effect::Quit));
    assert!(screen(&state).contains("2 more evaluations"));
    press(&mut state, "\x1b");
    assert!(state.overlays.is_empty());
    press(&mut state, "q");
    assert_eq!(press(&mut state, "y"), [Effect::Quit]);
}
