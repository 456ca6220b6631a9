//! Says when files in watched folders change: by inotify on local disks, by polling every two
//! seconds where inotify does not see what another node writes, or where its watches have run out.
//! Without changes, and without polled folders, it sleeps.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use notify::{RecursiveMode, Watcher as _};

use super::process::Process;
use traintop_disk::read;

/// The interval between two polls of a folder.
const POLL: Duration = Duration::from_secs(2);

/// Magic numbers of file systems on which another machine writes unseen: NFS, SMB, SMB2, CIFS,
/// Lustre, `BeeGFS`, GPFS, FUSE, 9p, Ceph, AFS.
const REMOTE: [u64; 11] = [
    0x6969,
    0x517b,
    0xfe53_4d42,
    0xff53_4d42,
    0x0bd0_0bd0,
    0x1983_0326,
    0x4750_4653,
    0x6573_5546,
    0x0102_1997,
    0x00c3_6400,
    0x6b41_4653,
];

type Callback = Arc<dyn Fn(&Path) + Send + Sync>;

/// Watches folders, never what is below them.
pub struct Watcher {
    inotify: Option<notify::RecommendedWatcher>,
    /// What inotify watches. Its thread takes out folders that are gone, so it must not be held
    /// while that thread is waited for.
    watched: Arc<Mutex<HashSet<PathBuf>>>,
    polled: HashSet<PathBuf>,
    polling: OnceLock<Sender<HashSet<PathBuf>>>,
    callback: Callback,
}

impl Watcher {
    /// A watcher of nothing yet. `changed` is called, from a thread of the watcher's, with the
    /// folder in which something changed.
    pub fn new(changed: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        let callback: Callback = Arc::new(changed);
        let watched = Arc::default();
        let (on_event, known) = (Arc::clone(&callback), Arc::clone(&watched));
        let inotify = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event {
                report(&event, &known, &on_event);
            }
        });
        Self {
            inotify: inotify
                .inspect_err(|error| log::warn!("no inotify, polling instead: {error}"))
                .ok(),
            watched,
            polled: HashSet::new(),
            polling: OnceLock::new(),
            callback,
        }
    }

    /// Watches these folders and no others. One that is not there yet, or was removed and made
    /// again, is watched from the next call on, and polled until then.
    pub fn set(&mut self, folders: &HashSet<PathBuf>) {
        let mut watched = lock(&self.watched).clone();
        let mut polled = HashSet::new();
        for gone in watched.difference(folders) {
            if let Some(inotify) = &mut self.inotify {
                // A folder that is no more has taken its watch along.
                let _ = inotify.unwatch(gone);
            }
            lock(&self.watched).remove(gone);
        }
        watched.retain(|folder| folders.contains(folder));
        for folder in folders.difference(&watched) {
            if self.watch(folder) {
                lock(&self.watched).insert(folder.clone());
                if self.polled.contains(folder) {
                    // Changes between the last poll and the watch.
                    (self.callback)(folder);
                }
            } else {
                polled.insert(folder.clone());
            }
        }
        if polled != self.polled {
            self.polled.clone_from(&polled);
            let callback = &self.callback;
            let polling = self
                .polling
                .get_or_init(|| start_polling(Arc::clone(callback)));
            // The thread ends only with its channel.
            let _ = polling.send(polled);
        }
    }

    /// Watches these folders too.
    pub fn add(&mut self, folders: &HashSet<PathBuf>) {
        let all = folders | &(&*lock(&self.watched) | &self.polled);
        self.set(&all);
    }

    /// Has inotify watch a folder, if it can: not on remote file systems, and not when its watches
    /// have run out.
    fn watch(&mut self, folder: &Path) -> bool {
        let Some(inotify) = self.inotify.as_mut().filter(|_| !is_remote(folder)) else {
            return false;
        };
        let watched = inotify.watch(folder, RecursiveMode::NonRecursive);
        if let (Err(error), false) = (&watched, self.polled.contains(folder)) {
            log::info!("polling {}: {error}", folder.display());
        }
        watched.is_ok()
    }
}

