//! Which commands this user has asked for. A run's folder is data that anyone may have written, so
//! a command in it is executed only if this user started or queued it here, or has trusted it
//! since. Trusted commands are listed in the user's state folder, outside of every tree: one small
//! file for each run, named by a digest of all that decides what is executed.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::layout::RunDir;
use super::process::boot_id;
use super::record::Record;
use super::state_dir::state_dir;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};
use traintop_text::clean;

/// The folder of the entries in the user's state folder.
const FOLDER: &str = "commands";

/// The commands that a user has asked for.
#[derive(Debug, Clone)]
pub struct Commands(Option<PathBuf>);

/// The content of an entry. Its name holds the digest. A copy of a run's folder has another inode:
/// it is another run.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    inode: u64,
    /// Of which file system the inode is. Entries of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device: Option<Device>,
    /// For people who look into the folder.
    id: String,
    /// As `id`.
    command: Vec<String>,
}

/// A file system's device number, valid for one boot of one machine.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Device {
    boot_id: String,
    number: u64,
}

impl Entry {
    /// Whether the entry is of this folder. Where its device cannot be compared, only the inode is,
    /// which may be that of a folder on another file system: then the folder must be this user's
    /// own, which no other user can make.
    fn is_of(&self, folder: &Metadata) -> bool {
        let device = self.device.as_ref();
        let known = device.filter(|device| device.boot_id == boot_id());
        let is_there = known.map_or_else(
            || folder.uid() == rustix::process::geteuid().as_raw(),
            |device| device.number == folder.dev(),
        );
        self.inode == folder.ino() && is_there
    }
}

/// All that decides what is executed when a run begins.
#[derive(Serialize)]
struct Executed<'a> {
    id: &'a str,
    launcher: Option<&'a str>,
    /// Empty for our own worker, whose command is rebuilt each time.
    command: &'a [String],
    environment: &'a BTreeMap<String, String>,
    working_dir: Option<&'a str>,
}

/// A digest of all that decides what is executed when a run begins, as hexadecimal digits.
pub fn digest(record: &Record) -> String {
    let is_worker = record.launcher.is_none();
    let executed = Executed {
        id: &record.id,
        launcher: record.launcher.as_deref(),
        command: if is_worker { &[] } else { &record.command },
        environment: &record.environment,
        working_dir: record.working_dir.as_deref(),
    };
    let bytes = serde_json::to_vec(&executed).unwrap_or_default();
    let digest = Sha256::digest(bytes);
    digest
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl Commands {
    /// Those of the user who runs this program.
    pub fn of_user() -> Self {
        Self(state_dir().map(|state| state.join(FOLDER)))
    }

    /// Those in a folder of a test.
    #[cfg(test)]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self(Some(folder))
    }

    /// Notes that this user wants the run's command to be executed, as the record has it now.
    ///
    /// # Errors
    /// If there is no state folder, or it cannot be written.
    pub fn allow(&self, dir: &RunDir, record: &Record) -> io::Result<()> {
        let folder = self.0.as_ref().ok_or_else(|| {
            io::Error::other("there is no folder for your own state; set HOME or XDG_STATE_HOME")
        })?;
        let folder_of_run = dir.path().metadata()?;
        let entry = Entry {
            inode: folder_of_run.ino(),
            device: Some(Device {
                boot_id: boot_id(),
                number: folder_of_run.dev(),
            }),
            id: record.id.clone(),
            command: record.command.clone(),
        };
        make_folders(folder)?;
        let path = folder.join(digest(record) + ".json");
        replace_file(&path, &serde_json::to_vec(&entry)?)
    }

    /// Whether this user has asked for the run's command, as the record has it now.
    pub fn allows(&self, dir: &RunDir, record: &Record) -> bool {
        let allows = || {
            let path = self.0.as_ref()?.join(digest(record) + ".json");
            let entry = read::bytes(&path, read::RECORD_LIMIT).ok()?;
            let entry: Entry = serde_json::from_slice(&entry).ok()?;
            Some(entry.is_of(&dir.path().metadata().ok()?))
        };
        allows().unwrap_or(false)
    }
}

