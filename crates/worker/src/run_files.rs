//! The text files of a run: rows and log lines are appended in one write each; what a resumed run
//! has no checkpoint of is removed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Zoned;
use traintop_disk::read;
use traintop_disk::write::{append_row, open_append, replace_file, try_lock};
use traintop_run::RunDir;

/// The reference's ten columns, then ours.
const METRICS_HEADER: &str = "epoch,train_loss,train_acc,val_loss,val_acc,learning_rate,time_elapsed,\
                              memory_used_mb,batch_time_ms,eta_hours,images_per_s";
const STEPS_HEADER: &str =
    "epoch,step,steps_per_epoch,train_loss,train_acc,learning_rate,images_per_s,time_elapsed";

/// A row of `metrics.csv`: accuracies in percent, times of this run alone.
#[derive(Debug, Clone, Copy)]
pub struct EpochRow {
    pub epoch: u32,
    pub train_loss: f64,
    pub train_acc: f64,
    pub val_loss: f64,
    pub val_acc: f64,
    /// After the epoch's last step.
    pub learning_rate: f64,
    pub time_elapsed_s: f64,
    pub memory_used_mb: f64,
    pub batch_time_ms: f64,
    pub eta_hours: f64,
    pub images_per_s: f64,
}

/// A row of `steps.csv`: means over the steps since the row before.
#[derive(Debug, Clone, Copy)]
pub struct StepRow {
    /// The epoch that the step belongs to, 1-based.
    pub epoch: u32,
    /// Steps since the run began.
    pub step: u64,
    pub steps_per_epoch: u32,
    pub train_loss: f64,
    pub train_acc: f64,
    pub learning_rate: f64,
    pub images_per_s: f64,
    pub time_elapsed_s: f64,
}

/// A file of the run folder that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: this run is still being written by another process; stop it first", path.display())]
    Taken { path: PathBuf },
}

/// The open files of the run that this process writes. While it lives, no other worker can open the
/// same run.
#[derive(Debug)]
pub struct RunFiles {
    dir: RunDir,
    log: File,
    metrics: File,
    steps: File,
}

impl RunFiles {
    /// Takes the run for this process and keeps the rows up to `epochs_done` epochs and
    /// `steps_done` steps; a file that is missing gets its header.
    pub fn open(lock: &WriterLock, epochs_done: u32, steps_done: u64) -> Result<Self, FilesError> {
        let dir = lock.dir.clone();
        let log = lock.log.try_clone().map_err(|source| FilesError::Io {
            path: dir.training_log(),
            source,
        })?;
        let table = |path: &Path, header: &str, column: usize, last: u64| {
            // An unreadable one is not a reason to start over.
            let text = match read::text(path, u64::MAX) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
                text => text,
            };
            text.and_then(|text| {
                let kept = keep_rows(&text, header, column, last);
                kept.map_or(Ok(()), |text| replace_file(path, text.as_bytes()))
            })
            .and_then(|()| open_append(path))
            .map_err(|source| FilesError::Io {
                path: path.to_owned(),
                source,
            })
        };
        let metrics = table(
            &dir.metrics_csv(),
            METRICS_HEADER,
            0,
            u64::from(epochs_done),
        )?;
        let steps = table(&dir.steps_csv(), STEPS_HEADER, 1, steps_done)?;
        Ok(Self {
            dir,
            log,
            metrics,
            steps,
        })
    }

    /// Appends a row to `metrics.csv`, and syncs it and `steps.csv`: a checkpoint that is newer
    /// than its rows would leave a gap in them after a power cut.
    pub fn epoch_row(&mut self, row: &EpochRow) -> Result<(), FilesError> {
        let text = format!(
            "{},{},{},{},{},{},{:.3},{:.1},{:.3},{:.5},{:.1}",
            row.epoch,
            row.train_loss,
            row.train_acc,
            row.val_loss,
            row.val_acc,
            row.learning_rate,
            row.time_elapsed_s,
            row.memory_used_mb,
            row.batch_time_ms,
            row.eta_hours,
            row.images_per_s
        );
        append_row(&mut self.metrics, &text)
            .and_then(|()| self.metrics.sync_data())
            .map_err(|source| FilesError::Io {
                path: self.dir.metrics_csv(),
                source,
            })?;
        self.sync_steps()
    }

    /// Appends a row to `steps.csv`.
    pub fn step_row(&mut self, row: &StepRow) -> Result<(), FilesError> {
        let text = format!(
            "{},{},{},{},{},{},{:.1},{:.3}",
            row.epoch,
            row.step,
            row.steps_per_epoch,
            row.train_loss,
            row.train_acc,
            row.learning_rate,
            row.images_per_s,
            row.time_elapsed_s
        );
        append_row(&mut self.steps, &text).map_err(|source| FilesError::Io {
            path: self.dir.steps_csv(),
            source,
        })
    }

    /// Brings `steps.csv` to the disk: before a checkpoint inside an epoch.
    pub fn sync_steps(&self) -> Result<(), FilesError> {
        self.steps.sync_data().map_err(|source| FilesError::Io {
            path: self.dir.steps_csv(),
            source,
        })
    }

    /// Appends each line of `text` to `training.log` behind the time.
    pub fn log(&mut self, text: &str) -> Result<(), FilesError> {
        append_log(&mut self.log, text).map_err(|source| FilesError::Io {
            path: self.dir.training_log(),
            source,
        })
    }
}

