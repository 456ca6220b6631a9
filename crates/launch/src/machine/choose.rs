//! Which GPUs a run gets: those with the most free memory, of the ones that have room for another
//! run.

use std::cmp::Reverse;
use std::fmt;

use super::Gpu;

/// What a GPU must have for another run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How many runs of ours may share one GPU.
    pub runs: usize,
    /// How much of its memory must be free, in bytes; by default half of a run's share of it.
    pub memory: Option<u64>,
}

impl Room {
    fn is_on(self, gpu: &Gpu, taken: usize) -> bool {
        let share = gpu.memory / self.runs.max(1) as u64;
        taken < self.runs && gpu.memory_free() >= self.memory.unwrap_or(share / 2)
    }
}

/// The GPUs among which this program may choose: of those that are there the ones that
/// `CUDA_VISIBLE_DEVICES` names, by number or by the beginning of the name. Those divided into
/// instances are left alone.
pub fn visible<'a>(gpus: &'a [Gpu], named: Option<&str>) -> Vec<&'a Gpu> {
    let list: Option<Vec<&str>> = named.map(|named| named.split(',').map(str::trim).collect());
    let is_named = |gpu: &Gpu| {
        let is_it = |name: &&str| match name.parse::<u32>() {
            Ok(index) => index == gpu.index,
            Err(_) => name.starts_with("GPU-") && gpu.uuid.starts_with(name),
        };
        list.as_ref().is_none_or(|list| list.iter().any(is_it))
    };
    gpus.iter()
        .filter(|gpu| !gpu.is_divided && is_named(gpu))
        .collect()
}

/// Why there are too few GPUs for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    pub wanted: usize,
    /// How many have room.
    pub free: usize,
    /// How many have as many runs of ours as they may.
    pub full: usize,
    /// How many have too little free memory: other programs have it, or runs of other queues.
    pub filled: usize,
}

impl Shortage {
    /// That of these GPUs for `wanted` of them.
    pub fn of(gpus: &[&Gpu], on: impl Fn(&Gpu) -> usize, wanted: usize, room: Room) -> Self {
        let has_room = |gpu: &&&Gpu| room.is_on(gpu, on(gpu));
        let is_full = |gpu: &&&Gpu| on(gpu) >= room.runs;
        let free = gpus.iter().filter(has_room).count();
        let full = gpus.iter().filter(is_full).count();
        Self {
            wanted,
            free,
            full,
            filled: gpus.len() - free - full,
        }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let all = self.free + self.full + self.filled;
        match (self.full, self.filled) {
            _ if self.free > 0 => {
                write!(f, "wants {} GPUs, {} of {all} free", self.wanted, self.free)
            }
            (1, 0) => f.write_str("the only GPU that it may use has its runs"),
            (0, 1) => f.write_str("the memory of the only GPU that it may use is taken by others"),
            (_, 0) => write!(f, "all {all} GPUs that it may use have their runs"),
            (0, _) => write!(
                f,
                "the memory of all {all} GPUs that it may use is taken by others"
            ),
            (full, filled) => write!(
                f,
                "no GPU is free: {full} have their runs, the memory of {filled} is taken by others"
            ),
        }
    }
}

