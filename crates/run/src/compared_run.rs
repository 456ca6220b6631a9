//! A run read in full for a comparison: summary, curves and configuration.

use std::time::SystemTime;

use super::config_file::Config;
use super::found::Found;
use super::layout::RunDir;
use super::metrics::Metrics;
use super::settled;
use super::summary::Summary;
use traintop_text::clean;

/// Longer columns are thinned to this many points: a comparison of fifty runs of a million rows
/// must fit into memory.
pub const MAX_POINTS: usize = 8192;

/// A run that is compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparedRun {
    /// What lists show of it.
    pub summary: Summary,
    /// Its curves; columns of more than [`MAX_POINTS`] are thinned without losing an extreme.
    pub metrics: Metrics,
    /// Every key of its configuration with its value, sorted by key, cleaned for a terminal.
    pub config: Vec<(String, String)>,
    /// Why its metrics could not be read, as a sentence.
    pub problem: Option<String>,
}

impl ComparedRun {
    /// Reads a run. This never fails: what cannot be read is absent, and `problem` says so.
    pub fn load(dir: RunDir, now: SystemTime) -> Self {
        let found = Found::look(dir);
        let settled::SettledRun {
            mut metrics,
            facts,
            path,
            read,
        } = settled::read(&found, now);
        let path = path.to_string_lossy();
        let problem = read
            .err()
            .map(|error| clean(&format!("{path}: cannot be read ({error})")).into_owned());
        let summary = Summary::of(&found, &metrics, facts, now);
        for column in &mut metrics.columns {
            if column.x.len() > MAX_POINTS {
                *column = column.thinned(MAX_POINTS);
            }
            // Thousands are held at once: no room beyond what is used.
            column.x.shrink_to_fit();
            column.y.shrink_to_fit();
        }
        let mut config = Config::load(&found.dir).lines();
        config.sort();
        Self {
            summary,
            metrics,
            config,
            problem,
        }
    }

    pub fn dir(&self) -> &RunDir {
        &self.summary.dir
    }

    /// The value of a configuration's key.
    pub fn setting(&self, key: &str) -> Option<&str> {
        let at = self
            .config
            .binary_search_by(|(other, _)| other.as_str().cmp(key));
        at.ok().map(|at| self.config[at].1.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::Duration;

    #[test]
    fn a_run_is_read_with_its_settings_and_a_problem_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        let later = SystemTime::now() + Duration::from_secs(600);
        let problem = ComparedRun::load(dir.clone(), later).problem.unwrap();
        assert!(problem.contains("metrics.csv: cannot be read"), "{problem}");
        fs::write(folder.path().join("metrics.csv"), "epoch,val_acc\n1,5\n2,6").unwrap();
        let config = r#"{"seed": 3, "optimiser": {"lr": 0.1}, "a": "x"}"#;
        fs::write(folder.path().join("config.json"), config).unwrap();
        let compared_run = ComparedRun::load(dir, later);
        assert_eq!(
            compared_run.metrics.column("val_acc").unwrap().y,
            [5.0, 6.0]
        );
        assert_eq!(compared_run.setting("optimiser.lr"), Some("0.1"));
        assert_eq!(compared_run.setting("momentum"), None);
        assert_eq!(compared_run.problem, None);
    }
}
