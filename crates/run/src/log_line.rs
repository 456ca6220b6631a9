//! What the lines of a log are: errors, warnings, and all the rest. Lines of any program's log are
//! recognised by how the common loggers and languages write them: Python's `logging`, `warnings`
//! and tracebacks, Rust's panics, glog, C++ and shells.

use super::failure;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Plain,
    Warning,
    /// It says what went wrong.
    Error,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Clean for a terminal.
    pub text: String,
    pub kind: Kind,
}

/// Classifies a log's lines, in order.
#[derive(Debug, Clone, Default)]
pub struct LineClassifier {
    within: OpenBlock,
}

/// What the next line may belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum OpenBlock {
    #[default]
    Nothing,
    /// Frames of Python, indented, and then the exception.
    Traceback,
    /// The line that says where; the next says what.
    Panic,
}

impl LineClassifier {
    /// The next line, with its kind.
    pub fn classify(&mut self, text: String) -> Line {
        let kind = self.kind(&text);
        Line { text, kind }
    }

    fn kind(&mut self, line: &str) -> Kind {
        let body = body(line);
        if body.starts_with("Traceback (most recent call last)") {
            self.within = OpenBlock::Traceback;
            return Kind::Plain;
        }
        match self.within {
            OpenBlock::Traceback if body.is_empty() || body.starts_with([' ', '\t']) => {
                return Kind::Plain;
            }
            OpenBlock::Traceback | OpenBlock::Panic => {
                self.within = OpenBlock::Nothing;
                return Kind::Error;
            }
            OpenBlock::Nothing => {}
        }
        if body.starts_with("thread '") && body.contains("panicked at ") {
            // Before Rust 1.73 the message stood in the same line.
            if body.contains("panicked at '") {
                return Kind::Error;
            }
            self.within = OpenBlock::Panic;
            return Kind::Plain;
        }
        by_itself(line, body)
    }
}

/// A line without its prefix: times, ranks and other words in brackets, such as `[rank0]: ` and
/// `[2026-11-27 04:00:00] `.
pub fn body(line: &str) -> &str {
    let mut body = line;
    while let Some((_, rest)) = bracket(body) {
        body = rest;
    }
    body
}

/// The word in brackets that a text begins with, and what follows it.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    Some((word, rest.strip_prefix(' ').unwrap_or(rest)))
}

fn by_itself(line: &str, body: &str) -> Kind {
    let is_error = |word: &str| matches!(word, "ERROR" | "CRITICAL" | "FATAL");
    let is_warning = |word: &str| matches!(word, "WARNING" | "WARN");
    let words = || body.split(|char: char| !char.is_alphanumeric() && char != '_');
    let levels = || {
        let mut rest = line;
        std::iter::from_fn(move || {
            let (word, after) = bracket(rest)?;
            rest = after;
            Some(word.to_uppercase())
        })
    };
    if words().any(is_error)
        || levels().any(|level| is_error(&level))
        || glog(body).is_some_and(|level| matches!(level, 'E' | 'F'))
        || says(body, &["error: ", "fatal: "])
        || is_exception(body)
        || is_crash(body)
        || failure::names_fault(body)
    {
        Kind::Error
    } else if words().any(is_warning)
        || levels().any(|level| is_warning(&level))
        || glog(body) == Some('W')
        || says(body, &["warning: "])
        || body.contains("Warning: ")
    {
        Kind::Warning
    } else {
        Kind::Plain
    }
}

/// The level of a line of glog: `E1127 04:00:00.123456 17 file.cc:5] text`.
fn glog(body: &str) -> Option<char> {
    let (first, rest) = body.split_once(' ')?;
    let mut chars = first.chars();
    let level = chars.next()?;
    let is_date = first.len() == 5 && chars.all(|char| char.is_ascii_digit());
    (is_date && rest.starts_with(|char: char| char.is_ascii_digit())).then_some(level)
}

/// Whether a line has one of these words as the label of a message: `error: no such file`,
/// `slurmstepd: error: cancelled`. A number after the label is a measurement: `error: 0.25`.
fn says(body: &str, words: &[&str]) -> bool {
    let lower = body.to_ascii_lowercase();
    words.iter().any(|word| {
        lower.match_indices(word).any(|(at, found)| {
            let begins = at == 0 || lower[..at].ends_with(": ");
            begins && !is_figure(&lower[at + found.len()..])
        })
    })
}

