//! The framing of the log of `LevelDB`: blocks of pieces, which together make records.

/// What a file begins with, and how long its header is.
pub const MAGIC: &[u8] = b":W&B";
const HEADER: u64 = 7;

/// A block of the log; counted from the file's start.
pub const BLOCK: u64 = 32 << 10;
/// A checksum, a length and a type.
pub const PIECE_HEADER: usize = 7;

/// A record that is longer is damage.
const MAX_RECORD_BYTES: usize = 64 << 20;

/// Cuts the bytes of a file into records.
#[derive(Debug, Default)]
pub struct Log {
    /// How many bytes of the file were read.
    at: u64,
    /// The pieces of a record that continues in the next block.
    pieces: Vec<u8>,
    is_foreign: bool,
}

impl Log {
    /// Hands over each whole record, and says how many bytes these and their parts took.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> u64 {
        let mut used = 0_usize;
        if self.at == 0 {
            if (bytes.len() as u64) < HEADER {
                return 0;
            }
            self.is_foreign = !bytes.starts_with(MAGIC);
            (self.at, used) = (HEADER, HEADER as usize);
        }
        if self.is_foreign {
            return bytes.len() as u64;
        }
        loop {
            let left = (BLOCK - self.at % BLOCK) as usize;
            if left < PIECE_HEADER {
                if used + left > bytes.len() {
                    break;
                }
                self.at += left as u64;
                used += left;
                continue;
            }
            let Some(header) = bytes.get(used..used + PIECE_HEADER) else {
                break;
            };
            let length = usize::from(u16::from_le_bytes([header[4], header[5]]));
            let kind = header[6];
            let whole = PIECE_HEADER + length;
            if kind == 0 || kind > 4 || whole > left {
                // Zeros, or damage: the next block begins with a whole piece.
                if used + left > bytes.len() {
                    break;
                }
                self.pieces.clear();
                self.at += left as u64;
                used += left;
                continue;
            }
            let Some(data) = bytes.get(used + PIECE_HEADER..used + whole) else {
                break;
            };
            self.piece(kind, data, each);
            self.at += whole as u64;
            used += whole;
        }
        used as u64
    }

    fn piece(&mut self, kind: u8, data: &[u8], each: &mut dyn FnMut(&[u8])) {
        match kind {
            1 => each(data),
            2 => {
                self.pieces.clear();
                self.pieces.extend_from_slice(data);
            }
            _ if self.pieces.len() + data.len() > MAX_RECORD_BYTES => self.pieces.clear(),
            3 => self.pieces.extend_from_slice(data),
            _ => {
                self.pieces.extend_from_slice(data);
                each(&std::mem::take(&mut self.pieces));
            }
        }
    }
}
