//! What of its environment a run takes along into the queue: it is begun later, by a keeper that
//! another process may have started, from another shell with another Python. Only what says where
//! programs and libraries are and which processors to use is written down; the rest can hold
//! secrets, and run folders are read by others.

use std::collections::BTreeMap;
use std::process::Command;

use traintop_run::Record;

/// The variable by which CUDA gets its GPUs.
pub(super) const CUDA_VISIBLE_DEVICES: &str = "CUDA_VISIBLE_DEVICES";

/// What is taken along.
const NAMES: [&str; 18] = [
    "PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CUDA_HOME",
    CUDA_VISIBLE_DEVICES,
    "CUDA_DEVICE_ORDER",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TMPDIR",
    "TORCH_HOME",
    "HF_HOME",
    "XDG_CACHE_HOME",
    "LANG",
    "LIBTORCH",
];

/// What this process has of it.
pub(super) fn own() -> BTreeMap<String, String> {
    let own = NAMES.into_iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some((name.to_owned(), value))
    });
    own.collect()
}

/// The GPUs that the user who asked for the run allows it, if any are named.
pub(super) fn named_gpus(record: &Record) -> Option<String> {
    if record.environment.is_empty() {
        return std::env::var(CUDA_VISIBLE_DEVICES).ok();
    }
    record.environment.get(CUDA_VISIBLE_DEVICES).cloned()
}

/// Gives the command that begins a run what its record says: what was taken along, and its GPUs.
pub(super) fn give(record: &Record, command: &mut Command) {
    if !record.environment.is_empty() {
        for name in NAMES {
            match record.environment.get(name) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }
    if !record.gpus.is_empty() {
        let uuids: Vec<&str> = record.gpus.iter().map(|gpu| gpu.uuid.as_str()).collect();
        command.env(CUDA_VISIBLE_DEVICES, uuids.join(","));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traintop_run::RunDir;
    use traintop_run::process::Process;
    use traintop_run::record::GivenGpu;

    fn given(environment: &[(&str, &str)], gpus: &[&str]) -> Vec<(String, Option<String>)> {
        let dir = RunDir::new("/runs/a");
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut record = Record::new(&dir, String::new(), Process::current(), Vec::new(), now);
        let pairs = environment.iter();
        record.environment = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let gpu = |uuid: &&str| GivenGpu {
            index: 0,
            uuid: (*uuid).to_owned(),
        };
        record.gpus = gpus.iter().map(gpu).collect();
        let mut command = Command::new("true");
        give(&record, &mut command);
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        let pairs = command.get_envs();
        pairs
            .map(|(name, value)| (text(name), value.map(text)))
            .collect()
    }

    #[test]
    fn a_queued_run_gets_the_environment_it_was_queued_from_and_its_gpus() {
        assert_eq!(given(&[], &[]), []);
        let cuda = |value: &str| (CUDA_VISIBLE_DEVICES.to_owned(), Some(value.to_owned()));
        assert_eq!(given(&[], &["GPU-1", "GPU-2"]), [cuda("GPU-1,GPU-2")]);
        let queued = given(
            &[("PATH", "/venv/bin"), (CUDA_VISIBLE_DEVICES, "1")],
            &["GPU-1"],
        );
        assert_eq!(queued.len(), NAMES.len());
        assert!(queued.contains(&cuda("GPU-1")));
        assert!(queued.contains(&("PATH".to_owned(), Some("/venv/bin".to_owned()))));
        assert!(queued.contains(&("VIRTUAL_ENV".to_owned(), None)));
    }
}
