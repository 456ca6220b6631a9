//! What the machine and its runs use, measured only while somebody looks at it: a thread sleeps until a screen that shows it is opened,
//! and again when it is closed.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::effect::Effect;
use super::message::Message;
use super::state::{Screen, State};
use super::view::machine::History;
use super::view::machine::MachineView;
use traintop_launch::machine::{Meter, Reading};
use traintop_run::health::Disk;
use traintop_run::{Record, RunDir};

/// From one look to the next.
const EVERY: Duration = Duration::from_secs(2);
/// Processor times are those between two looks: so long between the first two.
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

/// The runs whose use of this machine is to be measured, if anybody looks at it.
fn wanted(state: &State) -> Option<Vec<RunDir>> {
    if state.overlays.find::<MachineView>().is_some() {
        let rows = state.runs.all();
        let at_work = rows.filter(|row| {
            let summary = row.summary.as_ref();
            summary.is_some_and(|summary| summary.observed.state.is_active())
        });
        let mut dirs: Vec<RunDir> = at_work.map(|row| row.found.dir.clone()).collect();
        dirs.sort();
        return Some(dirs);
    }
    let Screen::Run(view) = &state.screen else {
        return None;
    };
    let summary = state.runs.row(&view.dir)?.summary.as_ref()?;
    let is_active = summary.observed.state.is_active();
    is_active.then(|| vec![view.dir.clone()])
}

/// The order that follows from what is shown now, if it differs from the last.
pub fn due(state: &mut State) -> Option<Effect> {
    let wanted = wanted(state);
    if wanted == state.sampled_usage {
        return None;
    }
    if let Screen::Run(view) = &mut state.screen {
        // What it used before it ended or was left is not what it uses.
        if wanted.as_ref().is_none_or(|dirs| !dirs.contains(&view.dir)) {
            view.usage = History::default();
        }
    }
    state.sampled_usage.clone_from(&wanted);
    Some(Effect::SampleUsage(wanted))
}

/// Hands what was measured to whoever shows it.
pub fn take(state: &mut State, sampled_usage: SampledUsage) {
    if let Screen::Run(view) = &mut state.screen {
        let place = sampled_usage.dirs.iter().position(|dir| *dir == view.dir);
        if let Some(usage) = place.and_then(|place| sampled_usage.reading.processes[place].clone())
        {
            view.usage.push(usage);
        }
    }
    if let Some(view) = state.overlays.find_mut::<MachineView>() {
        view.take(sampled_usage);
    }
}

/// The thread that measures. Where it has ended nothing is measured any more.
pub struct UsageSampler(Sender<Option<Vec<RunDir>>>);

impl UsageSampler {
    /// Starts it; it sleeps.
    pub fn start(roots: Vec<PathBuf>, messages: Sender<Message>) -> Self {
        let (sender, orders) = channel();
        let started = thread::Builder::new()
            .name("gauger".to_owned())
            .spawn(move || gauge(&roots, &orders, &messages));
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

fn gauge(roots: &[PathBuf], orders: &Receiver<Option<Vec<RunDir>>>, messages: &Sender<Message>) {
    let mut meter: Option<Meter> = None;
    let mut looked: Option<Instant> = None;
    let mut wanted: Option<Vec<RunDir>> = None;
    loop {
        let order = match wanted {
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => orders.recv_timeout(EVERY),
        };
        match order {
            Ok(order) => wanted = orders.try_iter().last().unwrap_or(order),
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
        if messages
            .send(Message::UsageSampled(Box::new(sampled_usage)))
            .is_err()
        {
            return;
        }
    }
}

/// The process of a run and the GPUs that it was given; 0, which is no process that could be asked about, where it has none here.
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
