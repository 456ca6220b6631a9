//! Threads with one queue. A job waits for nothing but a free thread of its class, and for earlier
//! jobs that hold one of its keys: what is done to one run is done in the order in which it was
//! asked.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::coalesced_write::lock;

/// How long jobs take, and how long the user minds. The first class goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The user waits for it, and it takes moments.
    Quick,
    /// It reads many runs.
    Bulk,
    /// It may take seconds or hours: archives, clean-ups, exports.
    Long,
}

/// How many jobs run at the same time. There is always a thread for a quick job that others of its
/// class do not hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of bulk jobs; there may be one quick job more.
    pub bulk: usize,
    /// Of long jobs.
    pub long: usize,
}

/// What a job is, without its work.
#[derive(Debug, Clone)]
pub struct Kind<K> {
    /// What it does, in a word or two.
    pub name: &'static str,
    /// How long it takes.
    pub class: Class,
    /// Whether it changes files of the user: then the end of the program waits for it.
    pub is_change: bool,
    /// What it holds while it runs.
    pub keys: Vec<K>,
}

/// The pending jobs, and what those under way hold.
#[derive(Debug)]
struct Queue<K, W> {
    limits: Limits,
    pending: VecDeque<(Kind<K>, W)>,
    held: HashSet<K>,
    running: [usize; 3],
    /// Of those under way, the changes.
    changing: usize,
    is_closed: bool,
}

impl<K: Eq + Hash + Clone, W> Queue<K, W> {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            pending: VecDeque::new(),
            held: HashSet::new(),
            running: [0; 3],
            changing: 0,
            is_closed: false,
        }
    }

    fn has_room(&self, class: Class) -> bool {
        let [quick, bulk, long] = self.running;
        match class {
            Class::Quick => quick + bulk < self.limits.bulk + 1,
            Class::Bulk => bulk < self.limits.bulk && quick + bulk < self.limits.bulk + 1,
            Class::Long => long < self.limits.long,
        }
    }

    /// The next job that can begin: of the first class that has one, the oldest.
    fn take(&mut self) -> Option<(Kind<K>, W)> {
        let mut wanted_before: HashSet<&K> = HashSet::new();
        let mut next: Option<(Class, usize)> = None;
        for (at, (kind, _)) in self.pending.iter().enumerate() {
            let is_first = next.is_none_or(|(class, _)| kind.class < class);
            let is_free = |key| !self.held.contains(key) && !wanted_before.contains(key);
            if is_first && self.has_room(kind.class) && kind.keys.iter().all(is_free) {
                next = Some((kind.class, at));
                if kind.class == Class::Quick {
                    break;
                }
            }
            wanted_before.extend(&kind.keys);
        }
        let (_, at) = next?;
        let (kind, work) = self.pending.remove(at)?;
        self.held.extend(kind.keys.iter().cloned());
        self.running[kind.class as usize] += 1;
        self.changing += usize::from(kind.is_change);
        Some((kind, work))
    }

    fn end(&mut self, kind: &Kind<K>) {
        for key in &kind.keys {
            self.held.remove(key);
        }
        self.running[kind.class as usize] -= 1;
        self.changing -= usize::from(kind.is_change);
    }

    /// Nothing else is to be done but the short changes that were asked for.
    fn close(&mut self) {
        self.is_closed = true;
        self.pending
            .retain(|(kind, _)| kind.is_change && kind.class != Class::Long);
    }

    fn is_at_rest(&self) -> bool {
        self.pending.is_empty() && self.changing == 0
    }
}

type Work = Box<dyn FnOnce() + Send>;

