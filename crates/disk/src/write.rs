//! Writing so that a reader, or a power cut, finds a file whole or not at all, and so that no other
//! user of the folder can redirect the write: new files never replace one and never follow a link.

use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{
    Access, AtFlags, CWD, FlockOperation, Gid, OFlags, XattrFlags, access, fchown, flock,
    fsetxattr, lgetxattr, linkat,
};
use rustix::io::Errno;

use super::{Disk, Lock, System, fail_point};

/// The attribute that holds a file's access control list on Linux.
const ACCESS_LIST: &str = "system.posix_acl_access";
/// Access control lists are at most this long in bytes.
const MAX_ACCESS_LIST_BYTES: usize = 65_536;

/// A name beside `path` that no other writer uses or can guess, hidden and recognisable as
/// temporary.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Each `RandomState` has random keys of its own. The lower half says where the process is one
    // of that number.
    let random = RandomState::new().hash_one(std::process::id());
    let number = (random << 32) | u64::from(here());
    path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

/// Makes a new file; never over anything, never through a link. The user's umask decides who may
/// read it.
///
/// # Errors
/// Those of `open(2)`; [`io::ErrorKind::AlreadyExists`] if anything is there, be it a dangling
/// link.
pub fn create_new(path: &Path) -> io::Result<File> {
    fail_point::pass();
    File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
}

/// Opens a regular file to append to it, and makes it if it is not there; never through a link.
///
/// # Errors
/// Those of `open(2)`, and [`io::ErrorKind::InvalidInput`] if it is not a regular file.
pub fn open_append(path: &Path) -> io::Result<File> {
    open_own(File::options().append(true).create(true), path)
}

/// Opens a lock's file, and makes it if it is not there; never through a link, and what is in it
/// stays. One that only another user may write is opened for reading, which is enough to lock it on
/// local file systems.
///
/// # Errors
/// As [`open_append`].
pub fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    match open_own(&mut options, path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_own(File::options().read(true), path)
        }
        opened => opened,
    }
}

fn open_own(options: &mut fs::OpenOptions, path: &Path) -> io::Result<File> {
    fail_point::pass();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = options.custom_flags(flags.bits() as i32).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        let kind = io::ErrorKind::InvalidInput;
        Err(io::Error::new(kind, "is not a regular file"))
    }
}

/// Gives a file that will replace another the other's mode, group and access control list, as far
/// as the system allows. Where the group or the list cannot be kept, no user gets more rights than
/// before.
///
/// # Errors
/// If the mode cannot be set.
pub fn keep_access(new: &File, old: &Metadata, old_path: &Path) -> io::Result<()> {
    let group = Gid::from_raw(old.gid());
    let is_same_group =
        new.metadata()?.gid() == old.gid() || fchown(new, None, Some(group)).is_ok();
    let mode = old.mode() & 0o777;
    let as_others = (mode & 0o707) | ((mode & 0o007) << 3);
    let set_mode = |mode| new.set_permissions(fs::Permissions::from_mode(mode));
    set_mode(if is_same_group { mode } else { as_others })?;
    let Some(list) = access_list(old_path) else {
        return Ok(());
    };
    // With a list, the mode of the group is the most that anybody in the list has; without the list
    // it would be the group's.
    let kept = is_same_group && fsetxattr(new, ACCESS_LIST, &list, XattrFlags::empty()).is_ok();
    if kept { Ok(()) } else { set_mode(mode & 0o700) }
}

/// A file's or folder's access control list; `None` where it has none, as most do.
pub fn access_list(path: &Path) -> Option<Vec<u8>> {
    let mut list = vec![0; MAX_ACCESS_LIST_BYTES];
    let length = lgetxattr(path, ACCESS_LIST, &mut list).ok()?;
    list.truncate(length);
    Some(list)
}

