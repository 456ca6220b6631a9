//! Following runs that are jobs of Slurm: a thread of its own asks the scheduler, seldom, from the
//! first such run on and never where there is none.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::coalesced_write::lock;
use crate::notice::Notice;
use traintop_launch::slurm::{self, PollOutcome};
use traintop_run::RunDir;
use traintop_run::summary::Summary;

/// How often it is looked whether it is time to ask; whether it is, all programs of a user agree
/// on.
const LOOK: Duration = Duration::from_secs(5);

/// The runs whose jobs are not known to be over.
#[derive(Debug, Default)]
pub struct Jobs {
    open: Mutex<HashSet<RunDir>>,
    is_followed: AtomicBool,
    is_silent: AtomicBool,
}

impl Jobs {
    /// Takes in how a run stands; whether this is the first job, so that following begins.
    pub fn keep(&self, summary: &Summary) -> bool {
        let is_open = summary.job.as_ref().is_some_and(|job| job.is_open);
        let mut open = lock(&self.open);
        if is_open {
            open.insert(summary.dir.clone());
        } else {
            open.remove(&summary.dir);
        }
        is_open && slurm::is_here() && !self.is_followed.swap(true, Ordering::Relaxed)
    }

    /// Takes in whether the scheduler is silent, and what to say about it: once, and once more when
    /// it answers again.
    pub fn hear(&self, silence: Option<String>) -> Option<Notice> {
        let was_silent = self.is_silent.swap(silence.is_some(), Ordering::Relaxed);
        match silence {
            Some(silence) => (!was_silent).then(|| Notice::bad(silence)),
            None => was_silent.then(|| Notice::good("Slurm answers again".to_owned())),
        }
    }

    pub fn all(&self) -> Vec<RunDir> {
        let open = lock(&self.open);
        open.iter().cloned().collect()
    }
}

/// Calls `look` again and again with what asks the scheduler, until it answers that nobody is there
/// any more.
pub fn follow(look: impl Fn(&dyn Fn(&[RunDir]) -> PollOutcome) -> bool + Send + 'static) {
    let followed = thread::Builder::new()
        .name("slurm".to_owned())
        .stack_size(1024 * 1024)
        .spawn(move || {
            while look(&slurm::learn) {
                thread::sleep(LOOK);
            }
        });
    if let Err(error) = followed {
        log::error!("jobs of Slurm are not followed: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_told_once_and_so_is_its_end() {
        let jobs = Jobs::default();
        let heard = |silence: Option<&str>| {
            let notice = jobs.hear(silence.map(str::to_owned));
            notice.map(|notice| notice.text)
        };
        assert_eq!(heard(None), None);
        assert_eq!(heard(Some("no route")).as_deref(), Some("no route"));
        assert_eq!(heard(Some("no route")), None);
        assert_eq!(heard(None).as_deref(), Some("Slurm answers again"));
        assert_eq!(heard(None), None);
    }
}
