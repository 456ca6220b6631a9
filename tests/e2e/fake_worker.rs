//! A shell script in the worker's place: it keeps the worker's contract on files and signals, and
//! needs no libtorch.

use crate::did_not_run::did_not_run;
use crate::programs::TRAINTOP;
use crate::schemas;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything here may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What every script begins with, and [`keeps_running`]: `$dir` is the run folder, `state NAME`
/// changes the record, `log TEXT` adds to the log. Loops ask `keeps_running`, so that none outlives
/// its test.
const PRELUDE: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do [ "$1" = --run-dir ] && dir=$2; shift; done
state() {
    sed "s/\"state\": \"[a-z]*\"/\"state\": \"$1\"/" "$dir/run.json" > "$dir/.new" && mv "$dir/.new" "$dir/run.json"
}
log() { echo "[2026-01-02 03:04:05] $1" >> "$dir/logs/training.log"; }
"#;

/// A function of the shell for loops: whether the folder `$dir` and this test are still there. A
/// test that is killed removes no folder.
pub fn keeps_running() -> String {
    let test = std::process::id();
    format!("keeps_running() {{ [ -d \"$dir\" ] && [ -d /proc/{test} ]; }}\n")
}

/// Trains until it is asked to stop.
pub const UNTIL_STOPPED: &str = r#"
trap 'state stopping; log saving; state stopped; exit 0' TERM
state running
echo to stdout
echo to stderr >&2
printf 'epoch,train_loss,val_acc\n1,0.5,61.25\n' > "$dir/logs/metrics.csv"
log 'epoch 1 done'
while keeps_running; do sleep 0.02; done
"#;

/// Trains one epoch and is done.
pub const ONE_EPOCH: &str = r#"
state running
printf 'epoch,train_loss,val_acc\n1,0.5,61.25\n' > "$dir/logs/metrics.csv"
log 'epoch 1 done'
state finished
"#;

/// As [`ONE_EPOCH`], but says each time that it is begun.
pub const COUNTED: &str = r#"
echo begun >> "$dir/begun"
state running
printf 'epoch,train_loss,val_acc,time_elapsed\n1,0.5,61.25,2\n' > "$dir/logs/metrics.csv"
sleep 0.05
state finished
"#;

/// Makes a script that can be executed. Another process writes it: were it open for writing here, a
/// process that another test starts at that moment would hold it open until its own program begins,
/// and executing the script would fail (`ETXTBSY`).
pub fn script(path: &Path, text: &str) {
    let mut shell = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(shell.wait().unwrap().success());
}

/// Lets every user change what is in a folder.
pub fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
}

/// A folder to work in, with a fake worker in it.
pub struct Workplace {
    folder: TempDir,
}