/// Whether this user may add and remove names in a folder.
///
/// # Errors
/// Why not.
pub fn may_change(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// The place where a process id means this process: the machine, and in it the namespace. As 32
/// bits, which may be those of another place by chance.
fn here() -> u32 {
    let machine = rustix::system::uname().nodename().to_bytes().to_vec();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    (machine, namespace).hash(&mut hasher);
    hasher.finish() as u32
}

/// Whether a name is that of a temporary file of an atomic write: `.NAME.PID-NUMBER.tmp`, as
/// [`beside`] makes them.
pub fn is_temporary(name: &str) -> bool {
    numbers_of(name).is_some()
}

/// The final name of a temporary file; `None` if it is none.
pub fn replaced_by(name: &str) -> Option<&str> {
    numbers_of(name)?;
    let inner = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    inner.rsplit_once('.').map(|(name, _)| name)
}

/// Whether the process that was writing a temporary file is known to be gone.
pub(super) fn is_abandoned(name: &str) -> bool {
    numbers_of(name).is_some_and(|(process, number)| {
        let is_of_here = number
            .parse()
            .is_ok_and(|number: u64| number as u32 == here());
        is_of_here && !Path::new("/proc").join(process).exists()
    })
}

/// The process and the random number in a temporary file's name.
fn numbers_of(name: &str) -> Option<(&str, &str)> {
    let inner = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    let (process, number) = inner.rsplit('.').next()?.split_once('-')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(process) && is_number(number)).then_some((process, number))
}

/// Replaces a file by what `fill` writes: beside it first, onto the disk, then renamed over it.
/// Mode, group and access control list of the old file are kept. A link in its place is replaced,
/// not followed.
///
/// # Errors
/// If writing or renaming fails; the old file is then untouched and nothing is left beside it.
pub fn replace_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let temporary = beside(path);
    let written = create_new(&temporary).and_then(|mut file| {
        if let Some(old) = fs::symlink_metadata(path).ok().filter(Metadata::is_file) {
            keep_access(&file, &old, path)?;
        }
        fill(&mut file)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| System.replace(&temporary, path));
    // The first error is the one to report; a leftover is only untidy.
    replaced.inspect_err(|_| drop(System.remove_file(&temporary)))
}

/// Replaces a file by these bytes: see [`replace_with`].
///
/// # Errors
/// As [`replace_with`].
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(bytes))
}

/// Makes a file of what `fill` writes: whole, or not at all; never over anything, and never through
/// a link.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if anything has the name, else if writing or renaming fails;
/// nothing is left then.
pub fn create_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let temporary = beside(path);
    let written = create_new(&temporary).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()
    });
    let created = written.and_then(|()| System.relocate(&temporary, path));
    created.inspect_err(|_| drop(System.remove_file(&temporary)))
}

/// Makes a folder that is not there.
///
/// # Errors
/// Those of `mkdir(2)`.
pub fn make_folder(path: &Path) -> io::Result<()> {
    System.make_folder(path)
}

/// Makes a folder and those above it that are not there.
///
/// # Errors
/// Those of `mkdir(2)`.
pub fn make_folders(path: &Path) -> io::Result<()> {
    let disk: &dyn Disk = &System;
    // One that is a link to a folder is there.
    if path.is_dir() {
        return Ok(());
    }
    disk.make_folders(path)
}

/// Removes a file or a link, for good.
///
/// # Errors
/// Those of `unlink(2)`.
pub fn remove_file(path: &Path) -> io::Result<()> {
    System.remove_file(path)
}

/// Removes a file, or a folder and all below it, for good; links are removed, not followed, and
/// that nothing is there is no error.
///
/// # Errors
/// The first that cannot be removed.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let disk: &dyn Disk = &System;
    disk.remove_tree(path)
}

/// Renames a file or folder; never over anything.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], and those of `rename(2)`.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    System.relocate(from, to)
}

/// Gives an open file a name, also if its own is gone meanwhile.
///
/// # Errors
/// Those of `link(2)`.
pub fn link_open_file(file: &File, to: &Path) -> io::Result<()> {
    fail_point::pass();
    let open = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, open, CWD, to, AtFlags::SYMLINK_FOLLOW)?)
}

/// Waits for the lock on a file, which is made if need be: see [`open_lock`].
///
/// # Errors
/// As [`open_lock`].
pub fn lock(path: &Path) -> io::Result<Lock> {
    System.lock(path)
}

/// Waits until everything that was written to a folder's file system is on the disk.
///
/// # Errors
/// If the folder cannot be opened, or the system fails to write.
pub fn sync_file_system(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Waits for the lock on a folder.
///
/// # Errors
/// If it cannot be opened.
pub fn lock_folder(path: &Path) -> io::Result<Lock> {
    System.lock_folder(path)
}

/// Waits for the lock on an open file, which it keeps until the last of its descriptors is closed;
/// returns whether the file system supports locks. Some network file systems do not: there only
/// renames that never replace protect.
///
/// # Errors
/// Those of `flock(2)`.
pub fn wait_for_lock(file: &File) -> io::Result<bool> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Locks an open file until the last of its descriptors is closed; returns whether no other process
/// has it. On a file system without locks it always succeeds.
pub fn try_lock(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK)
}

