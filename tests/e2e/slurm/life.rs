//! Runs as jobs of a real Slurm on this one machine, whose daemons the test starts itself, without any service.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::fake_worker::{Reaped, Run, Workplace, comes_true, wait_for};

/// Trains until it is asked to stop, and then saves; gone on with, it has finished. Says each time that it is begun, and how.
const SAVES: &str = r#"
echo begun >> "$dir/begun"
if [ -e "$dir/last.safetensors" ]; then state running; state finished; exit 0; fi
trap 'state stopping; echo saved > "$dir/last.safetensors"; state stopped; exit 0' TERM
state running
while :; do sleep 0.02; done
"#;

/// A cluster of this machine alone.
struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Reaped>,
}

fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

impl Cluster {
    /// Starts one with so many processors; says aloud why not where that cannot be.
    fn start(processors: u32) -> Option<Self> {
        let names = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"];
        if let Some(missing) = names.iter().find(|name| program(name).is_none()) {
            eprintln!("skipped: {missing} is not installed, so nothing of Slurm is tested");
            return None;
        }
        if !rustix::process::getuid().is_root() {
            eprintln!("skipped: only root can start Slurm's daemons, so nothing of it is tested");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["state", "spool", "munge"] {
            fs::create_dir(at(name)).unwrap();
        }
        let key: Vec<u8> = (0..128).map(|byte| byte ^ 0x5a).collect();
        fs::write(at("munge/key"), key).unwrap();
        fs::set_permissions(at("munge/key"), fs::Permissions::from_mode(0o600)).unwrap();
        let host = Command::new("hostname").output().unwrap().stdout;
        let host = String::from_utf8(host).unwrap().trim().to_owned();
        let (controller, node) = (free_port(), free_port());
        let socket = at("munge/socket");
        let conf = format!(
            "ClusterName=testing\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={socket},cred_expire=5\nCredType=cred/munge\n\
             SlurmctldPort={controller}\nSlurmdPort={node}\nStateSaveLocation={state}\nSlurmdSpoolDir={spool}\n\
             SlurmctldPidFile={pid}ctld\nSlurmdPidFile={pid}d\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\nJobRequeue=1\nMpiDefault=none\n\
             SchedulerType=sched/backfill\nSchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0\n\
             KillWait=5\nMinJobAge=300\nAccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none\n\
             SwitchType=switch/none\nSlurmdParameters=config_overrides\nNodeName={host} NodeAddr=127.0.0.1 CPUs={processors} State=UNKNOWN\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
            socket = socket.display(),
            state = at("state").display(),
            spool = at("spool").display(),
            pid = at("pid").display(),
        );
        fs::write(at("slurm.conf"), conf).unwrap();
        let mut cluster = Self {
            folder,
            daemons: Vec::new(),
        };
        let munge = |name: &str| format!("--{name}={}", at_in(&cluster, &format!("munge/{name}")));
        let options = [
            munge("socket"),
            format!("--key-file={}", at_in(&cluster, "munge/key")),
            format!("--pid-file={}", at_in(&cluster, "munge/pid")),
            format!("--log-file={}", at_in(&cluster, "munge/log")),
            format!("--seed-file={}", at_in(&cluster, "munge/seed")),
        ];
        cluster.daemon(
            "munged",
            &[&["--foreground", "--force"], &as_words(&options)[..]].concat(),
        );
        wait_for("munge's socket", || socket.exists());
        cluster.daemon("slurmctld", &["-D", "-i"]);
        cluster.daemon("slurmd", &["-D", "-N", &host]);
        let is_ready = comes_true(|| cluster.call("sinfo", &["-h", "-o", "%t"]).contains("idle"));
        let logs = ["slurmctld", "slurmd", "munged"]
            .map(|name| text(&cluster.folder.path().join(format!("{name}.log"))));
        assert!(is_ready, "{logs:?}");
        Some(cluster)
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    fn daemon(&mut self, name: &str, arguments: &[&str]) {
        let log = self.folder.path().join(format!("{name}.log"));
        let log = fs::File::create(log).unwrap();
        let child: Child = Command::new(program(name).unwrap())
            .args(arguments)
            .env("SLURM_CONF", self.conf())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.daemons.push(Reaped(child));
    }

    /// What a program of Slurm's prints.
    fn call(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program(name).unwrap());
        let output = command.args(arguments).env("SLURM_CONF", self.conf());
        String::from_utf8(output.output().unwrap().stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Jobs have processes of their own, which the end of the daemons does not end.
        self.call("scancel", &["--user=root"]);
        if !comes_true(|| self.call("squeue", &["-h"]).trim().is_empty()) {
            eprintln!("jobs of the test are left behind");
        }
        // The first to be started is the last to go.
        while self.daemons.pop().is_some() {}
    }
}

fn at_in(cluster: &Cluster, name: &str) -> String {
    cluster.folder.path().join(name).display().to_string()
}

fn as_words(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// A place to work in, of that cluster.
struct Site<'a> {
    cluster: &'a Cluster,
    place: Workplace,
}

impl<'a> Site<'a> {
    fn new(cluster: &'a Cluster, worker: &str, config: &str) -> Self {
        // Resumed, a worker gets its folder by another option.
        let worker = format!("{}{worker}", "[ -n \"$dir\" ] || dir=$TRAINTOP_RUN_DIR\n");
        let place = Workplace::new(&worker);
        let folder = place.path().join("config/traintop");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), config).unwrap();
        Self { cluster, place }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.traintop(arguments);
        command.env("SLURM_CONF", self.cluster.conf());
        command
    }