struct Shared<K> {
    queue: Mutex<Queue<K, Work>>,
    /// A job came or ended, or the pool was closed.
    changed: Condvar,
    /// Called with the name of a job that panicked.
    failed: Box<dyn Fn(&'static str) + Send + Sync>,
}

/// The threads. Dropped, the pool begins no other job.
pub struct Pool<K>(Arc<Shared<K>>);

impl<K: Eq + Hash + Clone + Send + 'static> Pool<K> {
    /// Starts the threads. `failed` gets the name of a job that panicked.
    pub fn start(limits: Limits, failed: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(limits)),
            changed: Condvar::new(),
            failed: Box::new(failed),
        });
        for number in 0..=limits.bulk + limits.long {
            let of_thread = Arc::clone(&shared);
            let started = thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || work(&of_thread));
            if let Err(error) = started {
                log::error!("a thread could not be started: {error}");
            }
        }
        Self(shared)
    }

    /// Has a job done.
    pub fn submit(&self, kind: Kind<K>, work: impl FnOnce() + Send + 'static) {
        lock(&self.0.queue)
            .pending
            .push_back((kind, Box::new(work)));
        self.0.changed.notify_all();
    }

    /// Begins no other job but short changes that were asked for, and waits until all changes have
    /// ended, but no longer than `timeout`.
    pub fn close(&self, timeout: Duration) {
        let mut queue = lock(&self.0.queue);
        queue.close();
        self.0.changed.notify_all();
        let is_at_work = |queue: &mut Queue<K, Work>| !queue.is_at_rest();
        let waited = self
            .0
            .changed
            .wait_timeout_while(queue, timeout, is_at_work);
        if waited.is_ok_and(|(_, waited)| waited.timed_out()) {
            log::warn!("the program ends while jobs are under way");
        }
    }
}

impl<K> Drop for Pool<K> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.is_closed = true;
        queue.pending.clear();
        self.0.changed.notify_all();
    }
}

