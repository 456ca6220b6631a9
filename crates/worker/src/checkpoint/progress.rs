//! How far a run has come, as text entries of a checkpoint's header.

use std::collections::HashMap;
use std::str::FromStr;

use crate::loss::Sums;

/// The best epoch so far, by validation accuracy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    pub epoch: u32,
    /// In percent.
    pub val_acc: f64,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Epochs that are complete: trained, validated and written as a row.
    pub epochs_done: u32,
    /// Steps done of the epoch after those.
    pub step: u32,
    /// Sums of that epoch up to the last row of steps.csv.
    pub epoch_sums: Sums,
    /// Sums since that row.
    pub row_sums: Sums,
    /// Seconds since the run began, without the time between a stop and a resume.
    pub elapsed_s: f64,
    pub best: Option<Best>,
    /// The number of training images, so that a resumed run sees when its data have changed.
    pub train_images: u32,
    /// libtorch's threads on the CPU: sums split over another number of them end in other digits.
    pub threads: u32,
    /// How often a checkpoint was restored because the loss was no number; each halved the learning
    /// rate.
    pub restores: u32,
    /// What the schedule's learning rate is multiplied by, if a control request asks for it.
    pub rate_factor: Option<f64>,
}

impl Progress {
    /// What the schedule's learning rate is multiplied by.
    pub fn rate_factor(&self) -> f64 {
        self.rate_factor.unwrap_or(1.0)
    }

    /// Rust prints a float with as many digits as it takes to read the very same float back.
    pub(super) fn to_header(self) -> HashMap<String, String> {
        let mut header = HashMap::new();
        let mut put = |key: &str, value: String| header.insert(key.to_owned(), value);
        put("epochs_done", self.epochs_done.to_string());
        put("step", self.step.to_string());
        put("elapsed_s", self.elapsed_s.to_string());
        put("train_images", self.train_images.to_string());
        put("threads", self.threads.to_string());
        put("restores", self.restores.to_string());
        if let Some(factor) = self.rate_factor {
            put("rate_factor", factor.to_string());
        }
        for (name, sums) in [("epoch", self.epoch_sums), ("row", self.row_sums)] {
            put(&format!("{name}_loss"), sums.loss.to_string());
            put(&format!("{name}_correct"), sums.correct.to_string());
            put(&format!("{name}_images"), sums.images.to_string());
            put(&format!("{name}_seconds"), sums.seconds.to_string());
        }
        if let Some(best) = self.best {
            put("best_epoch", best.epoch.to_string());
            put("best_val_acc", best.val_acc.to_string());
        }
        header
    }

    /// `Err` names the entry that is missing or unreadable.
    pub(super) fn from_header(header: &HashMap<String, String>) -> Result<Self, String> {
        fn take<T: FromStr>(header: &HashMap<String, String>, key: &str) -> Result<T, String> {
            header
                .get(key)
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| key.to_owned())
        }
        let sums = |name: &str| -> Result<Sums, String> {
            Ok(Sums {
                loss: take(header, &format!("{name}_loss"))?,
                correct: take(header, &format!("{name}_correct"))?,
                images: take(header, &format!("{name}_images"))?,
                seconds: take(header, &format!("{name}_seconds"))?,
                skipped: 0,
            })
        };
        let best = header
            .contains_key("best_epoch")
            .then(|| -> Result<Best, String> {
                Ok(Best {
                    epoch: take(header, "best_epoch")?,
                    val_acc: take(header, "best_val_acc")?,
                })
            });
        Ok(Self {
            epochs_done: take(header, "epochs_done")?,
            step: take(header, "step")?,
            epoch_sums: sums("epoch")?,
            row_sums: sums("row")?,
            elapsed_s: take(header, "elapsed_s")?,
            best: best.transpose()?,
            train_images: take(header, "train_images")?,
            threads: take(header, "threads")?,
            restores: take(header, "restores")?,
            rate_factor: header
                .contains_key("rate_factor")
                .then(|| take(header, "rate_factor"))
                .transpose()?,
        })
    }
}

#[cfg(test)]
impl Progress {
    /// Floats that no short decimal says.
    pub fn example() -> Self {
        let sums = Sums {
            loss: 0.1 + 0.2,
            correct: 3.5,
            images: 7,
            seconds: 1.0 / 3.0,
            skipped: 0,
        };
        Self {
            epochs_done: 4,
            step: 17,
            epoch_sums: sums,
            row_sums: Sums {
                loss: f64::MIN_POSITIVE,
                ..sums
            },
            elapsed_s: 12.345_678_901_234_567,
            best: Some(Best {
                epoch: 3,
                val_acc: 100.0 / 3.0,
            }),
            train_images: 1000,
            threads: 2,
            restores: 1,
            rate_factor: Some(0.1 + 0.2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_read_back_to_the_bit() {
        for progress in [Progress::example(), Progress::default()] {
            assert_eq!(Progress::from_header(&progress.to_header()), Ok(progress));
        }
    }

    #[test]
    fn an_entry_that_is_missing_or_unreadable_is_named() {
        let whole = Progress::example().to_header();
        // A run without a best epoch yet, or with its original rate, has none of these.
        let may_be_missing = ["best_epoch", "rate_factor"];
        for key in whole.keys() {
            let mut header = whole.clone();
            header.remove(key);
            if !may_be_missing.contains(&key.as_str()) {
                assert_eq!(Progress::from_header(&header), Err(key.clone()));
            }
            header.insert(key.clone(), "?".to_owned());
            assert_eq!(Progress::from_header(&header), Err(key.clone()));
        }
    }
}
