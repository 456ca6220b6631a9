//! The query line: what it finds, completes, remembers, and says of a query that makes no sense.

use crate::effect::Effect;
use crate::state::State;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Modifier;

use super::super::run::tests::text;
use super::tests::{dir, drawn, listed, order, press, start};
use crate::message::{Message, ValuesAtEpoch};
use crate::remembered::Remembered;
use crate::update::update;

pub(super) fn key(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(
        state,
        start(),
        Message::Key(KeyEvent::new(code, KeyModifiers::NONE)),
    )
}

/// The runs of the table, configured.
pub(super) fn configured(columns: u16, rows: u16) -> State {
    let mut state = listed(columns, rows);
    for (name, lr, seed) in [("lively", 0.1, 1), ("broken", 0.2, 2), ("proud", 0.1, 3)] {
        let row = state.context.runs.rows.get_mut(&dir(name)).unwrap();
        let pairs = [
            ("learning_rate", lr.to_string()),
            ("seed", seed.to_string()),
        ];
        let owned = pairs.map(|(key, value)| (key.to_owned(), value));
        row.summary.as_mut().unwrap().settings = owned.into_iter().collect();
    }
    state.context.runs.reread();
    state
}

pub(super) fn remembered(effects: &[Effect]) -> Option<&Remembered> {
    effects.iter().find_map(|effect| match effect {
        Effect::Remember(left) => Some(&**left),
        _ => None,
    })
}

#[test]
fn values_are_asked_for_and_the_query_stays() {
    let mut state = configured(80, 24);
    press(&mut state, "/lr<0.15 best>90");
    assert_eq!(order(&state), ["proud"]);
    let effects = press(&mut state, "\n");
    let left = remembered(&effects).unwrap();
    assert_eq!(left.query, "lr<0.15 best>90");
    assert_eq!(left.queries, ["lr<0.15 best>90"]);
    press(&mut state, "/ or seed:2\n");
    assert_eq!(order(&state), ["broken", "proud"]);
    let left = press(&mut state, "\x1b");
    assert_eq!(remembered(&left).unwrap().query, "");
    assert_eq!(order(&state).len(), 4);
}

#[test]
fn while_a_query_makes_no_sense_the_last_one_holds_and_the_word_is_underlined() {
    let mut state = configured(80, 24);
    press(&mut state, "/best>90 see:3");
    assert_eq!(order(&state), ["proud"], "that of `best>90`");
    let buf = drawn(&state);
    let underlined: String = (0..80)
        .filter(|x| {
            buf[(*x, 0)].modifier.contains(Modifier::UNDERLINED)
                && Some(buf[(*x, 0)].fg) == state.context.theme.style(crate::theme::Role::Bad).fg
        })
        .map(|x| buf[(x, 0)].symbol().to_owned())
        .collect();
    assert_eq!(underlined, "see");
    insta::assert_snapshot!(text(&buf));
    // Enter does not keep what makes no sense.
    press(&mut state, "\n");
    assert!(state.context.runs.is_typing());
    press(&mut state, "\x1b/seed>");
    assert!(text(&drawn(&state)).contains("a value belongs after seed>"));
}

#[test]
fn names_and_values_are_put_in_by_tab() {
    let mut state = configured(100, 24);
    press(&mut state, "/se");
    insta::assert_snapshot!(text(&drawn(&state)));
    key(&mut state, KeyCode::Tab);
    assert_eq!(state.context.runs.query.text(), "seed");
    press(&mut state, ":");
    key(&mut state, KeyCode::Tab);
    key(&mut state, KeyCode::Tab);
    assert_eq!(state.context.runs.query.text(), "seed:2");
    assert_eq!(order(&state), ["broken"]);
    key(&mut state, KeyCode::BackTab);
    key(&mut state, KeyCode::BackTab);
    assert_eq!(state.context.runs.query.text(), "seed:3");
    // The first Esc only closes the list.
    press(&mut state, "\x1b");
    assert_eq!(state.context.runs.query.text(), "seed:3");
    press(&mut state, "\n");
    assert_eq!(order(&state), ["proud"]);
}

