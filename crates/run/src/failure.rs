//! Why a run ended that did not reach its end: exit code or signal, the last traceback and the
//! system's messages, reduced to a few words by which runs can be grouped, and a sentence.

use serde::{Deserialize, Serialize};

use super::layout::RunDir;
use super::log_tail::LogTail;
use super::record::Exit;
use super::state::State;
use traintop_text::clean;

/// Lines of a log that are searched.
const LINES: usize = 200;
/// Longer sentences are cut.
const MAX_LENGTH: usize = 300;

/// Stands in the reason of a run that was stopped because its time was over.
pub const TIME_LIMIT: &str = "time limit";

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// In a few words, the same for all runs that ended so: `CUDA out of memory`, `no space`,
    /// `ValueError`, `SIGSEGV`.
    pub what: String,
    /// The sentence or line that says so.
    pub detail: String,
}

impl Failure {
    /// Whether it says little more than that the run did not reach its end.
    pub fn is_vague(&self) -> bool {
        let what = self.what.as_str();
        what.starts_with(EXIT_CODE) || [ERROR, PROCESS_GONE].contains(&what)
    }
}

const EXIT_CODE: &str = "exit code ";
const ERROR: &str = "error";
const PROCESS_GONE: &str = "process gone";

/// Words that show a cause anywhere in a line, in lower case; the first that is found counts.
const CAUSES: [(&str, &[&str]); 10] = [
    (TIME_LIMIT, &["at its time limit", "due to time limit"]),
    ("preempted", &["was preempted by", "due to preemption"]),
    ("node failure", &["the node of job", "due to node failure"]),
    ("unknown to slurm", &["slurm no longer knows"]),
    (
        "CUDA out of memory",
        &[
            "cuda out of memory",
            "cuda error: out of memory",
            "cuda.outofmemoryerror",
            "torch.outofmemoryerror",
            "cublas_status_alloc_failed",
        ],
    ),
    (
        "out of memory",
        &[
            "because memory ran out",
            "its memory ran out",
            // Slurm where it watches the memory without control groups; the job's state is then
            // FAILED.
            "exceeded memory limit",
            "exceeded job memory limit",
            "can't allocate memory",
            "cannot allocate memory",
            "std::bad_alloc",
            "memoryerror",
            "oom-kill",
        ],
    ),
    (
        "no space",
        &[
            "no space left on device",
            "disk quota exceeded",
            "(os error 28)",
            "(os error 122)",
        ],
    ),
    (
        "NaN",
        &[
            "loss became nan",
            "loss became inf",
            "loss became -inf",
            "loss is nan",
            "nan loss",
            "loss is inf",
        ],
    ),
    (
        "CUDA error",
        &["cuda error", "cudnn_status", "cublas_status"],
    ),
    (
        "library missing",
        &[
            "error while loading shared libraries",
            "modulenotfounderror",
            "importerror",
        ],
    ),
];

/// How many of them, from the first, are acts of a scheduler.
const OF_A_SCHEDULER: usize = 3;

/// Why the run in `dir` ended; `None` unless it failed, is lost, or was stopped because its time
/// was over or by a scheduler.
pub fn read(
    dir: &RunDir,
    state: State,
    reason: Option<&str>,
    exit: Option<&Exit>,
) -> Option<Failure> {
    if state == State::Stopped {
        let reason = reason?;
        let scheduler = &CAUSES[..OF_A_SCHEDULER];
        let known = scheduler.iter().find(|(_, words)| says(reason, words));
        let is_limit = reason.contains(TIME_LIMIT).then_some(TIME_LIMIT);
        return is_limit
            .or(known.map(|(what, _)| *what))
            .map(|what| Failure {
                what: what.to_owned(),
                detail: cut(reason),
            });
    }
    if !matches!(state, State::Failed | State::Lost) {
        return None;
    }
    let tail = |path| {
        let mut log = LogTail::open(path, LINES);
        // What cannot be read says nothing.
        let _ = log.poll();
        log.lines()
    };
    let (output, log) = (tail(dir.worker_out()), tail(dir.training_log()));
    Some(of(state, reason, exit, &output, &log))
}

