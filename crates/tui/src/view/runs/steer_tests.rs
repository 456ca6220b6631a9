//! Keys that steer runs.

use super::super::test_driver::{press, screen};
use super::tests::{aged, dir, listed, start};
use crate::effect::Effect;
use crate::jobs;
use crate::message::Message;
use crate::state::State;
use crate::update::update;
use traintop_launch::Steering;
use traintop_run::failure::Failure;
use traintop_run::slurm::Seen;
use traintop_run::state::State as RunState;

fn steer(name: &str, steering: Steering) -> Effect {
    Effect::Steer(jobs::steering::SteeringJob::Steer(dir(name), steering))
}

#[test]
fn p_lets_a_run_wait_and_go_on_and_says_why_it_cannot() {
    let mut state = listed(80, 24);
    assert!(press(&mut state, "p").contains(&steer("lively", Steering::Pause)));
    let (found, summary) = aged("lively", RunState::Paused, 71.5, 1);
    update(
        &mut state,
        start(),
        Message::Summarised(vec![(found, summary)]),
    );
    assert!(screen(&state).contains("‖ paused"));
    assert!(press(&mut state, "p").contains(&steer("lively", Steering::Continue)));
    press(&mut state, "jp");
    let notice = state.context.notice.clone().unwrap();
    assert!(
        notice.bad && notice.text == "broken is not running: it is failed",
        "{notice:?}"
    );
}

#[test]
fn where_there_is_no_run_nothing_is_said_of_marks() {
    let mut state = State::new(vec!["runs".into()], (80, 24), start());
    for key in ["p", "P", "C"] {
        press(&mut state, key);
        let notice = state.context.notice.take().unwrap();
        assert_eq!(notice.text, "there is no run under the cursor", "{key}");
    }
}

#[test]
fn what_may_change_is_offered_as_a_list() {
    let mut state = listed(80, 24);
    press(&mut state, "P");
    insta::assert_snapshot!(screen(&state));
    let effects = press(&mut state, "halve\n");
    assert!(
        effects.contains(&steer("lively", Steering::LearningRate(0.5))),
        "{effects:?}"
    );
}

#[test]
fn a_job_of_slurm_can_be_asked_to_wait_for_another_turn() {
    let mut state = listed(80, 24);
    press(&mut state, "Prequeue\n");
    assert!(!state.overlays.is_empty(), "no job, nothing to choose");
    press(&mut state, "\x1b");
    let (found, mut summary) = aged("lively", RunState::Running, 71.5, 1);
    summary.job = Some(Seen {
        name: Some("12".to_owned()),
        is_open: true,
        waits: None,
        is_at_work: true,
    });
    let summed = Message::Summarised(vec![(found, summary)]);
    update(&mut state, start(), summed);
    let effects = press(&mut state, "Prequeue\n");
    assert!(
        effects.contains(&steer("lively", Steering::Requeue)),
        "{effects:?}"
    );
}

#[test]
fn only_what_has_ended_early_goes_on_after_a_question() {
    let mut state = listed(80, 24);
    press(&mut state, "C");
    assert!(state.overlays.is_empty() && state.context.notice.as_ref().unwrap().bad);
    press(&mut state, "jC");
    assert!(screen(&state).contains("Resume this run?"));
    let resume = Effect::Steer(jobs::steering::SteeringJob::Resume(vec![dir("broken")]));
    assert!(press(&mut state, "y").contains(&resume));
    press(&mut state, "AC");
    assert!(
        screen(&state).contains("Resume 2 runs?"),
        "{}",
        screen(&state)
    );
}

#[test]
fn the_cause_stands_behind_the_name_or_where_that_leaves_no_room_as_the_state() {
    let mut state = listed(80, 24);
    let fails_as = |state: &mut State, name: &str| {
        let (found, mut summary) = aged("broken", RunState::Failed, 10.0, 2);
        name.clone_into(&mut summary.name);
        summary.cause = Some(Failure {
            what: "CUDA out of memory".to_owned(),
            detail: "CUDA out of memory. Tried to allocate 2.00 GiB".to_owned(),
        });
        let summed = Message::Summarised(vec![(found, summary)]);
        update(state, start(), summed);
    };
    fails_as(&mut state, "resnet_se with a long name");
    let long = screen(&state);
    let row = "  ✗ CUDA out… resnet_se with a l… ";
    assert!(long.contains(row), "{long}");
    fails_as(&mut state, "broken");
    let small = screen(&state);
    press(&mut state, "j");
    let beneath = screen(&state);
    let beneath = beneath.lines().last().unwrap();
    assert!(
        beneath.starts_with("✗ CUDA out of memory. Tried to allocate 2.00 GiB  "),
        "{beneath}"
    );
    state.context.size = (160, 40);
    insta::assert_snapshot!(format!("{small}\n=====\n{}", screen(&state)));
}