#[test]
fn earlier_queries_come_back_by_the_arrows_and_after_a_restart() {
    let mut state = configured(80, 24);
    press(&mut state, "/proud\n\x1b/broken\n\x1b/proud\n\x1b/ly");
    key(&mut state, KeyCode::Up);
    assert_eq!(state.context.runs.query.text(), "proud");
    key(&mut state, KeyCode::Up);
    assert_eq!(state.context.runs.query.text(), "broken");
    assert_eq!(order(&state), ["broken"]);
    key(&mut state, KeyCode::Up);
    assert_eq!(state.context.runs.query.text(), "broken");
    key(&mut state, KeyCode::Down);
    key(&mut state, KeyCode::Down);
    assert_eq!(state.context.runs.query.text(), "ly");
    let left = Remembered {
        query: "seed:2".to_owned(),
        queries: vec!["seed:2".to_owned()],
        ..Remembered::default()
    };
    let mut state = configured(80, 24);
    state.context.runs.restore(left);
    assert_eq!(order(&state), ["broken"]);
    assert!(text(&drawn(&state)).contains("1 of 4 runs"));
    press(&mut state, "\x1b");
    assert_eq!(order(&state).len(), 4);
}

#[test]
fn a_name_that_may_still_come_finds_nothing_until_all_runs_are_known() {
    let mut state = State::new(vec!["/nowhere/runs".into()], (80, 24), start());
    let query = Remembered {
        query: "nobody:1".to_owned(),
        ..Remembered::default()
    };
    state.context.runs.restore(query);
    let found = super::tests::aged("early", traintop_run::State::Finished, 50.0, 3);
    let message = Message::RunsFound(vec![(found.0, Some(found.1))]);
    update(&mut state, start(), message);
    assert!(order(&state).is_empty() && state.context.runs.query.problem.is_none());
    let ended = Message::SearchEnded {
        dirs: vec![dir("early")],
        problems: Vec::new(),
        fresh: std::collections::HashSet::new(),
    };
    update(&mut state, start(), ended);
    assert!(state.context.runs.query.problem.is_some());
}

#[test]
fn values_at_an_epoch_are_read_once_and_again_when_the_run_has_grown() {
    let mut state = configured(80, 24);
    let effects = press(&mut state, "/at50.val_loss<1");
    let sampled: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::ValuesAtEpoch(epochs, dirs) => Some((epochs.clone(), dirs.len())),
            _ => None,
        })
        .collect();
    assert_eq!(sampled, [(vec![50], 4)]);
    assert!(order(&state).is_empty());
    let values = vec![("val_loss".to_owned(), 0.5)];
    let answer = Message::ValuesRead(vec![ValuesAtEpoch {
        dir: dir("proud"),
        epoch: 50,
        values,
    }]);
    update(&mut state, start(), answer);
    assert_eq!(order(&state), ["proud"]);
    let grown = super::tests::aged("proud", traintop_run::State::Running, 95.0, 3);
    let effects = update(&mut state, start(), Message::Summarised(vec![grown]));
    assert!(effects.contains(&Effect::ValuesAtEpoch(vec![50], vec![dir("proud")])));
}

#[test]
fn a_run_leaves_when_it_comes_to_the_age_that_the_query_names() {
    let mut state = listed(80, 24);
    press(&mut state, "/age<70m\n");
    assert_eq!(state.context.runs.shown().count(), 1);
    // `lively` is an hour old: in ten minutes it is too old.
    let mut now = start();
    for _ in 0..20 {
        if state.context.runs.shown().count() == 0 {
            break;
        }
        now = state.next_wake().unwrap();
        update(&mut state, now, Message::Woke);
    }
    assert_eq!(state.context.runs.shown().count(), 0);
    assert_eq!((now - start()).total(jiff::Unit::Second).unwrap(), 601.0);
}
