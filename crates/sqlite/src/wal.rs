//! The write-ahead log beside a database: newer versions of pages. A frame counts if its checksum,
//! which goes on from frame to frame, is right, and a commit follows or is in it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use foldhash::fast::RandomState;

use super::Error;

pub const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// `SQLite` begins the log anew after about 4 MB, unless readers hold it up.
const LARGEST: u64 = 1 << 30;
const MAGIC: u32 = 0x377f_0682;

/// The pages that were committed.
#[derive(Debug)]
pub struct Wal {
    file: File,
    /// Where the last version of each page is.
    pages: HashMap<u32, u64, RandomState>,
    /// How many pages the database has, as the last commit says.
    pub count: u32,
}

impl Wal {
    /// The highest number of a page that is in it.
    pub fn last_page(&self) -> u32 {
        self.pages.keys().copied().max().unwrap_or(0)
    }

    /// `None` if nothing in it counts.
    pub fn read(file: File, page_size: usize) -> Result<Option<Self>, Error> {
        if file.metadata()?.len() > LARGEST {
            return Err(Error::Unsupported(
                "its write-ahead log has more than 1 GiB",
            ));
        }
        let mut header = [0; HEADER];
        if !filled(&file, &mut header, 0)? {
            return Ok(None);
        }
        let magic = number(&header, 0);
        let is_big_endian = magic == MAGIC | 1;
        let sums = checksum((0, 0), &header[..24], is_big_endian);
        let is_whole = magic & !1 == MAGIC
            && sums == (number(&header, 24), number(&header, 28))
            && number(&header, 8) as usize == page_size;
        if !is_whole {
            return Ok(None);
        }
        let mut wal = Self {
            file,
            pages: HashMap::default(),
            count: 0,
        };
        wal.read_frames(&header, sums, page_size, is_big_endian)?;
        Ok((wal.count > 0).then_some(wal))
    }

    fn read_frames(
        &mut self,
        header: &[u8],
        mut sums: (u32, u32),
        page_size: usize,
        is_big_endian: bool,
    ) -> Result<(), Error> {
        let mut frame = vec![0; FRAME_HEADER + page_size];
        let mut at = HEADER as u64;
        // Since the last commit.
        let mut open: Vec<(u32, u64)> = Vec::new();
        while filled(&self.file, &mut frame, at)? {
            sums = checksum(sums, &frame[..8], is_big_endian);
            sums = checksum(sums, &frame[FRAME_HEADER..], is_big_endian);
            let is_whole =
                frame[8..16] == header[16..24] && sums == (number(&frame, 16), number(&frame, 20));
            if !is_whole {
                break;
            }
            open.push((number(&frame, 0), at + FRAME_HEADER as u64));
            let count = number(&frame, 4);
            if count > 0 {
                self.count = count;
                self.pages.extend(open.drain(..));
            }
            at += frame.len() as u64;
        }
        Ok(())
    }

    /// Reads a page, if the log has it.
    pub fn page(&self, number: u32, page: &mut [u8]) -> io::Result<bool> {
        match self.pages.get(&number) {
            Some(at) => self.file.read_exact_at(page, *at).map(|()| true),
            None => Ok(false),
        }
    }
}

/// Fills `bytes` from an offset on; `false` if the file ends before.
fn filled(file: &File, bytes: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(bytes, at) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

fn checksum(mut sums: (u32, u32), bytes: &[u8], is_big_endian: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let (first, second) = pair.split_at(4);
        let word = |bytes: &[u8]| {
            let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
            if is_big_endian {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            }
        };
        sums.0 = sums.0.wrapping_add(word(first)).wrapping_add(sums.1);
        sums.1 = sums.1.wrapping_add(word(second)).wrapping_add(sums.0);
    }
    sums
}

/// Four bytes that are there, as a number.
fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
