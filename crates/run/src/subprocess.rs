//! Runs another program, with a timeout.

use std::fmt;
use std::io::{self, Read, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Limit of what is read of each of its streams, in bytes.
const MAX_OUTPUT_BYTES: u64 = 64 << 20;
/// How long to read on after the program has ended: it may have left another with its pipes.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);
/// The shortest and the longest interval between two polls of the process.
const POLL_INTERVALS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(200));

/// The output of a program that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// Whether its exit code is zero.
    pub is_well: bool,
    /// What it printed.
    pub output: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// Why there is no output.
#[derive(Debug)]
pub enum SubprocessError {
    /// It could not be started, or not be waited for.
    Io(io::Error),
    /// It was killed at the timeout. It may have done its work.
    TimedOut(Duration),
}

impl fmt::Display for SubprocessError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Io(cause) => write!(f, "cannot be started ({cause})"),
            Self::TimedOut(timeout) => {
                write!(
                    f,
                    "was ended after {} s without an answer",
                    timeout.as_secs()
                )
            }
        }
    }
}

/// Starts a command, writes `input`, which must fit into a pipe, and waits until it ends, at most
/// `timeout`.
///
/// # Errors
/// If it cannot be started, or has not ended at the timeout; then it is killed.
pub fn run(
    command: &mut Command,
    input: &str,
    timeout: Duration,
) -> Result<Completed, SubprocessError> {
    let until = Instant::now() + timeout;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(SubprocessError::Io)?;
    give(child.stdin.take(), input);
    let output = child.stdout.take().map(Pipe::read);
    let stderr = child.stderr.take().map(Pipe::read);
    let (mut pause, longest) = POLL_INTERVALS;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(SubprocessError::Io)? {
            break status;
        }
        if Instant::now() > until {
            // It may have ended in this moment.
            let _ = child.kill();
            child.wait().map_err(SubprocessError::Io)?;
            return Err(SubprocessError::TimedOut(timeout));
        }
        thread::sleep(pause);
        pause = (2 * pause).min(longest);
    };
    let text = |pipe: Option<Pipe>| pipe.map(Pipe::text).unwrap_or_default();
    Ok(Completed {
        is_well: status.success(),
        output: text(output),
        stderr: text(stderr),
    })
}

fn give(pipe: Option<ChildStdin>, input: &str) {
    if let Some(mut pipe) = pipe {
        // A program need not read its input.
        let _ = pipe.write_all(input.as_bytes());
    }
}

/// What comes out of a program, read by a thread of its own.
struct Pipe {
    read: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Pipe {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let read = Arc::<Mutex<Vec<u8>>>::default();
        let (ended, end) = channel();
        let into = Arc::clone(&read);
        thread::spawn(move || {
            let (mut pipe, mut chunk) = (pipe.take(MAX_OUTPUT_BYTES), [0; 8192]);
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
                into.extend_from_slice(&chunk[..count]);
            }
            let _ = ended.send(());
        });
        Self { read, end }
    }

    fn text(self) -> String {
        let _ = self.end.recv_timeout(OUTPUT_GRACE);
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&read).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, input: &str, timeout: Duration) -> Result<Completed, SubprocessError> {
        run(Command::new("sh").args(["-c", script]), input, timeout)
    }

    #[test]
    fn a_program_gets_its_input_and_is_heard() {
        let completed = shell("cat; echo why >&2; exit 3", "what", LONG).unwrap();
        let expected = Completed {
            is_well: false,
            output: "what".to_owned(),
            stderr: "why\n".to_owned(),
        };
        assert_eq!(completed, expected);
    }

    #[test]
    fn one_that_leaves_its_output_to_another_is_not_waited_for() {
        let completed = shell("echo said; sleep 1000 & exit 0", "", LONG).unwrap();
        assert!(
            completed.is_well && completed.output == "said\n",
            "{completed:?}"
        );
    }

    #[test]
    fn one_that_hangs_is_ended_and_one_that_is_not_there_says_so() {
        let hung = shell("exec sleep 1000", "", Duration::from_millis(10)).unwrap_err();
        assert_eq!(hung.to_string(), "was ended after 0 s without an answer");
        let missing = run(&mut Command::new("/nowhere/at/all"), "", LONG).unwrap_err();
        assert!(missing.to_string().starts_with("cannot be started ("));
    }
}
