//! The sizes at which reading goes another way: values, so that tests cross every border with small
//! files and the shipped ones too.

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Blocks of this many bytes are worth polars' start.
    pub block: usize,
    /// Large blocks are cut into pieces of this size: what is damaged costs its own piece the
    /// faster way, not the whole block.
    pub piece: usize,
    /// The longest row. A longer line is damage (a power failure leaves zeros by the megabyte), and
    /// is not held in memory.
    pub line: usize,
    /// How much is read at once.
    pub chunk: usize,
    /// Files of at least this many bytes are read in parallel.
    pub parallel: u64,
    /// Bytes of such a file that are read first, to find the form of its rows.
    pub first: usize,
    /// How much of a file a thread reads at a time.
    pub parallel_piece: u64,
    /// Read at a time beyond such a piece's end, until its last line ends.
    pub beyond: usize,
    /// How much of a gzip file is unpacked.
    pub unpacked: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            block: 64 << 10,
            piece: 256 << 10,
            line: 1 << 20,
            chunk: 8 << 20,
            parallel: 2 << 20,
            first: 64 << 10,
            parallel_piece: 256 << 10,
            beyond: 4 << 10,
            unpacked: 4 << 30,
        }
    }
}

#[cfg(test)]
impl Limits {
    /// Random files of a few kilobytes cross all of these.
    pub fn small() -> Self {
        Self {
            block: 4 << 10,
            piece: 8 << 10,
            line: 16 << 10,
            chunk: 64 << 10,
            parallel: 6 << 10,
            first: 4 << 10,
            parallel_piece: 1 << 10,
            beyond: 64,
            unpacked: 1 << 20,
        }
    }
}
