//! Places for runs at work: a number of them on each GPU, or, on a machine without any and for runs
//! that want none, on the machine.

use super::super::gpus::Pool;
use crate::machine::choose::Room;
use traintop_config::Config;
use traintop_run::Record;
use traintop_run::record::GivenGpu;

const GIB: u64 = 1 << 30;

/// The places, and who has them.
#[derive(Debug)]
pub(super) struct Slots {
    room: Room,
    pool: Pool,
    /// Runs at work that are not on a GPU.
    busy: usize,
    /// How many GPUs a run waits for: those behind it do not overtake it.
    awaited: Option<usize>,
}

impl Slots {
    /// As the configuration says, with those taken that are at work.
    pub fn new<'a>(config: &Config, pool: Pool, at_work: impl Iterator<Item = &'a Record>) -> Self {
        let room = Room {
            runs: config.slots.unwrap_or(1),
            memory: config.gpu_memory.map(|gib| gib * GIB),
        };
        Self {
            room,
            busy: at_work.filter(|record| !pool.is_for(record)).count(),
            pool,
            awaited: None,
        }
    }

    /// The GPUs of the place that a run would get now, none where it needs none.
    ///
    /// # Errors
    /// If it has to wait: for what.
    pub fn find(&mut self, record: &Record) -> Result<Vec<GivenGpu>, String> {
        if !self.pool.is_for(record) {
            return match self.room.runs {
                runs if self.busy < runs => Ok(Vec::new()),
                1 => Err("the only slot is taken".to_owned()),
                runs => Err(format!("all {runs} slots are taken")),
            };
        }
        match (self.pool.find(record, Some(self.room)), self.awaited) {
            (Some(found), None) => Ok(found),
            (Some(_), Some(awaited)) => {
                let gpus = if awaited == 1 { "GPU" } else { "GPUs" };
                Err(format!("after a run that wants {awaited} {gpus}"))
            }
            (None, _) => {
                let shortage = self.pool.shortage(record, self.room);
                self.awaited.get_or_insert(shortage.wanted);
                Err(shortage.to_string())
            }
        }
    }

    /// A run has begun in the place that was found.
    pub fn take(&mut self, gpus: &[GivenGpu]) {
        self.busy += usize::from(gpus.is_empty());
        self.pool.take(gpus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Gpu;
    use traintop_run::RunDir;
    use traintop_run::process::Process;

    fn record(gpu_count: Option<u32>, gpus: &[&str]) -> Record {
        let dir = RunDir::new("/runs/a");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut record = Record::new(&dir, String::new(), Process::current(), Vec::new(), now);
        record.gpu_count = gpu_count;
        // As if queued from a shell in which no GPU is named.
        record.environment.insert("PATH".to_owned(), String::new());
        let gpu = |uuid: &&str| GivenGpu {
            index: 0,
            uuid: (*uuid).to_owned(),
        };
        record.gpus = gpus.iter().map(gpu).collect();
        record
    }

    fn slots(gpus: &[(&str, u64)], slots: usize, at_work: &[Record]) -> Slots {
        let gpu = |(uuid, used): &(&str, u64)| Gpu {
            uuid: (*uuid).to_owned(),
            memory: 80 * GIB,
            memory_used: used * GIB,
            ..Gpu::default()
        };
        let config = Config {
            slots: Some(slots),
            ..Config::default()
        };
        let pool = Pool::new(gpus.iter().map(gpu).collect(), at_work.iter());
        Slots::new(&config, pool, at_work.iter())
    }

    fn found(slots: &mut Slots, record: &Record) -> Result<Vec<String>, String> {
        let found = slots.find(record)?;
        slots.take(&found);
        Ok(found.into_iter().map(|gpu| gpu.uuid).collect())
    }

    fn refusal(why: &str) -> Result<Vec<String>, String> {
        Err(why.to_owned())
    }

    #[test]
    fn without_gpus_as_many_runs_as_slots_are_at_work() {
        let mut slots = slots(&[], 2, &[record(None, &[])]);
        assert_eq!(found(&mut slots, &record(None, &[])), Ok(vec![]));
        let why = refusal("all 2 slots are taken");
        assert_eq!(found(&mut slots, &record(Some(0), &[])), why);
    }

    #[test]
    fn each_gpu_has_slots_and_runs_that_want_none_have_their_own() {
        let one = || record(None, &[]);
        let mut slots = slots(&[("GPU-a", 0), ("GPU-b", 1), ("GPU-c", 79)], 1, &[]);
        let uuid = |uuid: &str| Ok(vec![uuid.to_owned()]);
        assert_eq!(found(&mut slots, &one()), uuid("GPU-a"));
        assert_eq!(found(&mut slots, &one()), uuid("GPU-b"));
        let why = refusal("no GPU is free: 2 have their runs, the memory of 1 is taken by others");
        assert_eq!(found(&mut slots, &one()), why);
        assert_eq!(found(&mut slots, &record(Some(0), &[])), Ok(vec![]));
        let why = refusal("the only slot is taken");
        assert_eq!(found(&mut slots, &record(Some(0), &[])), why);
    }

    #[test]
    fn nothing_overtakes_a_run_that_waits_for_more_gpus_and_none_waits_for_more_than_there_are() {
        let at_work = [record(None, &["GPU-a"])];
        let gpus = [("GPU-a", 0), ("GPU-b", 0)];
        let mut busy = slots(&gpus, 1, &at_work);
        let why = refusal("wants 2 GPUs, 1 of 2 free");
        assert_eq!(found(&mut busy, &record(Some(2), &[])), why);
        let why = refusal("after a run that wants 2 GPUs");
        assert_eq!(found(&mut busy, &record(None, &[])), why);
        let mut free = slots(&gpus, 1, &[]);
        let both = found(&mut free, &record(Some(4), &[]));
        assert_eq!(both.map(|both| both.len()), Ok(2));
    }
}
