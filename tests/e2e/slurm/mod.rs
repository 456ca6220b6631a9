//! Runs as jobs of a real Slurm on this one machine, whose daemons the test starts itself, without
//! any service.

mod accounts;
mod ends;
mod launcher;
mod life;
mod silent;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::did_not_run::did_not_run;
use crate::fake_worker::{Reaped, Run, Workplace, comes_true, wait_for};
use crate::schemas;

/// Trains until it is asked to stop, and then saves; gone on with, it has finished. Says each time
/// that it is begun, and how.
pub const SAVES: &str = r#"
echo begun >> "$dir/begun"
if [ -e "$dir/last.safetensors" ]; then state running; state finished; exit 0; fi
trap 'state stopping; echo saved > "$dir/last.safetensors"; state stopped; exit 0' TERM
state running
while keeps_running; do sleep 0.02; done
"#;

/// Trains and hears no signal.
pub const DEAF: &str = r#"
trap '' TERM
echo begun >> "$dir/begun"
state running
while keeps_running; do sleep 0.02; done
"#;

/// What a test wants of its cluster.
#[derive(Default)]
pub struct Setup<'a> {
    /// Processors of the one node.
    pub processors: u32,
    /// Lines of `slurm.conf`, in place of those of the same key.
    pub lines: &'a str,
    /// The partitions, if not one of all nodes.
    pub partitions: Option<&'a str>,
    /// Whether there is a database of what jobs came to.
    pub keeps_accounts: bool,
}

/// A cluster of this machine alone.
pub struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<(&'static str, Reaped)>,
}

