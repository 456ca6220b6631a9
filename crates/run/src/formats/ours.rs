//! traintop's own runs, and those of the trainer that it succeeds: texts in `logs/`, a record at
//! the top.

use std::path::Path;

use super::json;
use super::{Facts, Format, Listing, RunParts, Source};
use crate::layout::RunDir;
use crate::metrics::Tail;
use crate::run_names::OURS;
use traintop_disk::read;

/// Larger files are no configurations.
const MAX_BYTES: u64 = 1 << 20;

/// The folders of a run that hold no other run.
const FOLDERS: [&str; 5] = [
    "logs",
    "checkpoints",
    "evaluations",
    "best_models",
    "final_models",
];

pub struct Ours;

impl Format for Ours {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        let dir = RunDir::new(&listing.path);
        // Sacred has a file of that name, and no `logs`.
        let has_record = listing.has_file("run.json") && !super::sacred::is_sacred(listing);
        let has_logs = || {
            let logs = dir.logs();
            listing.has_folder("logs")
                && ["metrics.csv", "config.json"]
                    .iter()
                    .any(|name| logs.join(name).exists())
        };
        let metrics = || {
            if listing.has_file("metrics.csv") {
                dir.metrics_csv()
            } else {
                dir.logs().join("metrics.csv")
            }
        };
        (has_record || has_logs())
            .then(|| RunParts::new(OURS, vec![metrics()]).with_folders(FOLDERS))
    }

    fn open(&self, _dir: &Path, parts: &RunParts) -> Box<dyn Source> {
        Box::new(Tail::open(&parts.metrics[0]))
    }

    fn facts(&self, dir: &Path, _places: &RunParts) -> Facts {
        let path = RunDir::new(dir).config_json();
        let config = json::object(&read::bytes(&path, MAX_BYTES).unwrap_or_default());
        let text = |key: &str| config.get(key)?.as_str().map(str::to_owned);
        let planned = config.get("num_epochs").and_then(serde_json::Value::as_u64);
        Facts {
            model: text("model_name"),
            experiment: text("experiment_name"),
            epochs_planned: planned.and_then(|planned| planned.try_into().ok()),
            config,
            ..Facts::default()
        }
    }

    fn is_ours(&self) -> bool {
        true
    }
}
