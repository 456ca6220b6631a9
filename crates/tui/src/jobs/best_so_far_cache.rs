//! The courses of earlier runs, read once: a run that trains is measured by the same ones again and
//! again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use traintop_run::RunDir;
use traintop_run::best_so_far::BestSoFar;
use traintop_run::found::{Found, Stamp};
use traintop_run::judging;

/// How a run's file looked, and how the run was judged.
type Read = (Stamp, u64);

/// What was read, each with how that was.
#[derive(Debug, Default)]
pub struct BestSoFarCache(Mutex<HashMap<RunDir, (Read, Option<BestSoFar>)>>);

impl BestSoFarCache {
    /// A run's course, from the file only if that has changed, or what the run is judged by.
    pub fn of(&self, dir: &RunDir) -> Option<BestSoFar> {
        let found = Found::look(dir.clone());
        let [stamp, ..] = found.stamps;
        let now = (stamp, judging::of(dir.path()).digest());
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, course)) = lock().get(dir)
            && *known == now
        {
            return course.clone();
        }
        // Read without the lock: it takes a while.
        let course = BestSoFar::load(&found);
        lock().insert(dir.clone(), (now, course.clone()));
        course
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_read_again_when_the_run_is_judged_by_something_else() {
        let folder = tempfile::tempdir().unwrap();
        let text = "epoch,val_acc,val_loss\n1,50,2\n2,60,1\n";
        std::fs::write(folder.path().join("metrics.csv"), text).unwrap();
        let dir = RunDir::new(folder.path());
        let cache = BestSoFarCache::default();
        assert_eq!(cache.of(&dir).unwrap().column, "val_acc");
        let mut user = (*judging::user()).clone();
        let below = (folder.path().to_owned(), "val_loss".to_owned());
        user.below.push(below);
        judging::set_user(user);
        assert_eq!(cache.of(&dir).unwrap().column, "val_loss");
    }
}
