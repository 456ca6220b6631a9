//! What waits and what is at work in a tree, as its runs' records say.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use super::Waiting;
use traintop_run::found::Stamp;
use traintop_run::layout::TRAINING_RUNS;
use traintop_run::{Record, RunDir, State};

/// Looks at a tree again and again; of runs that have ended, only whether their records have
/// changed.
#[derive(Debug, Default)]
pub struct Surveyor {
    ended: HashMap<OsString, Stamp>,
}

/// What it saw.
#[derive(Debug, Default)]
pub struct Survey {
    /// The runs that wait, the next first.
    pub waiting: Vec<Waiting>,
    /// Those that say that they are at work.
    pub active: Vec<(RunDir, Record)>,
}

impl Surveyor {
    /// Looks.
    ///
    /// # Errors
    /// If the folder of the runs cannot be read. A record that cannot be read is one of neither.
    pub fn survey(&mut self, tree: &Path) -> io::Result<Survey> {
        let mut survey = Survey::default();
        let runs = match fs::read_dir(tree.join(TRAINING_RUNS)) {
            Ok(runs) => runs,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(survey),
            Err(error) => return Err(error),
        };
        for run in runs {
            let run = run?;
            let dir = RunDir::new(run.path());
            // Before the record is read: one that changes meanwhile is read again the next time.
            let stamp = Stamp::of(&dir.run_json());
            if stamp == Stamp::default() || self.ended.get(&run.file_name()) == Some(&stamp) {
                continue;
            }
            let Ok(Some(record)) = Record::load(&dir) else {
                continue;
            };
            // What Slurm starts has no slot here; once ended it may be queued here.
            if record.slurm.is_some() && record.state.may_act() {
                continue;
            }
            if record.state == State::Queued {
                survey.waiting.push(Waiting { dir, record });
            } else if record.state.is_active() {
                survey.active.push((dir, record));
            } else {
                self.ended.insert(run.file_name(), stamp);
            }
        }
        survey
            .waiting
            .sort_by(|one, other| one.order().cmp(&other.order()));
        Ok(survey)
    }
}
