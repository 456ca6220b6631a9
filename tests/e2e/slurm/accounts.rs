//! Jobs that the controller has forgotten, but the accounts have not.

use super::{Cluster, DEAF, Setup, Site, job_of, wait_long};

#[test]
fn a_forgotten_job_is_looked_up_in_the_accounts() {
    let Some(cluster) = Cluster::start(&Setup {
        processors: 1,
        lines: "MinJobAge=2",
        keeps_accounts: true,
        ..Setup::default()
    }) else {
        return;
    };
    let site = Site::new(&cluster, DEAF, "[slurm]\ncpus = 1\n");
    let run = site.submit(&[]).remove(0);
    run.wait_for_state("running");
    let waiting = site.submit(&["--sweep", "seed=1..2", "--queue"]);
    // By another user, while nothing polls.
    let jobs = [job_of(&run), waiting[0].record()["slurm"]["id"].to_string()];
    cluster.call("scancel", &[&jobs[0], &jobs[1]]);
    wait_long("the controller to forget them", || {
        let listed = cluster.call("squeue", &["-h", "--states=all"]);
        listed.trim().is_empty()
    });
    for run in waiting.iter().chain([&run]) {
        let reason = format!("job {} was cancelled in Slurm by user 0", job_of(run));
        site.wait_for_end(run, "stopped", &reason, None);
        assert!(run.text("slurm.json").contains("\"is_over\": true"));
    }
}
