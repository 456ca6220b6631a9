//! A comparison at two sizes, and what keys do to it.

use crate::state::State;
use std::collections::HashSet;

use jiff::Timestamp;

use super::super::test_driver::{press, screen};
use super::*;
use crate::jobs::compare::analysis::analyse;
use crate::jobs::edits::EditOutcome;
use crate::message::Message;
use crate::update::{self, update};
use crate::view::run::RunView;
use traintop_analysis::compare::fixtures::configured;
use traintop_run::found::{Found, Stamp};
use traintop_run::log_line::Kind;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// A run of 40 epochs that ends at about `best`, wobbling by its seed.
fn run(name: &str, learning_rate: &str, augment: &str, seed: u32, best: f64) -> ComparedRun {
    let accuracy: Vec<f64> = (1..=40)
        .map(|epoch| {
            let learnt = 1.0 - (-0.15 * f64::from(epoch)).exp();
            let wobble = (f64::from((epoch * 7 + seed * 13) % 11) - 5.0) / 20.0;
            10.0 + (best - 10.0) * learnt + wobble
        })
        .collect();
    let losses: Vec<f64> = accuracy.iter().map(|value| 2.5 - value / 50.0).collect();
    let seed = seed.to_string();
    let config = [
        ("learning_rate", learning_rate),
        ("augment", augment),
        ("model_name", "resnet_se"),
        ("seed", &seed),
        ("experiment_name", name),
    ];
    let mut run = configured(name, &config, &accuracy);
    let mut losses_column = run.metrics.columns[1].clone();
    losses_column.name = "val_loss".to_owned();
    losses_column.y = losses;
    run.metrics.columns.push(losses_column);
    run.summary.notes.baseline = name == "plain-1";
    run
}

fn runs() -> Vec<ComparedRun> {
    vec![
        run("plain-1", "0.05", "none", 1, 92.0),
        run("plain-2", "0.05", "none", 2, 92.3),
        run("plain-3", "0.05", "none", 3, 91.8),
        run("faster", "0.1", "none", 1, 92.5),
        run("fastest", "0.2", "none", 1, 93.0),
        run("randaugment", "0.1", "randaugment", 1, 94.5),
        run("cutmix", "0.1", "cutmix", 1, 94.1),
        run(
            "both and a name that is too long for any column",
            "0.2",
            "cutmix",
            4,
            95.2,
        ),
    ]
}

/// The table of all these runs, the first under the cursor.
fn listed(columns: u16, rows: u16, runs: &[ComparedRun]) -> State {
    let mut state = State::new(vec!["/runs".into()], (columns, rows), now());
    let found = runs.iter().map(|run| {
        let found = Found {
            located: None,
            seen_changing: None,
            dir: run.dir().clone(),
            stamps: [Stamp::default(); 5],
            modified: std::time::SystemTime::UNIX_EPOCH,
        };
        (found, Some(run.summary.clone()))
    });
    update(&mut state, now(), Message::RunsFound(found.collect()));
    let ended = Message::SearchEnded {
        dirs: runs.iter().map(|run| run.dir().clone()).collect(),
        problems: Vec::new(),
        fresh: HashSet::new(),
    };
    update(&mut state, now(), ended);
    state
}

/// Carries orders out as the pool does, without a disk; returns the last job.
pub(in crate::view) fn settle(
    state: &mut State,
    runs: &[ComparedRun],
    effects: Vec<Effect>,
) -> Option<Job> {
    let mut last = None;
    let mut due = effects;
    while let Some(effect) = due.pop() {
        let Effect::Compare(order) = effect else {
            continue;
        };
        let outcomes = match order {
            CompareJob::Read {
                opened, runs: read, ..
            } => {
                let read = read.into_iter().map(|(place, dir)| {
                    let run = runs.iter().find(|run| *run.dir() == dir).unwrap();
                    (place, Arc::new(run.clone()))
                });
                let read = CompareOutcome::Read(opened, read.collect());
                vec![
                    read,
                    CompareOutcome::AllRead(opened),
                    CompareOutcome::Taught(opened, Vec::new()),
                ]
            }
            CompareJob::Analyse(opened, job) => {
                let analysed = CompareOutcome::Analysed(opened, Box::new(analyse(&job)));
                last = Some(*job);
                vec![analysed]
            }
            CompareJob::Logs(opened, dirs) => {
                let lines = |dir: &RunDir| {
                    let name = dir.name();
                    (1..=40)
                        .map(|epoch| log_line::Line {
                            text: format!(
                                "[2026-11-24 10:{epoch:02}:00] {name}: epoch {epoch} done"
                            ),
                            kind: Kind::Plain,
                        })
                        .collect()
                };
                let logs = dirs.iter().map(|dir| (dir.clone(), lines(dir)));
                vec![CompareOutcome::Logs(opened, logs.collect())]
            }
        };
        for outcome in outcomes {
            due.extend(update(state, now(), Message::Compared(outcome)));
        }
    }
    last
}

