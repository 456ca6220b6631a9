//! Which files of a run without progress are worthless: what traintop itself writes, and the
//! settings that known trainers write. Everything else is a user's work.

use std::ffi::OsStr;
use std::path::Path;

use super::obstacle::Obstacle;
use super::results_in_settings;
use super::startup_log;
use super::weights::{is_text, is_weights_content};
use traintop_disk::read;
use traintop_disk::write::{is_temporary, replaced_by};
use traintop_run::layout::RunDir;
use traintop_run::metrics::Tail;
use traintop_run::record::Record;

/// Larger files always count as valuable; in bytes.
pub const MAX_BYTES: u64 = 1_000_000;

/// What names of programs' sources end in.
const SOURCES: [&str; 39] = [
    "py", "pyx", "pyi", "ipynb", "rs", "c", "h", "cc", "cpp", "cxx", "hpp", "cu", "cuh", "js",
    "mjs", "ts", "tsx", "jsx", "go", "java", "kt", "scala", "swift", "jl", "r", "rmd", "m", "lua",
    "sh", "bash", "zsh", "pl", "rb", "cs", "f90", "tex", "bib", "sql", "proto",
];
/// Files that make a folder a project, with any ending.
const PROJECT_FILES: [&str; 8] = [
    "Makefile",
    "CMakeLists.txt",
    "Dockerfile",
    "Cargo.toml",
    "pyproject.toml",
    "setup.cfg",
    "requirements.txt",
    "package.json",
];
const VERSION_CONTROL: [&str; 5] = [".git", ".hg", ".svn", ".jj", ".bzr"];

/// Files at the top of a run that hold settings or marks.
const SETTINGS: [&str; 12] = [
    "notes.toml",
    "control.json",
    "slurm.json",
    "config.json",
    "config.yaml",
    "config.yml",
    "hparams.yaml",
    "args.yaml",
    "opt.yaml",
    "hyp.yaml",
    "params.json",
    "variant.json",
];
/// Metrics of trainers beside or instead of `metrics.csv`, by name, in lower case.
const METRICS_OF_OTHERS: [&str; 16] = [
    "metrics.csv",
    "metrics.json",
    "metrics.jsonl",
    "results.csv",
    "results.txt",
    "result.json",
    "progress.csv",
    "progress.txt",
    "summary.csv",
    "history.csv",
    "log.csv",
    "log.txt",
    "scalars.json",
    "trainer_log.jsonl",
    "learn_error.tsv",
    "monitor.csv",
];

/// A file that is known to be worthless by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// traintop's own record.
    Record,
    /// Text: settings and notes.
    Settings,
    /// Text, for people.
    Log,
    /// The metrics that are read, or the steps.
    Metrics,
    /// Made from metrics.
    Figure,
    /// Half of a file.
    Temporary,
}

/// What a file is, by its path below a run's folder; `None` if it is not known.
pub fn known(below: &Path) -> Option<Known> {
    let name = below.file_name()?.to_str()?;
    let folder = below.parent()?.to_str()?;
    if is_temporary(name) {
        return Some(Known::Temporary);
    }
    match (folder, name) {
        ("", "run.json") => Some(Known::Record),
        ("" | "logs", "metrics.csv") | ("logs", "steps.csv") => Some(Known::Metrics),
        ("" | "logs", "training.log") | ("logs", "worker.out") => Some(Known::Log),
        ("logs", "config.json" | "rebuilt.json")
        | (".hydra", "config.yaml" | "hydra.yaml" | "overrides.yaml") => Some(Known::Settings),
        ("", name) if SETTINGS.contains(&name) => Some(Known::Settings),
        ("logs/figures", name) if has_ending(name, &["png", "svg"]) => Some(Known::Figure),
        _ => None,
    }
}

/// Whether a temporary file is what is left of writing a file that is worth nothing itself, such as
/// `run.json`.
pub fn is_leftover(below: &Path) -> bool {
    let name = below.file_name().and_then(OsStr::to_str);
    let replaced = name.and_then(replaced_by);
    replaced.is_some_and(|name| known(&below.with_file_name(name)).is_some())
}

/// Whether a folder or file makes its parent a working copy.
pub fn is_version_control(name: &str) -> bool {
    VERSION_CONTROL.contains(&name)
}

/// Whether a file is a program's source, by its name.
pub fn is_source(name: &str) -> bool {
    has_ending(name, &SOURCES) || PROJECT_FILES.contains(&name)
}

/// Whether a name has one of these endings, in any case.
fn has_ending(name: &str, endings: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| {
        let mut endings = endings.iter();
        endings.any(|ending| ending.eq_ignore_ascii_case(extension))
    })
}

/// Whether a file holds the metrics of a training, by its name.
pub fn is_metrics(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    METRICS_OF_OTHERS.contains(&name.as_str())
        || name.contains(".tfevents.")
        || has_ending(&name, &["wandb"])
        || (has_ending(&name, &["csv"]) && name.contains(".monitor."))
        || name == "trainer_state.json"
}

