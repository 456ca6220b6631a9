//! Waiting runs in the table: their list, their order, and the questions before they are stopped.

use super::super::test_driver::{press, screen};
use super::tests::{aged, dir, listed, start};
use crate::effect::Effect;
use crate::jobs;
use crate::message::Message;
use crate::state::State;
use crate::update::update;
use traintop_launch::queue::Place;
use traintop_run::RunDir;
use traintop_run::state::State as RunState;

/// Three runs that wait, and those of [`listed`].
pub(in crate::view) fn queued(columns: u16, rows: u16) -> State {
    let mut state = listed(columns, rows);
    let runs = ["third", "first", "second"].into_iter().zip([30, 10, 20]);
    let runs = runs.map(|(name, position)| {
        let (found, mut summary) = aged(name, RunState::Queued, 0.0, 1);
        summary.queue_position = Some(position);
        summary.sweep = Some("quick 11-24 12:00:00".to_owned());
        summary.best = None;
        summary.epochs_done = 0;
        summary.observed.reason = Some("the only slot is taken".to_owned());
        (found, Some(summary))
    });
    update(&mut state, start(), Message::RunsFound(runs.collect()));
    state
}

#[test]
fn the_queue_is_listed_in_its_order_and_changed_by_keys() {
    let mut state = queued(80, 24);
    press(&mut state, "w");
    let small = screen(&state);
    let put = |name: &str, place| Effect::Steer(jobs::steering::SteeringJob::Put(dir(name), place));
    assert_eq!(press(&mut state, ">"), [put("first", Place::Later)]);
    assert_eq!(press(&mut state, "j<"), [put("second", Place::Earlier)]);
    assert_eq!(press(&mut state, "G{"), [put("third", Place::First)]);
    assert_eq!(press(&mut state, "K"), [Effect::Stop(dir("third"))]);
    press(&mut state, "\x1b");
    assert!(state.overlays.is_empty());
    let mut state = queued(200, 50);
    press(&mut state, "w");
    insta::assert_snapshot!(format!("{small}\n=====\n{}", screen(&state)));
}

#[test]
fn without_waiting_runs_there_is_no_list() {
    let mut state = listed(80, 24);
    press(&mut state, "w");
    assert!(state.overlays.is_empty() && state.context.notice.is_some());
}

#[test]
fn the_question_before_a_stop_says_what_will_happen() {
    let mut state = queued(80, 24);
    press(&mut state, "AK");
    let text = screen(&state);
    assert!(
        text.contains("Stop 4 runs?") && text.contains("3 will be taken out of the"),
        "{text}"
    );
    let effects = press(&mut state, "y");
    let stopped = effects.iter().find_map(|effect| match effect {
        Effect::StopAll(dirs) => Some(dirs.clone()),
        _ => None,
    });
    // What waits first: a slot that becomes free is not for it.
    assert_eq!(stopped.unwrap().last(), Some(&dir("lively")));
}

#[test]
fn a_run_that_is_stopping_is_ended_at_once_after_another_question() {
    let mut state = listed(80, 24);
    let (found, summary) = aged("lively", RunState::Stopping, 71.5, 1);
    update(
        &mut state,
        start(),
        Message::Summarised(vec![(found, summary)]),
    );
    press(&mut state, "gK");
    assert!(screen(&state).contains("End this run at once?"));
    let kill = Effect::Steer(jobs::steering::SteeringJob::Kill(dir("lively")));
    assert!(press(&mut state, "y").contains(&kill));
}

#[test]
fn queues_are_looked_after_before_any_run_is_summed_up() {
    let dirs: Vec<RunDir> = [
        "one/training_runs/a",
        "one/training_runs/b",
        "two/training_runs/c",
        "foreign",
    ]
    .map(dir)
    .into();
    let mut state = State::new(vec!["/nowhere/runs".into()], (80, 24), start());
    let search = |state: &mut State| {
        let ended = Message::SearchEnded {
            dirs: dirs.clone(),
            problems: Vec::new(),
            fresh: std::collections::HashSet::new(),
        };
        let effects = update(state, start(), ended).into_iter();
        let trees = effects.filter_map(|effect| match effect {
            Effect::Steer(jobs::steering::SteeringJob::Tend(trees)) => Some(trees),
            _ => None,
        });
        let trees = trees.flatten().map(|tree| tree.display().to_string());
        trees.collect::<Vec<_>>()
    };
    let both = ["/nowhere/runs/one", "/nowhere/runs/two"];
    assert_eq!(search(&mut state), both);
    // Later only where a run waits.
    assert_eq!(search(&mut state), [""; 0]);
    let (found, queued) = aged("two/training_runs/c", RunState::Queued, 0.0, 1);
    update(
        &mut state,
        start(),
        Message::RunsFound(vec![(found, Some(queued))]),
    );
    assert_eq!(search(&mut state), both[1..]);
}
