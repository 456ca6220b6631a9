//! Sweeps, launchers, what was started lately and kept recipes, by keys in, orders and pictures
//! out.

use crate::state::State;
use crate::view::test_driver::notice;
use std::path::PathBuf;
use traintop_analysis::run_history::PastRun;

use jiff::Timestamp;

use super::tests::{go_to, opened, screen};
use super::*;
use crate::jobs::choice::Choice;
use crate::jobs::form::FormOutcome;
use crate::message::Message;
use crate::update::update;
use crate::view::test_driver::press;
use traintop_config::{Launcher, Place};
use traintop_launch::Plan;
use traintop_run::found::Found;
use traintop_run::summary::Summary;

fn tell(state: &mut State, outcome: FormOutcome) -> Vec<Effect> {
    update(state, Timestamp::UNIX_EPOCH, Message::FormDone(outcome))
}

fn launcher(words: &[String]) -> Choice {
    Choice::launcher(Launcher {
        name: "mine".to_owned(),
        command: words.to_vec(),
        gpus: None,
    })
}

fn type_into(state: &mut State, key: &str, text: &str) -> Vec<Effect> {
    go_to(state, key);
    press(state, "e");
    let edit = state.form_mut().edit.as_mut().unwrap();
    edit.typing = Some(Prompt::new(text));
    press(state, "<enter>")
}

/// Works out what was asked for, as the pool would.
fn work_out(state: &mut State, effects: &[Effect]) {
    let asked = effects.iter().rev().find_map(|effect| match effect {
        Effect::Form(FormJob::Plan(number, asked, earlier)) => {
            Some((*number, &asked.0, &asked.1, earlier))
        }
        _ => None,
    });
    let (number, request, wanted, earlier) = asked.expect("nothing was asked for");
    let worked = Plan::of(request, wanted.clone(), earlier).map(|plan| {
        let cost = plan.cost();
        let (runs, cost) = (cost.runs, cost.sentence(1));
        Arc::new(Worked { plan, runs, cost })
    });
    tell(state, FormOutcome::Planned(number, worked));
}

/// A finished run of `quick` with this seed.
fn finished(place: &Path, seed: u64) -> PastRun {
    let dir = RunDir::new(place.join(format!("seed{seed}")));
    std::fs::create_dir_all(dir.logs()).unwrap();
    let quick = traintop_recipe::load(Path::new("quick")).unwrap();
    let recipe = traintop_recipe::Recipe {
        num_epochs: 2,
        seed,
        ..quick
    };
    let config = serde_json::Value::from(recipe.to_json());
    std::fs::write(dir.config_json(), config.to_string()).unwrap();
    let rows = "epoch,val_acc,time_elapsed,memory_used_mb\n1,50.0,30,300\n2,60.0,60,400\n";
    std::fs::write(dir.metrics_csv(), rows).unwrap();
    PastRun::of(&Summary::load(
        &Found::look(dir),
        std::time::SystemTime::now(),
    ))
}

/// The form with what two finished runs tell, whose seeds are 1 and 2.
fn with_earlier() -> (State, tempfile::TempDir) {
    let place = tempfile::tempdir().unwrap();
    let mut state = opened();
    let past = [1, 2].map(|seed| finished(place.path(), seed));
    let earlier = Arc::new(RunHistory::of(past));
    assert!(tell(&mut state, FormOutcome::Learnt(earlier, Vec::new(), None)).is_empty());
    press(&mut state, "<enter>");
    type_into(&mut state, "num_epochs", "2");
    (state, place)
}

#[test]
fn several_values_are_a_sweep_with_its_cost_and_what_is_done_before_it_is_queued() {
    let (mut state, _place) = with_earlier();
    let shown = screen(&state, 80, 24);
    assert!(shown.contains("about 1m 00s by 2 runs like it"), "{shown}");
    assert!(
        shown.contains("memory 419 MB at most in 2 runs like it"),
        "{shown}"
    );

    let effects = type_into(&mut state, "seed", "1..3");
    assert!(screen(&state, 80, 24).contains("it is being worked out"));
    assert!(press(&mut state, "s").is_empty());
    assert!(
        !state.overlays.has_dialog(),
        "asked before it was worked out"
    );
    work_out(&mut state, &effects);
    assert!(state.overlays.has_dialog(), "forgot what was wanted");
    press(&mut state, "<esc>");
    insta::assert_snapshot!("sweep_80x24", screen(&state, 80, 24));

    let effects = press(&mut state, "x");
    work_out(&mut state, &effects);
    insta::assert_snapshot!("sweep_200x50", screen(&state, 200, 50));
    go_to(&mut state, "skip_done");
    let last = screen(&state, 200, 50);
    assert!(last.contains("▌* skip_done"), "{last}");
    press(&mut state, "s");
    let asked = screen(&state, 80, 24);
    assert!(
        asked.contains("Queue 1 run?") && asked.contains("2 more finished already"),
        "{asked}"
    );
    let effects = press(&mut state, "y");
    let [Effect::Form(FormJob::Queue(worked, Some(recent), Place::Local))] = &effects[..] else {
        panic!("{effects:?}");
    };
    let queued: Vec<String> = worked
        .plan
        .queued()
        .map(|planned| planned.point.label())
        .collect();
    assert_eq!(queued, ["seed=3"]);
    assert_eq!(recent.label(), "seed=1..3 num_epochs=2 skip_done=true");
    tell(
        &mut state,
        FormOutcome::Queued(Ok(vec![RunDir::new("/runs/a")]), Place::Local),
    );
    assert!(state.shows_table_alone());
}

