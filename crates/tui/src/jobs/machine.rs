//! The thread that measures what the machine and the runs on it use.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use traintop_launch::machine::{Meter, Reading};
use traintop_run::health::Disk;
use traintop_run::{Record, RunDir};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(2);

/// Processor times are those between two samples: the time between the first two.
const FIRST: Duration = Duration::from_millis(300);

/// What was measured at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SampledUsage {
    /// The machine's name.
    pub host: String,
    /// Of the machine, and of the processes of the runs.
    pub reading: Reading,
    /// The runs, in the reading's order.
    pub dirs: Vec<RunDir>,
    /// The disks that the roots are on, each with the first of them.
    pub disks: Vec<(PathBuf, Disk)>,
}

/// The thread that measures. Where it has ended nothing is measured any more.
pub struct UsageSampler(Sender<Option<Vec<RunDir>>>);

impl UsageSampler {
    /// Starts it; it sleeps.
    /// `send` answers whether anybody hears it.
    pub fn start(
        roots: Vec<PathBuf>,
        send: impl Fn(SampledUsage) -> bool + Send + 'static,
    ) -> Self {
        let (sender, requests) = channel();
        let started = thread::Builder::new()
            .name("usage".to_owned())
            .spawn(move || sample(&roots, &requests, send));
        if let Err(error) = started {
            log::error!("the machine is not measured: {error}");
        }
        Self(sender)
    }

    /// Has these runs measured from now on, or nothing.
    pub fn submit(&self, dirs: Option<Vec<RunDir>>) {
        if self.0.send(dirs).is_err() {
            log::error!("the machine is not measured any more");
        }
    }
}

fn sample(
    roots: &[PathBuf],
    requests: &Receiver<Option<Vec<RunDir>>>,
    send: impl Fn(SampledUsage) -> bool,
) {
    let mut meter: Option<Meter> = None;
    let mut looked: Option<Instant> = None;
    let mut wanted: Option<Vec<RunDir>> = None;
    loop {
        let request = match wanted {
            None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => requests.recv_timeout(EVERY),
        };
        match request {
            Ok(request) => wanted = requests.try_iter().last().unwrap_or(request),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let Some(dirs) = &wanted else {
            continue;
        };
        let meter = meter.get_or_insert_default();
        let processes: Vec<(u32, Vec<String>)> = dirs.iter().map(process).collect();
        if looked.is_none_or(|looked| looked.elapsed() > 2 * EVERY) {
            meter.read(&processes);
            thread::sleep(FIRST);
        }
        let sampled_usage = SampledUsage {
            host: traintop_run::process::host(),
            reading: meter.read(&processes),
            dirs: dirs.clone(),
            disks: disks(roots),
        };
        looked = Some(Instant::now());
        if !send(sampled_usage) {
            return;
        }
    }
}

/// The process of a run and the GPUs that it was given; 0, which is no process that could be asked
/// about, where it has none here.
fn process(dir: &RunDir) -> (u32, Vec<String>) {
    let record = Record::load(dir).ok().flatten();
    let here = record.and_then(|record| {
        let process = record
            .process
            .filter(traintop_run::process::Process::is_alive)?;
        let gpus = record.gpus.into_iter().map(|gpu| gpu.uuid);
        Some((process.pid, gpus.collect()))
    });
    here.unwrap_or_default()
}

fn disks(roots: &[PathBuf]) -> Vec<(PathBuf, Disk)> {
    let mut disks: Vec<(PathBuf, Disk)> = Vec::new();
    for root in roots {
        let disk = Disk::of(root);
        let is_new = |disk: &Disk| disks.iter().all(|(_, known)| known.id != disk.id);
        if let Some(disk) = disk.filter(is_new) {
            disks.push((root.clone(), disk));
        }
    }
    disks
}
