//! The plan of a clean-up at two sizes, and what keys do to it.

use crate::state::State;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{Timestamp, ToSpan};

use super::super::test_driver::{press, screen};
use super::*;
use crate::jobs::cleanup::{CleanupJob, CleanupOutcome};
use crate::message::Message;
use crate::update::update;
use traintop_disk::{FileStat, Kind};
use traintop_ops::clean::{Obstacle, Quota, Reading, Role, Survey, Surveyed};
use traintop_ops::clean::{TemporaryFile, Weights, plan_of};
use traintop_run::notes::Notes;
use traintop_run::size::Taken;
use traintop_run::state::State as RunState;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn weights(dir: &RunDir, role: Role, megabytes: u64) -> Weights {
    let name = match role {
        Role::Epoch(epoch) => format!("checkpoints/epoch_{epoch}.safetensors"),
        Role::Last => "last.safetensors".to_owned(),
        _ => "best.safetensors".to_owned(),
    };
    let path = dir.path().join(name);
    let stat = FileStat {
        kind: Kind::File,
        inode: 1,
        length: megabytes * 1_000_000,
        modified_ns: 0,
    };
    Weights {
        path: path.clone(),
        role,
        is_named: false,
        taken: vec![Taken::plain(megabytes * 1_000_000)],
        stats: vec![(path, stat)],
        score: Some(90.0),
        score_beside: [Some(90.0); 2],
        optimiser_bytes: if role == Role::Last { 15_000_000 } else { 0 },
    }
}

fn run(name: &str, state: RunState, epochs: u32, hours: i64) -> Surveyed {
    let dir = RunDir::new(format!("/nowhere/runs/{name}"));
    let of_epochs = (1..=epochs / 40).map(|number| weights(&dir, Role::Epoch(40 * number), 18));
    let mut all: Vec<Weights> = of_epochs.collect();
    if epochs > 0 {
        all.insert(0, weights(&dir, Role::Best, 18));
        all.push(weights(&dir, Role::Last, 36));
    }
    Surveyed {
        name: name.to_owned(),
        state,
        epochs_done: epochs,
        epochs_planned: Some(200),
        best_epoch: Some(97),
        best_step: None,
        epoch_s: Some(21.5),
        modified_at: now() - hours.hours(),
        notes: Notes::default(),
        is_evaluated: false,
        is_archived: false,
        weights: all,
        temporary: Vec::new(),
        taken: vec![Taken::plain(1_200_000)],
        has_row_per_epoch: true,
        rows: epochs as usize,
        last_step: None,
        best_value: (epochs > 0).then(|| "best 93.10 %".to_owned()),
        trained: (epochs > 0).then(|| std::time::Duration::from_secs(u64::from(epochs) * 21)),
        reading: if epochs == 0 {
            Reading::Blank
        } else {
            Reading::Content
        },
        obstacle: (epochs > 0).then(|| Obstacle::Weights("best.safetensors".into())),
        fingerprint: 0,
        modified: std::time::SystemTime::UNIX_EPOCH,
        dir,
    }
}

fn survey() -> Arc<Survey> {
    let mut starred = run("proud", RunState::Finished, 200, 9);
    starred.notes.star = true;
    let mut untidy = run("untidy", RunState::Stopped, 30, 4);
    untidy.temporary.push(TemporaryFile {
        path: untidy.dir.path().join(".last.safetensors.71-0.tmp"),
        taken: Taken::plain(7_000_000),
        stat: FileStat {
            kind: Kind::File,
            inode: 2,
            length: 7_000_000,
            modified_ns: 0,
        },
    });
    Arc::new(Survey {
        runs: vec![
            run("quick 11-24 02:26:37", RunState::Finished, 200, 1),
            run(
                "resnet_se with a name that is long",
                RunState::Finished,
                120,
                2,
            ),
            run("broken", RunState::Failed, 80, 3),
            run("empty", RunState::Stopped, 0, 30),
            run("lively", RunState::Running, 50, 0),
            starred,
            untidy,
        ],
    })
}

