//! The pages of a database: those of its file, and newer ones of the log beside it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use foldhash::fast::RandomState;

use super::wal::{self, Wal};
use super::{Error, damaged};
use traintop_disk::read;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// The database's header, at the start of its first page.
pub const HEADER: usize = 100;
/// Bytes of pages that are kept for the next look at them.
const KEPT: usize = 4 << 20;
/// Bytes of rows beyond those of the file that may be read again.
const SLACK: u64 = 16 << 20;
/// File systems count time in steps: another change within one may leave the time as it is.
const TIME_STEP: Duration = Duration::from_millis(15);

pub type Page = Arc<[u8]>;

#[derive(Debug)]
pub struct Pages {
    path: PathBuf,
    file: File,
    size: usize,
    /// Bytes of a page before what others reserve for themselves.
    pub usable: usize,
    /// How many pages there are.
    pub count: u32,
    wal: Option<Wal>,
    kept: RefCell<HashMap<u32, Page, RandomState>>,
    /// Bytes of rows that were read from pages of their own.
    overflow: Cell<u64>,
    mark: Mark,
}

impl Pages {
    /// `None` if the file is no database.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let file = read::open(path)?;
        let mut header = [0; HEADER];
        match file.read_exact_at(&mut header, 0) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        if !header.starts_with(MAGIC) {
            return Ok(None);
        }
        let mark = Mark::of(path)?;
        if !mark.is_whole {
            return Err(Error::Changing);
        }
        let size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 1 << 16,
            size => usize::from(size),
        };
        let usable = size.saturating_sub(usize::from(header[20]));
        if !size.is_power_of_two() || size < 512 || usable < 480 {
            return damaged("its pages have no size that pages can have");
        }
        if header[19] > 2 {
            return Err(Error::Unsupported("it is of a later version"));
        }
        if header[56..60] != [0, 0, 0, 1] && header[56..60] != [0; 4] {
            return Err(Error::Unsupported("its texts are UTF-16"));
        }
        let wal = if header[19] == 2 {
            match read::open(&beside(path, "-wal")) {
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                file => Wal::read(file?, size)?,
            }
        } else {
            None
        };
        let in_file = u32::try_from(mark.length.div_ceil(size as u64)).unwrap_or(u32::MAX);
        // What the log states may be any number.
        let count = wal
            .as_ref()
            .map_or(in_file, |wal| wal.count.min(in_file.max(wal.last_page())));
        Ok(Some(Self {
            path: path.to_owned(),
            file,
            size,
            usable,
            count,
            wal,
            kept: RefCell::default(),
            overflow: Cell::new(0),
            mark,
        }))
    }

    /// A page; the first has number 1.
    pub fn page(&self, number: u32) -> Result<Page, Error> {
        if let Some(page) = self.kept.borrow().get(&number) {
            return Ok(Arc::clone(page));
        }
        if number == 0 || number > self.count {
            return damaged(format!("it names page {number} of {}", self.count));
        }
        let mut page = vec![0; self.size];
        let of_wal = self.wal.as_ref();
        if !of_wal.map_or(Ok(false), |wal| wal.page(number, &mut page))? {
            let at = u64::from(number - 1) * self.size as u64;
            match self.file.read_exact_at(&mut page, at) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return damaged(format!("it ends before page {number}"));
                }
                read => read?,
            }
        }
        let page: Page = page.into();
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= KEPT / self.size {
            kept.clear();
        }
        kept.insert(number, Arc::clone(&page));
        Ok(page)
    }

    /// Counts a row that goes on on pages of its own: in a damaged database all rows may do so on
    /// the same ones, and a small file hold more than there is memory for.
    pub fn count_overflow(&self, length: usize) -> Result<(), Error> {
        let total = self.overflow.get() + length as u64;
        self.overflow.set(total);
        if total > SLACK + 4 * u64::from(self.count) * self.size as u64 {
            return damaged("its rows have more bytes than it has");
        }
        Ok(())
    }

    /// Whether the files are what they were when they were opened. What is added to the log since
    /// is no matter.
    pub fn is_unchanged(&self) -> bool {
        Mark::of(&self.path).is_ok_and(|now| now.is_whole && now == self.mark)
            && !self.mark.is_fresh(self.mark.seen)
    }
}

/// What tells whether something wrote to the database, or began its log anew.
#[derive(Debug)]
struct Mark {
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
    header: Vec<u8>,
    wal: Vec<u8>,
    /// Whether no change of it was left half done, as far as a journal beside it says.
    is_whole: bool,
    seen: SystemTime,
}

impl PartialEq for Mark {
    fn eq(&self, other: &Self) -> bool {
        let of = |mark: &Self| (mark.inode, mark.length, mark.modified);
        of(self) == of(other) && self.header == other.header && self.wal == other.wal
    }
}

impl Mark {
    fn of(path: &Path) -> io::Result<Self> {
        let seen = SystemTime::now();
        let metadata = fs::metadata(path)?;
        let first = |path: &Path, length: usize| match read::beginning(path, length as u64) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            read => read,
        };
        let journal = first(&beside(path, "-journal"), 8)?;
        Ok(Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
            header: first(path, HEADER)?,
            wal: first(&beside(path, "-wal"), wal::HEADER)?,
            is_whole: journal.iter().all(|byte| *byte == 0),
            seen,
        })
    }

    /// Whether it changed so short a time ago that another change may leave no mark.
    fn is_fresh(&self, now: SystemTime) -> bool {
        let since = self.modified.map(|modified| now.duration_since(modified));
        since.is_some_and(|since| since.is_ok_and(|since| since < TIME_STEP))
    }
}

/// The path of a file that belongs to the database.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
