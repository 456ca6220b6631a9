//! Following runs that are jobs of Slurm: a thread of its own asks the scheduler, seldom, from the first such run on and never where
//! there is none.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::latest::lock;
use crate::launch::slurm;
use crate::run::RunDir;
use crate::run::summary::Summary;

/// How often it is looked whether it is time to ask; whether it is, all programs of a user agree on.
const LOOK: Duration = Duration::from_secs(5);

/// The runs whose jobs are not known to be over.
#[derive(Debug, Default)]
pub struct Jobs {
    open: Mutex<HashSet<RunDir>>,
    is_followed: AtomicBool,
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

    /// All of them.
    pub fn all(&self) -> Vec<RunDir> {
        let open = lock(&self.open);
        open.iter().cloned().collect()
    }
}

/// Calls `look` again and again with what asks the scheduler, until it answers that nobody is there any more.
pub fn follow(look: impl Fn(&dyn Fn(&[RunDir]) -> Vec<RunDir>) -> bool + Send + 'static) {
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
