//! The courses of earlier runs, read once: a run that trains is measured by the same ones again and
//! again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use traintop_run::RunDir;
use traintop_run::best_so_far::BestSoFar;
use traintop_run::discover::{Found, Stamp};

/// What was read, each with how its file looked then.
#[derive(Debug, Default)]
pub struct BestSoFarCache(Mutex<HashMap<RunDir, (Stamp, Option<BestSoFar>)>>);

impl BestSoFarCache {
    /// A run's course, from the file only if that has changed.
    pub fn of(&self, dir: &RunDir) -> Option<BestSoFar> {
        let [stamp, ..] = Found::look(dir.clone()).stamps;
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, course)) = lock().get(dir)
            && *known == stamp
        {
            return course.clone();
        }
        // Read without the lock: it takes a while.
        let course = BestSoFar::read(dir);
        lock().insert(dir.clone(), (stamp, course.clone()));
        course
    }
}
