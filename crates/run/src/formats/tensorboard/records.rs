//! The framing of `TFRecord`: a length with its checksum, then what is of that length.

/// No scalar takes as much: what is larger is a graph, an image or a histogram, and passed over.
const MAX_EVENT_BYTES: u64 = 1 << 20;

/// Cuts bytes into records.
#[derive(Debug, Default)]
pub struct Records {
    pub is_damaged: bool,
}

impl Records {
    /// Hands over each whole record, and says how many bytes these took; large ones are passed
    /// over.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> u64 {
        let mut at = 0_usize;
        while let Some(header) = bytes.get(at..at + 12) {
            let (length, check) = header.split_at(8);
            if masked_crc(length) != u32::from_le_bytes(check.try_into().expect("four bytes")) {
                self.is_damaged = true;
                return bytes.len() as u64;
            }
            let length = u64::from_le_bytes(length.try_into().expect("eight bytes"));
            let end = (at as u64).saturating_add(length).saturating_add(16);
            if length > MAX_EVENT_BYTES {
                if end >= bytes.len() as u64 {
                    return end;
                }
                at = end as usize;
                continue;
            }
            let (from, to) = (at + 12, at + 12 + length as usize);
            if to + 4 > bytes.len() {
                break;
            }
            each(&bytes[from..to]);
            at = to + 4;
        }
        at as u64
    }
}

/// CRC32-C of each byte.
const CHECKSUMS: [u32; 256] = {
    let mut checksums = [0; 256];
    let mut byte = 0;
    while byte < checksums.len() {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
            bit += 1;
        }
        checksums[byte] = crc;
        byte += 1;
    }
    checksums
};

/// CRC32-C of a record's length, as TFRecord masks it.
pub fn masked_crc(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (crc >> 8) ^ CHECKSUMS[usize::from(crc as u8 ^ byte)]
    });
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}
