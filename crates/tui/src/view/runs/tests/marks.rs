//! Marks, and what is done to all marked runs at once.

use super::*;
use crate::effect::Effect;
use crate::state::State;
use crate::view::test_driver::notice;
use traintop_run::RunDir;

fn chosen(state: &State) -> Vec<String> {
    state
        .context
        .runs
        .chosen()
        .iter()
        .map(RunDir::name)
        .collect()
}

#[test]
fn marks_stay_through_filter_and_order_and_are_counted() {
    let mut state = listed(80, 24);
    assert_eq!(chosen(&state), ["lively"]);
    press(&mut state, "j  ");
    assert_eq!(chosen(&state), ["broken", "proud"]);
    assert_eq!(selected(&state), "ancient");
    press(&mut state, "R/brok\n");
    assert_eq!(chosen(&state), ["broken", "proud"], "those in sight first");
    insta::assert_snapshot!(text(&drawn(&state)));
    let buf = drawn(&state);
    assert_eq!(
        Some(buf[(1, 2)].fg),
        state.context.theme.style(Role::Mark).fg
    );
    press(&mut state, "I");
    assert_eq!(chosen(&state), ["proud"]);
    press(&mut state, "A");
    assert_eq!(state.context.runs.mark_counts(), (2, 1));
    press(&mut state, "\x1bU");
    assert_eq!(state.context.runs.mark_counts(), (0, 0));
}

#[test]
fn a_range_is_marked_by_moving_and_left_by_esc() {
    let mut state = listed(80, 24);
    press(&mut state, "jvj");
    assert_eq!(chosen(&state), ["broken", "proud"]);
    assert!(text(&drawn(&state)).contains("2 marked, a range"));
    press(&mut state, "\x1b");
    assert_eq!(chosen(&state), ["proud"]);
    press(&mut state, "vkv");
    assert_eq!(chosen(&state), ["broken", "proud"]);
    press(&mut state, "g ");
    assert_eq!(chosen(&state), ["lively", "broken", "proud"]);
}

#[test]
fn a_mark_follows_a_run_that_another_program_renames_and_never_a_copy() {
    let other = |id: &str, name: &str| {
        let (mut found, mut summary) = aged(name, RunState::Finished, 60.0, 9);
        summary.id = id.to_owned();
        found.dir = summary.dir.clone();
        (found, summary)
    };
    let searched = |names: &[&str]| Message::SearchEnded {
        dirs: names.iter().copied().map(dir).collect(),
        problems: Vec::new(),
        fresh: HashSet::new(),
    };
    let marked = |state: &State| -> Vec<String> {
        let mut names: Vec<_> = state
            .context
            .runs
            .marked()
            .iter()
            .map(|dir| dir.name())
            .collect();
        names.sort();
        names
    };
    // A copy is no other name.
    let mut state = listed(80, 24);
    press(&mut state, " ");
    let copy = other("id of lively", "copy");
    update(&mut state, start(), Message::Summarised(vec![copy]));
    update(&mut state, start(), searched(&["lively", "copy", "proud"]));
    update(&mut state, start(), Message::RunGone(dir("lively")));
    assert!(!marked(&state).contains(&"copy".to_owned()));
    // The new name is seen before the old one is missed, or after.
    for is_before in [true, false] {
        let mut state = listed(80, 24);
        press(&mut state, " ");
        assert_eq!(marked(&state), ["lively"]);
        let renamed = Message::Summarised(vec![other("id of lively", "renamed")]);
        let ended = searched(&["renamed", "proud"]);
        let messages = if is_before {
            [renamed, ended]
        } else {
            [ended, renamed]
        };
        for message in messages {
            update(&mut state, start(), message);
        }
        assert_eq!(marked(&state), ["renamed"], "before: {is_before}");
    }
}

#[test]
fn marks_are_kept_once_the_cursor_rests_and_when_the_program_ends() {
    let mut state = listed(80, 24);
    assert_eq!(press(&mut state, " "), []);
    let later = start() + 1.second();
    let effects = update(&mut state, later, Message::Woke);
    assert!(effects.contains(&Effect::SaveMarks(vec![dir("lively")])));
    press(&mut state, " ");
    let both = vec![dir("broken"), dir("lively")];
    assert_eq!(press(&mut state, "q")[0], Effect::SaveMarks(both));
    // What is gone for good loses its mark; what could not be searched keeps it.
    let dirs = vec![dir("proud")];
    for (problems, left) in [(vec!["elsewhere".to_owned()], 2), (Vec::new(), 0)] {
        let fresh = HashSet::new();
        let ended = Message::SearchEnded {
            dirs: dirs.clone(),
            problems,
            fresh,
        };
        let effects = update(&mut state, start(), ended);
        let saved = Effect::SaveMarks(Vec::new());
        assert_eq!(effects.contains(&saved), left == 0);
    }
    update(
        &mut state,
        start(),
        Message::MarksLoaded(vec![dir("proud")]),
    );
    assert_eq!(state.context.runs.mark_counts(), (1, 0));
}

