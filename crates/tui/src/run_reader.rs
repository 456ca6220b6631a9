//! Reads what the screens show of one run, first all of it, then what is new. Lives on the pool's
//! threads; what it reads goes to the state as a message.

use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::SystemTime;

use super::view::run::curves::Curves;
use super::view::run::detail::{Reading, Rows};
use traintop_run::checkpoints;
use traintop_run::config_file::Config;
use traintop_run::formats::{self, Source};
use traintop_run::judging;
use traintop_run::layout::RunDir;
use traintop_run::log::LogReader;
use traintop_run::metrics::{Change, Metrics, Tail};
use traintop_run::steps::{self, Progress};

/// One run, followed.
#[derive(Debug)]
pub struct RunReader {
    dir: RunDir,
    metrics: Box<dyn Source>,
    /// Whether metrics have been handed over.
    begun: bool,
    steps: Tail,
    /// Whether steps have been handed over.
    steps_begun: bool,
    log: LogReader,
    config: Vec<(String, String)>,
    /// When the folders that hold checkpoints last changed.
    folders_changed: Option<[Option<SystemTime>; 2]>,
}

impl RunReader {
    /// Nothing is read yet: the first [`RunReader::poll`] gives everything.
    pub fn open(dir: RunDir) -> Self {
        Self {
            metrics: formats::open(&dir),
            begun: false,
            steps: Tail::open(dir.steps_csv()),
            steps_begun: false,
            log: LogReader::open(&dir),
            config: Vec::new(),
            folders_changed: None,
            dir,
        }
    }

    /// The next [`RunReader::poll`] gives all metrics, whatever was handed over.
    pub fn begin_anew(&mut self) {
        self.metrics = formats::open(&self.dir);
        self.begun = false;
    }

    /// What is new. `ended` says that nothing writes to it any more, so that a last row without a
    /// line end counts.
    pub fn poll(&mut self, ended: bool) -> Reading {
        let mut reading = Reading::default();
        self.read_metrics(ended, &mut reading);
        if let Ok(change @ (Change::Grew(_) | Change::Reread)) = self.steps.poll() {
            reading.progress = Progress::of(self.steps.metrics());
            let steps = self.steps.take();
            // Later on only the last row is of use.
            if self.metrics.metrics().rows == 0 {
                let anew = !self.steps_begun || change == Change::Reread;
                self.steps_begun = true;
                reading.steps = Some(all_or_new(steps::curves(steps), anew));
            }
        }
        reading.log = self.log.poll();
        let config = match self.metrics.facts() {
            Some(facts) => Config::from(facts.config),
            None => Config::load(&self.dir),
        };
        let mut config = config.lines();
        config.sort();
        if config != self.config {
            self.config.clone_from(&config);
            reading.config = Some(config);
        }
        // Checkpoints are written beside and renamed, which changes the folder: its time spares
        // looking at every file.
        let changed = [self.dir.path().to_owned(), self.dir.checkpoints()].map(|folder| {
            fs::metadata(folder)
                .and_then(|folder| folder.modified())
                .ok()
        });
        if self.folders_changed != Some(changed) {
            self.folders_changed = Some(changed);
            reading.checkpoints = Some(checkpoints::list(&self.dir));
        }
        reading
    }

    fn read_metrics(&mut self, ended: bool, reading: &mut Reading) {
        let rows = self.metrics.metrics().rows;
        let change = self.metrics.poll().and_then(|change| {
            if ended {
                self.metrics.settle()?;
            }
            Ok(change)
        });
        let settled = self.metrics.metrics().rows != rows;
        match change {
            Ok(Change::Unchanged) if !settled => {}
            Ok(change) => {
                let anew = !self.begun || change == Change::Reread;
                self.begun = true;
                let mut metrics = self.metrics.take();
                metrics.judging.settings = judging::of(self.dir.path()).settings;
                reading.metrics = Some(all_or_new(metrics, anew));
            }
            // Every run begins without.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                reading.problem = Some(format!(
                    "{} cannot be read: {error}",
                    self.metrics.path().display()
                ));
            }
        }
    }
}

/// Of all rows the curves are made here, where nobody waits for them to draw.
fn all_or_new(read: Metrics, anew: bool) -> Rows {
    if anew {
        Rows::All(Arc::new(Curves::of(read)))
    } else {
        Rows::New(Box::new(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::run::detail::Detail;
    use std::io::Write;

    fn append(path: std::path::PathBuf, text: &str) {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    #[test]
    fn first_all_then_only_what_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::create_dir_all(dir.logs()).unwrap();
        fs::create_dir_all(dir.checkpoints()).unwrap();
        append(dir.metrics_csv(), "epoch,val_acc\n1,30\n2,40\n");
        append(dir.training_log(), "begun\n");
        append(dir.config_json(), "{\"seed\": 1}");
        let mut reader = RunReader::open(dir.clone());
        let mut detail = Detail::default();
        let reading = reader.poll(false);
        assert!(reading.checkpoints.is_some() && reading.config.is_some());
        detail.take(reading);
        assert_eq!(detail.epochs().rows(), [1.0, 2.0]);
        assert!(reader.poll(false).is_empty());

        append(dir.metrics_csv(), "3,50\n");
        append(
            dir.steps_csv(),
            "epoch,step,steps_per_epoch,images_per_s,time_elapsed\n4,31,10,900,12\n",
        );
        append(dir.training_log(), "epoch 3\n");
        let reading = reader.poll(false);
        assert!(reading.config.is_none() && reading.checkpoints.is_none());
        detail.take(reading);
        assert_eq!(detail.epochs().rows(), [1.0, 2.0, 3.0]);
        assert_eq!(
            detail
                .progress
                .map(|progress| (progress.epoch, progress.step)),
            Some((4, 1))
        );
        let lines: Vec<&str> = detail.log.all().map(|line| line.text.as_str()).collect();
        assert_eq!(lines, ["begun", "epoch 3"]);
        assert_eq!(detail.epochs().best().map(|best| best.value), Some(50.0));
    }

    #[test]
    fn a_rewritten_file_replaces_what_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::create_dir_all(dir.logs()).unwrap();
        append(dir.metrics_csv(), "epoch,loss\n1,3\n2,2\n");
        let mut reader = RunReader::open(dir.clone());
        let mut detail = Detail::default();
        detail.take(reader.poll(false));
        fs::write(dir.metrics_csv(), "epoch,loss,lr\n1,3,0.1\n").unwrap();
        detail.take(reader.poll(false));
        assert_eq!(detail.epochs().rows(), [1.0]);
        assert!(detail.epochs().metrics().column("lr").is_some());
    }

    #[test]
    fn a_last_row_without_line_end_counts_once_the_run_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::create_dir_all(dir.logs()).unwrap();
        append(dir.metrics_csv(), "epoch,loss\n1,3\n2,2");
        let mut reader = RunReader::open(dir.clone());
        let mut detail = Detail::default();
        detail.take(reader.poll(false));
        assert_eq!(detail.epochs().rows(), [1.0]);
        detail.take(reader.poll(true));
        assert_eq!(detail.epochs().rows(), [1.0, 2.0]);
        detail.take(reader.poll(true));
        assert_eq!(detail.epochs().rows(), [1.0, 2.0]);
    }
}