/// The cause, from the reason in the record, how the process ended, and the ends of the run's
/// output and log.
pub fn of(
    state: State,
    reason: Option<&str>,
    exit: Option<&Exit>,
    output: &[String],
    log: &[String],
) -> Failure {
    let lines = || {
        output
            .iter()
            .rev()
            .chain(log.iter().rev())
            .map(String::as_str)
    };
    let cause = |what: &str, detail: &str| Failure {
        what: what.to_owned(),
        detail: cut(detail),
    };
    // What the record says of this end comes before what the logs may still say of an earlier one.
    let known = |line: &str| CAUSES.iter().find(|(_, words)| says(line, words));
    if let Some((what, line)) = reason.and_then(|reason| Some((known(reason)?.0, reason))) {
        return cause(what, line);
    }
    for (what, words) in CAUSES {
        if let Some(line) = last_attempt(lines()).find(|line| says(line, words)) {
            return cause(what, line);
        }
    }
    if let Some((name, line)) = exception(output).or_else(|| exception(log)) {
        return cause(name, line);
    }
    let detail = reason.unwrap_or("nothing says why");
    let signal = exit.and_then(|exit| exit.signal);
    if let Some(signal) = signal {
        let name = signal_hook::low_level::signal_name(signal);
        return cause(
            &name.map_or_else(|| format!("signal {signal}"), str::to_owned),
            detail,
        );
    }
    match (state, exit.and_then(|exit| exit.code)) {
        (State::Lost, _) => cause(PROCESS_GONE, detail),
        // What a program says that ends itself by a sentence is no crash: it was given something
        // that it does not take.
        (_, Some(1)) if reason.is_some_and(|reason| !reason.contains("exit code")) => {
            cause(ERROR, detail)
        }
        (_, Some(code)) => cause(&format!("{EXIT_CODE}{code}"), detail),
        (_, None) => cause(ERROR, detail),
    }
}

fn says(line: &str, words: &[&str]) -> bool {
    let line = line.to_lowercase();
    words.iter().any(|word| line.contains(word))
}

/// Whether a line of any program names a fault by itself.
pub(super) fn names_fault(line: &str) -> bool {
    let is_end_of_time = |what: &str| what == TIME_LIMIT;
    CAUSES
        .iter()
        .filter(|(what, _)| !is_end_of_time(what))
        .any(|(_, words)| says(line, words))
}

/// Lines from the end back to where this attempt began: output from before a resume does not
/// explain the end.
fn last_attempt<'a>(lines: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    lines.take_while(|line| !line.contains("] resumed in epoch "))
}

/// The name and the line of the last exception of Python, or of a panic of Rust.
fn exception(lines: &[String]) -> Option<(&str, &str)> {
    let begins = lines
        .iter()
        .rposition(|line| line.starts_with("Traceback (most recent call last)"))?;
    // The exception follows the indented frames.
    let line = lines[begins + 1..]
        .iter()
        .find(|line| !line.is_empty() && !line.starts_with(' ') && !line.starts_with('['))?;
    let name = line.split([':', ' ']).next()?;
    let name = name.rsplit('.').next()?;
    let is_name = name
        .chars()
        .all(|char| char.is_alphanumeric() || char == '_');
    (is_name && !name.is_empty()).then_some((name, line.as_str()))
}

fn cut(text: &str) -> String {
    let text = clean(text.trim());
    text.chars().take(MAX_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[derive(serde::Deserialize)]
    struct Ends {
        ends: Vec<End>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct End {
        #[serde(default)]
        is_lost: bool,
        reason: Option<String>,
        exit_code: Option<i32>,
        signal: Option<i32>,
        #[serde(default)]
        output: String,
        what: String,
        detail: Option<String>,
    }

    #[test]
    fn every_kind_of_end_has_its_word() {
        let all: Ends = toml::from_str(include_str!("failure_tests.toml")).unwrap();
        for end in all.ends {
            let state = if end.is_lost {
                State::Lost
            } else {
                State::Failed
            };
            let exit = Exit {
                code: end.exit_code,
                signal: end.signal,
                reason: None,
            };
            let exit = (exit != Exit::default()).then_some(exit);
            let reason = end.reason.as_deref();
            let found = of(state, reason, exit.as_ref(), &lines(&end.output), &[]);
            assert_eq!(found.what, end.what, "{found:?}");
            assert!(!found.detail.is_empty(), "{end:?}");
            if let Some(detail) = end.detail {
                assert_eq!(found.detail, detail);
            }
        }
    }

    #[test]
    fn what_ended_an_earlier_attempt_is_not_blamed_for_this_one() {
        let log = lines(
            "[2026-11-24 10:00:00] failed: x: No space left on device\n[2026-11-24 11:00:00] resumed in epoch 3 after 0 of its 8 steps\n",
        );
        let exit = Exit {
            signal: Some(9),
            ..Exit::default()
        };
        let cause = of(
            State::Failed,
            Some("SIGKILL ended the worker"),
            Some(&exit),
            &[],
            &log,
        );
        assert_eq!(cause.what, "SIGKILL");
    }

    #[test]
    fn a_stop_has_one_where_time_was_over_or_a_scheduler_asked() {
        let dir = RunDir::new("/nowhere");
        let read = |reason| read(&dir, State::Stopped, Some(reason), None);
        let cause = read("its time limit of 4h 00m was nearly over").unwrap();
        assert_eq!(cause.what, "time limit");
        assert_eq!(
            read("job 4 was preempted by another").unwrap().what,
            "preempted"
        );
        assert_eq!(read("ended after epoch 3, as asked"), None);
    }

    #[test]
    fn only_runs_that_failed_or_are_lost_have_one() {
        let dir = RunDir::new("/nowhere");
        for state in State::ALL {
            let has_one = matches!(state, State::Failed | State::Lost);
            assert_eq!(read(&dir, state, None, None).is_some(), has_one);
        }
    }
}