#[test]
fn tags_notes_and_stars_of_all_marked_runs_change_at_once_and_back() {
    let mut state = listed(100, 24);
    press(&mut state, "jj  ");
    let dirs = vec![dir("proud"), dir("ancient")];
    let order = |change| Effect::Edit(EditJob::Annotate(dirs.clone(), change));
    // One of them has a star: all are to have one.
    assert!(press(&mut state, "*").contains(&order(Change::Star(true))));
    press(&mut state, "Tpaper -t03");
    insta::assert_snapshot!(text(&drawn(&state)));
    let retag = Change::Retag {
        add: vec!["paper".to_owned()],
        remove: vec!["t03".to_owned()],
    };
    assert_eq!(press(&mut state, "\n"), [order(retag)]);
    press(&mut state, "mwidth 64");
    let line = Change::NoteLine("width 64".to_owned());
    assert_eq!(press(&mut state, "\n"), [order(line)]);
    let undo_entry = UndoEntry::Annotated(Vec::new());
    let problem = Some("notes.toml: is read-only".to_owned());
    let outcome = EditOutcome::Annotated(dirs[..1].to_vec(), Some(undo_entry.clone()), problem);
    let effects = update(&mut state, start(), Message::Edited(outcome));
    assert!(effects.contains(&Effect::Summarise(vec![dir("proud")])));
    assert!(notice(&state).contains("read-only"));
    assert!(press(&mut state, "u").contains(&Effect::Edit(EditJob::Undo(undo_entry))));
}

/// What the disk would say of the last two runs.
pub(in crate::view) fn gathered() -> EditOutcome {
    let known = |name: &str, seed: Option<&str>| {
        let seed = seed.map(|seed| ("seed".to_owned(), Value::Text(seed.to_owned())));
        let model = ("model".to_owned(), Value::Text("resnet_se".to_owned()));
        let accuracy = ("best.val_acc".to_owned(), Value::Number(94.56));
        let values = [model, accuracy].into_iter().chain(seed).collect();
        (dir(name), RunState::Finished, values)
    };
    EditOutcome::Gathered(Box::new(Gathered {
        runs: vec![known("proud", Some("7")), known("ancient", None)],
        taken: ["proud", "ancient", "taken"]
            .map(|name| dir(name).path().to_owned())
            .into(),
        kept: vec!["{model}-{seed}".to_owned(), "{model}".to_owned()],
    }))
}

#[test]
fn marked_runs_are_renamed_by_a_template_with_every_name_shown_first() {
    for (columns, rows) in [(80, 24), (200, 50)] {
        let mut state = listed(columns, rows);
        let effects = press(&mut state, "jj  r");
        let both = vec![dir("proud"), dir("ancient")];
        assert!(effects.contains(&Effect::Edit(EditJob::Gather(both))));
        assert!(text(&drawn(&state)).contains("reading 2 runs"));
        update(&mut state, start(), Message::Edited(gathered()));
        insta::assert_snapshot!(format!("rename_{columns}x{rows}"), text(&drawn(&state)));
        assert!(press(&mut state, "\n").is_empty() && !state.overlays.is_empty());
        let mut code = |code| {
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            update(&mut state, start(), Message::Key(key))
        };
        code(KeyCode::Up);
        control(&mut state, 'u');
        press(&mut state, "taken");
        let shown = text(&drawn(&state));
        assert!(shown.contains("would get the same name"), "{shown}");
        control(&mut state, 'u');
        press(&mut state, "{be");
        assert!(text(&drawn(&state)).contains("best.val_acc"));
        let tab = KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE);
        update(&mut state, start(), Message::Key(tab));
        press(&mut state, "-{x");
        assert!(text(&drawn(&state)).contains("no run has a field that begins with x"));
        for _ in 0..3 {
            let back = KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE);
            update(&mut state, start(), Message::Key(back));
        }
        assert!(text(&drawn(&state)).contains("would get the same name"));
    }
}

