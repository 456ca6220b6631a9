//! Trees of which every text holds what steers terminals and misleads readers: nothing of it is in
//! what the programs write.

use crate::programs::worker;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::fake_worker::Workplace;
use crate::pty::Dashboard;

/// ESC with a title, OSC 52 with BEL and with ST, CSI, C1, DEL, CR, bidirectional overrides and
/// isolates, zero width, a tag.
const EVIL: &str = "\x1b]0;t\x07\x1b]52;c;QUJD\x1b\\\x1b[31m\u{9b}2J\u{9d}52;c;QQ\u{9c}\x7f\r\u{202e}\u{2066}\u{200b}\u{e0041}";

/// A removal that can be restored.
const TRASHED: &str = "20261120-000001";

fn evil(word: &str) -> String {
    format!("{word}{EVIL}{word}")
}

/// Whether a program may write a character; line ends it may.
fn is_safe(char: char) -> bool {
    char == '\n' || !traintop_text::is_forbidden(char)
}

fn assert_safe(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{what}: {bytes:?}"));
    if let Some((at, char)) = text.char_indices().find(|(_, char)| !is_safe(*char)) {
        let before: String = text[..at].chars().rev().take(60).collect();
        let before: String = before.chars().rev().collect();
        panic!("{what} writes {char:?} after {before:?}");
    }
}

