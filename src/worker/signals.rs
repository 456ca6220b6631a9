//! SIGTERM and SIGINT: the first asks the training to stop after its step and to save, the second ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level;
use traintop::run::State;

use super::status::Status;

/// Whether the training was asked to stop. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub struct StopRequest(Arc<AtomicBool>);

impl StopRequest {
    /// Asks.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Catches both signals from now on, on a thread of its own, so that `run.json` says `stopping` while a step still runs.
pub fn watch(status: Status) -> io::Result<StopRequest> {
    let stop = StopRequest::default();
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let requested = stop.clone();
    thread::spawn(move || {
        for signal in signals.forever() {
            if requested.is_set() {
                let code = 128 + signal;
                let reason = "a second signal ended it before it could save; a resume goes on from its last checkpoint";
                status.end_at_once(State::Stopped, code, reason.to_owned());
                low_level::exit(code);
            }
            requested.set();
            // The training ends and says so itself, whether or not this word of it could be written.
            let _ = status.stopping();
        }
    });
    Ok(stop)
}
