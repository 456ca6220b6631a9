//! Whether a run's command may be executed: see [`traintop_run::trust`] for what decides it.

use super::launcher::quoted;
use super::queue::Queue;
use super::spawn::LaunchError;
use traintop_run::trust::{Commands, digest, other_owner};
use traintop_run::{Record, RunDir, State};
use traintop_text::clean;

/// What a user is shown before trusting a run's command, safe for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub dir: RunDir,
    /// The digest of what is shown: nothing else gets trusted.
    digest: String,
    /// Where it comes from: `written by alice`.
    pub origin: String,
    /// What is executed, as one would type it.
    pub command: String,
    /// The variables that it is given.
    pub environment: Vec<String>,
    /// Where it is executed.
    pub working_dir: Option<String>,
}

impl Proposal {
    /// What trusting this run's command would mean; `None` if this user trusts it already.
    ///
    /// # Errors
    /// If the run has no record that can be read.
    pub fn of(dir: &RunDir) -> Result<Option<Self>, LaunchError> {
        let record = record(dir)?;
        if Commands::of_user().allows(dir, &record) {
            return Ok(None);
        }
        let command = if record.launcher.is_some() {
            clean(&quoted(&record.command)).into_owned()
        } else {
            format!(
                "traintop-worker train, with the recipe {}",
                clean(&dir.config_json().to_string_lossy())
            )
        };
        let variables = record.environment.iter();
        let shown =
            |(name, value): (&String, &String)| clean(&format!("{name}={value}")).into_owned();
        Ok(Some(Self {
            dir: dir.clone(),
            digest: digest(&record),
            origin: other_owner(dir).map_or_else(
                || "not started by you from here".to_owned(),
                |owner| format!("written by {owner}"),
            ),
            command,
            environment: variables.map(shown).collect(),
            working_dir: record.working_dir.map(|dir| clean(&dir).into_owned()),
        }))
    }

    /// Everything that decides what is executed, a line each.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("command: {}", self.command)];
        lines.extend(
            self.working_dir
                .iter()
                .map(|dir| format!("in folder: {dir}")),
        );
        let variables = self.environment.iter();
        lines.extend(variables.map(|variable| format!("variable: {variable}")));
        lines
    }

    /// Notes that this user wants the command to be executed, and wakes the queue if the run waits
    /// in it.
    ///
    /// # Errors
    /// If it is not any more what was shown, or cannot be noted.
    pub fn accept(&self) -> Result<(), LaunchError> {
        let record = record(&self.dir)?;
        if digest(&record) != self.digest {
            return Err(LaunchError::Refused(format!(
                "{}: its command has changed since it was shown",
                clean(&self.dir.name())
            )));
        }
        trust(&self.dir, &record)?;
        if record.state == State::Queued && record.slurm.is_none() {
            let queue = Queue::around(&self.dir)?;
            queue.make()?;
            queue.tend();
        }
        Ok(())
    }
}

fn record(dir: &RunDir) -> Result<Record, LaunchError> {
    let missing = || {
        LaunchError::Refused(format!(
            "{}: has no run.json, so it has no command",
            clean(&dir.name())
        ))
    };
    Record::load(dir)?.ok_or_else(missing)
}

/// That this user has asked for the run's command, as the record has it.
///
/// # Errors
/// [`LaunchError::Untrusted`] if not.
pub(super) fn must_be_trusted(dir: &RunDir, record: &Record) -> Result<(), LaunchError> {
    if Commands::of_user().allows(dir, record) {
        return Ok(());
    }
    Err(LaunchError::Untrusted {
        name: clean(&dir.name()).into_owned(),
        owner: other_owner(dir),
    })
}

/// Notes that this user has asked for the run's command, which is executed later.
///
/// # Errors
/// If that cannot be written; the command would then never be executed.
pub(super) fn trust(dir: &RunDir, record: &Record) -> Result<(), LaunchError> {
    Commands::of_user().allow(dir, record).map_err(|cause| {
        LaunchError::Refused(format!(
            "{}: its command cannot be noted as yours ({cause})",
            clean(&dir.name())
        ))
    })
}
