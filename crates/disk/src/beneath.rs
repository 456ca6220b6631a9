//! A disk that is confined to one folder. Every call walks from a descriptor of that folder, one
//! component at a time, and follows no link, so that no user who may write to the tree can lead a
//! call out of it: not by a `..`, not by a link, and not by exchanging a folder for a link between
//! a check and its use. `openat2` would do it in one call, but Linux 4.18 lacks it.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, linkat, mkdirat, openat, readlinkat,
    renameat, renameat_with, statat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::{Disk, FileStat, Fill, Lock, fail_point, locked, modified_at, read, synced};

/// Who may use what is made here is for the umask to say.
const ANYBODY: Mode = Mode::from_raw_mode(0o777);
const ANYBODY_BUT_RUN: Mode = Mode::from_raw_mode(0o666);

/// The folder, and a descriptor of it.
#[derive(Debug)]
pub struct RootedDir {
    root: PathBuf,
    folder: OwnedFd,
}

/// Where a path leads: the descriptor of the folder it is in, and its name there; `.` for the root
/// itself.
struct Place<'a> {
    folder: OwnedFd,
    name: &'a OsStr,
}

#[cfg(test)]
thread_local! {
    /// How many files and folders this thread has opened here.
    static OPENED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Place<'_> {
    fn open(&self, flags: OFlags, mode: Mode) -> io::Result<File> {
        #[cfg(test)]
        OPENED.with(|opened| opened.set(opened.get() + 1));
        // Without NONBLOCK, opening a pipe waits for its other end.
        let always = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = openat(&self.folder, self.name, flags | always, mode);
        Ok(opened.map(File::from)?)
    }

    fn open_folder(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        self.open(flags, Mode::empty())
            .map_err(|error| self.explained(error))
    }

    /// Explains an error if it is a link: `ENOTDIR` is also the error for a missing file.
    fn explained(&self, error: io::Error) -> io::Error {
        let is_link = || {
            let stat = statat(&self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW);
            stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
        };
        let is_loop = error.raw_os_error() == Some(Errno::LOOP.raw_os_error());
        if (is_loop || error.kind() == ErrorKind::NotADirectory) && is_link() {
            let name = self.name.display();
            let message = format!("{name} is a link, which is not followed here");
            return io::Error::new(ErrorKind::InvalidInput, message);
        }
        error
    }
}

impl RootedDir {
    /// Confines calls to a folder, whose own path may hold links.
    ///
    /// # Errors
    /// If it is no folder, or may not be entered.
    pub fn new(root: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            root: root.to_owned(),
            folder: openat(CWD, root, flags, Mode::empty())?,
        })
    }

    fn place<'a>(&self, path: &'a Path) -> io::Result<Place<'a>> {
        let outside = || {
            let message = format!("is not below {}", self.root.display());
            io::Error::new(ErrorKind::InvalidInput, message)
        };
        let below = path.strip_prefix(&self.root).map_err(|_| outside())?;
        let mut place = Place {
            folder: self.folder.try_clone()?,
            name: OsStr::new("."),
        };
        for (number, part) in below.components().enumerate() {
            let Component::Normal(name) = part else {
                return Err(outside());
            };
            if number > 0 {
                let flags = OFlags::PATH | OFlags::DIRECTORY;
                let opened = place.open(flags, Mode::empty());
                place.folder = opened.map_err(|error| place.explained(error))?.into();
            }
            place.name = name;
        }
        Ok(place)
    }

    /// Opens a lock's file, and makes it if it is not there: as [`super::write::open_lock`].
    ///
    /// # Errors
    /// Those of `open(2)`, and [`ErrorKind::InvalidInput`] if it is not a regular file, or there is
    /// a link in its path.
    pub fn open_lock(&self, path: &Path) -> io::Result<File> {
        fail_point::pass();
        let place = self.place(path)?;
        let opened = match place.open(OFlags::RDWR | OFlags::CREATE, ANYBODY_BUT_RUN) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                place.open(OFlags::RDONLY, Mode::empty())
            }
            opened => opened,
        };
        read::regular(opened.map_err(|error| place.explained(error))?)
    }

    /// Opens a file to append to it, and makes it if it is not there: as
    /// [`super::write::open_append`].
    ///
    /// # Errors
    /// As [`RootedDir::open_lock`].
    pub fn open_append(&self, path: &Path) -> io::Result<File> {
        fail_point::pass();
        let place = self.place(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND;
        let opened = place.open(flags, ANYBODY_BUT_RUN);
        read::regular(opened.map_err(|error| place.explained(error))?)
    }

    fn open_file(&self, path: &Path) -> io::Result<File> {
        let place = self.place(path)?;
        let file = place.open(OFlags::RDONLY, Mode::empty());
        read::regular(file.map_err(|error| place.explained(error))?)
    }
}