/// A set of paths is whole at any moment, also when a thread panicked that held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes on what inotify saw.
fn report(event: &notify::Event, watched: &Mutex<HashSet<PathBuf>>, callback: &Callback) {
    if event.need_rescan() {
        // More happened than the kernel's queue holds: anything may have changed.
        let all = lock(watched).clone();
        for folder in &all {
            callback(folder);
        }
        return;
    }
    match event.kind {
        // Reading is no change, and most of it is our own.
        notify::EventKind::Access(_) => return,
        notify::EventKind::Remove(_) => {
            let mut watched = lock(watched);
            for path in &event.paths {
                watched.remove(path);
            }
        }
        _ => {}
    }
    let parents = event.paths.iter().filter_map(|path| path.parent());
    let folders: HashSet<&Path> = parents.collect();
    for folder in folders {
        callback(folder);
    }
}

/// Whether a folder is on a file system where inotify misses changes.
fn is_remote(folder: &Path) -> bool {
    rustix::fs::statfs(folder)
        .is_ok_and(|file_system| REMOTE.contains(&(file_system.f_type as u64 & 0xffff_ffff)))
}

/// The files of a folder with what changes when they are written; `None` while there is no such
/// folder.
type Sight = Option<HashMap<PathBuf, (u64, Option<SystemTime>)>>;

/// Reads the state of a folder and its files by opening them again: network file systems ask the
/// server only then, and otherwise show a state up to a minute old.
fn look(folder: &Path) -> Sight {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let files = entries.filter_map(|entry| {
        let path = entry.path();
        let mut metadata = fs::metadata(&path).ok()?;
        if metadata.is_file() {
            // One that may not be read may still be examined.
            metadata = read::open(&path)
                .and_then(|file| file.metadata())
                .unwrap_or(metadata);
        }
        Some((path, (metadata.len(), metadata.modified().ok())))
    });
    Some(files.collect())
}

fn start_polling(callback: Callback) -> Sender<HashSet<PathBuf>> {
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("poll".to_owned())
        .spawn(move || poll(&receiver, &callback))
        .map_or_else(
            |error| log::error!("changes on remote file systems go unseen: {error}"),
            drop,
        );
    sender
}

fn poll(folders: &Receiver<HashSet<PathBuf>>, callback: &Callback) {
    let mut seen: HashMap<PathBuf, Sight> = HashMap::new();
    let mut due = Instant::now() + POLL;
    loop {
        let next = if seen.is_empty() {
            folders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            folders.recv_timeout(due.saturating_duration_since(Instant::now()))
        };
        match next {
            Ok(folders) => {
                if seen.is_empty() {
                    due = Instant::now() + POLL;
                }
                seen.retain(|folder, _| folders.contains(folder));
                for folder in folders {
                    let look = || look(&folder);
                    seen.entry(folder.clone()).or_insert_with(look);
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                for (folder, before) in &mut seen {
                    let now = look(folder);
                    if now != *before {
                        *before = now;
                        callback(folder);
                    }
                }
                // From the end of the poll: a slow poll must not follow itself at once.
                due = Instant::now() + POLL;
            }
        }
    }
}

/// Calls `ended` once, from a thread of its own, when a process of this machine has ended (at once,
/// if it already has). The thread sleeps until then.
pub fn when_ended(process: Process, ended: impl FnOnce() + Send + 'static) {
    let waiting = thread::Builder::new()
        .name("process-end".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            wait(&process);
            ended();
        });
    if let Err(error) = waiting {
        log::error!("the end of a process goes unseen: {error}");
    }
}