/// Whether another process has locked this file. The check takes a shared lock for an instant, so
/// that concurrent checks do not see each other as the holder.
pub fn is_locked(file: &File) -> bool {
    let is_locked = flock(file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK);
    if !is_locked {
        // It ends with the file's last descriptor anyway, which a process that is just being
        // started may hold for a moment.
        let _ = flock(file, FlockOperation::Unlock);
    }
    is_locked
}

/// Appends `row` and a line end in one write, so that no reader sees half of it unless the disk is
/// full.
///
/// # Errors
/// If the write fails.
pub fn append_row(file: &mut File, row: &str) -> io::Result<()> {
    file.write_all(format!("{row}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_are_known_again() {
        for path in ["run.json", "a.b", ".hidden", "-1.tmp", "x.12-3.tmp"] {
            let beside = beside(Path::new(path));
            assert!(is_temporary(beside.to_str().unwrap()), "{beside:?}");
            assert_eq!(replaced_by(beside.to_str().unwrap()), Some(path));
            assert!(!is_temporary(path), "{path}");
        }
        for name in [
            ".a.tmp",
            ".a.1.tmp",
            ".a.1-.tmp",
            ".a.1-2-3.tmp",
            ".a.1-x.tmp",
        ] {
            assert!(!is_temporary(name) && replaced_by(name).is_none(), "{name}");
        }
    }

    #[test]
    fn only_what_a_process_of_this_machine_left_is_abandoned() {
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let ours = name(&beside(Path::new("run.json")));
        assert!(!is_abandoned(&ours), "this process lives");
        let process = format!(".{}-", std::process::id());
        // No process has a number as large as this.
        let gone = ours.replace(&process, ".4294967295-");
        assert!(gone != ours && is_abandoned(&gone), "{gone}");
        let elsewhere = format!(".run.json.4294967295-{}.tmp", u64::from(!here()));
        assert!(is_temporary(&elsewhere) && !is_abandoned(&elsewhere));
        assert!(!is_abandoned("run.json") && !is_abandoned(".run.json.tmp"));
    }

    #[test]
    fn links_are_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (outside, link) = (folder.path().join("outside"), folder.path().join("link"));
        fs::write(&outside, "outside").unwrap();
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        assert!(open_lock(&link).is_err());
        assert!(open_append(&link).is_err());
        assert!(create_new(&link).is_err());
        replace_file(&link, b"new").unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"outside");
        assert_eq!(fs::read(&link).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
    }

    #[test]
    fn replaced_files_keep_their_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        for mode in [0o600, 0o664, 0o640, 0o444] {
            let _ = fs::remove_file(&path);
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            replace_file(&path, b"new").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
        }
    }

    /// A list that lets another user read a file as its owner does not: `user::rw-`,
    /// `user:65534:r--`, `group::---`, `mask::r--`, `other::---`.
    fn one_more_reader() -> Vec<u8> {
        let nobody = u32::MAX;
        let entries = [
            (0x01_u16, 6_u16, nobody),
            (0x02, 4, 65534),
            (0x04, 0, nobody),
            (0x10, 4, nobody),
            (0x20, 0, nobody),
        ];
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            list.extend(tag.to_le_bytes());
            list.extend(permissions.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        list
    }

    #[test]
    fn replaced_files_keep_their_access_control_list() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        fs::write(&path, "old").unwrap();
        let list = one_more_reader();
        match rustix::fs::setxattr(&path, ACCESS_LIST, &list, XattrFlags::empty()) {
            Err(Errno::OPNOTSUPP) => {
                println!("did not run: this file system has no access control lists");
                return;
            }
            set => set.unwrap(),
        }
        let mode = fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o640, "the mask stands in the group's place");
        replace_file(&path, b"new").unwrap();
        assert_eq!(access_list(&path).as_deref(), Some(&list[..]));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn failed_replacement_keeps_the_old_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.json");
        replace_file(&path, b"old").unwrap();
        let failed = replace_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
