//! A disk of which one call fails, or is the last before the power goes.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Disk, FileStat, Fill, Lock, System};

pub const NEVER: usize = usize::MAX;

/// The real disk, but for one call that fails, or is the last that happens.
#[derive(Clone)]
pub struct Faulty {
    /// What does the calls.
    pub disk: Arc<dyn Disk>,
    pub calls: Arc<AtomicUsize>,
    pub fail_at: usize,
    pub kill_at: usize,
    pub with: ErrorKind,
}

impl Faulty {
    pub fn new(fail_at: usize, kill_at: usize) -> Self {
        Self {
            disk: Arc::new(System),
            calls: Arc::default(),
            fail_at,
            kill_at,
            with: ErrorKind::StorageFull,
        }
    }

    /// Counts a call; whether the power goes during it.
    fn call(&self) -> io::Result<bool> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if call > self.kill_at {
            return Err(io::Error::other("killed"));
        }
        if call == self.fail_at {
            return Err(self.with.into());
        }
        Ok(call == self.kill_at)
    }
}

impl Disk for Faulty {
    fn beneath(&self, root: &Path) -> io::Result<Arc<dyn Disk>> {
        self.call()?;
        let disk = self.disk.beneath(root)?;
        Ok(Arc::new(Self {
            disk,
            ..self.clone()
        }))
    }
    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.call()?;
        self.disk.stat(path)
    }
    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.call()?;
        self.disk.metadata(path)
    }
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.call()?;
        self.disk.resolve(path)
    }
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        self.call()?;
        self.disk.names(folder)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.call()?;
        self.disk.read(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Lock> {
        self.call()?;
        self.disk.lock(path)
    }
    fn lock_folder(&self, path: &Path) -> io::Result<Lock> {
        self.call()?;
        self.disk.lock_folder(path)
    }
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.make_folder(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        self.call()?;
        let (disk, file) = (self.clone(), self.disk.open(path)?);
        Ok(Box::new(Reader { disk, file }))
    }
    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.call()?;
        self.disk.read_link(path)
    }
    fn write(&self, path: &Path, fill: Fill) -> io::Result<()> {
        let done = self.call();
        if matches!(&done, Err(error) if error.kind() != self.with) {
            return done.map(drop);
        }
        self.disk.write(path, fill)?;
        if !matches!(done, Ok(false)) {
            // Half of it got onto the disk.
            let half = File::options().write(true).open(path)?;
            half.set_len(half.metadata()?.len() / 2)?;
        }
        done.map(drop)
    }
    fn make_link(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.make_link(target, path)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.hard_link(from, to)
    }
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.replace(from, to)
    }
    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.relocate(from, to)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.sync_folder(path)
    }
    fn set_modified(&self, path: &Path, modified_ns: i64) -> io::Result<()> {
        self.call()?;
        self.disk.set_modified(path, modified_ns)
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.call()?;
        self.disk.set_mode(path, mode)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.remove_file(path)
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        self.disk.remove_folder(path)
    }
}

/// A file of which any read may fail.
struct Reader {
    disk: Faulty,
    file: Box<dyn Read>,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.disk.call()?;
        self.file.read(buffer)
    }
}