impl Workplace {
    /// With a worker that does `what`.
    pub fn new(what: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let worker = folder.path().join("worker.sh");
        script(&worker, &format!("{PRELUDE}{}{what}", keeps_running()));
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `traintop` with these arguments, in this folder, away from the user's own files.
    pub fn traintop(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TRAINTOP);
        command
            .args(arguments)
            .current_dir(self.path())
            .env("TRAINTOP_WORKER", self.path().join("worker.sh"))
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            // Slots do not depend on the GPUs of the machine.
            .env("CUDA_VISIBLE_DEVICES", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// As [`Workplace::traintop`], killed before its disk call of this number, and no process that
    /// it starts.
    #[cfg(debug_assertions)]
    pub fn killed_at(&self, call: u32, arguments: &[&str]) -> Command {
        let mut command = self.traintop(arguments);
        let at = format!("{}:{call}", arguments[0]);
        command.env("TRAINTOP_KILL_AT_DISK_CALL", at);
        command
    }

    /// As [`Workplace::traintop`]; of the processes that come of it, those with the first argument
    /// `victim` (`dashboard`: with none) are killed before their disk call of this number, counted
    /// from [`Workplace::count_calls`] on.
    #[cfg(debug_assertions)]
    pub fn killed_later(&self, victim: &str, call: u32, arguments: &[&str]) -> Command {
        let mut command = self.traintop(arguments);
        let at = format!("{victim}:{call}:{}", self.counting().display());
        command.env("TRAINTOP_KILL_AT_DISK_CALL", at);
        command
    }

    #[cfg(debug_assertions)]
    fn counting(&self) -> PathBuf {
        self.path().join("counting")
    }

    /// From now on disk calls count: see [`Workplace::killed_later`].
    #[cfg(debug_assertions)]
    pub fn count_calls(&self) {
        fs::write(self.counting(), "").unwrap();
    }

    /// Whether the call came, and with it the kill.
    #[cfg(debug_assertions)]
    pub fn has_killed(&self) -> bool {
        !self.counting().exists()
    }

    /// As [`Workplace::traintop`], by another user with files of their own; `None`, and a word
    /// about it, where only this user can act. What the command is to reach must be open to all.
    pub fn by_another_user(&self, arguments: &[&str]) -> Option<Command> {
        if !rustix::process::geteuid().is_root() {
            did_not_run("only root can act as another user");
            return None;
        }
        // No other user may enter the folder of the build. Another process copies, as in `script`.
        let program = self.path().join("traintop");
        if !program.exists() {
            let mut copy = Command::new("cp");
            copy.arg(TRAINTOP).arg(&program);
            assert!(copy.status().unwrap().success());
        }
        open_to_all(self.path());
        let plain = self.traintop(arguments);
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.path());
        for (name, value) in plain.get_envs() {
            command.env(name, value.unwrap());
        }
        for name in ["XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(name, self.path().join("other").join(name));
        }
        command.stdin(Stdio::null()).uid(65534).gid(65534);
        Some(command)
    }

    /// What it prints and how it ends; JSON keeps to its schema.
    pub fn output(&self, arguments: &[&str]) -> Output {
        let output = self.traintop(arguments).output().unwrap();
        schemas::look(arguments, &output.stdout);
        output
    }

    /// What a command that must succeed prints.
    pub fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            "",
            "{arguments:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The one sentence of a command that must fail with `code`.
    pub fn refusal(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}"
        );
        String::from_utf8(output.stderr)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.stdout(arguments)).unwrap()
    }

    /// Starts a run and leaves it to itself; its folder.
    pub fn start_detached(&self) -> Run {
        let started = self.json(&["train", "--config", "quick", "--detach", "--json"]);
        Run(PathBuf::from(started["path"].as_str().unwrap()))
    }
}

/// The folder of a run that a fake worker fills.
pub struct Run(pub PathBuf);

impl Run {
    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.0.join(file)).unwrap_or_default()
    }

    pub fn name(&self) -> String {
        self.0.file_name().unwrap().to_str().unwrap().to_owned()
    }

    pub fn record(&self) -> Value {
        serde_json::from_str(&self.text("run.json")).unwrap()
    }

    pub fn wait_for_state(&self, state: &str) {
        wait_for(&format!("state {state} in {}", self.0.display()), || {
            self.record()["state"] == state
        });
    }
}

/// Waits until `condition` holds.
pub fn wait_for(what: &str, condition: impl FnMut() -> bool) {
    assert!(comes_true(condition), "waited in vain for {what}");
}

/// Waits until `condition` holds; whether it did in time.
pub fn comes_true(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
    true
}

/// Ends a child that a failing test would leave behind.
pub struct Reaped(pub Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_fake_worker_ends_with_its_folder() {
    let place = Workplace::new(UNTIL_STOPPED);
    let run = place.start_detached();
    run.wait_for_state("running");
    let process = PathBuf::from(format!("/proc/{}", run.record()["pid"]));
    assert!(process.exists());
    drop(place);
    wait_for("the worker's end", || !process.exists());
}
