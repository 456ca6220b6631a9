//! The command line as scripts use it, with a shell script as the worker.

mod away;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::dashboard::foreign_files;
use crate::fake_worker::{ONE_EPOCH, Reaped, Run, UNTIL_STOPPED, Workplace, wait_for};

fn signal(pid: u64, name: &str) {
    assert!(
        Command::new("kill")
            .args(["-s", name, &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// A field of `/proc/PID/stat`, counted from 1 as in its manual.
fn stat(pid: u64, field: usize) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = &stat[stat.rfind(')').unwrap() + 2..];
    after_name
        .split(' ')
        .nth(field - 3)
        .unwrap()
        .parse()
        .unwrap()
}

fn pid_of(run: &Run) -> u64 {
    run.record()["pid"].as_u64().unwrap()
}

#[test]
fn detached_run_has_its_own_session_and_is_stopped_by_name() {
    let place = Workplace::new(UNTIL_STOPPED);
    let run = place.start_detached();
    run.wait_for_state("running");
    let pid = pid_of(&run);
    let session = stat(pid, 6);
    assert_eq!(session, pid);
    assert_ne!(session, stat(std::process::id().into(), 6));
    assert_eq!(run.record()["pid_started"], stat(pid, 22));
    wait_for("both streams", || {
        run.text("logs/worker.out")
            .contains("to stdout\nto stderr\n")
    });

    wait_for("metrics", || {
        run.text("logs/training.log").contains("epoch 1")
    });
    assert_eq!(place.json(&["show", "quick", "--json"])["state"], "running");
    let printed = place.stdout(&["stop", &run.name()[..6]]);
    let name = run.record()["name"].as_str().unwrap().to_owned();
    assert!(name.starts_with("quick "), "{name}");
    assert_eq!(
        printed,
        format!("{name}: asked to stop; it finishes its step and saves\n")
    );
    run.wait_for_state("stopped");
    assert_eq!(
        place.refusal(&["stop", "quick"], 1),
        format!("{name} is not running: it is stopped")
    );
}

#[test]
fn run_folder_holds_the_resolved_command_from_the_first_instant() {
    let place = Workplace::new(UNTIL_STOPPED);
    let arguments = [
        "train",
        "--config",
        "quick",
        "--set",
        "num_epochs=3",
        "--set",
        "output_dir=out",
        "--detach",
    ];
    let run = Run(place.stdout(&arguments).trim_end().into());
    assert!(
        run.0.starts_with(
            place
                .path()
                .canonicalize()
                .unwrap()
                .join("out/training_runs")
        )
    );
    let record = run.record();
    assert_eq!(record["epochs_planned"], json!(3));
    // The experiment, and when it began: the folder's own time.
    let folder = run.name();
    let began: Vec<_> = folder.splitn(6, '_').skip(3).collect();
    let name = record["name"].as_str().unwrap();
    assert!(
        name.starts_with("quick ") && name.ends_with(&began.join(":")),
        "{name}"
    );
    assert!(
        record["command"]
            .as_array()
            .unwrap()
            .contains(&json!("num_epochs=3"))
    );
    run.wait_for_state("running");
    signal(pid_of(&run), "TERM");
    run.wait_for_state("stopped");
}

#[test]
fn tags_and_notes_are_kept_in_the_run_folder_and_listed() {
    let place = Workplace::new(ONE_EPOCH);
    let run = place.start_detached();
    run.wait_for_state("finished");
    let name = run.name();
    assert_eq!(place.stdout(&["tag", &name]), "no tags\n");
    let printed = place.stdout(&["tag", "--star", "yes", &name, "+paper", "good"]);
    assert_eq!(printed, "paper  good  ★ starred\n");
    let notes = place.json(&["tag", &name, "-good", "--json"]);
    assert_eq!(
        (&notes["tags"], &notes["star"]),
        (&json!(["paper"]), &json!(true))
    );
    assert_eq!(place.stdout(&["note", &name, "seed 3"]), "seed 3\n");
    assert!(run.text("notes.toml").contains("note = \"seed 3\""));
    let listed = place.json(&["list", "--json"]);
    assert_eq!(listed[0]["note"], "seed 3");
    // A change of the notes alone is seen by the next list, which has the run in its cache.
    place.stdout(&["note", &name, ""]);
    assert_eq!(place.json(&["list", "--json"])[0]["note"], "");
    assert_eq!(
        place.json(&["show", &name, "--json"])["tags"],
        json!(["paper"])
    );
    let problem = place.refusal(&["tag", &name, &"x".repeat(65)], 1);
    assert!(problem.contains("at most 64 characters"), "{problem}");
}

#[test]
fn several_runs_are_tagged_and_noted_at_once() {
    let place = Workplace::new(ONE_EPOCH);
    let runs = [place.start_detached(), place.start_detached()];
    for run in &runs {
        run.wait_for_state("finished");
    }
    let [first, second] = runs.each_ref().map(crate::fake_worker::Run::name);
    place.stdout(&["tag", &first, "draft"]);
    let printed = place.stdout(&["tag", "+paper", "-draft", &first, &second]);
    assert_eq!(printed, format!("{first}: paper\n{second}: paper\n"));
    let notes = place.json(&["note", "--json", "--text", "for the talk", &first, &second]);
    let texts: Vec<_> = notes
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["note"])
        .collect();
    assert_eq!(texts, ["for the talk", "for the talk"]);
    // All are found before any is changed.
    let problem = place.refusal(&["tag", "+late", &first, "absent"], 1);
    assert!(problem.contains("\"absent\" is neither"), "{problem}");
    assert_eq!(place.stdout(&["tag", &first]), "paper\n");
    let problem = place.refusal(&["tag", "+late"], 1);
    assert!(problem.contains("there is no run after +late"), "{problem}");
    let problem = place.refusal(&["note", &first, "two", "words"], 1);
    assert!(problem.contains("--text TEXT RUN RUN"), "{problem}");
    // A name for lists alone, of both; the folders stay.
    place.stdout(&[
        "rename",
        &first,
        &second,
        "--display",
        "--to",
        "twin {n}",
        "--yes",
    ]);
    let listed = place.json(&["list", "--json"]);
    let mut names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["name"].to_string())
        .collect();
    names.sort();
    assert_eq!(names, ["\"twin 1\"", "\"twin 2\""]);
    assert_eq!(place.json(&["tag", &first, "--json"])["name"], "twin 1");
}

#[test]
fn runs_are_renamed_by_a_template_after_a_dry_run() {
    let place = Workplace::new(ONE_EPOCH);
    let run = place.start_detached();
    run.wait_for_state("finished");
    let template = "{state}_acc{best.val_acc:.2f}_epoch{best.epoch}";
    let dry = place.stdout(&["rename", &run.name(), "--to", template]);
    assert!(
        dry.contains("_acc61.25_epoch1") && dry.contains("--yes does it"),
        "{dry}"
    );
    assert!(run.0.exists());
    let refused = place.output(&[
        "rename",
        &run.name(),
        "--to",
        "{nothing}",
        "--yes",
        "--json",
    ]);
    assert_eq!(refused.status.code(), Some(1));
    let plan: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(plan["runs"][0]["problem"], "it has no nothing");
    let done = place.json(&["rename", &run.name(), "--to", template, "--yes", "--json"]);
    let new = Run(done["runs"][0]["new_path"].as_str().unwrap().into());
    assert!(!run.0.exists());
    assert_eq!(new.record()["name"], new.name());
    place.stdout(&[
        "rename",
        &new.name(),
        "--to",
        "for lists",
        "--display",
        "--yes",
    ]);
    assert_eq!(place.json(&["list", "--json"])[0]["name"], "for lists");
    assert!(new.0.exists());
}

#[test]
fn followed_run_prints_its_folder_its_log_and_its_end() {
    let place = Workplace::new(ONE_EPOCH);
    let printed = place.stdout(&["train", "--config", "quick"]);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(lines[0].contains("/runs/training_runs/"));
    assert_eq!(lines[1], "[2026-01-02 03:04:05] epoch 1 done");
    assert!(lines[2].starts_with("finished: "), "{printed}");
}

#[test]
fn interrupted_run_stops_gracefully() {
    let place = Workplace::new(UNTIL_STOPPED);
    let mut child = Reaped(
        place
            .traintop(&["train", "--config", "quick"])
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(child.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let run = Run(lines.next().unwrap().into());
    assert_eq!(lines.next().unwrap(), "[2026-01-02 03:04:05] epoch 1 done");
    signal(child.0.id().into(), "INT");
    let rest: Vec<String> = lines.collect();
    assert!(
        rest.iter()
            .any(|line| line.starts_with("stopping: it finishes its step")),
        "{rest:?}"
    );
    assert!(rest.iter().any(|line| line.ends_with("saving")), "{rest:?}");
    assert!(rest.last().unwrap().starts_with("stopped: "), "{rest:?}");
    assert!(child.0.wait().unwrap().success());
    assert_eq!(run.record()["state"], "stopped");
}

#[test]
fn run_outlives_the_program_that_started_it() {
    let place = Workplace::new(UNTIL_STOPPED);
    let mut child = Reaped(
        place
            .traintop(&["train", "--config", "quick"])
            .spawn()
            .unwrap(),
    );
    let mut first = String::new();
    BufReader::new(child.0.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let run = Run(first.trim_end().into());
    run.wait_for_state("running");
    signal(child.0.id().into(), "KILL");
    child.0.wait().unwrap();
    assert_eq!(place.json(&["list", "--json"])[0]["state"], "running");
    place.stdout(&["stop", run.0.to_str().unwrap()]);
    run.wait_for_state("stopped");
}

#[test]
fn worker_without_its_libraries_fails_with_the_loaders_line_and_what_to_do() {
    let loader = "traintop-worker: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file";
    let place = Workplace::new(&format!("echo '{loader}' >&2; exit 127"));
    let printed = place.refusal(&["train", "--config", "quick"], 1);
    assert!(
        printed.contains(loader) && printed.contains("run `make setup`"),
        "{printed}"
    );
    let run = &place.json(&["list", "--json"])[0];
    assert_eq!(run["state"], "failed");
    assert!(run["state_reason"].as_str().unwrap().contains(loader));
}

#[test]
fn worker_that_is_not_there_is_a_failed_run_that_says_so() {
    let place = Workplace::new(ONE_EPOCH);
    fs::remove_file(place.path().join("worker.sh")).unwrap();
    let run = place.start_detached();
    run.wait_for_state("failed");
    let reason = run.record()["exit"]["reason"].to_string();
    assert!(reason.contains("worker.sh: cannot be started"), "{reason}");
}

#[test]
fn wrong_recipes_are_refused_before_anything_is_made() {
    let place = Workplace::new(ONE_EPOCH);
    fs::write(
        place.path().join("bad.toml"),
        "seed = 1\n\nmomentum = 1.5\nwidht = 8\n",
    )
    .unwrap();
    let sentence = "bad.toml:3: momentum must be in [0, 1), got 1.5 (and 1 more)";
    for command in [
        &["train", "--config", "bad.toml"][..],
        &["recipe", "bad.toml"],
    ] {
        assert_eq!(place.refusal(command, 1), sentence);
    }
    let sentence = "--set momentum=1.5: momentum must be in [0, 1), got 1.5";
    assert_eq!(
        place.refusal(&["train", "--config", "quick", "--set", "momentum=1.5"], 1),
        sentence
    );
    assert!(!place.path().join("runs").exists());
    assert!(
        place
            .refusal(&["train", "--config", "quick", "--set", "momentum"], 2)
            .contains("expected key=value")
    );
    place.refusal(&["train"], 2);
}

fn foreign(place: &Workplace, name: &str, rows: &str) {
    foreign_files(place.path(), name, rows, 2);
}

#[test]
fn list_as_json_states_every_run_and_each_columns_last_value() {
    let place = Workplace::new(ONE_EPOCH);
    assert_eq!(place.json(&["list", "--json"]), json!([]));
    foreign(
        &place,
        "a",
        "epoch,train_loss,val_loss,val_acc\n1,2.5,2.25,30.5\n2,nan,inf,29.5\n",
    );
    for arguments in [
        &["list", "--json"][..],
        &["--json"],
        &["runs", "--json"],
        &["list", "runs", "runs/a", "--json"],
    ] {
        let runs = place.json(arguments);
        assert_eq!(runs.as_array().unwrap().len(), 1, "{arguments:?}");
        let run = &runs[0];
        assert_eq!(
            run["path"],
            json!(place.path().join("runs/a").canonicalize().unwrap())
        );
        assert_eq!(
            (&run["name"], &run["model"]),
            (&json!("a"), &json!("resnet_small"))
        );
        assert_eq!(
            (&run["state"], &run["state_is_deduced"]),
            (&json!("finished"), &json!(true))
        );
        assert_eq!(
            (&run["epochs_done"], &run["epochs_planned"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(
            (&run["best_val_acc"], &run["best_epoch"]),
            (&json!(30.5), &json!(1))
        );
        let last = json!({"epoch": 2.0, "train_loss": "NaN", "val_loss": "inf", "val_acc": 29.5});
        let mut stated = run["last"].clone();
        stated["epoch"] = json!(2.0);
        assert_eq!(stated, last);
        assert!(run["size_bytes"].as_u64().unwrap() > 0);
    }
    let shown = place.json(&["show", "a", "--json"]);
    assert_eq!(
        shown["metrics"]["columns"]["train_loss"],
        json!({"x": [1.0, 2.0], "y": [2.5, "NaN"]})
    );
    assert_eq!(shown["config"]["num_epochs"], 2);
}

#[test]
fn list_without_a_terminal_is_an_aligned_table() {
    let place = Workplace::new(ONE_EPOCH);
    assert_eq!(
        place.stdout(&[]),
        "no runs below runs; `traintop train --config quick` starts one\n"
    );
    foreign(&place, "short", "epoch,val_acc\n1,30.5\n");
    foreign(&place, "a_longer_name", "epoch,val_acc\n1,30.5\n2,60.25\n");
    let printed = place.stdout(&[]);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    let end = lines[0].find("BEST val_acc %").unwrap() + "BEST val_acc %".len();
    let values = [lines[1], lines[2]].map(|line| line[..end].split_whitespace().last());
    assert!(
        values.contains(&Some("60.25")) && values.contains(&Some("30.50")),
        "{printed}"
    );
    assert!(printed.contains("finished?"), "{printed}");
}

#[test]
fn hostile_names_and_values_do_not_reach_the_terminal() {
    let place = Workplace::new(ONE_EPOCH);
    foreign(
        &place,
        "evil\u{1b}]0;owned\u{7}",
        "epoch,\u{1b}[31mred\n1,2\n",
    );
    for arguments in [&["list"][..], &["show", "evil"]] {
        let printed = place.stdout(arguments);
        assert!(printed.contains("evil"), "{printed}");
        assert!(
            !printed.contains(|char: char| char.is_control() && char != '\n'),
            "{printed:?}"
        );
    }
}

#[test]
fn run_is_named_by_folder_or_the_beginning_of_its_name() {
    let place = Workplace::new(ONE_EPOCH);
    for name in ["alpha", "alpine", "beta"] {
        foreign(&place, name, "epoch,val_acc\n1,30.5\n");
    }
    for word in ["beta", "b", "runs/beta", "runs/beta/logs"] {
        assert_eq!(
            place.json(&["show", word, "--json"])["name"],
            "beta",
            "{word}"
        );
    }
    let ambiguous = place.refusal(&["show", "alp"], 1);
    assert!(
        ambiguous.contains("alpha") && ambiguous.contains("alpine") && !ambiguous.contains("beta"),
        "{ambiguous}"
    );
    assert!(
        place
            .refusal(&["show", "gamma"], 1)
            .contains("`traintop list` lists them")
    );
    assert!(
        place
            .refusal(&["list", "nowhere"], 1)
            .starts_with("nowhere: ")
    );
    assert!(
        place
            .refusal(&["stop", "beta"], 1)
            .contains("was not started by traintop")
    );
}

#[test]
fn recipe_as_json_has_what_follows_from_its_values() {
    let place = Workplace::new(ONE_EPOCH);
    let json = place.json(&[
        "recipe",
        "resnet_se",
        "--set",
        "num_epochs=200",
        "--images",
        "40000",
        "--json",
    ]);
    assert_eq!(
        (&json["parameters"], &json["steps_per_epoch"]),
        (&json!(2_819_370), &json!(313))
    );
    let rates = json["learning_rate"].as_array().unwrap();
    assert_eq!(rates.len(), 200);
    // After the first epoch of the reference's published run.
    assert!((rates[0].as_f64().unwrap() - 0.004591148113092719).abs() < 1e-12);
    assert_eq!(json["recipe"]["batch_size"], 128);
    let unknown = place.json(&["recipe", "resnet_se", "--json"]);
    assert_eq!(
        (&unknown["steps_per_epoch"], &unknown["learning_rate"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        place.json(&["recipe", "quick", "--json"])["steps_per_epoch"]
            .as_u64()
            .unwrap()
            > 0
    );
}

#[test]
fn recipe_as_text_is_a_recipe_with_the_same_values() {
    let place = Workplace::new(ONE_EPOCH);
    let text = place.stdout(&[
        "recipe",
        "quick",
        "--set",
        "max_lr=1",
        "--set",
        "experiment_name=a \"b\" c",
    ]);
    fs::write(place.path().join("mine.toml"), &text).unwrap();
    assert_eq!(place.stdout(&["recipe", "mine.toml"]), text);
    let mine = place.json(&["recipe", "mine.toml", "--json"]);
    assert_eq!(
        (
            &mine["recipe"]["max_lr"],
            &mine["recipe"]["experiment_name"]
        ),
        (&json!(1.0), &json!("a \"b\" c"))
    );
    fs::write(place.path().join("config.json"), mine["recipe"].to_string()).unwrap();
    assert_eq!(place.json(&["recipe", "config.json", "--json"]), mine);
}

#[test]
fn reader_that_has_heard_enough_is_no_error() {
    let place = Workplace::new(ONE_EPOCH);
    let mut child = Reaped(place.traintop(&["recipe", "quick"]).spawn().unwrap());
    // Closed before anything can have been read: the program meets the closed pipe whenever it
    // writes.
    drop(child.0.stdout.take());
    let mut printed = String::new();
    child
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    assert_eq!(
        (child.0.wait().unwrap().code(), printed.as_str()),
        (Some(0), "")
    );
}

#[test]
fn help_names_every_command_and_hides_the_inner_one() {
    let place = Workplace::new(ONE_EPOCH);
    let help = place.stdout(&["--help"]);
    for command in ["list", "show", "train", "stop", "recipe"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    assert!(!help.contains("__detached"));
    assert!(
        place
            .traintop(&["--version"])
            .stdout(Stdio::null())
            .status()
            .unwrap()
            .success()
    );
}