fn work<K: Eq + Hash + Clone>(shared: &Shared<K>) {
    let mut queue = lock(&shared.queue);
    loop {
        if let Some((kind, work)) = queue.take() {
            drop(queue);
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                (shared.failed)(kind.name);
            }
            queue = lock(&shared.queue);
            queue.end(&kind);
            shared.changed.notify_all();
        } else if queue.is_closed && queue.pending.is_empty() {
            return;
        } else {
            let waited = shared.changed.wait(queue);
            queue = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { bulk: 2, long: 1 };
    /// How long anything here may take on a busy machine; nothing waits that long if all is well.
    const DEADLINE: Duration = Duration::from_secs(60);

    fn kind(class: Class, keys: &[u8]) -> Kind<u8> {
        Kind {
            name: "test",
            class,
            is_change: keys.contains(&1),
            keys: keys.to_vec(),
        }
    }

    #[test]
    fn long_jobs_that_are_held_do_not_hold_short_ones() {
        let pool = Pool::start(LIMITS, |_| {});
        let (begun, has_begun) = channel();
        let mut releases = Vec::new();
        for number in 0..10 {
            let (release, held) = channel::<()>();
            releases.push(release);
            let begun = begun.clone();
            // Ends when the test lets go.
            pool.submit(kind(Class::Long, &[number]), move || {
                let _ = begun.send(());
                let _ = held.recv();
            });
        }
        has_begun.recv_timeout(DEADLINE).unwrap();
        let (done, is_done) = channel();
        for class in [Class::Quick, Class::Bulk, Class::Quick] {
            let done = done.clone();
            pool.submit(kind(class, &[100]), move || {
                let _ = done.send(());
            });
        }
        for _ in 0..3 {
            is_done.recv_timeout(DEADLINE).unwrap();
        }
        assert!(has_begun.try_recv().is_err(), "one long job at a time");
    }

    #[test]
    fn the_end_waits_for_changes_and_does_the_short_ones_that_were_asked_for() {
        let pool = Pool::start(LIMITS, |_| {});
        let (begun, has_begun) = channel();
        let (release, held) = channel::<()>();
        let (done, is_done) = channel();
        let of_first = done.clone();
        pool.submit(kind(Class::Long, &[1]), move || {
            let _ = begun.send(());
            let _ = held.recv();
            let _ = of_first.send("archive");
        });
        has_begun.recv_timeout(DEADLINE).unwrap();
        for (class, key, name) in [
            (Class::Quick, 1, "star"),
            (Class::Long, 1, "second archive"),
            (Class::Long, 2, "survey"),
        ] {
            let done = done.clone();
            pool.submit(kind(class, &[key]), move || {
                let _ = done.send(name);
            });
        }
        drop(done);
        thread::scope(|scope| {
            scope.spawn(|| pool.close(DEADLINE));
            let queue = lock(&pool.0.queue);
            let closed = pool.0.changed.wait_while(queue, |queue| !queue.is_closed);
            drop(closed.unwrap());
            // As cancelling does.
            drop(release);
        });
        let done: Vec<_> = is_done.iter().collect();
        assert_eq!(done, ["archive", "star"]);
    }

    #[test]
    fn a_panic_is_told_by_the_name_and_the_threads_go_on() {
        let (failed, has_failed) = channel();
        let pool = Pool::start(LIMITS, move |name| {
            let _ = failed.send(name);
        });
        for _ in 0..9 {
            pool.submit(kind(Class::Quick, &[1]), || panic!("as ordered"));
            assert_eq!(has_failed.recv_timeout(DEADLINE), Ok("test"));
        }
    }

    #[test]
    fn jobs_with_a_key_in_common_keep_their_order_and_others_pass() {
        let mut queue = Queue::new(LIMITS);
        for (number, (class, keys)) in [
            (Class::Long, &[1][..]),
            (Class::Quick, &[1]),
            (Class::Quick, &[2]),
            (Class::Quick, &[1, 2]),
            (Class::Bulk, &[2]),
        ]
        .into_iter()
        .enumerate()
        {
            queue.pending.push_back((kind(class, keys), number));
        }
        let mut next = |ended: Option<&Kind<u8>>| {
            if let Some(ended) = ended {
                queue.end(ended);
            }
            queue.take()
        };
        let (second, number) = next(None).unwrap();
        assert_eq!(number, 2, "the first that is free and quick");
        let (archive, number) = next(None).unwrap();
        assert_eq!(number, 0);
        assert!(next(None).is_none(), "all others wait for one of these");
        assert!(
            next(Some(&second)).is_none(),
            "the fourth comes before the fifth"
        );
        let (star, number) = next(Some(&archive)).unwrap();
        assert_eq!(number, 1);
        let (both, number) = next(Some(&star)).unwrap();
        assert_eq!(number, 3);
        assert_eq!(next(Some(&both)).unwrap().1, 4);
    }

    fn class() -> impl Strategy<Value = Class> {
        prop_oneof![Just(Class::Quick), Just(Class::Bulk), Just(Class::Long)]
    }

    proptest! {
        #[test]
        fn every_job_begins_once_in_the_order_of_its_keys_and_within_the_limits(
            jobs in prop::collection::vec((class(), prop::collection::vec(0..4_u8, 0..3)), 0..30),
            ends in prop::collection::vec(any::<prop::sample::Index>(), 60),
        ) {
            let mut queue = Queue::new(LIMITS);
            for (number, (class, keys)) in jobs.iter().enumerate() {
                queue.pending.push_back((kind(*class, keys), number));
            }
            let (mut running, mut begun) = (Vec::new(), Vec::new());
            let mut ends = ends.into_iter();
            while begun.len() < jobs.len() || !running.is_empty() {
                while let Some((kind, number)) = queue.take() {
                    // All earlier jobs with one of its keys have ended.
                    for (earlier, (_, keys)) in jobs.iter().enumerate().take(number) {
                        let shares = keys.iter().any(|key| kind.keys.contains(key));
                        let is_over = begun.contains(&earlier)
                            && !running.iter().any(|(_, running)| *running == earlier);
                        prop_assert!(!shares || is_over, "{number} before the end of {earlier}");
                    }
                    prop_assert!(!begun.contains(&number));
                    begun.push(number);
                    running.push((kind, number));
                    let count = |class| {
                        running.iter().filter(|(kind, _)| kind.class == class).count()
                    };
                    prop_assert!(count(Class::Bulk) <= LIMITS.bulk);
                    prop_assert!(count(Class::Long) <= LIMITS.long);
                    prop_assert!(count(Class::Quick) + count(Class::Bulk) <= LIMITS.bulk + 1);
                }
                // With nothing under way, something can begin: no job waits for ever.
                prop_assert!(!running.is_empty());
                let Some(end) = ends.next() else { break };
                let (kind, _) = running.remove(end.index(running.len()));
                queue.end(&kind);
            }
            prop_assert_eq!(begun.len(), jobs.len());
        }
    }
}
