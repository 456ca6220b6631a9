//! Sorting, grouping and columns by any value, and going to a run by its name.

use crate::state::State;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::run::tests::text;
use super::query_tests::{configured, key, remembered};
use super::tests::{aged, control, dir, drawn, order, press, start};
use crate::jobs::form::FormOutcome;
use crate::message::Message;
use crate::update::update;
use traintop_config::Place;
use traintop_run::failure::Failure;
use traintop_run::state::State as RunState;

#[test]
fn runs_are_sorted_by_any_setting_and_those_without_come_last() {
    let mut state = configured(100, 24);
    let effects = press(&mut state, "Oseed\n");
    assert_eq!(order(&state), ["lively", "broken", "proud", "ancient"]);
    let left = remembered(&effects).unwrap().clone();
    assert_eq!(left.sort, Some(("seed".to_owned(), false)));
    press(&mut state, "R");
    assert_eq!(order(&state), ["proud", "broken", "lively", "ancient"]);
    let mut state = configured(100, 24);
    state.context.runs.restore(left);
    press(&mut state, "R");
    assert_eq!(order(&state), ["proud", "broken", "lively", "ancient"]);
}

#[test]
fn columns_are_chosen_moved_resized_and_there_again_after_a_restart() {
    let mut state = configured(100, 24);
    press(&mut state, "oseed");
    let effects = press(&mut state, " ");
    assert!(remembered(&effects).is_some());
    // The cursor is on the new column: to the left twice, and wider.
    press(&mut state, "<<");
    key(&mut state, KeyCode::Right);
    insta::assert_snapshot!(text(&drawn(&state)));
    key(&mut state, KeyCode::Home);
    let left = key(&mut state, KeyCode::Left);
    let left = remembered(&left).unwrap().clone();
    let columns = left.columns.clone().unwrap();
    assert_eq!(columns[columns.len() - 3], ("seed".to_owned(), Some(10)));
    press(&mut state, "\n");
    assert!(state.overlays.is_empty());
    let mut again = configured(100, 24);
    again.context.runs.restore(left);
    assert_eq!(text(&drawn(&again)), text(&drawn(&state)));
    // Hidden columns are gone; the name cannot be.
    press(&mut state, "oname ");
    press(&mut state, "\x1b");
    press(&mut state, "oval_loss \n");
    assert!(!text(&drawn(&state)).contains("VAL LOSS"));
    assert!(text(&drawn(&state)).contains("NAME"));
    press(&mut state, "o");
    control(&mut state, 'r');
    assert!(text(&drawn(&state)).contains("VAL LOSS"));
}

#[test]
fn giving_the_chooser_up_brings_the_columns_back() {
    let mut state = configured(100, 24);
    let before = text(&drawn(&state));
    press(&mut state, "oseed \x1b");
    assert_eq!(text(&drawn(&state)), before);
}

#[test]
fn groups_count_average_fold_and_are_what_an_action_is_about() {
    let mut state = configured(100, 24);
    let effects = press(&mut state, "Bconfig.learning_rate\n");
    assert_eq!(
        remembered(&effects).unwrap().group.as_deref(),
        Some("config.learning_rate")
    );
    assert_eq!(order(&state), ["lively", "proud", "broken", "ancient"]);
    let open = text(&drawn(&state));
    // To the first header, and fold it.
    press(&mut state, "g");
    assert_eq!(state.context.runs.chosen(), [dir("lively"), dir("proud")]);
    press(&mut state, "\n");
    insta::assert_snapshot!(format!("{open}\nfolded:\n{}", text(&drawn(&state))));
    press(&mut state, "jj");
    assert_eq!(state.context.runs.chosen(), [dir("broken")]);
    press(&mut state, "kk\t");
    assert!(text(&drawn(&state)).contains("proud"));
    key(&mut state, KeyCode::BackTab);
    let folded = text(&drawn(&state));
    assert!(
        !folded.contains("lively") && !folded.contains("ancient"),
        "{folded}"
    );
    // Whatever is folded can be gone to.
    press(&mut state, "Janci\n");
    assert_eq!(state.context.runs.chosen(), [dir("ancient")]);
    assert!(text(&drawn(&state)).contains("ancient"));
    press(&mut state, "B(noth\n");
    assert_eq!(order(&state), ["lively", "broken", "proud", "ancient"]);
}