/// Whether a line is an exception by its name: `torch.cuda.OutOfMemoryError: ...`, `KeyError: 'x'`.
fn is_exception(body: &str) -> bool {
    let (name, rest) = body.split_once(": ").unwrap_or((body, ""));
    let last = name.rsplit('.').next().unwrap_or(name);
    let kind = ["Error", "Exception"]
        .into_iter()
        .find_map(|kind| last.strip_suffix(kind));
    let is_name = name
        .chars()
        .all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '.');
    kind.is_some_and(|kind| !kind.is_empty()) && is_name && !is_figure(rest)
}

fn is_crash(body: &str) -> bool {
    [
        "Segmentation fault",
        "Aborted (core",
        "terminate called after",
        "Bus error",
    ]
    .iter()
    .any(|crash| body.contains(crash))
        || body == "Killed"
}

fn is_figure(text: &str) -> bool {
    text.trim_start()
        .starts_with(|char: char| char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(lines: &[&str]) -> Vec<Kind> {
        let mut classifier = LineClassifier::default();
        let kinds = lines
            .iter()
            .map(|line| classifier.classify((*line).to_owned()).kind);
        kinds.collect()
    }

    #[test]
    fn a_traceback_ends_in_its_exception() {
        let lines = [
            "epoch 1",
            "[rank0]: Traceback (most recent call last):",
            "[rank0]:   File \"train.py\", line 3, in <module>",
            "[rank0]:     step()",
            "[rank0]: torch.OutOfMemoryError: CUDA out of memory.",
            "epoch 2",
        ];
        let expected = [
            Kind::Plain,
            Kind::Plain,
            Kind::Plain,
            Kind::Plain,
            Kind::Error,
            Kind::Plain,
        ];
        assert_eq!(kinds(&lines), expected);
    }

    #[test]
    fn a_panic_says_what_in_its_second_line() {
        let lines = [
            "thread 'main' (17) panicked at src/main.rs:3:5:",
            "index out of bounds",
            "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
            "thread 'main' panicked at 'old', src/main.rs:3:5",
        ];
        let expected = [Kind::Plain, Kind::Error, Kind::Plain, Kind::Error];
        assert_eq!(kinds(&lines), expected);
    }

    #[test]
    fn errors_and_warnings_are_reported_as_loggers_write_them() {
        let errors = [
            "2026-11-27 04:00:00,123 - train - ERROR - no data",
            "[2026-11-27 04:00:00] ERROR: could not read shard 3",
            "[error] no data",
            "E1127 04:00:00.123456   17 loader.cc:5] no data",
            "error: unexpected argument",
            "slurmstepd: error: *** JOB 12 ON a CANCELLED ***",
            "KeyError: 'x'",
            "RuntimeError: CUDA error: device-side assert triggered",
            "terminate called after throwing an instance of 'c10::Error'",
            "bash: line 1: 17 Segmentation fault      (core dumped)",
            "OSError: [Errno 28] No space left on device",
            "Killed",
        ];
        for line in errors {
            assert_eq!(kinds(&[line]), [Kind::Error], "{line}");
        }
        let warnings = [
            "WARNING:root:slow loader",
            "train.py:7: UserWarning: lr_scheduler.step() was called first",
            "W1127 04:00:00.123456   17 loader.cc:5] slow",
            "[warn] slow",
            "warning: unused",
        ];
        for line in warnings {
            assert_eq!(kinds(&[line]), [Kind::Warning], "{line}");
        }
    }

    #[test]
    fn a_measured_error_is_none() {
        let plain = [
            "val error: 0.25",
            "error: 4.2 %",
            "top-1 error rate 7 %",
            "MeanSquaredError: 0.31",
            "errors are logged to error.log",
            "epoch 3: 0 errors, 0 warnings",
            "Eval 12 done",
            "[2026-11-27 04:00:00] epoch 1/2  train loss 2.25 acc 14.61%",
            "",
        ];
        for line in plain {
            assert_eq!(kinds(&[line]), [Kind::Plain], "{line}");
        }
    }
}
