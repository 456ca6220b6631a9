//! Why the runs of a queue wait, as their keeper last saw it: one file in the queue's folder, since
//! a thousand records must not be written each time that a run begins.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layout::RunDir;
use super::process::{Process, host};
use super::record::Record;
use super::state::State;
use super::trust::{Commands, other_owner};
use traintop_disk::read;
use traintop_disk::write::is_temporary;
use traintop_disk::{Disk, System};
use traintop_text::clean;

/// The folder of a queue in its output tree.
pub const QUEUE: &str = ".queue";
/// The folder in it that holds nothing else, so that a change in it is one of the reasons.
const FOLDER: &str = "waits";

/// What a keeper says of the runs that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueReasons {
    /// Who says so.
    keeper: Process,
    /// Each reason, with the folders' names of the runs that wait for it.
    reasons: Vec<(String, Vec<String>)>,
}

/// The folder that changes when a queue's reasons do.
pub fn folder(tree: &Path) -> PathBuf {
    tree.join(QUEUE).join(FOLDER)
}

/// Each user's keeper has a file of its own.
fn file(tree: &Path) -> PathBuf {
    let user = rustix::process::geteuid().as_raw();
    folder(tree).join(format!("waits-{user}.json"))
}

/// What the keepers of all users say.
fn all(tree: &Path) -> Vec<QueueReasons> {
    let entries = fs::read_dir(folder(tree)).into_iter().flatten().flatten();
    let files = entries.filter(|entry| !is_temporary(&entry.file_name().to_string_lossy()));
    let reasons = files.filter_map(|file| {
        let bytes = read::bytes(&file.path(), read::RECORD_LIMIT).ok()?;
        serde_json::from_slice(&bytes).ok()
    });
    reasons.collect()
}

/// Nothing waits yet, says this process.
impl Default for QueueReasons {
    fn default() -> Self {
        Self {
            keeper: Process::current(),
            reasons: Vec::new(),
        }
    }
}

impl QueueReasons {
    /// A run waits for this reason.
    pub fn add(&mut self, dir: &RunDir, reason: String) {
        match self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, runs)) => runs.push(dir.name()),
            None => self.reasons.push((reason, vec![dir.name()])),
        }
    }

    /// Says so to everybody.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, tree: &Path) -> io::Result<()> {
        // A keeper writes here unasked, in a tree that anybody may have made.
        let disk = System.beneath(tree)?;
        disk.make_folders(&folder(tree))?;
        disk.replace_file(&file(tree), &serde_json::to_vec(self)?, None)
    }

    /// Why a run waits, if it waits in the queue of its tree and a living keeper has written it. Of
    /// a run that this user did not queue, whose it is.
    pub fn of(dir: &RunDir, record: &Record, commands: &Commands) -> Option<String> {
        if record.state != State::Queued || record.slurm.is_some() {
            return None;
        }
        let name = dir.name();
        let mut reasons = all(dir.output_tree()?).into_iter();
        let reason = reasons.find_map(|reasons| reasons.reason(&name));
        if commands.allows(dir, record) {
            return reason;
        }
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        Some(match other_owner(dir) {
            Some(owner) => format!("queued by {owner}{reason}"),
            None => "not queued by you from here; `traintop trust` lets it start".to_owned(),
        })
    }

    /// Why the run of this name waits, if this keeper lives and says so.
    fn reason(self, name: &str) -> Option<String> {
        let mut reasons = self.reasons.into_iter();
        let (reason, _) = reasons.find(|(_, runs)| runs.iter().any(|run| run == name))?;
        let keeper = self.keeper;
        let reason = clean(&reason);
        if keeper.host == host() {
            keeper.is_alive().then(|| reason.into_owned())
        } else {
            // Whether it lives is not known here.
            Some(format!(
                "as {} last reported: {reason}",
                clean(&keeper.host)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_run_says_why_while_its_keeper_lives() {
        let tree = tempfile::tempdir().unwrap();
        let commands = Commands::in_folder(tree.path().join("state"));
        let dir = |name: &str| RunDir::new(tree.path().join("training_runs").join(name));
        let record = |dir: &RunDir, state: State| {
            let now = jiff::Timestamp::UNIX_EPOCH;
            let mut record = Record::new(dir, dir.name(), Process::current(), Vec::new(), now);
            record.state = state;
            record
        };
        for name in ["a", "b", "c"] {
            let dir = dir(name);
            fs::create_dir_all(dir.path()).unwrap();
            let record = record(&dir, State::Queued);
            record.save(&dir).unwrap();
            commands.allow(&dir, &record).unwrap();
        }
        let reason_of = |name: &str, state: State| {
            let dir = dir(name);
            QueueReasons::of(&dir, &record(&dir, state), &commands)
        };
        assert_eq!(reason_of("a", State::Queued), None);
        let mut reasons = QueueReasons::default();
        reasons.add(&dir("a"), "the only slot is taken".to_owned());
        reasons.add(&dir("b"), "behind \x1b[31ma".to_owned());
        reasons.save(tree.path()).unwrap();
        assert_eq!(
            reason_of("a", State::Queued).unwrap(),
            "the only slot is taken"
        );
        assert!(!reason_of("b", State::Queued).unwrap().contains('\x1b'));
        assert_eq!(reason_of("c", State::Queued), None);
        assert_eq!(reason_of("a", State::Running), None);
        reasons.keeper.pid_started += 1;
        reasons.save(tree.path()).unwrap();
        assert_eq!(reason_of("a", State::Queued), None);
        reasons.keeper.host = "node7".to_owned();
        reasons.save(tree.path()).unwrap();
        let elsewhere = reason_of("a", State::Queued).unwrap();
        assert_eq!(elsewhere, "as node7 last reported: the only slot is taken");
        // Of a run that this user did not queue, no keeper of this user's says why it waits.
        let strange = QueueReasons::of(
            &dir("a"),
            &record(&dir("a"), State::Queued),
            &Commands::in_folder(tree.path().join("other")),
        );
        let strange = strange.unwrap();
        assert!(strange.starts_with("not queued by you"), "{strange}");
    }
}
