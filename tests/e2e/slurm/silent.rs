//! A controller that does not answer.

use std::fs;

use super::{Cluster, SAVES, Setup, Site, begun, job_of};

#[test]
fn while_slurm_is_silent_nothing_is_taken_to_have_ended_and_lists_say_so() {
    let Some(mut cluster) = Cluster::start(&Setup {
        processors: 1,
        lines: "MessageTimeout=2",
        ..Setup::default()
    }) else {
        return;
    };
    let site = Site::new(&cluster, SAVES, "[slurm]\ncpus = 1\n");
    let running = site.submit(&[]).remove(0);
    running.wait_for_state("running");
    let waiting = site.submit(&[]).remove(0);
    let states = || [&running, &waiting].map(|run| site.row(run)["state"].clone());
    assert_eq!(states(), ["running", "queued"]);

    cluster.end("slurmctld");
    // The process that has the turn asks and says why there is no answer; those after it do not
    // ask, and say the same.
    let next = site.place.path().join("state/traintop/slurm.json");
    fs::remove_file(&next).unwrap();
    let mut sentences = Vec::new();
    for _ in 0..2 {
        let output = site.command(&["queue"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        sentences.push(String::from_utf8(output.stderr).unwrap());
    }
    assert!(
        sentences[0].starts_with("Slurm does not answer; what is known of its jobs is of "),
        "{sentences:?}"
    );
    assert_eq!(sentences[0], sentences[1]);
    let turns = fs::read_to_string(&next).unwrap();
    assert!(turns.contains("\"wait_s\":60"), "{turns}");
    let path = waiting.0.to_str().unwrap();
    let refused = site.refusal(&["stop", path]);
    assert!(
        refused.contains("could not be asked to stop by Slurm: "),
        "{refused}"
    );
    // The one that could not be stopped keeps its turn, and what ran continues.
    assert_eq!(waiting.record()["state"], "queued");
    assert!(!waiting.text("slurm.json").contains("\"stop_asked\": true"));
    assert_eq!(running.record()["state"], "running");

    cluster.daemon("slurmctld", &["-D"]);
    let printed = |cluster: &Cluster| cluster.call("squeue", &["-h", "-o", "%i"]);
    crate::fake_worker::wait_for("the controller", || {
        printed(&cluster).contains(&job_of(&running))
    });
    assert_eq!(states(), ["running", "queued"]);
    site.stdout(&["stop", running.0.to_str().unwrap()]);
    running.wait_for_state("stopped");
    super::wait_long("the next to begin", || begun(&waiting) == 1);
}