pub(in crate::view) fn compared(columns: u16, rows: u16) -> (State, Vec<ComparedRun>) {
    let runs = runs();
    let mut state = listed(columns, rows, &runs);
    let effects = press(&mut state, "Ac");
    settle(&mut state, &runs, effects);
    (state, runs)
}

#[test]
fn every_part_is_readable_on_a_small_and_on_a_large_screen() {
    for (columns, rows, size) in [(80, 24, "small"), (200, 50, "large")] {
        let (mut state, runs) = compared(columns, rows);
        for (part, name) in (1..).zip(["curves", "table", "configs", "logs", "settings"]) {
            let effects = press(&mut state, &part.to_string());
            settle(&mut state, &runs, effects);
            insta::assert_snapshot!(format!("{name}_{size}"), screen(&state));
        }
    }
}

#[test]
fn curves_are_read_out_one_by_one_and_zoomed() {
    let (mut state, runs) = compared(80, 24);
    let effects = press(&mut state, "fjjhhh++");
    let job = settle(&mut state, &runs, effects).unwrap();
    let zoom = job.wish.zoom.unwrap();
    assert!(
        zoom.contains(37.0) && zoom.max() - zoom.min() < 10.0,
        "{zoom:?}"
    );
    insta::assert_snapshot!("curves_closer", screen(&state));
    let effects = press(&mut state, "0");
    assert_eq!(settle(&mut state, &runs, effects).unwrap().wish.zoom, None);
}

#[test]
fn without_marks_a_run_is_compared_with_the_baseline_and_without_one_with_nothing() {
    let mut runs = runs();
    let mut state = listed(80, 24, &runs);
    let under_cursor = state.context.runs.chosen();
    let effects = press(&mut state, "c");
    settle(&mut state, &runs, effects);
    let Some(view) = state.overlays.screen_as::<CompareView>() else {
        panic!("{}", screen(&state));
    };
    assert_eq!(view.dirs.len(), 2, "{:?} with {under_cursor:?}", view.dirs);
    assert_eq!(view.dirs[0].name(), "plain-1");
    press(&mut state, "\x1b");
    assert!(state.shows_table_alone());
    runs[0].summary.notes.baseline = false;
    let mut state = listed(80, 24, &runs);
    assert_eq!(press(&mut state, "c"), []);
    assert!(screen(&state).contains("mark runs with Space, or make one a baseline with b"));
}

#[test]
fn keys_ask_another_question() {
    let (mut state, runs) = compared(120, 30);
    let asked = |state: &mut State, keys: &str| {
        let effects = press(state, keys);
        settle(state, &runs, effects).unwrap().wish
    };
    assert_eq!(asked(&mut state, "m").metric.as_deref(), Some("val_loss"));
    assert_eq!(asked(&mut state, "M").metric.as_deref(), Some("val_acc"));
    assert_eq!(
        asked(&mut state, "xx").along,
        traintop_analysis::compare::CompareAxis::Elapsed
    );
    assert!(!asked(&mut state, "f").folded);
    // In the order of the table: the marked baseline came first.
    let baseline = asked(&mut state, "jjb").baseline;
    assert_eq!(baseline, 2);
    assert_eq!(asked(&mut state, "e20\n").at_epoch, Some(20.0));
    assert_eq!(asked(&mut state, "T90.5\n").threshold, Some(90.5));
    assert!(screen(&state).contains("TO 90.50"), "{}", screen(&state));
    assert_eq!(press(&mut state, "eabc\n"), []);
    assert!(
        screen(&state).contains("\"20abc\" is no number"),
        "{}",
        screen(&state)
    );
    press(&mut state, "\x1b");
    assert_eq!(crate::view::scope(&state), crate::command::Scope::Compare);
}

