//! Ends the program at a chosen disk call, as a kill does, so that end-to-end tests can try every
//! moment instead of waiting for chance. Only builds with debug assertions listen: no release, and
//! no environment, can be steered by it.

/// Its value is `COMMAND:NUMBER`: of processes whose first argument is `COMMAND` (`dashboard` where
/// there is none), the disk call of this number, from 0 on, is not made any more, nor any after it.
/// With `COMMAND:NUMBER:FILE`, only calls that come while there is such a file count, and the kill
/// removes it: a test starts the count at a moment of its choice, and sees whether the call came.
#[cfg(debug_assertions)]
const VARIABLE: &str = "TRAINTOP_KILL_AT_DISK_CALL";

/// The setting of the variable for this process.
#[cfg(debug_assertions)]
struct Kill {
    call: usize,
    while_there_is: Option<std::path::PathBuf>,
}

#[cfg(debug_assertions)]
impl Kill {
    fn asked() -> Option<Self> {
        let value = std::env::var(VARIABLE).ok()?;
        let mut parts = value.splitn(3, ':');
        let command = std::env::args().nth(1);
        if parts.next() != Some(command.as_deref().unwrap_or("dashboard")) {
            return None;
        }
        Some(Self {
            call: parts.next()?.parse().ok()?,
            while_there_is: parts.next().map(Into::into),
        })
    }
}

/// A disk call is about to be made.
#[cfg(debug_assertions)]
pub fn pass() {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static KILL: LazyLock<Option<Kill>> = LazyLock::new(Kill::asked);
    let Some(kill) = &*KILL else {
        return;
    };
    let file = kill.while_there_is.as_ref();
    if file.is_some_and(|file| !file.exists()) {
        return;
    }
    if CALLS.fetch_add(1, Ordering::Relaxed) >= kill.call {
        if let Some(file) = file {
            let _ = std::fs::remove_file(file);
        }
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
