//! Runs are given GPUs by free memory. Our program asks a library in the place of NVIDIA's, through
//! the same calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::fake_worker::{Run, UNTIL_STOPPED, Workplace, wait_for};
use crate::pty::Dashboard;
use crate::queue::{keepers, with_slots};
use crate::schemas;

/// A machine with GPUs.
struct Machine {
    place: Workplace,
}

impl Machine {
    /// Lines of [`fake_nvml.c`](fake_nvml.c).
    fn new(gpus: &[&str]) -> Self {
        let place = Workplace::new(&format!(
            "echo \"$CUDA_VISIBLE_DEVICES $VIRTUAL_ENV\" >> \"$dir/given\"{UNTIL_STOPPED}"
        ));
        build_library(&place.path().join("driver"));
        let machine = Self { place };
        machine.set(gpus);
        machine
    }

    fn set(&self, gpus: &[&str]) {
        fs::write(self.place.path().join("gpus"), gpus.join("\n") + "\n").unwrap();
    }

    fn traintop(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.traintop(arguments);
        command
            .env("LD_LIBRARY_PATH", self.place.path().join("driver"))
            .env("FAKE_GPUS", self.place.path().join("gpus"))
            .env_remove("CUDA_VISIBLE_DEVICES");
        command
    }

    fn start(&self) -> Run {
        let arguments = ["train", "--config", "quick", "--detach", "--json"];
        let started = json(&mut self.traintop(&arguments));
        let run = Run(PathBuf::from(started["path"].as_str().unwrap()));
        run.wait_for_state("running");
        run
    }

    fn queue(&self, set: &[&str], environment: &[(&str, &str)]) -> Run {
        let arguments = ["train", "--config", "quick", "--queue", "--json"];
        let set = set.iter().flat_map(|set| ["--set", set]);
        let mut command = self.traintop(&arguments);
        command.args(set).envs(environment.iter().copied());
        let queued = json(&mut command);
        Run(PathBuf::from(queued["queued"][0].as_str().unwrap()))
    }

    fn stop(&self, run: &Run) {
        self.place.stdout(&["stop", run.0.to_str().unwrap()]);
        run.wait_for_state("stopped");
    }
}

fn json(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut arguments = command.get_args().map(|word| word.to_str().unwrap());
    schemas::json(arguments.next().unwrap(), &output.stdout)
}

fn build_library(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/fake_nvml.c");
    // What links Rust programs compiles this as well.
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(folder.join("libnvidia-ml.so.1"))
        .arg(source)
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
}

fn given(run: &Run) -> String {
    run.text("given").trim().to_owned()
}

#[test]
fn each_run_gets_the_gpu_with_the_most_free_memory_and_waits_where_others_have_it() {
    let machine = Machine::new(&["GPU-a 30 0 0 0", "GPU-b 2 0 0 0", "GPU-c 70 99 0 0"]);
    let first = machine.start();
    assert_eq!(given(&first), "GPU-b");
    let gpus = first.record()["gpus"].clone();
    assert_eq!(gpus, serde_json::json!([{"index": 1, "uuid": "GPU-b"}]));

    let second = machine.queue(&[], &[]);
    second.wait_for_state("running");
    assert_eq!(given(&second), "GPU-a");
    // Another process has most of the third.
    let third = machine.queue(&[], &[]);
    let on_cpu = machine.queue(&["device=cpu"], &[]);
    on_cpu.wait_for_state("running");
    assert_eq!(given(&on_cpu), "");
    assert_eq!(third.record()["state"], "queued");
    wait_for("why it waits", || {
        let queued = json(&mut machine.traintop(&["queue", "--json"]));
        queued[0]["waits_for"]
            == "no GPU is free: 2 have their runs, the memory of 1 is taken by others"
    });
    machine.stop(&first);
    third.wait_for_state("running");
    assert_eq!(given(&third), "GPU-b");
    for run in [&second, &third, &on_cpu] {
        machine.stop(run);
    }
    wait_for("the keeper's end", || keepers(&machine.place).is_empty());
}

