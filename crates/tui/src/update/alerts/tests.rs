//! Which runs are looked at, when, and what comes of it.

use crate::jobs::alerts::tests::alert;
use crate::view::test_driver::notice;
use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::ToSpan;

use super::*;
use crate::jobs::alerts::{AlertJob, AlertOutcome, carry_out};
use crate::message::Message;
use crate::update::update as take_in;
use traintop_analysis::lint;
use traintop_run::found::Found;
use traintop_run::process::Process;
use traintop_run::summary::Summary;
use traintop_run::{Record, State as RunState};

/// A run of ours that has trained three epochs of a minute, in this state.
fn run(state: RunState) -> (tempfile::TempDir, Found, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path().join("quick"));
    fs::create_dir_all(dir.logs()).unwrap();
    fs::write(
        dir.metrics_csv(),
        "epoch,val_acc,time_elapsed\n1,20,60\n2,30,120\n3,40,180\n",
    )
    .unwrap();
    let mut record = Record::new(
        &dir,
        "quick".to_owned(),
        Process::current(),
        Vec::new(),
        Timestamp::now(),
    );
    record.state = state;
    record.epochs_planned = 3;
    record.ended_at = (!state.is_active()).then(Timestamp::now);
    record.save(&dir).unwrap();
    let found = Found::look(dir);
    let mut summary = lint::load(&found, SystemTime::now());
    if let Some(health) = &mut summary.health {
        // The disk of the machine that runs the tests may be full.
        health.disk = None;
    }
    (folder, found, summary)
}

fn opened(since: Timestamp) -> State {
    State::new(vec!["runs".into()], (100, 30), since)
}

fn summed_up(state: &mut State, now: Timestamp, found: &Found, summary: &Summary) -> Vec<AlertJob> {
    let message = Message::Summarised(vec![(found.clone(), summary.clone())]);
    orders(take_in(state, now, message))
}

fn orders(effects: Vec<Effect>) -> Vec<AlertJob> {
    let job = |effect| match effect {
        Effect::Alert(job) => Some(job),
        _ => None,
    };
    effects.into_iter().filter_map(job).collect()
}

fn claimed(orders: &[AlertJob]) -> Vec<Alert> {
    match orders {
        [AlertJob::Claim(alerts)] => alerts.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_end_is_told_once_and_one_before_the_dashboard_is_not() {
    let (_folder, found, summary) = run(RunState::Finished);
    let ended = summary.ended_at.unwrap();
    let mut state = opened(ended + 1.second());
    assert_eq!(summed_up(&mut state, ended, &found, &summary), []);
    let mut state = opened(ended - 1.second());
    let alerts = claimed(&summed_up(&mut state, ended, &found, &summary));
    assert_eq!(
        alerts[0].message,
        "finished: 3 epochs, best val_acc 40.00 % in epoch 3"
    );
    assert_eq!(summed_up(&mut state, ended, &found, &summary), []);
}

#[test]
fn an_end_that_was_watched_is_told_whatever_the_clocks_say() {
    let (_folder, found, summary) = run(RunState::Running);
    let now = Timestamp::now();
    let mut state = opened(now + 1.hour());
    assert_eq!(summed_up(&mut state, now, &found, &summary), []);
    let mut ended = summary;
    (ended.health, ended.observed.state, ended.ended_at) = (None, RunState::Finished, Some(now));
    assert_eq!(
        claimed(&summed_up(&mut state, now, &found, &ended)).len(),
        1
    );
}

#[test]
fn a_stalled_run_is_looked_at_when_it_is_due_and_the_dashboard_sleeps_until_then() {
    let (_folder, found, mut summary) = run(RunState::Running);
    let last = summary.health.as_ref().unwrap().sign_at;
    let mut state = opened(last);
    assert_eq!(summed_up(&mut state, last, &found, &summary), []);
    let due = last + 300.seconds();
    assert_eq!(state.context.alerts.next_due(), Some(due));
    // On every screen.
    crate::update::form::open(&mut state);
    state.refreshing.clear();
    assert_eq!(state.next_wake(), Some(due));
    assert!(
        take_in(&mut state, due, Message::Woke)
            .contains(&Effect::Summarise(vec![found.dir.clone()]))
    );
    assert_eq!(state.next_wake(), None);
    summary.health.as_mut().unwrap().read_at = due;
    let alerts = claimed(&summed_up(&mut state, due, &found, &summary));
    assert_eq!(
        alerts[0].message,
        "stalled: no row for 5 min, usually within 1 min"
    );
    assert_eq!(state.next_wake(), None, "what was shown is not waited for");
}

#[test]
fn what_is_this_dashboards_to_tell_is_shown_rung_and_sent_and_the_rest_is_listed() {
    let mut state = opened(Timestamp::UNIX_EPOCH);
    state.context.alerts.config.bell = true;
    state.context.alerts.config.notify = vec!["mail".to_owned()];
    state.context.alerts.config.send = vec![Kind::Failed];
    let new = vec![alert(Kind::Finished, "a"), alert(Kind::Failed, "b")];
    let known = vec![alert(Kind::Late, "c")];
    let message = Message::Alert(AlertOutcome::Claimed(Claimed {
        new: new.clone(),
        known,
    }));
    let effects = take_in(&mut state, Timestamp::UNIX_EPOCH, message);
    let sent = AlertJob::Notify(vec!["mail".to_owned()], vec![new[1].clone()]);
    assert!(effects.contains(&Effect::Alert(sent)), "{effects:?}");
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Ring(_)))
    );
    assert_eq!(notice(&state), "2 alerts, among them a: finished: it is so");
    assert_eq!(
        (
            state.context.alerts.unseen,
            state.context.alerts.recent.len()
        ),
        (2, 3)
    );
}