#[test]
fn a_sample_is_asked_for_and_a_sweep_of_wrong_points_says_why() {
    let (mut state, _place) = with_earlier();
    type_into(&mut state, "seed", "1..9");
    let effects = type_into(&mut state, "sample", "4");
    work_out(&mut state, &effects);
    let shown = screen(&state, 80, 24);
    assert!(
        shown.contains("sweep of 4 points, drawn at random with seed 0"),
        "{shown}"
    );

    let effects = type_into(&mut state, "width", "[4, 16]");
    work_out(&mut state, &effects);
    let shown = screen(&state, 80, 24);
    assert!(
        shown.contains("✗ ") && shown.contains("se_reduction must be"),
        "{shown}"
    );
    press(&mut state, "s");
    assert!(
        state
            .context
            .notice
            .as_ref()
            .is_some_and(|notice| notice.bad)
    );
    // One value in brackets is one value, and the recipe's own makes it no sweep again.
    let effects = type_into(&mut state, "width", "[16]");
    work_out(&mut state, &effects);
    go_to(&mut state, "seed");
    press(&mut state, "d");
    assert!(!state.form_mut().edit.as_ref().unwrap().is_sweep());
    assert!(!screen(&state, 80, 24).contains("sweep of"));
}

#[test]
fn a_comma_in_a_text_is_a_comma_and_a_bad_list_says_why() {
    let (mut state, _place) = with_earlier();
    type_into(&mut state, "data_dir", "/data/a, b");
    let edit = state.form_mut().edit.as_ref().unwrap();
    assert!(!edit.is_sweep() && edit.values.data_dir == "/data/a, b");
    type_into(&mut state, "momentum", "0.9, 1.5");
    assert!(state.form_mut().is_typing());
    let shown = screen(&state, 80, 24);
    assert!(
        shown.contains("✗ momentum must be in [0, 1), got 1.5"),
        "{shown}"
    );
    press(&mut state, "<esc>");
    type_into(&mut state, "time_limit", "soon");
    let shown = screen(&state, 80, 24);
    assert!(
        shown.contains("time_limit must be a length of time"),
        "{shown}"
    );
}

