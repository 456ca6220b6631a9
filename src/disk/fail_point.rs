//! Ends the program at a chosen disk call, as a kill does, so that end-to-end tests can try every
//! moment instead of waiting for chance. Only builds with debug assertions listen: no release, and
//! no environment, can be steered by it.

/// Its value is `COMMAND:NUMBER`: of processes whose first argument is `COMMAND`, the disk call of
/// this number, from 0 on, is not made any more, nor any after it.
#[cfg(debug_assertions)]
const VARIABLE: &str = "TRAINTOP_KILL_AT_DISK_CALL";

/// A disk call is about to be made.
#[cfg(debug_assertions)]
pub fn pass() {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static LAST: LazyLock<Option<usize>> = LazyLock::new(|| {
        let value = std::env::var(VARIABLE).ok()?;
        let (command, number) = value.split_once(':')?;
        (std::env::args().nth(1)? == command).then(|| number.parse().ok())?
    });
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    if LAST.is_some_and(|last| call >= last) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal may take a moment, in which no other call is made.
        loop {
            std::thread::park();
        }
    }
}

/// A disk call is about to be made.
#[cfg(not(debug_assertions))]
pub const fn pass() {}