fn append_log(log: &mut File, text: &str) -> io::Result<()> {
    let now = Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
    let lines: Vec<String> = text.lines().map(|line| format!("[{now}] {line}")).collect();
    append_row(log, &lines.join("\n"))
}

/// The right to write to a run, held by this process alone until it ends in any way.
#[derive(Debug)]
pub struct WriterLock {
    dir: RunDir,
    log: File,
}

impl WriterLock {
    /// Opens the run's log and locks it. A file system without locks is taken at its word.
    pub fn take(dir: &RunDir) -> Result<Self, FilesError> {
        let path = dir.training_log();
        let io_error = |source| FilesError::Io {
            path: path.clone(),
            source,
        };
        dir.refuse_links().map_err(io_error)?;
        let log = open_append(&path).map_err(io_error)?;
        if try_lock(&log) {
            return Ok(Self {
                dir: dir.clone(),
                log,
            });
        }
        Err(FilesError::Taken {
            path: dir.path().to_owned(),
        })
    }

    /// Appends each line of `text` to `training.log` behind the time, if that is possible.
    pub fn log(&mut self, text: &str) {
        // For a run's last words; what they say is also in `run.json` and on standard error.
        let _ = append_log(&mut self.log, text);
    }
}

/// The text of a table with the rows whose number in `column` is at most `last`, all of them whole;
/// `None` if it is so already.
fn keep_rows(text: &str, header: &str, column: usize, last: u64) -> Option<String> {
    let is_kept = |line: &str| {
        let number = line
            .trim_end()
            .split(',')
            .nth(column)
            .and_then(|cell| cell.parse::<u64>().ok());
        line.ends_with('\n') && number.is_some_and(|number| number <= last)
    };
    let rows = text
        .split_inclusive('\n')
        .skip(1)
        .filter(|line| is_kept(line));
    let kept: String = std::iter::once(header)
        .chain(std::iter::once("\n"))
        .chain(rows)
        .collect();
    (kept != text).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> (tempfile::TempDir, RunDir) {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        std::fs::create_dir(dir.logs()).unwrap();
        (folder, dir)
    }

    #[test]
    fn rows_beyond_the_checkpoint_and_half_rows_are_dropped() {
        let header = "epoch,step";
        let cases = [
            ("", 3, Some("epoch,step\n")),
            ("epoch,step\n", 3, None),
            ("epoch,step\n1,2\n1,3\n", 3, None),
            (
                "epoch,step\n1,2\n1,3\n1,4\n",
                3,
                Some("epoch,step\n1,2\n1,3\n"),
            ),
            ("epoch,step\n1,2\n1,3", 3, Some("epoch,step\n1,2\n")),
            ("epoch,step\n1,2\n1,", 3, Some("epoch,step\n1,2\n")),
            ("epoch,st", 3, Some("epoch,step\n")),
        ];
        for (text, last, expected) in cases {
            assert_eq!(
                keep_rows(text, header, 1, last).as_deref(),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_run_is_written_by_one_worker_at_a_time() {
        let (_folder, dir) = run();
        let lock = WriterLock::take(&dir).unwrap();
        assert!(matches!(
            WriterLock::take(&dir),
            Err(FilesError::Taken { .. })
        ));
        drop(lock);
        WriterLock::take(&dir).unwrap();
    }

    #[test]
    fn rows_have_as_many_cells_as_their_header() {
        let (_folder, dir) = run();
        let mut files = RunFiles::open(&WriterLock::take(&dir).unwrap(), 0, 0).unwrap();
        files
            .epoch_row(&EpochRow {
                epoch: 1,
                train_loss: 0.1,
                train_acc: 50.0,
                val_loss: f64::NAN,
                val_acc: 25.0,
                learning_rate: 0.1,
                time_elapsed_s: 1.0,
                memory_used_mb: 2.0,
                batch_time_ms: 3.0,
                eta_hours: 0.0,
                images_per_s: 10.0,
            })
            .unwrap();
        files
            .step_row(&StepRow {
                epoch: 1,
                step: 5,
                steps_per_epoch: 5,
                train_loss: 0.1,
                train_acc: 50.0,
                learning_rate: 0.1,
                images_per_s: 10.0,
                time_elapsed_s: 1.0,
            })
            .unwrap();
        for path in [dir.metrics_csv(), dir.steps_csv()] {
            let text = std::fs::read_to_string(path).unwrap();
            let cells: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
            assert!(cells.len() == 2 && cells[0] == cells[1], "{text}");
        }
    }

    #[test]
    fn each_line_of_the_log_begins_with_the_time() {
        let (_folder, dir) = run();
        let mut files = RunFiles::open(&WriterLock::take(&dir).unwrap(), 0, 0).unwrap();
        files.log("first\nsecond").unwrap();
        let text = std::fs::read_to_string(dir.training_log()).unwrap();
        assert!(
            text.lines()
                .all(|line| line.starts_with('[') && line.as_bytes()[20] == b']'),
            "{text}"
        );
        assert!(text.ends_with("second\n"));
    }
}
