//! Large files: some threads read and parse pieces of them ahead, while the calling one takes in what they have, in order. Each piece
//! stays in a processor's cache from the disk's pages to the numbers, and no more than a few are held at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::block::{Block, Parser, Threads};
use super::reader::LONGEST_LINE;

/// How much of a file a thread reads at a time (less in tests, as in the reader).
const PIECE: u64 = if cfg!(test) { 1 << 10 } else { 256 << 10 };
/// Read at a time beyond a piece's end, until its last line ends.
const BEYOND: usize = if cfg!(test) { 64 } else { 4 << 10 };
/// Pieces that a thread may be ahead by.
const AHEAD: usize = 4;

/// Complete lines, and what polars makes of them.
struct Piece {
    lines: Vec<u8>,
    block: Option<Block>,
    /// Whether nothing can be said of what comes after it: the file ended, or a line is too long to be one.
    is_last: bool,
}

/// Hands over the complete lines of `file` from `start`, where a line begins, to `end`, in order: as they are, and parsed where they are
/// rows of `columns` numbers. Returns the offset up to which they were handed over: earlier than the last line end where a line is too
/// long.
pub fn read(
    file: &File,
    (start, end): (u64, u64),
    columns: usize,
    take: &mut dyn FnMut(&[u8], Option<Block>),
) -> io::Result<u64> {
    let count = end.saturating_sub(start).div_ceil(PIECE);
    let threads = Threads::take(count as usize);
    thread::scope(|scope| {
        let shares: Vec<Receiver<io::Result<Piece>>> = (0..threads.count() as u64)
            .map(|first| {
                let (sender, receiver) = sync_channel(AHEAD);
                let every = threads.count();
                scope.spawn(move || {
                    let numbers = (first..count).step_by(every);
                    work(file, (start, end), numbers, columns, &sender);
                });
                receiver
            })
            .collect();
        let mut at = start;
        for number in 0..count as usize {
            // A thread that ended early has said why in its last piece, which comes before this one.
            let Ok(piece) = shares[number % shares.len()].recv() else {
                break;
            };
            let piece = piece?;
            at += piece.lines.len() as u64;
            if !piece.lines.is_empty() {
                take(&piece.lines, piece.block);
            }
            if piece.is_last {
                break;
            }
        }
        // The others see that nobody listens any more.
        drop(shares);
        Ok(at)
    })
}

fn work(
    file: &File,
    (start, end): (u64, u64),
    numbers: impl Iterator<Item = u64>,
    columns: usize,
    sender: &SyncSender<io::Result<Piece>>,
) {
    let parser = Parser::new(columns);
    for number in numbers {
        let from = start + number * PIECE;
        let piece = lines_from(file, (from, (from + PIECE).min(end)), number == 0, end).map(
            |(lines, is_last)| Piece {
                block: parser.parse(&lines),
                lines,
                is_last,
            },
        );
        if sender.send(piece).is_err() {
            return;
        }
    }
}

/// The lines that begin from `from` to before `to`, to the end of each, and whether they are the last that can be read so.
fn lines_from(
    file: &File,
    (from, to): (u64, u64),
    is_first: bool,
    end: u64,
) -> io::Result<(Vec<u8>, bool)> {
    // The byte before tells whether a line begins right at the start.
    let before = u64::from(!is_first);
    let mut bytes = vec![0; (to - from + before) as usize];
    let read = read_at(file, &mut bytes, from - before)?;
    let is_cut = read < bytes.len();
    bytes.truncate(read);
    if !is_first {
        match memchr::memchr(b'\n', &bytes) {
            Some(line_end) => drop(bytes.drain(..=line_end)),
            // Nothing begins here.
            None => return Ok((Vec::new(), is_cut)),
        }
    }
    let mut is_last = is_cut || to >= end;
    if !is_last && bytes.last().is_some_and(|last| *last != b'\n') {
        is_last = read_to_line_end(file, &mut bytes, to, end)?;
    }
    if is_last {
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |line_end| line_end + 1);
        bytes.truncate(whole);
    }
    Ok((bytes, is_last))
}

/// Reads on from `at` until the last line ends; says whether that could not be found.
fn read_to_line_end(file: &File, bytes: &mut Vec<u8>, at: u64, end: u64) -> io::Result<bool> {
    let held = bytes.len();
    loop {
        let known = bytes.len();
        let from = at + (known - held) as u64;
        let room = BEYOND.min(end.saturating_sub(from) as usize);
        if room == 0 || known - held > LONGEST_LINE {
            return Ok(true);
        }
        bytes.resize(known + room, 0);
        let read = read_at(file, &mut bytes[known..], from)?;
        bytes.truncate(known + read);
        if let Some(line_end) = memchr::memchr(b'\n', &bytes[known..]) {
            bytes.truncate(known + line_end + 1);
            return Ok(false);
        }
        if read < room {
            return Ok(true);
        }
    }
}

/// Fills `bytes` as far as the file goes.
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn handed_over(text: &[u8]) -> (Vec<u8>, u64) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut lines = Vec::new();
        let end = read(&file, (0, text.len() as u64), 2, &mut |bytes, block| {
            assert_eq!(bytes.last(), Some(&b'\n'));
            if let Some(block) = block {
                assert_eq!(block.rows(), memchr::memchr_iter(b'\n', bytes).count());
            }
            lines.extend_from_slice(bytes);
        });
        (lines, end.unwrap())
    }

    #[test]
    fn a_line_that_is_too_long_ends_it_before_that_line() {
        let mut text = b"1,2\n".repeat(1000);
        let before = text.len();
        text.extend(vec![b'7'; 2 * LONGEST_LINE + 3 * PIECE as usize]);
        text.extend(b"\n3,4\n");
        let (lines, end) = handed_over(&text);
        assert!(end as usize <= before && lines == text[..end as usize]);
    }

    proptest! {
        #[test]
        fn every_line_is_handed_over_once_and_in_order(lengths in proptest::collection::vec(0usize..3000, 0..40), ends in any::<bool>()) {
            let mut text = Vec::new();
            for (number, length) in lengths.iter().enumerate() {
                text.extend(std::iter::repeat_n(b'0' + (number % 10) as u8, length / if number % 3 == 0 { 1 } else { 100 }));
                text.push(b'\n');
            }
            if !ends {
                text.pop();
            }
            let whole = memchr::memrchr(b'\n', &text).map_or(0, |line_end| line_end + 1);
            let (lines, end) = handed_over(&text);
            prop_assert_eq!(end as usize, whole);
            prop_assert_eq!(&lines, &text[..whole]);
        }
    }
}
