//! Jobs that Slurm ends, or that it warns: the time limit, another's job, too much memory, a node
//! that fails.

use super::{Cluster, DEAF, SAVES, Setup, Site, begun, job_of, wait_long};
use crate::fake_worker::{Run, wait_for};

/// Limits are whole minutes; a job's end can be moved by seconds.
fn ends_in(cluster: &Cluster, run: &Run, seconds: u32) {
    let job = format!("JobId={}", job_of(run));
    let end = format!("EndTime=now+{seconds}");
    cluster.call("scontrol", &["update", &job, &end]);
}

#[test]
fn at_its_limit_a_job_is_ended_and_before_it_warned_and_it_continues() {
    let Some(cluster) = Cluster::start(&Setup {
        processors: 4,
        lines: "OverTimeLimit=0",
        ..Setup::default()
    }) else {
        return;
    };
    let deaf = Site::new(&cluster, DEAF, "[slurm]\ncpus = 1\ntime = 5\nsignal = 0\n");
    let ended = deaf.submit(&[]).remove(0);
    let settings = "[slurm]\ncpus = 1\ntime = 5\nsignal = 60\nrequeue = true\n";
    let site = Site::new(&cluster, SAVES, settings);
    let warned = site.submit(&[]).remove(0);
    site.configure(&settings.replace("true", "false"));
    let stopped = site.submit(&[]).remove(0);
    for run in [&ended, &warned, &stopped] {
        wait_for("the run's begin", || begun(run) == 1);
    }
    ends_in(&cluster, &ended, 2);
    ends_in(&cluster, &warned, 62);
    ends_in(&cluster, &stopped, 62);

    // Slurm's own signal: it saves, and has another turn, or says that resume continues it.
    wait_long("the job to have saved", || {
        warned.text("last.safetensors") == "saved\n"
    });
    wait_long("another turn", || warned.record()["state"] == "finished");
    assert_eq!(begun(&warned), 2);
    let reason = "since the time limit of its job is over; resume continues from here";
    site.wait_for_end(&stopped, "stopped", reason, Some("time limit"));
    assert_eq!(begun(&stopped), 1);

    let job = job_of(&ended);
    let reason = format!("Slurm ended job {job} at its time limit");
    deaf.wait_for_end(&ended, "failed", &reason, Some("time limit"));
    assert!(ended.text("slurm.json").contains("\"TIMEOUT\""));
}

#[test]
fn preempted_out_of_memory_and_on_a_failed_node_each_says_so() {
    let Some(cluster) = Cluster::start(&Setup {
        processors: 2,
        lines: "PreemptType=preempt/partition_prio\nPreemptMode=REQUEUE\nSelectTypeParameters=CR_CPU_Memory\n\
                JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=task=1\nJobAcctGatherParams=OverMemoryKill",
        partitions: Some(
            "PartitionName=low Nodes=ALL Default=YES State=UP PriorityTier=1 PreemptMode=CANCEL\n\
             PartitionName=again Nodes=ALL State=UP PriorityTier=1 PreemptMode=REQUEUE\n\
             PartitionName=high Nodes=ALL State=UP PriorityTier=10",
        ),
        ..Setup::default()
    }) else {
        return;
    };
    let settings = "[slurm]\ncpus = 2\nmemory = '100M'\n";
    let deaf = Site::new(&cluster, DEAF, settings);
    let site = Site::new(&cluster, SAVES, settings);
    let preempt = || {
        let job = ["-p", "high", "-c", "2", "--mem=100", "-o", "/dev/null"];
        cluster.call("sbatch", &[&job[..], &["--wrap=sleep 1000"]].concat());
    };
    let make_way = || {
        cluster.call("scancel", &["--partition=high"]);
    };

    // Where preempted jobs are ended, one that has saved is stopped, and another has failed.
    let saved = site.submit(&[]).remove(0);
    saved.wait_for_state("running");
    preempt();
    let reason = format!("job {} was preempted by another", job_of(&saved));
    site.wait_for_end(&saved, "stopped", &reason, Some("preempted"));
    assert_eq!(saved.text("last.safetensors"), "saved\n");
    make_way();
    let lost = deaf.submit(&[]).remove(0);
    lost.wait_for_state("running");
    preempt();
    let reason = format!("job {} was preempted by another", job_of(&lost));
    deaf.wait_for_end(&lost, "failed", &reason, Some("preempted"));
    make_way();

    // Where they wait again, it continues where it was.
    site.configure(&format!("{settings}partition = 'again'\n"));
    let again = site.submit(&[]).remove(0);
    again.wait_for_state("running");
    preempt();
    wait_for("the job to have saved", || {
        again.text("last.safetensors") == "saved\n"
    });
    make_way();
    wait_long("another turn", || again.record()["state"] == "finished");
    assert_eq!(begun(&again), 2);

    // Without control groups Slurm watches the memory itself, and calls such a job failed.
    let eats = "state running\nexec dd if=/dev/zero of=/dev/null bs=400M\n";
    let hungry = Site::new(&cluster, eats, settings);
    let run = hungry.submit(&[]).remove(0);
    hungry.wait_for_end(&run, "failed", "", Some("out of memory"));

    // The node goes, and with it what ran there.
    deaf.configure(&format!("{settings}lines = ['#SBATCH --no-requeue']\n"));
    let run = deaf.submit(&[]).remove(0);
    run.wait_for_state("running");
    let node = cluster.call("squeue", &["-h", "-o", "%N"]);
    let node = format!("NodeName={}", node.trim());
    cluster.call("scontrol", &["update", &node, "State=DOWN", "Reason=test"]);
    let reason = format!("the node of job {} failed", job_of(&run));
    deaf.wait_for_end(&run, "failed", &reason, Some("node failure"));
}
