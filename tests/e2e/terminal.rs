//! The dashboard gives the terminal back, however it ends or stops.

use std::fs;

use crate::dashboard::{open_on_both, signal, two_runs};
use crate::fake_worker::{UNTIL_STOPPED, Workplace, wait_for};
use crate::pty::Dashboard;

#[test]
fn every_signal_that_ends_it_gives_the_terminal_back() {
    // Those by number are real-time signals: the first, one between, the last.
    let signals = [
        "HUP", "INT", "QUIT", "TERM", "ABRT", "ALRM", "BUS", "FPE", "ILL", "IO", "PROF", "PWR",
        "SEGV", "STKFLT", "SYS", "TRAP", "USR1", "USR2", "VTALRM", "XCPU", "XFSZ", "34", "45",
        "64",
    ];
    let place = two_runs();
    for name in signals {
        let mut dashboard = open_on_both(&place, 80);
        // A run's screen listens to the mouse.
        dashboard.press("\r");
        dashboard.wait("the curves", |screen| screen.contains("1 Charts"));
        assert!(dashboard.has_the_terminal());
        signal(name, dashboard.process_id().into());
        let status = dashboard.end();
        assert!(dashboard.left_a_sane_terminal(), "{name}");
        assert!(!status.success(), "{name}: {status:?}");
    }
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_gives_the_terminal_back_and_says_so() {
    let place = two_runs();
    let mut command = place.traintop(&[]);
    command
        .env("TRAINTOP_PANIC", "1")
        .env("RUST_BACKTRACE", "0");
    let mut dashboard = Dashboard::open_as(&command, 80, 24);
    assert!(!dashboard.end().success());
    assert!(dashboard.left_a_sane_terminal());
    dashboard.wait("the message", |screen| screen.contains("asked to panic"));
}

#[cfg(debug_assertions)]
#[test]
fn a_stack_overflow_gives_the_terminal_back_and_says_so() {
    let place = two_runs();
    let mut command = place.traintop(&[]);
    command.env("TRAINTOP_PANIC", "stack overflow");
    let mut dashboard = Dashboard::open_as(&command, 80, 24);
    assert!(!dashboard.end().success());
    assert!(dashboard.left_a_sane_terminal());
    dashboard.wait("the message", |screen| {
        screen.contains("has overflowed its stack")
    });
}

#[test]
fn a_dropped_connection_ends_the_dashboard_and_not_its_run() {
    let place = Workplace::new(UNTIL_STOPPED);
    let run = place.start_detached();
    run.wait_for_state("running");
    let mut dashboard = Dashboard::open(&place, &[], 80, 24);
    dashboard.wait("the run", |screen| screen.contains("● running"));
    signal("HUP", dashboard.process_id().into());
    dashboard.end();
    assert!(dashboard.left_a_sane_terminal());
    crate::pty::open_and_hang_up(&place);
    assert_eq!(run.record()["state"], "running");
    signal("TERM", run.record()["pid"].as_u64().unwrap());
    run.wait_for_state("stopped");
}

/// Waits until a process is stopped, not ended.
fn wait_for_the_stop(pid: u32) {
    wait_for("the stop", || {
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .unwrap()
            .contains(") T ")
    });
}

#[test]
fn suspended_dashboard_gives_the_terminal_back_and_comes_again() {
    let place = two_runs();
    let mut dashboard = open_on_both(&place, 80);
    let pid = dashboard.process_id();
    // By its key, and by another process's signal.
    for by_key in [true, false] {
        if by_key {
            dashboard.press("\x1a");
        } else {
            signal("TSTP", pid.into());
        }
        wait_for_the_stop(pid);
        dashboard.wait_for_a_sane_terminal();
        signal("CONT", pid.into());
        dashboard.press("?");
        dashboard.wait("the help", |screen| {
            screen.contains("Help") && screen.contains("Start a training run")
        });
        assert!(dashboard.has_the_terminal());
        dashboard.press("\x1b");
        // Sent together, the two would be Alt-q.
        dashboard.wait("the list", |screen| {
            !screen.contains("Start a training run")
        });
    }
    dashboard.press("q");
    assert!(dashboard.end().success());
    assert!(dashboard.left_a_sane_terminal());
}

#[test]
fn a_dashboard_that_was_stopped_without_notice_takes_the_terminal_again() {
    let place = two_runs();
    let mut dashboard = open_on_both(&place, 80);
    let pid = dashboard.process_id();
    signal("STOP", pid.into());
    wait_for_the_stop(pid);
    // What a shell does that finds its job stopped.
    dashboard.reset_terminal();
    assert!(dashboard.left_a_sane_terminal());
    signal("CONT", pid.into());
    dashboard.wait("both runs again", |screen| screen.contains("61.50 @2"));
    assert!(dashboard.has_the_terminal());
    dashboard.press("q");
    assert!(dashboard.end().success());
    assert!(dashboard.left_a_sane_terminal());
}