fn wait(process: &Process) {
    let Some(pid) = i32::try_from(process.pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    else {
        return;
    };
    let handle = match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return,
        Err(error) => {
            log::info!(
                "looking after process {} now and then: {error}",
                process.pid
            );
            while process.is_alive() {
                thread::sleep(POLL);
            }
            return;
        }
    };
    // Asked after the handle is held: from now on the id cannot pass to another process unnoticed.
    while process.is_alive() {
        let mut handles = [rustix::event::PollFd::new(
            &handle,
            rustix::event::PollFlags::IN,
        )];
        if rustix::event::poll(&mut handles, None).is_ok_and(|ready| ready > 0) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    #[test]
    fn change_in_a_watched_folder_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, changes) = channel();
        let mut watcher = Watcher::new(move |folder| drop(sender.send(folder.to_owned())));
        watcher.set(&HashSet::from([folder.path().to_owned()]));
        fs::write(folder.path().join("metrics.csv"), "epoch\n").unwrap();
        assert_eq!(changes.recv_timeout(DEADLINE).unwrap(), folder.path());
    }

    /// A watcher, and the folders that it reports.
    fn watcher() -> (Watcher, Receiver<PathBuf>) {
        let (sender, changes) = channel();
        let watcher = Watcher::new(move |folder| drop(sender.send(folder.to_owned())));
        (watcher, changes)
    }

    fn wait_for(changes: &Receiver<PathBuf>, folder: &Path) {
        let deadline = Instant::now() + DEADLINE;
        while changes
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            .expect("the change is reported")
            != folder
        {}
    }

    #[test]
    fn folder_that_comes_later_or_anew_is_watched_from_the_next_call() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("logs");
        let folders = HashSet::from([folder.clone()]);
        let (mut watcher, changes) = watcher();
        watcher.set(&folders);
        assert!(lock(&watcher.watched).is_empty() && watcher.polled == folders);
        for _ in 0..2 {
            fs::create_dir(&folder).unwrap();
            watcher.set(&folders);
            assert!(*lock(&watcher.watched) == folders && watcher.polled.is_empty());
            fs::write(folder.join("metrics.csv"), "epoch\n").unwrap();
            wait_for(&changes, &folder);
            fs::remove_dir_all(&folder).unwrap();
            wait_for(&changes, root.path());
            watcher.set(&folders);
            assert!(lock(&watcher.watched).is_empty());
        }
    }

    #[test]
    fn after_an_overflow_of_the_queue_every_folder_is_reported() {
        let folders = HashSet::from([PathBuf::from("/a"), PathBuf::from("/b")]);
        let reported = Arc::new(Mutex::new(HashSet::new()));
        let tells = Arc::clone(&reported);
        let callback: Callback = Arc::new(move |folder: &Path| {
            lock(&tells).insert(folder.to_owned());
        });
        let overflow =
            notify::Event::new(notify::EventKind::Other).set_flag(notify::event::Flag::Rescan);
        report(&overflow, &Mutex::new(folders.clone()), &callback);
        assert_eq!(*lock(&reported), folders);
    }

    #[test]
    fn new_rows_folders_and_their_absence_are_seen() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("logs");
        let mut sights = vec![look(&folder)];
        fs::create_dir(&folder).unwrap();
        sights.push(look(&folder));
        for text in ["epoch\n", "epoch\n1\n"] {
            fs::write(folder.join("metrics.csv"), text).unwrap();
            sights.push(look(&folder));
        }
        assert_eq!(look(&folder), sights[3]);
        assert!(sights.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn change_in_a_polled_folder_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, changes) = channel();
        let polling = start_polling(Arc::new(move |folder: &Path| {
            drop(sender.send(folder.to_owned()));
        }));
        polling
            .send(HashSet::from([folder.path().to_owned()]))
            .unwrap();
        // Sent twice: the first poll is done once the second is received.
        polling
            .send(HashSet::from([folder.path().to_owned()]))
            .unwrap();
        let mut length = 0;
        loop {
            length += 1;
            fs::write(folder.path().join("metrics.csv"), "x".repeat(length)).unwrap();
            if let Ok(changed) = changes.recv_timeout(POLL * 2) {
                assert_eq!(changed, folder.path());
                return;
            }
            assert!(length < 5, "the change was never reported");
        }
    }

    #[test]
    fn end_of_a_process_is_reported() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let pid_started = super::super::process::started(child.id()).unwrap();
        let process = Process {
            pid: child.id(),
            pid_started,
            ..Process::current()
        };
        let (sender, ended) = channel();
        when_ended(process, move || sender.send(()).unwrap());
        assert!(ended.try_recv().is_err());
        drop(child.stdin.take());
        ended.recv_timeout(DEADLINE).unwrap();
        child.wait().unwrap();
    }
}
