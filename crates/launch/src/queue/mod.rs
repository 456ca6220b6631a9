//! Runs that wait for their turn. A queued run is a run folder whose record says `queued` and its
//! position; there is no other list of them, so that nothing can disagree with it. One process per
//! output tree, the keeper, starts the next when a slot is free; it ends with the queue, and
//! changing the queue, opening the dashboard and the end of a run make sure that there is one.

mod add;
mod keeper;
mod slots;
mod survey;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::environment;
use super::resume::resumable;
use super::run_lock::myself;
use super::spawn::LaunchError;
use super::trust::trust;
use traintop_disk::{Disk, RootedDir, System, write};
use traintop_run::queue_reasons::QUEUE;
use traintop_run::record::Exit;
use traintop_run::trust::Commands;
use traintop_run::{Record, RunDir, State};
use traintop_text::clean;

pub use add::{Entry, add};
pub(super) use add::{by_tree, make};
pub use keeper::{KEEP, keep};

/// How long a mere check for a keeper may hold its lock, on a busy machine.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The reason of a run that was taken out of the queue.
const TAKEN_OUT: &str = "taken out of the queue before it began";

/// The queue of an output tree.
#[derive(Debug, Clone)]
pub struct Queue {
    tree: PathBuf,
}

/// Where a run goes in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One place nearer to its turn.
    Earlier,
    /// One place further from it.
    Later,
    /// It is the next.
    First,
    Last,
}

/// A run that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    pub dir: RunDir,
    pub record: Record,
}

impl Waiting {
    /// What it is ordered by; of equals, which a cut-off change of the order can leave, the older
    /// comes first.
    fn order(&self) -> (i64, Timestamp, &RunDir) {
        let position = self.record.queue_position.unwrap_or(i64::MAX);
        (position, self.record.created_at, &self.dir)
    }
}

impl Queue {
    /// The queue of the tree in `tree`: what recipes call `output_dir`.
    pub fn of(tree: &Path) -> Self {
        Self {
            tree: tree.canonicalize().unwrap_or_else(|_| tree.to_owned()),
        }
    }

    /// The queue that a run is in, or would be.
    ///
    /// # Errors
    /// If its folder is not where an output tree keeps its runs.
    pub fn around(dir: &RunDir) -> Result<Self, LaunchError> {
        let tree = dir.output_tree().ok_or_else(|| {
            LaunchError::Refused(format!(
                "{}: only runs in a folder training_runs can be queued",
                dir.path().display()
            ))
        })?;
        Ok(Self::of(tree))
    }

    fn folder(&self) -> PathBuf {
        self.tree.join(QUEUE)
    }

    /// The folder in which a change wakes the keeper.
    fn wake_folder(&self) -> PathBuf {
        self.folder().join("wake")
    }

    /// Holds everybody else off who would change the queue.
    ///
    /// # Errors
    /// If the queue's folder cannot be opened.
    fn lock(&self) -> Result<File, LaunchError> {
        let lock = self.open_lock("lock").and_then(|lock| {
            write::wait_for_lock(&lock)?;
            Ok(lock)
        });
        lock.map_err(|cause| self.unreadable(cause))
    }

    /// A lock's file in the queue's folder, which is made if need be.
    fn open_lock(&self, name: &str) -> io::Result<File> {
        // A link would have us make and lock files elsewhere.
        let tree = RootedDir::new(&self.tree)?;
        let disk: &dyn Disk = &tree;
        disk.make_folders(&self.wake_folder())?;
        tree.open_lock(&self.folder().join(name))
    }

    /// A file's name in the queue's folder that is this user's own: each user has a keeper, for the
    /// runs that this user queued.
    fn own(name: &str) -> String {
        format!("{name}-{}", rustix::process::geteuid().as_raw())
    }

    /// The right to be this user's keeper; `None` if there is one. A check for a keeper holds the
    /// lock for an instant: that is waited for, or no process would keep the queue.
    fn keeper_lock(&self) -> io::Result<Option<File>> {
        let lock = self.open_lock(&Self::own("keeper"))?;
        let deadline = Instant::now() + CHECK_TIMEOUT;
        while !write::try_lock(&lock) {
            if Instant::now() > deadline {
                return Ok(None);
            }
            thread::sleep(CHECK_TIMEOUT / 100);
        }
        Ok(Some(lock))
    }

    /// Whether this user has a keeper.
    fn has_keeper(&self) -> io::Result<bool> {
        Ok(write::is_locked(&self.open_lock(&Self::own("keeper"))?))
    }