pub fn program(name: &str) -> Option<PathBuf> {
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

/// Waits for what Slurm does only every half a minute.
pub fn wait_long(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

impl Cluster {
    /// One with this many processors, and otherwise as most are.
    pub fn of(processors: u32) -> Option<Self> {
        Self::start(&Setup {
            processors,
            ..Setup::default()
        })
    }

    /// Starts one; says aloud why not where that cannot be.
    pub fn start(setup: &Setup) -> Option<Self> {
        let mut names = vec!["munged", "slurmctld", "slurmd", "sbatch", "squeue"];
        if setup.keeps_accounts {
            names.extend(["mariadbd", "slurmdbd", "sacct", "sacctmgr"]);
        }
        if let Some(missing) = names.iter().find(|name| program(name).is_none()) {
            did_not_run(&format!("{missing} of Slurm is not installed"));
            return None;
        }
        if !rustix::process::getuid().is_root() {
            did_not_run("only root can start Slurm's daemons");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut cluster = Self {
            folder,
            daemons: Vec::new(),
        };
        for name in ["state", "spool", "munge", "database"] {
            fs::create_dir(cluster.at(name)).unwrap();
        }
        cluster.start_munge();
        let host = Command::new("hostname").output().unwrap().stdout;
        let host = String::from_utf8(host).unwrap().trim().to_owned();
        let accounts = setup.keeps_accounts.then(free_port);
        fs::write(cluster.conf(), cluster.conf_text(setup, &host, accounts)).unwrap();
        if let Some(port) = accounts {
            cluster.start_accounts(port);
        }
        cluster.daemon("slurmctld", &["-D", "-i"]);
        cluster.daemon("slurmd", &["-D", "-N", &host]);
        let is_ready = comes_true(|| cluster.call("sinfo", &["-h", "-o", "%t"]).contains("idle"));
        assert!(is_ready, "{}", cluster.logs());
        Some(cluster)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn named(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }

    pub fn conf(&self) -> PathBuf {
        self.at("slurm.conf")
    }

    fn logs(&self) -> String {
        let names = ["slurmctld", "slurmd", "slurmdbd", "mariadbd", "munged"];
        let logs = names.map(|name| format!("{name}: {}", text(&self.at(&format!("{name}.log")))));
        logs.join("\n")
    }

    fn conf_text(&self, setup: &Setup, host: &str, accounts: Option<u16>) -> String {
        let (controller, node) = (free_port(), free_port());
        let (socket, state, spool, pid) = (
            self.named("munge/socket"),
            self.named("state"),
            self.named("spool"),
            self.named("pid"),
        );
        let usual = format!(
            "ClusterName=testing\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={socket},cred_expire=5\nCredType=cred/munge\n\
             SlurmctldPort={controller}\nSlurmdPort={node}\nStateSaveLocation={state}\nSlurmdSpoolDir={spool}\n\
             SlurmctldPidFile={pid}ctld\nSlurmdPidFile={pid}d\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\nReturnToService=2\nJobRequeue=1\nMpiDefault=none\n\
             SchedulerType=sched/backfill\nSchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0\n\
             KillWait=2\nMinJobAge=300\nJobAcctGatherType=jobacct_gather/none\nSwitchType=switch/none\n\
             SlurmdParameters=config_overrides\n"
        );
        let key = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
        let own: Vec<String> = setup.lines.lines().map(key).collect();
        let usual = usual.lines().filter(|line| !own.contains(&key(line)));
        let accounts = accounts.map_or_else(
            || "AccountingStorageType=accounting_storage/none".to_owned(),
            |port| {
                format!(
                    "AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageHost=127.0.0.1\n\
                     AccountingStoragePort={port}\nAccountingStoragePass={socket}"
                )
            },
        );
        let processors = setup.processors;
        let node = format!(
            "NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory=1000 State=UNKNOWN"
        );
        let all = "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP";
        let partitions = setup.partitions.unwrap_or(all);
        let lines: Vec<&str> = usual
            .chain(setup.lines.lines())
            .chain([&*accounts, &*node, partitions])
            .collect();
        lines.join("\n") + "\n"
    }

    fn start_munge(&mut self) {
        let key: Vec<u8> = (0..128).map(|byte| byte ^ 0x5a).collect();
        let secret = fs::Permissions::from_mode(0o600);
        fs::write(self.at("munge/key"), key).unwrap();
        fs::set_permissions(self.at("munge/key"), secret).unwrap();
        let option = |name: &str, file: &str| format!("--{name}={}", self.named(file));
        let options = [
            "--foreground".to_owned(),
            "--force".to_owned(),
            option("socket", "munge/socket"),
            option("key-file", "munge/key"),
            option("pid-file", "munge/pid"),
            option("log-file", "munge/log"),
            option("seed-file", "munge/seed"),
        ];
        self.daemon("munged", &options.each_ref().map(String::as_str));
        let socket = self.at("munge/socket");
        wait_for("munge's socket", || socket.exists());
    }

    /// A database server of its own, without any tables, and Slurm's daemon before it.
    fn start_accounts(&mut self, port: u16) {
        let server = free_port();
        let options = [
            "--no-defaults".to_owned(),
            "--user=root".to_owned(),
            "--skip-grant-tables".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            "--innodb-buffer-pool-size=16M".to_owned(),
            format!("--port={server}"),
            format!("--datadir={}", self.named("database")),
            format!("--socket={}", self.named("database.socket")),
            format!("--pid-file={}", self.named("database.pid")),
        ];
        self.daemon("mariadbd", &options.each_ref().map(String::as_str));
        // Who comes too early waits for five seconds.
        wait_for("the database", || {
            TcpStream::connect(("127.0.0.1", server)).is_ok()
        });
        let conf = format!(
            "AuthType=auth/munge\nAuthInfo=socket={}\nDbdHost=localhost\nDbdPort={port}\nSlurmUser=root\n\
             StorageType=accounting_storage/mysql\nStorageHost=127.0.0.1\nStoragePort={server}\nStorageUser=root\n\
             StorageLoc=accounts\nPidFile={}\n",
            self.named("munge/socket"),
            self.named("piddbd"),
        );
        fs::write(self.at("slurmdbd.conf"), conf).unwrap();
        let secret = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.at("slurmdbd.conf"), secret).unwrap();
        self.daemon("slurmdbd", &["-D"]);
        wait_for("Slurm's database daemon", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let add = ["-i", "add", "cluster", "testing"];
        let is_added = comes_true(|| self.call("sacctmgr", &add).contains("testing"));
        assert!(is_added, "{}", self.logs());
    }

    pub fn daemon(&mut self, name: &'static str, arguments: &[&str]) {
        let log = fs::File::create(self.at(&format!("{name}.log"))).unwrap();
        let child: Child = Command::new(program(name).unwrap())
            .args(arguments)
            .env("SLURM_CONF", self.conf())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.daemons.push((name, Reaped(child)));
    }

    /// Ends a daemon, which saves what it knows.
    pub fn end(&mut self, name: &str) {
        let mut ends = |(known, daemon): &mut (&str, Reaped)| {
            if *known != name {
                return true;
            }
            let pid = rustix::process::Pid::from_child(&daemon.0);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
            wait_for("a daemon's end", || daemon.0.try_wait().unwrap().is_some());
            false
        };
        self.daemons.retain_mut(&mut ends);
    }

    /// What a program of Slurm's prints.
    pub fn call(&self, name: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program(name).unwrap());
        let output = command.args(arguments).env("SLURM_CONF", self.conf());
        String::from_utf8(output.output().unwrap().stdout).unwrap()
    }

    /// Every process that was started for this cluster or by it: jobs have processes of their own.
    fn processes(&self) -> Vec<i32> {
        let mark = format!("SLURM_CONF={}", self.conf().display());
        let is_ours = |pid: &i32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == mark.as_bytes())
        };
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(is_ours).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let runs = |name: &str| self.daemons.iter().any(|(known, _)| *known == name);
        if runs("slurmctld") && runs("slurmd") {
            self.call("scancel", &["--user=root"]);
            if !comes_true(|| self.call("squeue", &["-h"]).trim().is_empty()) {
                eprintln!("jobs of the test do not end by themselves");
            }
        }
        // The first to be started is the last to go.
        while self.daemons.pop().is_some() {}
        // What a job has left, or a daemon that is gone could not end.
        for pid in self.processes() {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

/// A place to work in, of that cluster.
pub struct Site {
    conf: PathBuf,
    pub place: Workplace,
}

impl Site {
    pub fn new(cluster: &Cluster, worker: &str, config: &str) -> Self {
        // Resumed, a worker gets its folder by another option.
        let worker = format!("{}{worker}", "[ -n \"$dir\" ] || dir=$TRAINTOP_RUN_DIR\n");
        let place = Workplace::new(&worker);
        let site = Self {
            conf: cluster.conf(),
            place,
        };
        site.configure(config);
        site
    }

    /// Makes these the user's settings.
    pub fn configure(&self, config: &str) {
        let folder = self.place.path().join("config/traintop");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config.toml"), config).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.traintop(arguments);
        command.env("SLURM_CONF", &self.conf);
        command
    }

    pub fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr)
            .unwrap()
            .trim_end()
            .to_owned()
    }

    /// The list, with the scheduler polled at once.
    pub fn listed(&self, what: &str) -> Vec<Value> {
        let _ = fs::remove_file(self.place.path().join("state/traintop/slurm.json"));
        let printed = self.stdout(&[what, "--json"]);
        schemas::json(what, printed.as_bytes())
            .as_array()
            .unwrap()
            .clone()
    }

    /// What the list says of one run.
    pub fn row(&self, run: &Run) -> Value {
        let list = self.listed("list");
        let path = run.0.to_str().unwrap();
        let row = list.into_iter().find(|row| row["path"] == path);
        row.unwrap()
    }

    /// Waits until the list says this of a run: its state, what its reason contains, and its cause.
    pub fn wait_for_end(&self, run: &Run, state: &str, reason: &str, cause: Option<&str>) {
        let mut last = Value::Null;
        wait_long(&format!("{state}: {reason}"), || {
            last = self.row(run);
            let reason_given = last["state_reason"].as_str().unwrap_or_default();
            last["state"] == state && reason_given.contains(reason)
        });
        assert_eq!(last["cause"]["what"].as_str(), cause, "{last}");
    }

    pub fn submit(&self, more: &[&str]) -> Vec<Run> {
        let plan = ["train", "--config", "quick", "--on", "slurm", "--json"];
        let json = schemas::json("train", self.stdout(&[&plan[..], more].concat()).as_bytes());
        let paths = json["queued"].as_array().unwrap().iter();
        paths
            .map(|path| Run(PathBuf::from(path.as_str().unwrap())))
            .collect()
    }
}

pub fn job_of(run: &Run) -> String {
    let job = &run.record()["slurm"];
    match job["task"].as_u64() {
        Some(task) => format!("{}_{task}", job["id"]),
        None => job["id"].to_string(),
    }
}

pub fn begun(run: &Run) -> usize {
    run.text("begun").lines().count()
}