#[test]
fn without_anything_configured_an_alert_is_only_shown() {
    let mut state = opened(Timestamp::UNIX_EPOCH);
    state.context.notice = Some(Notice::good("the answer to a key"));
    let claimed = Claimed {
        new: vec![alert(Kind::Failed, "b")],
        known: Vec::new(),
    };
    let effects = take_in(
        &mut state,
        Timestamp::UNIX_EPOCH,
        Message::Alert(AlertOutcome::Claimed(claimed)),
    );
    assert_eq!(effects, []);
    assert_eq!(
        state.context.notice,
        Some(Notice::good("the answer to a key"))
    );
    assert_eq!(state.context.alerts.unseen, 1);
}

#[test]
fn a_command_that_fails_is_complained_of_once() {
    let mut state = opened(Timestamp::UNIX_EPOCH);
    let fails = || {
        Message::Alert(AlertOutcome::NotNotified(
            "notify: mail: no route".to_owned(),
        ))
    };
    take_in(&mut state, Timestamp::UNIX_EPOCH, fails());
    assert_eq!(
        state.context.notice.take(),
        Some(Notice::bad("notify: mail: no route"))
    );
    take_in(&mut state, Timestamp::UNIX_EPOCH, fails());
    assert_eq!(state.context.notice, None);
}

/// A run of twelve epochs that has done `done` of them.
fn of_twelve(place: &std::path::Path, name: &str, done: u32, nears: f64) -> (Found, Summary) {
    let dir = RunDir::new(place.join(name));
    fs::create_dir_all(dir.logs()).unwrap();
    let row = |epoch: u32| format!("{epoch},{}\n", nears * f64::from(epoch) / 12.0);
    let rows: String = (1..=done).map(row).collect();
    fs::write(dir.metrics_csv(), format!("epoch,val_acc\n{rows}")).unwrap();
    let config = format!("{{\"num_epochs\": 12, \"lr\": 0.1, \"seed\": \"{name}\"}}");
    fs::write(dir.config_json(), config).unwrap();
    let found = Found::look(dir);
    let summary = lint::load(&found, SystemTime::now());
    (found, summary)
}

#[test]
fn a_run_is_weighed_once_in_each_twentieth_when_all_runs_are_known_and_says_what_comes_of_it() {
    let place = tempfile::tempdir().unwrap();
    let earlier =
        (0..9).map(|seed| of_twelve(place.path(), &format!("{seed}"), 12, 80.0 + f64::from(seed)));
    let earlier: Vec<_> = earlier.collect();
    let (found, summary) = of_twelve(place.path(), "now", 5, 40.0);
    let now = summary.health.as_ref().unwrap().read_at;
    let mut state = opened(now + 1.hour());
    take_in(&mut state, now, Message::Summarised(earlier.clone()));
    assert_eq!(
        summed_up(&mut state, now, &found, &summary),
        [],
        "not all runs are known yet"
    );
    let dirs = earlier
        .iter()
        .map(|(found, _)| found.dir.clone())
        .chain([found.dir.clone()]);
    let ended = Message::SearchEnded {
        dirs: dirs.collect(),
        fresh: HashSet::new(),
        problems: Vec::new(),
    };
    take_in(&mut state, now, ended);
    let question = match &summed_up(&mut state, now, &found, &summary)[..] {
        [AlertJob::Weigh(question)] => question.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        summed_up(&mut state, now, &found, &summary),
        [],
        "in this twentieth it was weighed"
    );
    let (sender, answers) = std::sync::mpsc::channel();
    let send = move |outcome| drop(sender.send(outcome));
    carry_out(AlertJob::Weigh(question), &Arc::default(), send);
    let weighed = Message::Alert(answers.recv().unwrap());
    let alerts = claimed(&orders(take_in(&mut state, now, weighed)));
    assert!(
        alerts[0]
            .message
            .starts_with("hopeless: behind 9 of 9 earlier runs of its recipe at epoch 5"),
        "{alerts:?}"
    );
    // A new summary knows nothing of that by itself.
    summed_up(&mut state, now, &found, &summary);
    let row = state
        .context
        .runs
        .row(&found.dir)
        .unwrap()
        .summary
        .as_ref()
        .unwrap();
    assert_eq!(row.health.as_ref().unwrap().signs[0].kind, "hopeless");
}
