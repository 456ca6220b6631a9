//! Output folders as the trainer leaves them while it trains, when it ends, and when it is used
//! again.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::super::tests::Tree;
use super::STATE;
use crate::state::State;
use crate::summary::Summary;

/// A state of a run of 40 steps, with a loss every 5 steps.
fn state(step: u32, loss: f64) -> String {
    let lines = (1..=step / 5).map(|at| {
        let at = at * 5;
        format!("{{\"loss\": {loss}, \"step\": {at}}}")
    });
    let lines: Vec<String> = lines.collect();
    format!(
        "{{\"global_step\": {step}, \"max_steps\": 40, \"log_history\": [{}]}}",
        lines.join(", ")
    )
}

/// A run with these checkpoints: their steps, losses, and how many minutes ago they were written.
fn summary(checkpoints: &[(u32, f64, u64)]) -> Summary {
    let tree = Tree::new(&[]);
    for (step, loss, minutes) in checkpoints {
        let path = format!("out/checkpoint-{step}/{STATE}");
        tree.write(&path, &state(*step, *loss));
        let file = fs::File::options()
            .append(true)
            .open(tree.0.path().join(path));
        let time = SystemTime::now() - Duration::from_secs(60 * minutes);
        file.unwrap().set_modified(time).unwrap();
    }
    tree.summary()
}

#[test]
fn the_last_run_in_a_folder_that_was_used_again_counts() {
    for (checkpoints, steps, loss) in [
        (&[(20, 1.0, 9), (40, 1.0, 8)][..], 40, 1.0),
        (&[(10, 2.0, 2), (20, 2.0, 1), (40, 1.0, 8)], 20, 2.0),
        // Copied in another order.
        (&[(10, 1.0, 1), (20, 1.0, 2), (40, 1.0, 3)], 40, 1.0),
        // Used again, and further than before.
        (&[(10, 1.0, 8), (20, 2.0, 2), (40, 2.0, 1)], 40, 2.0),
    ] {
        let summary = summary(checkpoints);
        assert_eq!(
            (summary.steps_done, summary.last("loss")),
            (Some(steps), Some(loss)),
            "{checkpoints:?}"
        );
        let is_finished = summary.observed.state == State::Finished;
        assert_eq!(is_finished, steps == 40, "{checkpoints:?}");
    }
}

/// A state with a line for each step, as it was written at this second.
fn write_state(folder: &Path, name: &str, losses: &[(u32, f64)], second: u64) {
    let lines = losses
        .iter()
        .map(|(step, loss)| serde_json::json!({"step": step, "loss": loss}));
    let state = serde_json::json!({
        "global_step": losses.last().unwrap().0, "log_history": lines.collect::<Vec<_>>(),
    });
    let path = folder.join(name).join(STATE);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, state.to_string()).unwrap();
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(written).unwrap();
}