pub(in crate::view) fn opened(columns: u16, rows: u16) -> State {
    let mut state = State::new(vec!["/nowhere/runs".into()], (columns, rows), now());
    let ordered = crate::update::cleanup::open(&mut state);
    assert!(
        matches!(&ordered[..], [Effect::Clean(CleanupJob::Plan { only, .. })] if only.is_empty())
    );
    plan(&mut state);
    state
}

/// The pool's answer to an order for a plan.
fn plan(state: &mut State) {
    let Some(view) = state.overlays.find::<CleanView>() else {
        panic!("the plan is shown");
    };
    let plan = plan_of(&survey(), view.policy.clone(), now());
    let space = Space {
        free: 120_000_000_000,
        total: 500_000_000_000,
        quota: Some(Quota {
            used: 18_000_000_000,
            limit: 20_000_000_000,
        }),
    };
    let spaces = vec![(PathBuf::from("runs"), space)];
    update(
        state,
        now(),
        Message::Cleaned(CleanupOutcome::Planned(Box::new(plan), spaces)),
    );
}

#[test]
fn plan_at_two_sizes() {
    let mut small = opened(80, 24);
    press(&mut small, "j");
    insta::assert_snapshot!("clean_80x24", screen(&small));
    let mut large = opened(200, 50);
    press(&mut large, "jj");
    insta::assert_snapshot!("clean_200x50", screen(&large));
    press(&mut small, "\r");
    insta::assert_snapshot!("clean_question", screen(&small));
}

#[test]
fn the_heading_counts_only_what_there_is_and_fits_80_columns() {
    let mut state = opened(80, 24);
    let Some(view) = state.overlays.find_mut::<CleanView>() else {
        panic!()
    };
    let plan = view.plan.as_mut().unwrap();
    (plan.at_work, plan.protected) = (0, 0);
    plan.doubts = vec![(0, "a link lies in it".to_owned())];
    let shown = screen(&state);
    assert!(shown.contains("left alone: 1 in doubt"), "{shown}");
}

#[test]
fn space_marks_one_a_marks_all_and_the_sums_follow() {
    let mut state = opened(120, 30);
    let all = screen(&state);
    assert!(all.contains("to go"), "{all}");
    press(&mut state, "j ");
    let Some(view) = state.overlays.find::<CleanView>() else {
        panic!()
    };
    let before = view.all;
    assert_eq!(
        before.in_count + 4 + 1 + 1 + 1,
        before.count,
        "optimiser states, a whole run, a temporary file and this one stay: {before:?}"
    );
    press(&mut state, "a");
    let Some(view) = state.overlays.find::<CleanView>() else {
        panic!()
    };
    let superseded = view.groups[&Group::Reason(Reason::Superseded)];
    assert_eq!(superseded.in_count, superseded.count);
    press(&mut state, "w");
    let Some(view) = state.overlays.find::<CleanView>() else {
        panic!()
    };
    assert_eq!(view.all.in_count + 1 + 1, view.all.count);
    press(&mut state, "\r");
    let Some(confirm) = state.overlays.find::<Confirm>() else {
        panic!()
    };
    assert!(
        confirm
            .text
            .contains("drop the optimiser state of 4 checkpoints"),
        "{}",
        confirm.text
    );
    let done = press(&mut state, "y");
    assert!(
        matches!(&done[..], [Effect::Clean(CleanupJob::Clean(plan))] if plan.totals(|_| true).in_count == 14)
    );
}

#[test]
fn whole_runs_are_not_preselected_and_the_question_names_them() {
    let mut state = opened(120, 40);
    let find = |state: &State, wanted: &str| {
        let Some(view) = state.overlays.find::<CleanView>() else {
            panic!()
        };
        let plan = view.plan.as_ref().unwrap();
        let is_wanted = |row: &Row| match row {
            Row::One(at) => plan.survey.runs[plan.candidates[*at].run].name == wanted,
            Row::Group(_) => false,
        };
        view.rows.iter().position(is_wanted).unwrap()
    };
    press(&mut state, "\r");
    let said = screen(&state);
    assert!(
        said.contains("Clean up?") && !said.contains("whole run to"),
        "{said}"
    );
    press(&mut state, "\u{1b}");
    let down = "j".repeat(find(&state, "empty"));
    press(&mut state, &down);
    // One key selects all of a reason.
    press(&mut state, "a\r");
    insta::assert_snapshot!("clean_question_with_a_whole_run", screen(&state));
}

