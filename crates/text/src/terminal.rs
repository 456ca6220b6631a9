//! The edge to the terminal: all that the programs write to standard output and standard error
//! passes here and is cleaned, so that no caller can forget to.

use std::fmt::Display;
use std::io::{self, Stderr, Stdout, Write};
use std::process::ExitCode;

use super::sanitise::{clean, clean_lines};

/// A line without an end is written in parts of this many bytes.
const MAX_PENDING: usize = 64 * 1024;

/// A writer of text for people: each line is cleaned as by [`super::clean`] before it is written.
/// Bytes that are no text become visible marks.
#[derive(Debug)]
pub struct Cleaned<W: Write> {
    inner: W,
    /// The beginning of a line whose end was not written yet.
    pending: Vec<u8>,
}

impl<W: Write> Cleaned<W> {
    /// Cleans what goes to `inner`.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            pending: Vec::new(),
        }
    }

    /// Hands on the first bytes of what is pending.
    fn hand_on(&mut self, length: usize) -> io::Result<()> {
        let text = String::from_utf8_lossy(&self.pending[..length]);
        let written = self.inner.write_all(clean_lines(&text).as_bytes());
        self.pending.drain(..length);
        written
    }
}

impl<W: Write> Write for Cleaned<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if let Some(end) = memchr::memrchr(b'\n', &self.pending) {
            self.hand_on(end + 1)?;
        }
        if self.pending.len() > MAX_PENDING {
            self.hand_on(whole_characters(&self.pending))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on(whole_characters(&self.pending))?;
        self.inner.flush()
    }
}

/// The length without a character at the end that is not whole yet.
fn whole_characters(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    let lead = tail.iter().rposition(|byte| *byte >= 0xc0);
    let rest = lead.map(|at| &tail[at..]);
    let is_cut =
        |rest: &&[u8]| std::str::from_utf8(rest).is_err_and(|error| error.error_len().is_none());
    bytes.len() - rest.filter(is_cut).map_or(0, <[u8]>::len)
}

/// Standard output, for text.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn output() -> Cleaned<Stdout> {
    Cleaned::new(io::stdout())
}

/// Standard output, for bytes that are no text, or text that is asked for as it is. What goes there
/// must not be for a terminal.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn raw_output() -> Stdout {
    io::stdout()
}

/// Standard error, for bytes that are known to be safe.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn raw_errors() -> Stderr {
    io::stderr()
}

/// Writes any text as one line to standard error. A closed standard error, such as of a closed
/// terminal, is ignored.
pub fn error_line(text: impl Display) {
    error_text(clean(&text.to_string()));
}

/// As [`error_line`], of a text of several lines.
pub fn error_text(text: impl Display) {
    let mut errors = Cleaned::new(raw_errors());
    let _ = writeln!(errors, "{text}").and_then(|()| errors.flush());
}

/// The command line, or the code to exit with, after help or a sentence about what is wrong. Words
/// of a command line may be names of files, put there by a shell's `*`.
///
/// # Errors
/// If there is nothing to do but to exit.
pub fn parse_arguments<T: clap::Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| {
        let text = error.render().to_string();
        if error.use_stderr() {
            error_text(text.trim_end());
        } else {
            let mut output = output();
            let _ = write!(output, "{text}").and_then(|()| output.flush());
        }
        u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
    })
}

/// Has what panics say, which may quote any text, cleaned too.
pub fn clean_panics() {
    let (panics, errors) = color_eyre::config::HookBuilder::default().into_hooks();
    std::panic::set_hook(Box::new(move |panic| {
        error_text(panics.panic_report(panic))
    }));
    // Fails only if there is one already.
    let _ = errors.install();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanitise::is_forbidden;
    use proptest::prelude::*;

    #[test]
    fn lines_are_handed_on_clean_however_they_are_cut() {
        let mut out = Cleaned::new(Vec::new());
        for piece in [
            &b"a\x1b["[..],
            b"31mb\n",
            b"\xc3",
            b"\xa4\xff",
            b"\x1b]52;c;QQ==\x07c",
        ] {
            out.write_all(piece).unwrap();
        }
        assert_eq!(out.inner, b"ab\n");
        out.flush().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.inner), "ab\nä\u{fffd}c");
    }

    proptest! {
        #[test]
        fn nothing_forbidden_passes_and_plain_text_is_not_changed(
            pieces in prop::collection::vec(
                prop_oneof![prop::collection::vec(any::<u8>(), 0..20), ".{0,9}\n?".prop_map(String::into_bytes)], 0..9
            ),
            plain in "[a-zäöü学習\n ]{0,99}",
            cut in 0..99_usize,
        ) {
            let mut out = Cleaned::new(Vec::new());
            for piece in pieces {
                out.write_all(&piece).unwrap();
                out.flush().unwrap();
            }
            let text = String::from_utf8(out.inner).unwrap();
            prop_assert!(!text.chars().any(|char| char != '\n' && is_forbidden(char)), "{text:?}");
            let mut out = Cleaned::new(Vec::new());
            let (first, second) = plain.as_bytes().split_at(cut.min(plain.len()));
            out.write_all(first).unwrap();
            out.flush().unwrap();
            out.write_all(second).unwrap();
            out.flush().unwrap();
            prop_assert_eq!(String::from_utf8(out.inner).unwrap(), plain);
        }
    }
}