    fn said(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// The list, with the scheduler asked whatever the time.
    fn listed(&self, what: &str) -> Vec<Value> {
        let _ = fs::remove_file(self.place.path().join("state/traintop/slurm.json"));
        let said = self.said(&[what, "--json"]);
        serde_json::from_str::<Value>(&said)
            .unwrap()
            .as_array()
            .unwrap()
            .clone()
    }

    fn submit(&self, more: &[&str]) -> Vec<Run> {
        let plan = ["train", "--config", "quick", "--on", "slurm", "--json"];
        let json: Value = serde_json::from_str(&self.said(&[&plan[..], more].concat())).unwrap();
        let paths = json["queued"].as_array().unwrap().iter();
        paths
            .map(|path| Run(PathBuf::from(path.as_str().unwrap())))
            .collect()
    }
}

fn job_of(run: &Run) -> String {
    let job = &run.record()["slurm"];
    match job["task"].as_u64() {
        Some(task) => format!("{}_{task}", job["id"]),
        None => job["id"].to_string(),
    }
}

fn begun(run: &Run) -> usize {
    run.text("begun").lines().count()
}

#[test]
fn a_job_waits_runs_stops_and_is_cancelled_and_each_says_so() {
    let Some(cluster) = Cluster::start(1) else {
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
    let shown = site.said(&["show", &second.name()]);
    assert!(
        shown.contains(&format!("job           {job} of Slurm\n")),
        "{shown}"
    );
    let queue = site.said(&["queue"]);
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
    let said = site.said(&["stop", third.0.to_str().unwrap()]);
    assert!(said.ends_with("taken out of the queue\n"), "{said}");
    assert_eq!(third.record()["state"], "stopped");
    fs::write(
        first.0.join("run.json"),
        record.to_string().replace("\":\"", "\": \""),
    )
    .unwrap();
    let problem = site.refusal(&["stop", "--kill", first.0.to_str().unwrap()]);
    assert!(problem.contains("ask it to stop first"), "{problem}");
    let said = site.said(&["stop", first.0.to_str().unwrap()]);
    assert!(said.contains("asked to stop"), "{said}");
    first.wait_for_state("stopped");
    assert_eq!(first.text("last.safetensors"), "saved\n");

    // The next begins, and is cancelled by somebody else.
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

    // What was stopped goes on in Slurm, in its folder.
    site.said(&["resume", first.0.to_str().unwrap()]);
    first.wait_for_state("finished");
    assert_eq!(begun(&first), 2);
    wait_for("an end of asking", || {
        site.listed("list");
        first.text("slurm.json").contains("\"is_over\": true")
    });

    // What Slurm refuses leaves nothing behind.
    fs::write(
        site.place.path().join("config/traintop/config.toml"),
        "[slurm]\npartition = 'nowhere'\n",
    )
    .unwrap();
    let problem = site.refusal(&["train", "--config", "quick", "--on", "slurm"]);
    assert!(
        problem.starts_with("Slurm did not take the job: sbatch: error: "),
        "{problem}"
    );
    assert_eq!(site.listed("list").len(), 3);
}

#[test]
fn a_sweep_is_one_array_and_a_job_near_its_limit_saves_and_goes_on() {
    let Some(cluster) = Cluster::start(4) else {
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
        site.said(&["stop", run.0.to_str().unwrap()]);
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

/// Whoever hands a run to Slurm is killed between that and noting the job's id.
#[test]
fn a_job_whose_number_was_not_noted_is_found_again_and_not_handed_over_twice() {
    let Some(cluster) = Cluster::start(1) else {
        return;
    };
    let site = Site::new(&cluster, SAVES, "[slurm]\ncpus = 1\n");
    let busy = site.submit(&[]).remove(0);
    busy.wait_for_state("running");
    // In sbatch's place: hands the job over, says so, and never comes back.
    let folder = site.place.path().join("bin");
    fs::create_dir(&folder).unwrap();
    let real = program("sbatch").unwrap();
    let script = format!(
        "#!/bin/sh\n{} \"$@\" > /dev/null\ntouch {}/handed\nexec sleep 60\n",
        real.display(),
        folder.display()
    );
    fs::write(folder.join("sbatch"), script).unwrap();
    fs::set_permissions(folder.join("sbatch"), fs::Permissions::from_mode(0o755)).unwrap();
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
    let shown = site.said(&["show", &job, "--json"]);
    assert!(shown.contains(run.name().as_str()), "{shown}");
    site.said(&["stop", &job_of(&busy)]);
    run.wait_for_state("running");
    assert_eq!((begun(&run), begun(&busy)), (1, 1));
    site.said(&["stop", &job]);
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
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "there is no sbatch on the PATH, so nothing can be handed to Slurm from here; leave --on slurm out to train on this machine\n"
    );
    assert!(!place.path().join("runs/training_runs").exists());
    let mut help = place.traintop(&["train", "--help"]);
    let help = help.env("PATH", "/nowhere").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    assert!(help.contains("--queue") && !help.contains("--on"), "{help}");
    let said = place.refusal(&["train", "--launcher", "mine", "--on", "slurm"], 2);
    assert!(said.contains("--on slurm goes with --config"), "{said}");
}