/// Reads the known files of a run and checks that they hold what their names say. `is_blank` says
/// whether the run's metrics are empty; then no other file may show progress. Returns the record
/// too, where there is one.
pub fn read_known_files(
    dir: &RunDir,
    files: &[(&Path, Known)],
    is_blank: bool,
) -> Result<Option<Record>, Obstacle> {
    let mut record = None;
    for (below, known) in files {
        let path = dir.path().join(below);
        let own = || below.to_path_buf();
        if *known == Known::Metrics {
            if is_blank && has_values_in_header(&path) {
                return Err(Obstacle::Progress(own()));
            }
            if path == dir.metrics_csv() {
                continue;
            }
            let mut tail = Tail::open(&path);
            let is_read = tail.poll().is_ok();
            // Of two files of metrics only one is read; the steps belong to it.
            let is_own = path == dir.steps_csv();
            match (is_read && tail.is_blank(), is_own) {
                (true, _) => continue,
                (false, true) if is_read && !is_blank => continue,
                (false, true) if is_read => return Err(Obstacle::Progress(own())),
                _ => return Err(Obstacle::Unknown(own())),
            }
        }
        if *known == Known::Temporary {
            // The walk has seen that it is small, or half of a file that is worth nothing.
            continue;
        }
        let bytes = read::bytes(&path, MAX_BYTES).map_err(|_| Obstacle::Unread(own()))?;
        let is_picture = *known == Known::Figure && bytes.starts_with(b"\x89PNG\r\n");
        if is_picture {
            continue;
        }
        if is_weights_content(&bytes[..bytes.len().min(64)]) {
            return Err(Obstacle::Weights(own()));
        }
        if !is_text(&bytes) {
            return Err(Obstacle::Unknown(own()));
        }
        match known {
            Known::Record => match serde_json::from_slice::<Record>(&bytes) {
                Ok(read) => {
                    let has_best = is_blank && read.best.is_some();
                    if has_best || results_in_settings::in_unknown(&read.other) {
                        return Err(Obstacle::Results(own()));
                    }
                    record = Some(read);
                }
                // Another program's, such as Sacred's, or damaged.
                Err(_) => return Err(Obstacle::Unknown(own())),
            },
            Known::Settings => {
                let text = String::from_utf8_lossy(&bytes);
                if results_in_settings::in_text(below, &text) {
                    return Err(Obstacle::Results(own()));
                }
            }
            Known::Log
                if is_blank && !startup_log::holds_nothing(&String::from_utf8_lossy(&bytes)) =>
            {
                return Err(Obstacle::Progress(own()));
            }
            _ => {}
        }
    }
    Ok(record)
}

/// Whether the only line of a table holds a value, as `epoch,loss=0.3` does: then it is no header.
fn has_values_in_header(path: &Path) -> bool {
    let Ok(bytes) = read::bytes(path, MAX_BYTES) else {
        return true;
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut cells = text.split([',', ';', '\t', '|', '\n']);
    cells.any(|cell| {
        let cell = cell.trim().trim_matches('"').trim_end_matches('%').trim();
        let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
        let mut parts = cell.split(['=', ':']).skip(1);
        let last = cell.split_whitespace().next_back().unwrap_or_default();
        is_number(cell) || parts.any(is_number) || (last.contains('.') && is_number(last))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_traintop_and_known_trainers_write_is_known() {
        for path in [
            "run.json",
            "notes.toml",
            "metrics.csv",
            "logs/metrics.csv",
            "logs/steps.csv",
            "logs/worker.out",
            "logs/figures/accuracy.png",
            "hparams.yaml",
            ".hydra/overrides.yaml",
            ".run.json.12-3.tmp",
        ] {
            assert!(known(Path::new(path)).is_some(), "{path}");
        }
        for path in [
            "best.safetensors",
            "policy.zip",
            "thesis.txt",
            "cout.txt",
            "info.json",
            "results.csv",
            "events.out.tfevents.1700000000.host",
            "data/metrics.csv",
            "logs/version_0/metrics.csv",
            "figures/paper.png",
            "logs/run.json",
            "epoch_1",
        ] {
            assert_eq!(known(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn sources_and_metrics_are_known_by_name() {
        for name in [
            "train.py",
            "Notebook.IPYNB",
            "kernel.cu",
            "Makefile",
            "run.sh",
            "paper.tex",
        ] {
            assert!(is_source(name), "{name}");
        }
        for name in [
            "metrics.csv",
            "config.yaml",
            "training.log",
            "model.pt",
            "py",
        ] {
            assert!(!is_source(name), "{name}");
        }
        for name in [
            "results.csv",
            "events.out.tfevents.17.host",
            "run-1.wandb",
            "0.monitor.csv",
        ] {
            assert!(is_metrics(name), "{name}");
        }
        assert!(!is_metrics("config.json"));
    }
}