#[test]
fn runs_that_failed_alike_say_what_they_have_in_common() {
    let mut state = configured(120, 24);
    let batched = |name: &str, batch_size: &str, fails: bool| {
        let (found, mut summary) = aged(name, RunState::Failed, 90.0, 2);
        let batch = ("batch_size".to_owned(), batch_size.to_owned());
        summary.settings = [batch].into_iter().collect();
        summary.cause = fails.then(|| Failure {
            what: "CUDA out of memory".to_owned(),
            detail: String::new(),
        });
        (found, summary)
    };
    let runs = vec![
        batched("lively", "512", true),
        batched("proud", "512", true),
        batched("broken", "64", false),
    ];
    update(&mut state, start(), Message::Summarised(runs));
    press(&mut state, "Bcause\n");
    let shown = text(&drawn(&state));
    let header = "cause = CUDA out of memory  2 runs, all batch_size 512";
    assert!(shown.contains(header), "{shown}");
    assert!(shown.contains("cause = -  2 runs "), "{shown}");
}

#[test]
fn a_queued_sweep_becomes_a_group_with_its_best_at_the_top() {
    let mut state = configured(100, 24);
    let runs = ["a", "b", "c"].into_iter().zip([70.0, 90.0, 80.0]);
    let swept = runs.map(|(name, best)| {
        let (found, mut summary) = aged(name, RunState::Finished, best, 5);
        summary.sweep = Some("quick 11-24".to_owned());
        (found, summary)
    });
    update(&mut state, start(), Message::Summarised(swept.collect()));
    let queued = || {
        let dirs = ["a", "b", "c"].map(dir).to_vec();
        Message::FormDone(FormOutcome::Queued(Ok(dirs), Place::Local))
    };
    update(&mut state, start(), queued());
    assert_eq!(
        order(&state),
        ["b", "c", "a", "lively", "broken", "proud", "ancient"]
    );
    let shown = text(&drawn(&state));
    assert!(shown.contains("queued 3 runs, grouped by sweep"), "{shown}");
    // Another order or grouping can be chosen.
    press(&mut state, "Oname\n");
    assert_eq!(order(&state)[..3], ["a", "b", "c"]);
    press(&mut state, "Bmodel\n");
    update(&mut state, start(), queued());
    assert_eq!(state.context.runs.arranged_by().1.as_deref(), Some("model"));
}

#[test]
fn going_to_a_hidden_run_takes_the_query_away_and_says_so() {
    let mut state = configured(100, 24);
    press(&mut state, "/broken\nJprd\n");
    assert_eq!(state.context.runs.chosen(), [dir("proud")]);
    assert_eq!(order(&state).len(), 4);
    assert!(text(&drawn(&state)).contains("the query was cleared"));
    let event = KeyEvent::new(KeyCode::Char('p'), KeyModifiers::CONTROL);
    update(&mut state, start(), Message::Key(event));
    press(&mut state, "\n");
    assert_eq!(state.context.runs.chosen(), [dir("lively")]);
}

fn sweep(columns: u16) -> State {
    let mut state = configured(columns, 24);
    let runs = [
        ("lively", "0.1", "1"),
        ("broken", "0.1", "2"),
        ("proud", "0.2", "1"),
    ];
    let point = |(folder, rate, seed): (&str, &str, &str)| {
        let (found, mut summary) = aged(folder, RunState::Finished, 90.0, 2);
        (summary.name, summary.own_name) = ("se_lr".to_owned(), "se_lr".to_owned());
        let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        summary.settings = [("seed", seed), ("max_lr", rate), ("epochs", "9")]
            .map(pair)
            .into_iter()
            .collect();
        (found, summary)
    };
    let runs = runs.into_iter().map(point).collect();
    update(&mut state, start(), Message::Summarised(runs));
    state
}

#[test]
fn runs_of_one_name_are_told_apart_by_what_differs() {
    let all = [40, 80, 120].map(|columns| text(&drawn(&sweep(columns))));
    assert!(all[0].contains("se_lr · max_lr=0…"), "{}", all[0]);
    for wide in &all[1..] {
        assert!(wide.contains("se_lr"), "{wide}");
        for differs in [
            "max_lr=0.1 · seed=1",
            "max_lr=0.1 · seed=2",
            "max_lr=0.2 · seed=1",
        ] {
            assert!(wide.contains(&differs[..17]), "{wide}");
        }
    }
    // A run that is not alike has nothing there, and questions name all of it.
    let mut state = sweep(80);
    press(&mut state, "jD");
    let asked = text(&drawn(&state));
    assert!(asked.contains("se_lr · max_lr=0.1 · seed="), "{asked}");
}

#[test]
fn settings_that_differ_become_columns_with_one_key_and_go_again() {
    let mut state = sweep(120);
    press(&mut state, "/se_lr\na");
    let shown = text(&drawn(&state));
    let header = shown.lines().nth(1).unwrap();
    assert!(
        header.contains("max_lr") && header.contains("seed"),
        "{shown}"
    );
    assert!(!header.contains("epochs"), "{shown}");
    press(&mut state, "a");
    let shown = text(&drawn(&state));
    assert!(!shown.lines().nth(1).unwrap().contains("seed"), "{shown}");
}
