//! How a run ended whose process did not say so itself, and the word about it in its record and
//! log.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use jiff::Timestamp;
use signal_hook::consts::{SIGINT, SIGKILL, SIGTERM};

use traintop_disk::write::open_append;
use traintop_run::log_tail::LogTail;
use traintop_run::record::{Exit, RecordError};
use traintop_run::{Record, RunDir, State};

/// Longer last words of a worker are cut.
const MAX_LENGTH: usize = 400;

/// The reason of a run whose worker was still loading when it was stopped.
pub(super) const BEFORE_FIRST_STEP: &str = "stopped before its first step";

/// The end of a worker that did not say itself how it ended. `out_of_memory` says that the system
/// killed a process meanwhile.
pub(super) fn judge(
    status: ExitStatus,
    words: Option<String>,
    out_of_memory: bool,
) -> (State, Exit) {
    let ended = match (status.code(), status.signal()) {
        (Some(code), _) => format!("the worker ended with exit code {code}"),
        (None, Some(signal)) => {
            let name = signal_hook::low_level::signal_name(signal)
                .map_or_else(|| format!("signal {signal}"), str::to_owned);
            format!("{name} ended the worker")
        }
        (None, None) => "the worker ended".to_owned(),
    };
    let words = words.map_or_else(String::new, |words| format!(": {words}"));
    let (state, reason) = match (status.code(), status.signal()) {
        // A shell's and a loader's code for a program or library that is not there.
        (Some(127), _) => (
            State::Failed,
            format!("{ended}{words}; run `make setup` to make its libraries"),
        ),
        (_, Some(SIGTERM | SIGINT)) => (State::Stopped, BEFORE_FIRST_STEP.to_owned()),
        (_, Some(SIGKILL)) if out_of_memory => (
            State::Failed,
            "the system killed the worker, because memory ran out".to_owned(),
        ),
        // What it last printed has nothing to do with it.
        (_, Some(SIGKILL)) => (
            State::Failed,
            // In other words than those of a memory that did run out: a cause is recognised by
            // them.
            format!("{ended}: by a user, or by the system for lack of memory"),
        ),
        _ => (State::Failed, format!("{ended}{words}")),
    };
    let exit = Exit {
        code: status.code(),
        signal: status.signal(),
        reason: Some(reason),
    };
    (state, exit)
}

/// The end of a user's command, which writes no record: it has finished if its exit code is 0 and
/// no stop was requested.
pub(super) fn judge_command(
    status: ExitStatus,
    words: Option<String>,
    is_asked: bool,
    out_of_memory: bool,
) -> (State, Exit) {
    let exit = |reason| Exit {
        code: status.code(),
        signal: status.signal(),
        reason,
    };
    match (status.code(), status.signal()) {
        _ if is_asked && !out_of_memory => (State::Stopped, exit(None)),
        (Some(0), _) => (State::Finished, exit(None)),
        (Some(code), _) => {
            let words = words.map_or_else(String::new, |words| format!(": {words}"));
            let reason = format!("the command ended with exit code {code}{words}");
            (State::Failed, exit(Some(reason)))
        }
        (None, Some(SIGTERM | SIGINT)) => {
            let reason = "a signal of a user ended it".to_owned();
            (State::Stopped, exit(Some(reason)))
        }
        _ => judge(status, words, out_of_memory),
    }
}

/// The last line of the worker's output that says something.
pub(super) fn last_words(dir: &RunDir) -> Option<String> {
    let mut output = LogTail::open(dir.worker_out(), 200);
    output.poll().ok()?;
    last_meaningful(&output.lines())
}

/// The line that says `error:`, as a program does that was called wrongly, before it prints its
/// usage; else the last that is neither empty nor an advice or a stack frame printed behind the
/// message.
pub(super) fn last_meaningful(lines: &[String]) -> Option<String> {
    let is_trailer =
        |line: &str| line.is_empty() || line.starts_with("note: ") || line.starts_with("frame #");
    let mut lines = lines.iter().map(|line| line.trim());
    let reported = lines.clone().rfind(|line| line.starts_with("error: "));
    let line = reported.or_else(|| lines.rfind(|line| !is_trailer(line)))?;
    Some(line.chars().take(MAX_LENGTH).collect())
}

