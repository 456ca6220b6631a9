//! Writing a file that has holes with holes again: what is zero is skipped, block by block, and
//! takes nothing on the disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// What file systems allocate at least.
const BLOCK: usize = 4096;

/// Copies all of `from` into an empty file, and returns its length in bytes.
///
/// # Errors
/// If reading or writing fails.
pub fn copy(from: &mut impl Read, to: &mut File) -> io::Result<u64> {
    let mut block = [0; BLOCK];
    let mut length = 0;
    loop {
        let count = super::pack::fill(from, &mut block)?;
        length += count as u64;
        if block[..count].iter().all(|byte| *byte == 0) {
            to.seek(SeekFrom::Start(length))?;
        } else {
            to.write_all(&block[..count])?;
        }
        if count < BLOCK {
            // A hole at the end is none until the file is as long.
            to.set_len(length)?;
            return Ok(length);
        }
    }
}
