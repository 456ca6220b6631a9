//! Large files: some threads read and parse pieces of them ahead, while the calling one takes in
//! what they have, in order. Each piece stays in a processor's cache from the disk's pages to the
//! numbers, and no more than a few are held at a time.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::block::{Block, Parser, Shape, Threads};
use super::limits::Limits;

/// Pieces that a thread may be ahead by.
const AHEAD: usize = 4;

/// Complete lines, and what polars makes of them.
struct Piece {
    lines: Vec<u8>,
    block: Option<Block>,
    /// Whether no piece follows: the file ended, or a line is too long to be one.
    is_last: bool,
}

/// Passes on the complete lines of `file` from `start`, where a line begins, to `end`, in order: as
/// they are, and parsed where they are rows of numbers of this shape. Returns the offset up to
/// which they were passed on: earlier than the last line end where a line is too long.
pub fn read(
    file: &File,
    (start, end): (u64, u64),
    shape: Shape,
    limits: Limits,
    take: &mut dyn FnMut(&[u8], Option<Block>),
) -> io::Result<u64> {
    let count = end.saturating_sub(start).div_ceil(limits.parallel_piece);
    let threads = Threads::take(count as usize);
    thread::scope(|scope| {
        let shares: Vec<Receiver<io::Result<Piece>>> = (0..threads.count() as u64)
            .map(|first| {
                let (sender, receiver) = sync_channel(AHEAD);
                let every = threads.count();
                let parser = Parser::new(shape);
                scope.spawn(move || {
                    let numbers = (first..count).step_by(every);
                    work(file, (start, end), numbers, &parser, limits, &sender);
                });
                receiver
            })
            .collect();
        let mut at = start;
        for number in 0..count as usize {
            // A thread that ended early has put the error into its last piece, which comes before
            // this one.
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
        // The other threads see that the receivers are gone.
        drop(shares);
        Ok(at)
    })
}

fn work(
    file: &File,
    (start, end): (u64, u64),
    numbers: impl Iterator<Item = u64>,
    parser: &Parser,
    limits: Limits,
    sender: &SyncSender<io::Result<Piece>>,
) {
    for number in numbers {
        let from = start + number * limits.parallel_piece;
        let to = (from + limits.parallel_piece).min(end);
        let piece = lines_from(file, (from, to), number == 0, end, limits);
        let piece = piece.map(|(lines, is_last)| Piece {
            block: parser.parse(&lines),
            lines,
            is_last,
        });
        if sender.send(piece).is_err() {
            return;
        }
    }
}

/// The lines that begin from `from` to before `to`, to the end of each, and whether they are the
/// last that can be read so.
fn lines_from(
    file: &File,
    (from, to): (u64, u64),
    is_first: bool,
    end: u64,
    limits: Limits,
) -> io::Result<(Vec<u8>, bool)> {
    // The byte before shows whether a line begins right at the start.
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
        is_last = read_to_line_end(file, &mut bytes, to, end, limits)?;
    }
    if is_last {
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |line_end| line_end + 1);
        bytes.truncate(whole);
    }
    Ok((bytes, is_last))
}

/// Reads on from `at` until the last line ends; says whether that could not be found.
fn read_to_line_end(
    file: &File,
    bytes: &mut Vec<u8>,
    at: u64,
    end: u64,
    limits: Limits,
) -> io::Result<bool> {
    let held = bytes.len();
    loop {
        let known = bytes.len();
        let from = at + (known - held) as u64;
        let room = limits.beyond.min(end.saturating_sub(from) as usize);
        if room == 0 || known - held > limits.line {
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

    fn handed_over(text: &[u8], limits: Limits) -> (Vec<u8>, u64) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut lines = Vec::new();
        let end = read(
            &file,
            (0, text.len() as u64),
            Shape {
                columns: 2,
                separator: b',',
            },
            limits,
            &mut |bytes, block| {
                assert_eq!(bytes.last(), Some(&b'\n'));
                if let Some(block) = block {
                    assert_eq!(block.rows(), memchr::memchr_iter(b'\n', bytes).count());
                }
                lines.extend_from_slice(bytes);
            },
        );
        (lines, end.unwrap())
    }

    #[test]
    fn a_line_that_is_too_long_ends_it_before_that_line() {
        for limits in [Limits::small(), Limits::default()] {
            let mut text = b"1,2\n".repeat(1000);
            let before = text.len();
            text.extend(vec![
                b'7';
                2 * limits.line + 3 * limits.parallel_piece as usize
            ]);
            text.extend(b"\n3,4\n");
            let (lines, end) = handed_over(&text, limits);
            assert!(end as usize <= before && lines == text[..end as usize]);
        }
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
            let (lines, end) = handed_over(&text, Limits::small());
            prop_assert_eq!(end as usize, whole);
            prop_assert_eq!(&lines, &text[..whole]);
        }
    }
}