fn record(id: &str, state: &str, position: Option<i64>) -> Value {
    let text = |key: &str| evil(&format!("{id}{key}"));
    json!({
        "schema_version": 1, "id": text("id"), "name": text("name"), "state": state,
        "command": ["python", text("command")], "created_at": "2026-01-02T03:04:05Z",
        "started_at": "2026-01-02T03:04:05Z", "ended_at": "2026-01-02T04:04:05Z", "epochs_done": 2, "epochs_planned": 9,
        "best": {"epoch": 2, "val_acc": 75.0}, "exit": {"code": 1, "reason": text("reason")},
        "resumes": [{"epoch": 2, "at": "2026-01-02T03:14:05Z",
            "changed": [{"key": text("key"), "was": text("was"), "is": text("is")}]}],
        "queue_position": position, "launcher": text("launcher"), "sweep": text("sweep"),
        "environment": {text("variable"): text("value")}, "working_dir": text("folder"),
        "host": text("host"), "pid": 1, "pid_started": 1, "boot_id": text("boot"),
        "gpus": [{"index": 0, "uuid": text("gpu")}],
        "data": {"fingerprint": text("data"), "train_images": 5, "classes": 2},
        "slurm": {"token": text("token"), "submitted_at": "2026-01-02T03:04:05Z", "id": 7, "cluster": text("cluster")},
    })
}

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn run(runs: &Path, id: &str, state: &str, accuracy: f64) -> PathBuf {
    let dir = runs.join(evil(id));
    let position = (state == "queued").then_some(1);
    write(
        &dir.join("run.json"),
        record(id, state, position).to_string(),
    );
    write(
        &dir.join("slurm.json"),
        json!({"token": evil(&format!("{id}token")), "at": "2026-01-02T03:04:05Z", "state": evil("PENDING"),
            "reason": evil("Priority")})
        .to_string(),
    );
    write(
        &dir.join("control.json"),
        json!({"lr_factor": 1.0, evil("key"): evil("value")}).to_string(),
    );
    let quoted = Value::String(evil("note"))
        .to_string()
        .replace('\u{7f}', "\\u007f");
    write(
        &dir.join("notes.toml"),
        format!("tags = [{quoted}]\nnote = {quoted}\nname = {quoted}\nstar = true\n"),
    );
    let header = format!(
        "epoch,val_acc,val_loss,\"{}\",{}",
        evil("a"),
        EVIL.replace('\r', "")
    );
    write(
        &dir.join("logs/metrics.csv"),
        format!("{header}\n1,50,1.5,1,2\n2,{accuracy},1.25,3,4\n"),
    );
    write(
        &dir.join("logs/config.json"),
        json!({evil("key"): evil("value"), "model_name": evil("model"), "experiment_name": evil("exp"),
            "list": [evil("item")], "learning_rate": accuracy, "seed": 1})
        .to_string(),
    );
    write(
        &dir.join("logs/training.log"),
        format!(
            "[2026-01-02 03:04:05] {}\n[2026-01-02 03:04:05] ERROR {}\n{EVIL}\n",
            evil("line"),
            evil("bad")
        ),
    );
    write(
        &dir.join("logs/worker.out"),
        format!(
            "Traceback (most recent call last):\n  File \"{EVIL}\", line 1\nValueError: {}\n",
            evil("why")
        ),
    );
    let header = json!({"__metadata__": {"epoch": "2", "config": evil("config"), "experiment_name": evil("e")}, evil("w"):
        {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    .to_string();
    let mut weights = (header.len() as u64).to_le_bytes().to_vec();
    weights.extend(header.as_bytes());
    weights.extend([0; 4]);
    for name in [
        "best.safetensors".to_owned(),
        evil("model") + ".safetensors",
    ] {
        write(&dir.join(name), &weights);
    }
    write(&dir.join(evil("what") + ".pth"), "no checkpoint");
    dir
}

/// A workplace with all of that.
fn place() -> (Workplace, PathBuf) {
    let place = Workplace::new("exit 1");
    let tree = place.path().join("runs");
    let runs = tree.join("training_runs");
    let failed = run(&runs, "b", "failed", 75.0);
    run(&runs, "a", "finished", 80.0);
    run(&runs, "q", "queued", 10.0);
    run(&runs, "s", "stopped", 60.0);
    let damaged = run(&runs, "d", "finished", 50.0);
    for file in ["run.json", "notes.toml", "logs/config.json"] {
        write(&damaged.join(file), format!("{{\"{EVIL}\": {EVIL}"));
    }
    symlink(evil("/nowhere"), runs.join(evil("link"))).unwrap();
    // The last has a name that is none of the trash's.
    for (id, stage) in [
        (TRASHED, "kept"),
        ("20261120-000002", "moving"),
        ("20261120-000003", EVIL),
        (&evil("20261120-000004"), "kept"),
    ] {
        let folder = tree.join(".trash").join(id);
        write(&folder.join("0"), "x");
        write(
            &folder.join("entry.json"),
            json!({"id": id, "removed_at": "2026-11-20T00:00:00Z", "by": evil("by"), "why": evil("why"), "stage": stage,
                "bytes": 5, "items": [{"path": evil("item"), "kind": "file", "slot": 0}], "folders": []})
            .to_string(),
        );
    }
    write(
        &tree.join("evaluations").join(evil("evaluation")).join("summary.json"),
        json!({"schema_version": 1, "id": evil("id"), "data": {"path": evil("data"), "split": evil("test"), "images": 4},
            "checkpoints": [{"path": evil("best.pth"), "which": evil("best"), "network": evil("net"),
                "run": {"id": evil("aid"), "path": evil("path"), "name": evil("n")}}],
            "views": 1, "classes": [evil("cat"), evil("dog")], "confusion": [[1, 1], [1, 1]],
            "accuracy": {"value": 50.0, "correct": 2, "images": 4, "low": 10.0, "high": 90.0},
            "versions": {"traintop": evil("v")}})
        .to_string(),
    );
    write(
        &tree.join(".queue/waits/waits-0.json"),
        json!({"keeper": {"host": evil("h"), "pid": 1, "pid_started": 1, "boot_id": evil("b")},
            "reasons": [[evil("reason"), [evil("q")]]]})
        .to_string(),
    );
    write(
        &place.path().join("evil.toml"),
        format!("# {EVIL}\nmodel_name = \"{EVIL}\"\n{EVIL} = 1\n"),
    );
    let text = Value::String(evil("x"))
        .to_string()
        .replace('\u{7f}', "\\u007f");
    write(
        &place.path().join("unknown.toml"),
        format!("{text} = {text}\nmodel_name = {text}\n"),
    );
    write(
        &place.path().join(evil("recipe") + ".toml"),
        format!("{text} = 1\n"),
    );
    let config = place.path().join("config/traintop");
    write(
        &config.join("config.toml"),
        format!(
            "theme = {text}\n{text} = 1\ncolumns = [{text}]\n[launcher.{text}]\ncommand = [{text}]\n[keys]\n{text} = {text}\n"
        ),
    );
    write(
        &config.join("themes").join(evil("theme") + ".toml"),
        format!("{text} = {text}\n"),
    );
    let state = place.path().join("state/traintop");
    for file in ["alerts", "marks", "templates"] {
        let alert = json!({"about": evil("about"), "kind": evil("kind"), "dir": failed, "name": evil("name"),
            "message": evil("message"), "at": "2026-01-02T03:04:05Z"});
        let line = if file == "alerts" {
            alert
        } else {
            json!(failed)
        };
        write(&state.join(file), format!("{line}\n{EVIL}\n"));
    }
    (place, failed)
}

fn check(what: &str, output: &Output) {
    assert_safe(&format!("{what}, standard output"), &output.stdout);
    assert_safe(&format!("{what}, standard error"), &output.stderr);
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(!printed.contains("panicked"), "{what}: {printed}");
}

/// Every command, in good order and with mistakes; `{a}` is the run a, `{e}` is [`EVIL`]. Those
/// that only look come first.
const COMMANDS: &[&[&str]] = &[
    &[],
    &["list"],
    &["list", "{e}"],
    &["list", "--where", "{e}"],
    &["list", "--where", "val_acc>1 nonsense:x"],
    &["digest", "--since", "2000-01-01"],
    &["digest", "--since", "{e}"],
    &["alerts", "--since", "2000-01-01"],
    &["alerts", "--notify"],
    &["show", "{a}"],
    &["show", "{b}"],
    &["show", "{q}"],
    &["show", "{d}"],
    &["show", "{e}"],
    &["show", "a\x1b"],
    &["compare", "{a}", "{b}"],
    &["compare", "{a}", "{b}", "--markdown"],
    &["compare", "{a}", "--metric", "{e}"],
    &["best"],
    &["best", "--path"],
    &["best", "--metric", "{e}"],
    &["queue"],
    &["queue", "{e}"],
    &["trust", "{q}"],
    &["trust", "{a}"],
    &["steer", "{a}", "--save"],
    &["steer", "{b}", "--pause"],
    &["steer", "{e}", "--pause"],
    &["stop", "{a}"],
    &["stop", "{e}"],
    &["resume", "{b}"],
    &["resume", "{e}"],
    &["tag", "{a}"],
    &["tag", "{e}", "{e}"],
    &["note", "{a}"],
    &["note", "{e}"],
    &["rename", "{a}"],
    &["rename", "{a}", "--template", "{e}"],
    &["rename", "--all-runs", "--template", "{name}"],
    &["evaluate", "{e}"],
    &["evaluate", "{a}"],
    &["organize"],
    &["archive", "{a}"],
    &["archive", "{e}"],
    &["unarchive", "{a}"],
    &["clean"],
    &["clean", "--all"],
    &["clean", "{e}"],
    &["trash", "list"],
    &["trash", "restore", "{e}"],
    &["trash", "purge"],
    &["trash", "purge", "{e}"],
    &["export", "table"],
    &["export", "table", "--config"],
    &["export", "curves"],
    &["export", "table", "--format", "json", "--config"],
    &["export", "table", "--format", "markdown", "--config"],
    &["export", "table", "--format", "latex", "--config"],
    &["export", "table", "--columns", "{e}"],
    &["export", "table", "--out", "{out}"],
    &["export", "table", "--out", "{out}"],
    &["export", "curves", "{e}"],
    &["figures", "{a}"],
    &["figures", "{a}", "{b}", "--compare", "--columns", "{e}"],
    &["figures", "{e}"],
    &["recipe", "evil.toml"],
    &["recipe", "unknown.toml"],
    &["recipe", "{recipe}"],
    &["recipe", "{e}"],
    &["recipe", "quick", "--set", "{e}"],
    &["recipe", "quick", "--set", "model_name=\x1b[31m"],
    &["train", "--config", "unknown.toml"],
    &["train", "--launcher", "{e}"],
    &["train", "--config", "quick", "--sweep", "{e}"],
    &["{e}"],
    &["list", "--\x1b[31m"],
    &["--\u{9b}31m"],
    // And those that do something.
    &["tag", "{a}", "+t"],
    &["rename", "{a}", "--yes", "--template", "{name}"],
    &["organize", "--yes"],
    &["archive", "{b}", "--yes"],
    &["clean", "--yes"],
    &["trash", "restore", TRASHED],
    &["trash", "purge", "--yes"],
];

#[test]
fn no_command_writes_what_steers_a_terminal() {
    let (place, _) = place();
    let filled = |word: &&str| match *word {
        "{e}" => EVIL.to_owned(),
        "{out}" => evil("out.csv"),
        "{recipe}" => evil("recipe") + ".toml",
        "{a}" | "{b}" | "{q}" | "{d}" => {
            let id = word.trim_matches(['{', '}']);
            let path = place.path().join("runs/training_runs").join(evil(id));
            path.to_str().unwrap().to_owned()
        }
        other => other.to_owned(),
    };
    let mut count = 0;
    for words in COMMANDS {
        let arguments: Vec<String> = words.iter().map(filled).collect();
        for json in [None, Some("--json")] {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(json).collect();
            let output = place.output(&arguments);
            check(&format!("traintop {arguments:?}"), &output);
            count += 1;
            // What has no such form says so in the usage's own words.
            if json.is_some() && output.status.success() {
                let value: Result<Value, _> = serde_json::from_slice(&output.stdout);
                assert!(value.is_ok(), "{arguments:?}: {output:?}");
            }
        }
    }
    println!("{count} commands");
}

#[test]
fn json_says_what_the_files_say() {
    let (place, _) = place();
    let path = place.path().join("runs/training_runs").join(evil("a"));
    let shown = place.output(&["show", path.to_str().unwrap(), "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["config"][evil("key")], evil("value"));
    assert!(shown["path"].as_str().unwrap().ends_with(&evil("a")));
    // The same of a file that is asked for as it is.
    let safe = place.output(&["export", "table", "--columns", "path"]);
    let raw = place.output(&["export", "table", "--columns", "path", "--raw"]);
    assert!(!String::from_utf8(safe.stdout).unwrap().contains(EVIL));
    assert!(String::from_utf8(raw.stdout).unwrap().contains(EVIL));
}

/// What ratatui, crossterm and the start and end of the dashboard write: CSI sequences of these
/// final letters.
const CSI: &str = "mHhlJKABCDGdfXLMPSTrqnu";

/// Checks that a stream of terminal output holds no other sequences and nothing hidden.
fn assert_drawn(written: &[u8]) {
    let text = String::from_utf8_lossy(written);
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        let around = || text[at..].chars().take(40).collect::<String>();
        match char {
            '\x1b' => {
                let Some((_, '[')) = chars.next() else {
                    panic!("a sequence that is none of ours: {:?}", around());
                };
                let last = chars
                    .by_ref()
                    .map(|(_, char)| char)
                    .find(|char| !(' '..='?').contains(char));
                assert!(
                    last.is_some_and(|last| CSI.contains(last)),
                    "{:?}",
                    around()
                );
            }
            '\r' | '\n' => {}
            char => assert!(is_safe(char), "{char:?} in {:?}", around()),
        }
    }
}

#[test]
fn no_screen_of_the_dashboard_writes_what_steers_a_terminal() {
    let (place, _) = place();
    let mut dashboard = Dashboard::open(&place, &["runs"], 140, 40);
    dashboard.wait("the runs", |screen| screen.contains("80.00"));
    // Each screen by its keys and by what it alone shows; all but the tabs are left again.
    for (keys, wanted) in [
        ("?", "type to search"),
        ("/no such run", "0 of 5 runs"),
        ("y", "Copy"),
        ("W", "Write to a new file"),
        ("m", "Note of"),
        (":", "Commands"),
        ("w", "Queue"),
        ("D", "will be moved to the trash"),
        ("X", "1 removal"),
        ("E", "evaluations"),
        ("n", "resnet"),
        ("x", "left alone"),
    ] {
        dashboard.press(keys);
        dashboard.wait(wanted, |screen| screen.contains(wanted));
        dashboard.press("\x1b");
        dashboard.wait("the table again", |screen| {
            !screen.contains(wanted) && screen.contains("80.00")
        });
    }
    dashboard.press("\r");
    dashboard.wait("the run", |screen| screen.contains("1 Charts"));
    for tab in ["2", "3", "4", "5", "1"] {
        dashboard.press(tab);
    }
    dashboard.press("y");
    dashboard.wait("its texts", |screen| screen.contains("Copy"));
    dashboard.press("\x1b");
    dashboard.wait("the run again", |screen| !screen.contains("Copy"));
    dashboard.press("\x03");
    dashboard.end();
    assert_drawn(&dashboard.written);
}

/// The worker's own commands.
#[test]
fn no_command_of_the_worker_writes_what_steers_a_terminal() {
    let (place, failed) = place();
    write(&place.path().join("data/batches.meta.txt"), evil("cat"));
    write(&place.path().join("data/data_batch_1.bin"), "x");
    let worker = |arguments: &[&str]| {
        let output = Command::new(worker())
            .args(arguments)
            .current_dir(place.path())
            .output()
            .unwrap();
        check(&format!("traintop-worker {arguments:?}"), &output);
    };
    let best = failed.join(evil("model") + ".safetensors");
    let (best, pth) = (best.to_str().unwrap(), failed.join(evil("what") + ".pth"));
    for json in [&[][..], &["--json"]] {
        worker(&[&["inspect", best][..], json].concat());
        worker(&[&["inspect", pth.to_str().unwrap()][..], json].concat());
        worker(&[&["inspect", EVIL][..], json].concat());
        worker(&[&["data", "check", "data"][..], json].concat());
        worker(&[&["data", "check", EVIL][..], json].concat());
        worker(&[&["evaluate", best][..], json].concat());
    }
    worker(&["train", "--config", "unknown.toml"]);
    worker(&["train", "--config", "evil.toml"]);
    worker(&["train", "--resume", failed.to_str().unwrap()]);
    worker(&["--\u{9b}31m"]);
}
