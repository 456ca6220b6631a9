//! A table of epochs that is being put together from what is left of a run.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value as Json;

use traintop_run::checkpoint_metadata::CheckpointMetadata;

/// The columns that trainers here write, in their order; others come after them.
const COLUMNS: [&str; 11] = [
    "train_loss",
    "train_acc",
    "val_loss",
    "val_acc",
    "learning_rate",
    "time_elapsed",
    "memory_used_mb",
    "batch_time_ms",
    "eta_hours",
    "images_per_s",
    "test_acc",
];

/// What is known of each epoch, by column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table(BTreeMap<u32, BTreeMap<String, f64>>);

impl Table {
    /// Notes a value; a later one replaces it, as the later part of a resumed run does.
    pub fn note(&mut self, epoch: u32, column: &str, value: f64) {
        let row = self.0.entry(epoch).or_default();
        row.insert(column.to_owned(), value);
    }

    /// Notes that there was this epoch.
    pub fn begin(&mut self, epoch: u32) {
        self.0.insert(epoch, BTreeMap::new());
    }

    pub fn epochs(&self) -> usize {
        self.0.len()
    }

    pub fn last_epoch(&self) -> Option<u32> {
        self.0.keys().next_back().copied()
    }

    /// The highest validation accuracy and the first epoch that has it.
    pub fn best(&self) -> Option<(u32, f64)> {
        let values = self.0.iter().filter_map(|(epoch, row)| {
            let value = row
                .get("val_acc")
                .copied()
                .filter(|value| value.is_finite());
            Some((*epoch, value?))
        });
        values.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// The reference's history: a list for each metric, a value for each epoch.
    pub fn of_history(history: &Json) -> Self {
        let mut table = Self::default();
        for (name, values) in history.as_object().into_iter().flatten() {
            // Its lists are called by more than one name.
            let name = match name.as_str() {
                "learning_rates" | "lr" => "learning_rate",
                name => name,
            };
            for (epoch, value) in (1..).zip(values.as_array().into_iter().flatten()) {
                let text = value.as_str().and_then(|text| text.parse().ok());
                if let Some(value) = value.as_f64().or(text) {
                    table.note(epoch, name, value);
                }
            }
        }
        table.0.retain(|_, row| !row.is_empty());
        table
    }

    /// The accuracies in checkpoints without a history, by their epochs.
    pub fn of_checkpoints<'a>(
        checkpoints: impl IntoIterator<Item = &'a CheckpointMetadata>,
    ) -> Self {
        let mut table = Self::default();
        for metadata in checkpoints {
            if let (Some(epoch), Some(accuracy)) = (metadata.epoch, metadata.val_acc) {
                table.note(epoch, "val_acc", accuracy);
            }
            if let Some((Some(epoch), accuracy)) = metadata.best {
                table.note(epoch, "val_acc", accuracy);
            }
            if let (Some(epoch), Some(seconds)) = (metadata.epoch, metadata.elapsed_s) {
                table.note(epoch, "time_elapsed", seconds);
            }
        }
        table
    }

    /// The text of a `metrics.csv`: a header and a row for each epoch, with nothing where nothing
    /// is known.
    pub fn to_csv(&self) -> String {
        let has = |name: &&str| self.0.values().any(|row| row.contains_key(*name));
        let mut columns: Vec<&str> = COLUMNS.into_iter().filter(|name| has(name)).collect();
        let others = self.0.values().flat_map(|row| row.keys());
        for other in others.map(String::as_str) {
            // A name that would break the file does not come from a trainer.
            if !columns.contains(&other)
                && other != "epoch"
                && !other.contains([',', '"', '\n', '\r'])
            {
                columns.push(other);
            }
        }
        let mut text = ["epoch"]
            .iter()
            .chain(&columns)
            .copied()
            .collect::<Vec<_>>()
            .join(",")
            + "\n";
        for (epoch, row) in &self.0 {
            let _ = write!(text, "{epoch}");
            for column in &columns {
                let value = row.get(*column).map_or_else(String::new, f64::to_string);
                let _ = write!(text, ",{value}");
            }
            text.push('\n');
        }
        text
    }
}