impl Disk for RootedDir {
    fn beneath(&self, root: &Path) -> io::Result<Arc<dyn Disk>> {
        let place = self.place(root)?;
        let opened = place.open(OFlags::PATH | OFlags::DIRECTORY, Mode::empty());
        Ok(Arc::new(Self {
            root: root.to_owned(),
            folder: opened.map_err(|error| place.explained(error))?.into(),
        }))
    }

    fn stat(&self, path: &Path) -> io::Result<FileStat> {
        Ok(FileStat::of(&self.metadata(path)?))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let place = self.place(path)?;
        place.open(OFlags::PATH, Mode::empty())?.metadata()
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        path.canonicalize()
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::new(self.place(folder)?.open_folder()?)? {
            let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read::limited(self.open_file(path)?, read::JOURNAL_LIMIT)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        locked(self.open_lock(path)?)
    }

    fn lock_folder(&self, path: &Path) -> io::Result<Lock> {
        fail_point::pass();
        locked(self.place(path)?.open_folder()?)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        let place = self.place(path)?;
        Ok(mkdirat(&place.folder, place.name, ANYBODY)?)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(self.open_file(path)?))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let place = self.place(path)?;
        let target = readlinkat(&place.folder, place.name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()).into())
    }

    fn write(&self, path: &Path, fill: Fill) -> io::Result<()> {
        fail_point::pass();
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let mut out = self.place(path)?.open(flags, ANYBODY_BUT_RUN)?;
        fill(&mut out)?;
        out.sync_all()
    }

    fn make_link(&self, target: &Path, path: &Path) -> io::Result<()> {
        fail_point::pass();
        let place = self.place(path)?;
        Ok(symlinkat(target, &place.folder, place.name)?)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fail_point::pass();
        let (from, to) = (self.place(from)?, self.place(to)?);
        let no_flags = AtFlags::empty();
        Ok(linkat(
            &from.folder,
            from.name,
            &to.folder,
            to.name,
            no_flags,
        )?)
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        fail_point::pass();
        let (from, to) = (self.place(from)?, self.place(to)?);
        Ok(renameat(&from.folder, from.name, &to.folder, to.name)?)
    }

    fn relocate(&self, from: &Path, to: &Path) -> io::Result<()> {
        fail_point::pass();
        let (from, to) = (self.place(from)?, self.place(to)?);
        let flags = RenameFlags::NOREPLACE;
        match renameat_with(&from.folder, from.name, &to.folder, to.name, flags) {
            // Some network file systems do not support this: then a check before must do.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if statat(&to.folder, to.name, AtFlags::SYMLINK_NOFOLLOW).is_ok() {
                    return Err(Errno::EXIST.into());
                }
                Ok(renameat(&from.folder, from.name, &to.folder, to.name)?)
            }
            done => Ok(done?),
        }
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        synced(&self.place(path)?.open_folder()?)
    }

    fn set_modified(&self, path: &Path, modified_ns: i64) -> io::Result<()> {
        fail_point::pass();
        let place = self.place(path)?;
        let times = modified_at(modified_ns);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(utimensat(&place.folder, place.name, &times, flags)?)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        fail_point::pass();
        let file = self.place(path)?.open(OFlags::RDONLY, Mode::empty())?;
        file.set_permissions(PermissionsExt::from_mode(mode))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        let place = self.place(path)?;
        Ok(unlinkat(&place.folder, place.name, AtFlags::empty())?)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fail_point::pass();
        let place = self.place(path)?;
        Ok(unlinkat(&place.folder, place.name, AtFlags::REMOVEDIR)?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A tree with a folder, a file, and links to an outside folder and file at every level.
    fn tree() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let (root, outside) = (place.path().join("root"), place.path().join("outside"));
        for folder in [&root.join("folder/inner"), &outside] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(root.join("file"), "inside").unwrap();
        fs::write(outside.join("file"), "outside").unwrap();
        fs::create_dir(outside.join("empty")).unwrap();
        symlink(&outside, root.join("link")).unwrap();
        symlink("../../outside", root.join("folder/link")).unwrap();
        symlink(outside.join("file"), root.join("file_link")).unwrap();
        (place, root, outside)
    }

    fn listed(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap_or_default();
            (path, bytes)
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort();
        entries
    }

    #[test]
    fn no_call_leads_out_of_the_root() {
        let (_place, root, outside) = tree();
        let before = listed(&outside);
        let disk = RootedDir::new(&root).unwrap();
        let inside = root.join("file");
        let mut tried = 0;
        for path in [
            root.join("link/file"),
            root.join("link/new"),
            root.join("link/empty"),
            root.join("folder/link/file"),
            root.join("folder/link/new"),
            root.join("../outside/file"),
            root.join("folder/../../outside/new"),
            outside.join("file"),
            outside.join("new"),
            PathBuf::from("relative"),
        ] {
            let done = [
                disk.stat(&path).is_ok(),
                disk.names(&path).is_ok(),
                disk.read(&path).is_ok(),
                disk.open(&path).is_ok(),
                disk.read_link(&path).is_ok(),
                disk.lock(&path).is_ok(),
                disk.lock_folder(&path).is_ok(),
                disk.make_folder(&path).is_ok(),
                disk.write(&path, &mut |_| Ok(())).is_ok(),
                disk.make_link(Path::new("x"), &path).is_ok(),
                disk.hard_link(&inside, &path).is_ok(),
                disk.hard_link(&path, &root.join("new")).is_ok(),
                disk.replace(&inside, &path).is_ok(),
                disk.replace(&path, &root.join("new")).is_ok(),
                disk.relocate(&inside, &path).is_ok(),
                disk.relocate(&path, &root.join("new")).is_ok(),
                disk.sync_folder(&path).is_ok(),
                disk.set_modified(&path, 1).is_ok(),
                disk.set_mode(&path, 0o600).is_ok(),
                disk.remove_file(&path).is_ok(),
                disk.remove_folder(&path).is_ok(),
                disk.beneath(&path).is_ok(),
            ];
            assert!(!done.contains(&true), "{path:?}: {done:?}");
            tried += done.len();
        }
        assert_eq!(tried, 220);
        assert_eq!(listed(&outside), before);
        assert_eq!(fs::read(&inside).unwrap(), b"inside");
    }

    #[test]
    fn links_are_acted_upon_and_never_followed() {
        let (_place, root, outside) = tree();
        let before = listed(&outside);
        let disk = RootedDir::new(&root).unwrap();
        let (link, folder_link) = (root.join("file_link"), root.join("link"));
        assert_eq!(disk.stat(&link).unwrap().kind, super::super::Kind::Link);
        for path in [&link, &folder_link] {
            assert!(disk.read(path).is_err() && disk.lock(path).is_err());
            assert!(disk.names(path).is_err() && disk.set_mode(path, 0o600).is_err());
        }
        disk.set_modified(&link, 1_000_000_000).unwrap();
        disk.relocate(&link, &root.join("folder/moved")).unwrap();
        let confined: &dyn Disk = &disk;
        confined.remove_tree(&root.join("folder")).unwrap();
        confined.remove_tree(&folder_link).unwrap();
        assert_eq!(listed(&outside), before);
        let error = disk.stat(&root.join("file/below")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotADirectory);
    }

    #[test]
    fn removing_a_deep_tree_opens_in_proportion_to_its_depth() {
        let opened = |depth: usize| {
            let place = tempfile::tempdir().unwrap();
            let disk = RootedDir::new(place.path()).unwrap();
            let top = place.path().join("top");
            let deep = top.join("d/".repeat(depth));
            fs::create_dir_all(&deep).unwrap();
            fs::write(deep.join("file"), "x").unwrap();
            symlink(place.path(), deep.join("link")).unwrap();
            let before = OPENED.get();
            let confined: &dyn Disk = &disk;
            confined.remove_tree(&top).unwrap();
            assert!(!top.exists() && place.path().exists());
            OPENED.get() - before
        };
        let [short, long] = [200, 800].map(opened);
        assert!(long <= 5 * short, "{short} openings, then {long}");
    }

    #[test]
    fn a_tree_that_is_deeper_than_any_path_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let disk = RootedDir::new(place.path()).unwrap();
        let top = place.path().join("top");
        fs::create_dir(&top).unwrap();
        // Longer than `PATH_MAX`, and deeper than a stack would bear.
        let mut folder: OwnedFd = File::open(&top).unwrap().into();
        for _ in 0..1500 {
            mkdirat(&folder, "folder", ANYBODY).unwrap();
            let flags = OFlags::PATH | OFlags::DIRECTORY;
            folder = openat(&folder, "folder", flags, Mode::empty()).unwrap();
        }
        drop(folder);
        let confined: &dyn Disk = &disk;
        confined.remove_tree(&top).unwrap();
        assert!(!top.exists());
    }

    #[test]
    fn the_root_itself_and_what_is_in_it_are_used_as_by_path() {
        let (_place, root, _outside) = tree();
        let disk = RootedDir::new(&root).unwrap();
        disk.set_modified(&root, 5_000_000_000).unwrap();
        assert_eq!(disk.stat(&root).unwrap(), FileStat::at(&root).unwrap());
        let mut names = disk.names(&root).unwrap();
        names.sort();
        assert_eq!(names, ["file", "file_link", "folder", "link"]);
        disk.sync_folder(&root).unwrap();
        disk.write(&root.join("folder/new"), &mut |_| Ok(()))
            .unwrap();
        let again = disk.write(&root.join("folder/new"), &mut |_| Ok(()));
        assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
        let taken = disk.relocate(&root.join("file"), &root.join("folder/new"));
        assert_eq!(taken.unwrap_err().kind(), ErrorKind::AlreadyExists);
        let target = disk.read_link(&root.join("folder/link")).unwrap();
        assert_eq!(target, Path::new("../../outside"));
    }
}