#[test]
fn a_time_limit_goes_along_and_what_was_started_is_offered_again() {
    let (mut state, _place) = with_earlier();
    type_into(&mut state, "time_limit", "90m");
    let effects = press(&mut state, "sy");
    let [Effect::Launch(request), Effect::Form(FormJob::Note(recent))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(request.time_limit_s, Some(5400));
    assert_eq!(recent.label(), "num_epochs=2 time_limit=90m");
    let recent = vec![Recent::clone(recent)];

    press(&mut state, "n<enter>");
    for key in ["num_epochs", "time_limit"] {
        go_to(&mut state, key);
        press(&mut state, "d");
    }
    assert!(state.form_mut().edit.as_ref().unwrap().changed().is_empty());
    press(&mut state, "v");
    assert!(!state.overlays.has_dialog() && state.context.notice.is_some());
    tell(
        &mut state,
        FormOutcome::Learnt(Arc::default(), recent, None),
    );
    press(&mut state, "v");
    let shown = screen(&state, 80, 24);
    assert!(shown.contains("num_epochs=2 time_limit=90m"), "{shown}");
    press(&mut state, "<enter>");
    let changed = state.form_mut().edit.as_ref().unwrap().changed();
    let keys: Vec<&str> = changed.iter().map(|field| field.key).collect();
    assert_eq!(keys, ["num_epochs", "time_limit"]);
}

#[test]
fn what_is_read_after_the_form_was_opened_counts_too() {
    let mut state = opened();
    let message = Message::SearchEnded {
        dirs: Vec::new(),
        fresh: std::collections::HashSet::new(),
        problems: Vec::new(),
    };
    let effects = update(&mut state, Timestamp::UNIX_EPOCH, message);
    let learns = |effect: &Effect| matches!(effect, Effect::Form(FormJob::Learn(_)));
    assert_eq!(effects.iter().filter(|effect| learns(effect)).count(), 1);
    let effects = press(&mut state, "j");
    assert!(!effects.iter().any(learns), "once is enough");
}

#[test]
fn a_launcher_is_started_with_what_was_typed_behind_it() {
    let mut state = opened();
    let mut choices = Choice::shipped();
    let words = ["python", "train.py", "--out", "{run_dir}"].map(str::to_owned);
    choices.push(launcher(&words));
    state.form_mut().offer(choices);
    press(&mut state, "G");
    assert!(screen(&state, 80, 24).contains("▌ launcher mine"));
    press(&mut state, "<enter>");
    type_into(&mut state, "arguments", "--lr 0.1 'a b");
    assert!(state.form_mut().is_typing(), "an open quote was accepted");
    press(&mut state, "<esc>");
    type_into(&mut state, "arguments", "--lr 0.1 'a b'");
    insta::assert_snapshot!("launcher_80x24", screen(&state, 80, 24));
    let effects = press(&mut state, "wy");
    let [
        Effect::Form(FormJob::Launch(launch, true)),
        Effect::Form(FormJob::Note(recent)),
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        (&*launch.launcher.name, &launch.launcher.command[..]),
        ("mine", &words[..])
    );
    assert_eq!(launch.arguments, ["--lr", "0.1", "a b"]);
    assert_eq!(launch.output_dir, PathBuf::from("runs"));
    assert_eq!(recent.launcher.as_deref(), Some("mine"));
}

#[test]
fn a_launchers_command_goes_to_slurm_where_the_form_says_so() {
    let mut state = opened();
    let mut choices = Choice::shipped();
    choices.push(launcher(&["true".to_owned()]));
    state.form_mut().offer(choices);
    press(&mut state, "G<enter>");
    let learnt = FormOutcome::Learnt(Arc::default(), Vec::new(), Some(Place::Local));
    tell(&mut state, learnt);
    go_to(&mut state, "where");
    press(&mut state, "<right>");
    let effects = press(&mut state, "sy");
    let [Effect::Form(FormJob::SubmitCommand(launch)), _] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(launch.launcher.name, "mine");
}

#[test]
fn what_the_form_holds_is_kept_under_a_name_and_asks_before_it_replaces() {
    let (mut state, _place) = with_earlier();
    press(&mut state, "Sa/b");
    assert!(screen(&state, 80, 24).contains("a name of letters"));
    assert!(press(&mut state, "<enter>").is_empty() && state.overlays.has_dialog());
    press(&mut state, "<esc>Smine");
    insta::assert_snapshot!("save_80x24", screen(&state, 80, 24));
    let effects = press(&mut state, "<enter>");
    let [Effect::Form(FormJob::Save(saving))] = &effects[..] else {
        panic!("{effects:?}");
    };
    assert_eq!((&*saving.name, saving.replaces), ("mine", false));
    assert_eq!(saving.description, "quick with num_epochs=2");
    tell(&mut state, FormOutcome::Taken(saving.clone()));
    assert!(screen(&state, 80, 24).contains("There is configs/mine.toml already."));
    let effects = press(&mut state, "y");
    assert!(matches!(&effects[..], [Effect::Form(FormJob::Save(again))] if again.replaces));
    let effects = tell(&mut state, FormOutcome::Saved("configs/mine.toml".into()));
    assert_eq!(effects, [Effect::ListRecipes]);

    type_into(&mut state, "seed", "1,2");
    press(&mut state, "S");
    assert!(!state.overlays.has_dialog(), "a sweep was to be kept");
}

#[test]
fn where_it_trains_is_asked_only_where_there_is_slurm() {
    let mut state = opened();
    press(&mut state, "<enter>");
    let has = |state: &mut State, key: &str| {
        let edit = state.form_mut().edit.as_ref().unwrap();
        edit.rows().iter().any(|field| field.key == key)
    };
    assert!(!has(&mut state, "where") && !has(&mut state, "requeue"));
    let learnt = FormOutcome::Learnt(Arc::default(), Vec::new(), Some(Place::Local));
    tell(&mut state, learnt);
    assert!(has(&mut state, "where") && has(&mut state, "requeue"));
    go_to(&mut state, "where");
    press(&mut state, "<right>");
    let shown = screen(&state, 80, 24);
    assert!(shown.contains("where"), "{shown}");
    let effects = press(&mut state, "sy");
    let is_submitted = |effect: &Effect| matches!(effect, Effect::Form(FormJob::Submit(_)));
    assert!(effects.iter().any(is_submitted), "{effects:?}");
    assert!(notice(&state).starts_with("submitting to Slurm: "));
    let handed = FormOutcome::Queued(Ok(vec![RunDir::new("/runs/a")]), Place::Slurm);
    tell(&mut state, handed);
    assert_eq!(
        notice(&state),
        "submitted a to Slurm; w shows the pending runs"
    );
}

#[test]
fn where_runs_are_jobs_unless_somebody_says_otherwise_a_sweep_is_handed_over_too() {
    let mut state = opened();
    press(&mut state, "<enter>");
    let learnt = FormOutcome::Learnt(Arc::default(), Vec::new(), Some(Place::Slurm));
    tell(&mut state, learnt);
    let edit = state.form_mut().edit.as_ref().unwrap();
    assert!(edit.place() == Place::Slurm && edit.changed().is_empty());
    press(&mut state, "sy");
    assert!(notice(&state).starts_with("submitting to Slurm: "));
}
