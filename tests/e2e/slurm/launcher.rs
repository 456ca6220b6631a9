//! Commands of the user's own as jobs.

use std::fs;
use std::path::PathBuf;

use super::{Cluster, Site, begun, job_of, wait_long};
use crate::fake_worker::{Run, keeps_running, wait_for};
use crate::schemas;

/// Knows nothing of Slurm and little of traintop: it saves when it is signalled and ends well;
/// begun again, it ends.
const SCRIPT: &str = r#"
dir=$1
echo "begun in $PWD with $2 and $GREETING for $TRAINTOP_RUN_DIR" >> "$dir/begun"
[ -e "$dir/saved" ] && exit 0
trap 'touch "$dir/saved"; exit 0' TERM
printf 'epoch,val_acc\n1,61.25\n' > "$dir/metrics.csv"
while keeps_running; do sleep 0.02; done
"#;

fn start(site: &Site, folder: &str) -> Run {
    let options = ["--json", "--output-dir", folder, "--", "it's"];
    let train = ["train", "--launcher", "mine", "--on", "slurm"];
    let mut command = site.command(&[&train[..], &options[..]].concat());
    let output = command.env("GREETING", "hello").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let started = schemas::json("train", &output.stdout);
    let run = Run(PathBuf::from(site.place.path()).join(started["path"].as_str().unwrap()));
    assert_eq!(started["slurm_job"].as_str().unwrap(), job_of(&run));
    run
}

#[test]
fn a_users_command_has_the_same_life_as_a_job() {
    let Some(cluster) = Cluster::of(3) else {
        return;
    };
    let settings =
        "[launcher.mine]\ncommand = ['sh', 'train.sh', '{run_dir}']\n[slurm]\ncpus = 1\n";
    let site = Site::new(&cluster, "exit 1", settings);
    fs::write(site.place.path().join("train.sh"), keeps_running() + SCRIPT).unwrap();
    let run = start(&site, "runs");
    run.wait_for_state("running");
    wait_for("its metrics", || !run.text("metrics.csv").is_empty());
    let here = site.place.path().canonicalize().unwrap();
    let expected = format!(
        "begun in {} with it's and hello for {}\n",
        here.display(),
        run.0.canonicalize().unwrap().display()
    );
    assert_eq!(run.text("begun"), expected);
    let row = site.row(&Run(run.0.canonicalize().unwrap()));
    assert_eq!(row["best_val_acc"], 61.25, "{row}");

    // The gentle signal; it ends well, but has not finished. Resumed, its command is begun again.
    let path = run.0.to_str().unwrap();
    site.stdout(&["stop", path]);
    run.wait_for_state("stopped");
    assert!(run.0.join("saved").exists());
    site.stdout(&["resume", path]);
    run.wait_for_state("finished");
    assert_eq!(begun(&run), 2);

    // Ended by another user: Slurm's signal goes to the command itself.
    let run = start(&site, "runs");
    wait_for("its trap", || !run.text("metrics.csv").is_empty());
    cluster.call("scancel", &[&job_of(&run)]);
    let listed = Run(run.0.canonicalize().unwrap());
    site.wait_for_end(&listed, "stopped", "was cancelled in Slurm", None);

    // Near its limit it is asked, and has another turn.
    site.configure(&format!("launch.on = 'slurm'\n{settings}requeue = true\n"));
    let run = start(&site, "runs/deeper");
    wait_for("its trap", || !run.text("metrics.csv").is_empty());
    cluster.call("scancel", &["--batch", "--signal=USR1", &job_of(&run)]);
    wait_long("another turn", || run.record()["state"] == "finished");
    assert_eq!(begun(&run), 2);

    // What Slurm refuses leaves nothing behind.
    let count = site.listed("list").len();
    site.configure(&format!("{settings}partition = 'nowhere'\n"));
    let problem = site.refusal(&["train", "--launcher", "mine", "--on", "slurm"]);
    assert!(
        problem.starts_with("Slurm did not take the job: "),
        "{problem}"
    );
    assert_eq!(site.listed("list").len(), count);
}