#[test]
fn the_last_state_is_that_of_the_training_that_wrote_last() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let losses = || {
        let points = super::read(folder, &super::files(folder)).unwrap();
        points.metrics().column("loss").unwrap().y.clone()
    };
    let old = [(10, 4.0), (20, 3.0), (30, 2.0)];
    // Copied in another order, they are of one training still.
    write_state(folder, "checkpoint-30", &old, 100);
    write_state(folder, "checkpoint-20", &old[..2], 200);
    assert_eq!(losses(), [4.0, 3.0, 2.0]);
    // Resumed at 10, or the folder used again.
    write_state(folder, "checkpoint-20", &[(10, 4.0), (20, 2.5)], 300);
    assert_eq!(losses(), [4.0, 2.5]);
    write_state(folder, "checkpoint-10", &[(10, 9.0)], 400);
    assert_eq!(losses(), [9.0]);
    write_state(folder, "", &[(10, 9.0), (15, 8.0)], 500);
    assert_eq!(losses(), [9.0, 8.0]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// A run that `transformers` itself made.
fn made(name: &str) -> Tree {
    let tree = Tree::new(&[]);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/trainers");
    copy(
        &fixtures.join("transformers").join(name),
        &tree.0.path().join(name),
    );
    tree
}

#[test]
fn the_arguments_of_the_trainer_are_read_and_say_what_counts() {
    let summary = made("whole").summary();
    for setting in [
        ("learning_rate", "0.02"),
        ("lr_scheduler_type", "linear"),
        ("eval_strategy", "epoch"),
        ("network.hidden_size", "8"),
    ] {
        assert!(summary.settings.has(setting), "{setting:?}");
    }
    assert_eq!(summary.model, "bert");
    let best = summary.best.unwrap();
    assert_eq!(
        (best.metric.as_str(), best.guessed),
        ("eval_accuracy", false)
    );
    assert_eq!(summary.observed.state, State::Finished);
}

#[test]
fn what_was_logged_after_the_last_checkpoint_is_read_from_the_event_file() {
    let tree = made("killed");
    assert_eq!(tree.paths(), ["killed"]);
    let summary = tree.summary();
    // Saved at 10, killed in step 18.
    assert_eq!(
        (summary.steps_done, summary.steps_planned),
        (Some(15), Some(30))
    );
    assert!(summary.started_at.is_some() && summary.duration.is_some());
    assert_eq!(summary.observed.state, State::Stopped);
    let best = summary.best.as_ref().unwrap();
    assert_eq!(
        (best.metric.as_str(), best.guessed, best.step),
        ("eval_loss", false, Some(10))
    );
}

#[test]
fn a_run_is_known_by_its_folder_before_its_first_checkpoint() {
    let tree = made("killed");
    fs::remove_dir_all(tree.0.path().join("killed/checkpoint-10")).unwrap();
    assert_eq!(tree.paths(), ["killed"]);
    let summary = tree.summary();
    assert_eq!(
        (summary.trainer.as_str(), summary.steps_done),
        ("Hugging Face", Some(15))
    );
    assert_eq!(summary.epochs_planned, Some(3));
    assert_eq!(summary.observed.state, State::Stopped);
    assert_eq!(summary.best.unwrap().metric, "eval_loss");
    // Another folder's output, as of a project whose runs log into one place.
    let root = tree.0.path();
    fs::rename(root.join("killed"), root.join("project")).unwrap();
    assert_eq!(tree.paths(), ["project/runs/Sep21_14-13-20_host"]);
}

#[test]
fn a_start_after_the_last_checkpoint_is_the_run_that_is_shown() {
    let tree = made("killed");
    let old = tree.0.path().join("killed/checkpoint-10").join(STATE);
    let file = fs::File::options().append(true).open(old).unwrap();
    let before_the_log = SystemTime::UNIX_EPOCH + Duration::from_secs(1_780_000_000);
    file.set_modified(before_the_log).unwrap();
    let summary = tree.summary();
    assert_eq!(summary.rows, 3);
    assert_eq!(summary.epochs_planned, Some(3));
    assert!(summary.settings.has(("learning_rate", "0.02")));
}

#[test]
fn what_the_best_was_chosen_by_is_the_metric_with_its_value_where_it_was_saved() {
    let state = r#"{"global_step": 20, "max_steps": 20, "best_metric": 0.5, "best_model_checkpoint": "out/checkpoint-20",
        "log_history": [{"eval_f1": 0.5, "eval_wer": 0.9, "step": 10}, {"eval_f1": 0.4, "eval_wer": 0.5, "step": 20}]}"#;
    let tree = Tree::new(&[("out/checkpoint-20/trainer_state.json", state)]);
    let best = tree.summary().best.unwrap();
    assert_eq!((best.metric.as_str(), best.value), ("eval_wer", 0.5));
}

#[test]
fn a_state_that_is_not_whole_is_passed_over_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_state(folder, "checkpoint-10", &[(10, 4.0)], 100);
    write_state(folder, "checkpoint-20", &[(10, 4.0), (20, 3.0)], 200);
    let last = folder.join("checkpoint-20").join(STATE);
    let text = fs::read_to_string(&last).unwrap();
    fs::write(&last, &text[..text.len() / 2]).unwrap();
    let points = super::read(folder, &super::files(folder)).unwrap();
    assert_eq!(points.metrics().column("loss").unwrap().y, [4.0]);
    let what = &points.metrics().problems[0].what;
    assert!(
        what.contains("checkpoint-20/trainer_state.json is not whole"),
        "{what}"
    );
}

#[test]
fn lines_of_llama_factory_go_on_where_the_last_checkpoint_ends() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_state(folder, "checkpoint-20", &[(10, 4.0), (20, 3.0)], 100);
    let line = |step: u32, loss: f64| {
        format!(
            "{{\"current_steps\": {step}, \"total_steps\": 40, \"loss\": {loss}, \"lr\": 0.1}}\n"
        )
    };
    let lines = [(10, 4.0), (20, 3.0), (30, 2.5)].map(|(step, loss)| line(step, loss));
    fs::write(folder.join(super::LINES), lines.concat()).unwrap();
    let points = super::read(folder, &super::files(folder)).unwrap();
    assert_eq!(points.metrics().column("loss").unwrap().y, [4.0, 3.0, 2.5]);
    assert_eq!(points.metrics().column("learning_rate").unwrap().x, [30.0]);
}