#[test]
fn sorting_goes_through_the_columns_and_back_to_the_order_of_the_runs() {
    let (mut state, _) = compared(200, 50);
    let order = |state: &State| match state.overlays.screen_as::<CompareView>() {
        Some(view) => view.order(),
        None => panic!("left"),
    };
    let plain = order(&state);
    press(&mut state, "2>>");
    let best = order(&state);
    assert_ne!(best, plain);
    press(&mut state, "R");
    assert_eq!(order(&state), best.into_iter().rev().collect::<Vec<_>>());
    press(&mut state, "<<");
    assert_eq!(order(&state), plain);
}

#[test]
fn work_does_not_pile_up_and_a_run_that_grew_is_read_again() {
    let (mut state, runs) = compared(80, 24);
    let is_job = |effect: &&Effect| matches!(effect, Effect::Compare(CompareJob::Analyse(..)));
    let effects = press(&mut state, "fdxm");
    assert_eq!(effects.iter().filter(is_job).count(), 1);
    let Some(last) = settle(&mut state, &runs, effects) else {
        panic!("nothing was worked out");
    };
    assert_eq!(last.wish.metric.as_deref(), Some("val_loss"));
    let effects = update::discovery::changed(&mut state, runs[3].dir());
    assert!(settle(&mut state, &runs, effects).is_some());
    // Outcomes for a comparison that was left change nothing.
    let before = screen(&state);
    let old = CompareOutcome::Read(Timestamp::UNIX_EPOCH, vec![(0, Arc::new(runs[1].clone()))]);
    assert_eq!(update(&mut state, now(), Message::Compared(old)), []);
    assert_eq!(screen(&state), before);
}

#[test]
fn of_very_many_runs_those_in_sight_are_drawn_between_the_edges_of_all() {
    let runs: Vec<ComparedRun> = (0..300)
        .map(|number| {
            run(
                &format!("run-{number:03}"),
                &format!("0.{number:03}"),
                "none",
                1,
                90.0,
            )
        })
        .collect();
    let mut state = listed(120, 30, &runs);
    let effects = press(&mut state, "Ac");
    settle(&mut state, &runs, effects);
    let shown = screen(&state);
    assert!(
        shown.contains("of 300 curves; dotted: least and most of all"),
        "{shown}"
    );
    assert!(shown.contains("run-000"), "{shown}");
    press(&mut state, "G");
    let Some(view) = state.overlays.screen_as::<CompareView>() else {
        panic!("left");
    };
    assert_eq!(view.row, 299);
}

#[test]
fn a_run_is_opened_out_of_a_comparison_and_the_way_back_leads_to_it() {
    let (mut state, runs) = compared(120, 30);
    press(&mut state, "fj");
    let effects = press(&mut state, "\n");
    let Some(view) = state.overlays.screen_as::<RunView>() else {
        panic!("{}", screen(&state));
    };
    let dir = view.dir.clone();
    assert!(runs.iter().any(|run| *run.dir() == dir));
    assert!(effects.contains(&Effect::Read(dir.clone())), "{effects:?}");
    // What happens to it meanwhile is not missed.
    let reads = crate::update::compare::changed(&mut state, &dir);
    assert!(matches!(
        reads,
        Some(Effect::Compare(CompareJob::Read { .. }))
    ));
    press(&mut state, "\x1b");
    assert!(state.overlays.screen_as::<CompareView>().is_some());
    press(&mut state, "\x1b");
    assert!(state.shows_table_alone());
}

#[test]
fn a_comparison_follows_what_changes_on_the_run_over_it() {
    let (mut state, runs) = compared(120, 30);
    let effects = press(&mut state, "fj");
    settle(&mut state, &runs, effects);
    press(&mut state, "\n");
    let analyses = |effect: &Effect| matches!(effect, Effect::Compare(CompareJob::Analyse(..)));
    assert!(press(&mut state, "s").iter().any(analyses));
    let from = state.run_on_screen().unwrap().clone();
    let to = RunDir::new("/elsewhere/renamed");
    let moved = EditOutcome::Moved(vec![(from.clone(), to.clone())], None);
    let now = state.context.now;
    let effects = update(&mut state, now, Message::Edited(moved));
    // On its own screen it is read anew, too.
    assert!(effects.contains(&Effect::Read(to.clone())), "{effects:?}");
    let is_read = |effect: &Effect| match effect {
        Effect::Compare(CompareJob::Read { runs, .. }) => runs.iter().any(|(_, dir)| *dir == to),
        _ => false,
    };
    assert!(effects.iter().any(is_read), "{effects:?}");
    let view = state.overlays.find::<CompareView>().unwrap();
    assert!(view.dirs.contains(&to) && !view.dirs.contains(&from));
}