/// Who wrote a run's record, safe for a terminal: a user's name, or `user 1234` where the system
/// knows none; `None` if this user did, or it is unknown.
pub fn other_owner(dir: &RunDir) -> Option<String> {
    let owner = dir
        .run_json()
        .symlink_metadata()
        .as_ref()
        .map(Metadata::uid)
        .ok()?;
    if owner == rustix::process::geteuid().as_raw() {
        return None;
    }
    let user = uzers::get_user_by_uid(owner);
    let name = user.map(|user| clean(&user.name().to_string_lossy()).into_owned());
    Some(name.unwrap_or_else(|| format!("user {owner}")))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::process::Process;

    fn record(dir: &RunDir, launcher: Option<&str>) -> Record {
        let command = ["sh", "-c", "true"].map(str::to_owned).to_vec();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut record = Record::new(dir, dir.name(), Process::current(), command, now);
        record.launcher = launcher.map(str::to_owned);
        record
    }

    /// A change of what is executed.
    type Edit = fn(&mut Record);

    #[test]
    fn only_what_was_asked_for_is_allowed_and_nothing_of_it_may_change() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path().join("run"));
        fs::create_dir_all(dir.logs()).unwrap();
        let commands = Commands::in_folder(folder.path().join("state"));
        let asked = record(&dir, Some("mine"));
        assert!(!commands.allows(&dir, &asked));
        commands.allow(&dir, &asked).unwrap();
        assert!(commands.allows(&dir, &asked));
        let edits: [Edit; 5] = [
            |record| record.id.push('x'),
            |record| record.command.push("x".to_owned()),
            |record| record.launcher = Some("other".to_owned()),
            |record| record.working_dir = Some("/tmp".to_owned()),
            |record| {
                let preload = ("LD_PRELOAD".to_owned(), "x.so".to_owned());
                record.environment.extend([preload]);
            },
        ];
        for (number, edit) in edits.into_iter().enumerate() {
            let mut edited = asked.clone();
            edit(&mut edited);
            assert!(!commands.allows(&dir, &edited), "edit {number}");
        }
        // Its place in the queue, its state and its name do not matter.
        let mut moved = asked.clone();
        (moved.name, moved.queue_position) = ("other".to_owned(), Some(7));
        assert!(commands.allows(&dir, &moved));
        assert!(!Commands(None).allows(&dir, &asked));
    }

    #[test]
    fn a_copied_folder_is_another_run_and_a_renamed_one_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let [dir, copy, renamed] =
            ["a", "b", "c"].map(|name| RunDir::new(folder.path().join(name)));
        fs::create_dir_all(dir.logs()).unwrap();
        fs::create_dir_all(copy.logs()).unwrap();
        let commands = Commands::in_folder(folder.path().join("state"));
        let record = record(&dir, Some("mine"));
        commands.allow(&dir, &record).unwrap();
        assert!(!commands.allows(&copy, &record));
        fs::rename(dir.path(), renamed.path()).unwrap();
        assert!(commands.allows(&renamed, &record));
    }

    #[test]
    fn an_inode_of_another_file_system_is_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path().join("a"));
        fs::create_dir_all(dir.logs()).unwrap();
        let state = folder.path().join("state");
        let commands = Commands::in_folder(state.clone());
        let record = record(&dir, Some("mine"));
        commands.allow(&dir, &record).unwrap();
        let path = state.join(digest(&record) + ".json");
        let edit = |edit: fn(&mut serde_json::Value)| {
            commands.allow(&dir, &record).unwrap();
            let mut entry = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            edit(&mut entry);
            fs::write(&path, entry.to_string()).unwrap();
            commands.allows(&dir, &record)
        };
        assert!(!edit(|entry| entry["device"]["number"] = 0.into()));
        // After the next boot, or of an earlier version: the folder is this user's own.
        let of_other_boot = |entry: &mut serde_json::Value| {
            entry["device"] = serde_json::json!({ "boot_id": "x", "number": 0 });
        };
        let of_earlier = |entry: &mut serde_json::Value| {
            entry.as_object_mut().unwrap().remove("device");
        };
        assert!(edit(of_other_boot) && edit(of_earlier));
        if std::os::unix::fs::chown(dir.path(), Some(65534), None).is_err() {
            println!("did not run: only the superuser can give a folder away");
            return;
        }
        assert!(!edit(of_other_boot) && !edit(of_earlier));
        assert!(edit(|_| {}), "what another user made was trusted");
    }
}
