//! SIGTERM and SIGINT: the first asks the work to stop at the next step and to leave things whole,
//! the second ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;

/// Whether a stop was requested. Clones share the flag.
#[derive(Debug, Clone, Default)]
pub struct StopRequest(Arc<AtomicBool>);

impl StopRequest {
    /// Asks.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was requested.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Catches both signals from now on, on a thread of its own, so that a message can be printed while
/// a step still runs: `asked` is called after the first, `again` with the exit code before the
/// second ends the process.
pub fn watch(
    asked: impl Fn() + Send + 'static,
    again: impl Fn(i32) + Send + 'static,
) -> io::Result<StopRequest> {
    let stop = StopRequest::default();
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let requested = stop.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            if requested.is_set() {
                let code = 128 + signal;
                again(code);
                low_level::exit(code);
            }
            requested.set();
            asked();
        }
    });
    Ok(stop)
}
