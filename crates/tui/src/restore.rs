//! Gives the terminal back when the program is ended by a signal that leaves no time for anything
//! else, such as the SIGABRT of `abort`. The only `unsafe` of the dashboard is here.

use std::mem::{transmute, zeroed};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use libc::{c_int, c_void, siginfo_t};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};

use traintop_text::terminal::raw_output;

/// The signals of crashes: the program cannot go on until its loop sees them.
const CRASHES: [c_int; 7] = [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP];

/// By its number, what handled each signal of a crash before: Rust's own handlers, which report an
/// overflow of the stack. 0 where there was none.
static EARLIER: [AtomicUsize; 32] = [const { AtomicUsize::new(0) }; 32];

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
pub fn and_end(signal: c_int) -> ! {
    now();
    by_default(signal);
    // Nothing ends a program for a signal that it does not know.
    std::process::abort()
}

/// Does what the system does with a signal that nobody handles.
#[expect(unsafe_code, reason = "only libc gives a signal its default back")]
fn by_default(signal: c_int) {
    // SAFETY: all pointers are to local values or null, as the calls allow; zeroes are a valid
    // action and a valid set. Each call may be made in a handler.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = libc::SIG_DFL;
        libc::sigaction(signal, &raw const action, null_mut());
        let mut signals: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut signals);
        libc::sigaddset(&raw mut signals, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const signals, null_mut());
        libc::raise(signal);
    }
}

/// Gives the terminal back, lets Rust say what happened, and ends the program.
#[expect(
    unsafe_code,
    reason = "Rust's own handler is known by its address only"
)]
extern "C" fn crashed(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // Before Rust's report: on the alternate screen nobody would see it.
    now();
    let earlier = usize::try_from(signal).ok().and_then(|at| EARLIER.get(at));
    let earlier = earlier.map_or(0, |earlier| earlier.load(Ordering::Relaxed));
    if earlier != 0 {
        type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
        // SAFETY: it was the signal's handler and took these arguments, as `on_crash` has seen.
        let earlier = unsafe { transmute::<usize, Handler>(earlier) };
        earlier(signal, info, context);
    }
    by_default(signal);
}

/// From now on a crash gives the terminal back.
#[expect(
    unsafe_code,
    reason = "a handler of a signal has to be safe at any moment"
)]
pub fn on_crash() {
    for signal in CRASHES {
        // SAFETY: the pointers are to local values or null; zeroes are a valid action. The handler
        // takes no lock and allocates nothing. It reads and writes atomics (a `OnceLock` that is
        // read is one), makes system calls without libc's buffers, and does not panic. It runs on
        // the alternate stack, where there is one: after an overflow there is no other.
        let is_set = unsafe {
            let mut earlier: libc::sigaction = zeroed();
            libc::sigaction(signal, null_mut(), &raw mut earlier);
            let mut action: libc::sigaction = zeroed();
            action.sa_sigaction = crashed as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // One without this flag takes other arguments.
            let is_known = earlier.sa_flags & libc::SA_SIGINFO != 0;
            if is_known && earlier.sa_sigaction != action.sa_sigaction {
                EARLIER[signal as usize].store(earlier.sa_sigaction, Ordering::Relaxed);
            }
            libc::sigaction(signal, &raw const action, null_mut()) == 0
        };
        if !is_set {
            let error = std::io::Error::last_os_error();
            log::warn!("signal {signal} will not give the terminal back: {error}");
        }
    }
}
