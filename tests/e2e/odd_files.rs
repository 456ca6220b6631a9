//! Trees that may hold anything in the place of a run's files: reading them ends, with little
//! memory, and shows the other runs.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::fake_worker::Workplace;
use crate::schemas;

/// What a program may take of addresses, in KiB: enough for all that it maps at its start.
const MEMORY_KIB: &str = "3000000";

/// The output of a command that may take little memory, and is ended after a while.
pub fn bounded(place: &Workplace, arguments: &[&str]) -> Output {
    let plain = place.traintop(arguments);
    let limited = format!("ulimit -v {MEMORY_KIB}; exec timeout 60 \"$@\"");
    let mut command = Command::new("bash");
    command
        .args(["-c", &limited, "bash"])
        .arg(plain.get_program());
    command.args(plain.get_args()).current_dir(place.path());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    schemas::look(arguments, &output.stdout);
    output
}

fn run(place: &Workplace, name: &str) -> std::path::PathBuf {
    let run = place.path().join("runs/training_runs").join(name);
    fs::create_dir_all(run.join("logs")).unwrap();
    fs::write(run.join("logs/metrics.csv"), "epoch,val_acc\n1,50\n2,75\n").unwrap();
    run
}

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// Makes something odd in the place of a file.
type Make = fn(&Path);

/// Every file of a run that is read where runs are listed and shown.
const FILES: [&str; 11] = [
    "run.json",
    "notes.toml",
    "control.json",
    "slurm.json",
    "logs/metrics.csv",
    "logs/steps.csv",
    "logs/config.json",
    "logs/training.log",
    "logs/worker.out",
    "logs/rebuilt.json",
    "best.safetensors",
];

#[test]
fn pipes_devices_and_folders_in_the_place_of_files_are_not_read() {
    let place = Workplace::new("exit 1");
    run(&place, "good");
    let kinds: [(&str, Make); 4] = [
        ("pipe", pipe),
        ("zero", |path| symlink("/dev/zero", path).unwrap()),
        ("loop", |path| symlink(path, path).unwrap()),
        ("folder", |path| fs::create_dir(path).unwrap()),
    ];
    let mut names = Vec::new();
    for (kind, make) in kinds {
        for file in FILES {
            let name = format!("{kind}_{}", file.replace(['/', '.'], "_"));
            let path = run(&place, &name).join(file);
            if path.exists() {
                fs::remove_file(&path).unwrap();
            }
            make(&path);
            names.push(name);
        }
    }
    let listed = bounded(&place, &["list", "--json"]);
    assert!(listed.status.success(), "{listed:?}");
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let good = listed.as_array().unwrap().iter();
    let good = good.filter(|run| run["best_val_acc"] == 75.0).count();
    // All but those whose metrics are no file.
    assert!(good > names.len() - 2 * 4, "{good} of {}", names.len());
    for name in &names {
        for command in ["show", "alerts"] {
            let shown = bounded(&place, &[command, &format!("runs/training_runs/{name}")]);
            assert_ne!(
                shown.status.code(),
                Some(124),
                "{command} {name} does not end"
            );
            let printed = String::from_utf8_lossy(&shown.stderr);
            assert!(!printed.contains("panicked"), "{command} {name}: {printed}");
        }
    }
    for command in [
        &["clean"][..],
        &["organize"],
        &["digest"],
        &["best"],
        &["queue"],
    ] {
        let output = bounded(&place, command);
        assert_ne!(output.status.code(), Some(124), "{command:?} does not end");
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}

#[test]
fn one_folder_that_may_not_be_read_does_not_stop_the_rest() {
    let place = Workplace::new("exit 1");
    run(&place, "good");
    let runs = place.path().join("runs");
    fs::create_dir_all(runs.join("lost+found/below")).unwrap();
    fs::create_dir_all(runs.join("secret")).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(&runs.join("lost+found"), 0o700);
    mode(&runs.join("secret"), 0o700);
    let commands: [&[&str]; 8] = [
        &["list", "runs"],
        &["best", "runs"],
        &["clean", "runs"],
        &["digest", "runs"],
        &["alerts", "runs"],
        &["organize", "runs"],
        &["queue", "runs"],
        &["export", "table", "--root", "runs"],
    ];
    for command in commands {
        let Some(mut other) = place.by_another_user(command) else {
            return;
        };
        let output = other.output().unwrap();
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(
            output.status.success() && !output.stdout.is_empty(),
            "{command:?}: {output:?}"
        );
        assert_eq!(stderr.lines().count(), 1, "{command:?}: {stderr}");
        assert!(
            stderr.contains("cannot be searched for runs") && stderr.contains("1 more"),
            "{stderr}"
        );
    }
    // A root that was named is another matter.
    let mut list = place.by_another_user(&["list", "runs/secret"]).unwrap();
    let refused = list.output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}

#[test]
fn what_lies_too_deep_or_behind_too_much_is_said_with_the_setting_that_helps() {
    let place = Workplace::new("exit 1");
    let folder = |number: usize| (0..number).map(|_| "d/").collect::<String>();
    for (below, name) in [(folder(30), "deep"), (folder(2), "near")] {
        let run = place.path().join("runs").join(below).join(name);
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("metrics.csv"), "epoch,val_loss\n1,0.5\n").unwrap();
    }
    let listed = || {
        let output = place.output(&["list", "--json", "runs"]);
        let runs: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let printed = String::from_utf8(output.stderr).unwrap();
        (runs.as_array().unwrap().len(), printed)
    };
    let (count, printed) = listed();
    assert_eq!((count, printed.lines().count()), (1, 1), "{printed}");
    assert!(
        printed.contains("more than 24 folders deep") && printed.contains("set depth in [search]"),
        "{printed}"
    );
    let config = place.path().join("config/traintop/config.toml");
    fs::create_dir_all(config.parent().unwrap()).unwrap();
    fs::write(&config, "[search]\ndepth = 40\n").unwrap();
    assert_eq!(listed(), (2, String::new()));
    fs::write(&config, "[search]\nentries = 4\n").unwrap();
    let (count, printed) = listed();
    assert_eq!((count, printed.lines().count()), (1, 1), "{printed}");
    assert!(
        printed.contains("more than 4 files and folders")
            && printed.contains("set entries in [search]"),
        "{printed}"
    );
}