    /// Makes the folder of a queue whose runs came without one, as by a copy.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn make(&self) -> Result<(), LaunchError> {
        let locked = self.lock()?;
        drop(locked);
        Ok(())
    }

    /// Whether anything was ever queued here.
    fn exists(&self) -> bool {
        self.folder().is_dir()
    }

    /// Wakes the keeper, or starts one. If none of this user's runs waits it does nothing: a tree
    /// that others wrote is only read. Errors are logged: the next program that opens the queue
    /// tries again.
    pub fn tend(&self) {
        if !self.exists() || !self.has_own_runs() {
            return;
        }
        if let Err(error) = self.try_to_tend() {
            log::warn!(
                "{}: the queue is not looked after: {error}",
                self.tree.display()
            );
        }
    }

    /// Whether a run that this user queued waits, or was taken out of the queue to begin and has
    /// not begun.
    fn has_own_runs(&self) -> bool {
        let commands = Commands::of_user();
        let survey = survey::Surveyor::default().survey(&self.tree);
        let survey = survey.unwrap_or_default();
        let mut waiting = survey.waiting.iter();
        let mut active = survey.active.iter();
        waiting.any(|waiting| commands.allows(&waiting.dir, &waiting.record))
            || active.any(|(dir, record)| record.process.is_none() && commands.allows(dir, record))
    }

    fn try_to_tend(&self) -> io::Result<()> {
        if self.has_keeper()? {
            return self.wake();
        }
        let log = self.folder().join(Self::own("keeper") + ".log");
        let log = RootedDir::new(&self.tree)?.open_append(&log)?;
        let mut keeper = myself(KEEP)
            .arg(&self.tree)
            .current_dir(&self.tree)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        // So that it does not stay a zombie while this program lives.
        thread::Builder::new()
            .stack_size(64 * 1024)
            .spawn(move || keeper.wait())?;
        Ok(())
    }

    /// Wakes every keeper of this tree.
    fn wake(&self) -> io::Result<()> {
        let disk = System.beneath(&self.tree)?;
        disk.replace_file(&self.wake_folder().join(Self::own("wake")), b"", None)
    }

    /// The runs that wait, the next first.
    ///
    /// # Errors
    /// If the tree cannot be read.
    pub fn waiting(&self) -> io::Result<Vec<Waiting>> {
        Ok(survey::Surveyor::default().survey(&self.tree)?.waiting)
    }

    /// The records of the runs that are at work on this machine.
    pub(super) fn at_work(&self) -> Vec<Record> {
        let survey = survey::Surveyor::default().survey(&self.tree);
        let active = survey.unwrap_or_default().active.into_iter();
        let is_here = |record: &Record| {
            let process = record.process.as_ref();
            process.is_none_or(traintop_run::process::Process::is_alive)
        };
        active.map(|(_, record)| record).filter(is_here).collect()
    }

    /// Gives a waiting run another place. Its neighbour changes places with it.
    ///
    /// # Errors
    /// If it does not wait, or the queue cannot be changed.
    pub fn put(&self, dir: &RunDir, place: Place) -> Result<(), LaunchError> {
        let _lock = self.lock()?;
        let mut waiting = self.waiting().map_err(|cause| self.unreadable(cause))?;
        let found = waiting.iter().position(|waiting| waiting.dir == *dir);
        let at = found.ok_or_else(|| not_waiting(dir))?;
        let last = waiting.len() - 1;
        let other = match place {
            Place::Earlier if at > 0 => at - 1,
            Place::Later if at < last => at + 1,
            Place::First if at > 0 => 0,
            Place::Last if at < last => last,
            _ => return Ok(()),
        };
        let position = |waiting: &Waiting| waiting.record.queue_position.unwrap_or(i64::MAX / 2);
        let there = position(&waiting[other]);
        let mut record = waiting[at].record.clone();
        match place {
            Place::First => record.queue_position = Some(there - 1),
            Place::Last => record.queue_position = Some(there + 1),
            Place::Earlier | Place::Later => {
                let mut here = position(&waiting[at]);
                if here == there {
                    // Places that are the same cannot be changed: this one moves past the other.
                    here = if place == Place::Earlier {
                        there + 1
                    } else {
                        there - 1
                    };
                }
                record.queue_position = Some(there);
                let neighbour = &mut waiting[other];
                neighbour.record.queue_position = Some(here);
                neighbour.record.save(&neighbour.dir)?;
            }
        }
        record.save(dir)?;
        Ok(())
    }

    /// Takes a waiting run out of the queue; it is then stopped, and can be queued again.
    ///
    /// # Errors
    /// If it does not wait, or the queue cannot be changed.
    pub fn take_out(&self, dir: &RunDir) -> Result<String, LaunchError> {
        let _lock = self.lock()?;
        let record = Record::load(dir)?.filter(|record| record.state == State::Queued);
        let mut record = record.ok_or_else(|| not_waiting(dir))?;
        record.state = State::Stopped;
        record.ended_at = Some(Timestamp::now());
        record.exit = Some(Exit {
            reason: Some(TAKEN_OUT.to_owned()),
            ..Exit::default()
        });
        record.save(dir)?;
        Ok(record.name)
    }

    /// Lets a new run wait, as its record says.
    ///
    /// # Errors
    /// If the queue cannot be changed.
    pub fn enter(&self, dir: &RunDir, record: &Record) -> Result<(), LaunchError> {
        let lock = self.lock()?;
        trust(dir, record)?;
        record.save(dir)?;
        drop(lock);
        self.tend();
        Ok(())
    }

    /// Puts a run that was stopped, failed or is lost at the end of the queue, to be resumed. Its
    /// name.
    ///
    /// # Errors
    /// If it cannot be resumed, or the queue not be changed.
    pub fn add_again(&self, dir: &RunDir) -> Result<String, LaunchError> {
        // What was a job of Slurm's waits there again, and never trains where a user happens to be
        // logged in.
        if Record::load(dir)?.is_some_and(|record| record.slurm.is_some()) {
            super::slurm::again(dir)?;
            return Ok(clean(&dir.name()).into_owned());
        }
        // Before anything is made for it, and again under the lock.
        resumable(dir)?;
        let lock = self.lock()?;
        let mut record = resumable(dir)?;
        record.state = State::Queued;
        record.environment = environment::own();
        record.queue_position = Some(Timestamp::now().as_microsecond());
        trust(dir, &record)?;
        record.save(dir)?;
        drop(lock);
        self.tend();
        Ok(record.name)
    }

    fn unreadable(&self, cause: io::Error) -> LaunchError {
        let path = self.folder();
        LaunchError::Unusable { path, cause }
    }
}

