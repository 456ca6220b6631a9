//! Giving runs their GPUs: by free memory, and so that no two of ours come onto one that another
//! still has room for.

use std::collections::HashMap;

use super::environment::named_gpus;
use super::queue::Queue;
use crate::machine::choose::{Room, Shortage, choose, visible};
use crate::machine::{Gpu, Gpus};
use traintop_run::record::GivenGpu;
use traintop_run::{Record, RunDir};

/// How many GPUs a run gets, where there are any.
pub(super) fn gpus_of(record: &Record) -> usize {
    record.gpu_count.unwrap_or(1) as usize
}

/// GPUs, and how many of our runs are on each.
#[derive(Debug, Default)]
pub(super) struct Pool {
    gpus: Vec<Gpu>,
    taken: HashMap<String, usize>,
}

impl Pool {
    /// These, with the runs that are at work on this machine.
    pub fn new<'a>(gpus: Vec<Gpu>, at_work: impl Iterator<Item = &'a Record>) -> Self {
        let mut pool = Self {
            gpus,
            taken: HashMap::new(),
        };
        at_work.for_each(|record| pool.take(&record.gpus));
        pool
    }

    /// Whether a run's wish for GPUs means anything here.
    pub fn is_for(&self, record: &Record) -> bool {
        gpus_of(record) > 0 && !visible(&self.gpus, named_gpus(record).as_deref()).is_empty()
    }

    /// Those that the run would get; `None` if there are too few with room.
    pub fn find(&self, record: &Record, room: Option<Room>) -> Option<Vec<GivenGpu>> {
        let (able, count) = self.able(record);
        let chosen = choose(&able, |gpu| self.on(gpu), count, room)?;
        let given = chosen.into_iter().map(|gpu| GivenGpu {
            index: gpu.index,
            uuid: gpu.uuid.clone(),
        });
        Some(given.collect())
    }

    /// Why there are too few for a run.
    pub fn shortage(&self, record: &Record, room: Room) -> Shortage {
        let (able, count) = self.able(record);
        Shortage::of(&able, |gpu| self.on(gpu), count, room)
    }

    /// The GPUs that a run may have, and how many it gets of them: no run waits for more than there
    /// are.
    fn able(&self, record: &Record) -> (Vec<&Gpu>, usize) {
        let able = visible(&self.gpus, named_gpus(record).as_deref());
        let count = gpus_of(record).min(able.len());
        (able, count)
    }

    fn on(&self, gpu: &Gpu) -> usize {
        self.taken.get(&gpu.uuid).copied().unwrap_or(0)
    }

    /// A run is on them.
    pub fn take(&mut self, gpus: &[GivenGpu]) {
        for gpu in gpus {
            *self.taken.entry(gpu.uuid.clone()).or_default() += 1;
        }
    }
}

/// Notes the GPUs of a run that starts at once, even if they are in use: starting it past the queue
/// asks for that. Where nothing can be chosen, nothing is noted.
pub(super) fn give_now(dir: &RunDir, record: &mut Record) {
    record.gpus.clear();
    if gpus_of(record) == 0 {
        return;
    }
    let Some(gpus) = Gpus::open().map(|gpus| gpus.read()) else {
        return;
    };
    let at_work = Queue::around(dir).map(|queue| queue.at_work());
    let pool = Pool::new(gpus, at_work.unwrap_or_default().iter());
    record.gpus = pool.find(record, None).unwrap_or_default();
}
