//! What is in use of the machine, measured again and again.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::descendants::families;
use super::{Gpu, Gpus};

/// What of the machine is in use at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Its processors, as the system counts them.
    pub cores: usize,
    /// How much of all of them was busy since the last read, in percent.
    pub cpu: f32,
    /// All of its memory, in bytes; less where a control group grants less.
    pub memory: u64,
    /// What of it is used and could not be freed at once, in bytes.
    pub memory_used: u64,
    pub gpus: Vec<Gpu>,
    /// The usage of each requested process, in order; `None` for one that is gone.
    pub processes: Vec<Option<Usage>>,
}

/// What a process and all that it has started use.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// In percent of one core: 200 are two cores.
    pub cpu: f32,
    /// In memory, in bytes; what several of its processes share counts for each.
    pub memory: u64,
    /// The GPUs that it computes on.
    pub gpus: Vec<GpuShare>,
}

/// A process's part of a GPU.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GpuShare {
    /// The GPU's number.
    pub index: u32,
    /// How much the whole GPU is busy, in percent.
    pub load: Option<u32>,
    /// The process's memory there, in bytes, if the driver reports it.
    pub memory: Option<u64>,
    /// All of the GPU's memory, in bytes.
    pub of: u64,
}

/// Measures.
pub struct Meter {
    system: System,
    gpus: Option<Gpus>,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            system: System::new(),
            gpus: Gpus::open(),
        }
    }
}

impl Meter {
    /// How it is now. Processor times are those since the last call, so the first call has none.
    /// Each process comes with the names of the GPUs that it was given, which count as its own even
    /// where the driver does not report its processes, as in a container.
    pub fn read(&mut self, processes: &[(u32, Vec<String>)]) -> Reading {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let pids: Vec<u32> = processes.iter().map(|(pid, _)| *pid).collect();
        let families = families(&pids);
        let all = families.iter().flatten().copied();
        let all: Vec<Pid> = all.map(Pid::from_u32).collect();
        let what = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .without_tasks();
        self.system
            .refresh_processes_specifics(ProcessesToUpdate::Some(&all), true, what);
        let gpus = self.gpus.as_ref().map(Gpus::read).unwrap_or_default();
        let (memory, memory_used) = self.memory();
        Reading {
            cores: self.system.cpus().len(),
            cpu: self.system.global_cpu_usage(),
            memory,
            memory_used,
            processes: families
                .iter()
                .zip(processes)
                .map(|(family, (_, given))| self.usage(family, given, &gpus))
                .collect(),
            gpus,
        }
    }

    /// A control group's limit counts where there is one: beyond it, it is the container's
    /// processes that are killed.
    fn memory(&self) -> (u64, u64) {
        let whole = (self.system.total_memory(), self.system.used_memory());
        let limits = self.system.cgroup_limits();
        limits.map_or(whole, |limits| {
            if limits.total_memory > 0 && limits.total_memory < whole.0 {
                let free = limits.free_memory.min(limits.total_memory);
                (limits.total_memory, limits.total_memory - free)
            } else {
                whole
            }
        })
    }

    fn usage(&self, family: &[u32], given: &[String], gpus: &[Gpu]) -> Option<Usage> {
        let pids = family.iter().copied();
        let found = pids.filter_map(|pid| self.system.process(Pid::from_u32(pid)));
        let mut usage: Option<Usage> = None;
        for process in found {
            let usage = usage.get_or_insert_default();
            usage.cpu += process.cpu_usage();
            usage.memory += process.memory();
        }
        let usage = usage?;
        Some(Usage {
            gpus: shares(family, given, gpus),
            ..usage
        })
    }
}

/// The GPUs that some process of the family is on, or that it was given.
fn shares(family: &[u32], given: &[String], gpus: &[Gpu]) -> Vec<GpuShare> {
    let share = |gpu: &Gpu| {
        let own = gpu.processes.iter().filter(|(pid, _)| family.contains(pid));
        let own: Vec<Option<u64>> = own.map(|(_, memory)| *memory).collect();
        let is_its = !own.is_empty() || given.contains(&gpu.uuid);
        let known: Vec<u64> = own.into_iter().flatten().collect();
        is_its.then(|| GpuShare {
            index: gpu.index,
            load: gpu.load,
            memory: (!known.is_empty()).then(|| known.iter().sum()),
            of: gpu.memory,
        })
    };
    gpus.iter().filter_map(share).collect()
}