fn not_waiting(dir: &RunDir) -> LaunchError {
    LaunchError::Refused(format!("{} does not wait in the queue", dir.name()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use traintop_run::layout::TRAINING_RUNS;

    /// A tree with these runs waiting, at these positions.
    fn tree(positions: &[i64]) -> (tempfile::TempDir, Queue, Vec<RunDir>) {
        let folder = tempfile::tempdir().unwrap();
        let queue = Queue::of(folder.path());
        let dirs = positions.iter().enumerate().map(|(number, position)| {
            let dir = RunDir::new(queue.tree.join(TRAINING_RUNS).join(format!("r{number}")));
            fs::create_dir_all(dir.logs()).unwrap();
            fs::write(dir.config_json(), "{}").unwrap();
            let process = traintop_run::process::Process::current();
            let mut record =
                Record::new(&dir, dir.name(), process, Vec::new(), Timestamp::UNIX_EPOCH);
            record.process = None;
            record.state = State::Queued;
            record.queue_position = Some(*position);
            record.save(&dir).unwrap();
            dir
        });
        let dirs = dirs.collect();
        (folder, queue, dirs)
    }

    fn names(queue: &Queue) -> String {
        let waiting = queue.waiting().unwrap();
        let names: Vec<String> = waiting.iter().map(|waiting| waiting.dir.name()).collect();
        names.join(" ")
    }

    #[test]
    fn the_order_is_changed_by_hand() {
        let (_folder, queue, dirs) = tree(&[10, 20, 30, 40]);
        assert_eq!(names(&queue), "r0 r1 r2 r3");
        let cases = [
            (2, Place::Earlier, "r0 r2 r1 r3"),
            (0, Place::Earlier, "r0 r2 r1 r3"),
            (3, Place::First, "r3 r0 r2 r1"),
            (0, Place::Later, "r3 r2 r0 r1"),
            (3, Place::Last, "r2 r0 r1 r3"),
            (3, Place::Later, "r2 r0 r1 r3"),
        ];
        for (run, place, order) in cases {
            queue.put(&dirs[run], place).unwrap();
            assert_eq!(names(&queue), order, "r{run} {place:?}");
        }
    }

    #[test]
    fn equal_places_which_a_cut_off_change_leaves_can_be_changed() {
        let (_folder, queue, dirs) = tree(&[10, 10, 10]);
        queue.put(&dirs[2], Place::Earlier).unwrap();
        queue.put(&dirs[2], Place::First).unwrap();
        assert!(names(&queue).starts_with("r2"), "{}", names(&queue));
        assert_eq!(queue.waiting().unwrap().len(), 3);
    }

    #[test]
    fn what_was_taken_out_is_stopped_and_cannot_be_moved() {
        let (_folder, queue, dirs) = tree(&[10, 20]);
        queue.take_out(&dirs[0]).unwrap();
        assert_eq!(names(&queue), "r1");
        let record = Record::load(&dirs[0]).unwrap().unwrap();
        assert_eq!(
            (record.state, record.exit.unwrap().reason.unwrap().as_str()),
            (State::Stopped, TAKEN_OUT)
        );
        let problem = queue.put(&dirs[0], Place::First).unwrap_err().to_string();
        assert_eq!(problem, "r0 does not wait in the queue");
        assert!(queue.take_out(&dirs[0]).is_err());
    }
}
