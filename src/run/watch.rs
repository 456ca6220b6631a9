//! Says when files in watched folders change: by inotify on local disks, by looking every two seconds where inotify does not
//! see what another node writes, or where its watches have run out. Without changes, and without polled folders, it sleeps.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime};

use notify::{RecursiveMode, Watcher as _};

use super::process::Process;

/// Between two looks at a polled folder.
const POLL: Duration = Duration::from_secs(2);

/// Magic numbers of file systems on which another machine writes unseen: NFS, SMB, SMB2, CIFS, Lustre, `BeeGFS`, GPFS, FUSE, 9p,
/// Ceph, AFS.
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
    watched: HashSet<PathBuf>,
    polled: HashSet<PathBuf>,
    polling: OnceLock<Sender<HashSet<PathBuf>>>,
    callback: Callback,
}

impl Watcher {
    /// A watcher of nothing yet. `changed` is called, from a thread of the watcher's, with the folder in which something changed.
    pub fn new(changed: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        let callback: Callback = Arc::new(changed);
        let on_event = Arc::clone(&callback);
        let inotify = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, notify::EventKind::Access(_)) {
                return;
            }
            let folders: HashSet<&Path> = event
                .paths
                .iter()
                .filter_map(|path| path.parent())
                .collect();
            for folder in folders {
                on_event(folder);
            }
        });
        Self {
            inotify: inotify
                .inspect_err(|error| log::warn!("no inotify, polling instead: {error}"))
                .ok(),
            watched: HashSet::new(),
            polled: HashSet::new(),
            polling: OnceLock::new(),
            callback,
        }
    }

    /// Watches these folders and no others.
    pub fn set(&mut self, folders: &HashSet<PathBuf>) {
        for gone in self.watched.difference(folders) {
            if let Some(inotify) = &mut self.inotify {
                // A folder that is no more has taken its watch along.
                let _ = inotify.unwatch(gone);
            }
        }
        self.watched.retain(|folder| folders.contains(folder));
        let mut polled: HashSet<PathBuf> = self.polled.intersection(folders).cloned().collect();
        for folder in folders {
            if self.watched.contains(folder) || polled.contains(folder) {
                continue;
            }
            let by_inotify = !is_remote(folder)
                && self.inotify.as_mut().is_some_and(|inotify| {
                    let watched = inotify.watch(folder, RecursiveMode::NonRecursive);
                    watched
                        .inspect_err(|error| log::info!("polling {}: {error}", folder.display()))
                        .is_ok()
                });
            if by_inotify {
                self.watched.insert(folder.clone());
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
}

/// Whether a folder lies where inotify does not see all.
fn is_remote(folder: &Path) -> bool {
    rustix::fs::statfs(folder)
        .is_ok_and(|file_system| REMOTE.contains(&(file_system.f_type as u64 & 0xffff_ffff)))
}

/// The files of a folder with what changes when they are written. Listing it opens it anew, which network file systems need
/// to show changes.
fn look(folder: &Path) -> HashMap<PathBuf, (u64, Option<SystemTime>)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let metadata = fs::metadata(entry.path()).ok()?;
            Some((entry.path(), (metadata.len(), metadata.modified().ok())))
        })
        .collect()
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
    let mut seen: HashMap<PathBuf, HashMap<_, _>> = HashMap::new();
    loop {
        let next = if seen.is_empty() {
            folders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            folders.recv_timeout(POLL)
        };
        match next {
            Ok(folders) => {
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
            }
        }
    }
}

/// Calls `ended` once, from a thread of its own, when a process of this machine has ended (at once, if it already has). The
/// thread sleeps until then.
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
    let Ok(handle) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else {
        return;
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
    fn change_in_a_watched_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, changes) = channel();
        let mut watcher = Watcher::new(move |folder| drop(sender.send(folder.to_owned())));
        watcher.set(&HashSet::from([folder.path().to_owned()]));
        fs::write(folder.path().join("metrics.csv"), "epoch\n").unwrap();
        assert_eq!(changes.recv_timeout(DEADLINE).unwrap(), folder.path());
    }

    #[test]
    fn change_in_a_polled_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, changes) = channel();
        let polling = start_polling(Arc::new(move |folder: &Path| {
            drop(sender.send(folder.to_owned()))
        }));
        polling
            .send(HashSet::from([folder.path().to_owned()]))
            .unwrap();
        // Sent twice: the first look has been taken once the second is received.
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
            assert!(length < 5, "the change was never told");
        }
    }

    #[test]
    fn end_of_a_process_is_told() {
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
        when_ended(process, move || drop(sender.send(())));
        assert!(ended.try_recv().is_err());
        drop(child.stdin.take());
        ended.recv_timeout(DEADLINE).unwrap();
        child.wait().unwrap();
    }
}
