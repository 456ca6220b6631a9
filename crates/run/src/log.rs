//! A run's log as one reads it: `training.log` and what its process printed, followed together,
//! with the errors in them. Our worker writes its lines to both, and they show once; a traceback,
//! and all that a command of the user's prints, is in the second only.

use std::collections::{HashMap, VecDeque};

use super::layout::RunDir;
use super::log_line::{Kind, Line, LineClassifier, body};
use super::log_tail::LogTail;

/// Lines that are kept.
pub const KEPT: usize = 10_000;
/// Different errors that are kept.
const MAX_ERRORS: usize = 100;
/// Letters of an error that are kept.
const MAX_LENGTH: usize = 300;

/// The last lines of a run's log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// How many lines came before the first of `lines`, so that a place in the log keeps its number
    /// while old lines are let go.
    pub before: u64,
    /// The lines, oldest first.
    pub lines: VecDeque<Line>,
    /// A line whose end is not written yet.
    pub unfinished: Option<Line>,
    /// The errors, each once, that which was last seen first.
    pub errors: Vec<Found>,
}

/// An error in a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What it says.
    pub text: String,
    /// How often.
    pub count: u64,
    /// The number of the last line with it.
    pub line: u64,
}

/// What is new of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct News {
    /// Whether these lines are all, and none of before counts.
    pub anew: bool,
    /// Lines that have been written.
    pub lines: Vec<Line>,
    /// The beginning of the next.
    pub unfinished: Option<Line>,
}

impl Log {
    /// Takes in what is new.
    pub fn take(&mut self, news: News) {
        if news.anew {
            *self = Self::default();
        }
        for line in news.lines {
            if line.kind == Kind::Error {
                self.note(&line.text);
            }
            self.lines.push_back(line);
        }
        let over = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..over);
        self.before += over as u64;
        self.unfinished = news.unfinished;
    }

    fn note(&mut self, line: &str) {
        let text: String = body(line).chars().take(MAX_LENGTH).collect();
        let line = self.before + self.lines.len() as u64;
        // That a command ended with the error which it had printed is no second one.
        let is_same = |found: &Found| {
            let before = text.strip_suffix(&found.text);
            before.is_some_and(|before| before.is_empty() || before.ends_with(": "))
        };
        let found = match self.errors.iter().position(is_same) {
            Some(at) => {
                let mut found = self.errors.remove(at);
                found.count += u64::from(found.text == text);
                found.line = line;
                found
            }
            None => Found {
                text,
                count: 1,
                line,
            },
        };
        self.errors.insert(0, found);
        self.errors.truncate(MAX_ERRORS);
    }

    /// The lines, and the beginning of the next.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.lines.iter().chain(&self.unfinished)
    }
}

/// Reads a run's log, and then what is new of it.
#[derive(Debug)]
pub struct LogReader {
    log: LogTail,
    output: LogTail,
    log_classifier: LineClassifier,
    output_classifier: LineClassifier,
    /// The last lines of the log, to recognise them where the output repeats them.
    bodies: VecDeque<String>,
}

impl LogReader {
    /// Of this run; nothing is read yet.
    pub fn open(dir: &RunDir) -> Self {
        Self {
            log: LogTail::open(dir.training_log(), KEPT),
            output: LogTail::open(dir.worker_out(), KEPT),
            log_classifier: LineClassifier::default(),
            output_classifier: LineClassifier::default(),
            bodies: VecDeque::new(),
        }
    }

    /// What is new since the last time, if anything is. A file that cannot be read is not there
    /// yet.
    pub fn poll(&mut self) -> Option<News> {
        // What the worker says it writes to the log first: in this order, nothing is seen in the
        // output that is not in the log yet.
        let has_output = self.output.poll().unwrap_or(false);
        let has_log = self.log.poll().unwrap_or(false);
        if !has_output && !has_log {
            return None;
        }
        let anew = self.output.is_anew() | self.log.is_anew();
        if anew {
            self.output.again();
            self.log.again();
            self.bodies.clear();
            (self.log_classifier, self.output_classifier) = Default::default();
        }
        let lines = self.joined();
        let unfinished = self.output.unfinished().or_else(|| self.log.unfinished());
        Some(News {
            anew,
            lines,
            unfinished: unfinished.map(|text| Line {
                text,
                kind: Kind::Plain,
            }),
        })
    }

    /// The new lines of both: those of the log, and those that only the output has, each behind the
    /// last that both have.
    fn joined(&mut self) -> Vec<Line> {
        let Self {
            log,
            output,
            log_classifier,
            output_classifier,
            bodies,
        } = self;
        let earlier = bodies.len();
        let mut logged: VecDeque<Line> = VecDeque::new();
        for text in log.news() {
            bodies.push_back(body(&text).to_owned());
            logged.push_back(log_classifier.classify(text));
        }
        let mut lines = Vec::new();
        // The positions of each line, and how many of them are passed.
        let mut places: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (place, text) in bodies.iter().enumerate() {
            places.entry(text).or_default().push_back(place);
        }
        let mut passed = earlier;
        for text in output.news() {
            let Some(places) = places.get_mut(body(&text)) else {
                lines.push(output_classifier.classify(text));
                continue;
            };
            while places.len() > 1 && places[0] < passed {
                places.pop_front();
            }
            let more = (places[0] + 1).saturating_sub(passed);
            lines.extend(logged.drain(..more));
            passed += more;
        }
        lines.extend(logged);
        let over = bodies.len().saturating_sub(KEPT);
        bodies.drain(..over);
        lines
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
