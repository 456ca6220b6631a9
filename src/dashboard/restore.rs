//! Gives the terminal back when the program is ended by a signal that leaves no time for anything
//! else, such as the SIGABRT of `abort`. The only `unsafe` of the dashboard is here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGABRT, SIGBUS, SIGSYS, SIGTRAP};
use signal_hook::low_level::emulate_default_handler;

use crate::text::terminal::raw_output;

/// Ends a frame that was begun, leaves the mouse, pasting and the alternate screen, shows the
/// cursor.
pub const SEQUENCE: &[u8] =
    b"\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[?25h";

/// How the terminal was before the dashboard took it.
static BEFORE: OnceLock<Termios> = OnceLock::new();
/// Whether the dashboard has the terminal.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The dashboard is about to take the terminal, or has given it back.
pub fn note(is_taken: bool) {
    if is_taken && let Ok(before) = tcgetattr(raw_output()) {
        BEFORE.get_or_init(|| before);
    }
    IS_TAKEN.store(is_taken, Ordering::Relaxed);
}

/// Gives the terminal back at once, whatever other threads hold. Does nothing without a terminal.
pub fn now() {
    if !IS_TAKEN.swap(false, Ordering::Relaxed) {
        return;
    }
    // A terminal that is gone needs nothing.
    let _ = rustix::io::write(raw_output(), SEQUENCE);
    if let Some(before) = BEFORE.get() {
        let _ = tcsetattr(raw_output(), OptionalActions::Now, before);
    }
}

/// Gives the terminal back and ends the program as the signal would have done.
pub fn and_end(signal: i32) {
    now();
    if let Err(error) = emulate_default_handler(signal) {
        log::error!("signal {signal} does not end the program: {error}");
    }
}

/// From now on a crash gives the terminal back. A stack overflow does too: it ends in SIGABRT.
#[expect(
    unsafe_code,
    reason = "a handler of a signal has to be safe at any moment"
)]
pub fn on_crash() {
    for signal in [SIGABRT, SIGBUS, SIGSYS, SIGTRAP] {
        let end = move || {
            now();
            let _ = emulate_default_handler(signal);
        };
        // SAFETY: the handler takes no lock and allocates nothing. It reads and writes atomics (a
        // `OnceLock` that is read is one), makes system calls without libc's buffers (rustix calls
        // the kernel itself), and calls `emulate_default_handler`, which is safe there by its
        // documentation. It does not panic.
        if let Err(error) = unsafe { signal_hook::low_level::register(signal, end) } {
            log::warn!("signal {signal} will not give the terminal back: {error}");
        }
    }
}
