//! A value of which only the newest is written, by one thread at a time. Putting a newer one down
//! does not wait for a write that is under way: that can take a disk's whole second, and the thread
//! that draws must not.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The newest that is not written yet.
#[derive(Debug)]
pub struct CoalescedWrite<T> {
    unwritten: Mutex<Option<T>>,
    /// Held while writing, so that an older one that is being written cannot come after a newer
    /// one.
    turn: Mutex<()>,
}

impl<T> Default for CoalescedWrite<T> {
    fn default() -> Self {
        Self {
            unwritten: Mutex::default(),
            turn: Mutex::default(),
        }
    }
}

impl<T> CoalescedWrite<T> {
    pub fn put(&self, newest: T) {
        *lock(&self.unwritten) = Some(newest);
    }

    /// Writes the newest value, unless another thread has done so.
    pub fn write<R>(&self, write: impl FnOnce(T) -> R) -> Option<R> {
        let _turn = lock(&self.turn);
        let newest = lock(&self.unwritten).take();
        newest.map(write)
    }
}

/// A thread that panicked while it held a lock has been logged; its data are whole enough to go on
/// with.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_one_is_put_down_while_an_older_one_is_being_written() {
        let latest = CoalescedWrite::default();
        latest.put(1);
        latest.put(2);
        let mut written = Vec::new();
        latest.write(|value| {
            latest.put(3);
            written.push(value);
        });
        while let Some(value) = latest.write(|value| value) {
            written.push(value);
        }
        assert_eq!(written, [2, 3]);
    }
}
