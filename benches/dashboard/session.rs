//! The dashboard in a pseudo-terminal, with the time of every byte it writes.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// No bytes for this long: the screen has settled.
const QUIET: Duration = Duration::from_millis(120);
/// A session that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(30);

/// What one key press cost.
pub struct Press {
    /// From the key's write to the last byte before the screen fell quiet.
    pub settled: Duration,
    /// Bytes written in answer.
    pub bytes: usize,
}

pub struct Session {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    chunks: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    started: Instant,
    // Closing it would hang up the terminal.
    _master: Box<dyn MasterPty + Send>,
}

impl Session {
    /// Starts the dashboard on `root`, with its cache and state below `home`.
    pub fn start(root: &Path, home: &Path, columns: u16, rows: u16) -> Self {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pty = native_pty_system()
            .openpty(size)
            .expect("a pseudo-terminal can be opened");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_traintop"));
        command.arg(root);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        for (name, folder) in [
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "config"),
        ] {
            command.env(name, home.join(folder));
        }
        let started = Instant::now();
        let child = pty
            .slave
            .spawn_command(command)
            .expect("the dashboard starts");
        drop(pty.slave);
        let mut reader = pty
            .master
            .try_clone_reader()
            .expect("the terminal can be read");
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender
                    .send((Instant::now(), buffer[..count].to_vec()))
                    .is_err()
                {
                    return;
                }
            }
        });
        let writer = pty
            .master
            .take_writer()
            .expect("the terminal can be written to");
        Self {
            child,
            writer,
            chunks,
            parser: vt100::Parser::new(rows, columns, 0),
            started,
            _master: pty.master,
        }
    }

    /// Time from the start until the rendered screen first satisfies `ready`.
    pub fn until(&mut self, ready: impl Fn(&str) -> bool) -> Duration {
        loop {
            let Ok((at, bytes)) = self.chunks.recv_timeout(DEADLINE) else {
                panic!(
                    "the screen never became ready:
{}",
                    self.parser.screen().contents()
                );
            };
            self.parser.process(&bytes);
            if ready(&self.parser.screen().contents()) {
                return at - self.started;
            }
        }
    }

    /// Waits until nothing more is written; returns when the last byte came (if any did) and how
    /// many there were.
    pub fn settle(&mut self) -> (Option<Instant>, usize) {
        let (mut last, mut count) = (None, 0);
        loop {
            match self.chunks.recv_timeout(QUIET) {
                Ok((at, bytes)) => {
                    self.parser.process(&bytes);
                    last = Some(at);
                    count += bytes.len();
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return (last, count);
                }
            }
        }
    }

    /// Time from the start until the screen has settled.
    pub fn settled_since_start(&mut self) -> Duration {
        let (last, _) = self.settle();
        last.map_or(Duration::ZERO, |last| last - self.started)
    }

    /// Presses keys and does not wait for an answer.
    pub fn send(&mut self, keys: &[u8]) {
        self.writer
            .write_all(keys)
            .expect("the terminal takes keys");
        self.writer.flush().expect("the terminal takes keys");
    }

    /// Milliseconds from a key to a screen that satisfies `ready`.
    pub fn time(&mut self, key: &[u8], ready: impl Fn(&str) -> bool) -> f64 {
        let before = self.started.elapsed();
        self.send(key);
        self.until(ready).saturating_sub(before).as_secs_f64() * 1e3
    }

    /// Presses these keys in turn, one each `every`, for `span`: the frames a second that come
    /// meanwhile.
    pub fn hold(&mut self, keys: &[&str], every: Duration, span: Duration) -> f64 {
        /// What each frame begins with.
        const FRAME: &[u8] = b"\x1b[?2026h";
        self.drain();
        let (begun, mut written) = (Instant::now(), Vec::new());
        for key in keys.iter().cycle() {
            if begun.elapsed() >= span {
                break;
            }
            self.send(key.as_bytes());
            let next = Instant::now() + every;
            while let Ok((_, bytes)) = self
                .chunks
                .recv_timeout(next.saturating_duration_since(Instant::now()))
            {
                self.parser.process(&bytes);
                written.extend_from_slice(&bytes);
            }
        }
        let took = begun.elapsed();
        let frames = written
            .windows(FRAME.len())
            .filter(|window| *window == FRAME)
            .count();
        frames as f64 / took.as_secs_f64()
    }

    /// What the screen shows now.
    pub fn screen(&mut self) -> String {
        self.drain();
        self.parser.screen().contents()
    }

    /// Takes in what has been written until now.
    fn drain(&mut self) {
        while let Ok((_, bytes)) = self.chunks.try_recv() {
            self.parser.process(&bytes);
        }
    }

    pub fn press(&mut self, key: &[u8]) -> Press {
        let pressed = Instant::now();
        self.send(key);
        let (last, bytes) = self.settle();
        Press {
            settled: last.map_or(Duration::ZERO, |last| last - pressed),
            bytes,
        }
    }

    /// What is written by itself after a key: the next that comes, until the screen falls quiet.
    pub fn answer(&mut self) -> Press {
        let waiting = Instant::now();
        let Ok((_, bytes)) = self.chunks.recv_timeout(DEADLINE) else {
            panic!("nothing followed:\n{}", self.parser.screen().contents());
        };
        self.parser.process(&bytes);
        let (last, count) = self.settle();
        Press {
            settled: last.map_or(Duration::ZERO, |last| last - waiting),
            bytes: bytes.len() + count,
        }
    }

    /// Bytes written and processor time used while nothing is touched for `span`.
    pub fn idle(&mut self, span: Duration) -> (usize, Duration) {
        let before = self.processor_time();
        let end = Instant::now() + span;
        let mut bytes = 0;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            if let Ok((_, chunk)) = self.chunks.recv_timeout(left) {
                bytes += chunk.len();
                self.parser.process(&chunk);
            }
        }
        (bytes, self.processor_time().saturating_sub(before))
    }

    /// Time this process has spent on processors, all threads together (nanosecond counters of the
    /// scheduler).
    fn processor_time(&self) -> Duration {
        let tasks = std::fs::read_dir(self.proc("task")).expect("the dashboard is alive");
        let nanoseconds = tasks.flatten().map(|task| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            text.split(' ')
                .next()
                .and_then(|word| word.parse::<u64>().ok())
                .unwrap_or(0)
        });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).expect("the dashboard is alive");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .expect("Linux states VmRSS");
        let kibibytes: u64 = line
            .split_whitespace()
            .nth(1)
            .and_then(|word| word.parse().ok())
            .expect("VmRSS is a number");
        kibibytes * 1024
    }

    fn proc(&self, file: &str) -> String {
        format!(
            "/proc/{}/{file}",
            self.child.process_id().expect("the dashboard is alive")
        )
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.writer.write_all(b"q");
        let _ = self.writer.flush();
        // What it still writes must be read, or it could not end.
        while self.chunks.recv_timeout(Duration::from_secs(2)).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