#[test]
fn curves_are_smoothed_over_what_was_measured_and_outliers_left_out() {
    let (mut state, runs) = compared(80, 24);
    let effects = press(&mut state, "fssw");
    let job = settle(&mut state, &runs, effects).unwrap();
    assert_eq!((job.wish.smoothing, job.wish.robust), (0.6, true));
    let Some(view) = state.overlays.screen_as::<CompareView>() else {
        panic!("left");
    };
    let chart = &view.analysis.as_ref().unwrap().charts[0];
    let line = &chart.curves[0].line;
    let (smooth, _) = line.smooth.as_ref().unwrap();
    let plain = traintop_analysis::smooth::exponential(&line.column.y, 0.6);
    assert_eq!(*smooth, plain);
    assert!(line.robust.is_some());
    insta::assert_snapshot!("curves_smoothed", screen(&state));
    // Another comparison begins with what was set, and the file of settings has it.
    let kept = press(&mut state, "SS");
    assert!(matches!(
        kept.last(),
        Some(Effect::SaveCharts(_) | Effect::Compare(_))
    ));
    assert_eq!(settle(&mut state, &runs, kept).unwrap().wish.smoothing, 0.0);
}

#[test]
fn thinned_curves_are_smoothed_with_all_their_points() {
    let many: Vec<f64> = (0..20_000).map(|at| f64::from(at % 100)).collect();
    let runs = [
        configured("long", &[], &many),
        configured("again", &[], &many),
    ];
    let mut state = listed(80, 24, &runs);
    let effects = press(&mut state, "Acfsssss");
    settle(&mut state, &runs, effects);
    let Some(view) = state.overlays.screen_as::<CompareView>() else {
        panic!("left");
    };
    let line = &view.analysis.as_ref().unwrap().charts[0].curves[0].line;
    assert!(line.column.x.len() <= 2000);
    let all = traintop_analysis::smooth::exponential(&many, 0.95);
    let (smooth, _) = line.smooth.as_ref().unwrap();
    for (x, smooth) in line.column.x.iter().zip(smooth) {
        assert_eq!(*smooth, all[*x as usize - 1]);
    }
}

#[test]
fn the_mouse_reads_out_zooms_pans_and_chooses() {
    use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    let (mut state, runs) = compared(80, 24);
    assert!(crate::view::uses_mouse(&state));
    let mouse = |state: &mut State, kind: MouseEventKind, column: u16, row: u16| {
        let event = MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        };
        let effects = update(state, now(), Message::Mouse(event));
        settle(state, &runs, effects);
        match state.overlays.screen_as::<CompareView>() {
            Some(view) => (view.cursor, view.wish.zoom, view.row, view.part),
            None => panic!("left"),
        }
    };
    let left = MouseEventKind::Down(MouseButton::Left);
    let (cursor, ..) = mouse(&mut state, left, 45, 8);
    let cursor = cursor.unwrap();
    assert!((15.0..30.0).contains(&cursor), "{cursor}");
    let (_, zoom, ..) = mouse(&mut state, MouseEventKind::ScrollUp, 45, 8);
    let zoom = zoom.unwrap();
    assert!(
        zoom.contains(cursor) && zoom.max() - zoom.min() < 20.0,
        "{zoom:?}"
    );
    mouse(&mut state, left, 45, 8);
    let drag = MouseEventKind::Drag(MouseButton::Left);
    let (_, panned, ..) = mouse(&mut state, drag, 35, 8);
    assert!(panned.unwrap().min() > zoom.min());
    mouse(&mut state, MouseEventKind::ScrollDown, 35, 8);
    let (_, whole, ..) = mouse(&mut state, MouseEventKind::ScrollDown, 35, 8);
    assert_eq!(whole, None);
    // The last row of the table, and the second tab.
    let (_, _, row, _) = mouse(&mut state, left, 20, 22);
    assert_ne!(row, 0);
    let (.., part) = mouse(&mut state, left, 14, 1);
    assert_eq!(part, Part::Table);
}
