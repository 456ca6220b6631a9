//! Jobs for alerts: which were shown before, which this dashboard shows, and the user's command.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use crate::jobs::best_so_far_cache::BestSoFarCache;
use traintop_analysis::prognosis::Question;
use traintop_launch as launch;
use traintop_run::alerts::{self as store, Alert, Claimed};
use traintop_run::finding::Finding;
use traintop_run::{RunDir, state_dir};

/// A job for alerts.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertJob {
    /// List those that were shown before.
    Load,
    /// Claim those that no dashboard has shown.
    Claim(Vec<Alert>),
    /// Tell whether a run is hopeless, by earlier ones like it.
    Weigh(Box<Question>),
    /// Start the user's command for each of these.
    Notify(Vec<String>, Vec<Alert>),
}

/// The result.
#[derive(Debug)]
pub enum AlertOutcome {
    /// These were shown before.
    Loaded(Vec<Alert>),
    /// Some are this dashboard's to tell.
    Claimed(Claimed),
    /// A run was weighed: what is to be said if it is hopeless.
    Weighed(RunDir, Option<Finding>),
    /// The user's command fails: a sentence.
    NotNotified(String),
}

/// Runs a job. The user's commands are waited for, and earlier runs are read, on a thread of their
/// own.
pub fn carry_out(
    job: AlertJob,
    courses: &Arc<BestSoFarCache>,
    send: impl Fn(AlertOutcome) + Clone + Send + 'static,
) {
    let folder = state_dir::state_dir();
    match job {
        AlertJob::Load => send(AlertOutcome::Loaded(load(folder.as_deref()))),
        AlertJob::Claim(alerts) => send(AlertOutcome::Claimed(claim(folder.as_deref(), &alerts))),
        AlertJob::Weigh(question) => {
            let courses = Arc::clone(courses);
            beside("odds", move || {
                let found = question.answer(|dir| courses.of(dir));
                let weighed = AlertOutcome::Weighed(question.dir.clone(), found);
                send(weighed);
            });
        }
        AlertJob::Notify(command, alerts) => {
            beside("notify", move || {
                for alert in &alerts {
                    if let Err(problem) = launch::notify(&command, alert) {
                        log::warn!("{problem}");
                        send(AlertOutcome::NotNotified(problem));
                    }
                }
            });
        }
    }
}

fn beside(name: &str, work: impl FnOnce() + Send + 'static) {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    if let Err(error) = started {
        log::error!("a thread could not be started: {error}");
    }
}

fn load(folder: Option<&Path>) -> Vec<Alert> {
    let loaded = folder.map_or(Ok(Vec::new()), store::load);
    loaded.unwrap_or_else(|error| {
        log::warn!("earlier alerts are not known: {error}");
        Vec::new()
    })
}

/// Where nothing can be remembered all of them are shown: better twice than never.
fn claim(folder: Option<&Path>, alerts: &[Alert]) -> Claimed {
    let all = Claimed {
        new: alerts.to_vec(),
        known: Vec::new(),
    };
    let Some(folder) = folder else { return all };
    store::claim(folder, alerts).unwrap_or_else(|error| {
        log::warn!("which alerts were shown is not remembered: {error}");
        all
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::fs;

    use jiff::Timestamp;
    use traintop_analysis::alert::Kind;
    use traintop_run::RunDir;

    pub fn alert(kind: Kind, name: &str) -> Alert {
        Alert {
            about: name.to_owned(),
            kind: kind.name().to_owned(),
            dir: RunDir::new("/runs/a"),
            name: name.to_owned(),
            message: format!("{}: it is so", kind.name()),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_cannot_be_remembered_is_told_all_the_same() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let alerts = vec![alert(Kind::Failed, "b")];
        for folder in [None, Some(file.as_path())] {
            assert_eq!(claim(folder, &alerts).new, alerts);
            assert!(load(folder).is_empty());
        }
        let folder = place.path().join("state");
        assert_eq!(claim(Some(&folder), &alerts).new, alerts);
        assert_eq!(claim(Some(&folder), &alerts).new, []);
        assert_eq!(load(Some(&folder)), alerts);
    }
}
