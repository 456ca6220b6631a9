//! A disk that counts what is read for a long job, and on which the job can be cancelled.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Disk, FileStat, Fill, Lock, System};

/// Progress and cancellation of a job, shared by the job and the view.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU64,
    of: AtomicU64,
    bytes: AtomicU64,
    is_cancelled: AtomicBool,
    has_failed: AtomicBool,
    /// Cancels itself after this many bytes.
    #[cfg(any(test, feature = "testing"))]
    pub cancel_after: Option<u64>,
}

impl Progress {
    /// Progress: how many runs or trash entries are done, of how many.
    pub fn step(&self, done: usize, of: usize) {
        self.done.store(done as u64, Ordering::Relaxed);
        self.of.store(of as u64, Ordering::Relaxed);
    }

    /// The things that are done, of how many, and the bytes that were read.
    pub fn now(&self) -> (u64, u64, u64) {
        let [done, of, bytes] = [&self.done, &self.of, &self.bytes];
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        (load(done), load(of), load(bytes))
    }

    /// Asks the job to stop.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the job was cancelled.
    pub fn is_cancelled(&self) -> bool {
        #[cfg(any(test, feature = "testing"))]
        if self.cancel_after.is_some_and(|bytes| self.now().2 >= bytes) {
            return true;
        }
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

/// The real disk, or another, for one job.
#[derive(Clone)]
pub struct Watched {
    disk: Arc<dyn Disk>,
    progress: Arc<Progress>,
}

impl Watched {
    /// The real disk, watched by `progress`.
    pub fn system(progress: &Arc<Progress>) -> Self {
        Self::of(Arc::new(System), progress)
    }

    /// This disk, watched by `progress`.
    pub fn of(disk: Arc<dyn Disk>, progress: &Arc<Progress>) -> Self {
        let progress = Arc::clone(progress);
        Self { disk, progress }
    }
}

struct WatchedRead(Box<dyn Read>, Arc<Progress>);

impl Read for WatchedRead {
    /// Fails once when the job is cancelled: what was begun is undone after that, on the same
    /// disk.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self(file, progress) = self;
        if progress.is_cancelled() && !progress.has_failed.swap(true, Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        let count = file.read(buffer)?;
        progress.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Disk for Watched {
    fn beneath(&self, root: &Path) -> io::Result<Arc<dyn Disk>> {
        let disk = self.disk.beneath(root)?;
        Ok(Arc::new(Self::of(disk, &self.progress)))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let file = self.disk.open(path)?;
        Ok(Box::new(WatchedRead(file, Arc::clone(&self.progress))))
    }
    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        self.disk.stat(path)
    }
    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.disk.metadata(path)
    }
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.disk.resolve(path)
    }
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        self.disk.names(folder)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }
    fn lock(&self, path: &Path) -> io::Result<Lock> {
        self.disk.lock(path)
    }
    fn lock_folder(&self, path: &Path) -> io::Result<Lock> {
        self.disk.lock_folder(path)
    }
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        self.disk.make_folder(path)
    }
    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.disk.read_link(path)
    }
    fn write(&self, path: &Path, fill: Fill) -> io::Result<()> {
        self.disk.write(path, fill)
    }
    fn make_link(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.disk.make_link(target, path)
    }
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.hard_link(from, to)
    }
    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.replace(from, to)
    }
    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.relocate(from, to)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.disk.sync_folder(path)
    }
    fn set_modified(&self, path: &Path, modified_ns: i64) -> io::Result<()> {
        self.disk.set_modified(path, modified_ns)
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.disk.set_mode(path, mode)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_file(path)
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_folder(path)
    }
}