/// Marks a run ended and adds the reason to its log.
pub(super) fn mark_ended(dir: &RunDir, state: State, exit: Exit) -> Result<(), RecordError> {
    let Some(mut record) = Record::load(dir)? else {
        return Ok(());
    };
    let now = Timestamp::now();
    record.state = state;
    record.ended_at = Some(now);
    if let Some(reason) = &exit.reason {
        let stamp = now
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S");
        let line = format!("[{stamp}] {reason}\n");
        let log = dir
            .refuse_links()
            .and_then(|()| open_append(&dir.training_log()));
        // The record says it too; a log that cannot be written must not hide it.
        let _ = log.and_then(|mut log| io::Write::write_all(&mut log, line.as_bytes()));
    }
    record.exit = Some(exit);
    record.save(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Zoned;
    use std::fs;
    use traintop_run::layout;
    use traintop_run::process::Process;

    #[test]
    fn loader_line_becomes_the_reason_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let dir = layout::create(folder.path(), &Zoned::now()).unwrap();
        let loader = "traintop-worker: error while loading shared libraries: libtorch_cpu.so: cannot open shared object file";
        fs::write(dir.worker_out(), format!("{loader}\n\n")).unwrap();
        let (state, exit) = judge(ExitStatus::from_raw(127 << 8), last_words(&dir), false);
        let reason = exit.reason.clone().unwrap();
        assert!(
            reason.contains(loader) && reason.contains("make setup"),
            "{reason}"
        );
        Record::new(
            &dir,
            "a".to_owned(),
            Process::current(),
            Vec::new(),
            Timestamp::now(),
        )
        .save(&dir)
        .unwrap();
        mark_ended(&dir, state, exit).unwrap();
        let record = Record::load(&dir).unwrap().unwrap();
        assert_eq!(
            (record.state, record.exit.unwrap().code),
            (State::Failed, Some(127))
        );
    }

    #[test]
    fn every_kind_of_end_has_its_state_and_sentence() {
        let cases = [
            (
                1 << 8,
                "boom",
                State::Failed,
                "the worker ended with exit code 1: boom",
            ),
            (0, "", State::Failed, "the worker ended with exit code 0"),
            (
                15,
                "loading",
                State::Stopped,
                "stopped before its first step",
            ),
            (
                9,
                "epoch 3",
                State::Failed,
                "SIGKILL ended the worker: by a user, or by the system for lack of memory",
            ),
            (
                11,
                "epoch 3",
                State::Failed,
                "SIGSEGV ended the worker: epoch 3",
            ),
        ];
        for (raw, words, state, reason) in cases {
            let words = Some(words.to_owned()).filter(|words| !words.is_empty());
            let (judged, exit) = judge(ExitStatus::from_raw(raw), words, false);
            assert_eq!((judged, exit.reason.as_deref()), (state, Some(reason)));
        }
    }

    #[test]
    fn a_users_command_has_finished_when_it_says_0_and_nobody_stopped_it() {
        let cases = [
            (0, false, State::Finished),
            (0, true, State::Stopped),
            (1 << 8, true, State::Stopped),
            (3 << 8, false, State::Failed),
            (15, false, State::Stopped),
            (9, true, State::Stopped),
            (11, false, State::Failed),
        ];
        for (raw, is_asked, expected) in cases {
            let (state, exit) = judge_command(ExitStatus::from_raw(raw), None, is_asked, false);
            assert_eq!(state, expected, "{raw}");
            assert!(state != State::Failed || exit.reason.is_some());
        }
    }

    #[test]
    fn last_words_are_the_message_and_not_what_trails_behind_it() {
        let cases: [(&[&str], Option<&str>); 5] = [
            (&[], None),
            (&["epoch 1", "no space left", " "], Some("no space left")),
            (
                &[
                    "thread 'main' panicked at src/x.rs:1:2:",
                    "labels are wrong",
                    "note: run with `RUST_BACKTRACE=1`",
                ],
                Some("labels are wrong"),
            ),
            (
                &["shapes differ", "frame #0: a", "frame #1: b"],
                Some("shapes differ"),
            ),
            (
                &[
                    "error: unrecognized subcommand 'evaluate'",
                    "",
                    "For more information, try '--help'.",
                ],
                Some("error: unrecognized subcommand 'evaluate'"),
            ),
        ];
        for (lines, words) in cases {
            let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(last_meaningful(&lines).as_deref(), words);
        }
    }
}