#[test]
fn other_rules_make_another_plan_and_an_old_answer_is_not_taken() {
    let mut state = opened(120, 30);
    press(&mut state, "w");
    let asked = press(&mut state, "3");
    assert!(
        matches!(&asked[..], [Effect::Clean(CleanupJob::Plan { policy, survey: Some(_), .. })] if policy.keep_every == 5)
    );
    assert!(screen(&state).contains("planning"), "{}", screen(&state));
    press(&mut state, "\r");
    assert!(screen(&state).contains("the plan is still being made"));
    let mut other = opened(120, 30);
    press(&mut other, "33");
    let Some(view) = other.overlays.find::<CleanView>() else {
        panic!()
    };
    assert_eq!(view.policy.keep_every, 10);
    plan(&mut state);
    let Some(view) = state.overlays.find::<CleanView>() else {
        panic!()
    };
    let states = view.groups[&Group::Reason(Reason::OptimiserState)];
    assert_eq!(states.in_count, 4, "what was marked by hand stays so");
    // Every checkpoint there is belongs to a fifth epoch.
    assert!(
        !screen(&state).contains("Checkpoints neither"),
        "{}",
        screen(&state)
    );
    let old = plan_of(&survey(), Policy::default(), now());
    update(
        &mut state,
        now(),
        Message::Cleaned(CleanupOutcome::Planned(Box::new(old), Vec::new())),
    );
    assert!(!screen(&state).contains("Checkpoints neither"));
}

#[test]
fn reasons_fold_and_the_order_changes() {
    let mut state = opened(120, 30);
    assert!(screen(&state).contains("epoch 40"));
    press(&mut state, "jj\t");
    let folded = screen(&state);
    assert!(
        folded.contains("▸ ■ Checkpoints not best") && !folded.contains("epoch 40"),
        "{folded}"
    );
    press(&mut state, "\to");
    let shown = screen(&state);
    assert!(
        shown.contains("by cost") && shown.contains("epoch 40"),
        "{shown}"
    );
    press(&mut state, "q");
    assert_eq!(crate::view::scope(&state), crate::command::Scope::Runs);
}

#[test]
fn every_run_is_one_row_and_is_marked_as_a_whole() {
    let mut state = opened(80, 24);
    press(&mut state, "r");
    insta::assert_snapshot!(screen(&state));
    // The run that gives back most comes first; unfolded, each thing has its reason.
    press(&mut state, " \t");
    let said = screen(&state);
    assert!(said.contains("▾ ■ quick 11-24 02:26:37"), "{said}");
    assert!(said.contains("Checkpoints not best"), "{said}");
    press(&mut state, "r");
    let said = screen(&state);
    assert!(said.contains("▾ ◪ Optimiser state"), "{said}");
}

#[test]
fn ten_thousand_candidates_move_by_the_row() {
    let runs = (0..1000).map(|number| run(&format!("r{number:04}"), RunState::Finished, 2000, 1));
    let survey = Arc::new(Survey {
        runs: runs.collect(),
    });
    let mut state = State::new(vec!["/nowhere/runs".into()], (80, 24), now());
    crate::update::cleanup::open(&mut state);
    let plan = plan_of(&survey, Policy::default(), now());
    assert!(plan.candidates.len() > 45_000);
    update(
        &mut state,
        now(),
        Message::Cleaned(CleanupOutcome::Planned(Box::new(plan), Vec::new())),
    );
    press(&mut state, "G");
    press(&mut state, "kk");
    let Some(view) = state.overlays.find::<CleanView>() else {
        panic!()
    };
    assert_eq!(view.cursor + 3, view.rows.len());
    assert!(view.top + height(state.context.size) >= view.cursor);
}
