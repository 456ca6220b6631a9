//! A job's life as it should be: it waits, runs, saves, resumes, ends; and a sweep of them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{Cluster, SAVES, Site, begun, job_of, program};
use crate::fake_worker::{Run, Workplace, script, wait_for};
use crate::schemas;

#[test]
fn a_job_waits_runs_stops_and_is_cancelled_and_each_says_so() {
    let Some(cluster) = Cluster::of(1) else {
        return;
    };
    let site = Site::new(
        &cluster,
        SAVES,
        "[slurm]\ncpus = 1\nlines = ['echo hello from the site']\n",
    );
    let first = site.submit(&[]).remove(0);
    first.wait_for_state("running");
    let record = first.record();
    assert!(record["slurm"]["id"].is_u64(), "{record}");
    assert!(record["pid"].is_u64());
    assert!(
        first
            .text("logs/worker.out")
            .contains("hello from the site")
    );
    let script = first.text("logs/slurm.sh");
    assert!(
        script.contains("#SBATCH --signal=\"B:USR1@120\"\n"),
        "{script}"
    );

    // The only processor is taken: the second waits, and its reason is shown.
    let second = site.submit(&[]).remove(0);
    let third = site.submit(&[]).remove(0);
    let reason = |site: &Site| {
        let queue = site.listed("queue");
        assert_eq!(queue.len(), 2, "{queue:?}");
        queue[0]["waits_for"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    wait_for("a reason", || reason(&site).contains(": "));
    let job = job_of(&second);
    assert!(reason(&site).starts_with(&format!("Slurm job {job}: ")));
    let shown = site.stdout(&["show", &second.name()]);
    assert!(
        shown.contains(&format!("job           {job} of Slurm\n")),
        "{shown}"
    );
    let queue = site.stdout(&["queue"]);
    assert!(queue.contains(&format!("Slurm job {job}: ")), "{queue}");

    // From another login node only what the record and Slurm say is known.
    let elsewhere = first
        .text("run.json")
        .replace(record["host"].as_str().unwrap(), "node-of-another-name");
    fs::write(first.0.join("run.json"), elsewhere).unwrap();
    let list = site.listed("list");
    let states: Vec<&str> = list
        .iter()
        .map(|run| run["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["queued", "queued", "running"]);
    assert_eq!(list[2]["slurm_job"].as_str().unwrap(), job_of(&first));

    // One that waits is taken out; one that runs is asked, saves, and says so.
    let printed = site.stdout(&["stop", third.0.to_str().unwrap()]);
    assert!(printed.ends_with("taken out of the queue\n"), "{printed}");
    assert_eq!(third.record()["state"], "stopped");
    fs::write(
        first.0.join("run.json"),
        record.to_string().replace("\":\"", "\": \""),
    )
    .unwrap();
    let problem = site.refusal(&["stop", "--kill", first.0.to_str().unwrap()]);
    assert!(problem.contains("ask it to stop first"), "{problem}");
    let printed = site.stdout(&["stop", first.0.to_str().unwrap()]);
    assert!(printed.contains("asked to stop"), "{printed}");
    first.wait_for_state("stopped");
    assert_eq!(first.text("last.safetensors"), "saved\n");

    // The next begins, and is cancelled by another user.
    second.wait_for_state("running");
    cluster.call("scancel", &[&job_of(&second)]);
    wait_for("the word that it was cancelled", || {
        let list = site.listed("list");
        let run = list
            .iter()
            .find(|run| run["path"] == second.0.to_str().unwrap());
        let run = run.unwrap();
        let reason = run["state_reason"].as_str().unwrap_or_default();
        run["state"] == "stopped" && reason.contains("was cancelled in Slurm")
    });

    // What was stopped resumes in Slurm, in its folder.
    site.stdout(&["resume", first.0.to_str().unwrap()]);
    first.wait_for_state("finished");
    assert_eq!(begun(&first), 2);
    wait_for("an end of asking", || {
        site.listed("list");
        first.text("slurm.json").contains("\"is_over\": true")
    });

    // What Slurm refuses leaves nothing behind.
    site.configure("[slurm]\npartition = 'nowhere'\n");
    let problem = site.refusal(&["train", "--config", "quick", "--on", "slurm"]);
    assert!(
        problem.starts_with("Slurm did not take the job: sbatch: error: "),
        "{problem}"
    );
    assert_eq!(site.listed("list").len(), 3);
}

#[test]
fn a_sweep_is_one_array_and_a_job_near_its_limit_saves_and_continues() {
    let Some(cluster) = Cluster::of(4) else {
        return;
    };
    let site = Site::new(
        &cluster,
        SAVES,
        "launch.on = 'slurm'\n[slurm]\nat_once = 3\ntime = 5\nsignal = 60\n",
    );
    let runs = site.submit(&["--queue", "--sweep", "seed=1..3", "--set", "requeue=true"]);
    assert_eq!(runs.len(), 3);
    for run in &runs {
        run.wait_for_state("running");
    }
    let ids: Vec<Value> = runs
        .iter()
        .map(|run| run.record()["slurm"]["id"].clone())
        .collect();
    assert!(ids.iter().all(|id| id.is_u64() && *id == ids[0]), "{ids:?}");
    let tasks: Vec<u64> = runs
        .iter()
        .map(|run| run.record()["slurm"]["task"].as_u64().unwrap())
        .collect();
    assert_eq!(tasks, [0, 1, 2]);
    assert!(
        runs[0].record()["deadline"].is_string(),
        "{}",
        runs[0].record()
    );
    assert_eq!(runs[1].record()["name"], "quick seed=2");

    // The signal that Slurm sends before the limit.
    let job = job_of(&runs[1]);
    cluster.call("scancel", &["--batch", "--signal=USR1", &job]);
    wait_for("the job to have saved", || {
        runs[1].text("last.safetensors") == "saved\n"
    });
    runs[1].wait_for_state("finished");
    assert_eq!(begun(&runs[1]), 2);

    // Asked gently and then at once, all in one go.
    for run in [&runs[0], &runs[2]] {
        site.stdout(&["stop", run.0.to_str().unwrap()]);
        run.wait_for_state("stopped");
    }
    wait_for("all to be over", || {
        site.listed("list");
        runs.iter()
            .all(|run| run.text("slurm.json").contains("\"is_over\": true"))
    });
    let list = site.listed("list");
    let states: Vec<&str> = list
        .iter()
        .map(|run| run["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["stopped", "finished", "stopped"]);
}

/// The process that submits a run to Slurm is killed between that and noting the job's id.
#[test]
fn a_job_whose_number_was_not_noted_is_found_again_and_not_handed_over_twice() {
    let Some(cluster) = Cluster::of(1) else {
        return;
    };
    let site = Site::new(&cluster, SAVES, "[slurm]\ncpus = 1\n");
    let busy = site.submit(&[]).remove(0);
    busy.wait_for_state("running");
    // In sbatch's place: hands the job over, says so, and never comes back.
    let folder = site.place.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let real = program("sbatch").unwrap();
    let text = format!(
        "#!/bin/sh\n{} \"$@\" > /dev/null\ntouch {}/handed\nexec sleep 60\n",
        real.display(),
        folder.display()
    );
    script(&folder.join("sbatch"), &text);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut submitting = site
        .command(&["train", "--config", "quick", "--on", "slurm"])
        .env("PATH", path)
        .spawn()
        .unwrap();
    wait_for("the job to be handed over", || {
        folder.join("handed").exists()
    });
    submitting.kill().unwrap();
    submitting.wait().unwrap();

    let queue = site.listed("queue");
    assert_eq!(queue.len(), 1, "{queue:?}");
    let run = Run(PathBuf::from(queue[0]["path"].as_str().unwrap()));
    wait_for("the job's number", || {
        site.listed("queue")[0]["slurm_job"].is_string()
    });
    let job = job_of(&run);
    assert_eq!(
        cluster.call("squeue", &["-h", "-o", "%i"]).lines().count(),
        2
    );
    // By its number alone.
    let shown = site.stdout(&["show", &job, "--json"]);
    schemas::json("show", shown.as_bytes());
    assert!(shown.contains(run.name().as_str()), "{shown}");
    site.stdout(&["stop", &job_of(&busy)]);
    run.wait_for_state("running");
    assert_eq!((begun(&run), begun(&busy)), (1, 1));
    site.stdout(&["stop", &job]);
    run.wait_for_state("stopped");
}

#[test]
fn without_slurm_nothing_of_it_is_called_and_asking_for_it_says_so() {
    let place = Workplace::new(SAVES);
    let output = place
        .traintop(&["train", "--config", "quick", "--on", "slurm"])
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        printed,
        "there is no sbatch on the PATH, so nothing can be submitted to Slurm from here; leave --on slurm out to train on this machine\n"
    );
    assert!(!place.path().join("runs/training_runs").exists());
    let mut help = place.traintop(&["train", "--help"]);
    let help = help.env("PATH", "/nowhere").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    assert!(help.contains("--queue") && !help.contains("--on"), "{help}");
}

#[test]
fn a_run_leaves_its_place_when_asked_to_and_continues_in_another_turn() {
    let Some(cluster) = Cluster::of(1) else {
        return;
    };
    let site = Site::new(&cluster, SAVES, "launch.on = 'slurm'\n");
    let run = site.submit(&[]).remove(0);
    run.wait_for_state("running");
    let path = run.0.to_str().unwrap();
    let printed = site.stdout(&["steer", path, "--requeue"]);
    assert!(
        printed.ends_with(": saves, and waits for another turn in Slurm\n"),
        "{printed}"
    );
    wait_for("the run to have saved", || {
        run.text("last.safetensors") == "saved\n"
    });
    run.wait_for_state("finished");
    assert_eq!(begun(&run), 2);
    let local = site
        .place
        .stdout(&["train", "--config", "quick", "--on", "local", "--detach"]);
    let local = Run(local.trim_end().into());
    local.wait_for_state("running");
    let refused = site
        .place
        .refusal(&["steer", local.0.to_str().unwrap(), "--requeue"], 1);
    assert!(
        refused.contains("is no job of Slurm; K stops it"),
        "{refused}"
    );
    site.place.stdout(&["stop", local.0.to_str().unwrap()]);
    local.wait_for_state("stopped");
}
