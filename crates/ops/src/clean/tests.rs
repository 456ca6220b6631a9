//! What may go and what never does, on real folders.

mod carried_out;
mod checkpoints;
pub(super) mod held;
mod layouts;
mod runs;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::trash::{self, Trash};
use traintop_run::discover::discover;
use traintop_run::layout::RunDir;
use traintop_run::notes::{Change, Notes};
use traintop_run::process::Process;
use traintop_run::record::Record;
use traintop_run::state::State;

/// An output tree with runs in it.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn root(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    /// A run of ten seconds an epoch, most accurate at the epoch `best`, with a checkpoint every
    /// ten epochs.
    fn run(&self, name: &str, state: State, epochs: u32, best: u32) -> RunDir {
        let dir = RunDir::new(self.root().join("training_runs").join(name));
        fs::create_dir_all(dir.logs()).unwrap();
        fs::create_dir_all(dir.checkpoints()).unwrap();
        let mut record = Record::new(
            &dir,
            name.to_owned(),
            Process::current(),
            Vec::new(),
            Timestamp::UNIX_EPOCH,
        );
        record.state = state;
        record.epochs_planned = 100;
        record.save(&dir).unwrap();
        fs::write(dir.config_json(), format!("{{\"seed\": \"{name}\"}}")).unwrap();
        let mut metrics = "epoch,val_acc,time_elapsed\n".to_owned();
        for epoch in 1..=epochs {
            let accuracy = 90.0 - f64::from(epoch.abs_diff(best)) / 10.0;
            let row = format!("{epoch},{accuracy},{}\n", 10 * epoch);
            metrics.push_str(&row);
            if epoch % 10 == 0 {
                file(&dir.checkpoint(epoch), &format!("{name} {epoch}"));
            }
        }
        fs::write(dir.metrics_csv(), metrics).unwrap();
        if epochs > 0 {
            file(&dir.best(), &format!("{name} best"));
            file(&dir.last(), &format!("{name} last"));
        }
        dir
    }

    fn plan(&self, policy: &Policy) -> Plan {
        let mut found = Vec::new();
        discover(&[self.root()], |run| found.push(run));
        make(&found, policy.clone(), SystemTime::now(), |_| {})
    }

    fn carry_out(&self, plan: &Plan) -> Done {
        carry_out(plan, &[self.root()], Timestamp::now()).unwrap()
    }

    /// Every file with its bytes and time, and every folder with its time; not the trash.
    fn seen(&self) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().flatten() {
                let path = entry.path();
                if path.ends_with(trash::FOLDER) {
                    continue;
                }
                let metadata = fs::symlink_metadata(&path).unwrap();
                if metadata.is_dir() {
                    folders.push(path.clone());
                }
                let bytes = fs::read(&path).unwrap_or_default();
                found.insert(path, (bytes, metadata.modified().unwrap()));
            }
        }
        found
    }
}

/// A file of weights: two blocks, distinguished by its text.
fn file(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text.repeat(8000 / text.len())).unwrap();
}

fn age(path: &Path, hours: u64) {
    let before = SystemTime::now() - Duration::from_secs(3600 * hours);
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(before).unwrap();
}

fn candidates(plan: &Plan) -> Vec<(String, String, Reason)> {
    let one = |candidate: &Candidate| {
        let run = plan.survey.runs[candidate.run].dir.name();
        (run, candidate.what.clone(), candidate.reason)
    };
    let mut candidates: Vec<_> = plan.candidates.iter().map(one).collect();
    candidates.sort();
    candidates
}

fn select_all(mut plan: Plan) -> Plan {
    for candidate in &mut plan.candidates {
        candidate.is_in = true;
    }
    plan
}

fn whats(plan: &Plan) -> Vec<String> {
    candidates(plan)
        .into_iter()
        .map(|(_, what, _)| what)
        .collect()
}