#[test]
fn a_plan_without_a_problem_is_carried_out_and_the_marks_go_with_it() {
    let mut state = listed(100, 24);
    press(&mut state, "jj  r");
    let EditOutcome::Gathered(mut known) = gathered() else {
        panic!()
    };
    known.kept[0] = "x{seed}".to_owned();
    known.runs.truncate(1);
    update(
        &mut state,
        start(),
        Message::Edited(EditOutcome::Gathered(known)),
    );
    let effects = press(&mut state, "\n");
    let [Effect::Edit(EditJob::RenameAll(steps, template))] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (steps[0].name.as_deref(), template.as_str()),
        (Some("x7"), "x{seed}")
    );
    let moved = vec![(dir("proud"), dir("x7"))];
    update(
        &mut state,
        start(),
        Message::Edited(EditOutcome::Moved(moved, None)),
    );
    let (found, summary) = aged("x7", RunState::Finished, 94.56, 3);
    update(
        &mut state,
        start(),
        Message::Summarised(vec![(found, summary)]),
    );
    assert_eq!(chosen(&state), ["x7", "ancient"]);
    let not = EditOutcome::NotUndone(UndoEntry::Renamed(Vec::new()), "it is running".to_owned());
    update(&mut state, start(), Message::Edited(not));
    assert!(
        press(&mut state, "u")
            .contains(&Effect::Edit(EditJob::Undo(UndoEntry::Renamed(Vec::new()))))
    );
}

#[test]
fn stopping_marked_runs_asks_and_names_how_many_train() {
    let mut state = listed(80, 24);
    press(&mut state, "A");
    assert_eq!(press(&mut state, "K"), []);
    let shown = text(&drawn(&state));
    assert!(
        shown.contains("Stop 1 run?") && shown.contains("Of the 4 marked runs, 1"),
        "{shown}"
    );
    let stop = Effect::StopAll(vec![dir("lively")]);
    assert_eq!(press(&mut state, "y"), [stop]);
    press(&mut state, "Uj  K");
    assert!(state.overlays.is_empty());
    assert!(notice(&state).contains("none of the 2 marked runs"));
}

#[test]
fn keys_on_a_runs_own_screen_are_about_it_whatever_is_marked() {
    let mut state = listed(100, 24);
    press(&mut state, "  G\n");
    let change = |change| Effect::Edit(EditJob::Annotate(vec![dir("ancient")], change));
    assert_eq!(press(&mut state, "*"), [change(Change::Star(true))]);
    press(&mut state, "mwhy");
    assert!(text(&drawn(&state)).contains("Note of ancient"));
    assert_eq!(
        control(&mut state, 's'),
        [change(Change::Note("why".to_owned()))]
    );
    press(&mut state, "r2");
    let order = EditJob::Rename(dir("ancient"), "ancient2".to_owned());
    assert_eq!(press(&mut state, "\n"), [Effect::Edit(order)]);
    let moved = vec![(dir("ancient"), dir("ancient2"))];
    let outcome = EditOutcome::Moved(moved, None);
    update(&mut state, start(), Message::Edited(outcome));
    let (found, summary) = aged("ancient2", RunState::Stopped, 88.25, 90);
    update(
        &mut state,
        start(),
        Message::Summarised(vec![(found, summary)]),
    );
    assert!(
        text(&drawn(&state)).contains("ancient2"),
        "its screen follows"
    );
    let archive = press(&mut state, "z");
    assert_eq!(
        archive,
        [Effect::Edit(EditJob::ProposeArchive(vec![dir("ancient2")]))]
    );
}

#[test]
fn archived_runs_have_a_sign_and_are_asked_about_before_they_come_back() {
    let mut state = listed(100, 24);
    let (found, mut summary) = aged("proud", RunState::Finished, 94.56, 3);
    summary.archived = Some(20_000_000);
    summary.notes.baseline = true;
    update(
        &mut state,
        start(),
        Message::Summarised(vec![(found, summary)]),
    );
    press(&mut state, "jjz");
    insta::assert_snapshot!(text(&drawn(&state)));
    let back = EditJob::Unarchive(vec![dir("proud")]);
    assert_eq!(press(&mut state, "y"), [Effect::Edit(back)]);
    press(&mut state, "jz");
    let propose = EditOutcome::Proposed(
        "Archive 1 run?".to_owned(),
        "22.6 MB are packed.".to_owned(),
        "archive".to_owned(),
        Box::new(EditJob::Archive(vec![dir("ancient")])),
    );
    update(&mut state, start(), Message::Edited(propose));
    assert!(text(&drawn(&state)).contains("22.6 MB are packed."));
    let archive = EditJob::Archive(vec![dir("ancient")]);
    assert_eq!(press(&mut state, "y"), [Effect::Edit(archive)]);
    let undo_entry = UndoEntry::Archived(Vec::new());
    let done = EditOutcome::Changed(
        vec![dir("ancient")],
        "1 run archived".to_owned(),
        Some(undo_entry.clone()),
        None,
    );
    let effects = update(&mut state, start(), Message::Edited(done));
    assert!(effects.contains(&Effect::Measure(vec![dir("ancient")])));
    assert!(press(&mut state, "u").contains(&Effect::Edit(EditJob::Undo(undo_entry))));
    press(&mut state, "/archived\n");
    assert_eq!(order(&state), ["proud"]);
}