/// `count` GPUs for a run: those that the fewest runs of ours are `on`, of equals those with the
/// most free memory. A run that has only just begun has no memory yet, so runs count first. `None`
/// if too few have room; without a `room` all have it.
pub fn choose<'a>(
    gpus: &[&'a Gpu],
    on: impl Fn(&Gpu) -> usize,
    count: usize,
    room: Option<Room>,
) -> Option<Vec<&'a Gpu>> {
    let has_room = |gpu: &&Gpu| room.is_none_or(|room| room.is_on(gpu, on(gpu)));
    let mut able: Vec<&Gpu> = gpus.iter().copied().filter(has_room).collect();
    able.sort_by_key(|gpu| (on(gpu), Reverse(gpu.memory_free()), gpu.index));
    able.truncate(count);
    (able.len() == count).then_some(able)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn gpu(index: u32, used: u64) -> Gpu {
        Gpu {
            index,
            uuid: format!("GPU-{index}abc"),
            memory: 80 * GIB,
            memory_used: used * GIB,
            ..Gpu::default()
        }
    }

    fn chosen(gpus: &[Gpu], taken: &[u32], count: usize, room: Option<Room>) -> Option<Vec<u32>> {
        let on = |gpu: &Gpu| taken.iter().filter(|index| **index == gpu.index).count();
        let gpus: Vec<&Gpu> = gpus.iter().collect();
        let chosen = choose(&gpus, on, count, room)?;
        Some(chosen.iter().map(|gpu| gpu.index).collect())
    }

    #[test]
    fn the_freest_gpu_is_chosen_among_those_with_room() {
        let gpus = [gpu(0, 30), gpu(1, 5), gpu(2, 70)];
        let room = |runs, memory| Some(Room { runs, memory });
        let one = room(1, None);
        assert_eq!(chosen(&gpus, &[], 1, one), Some(vec![1]));
        assert_eq!(chosen(&gpus, &[1], 1, one), Some(vec![0]));
        // The third is used by others.
        assert_eq!(chosen(&gpus, &[0, 1], 1, one), None);
        assert_eq!(
            chosen(&gpus, &[0, 1], 1, room(1, Some(8 * GIB))),
            Some(vec![2])
        );
        assert_eq!(chosen(&gpus, &[], 2, one), Some(vec![1, 0]));
        assert_eq!(chosen(&gpus, &[], 3, one), None);
        assert_eq!(chosen(&gpus, &[1], 1, room(2, None)), Some(vec![0]));
        assert_eq!(chosen(&gpus, &[0, 1], 1, room(2, None)), Some(vec![1]));
        // A run that is started without the queue gets one in any case.
        assert_eq!(chosen(&gpus, &[0, 1, 1, 2], 1, None), Some(vec![0]));
        assert_eq!(chosen(&[], &[], 1, None), None);
    }

    #[test]
    fn a_shortage_says_who_has_the_gpus() {
        let shortage = |gpus: &[Gpu], taken: &[u32], wanted: usize| {
            let on = |gpu: &Gpu| taken.iter().filter(|index| **index == gpu.index).count();
            let gpus: Vec<&Gpu> = gpus.iter().collect();
            let room = Room {
                runs: 1,
                memory: None,
            };
            Shortage::of(&gpus, on, wanted, room).to_string()
        };
        let [free, other, full] = [gpu(0, 0), gpu(1, 0), gpu(2, 79)];
        let one = [free.clone()];
        assert_eq!(
            shortage(&one, &[0], 1),
            "the only GPU that it may use has its runs"
        );
        let filled = "the memory of the only GPU that it may use is taken by others";
        assert_eq!(shortage(std::slice::from_ref(&full), &[], 1), filled);
        let two = [free.clone(), other.clone()];
        assert_eq!(
            shortage(&two, &[0, 1], 1),
            "all 2 GPUs that it may use have their runs"
        );
        assert_eq!(shortage(&two, &[1], 2), "wants 2 GPUs, 1 of 2 free");
        let all = [free, other, full];
        let mixed = "no GPU is free: 2 have their runs, the memory of 1 is taken by others";
        assert_eq!(shortage(&all, &[0, 1], 1), mixed);
    }

    #[test]
    fn only_gpus_that_the_environment_names_are_chosen_from() {
        let visible = |named: Option<&str>| -> Vec<u32> {
            let divided = Gpu {
                is_divided: true,
                ..gpu(3, 0)
            };
            let gpus = vec![gpu(0, 0), gpu(1, 0), gpu(2, 0), divided];
            super::visible(&gpus, named)
                .iter()
                .map(|gpu| gpu.index)
                .collect()
        };
        assert_eq!(visible(None), [0, 1, 2]);
        assert_eq!(visible(Some("2, 0")), [0, 2]);
        assert_eq!(visible(Some("GPU-1a")), [1]);
        for none in ["", "-1", "MIG-7", "GPU-1b"] {
            assert_eq!(visible(Some(none)), [0; 0], "{none}");
        }
    }
}