#[test]
fn a_queued_run_is_begun_in_the_environment_it_was_queued_from() {
    let machine = Machine::new(&["GPU-a 0 0 0 0", "GPU-b 1 0 0 0", "GPU-c 2 0 0 0"]);
    with_slots(&machine.place, 2);
    let in_venv = [("VIRTUAL_ENV", "/venv"), ("CUDA_VISIBLE_DEVICES", "2")];
    let first = machine.queue(&[], &in_venv);
    first.wait_for_state("running");
    assert_eq!(given(&first), "GPU-c /venv");
    // The same keeper begins it: the first waits no more, but one that it is not allowed another
    // GPU keeps it alive.
    let second = machine.queue(&[], &in_venv);
    second.wait_for_state("running");
    assert_eq!(given(&second), "GPU-c /venv");
    let waits = machine.queue(&[], &in_venv);
    let elsewhere = machine.queue(&["device=cpu"], &[]);
    elsewhere.wait_for_state("running");
    assert_eq!(given(&elsewhere), "");
    assert_eq!(waits.record()["state"], "queued");
    for run in [&first, &second, &elsewhere] {
        machine.stop(run);
    }
    waits.wait_for_state("running");
    machine.stop(&waits);
    wait_for("the keeper's end", || keepers(&machine.place).is_empty());
}

#[test]
fn a_launchers_runs_get_as_many_gpus_as_it_says() {
    let machine = Machine::new(&["GPU-a 0 0 0 0", "GPU-b 1 0 0 0", "GPU-c 2 0 0 0"]);
    let folder = machine.place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    let command = r#"command = ['sh', '-c', 'echo "$CUDA_VISIBLE_DEVICES" > "$TRAINTOP_RUN_DIR/given"; exec sleep 60']"#;
    let config =
        format!("[launcher.pair]\n{command}\ngpus = 2\n[launcher.none]\n{command}\ngpus = 0\n");
    fs::write(folder.join("config.toml"), config).unwrap();
    let queue = |launcher: &str| {
        let output = machine
            .traintop(&["train", "--launcher", launcher, "--queue"])
            .output();
        Run(String::from_utf8(output.unwrap().stdout)
            .unwrap()
            .trim_end()
            .into())
    };
    let pair = queue("pair");
    wait_for("its GPUs", || !given(&pair).is_empty());
    assert_eq!(given(&pair), "GPU-a,GPU-b");
    let waits = queue("pair");
    let none = queue("none");
    none.wait_for_state("running");
    assert_eq!(given(&none), "");
    wait_for("why it waits", || {
        let queued = json(&mut machine.traintop(&["queue", "--json"]));
        queued[0]["waits_for"] == "wants 2 GPUs, 1 of 3 free"
    });
    for run in [&pair, &none] {
        machine.stop(run);
    }
    waits.wait_for_state("running");
    machine.stop(&waits);
    wait_for("the keeper's end", || keepers(&machine.place).is_empty());
}

#[test]
fn the_dashboard_shows_the_gpus_and_whose_they_are() {
    let machine = Machine::new(&["GPU-a 30 12 0 0", "GPU-b 2 0 0 0"]);
    let run = machine.start();
    let pid = run.record()["pid"].as_u64().unwrap();
    let mut dashboard = Dashboard::open_as(&machine.traintop(&[]), 120, 30);
    dashboard.wait("the run", |screen| screen.contains("running"));
    dashboard.press("i");
    // Given it, but not at work there yet.
    dashboard.wait("an idle GPU", |screen| screen.contains("1: 0 %"));
    let at_work = format!("GPU-b 30 93 {pid} 27000");
    machine.set(&["GPU-a 30 12 0 0", &at_work]);
    dashboard.wait("the GPU at work", |screen| {
        let lines = [
            "Fake H100",
            "93 %  32.2 of 85.9 GB  61 °C",
            "1: 93 %, 28.3 GB",
        ];
        lines.iter().all(|line| screen.contains(line))
    });
    dashboard.press("\x1b");
    // Sent at once, the two would be one key.
    dashboard.wait("the table", |screen| !screen.contains("Fake H100"));
    dashboard.press("\r");
    dashboard.wait("the run's own line", |screen| {
        screen.contains("GPU 1 ") && screen.contains("93 %, 28.3 of 85.9 GB")
    });
    machine.stop(&run);
    dashboard.wait("the line's end", |screen| !screen.contains("GPU 1 "));
}
