//! What a run that outlives its caller takes along, and who may read what it leaves.

use std::fs;
use std::process::Command;

use crate::fake_worker::{Run, UNTIL_STOPPED, Workplace, wait_for};
use crate::queue::keepers;
use crate::schemas;

/// What a shell prints that executes `script` with the program as `$0`.
fn shell(place: &Workplace, script: &str) -> String {
    let plain = place.traintop(&[]);
    let mut shell = Command::new("bash");
    shell
        .args(["-c", script])
        .arg(plain.get_program())
        .current_dir(place.path());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_run_holds_no_descriptor_of_its_caller() {
    let place = Workplace::new(UNTIL_STOPPED);
    for how in ["--detach", "--queue"] {
        let script = format!("exec 9>lock; flock 9; \"$0\" train --config quick {how} --json");
        let printed: serde_json::Value = schemas::json("train", shell(&place, &script).as_bytes());
        let path = printed["path"]
            .as_str()
            .or_else(|| printed["queued"][0].as_str());
        let run = Run(path.unwrap().into());
        run.wait_for_state("running");
        // The lock was the shell's, which has ended.
        let locked = Command::new("flock")
            .args(["--nonblock", "lock", "true"])
            .current_dir(place.path())
            .status();
        assert!(
            locked.unwrap().success(),
            "{how}: the run holds the lock of its caller"
        );
        place.stdout(&["stop", run.0.to_str().unwrap()]);
        run.wait_for_state("stopped");
    }
    wait_for("the keeper's end", || keepers(&place).is_empty());
}

#[test]
fn a_private_umask_keeps_everything_private() {
    let place = Workplace::new(UNTIL_STOPPED);
    let before = fs::read_dir(place.path()).unwrap().count();
    let script = "umask 077; \"$0\" train --config quick --detach --json";
    let printed: serde_json::Value = schemas::json("train", shell(&place, script).as_bytes());
    let run = Run(printed["path"].as_str().unwrap().into());
    run.wait_for_state("running");
    shell(
        &place,
        "umask 077; \"$0\" tag +good --root runs 20; \"$0\" list --json > /dev/null; \"$0\" train --config quick --queue > /dev/null",
    );
    assert!(fs::read_dir(place.path()).unwrap().count() > before);
    let open = shell(
        &place,
        "find . -newer worker.sh -perm /077 ! -type l ! -path . ! -name worker.sh",
    );
    assert_eq!(open, "", "others may read these");
    // While the other has the only slot, this one waits.
    for waiting in place.json(&["queue", "--json"]).as_array().unwrap() {
        place.stdout(&["stop", waiting["path"].as_str().unwrap()]);
    }
    place.stdout(&["stop", run.0.to_str().unwrap()]);
    run.wait_for_state("stopped");
}
