//! Which process a run belongs to. A process id alone says little, since ids are used again: the
//! time at which the process started and the boot it belongs to make it certain.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use traintop_disk::read;

/// A process on this or another machine, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The machine's name.
    pub host: String,
    /// The kernel's identity of this boot of it.
    pub boot_id: String,
    /// The process id.
    pub pid: u32,
    /// When it started, in clock ticks since the boot (field 22 of `/proc/PID/stat`).
    pub pid_started: u64,
}

impl Process {
    /// This process. It stays the same through `exec`.
    pub fn current() -> Self {
        let pid = std::process::id();
        Self {
            host: host(),
            boot_id: boot_id(),
            pid,
            pid_started: started(pid).unwrap_or(0),
        }
    }

    /// Whether it is a process of this machine since its last boot; only then can it be checked.
    pub fn is_here(&self) -> bool {
        self.host == host() && self.boot_id == boot_id()
    }

    /// Whether it still runs. A zombie, which its parent has not waited for, does not.
    pub fn is_alive(&self) -> bool {
        self.is_here() && started(self.pid) == Some(self.pid_started)
    }
}

/// The environment variable with the run's folder.
pub const RUN_DIR: &str = "TRAINTOP_RUN_DIR";

/// Whether a process of this machine works in a folder: it was given the folder as [`RUN_DIR`], or
/// has a file below it open for writing. What only reads one, such as an editor, does not. A record
/// may name any process; one that does not work in the run's folder does not belong to the run.
pub fn works_in(pid: u32, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else {
        return false;
    };
    let environ = read::bytes(
        Path::new(&format!("/proc/{pid}/environ")),
        read::RECORD_LIMIT,
    )
    .unwrap_or_default();
    let mut given = environ.split(|byte| *byte == 0).filter_map(|variable| {
        let value = variable.strip_prefix(RUN_DIR.as_bytes())?;
        Path::new(OsStr::from_bytes(value.strip_prefix(b"=")?))
            .canonicalize()
            .ok()
    });
    let opened = fs::read_dir(format!("/proc/{pid}/fd"));
    let mut opened = opened.into_iter().flatten().flatten();
    given.any(|given| given == folder)
        || opened.any(|file| {
            fs::read_link(file.path()).is_ok_and(|file| file.starts_with(&folder))
                && is_for_writing(pid, &file.file_name())
        })
}

/// Whether a process has a descriptor open for writing: the last octal digit of its flags is the
/// access mode, 0 for reading alone (`proc_pid_fdinfo(5)`).
fn is_for_writing(pid: u32, descriptor: &OsStr) -> bool {
    let path = Path::new("/proc").join(pid.to_string()).join("fdinfo");
    let text = read::text(&path.join(descriptor), read::RECORD_LIMIT).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.is_some_and(|flags| !matches!(flags.trim().chars().last(), None | Some('0' | '4')))
}

/// This machine's name.
pub fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The kernel's identity of this boot of this machine.
pub(crate) fn boot_id() -> String {
    read::text(
        Path::new("/proc/sys/kernel/random/boot_id"),
        read::RECORD_LIMIT,
    )
    .unwrap_or_default()
    .trim()
    .to_owned()
}

/// The start of a living process in clock ticks since the boot; `None` if there is none, or only a
/// zombie.
pub fn started(pid: u32) -> Option<u64> {
    let stat = read::text(Path::new(&format!("/proc/{pid}/stat")), read::RECORD_LIMIT).ok()?;
    // The second field is the program's name in parentheses and may itself hold spaces and
    // parentheses.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a process is given.
    type With<'a> = &'a dyn Fn(&mut std::process::Command) -> &mut std::process::Command;

    /// A process that waits, until it is dropped.
    struct Waiting(std::process::Child);

    impl Drop for Waiting {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn only_who_writes_in_a_folder_or_was_given_it_works_in_it() {
        let place = tempfile::tempdir().unwrap();
        let [run, other] = ["run", "run2"].map(|name| place.path().join(name));
        fs::create_dir_all(run.join("logs")).unwrap();
        fs::create_dir_all(&other).unwrap();
        let path = run.join("logs/metrics.csv");
        fs::write(&path, "epoch\n").unwrap();
        let works = |with: With| {
            let mut command = std::process::Command::new("sleep");
            command.arg("600").env_remove(RUN_DIR);
            with(&mut command);
            let waiting = Waiting(command.spawn().unwrap());
            // A process that is just being started has no environment yet.
            let environ = format!("/proc/{}/environ", waiting.0.id());
            while fs::read(&environ).unwrap().is_empty() {
                std::thread::yield_now();
            }
            [&run, &other].map(|folder| works_in(waiting.0.id(), folder))
        };
        let reading = || fs::File::open(&path).unwrap();
        let appending = || fs::File::options().append(true).open(&path).unwrap();
        let both = || {
            let mut options = fs::File::options();
            options.read(true).write(true).open(&path).unwrap()
        };
        // An editor, a pager, a copy: they read, or only have the folder as theirs.
        assert_eq!(works(&|command| command.stdin(reading())), [false; 2]);
        assert_eq!(works(&|command| command.current_dir(&run)), [false; 2]);
        let writes = [true, false];
        assert_eq!(works(&|command| command.stdout(appending())), writes);
        assert_eq!(works(&|command| command.stdin(both())), writes);
        assert_eq!(works(&|command| command.env(RUN_DIR, &run)), writes);
    }

    #[test]
    fn this_process_is_alive_and_one_with_another_start_is_not() {
        let process = Process::current();
        assert!(process.pid_started > 0 && process.is_alive());
        assert!(
            !Process {
                pid_started: process.pid_started + 1,
                ..process.clone()
            }
            .is_alive()
        );
        assert!(
            !Process {
                host: "elsewhere".to_owned(),
                ..process.clone()
            }
            .is_alive()
        );
        assert!(
            !Process {
                boot_id: "another boot".to_owned(),
                ..process
            }
            .is_alive()
        );
    }

    #[test]
    fn zombie_is_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while started(child.id()).is_some() {
            assert!(std::time::Instant::now() < deadline, "it never ended");
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
