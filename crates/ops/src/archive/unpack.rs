//! Bringing an archived run back: what is missing is unpacked beside, and moved into place once all
//! of it is there. What is in place stays as it is, since it may be newer.
//!
//! Anybody may have made the archive. The disk is confined to the run's folder and follows no link
//! there; links are made last, and only those that lead to a place in the run; nothing but the nine
//! bits of a mode is given back; and the archive is read through once before anything is written,
//! so that one that is damaged, or takes memory without end, leaves nothing behind.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::Permissions;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use tar::{Archive, EntryType, PaxExtensions};

use super::links::leads_inside;
use super::pack::{MTIME, ROOT, SAME_AS, SPARSE};
use super::{ArchiveError, MAX_ENTRIES, sparse};
use crate::rename::{held, state_now};
use traintop_disk::Disk;
use traintop_run::layout::RunDir;
use traintop_text::{bytes, clean};

/// Limit of the header fields of one file, its name included, in bytes.
const MAX_FIELD_BYTES: u64 = 1 << 20;
/// Limit of the zeros after the last entry, with which some programs fill a block, in bytes. A
/// small archive may unpack to endless zeros.
const MAX_END_BYTES: u64 = 1 << 20;
/// Limit of nesting of folders in an archive. Each call on a path walks down from the run's folder.
const MAX_DEPTH: usize = 64;
const NOT_OURS: &str = "it holds a file in a form that traintop never packs";

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files and links that were missing and are there again, below the run's folder.
    pub files: Vec<PathBuf>,
    /// Their bytes.
    pub bytes: u64,
    /// What was there already, and was left as it is.
    pub kept: usize,
    /// Links that lead out of the run, and were not made.
    pub left_out: Vec<PathBuf>,
    /// Folders that had to be made for them, outermost first.
    pub(super) made: Vec<PathBuf>,
    /// The folders in the archive. Their times are set last, since moving something into a folder
    /// changes its time.
    folders: Vec<ArchivedFolder>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ArchivedFolder {
    /// Below the run's folder.
    below: PathBuf,
    /// In nanoseconds since 1970.
    modified_ns: i64,
    mode: u32,
}

impl Unpacked {
    /// The end of a sentence about the links that were left out; empty if none was.
    pub fn left_out_sentence(&self) -> String {
        let Some(first) = self.left_out.first() else {
            return String::new();
        };
        let first = clean(&first.to_string_lossy()).into_owned();
        match self.left_out.len() {
            1 => format!("; {first} was left out, a link that leads out of the run"),
            count => format!(
                "; {first} and {} more were left out, links that lead out of the run",
                count - 1
            ),
        }
    }
}

/// Brings what is missing of a run back from its archive, which stays. It is unpacked below
/// `staging` first.
///
/// # Errors
/// If the archive is damaged or something cannot be written; then nothing is restored.
pub fn unpack(disk: &dyn Disk, dir: &RunDir, staging: &Path) -> Result<Unpacked, ArchiveError> {
    let archive = dir.archive();
    let refused = |problem: String| ArchiveError::Refused {
        name: clean(&dir.name()).into_owned(),
        problem,
    };
    let stat = disk.stat_if_exists(&archive);
    let stat = stat.map_err(ArchiveError::io(&archive, "cannot be read"))?;
    if stat.is_none() {
        return Err(refused("it is not archived".to_owned()));
    }
    if let Some(problem) = held(state_now(dir)) {
        return Err(refused(problem));
    }
    let root = disk.stat(dir.path());
    let root = root.map_err(ArchiveError::io(dir.path(), "cannot be read"))?;
    let unpacked = stage(disk, dir, &archive, staging);
    let unpacked = unpacked.and_then(|mut unpacked| {
        settle(disk, dir, staging, &mut unpacked)?;
        Ok(unpacked)
    });
    if let Err(error) = disk.remove_tree(staging) {
        log::warn!("{}: is left behind: {error}", staging.display());
    }
    match &unpacked {
        Ok(unpacked) => set_folder_times(disk, dir, unpacked),
        Err(_) => set_time(disk, dir.path(), root.modified_ns),
    }
    unpacked
}

/// Gives the folders their times again; called once more after the archive has left the run's
/// folder.
pub fn set_folder_times(disk: &dyn Disk, dir: &RunDir, unpacked: &Unpacked) {
    // The innermost first.
    for folder in unpacked.folders.iter().rev() {
        set_time(disk, &dir.path().join(&folder.below), folder.modified_ns);
    }
}

/// Reads an archive from end to end, and refuses one that is damaged, or that takes more memory
/// than one of ours or more room than is free.
fn inspect(disk: &dyn Disk, dir: &RunDir, archive: &Path) -> Result<(), ArchiveError> {
    let damaged = |what: &dyn std::fmt::Display| ArchiveError::Damaged {
        path: archive.to_owned(),
        what: what.to_string(),
    };
    let free = rustix::fs::statvfs(dir.path())
        .map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    let (mut needed, mut takes_room) = (0_u64, true);
    let mut read = opened(disk, archive)?;
    let entries = read.entries().map_err(|error| damaged(&error))?;
    for (number, entry) in entries.raw(true).enumerate() {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let header = entry.header();
        let kind = header.entry_type();
        let is_about_another = kind.is_gnu_longname()
            || kind.is_gnu_longlink()
            || kind.is_pax_local_extensions()
            || kind.is_pax_global_extensions();
        let size = header.entry_size().map_err(|error| damaged(&error))?;
        if is_about_another && size > MAX_FIELD_BYTES {
            return Err(damaged(&"the header of an entry is too long"));
        }
        if kind.is_pax_local_extensions() {
            let mut fields = Vec::new();
            entry
                .read_to_end(&mut fields)
                .map_err(|error| damaged(&error))?;
            let keys = PaxExtensions::new(&fields).flatten();
            let keys: Vec<_> = keys.filter_map(|field| field.key().ok()).collect();
            // With another length than in its header, the next entries would not be those that are
            // checked here.
            if keys.contains(&"size") {
                return Err(damaged(&NOT_OURS));
            }
            takes_room = !keys.contains(&SPARSE) && !keys.contains(&SAME_AS);
            continue;
        }
        if kind.is_gnu_sparse() {
            return Err(damaged(&NOT_OURS));
        }
        if std::mem::replace(&mut takes_room, true) {
            needed = needed.saturating_add(size);
        }
        if needed > free {
            return Err(ArchiveError::Refused {
                name: clean(&dir.name()).into_owned(),
                problem: format!(
                    "its archive unpacks to {} or more, and {} are free",
                    bytes(needed),
                    bytes(free)
                ),
            });
        }
        // Each may have one entry about it.
        if number > 2 * MAX_ENTRIES {
            return Err(damaged(&"it holds more files than traintop packs"));
        }
    }
    // The checksum is at the end, after the last entry.
    let mut rest = read.into_inner().take(MAX_END_BYTES + 1);
    let rest = io::copy(&mut rest, &mut io::sink()).map_err(|error| damaged(&error))?;
    if rest > MAX_END_BYTES {
        return Err(damaged(&"it continues after its end"));
    }
    Ok(())
}

type Packed = Archive<zstd::Decoder<'static, BufReader<Box<dyn Read>>>>;

fn opened(disk: &dyn Disk, archive: &Path) -> Result<Packed, ArchiveError> {
    let file = disk
        .open(archive)
        .map_err(ArchiveError::io(archive, "cannot be read"))?;
    let packed = zstd::Decoder::new(file);
    let packed = packed.map_err(|error| ArchiveError::Damaged {
        path: archive.to_owned(),
        what: error.to_string(),
    })?;
    Ok(Archive::new(packed))
}

/// The error that something in an archive could not be unpacked, so that nothing was restored. The
/// path is the one in the archive: the temporary one is gone again.
fn failed(archive: &Path, below: &Path, what: &str) -> impl FnOnce(io::Error) -> ArchiveError {
    let (archive, what) = (archive.to_owned(), format!("{} {what}", below.display()));
    move |cause| ArchiveError::NotUnpacked {
        archive,
        what,
        cause,
        came_back: "nothing was restored".to_owned(),
    }
}

/// Unpacks all that is missing below `staging`.
fn stage(
    disk: &dyn Disk,
    dir: &RunDir,
    archive: &Path,
    staging: &Path,
) -> Result<Unpacked, ArchiveError> {
    let damaged = |what: &dyn std::fmt::Display| ArchiveError::Damaged {
        path: archive.to_owned(),
        what: what.to_string(),
    };
    inspect(disk, dir, archive)?;
    // No other user may read it before everything has its mode.
    disk.make_folder(staging)
        .and_then(|()| disk.set_mode(staging, 0o700))
        .map_err(failed(
            archive,
            Path::new("a folder"),
            "to unpack it into cannot be made",
        ))?;
    let mut read = opened(disk, archive)?;
    let mut staged: HashSet<PathBuf> = HashSet::new();
    let mut links: Vec<Link> = Vec::new();
    let mut unpacked = Unpacked::default();
    for entry in read.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let below = place_of(&entry).map_err(|what| damaged(&what))?;
        let about = about(&mut entry).map_err(|error| damaged(&error))?;
        let header = entry.header();
        let mode = header.mode().map_err(|error| damaged(&error))? & 0o777;
        let kind = header.entry_type();
        if kind == EntryType::Directory {
            unpacked.folders.push(ArchivedFolder {
                below,
                modified_ns: about.modified_ns,
                mode,
            });
            continue;
        }
        let path = staging.join(&below);
        let failed = || failed(archive, &below, "in it cannot be unpacked");
        if disk
            .stat_if_exists(&dir.path().join(&below))
            .map_err(failed())?
            .is_some()
        {
            unpacked.kept += 1;
            continue;
        }
        match kind {
            EntryType::Regular => {
                let folder = path.parent().unwrap_or(staging);
                disk.make_folders(folder).map_err(failed())?;
                let size = header.size().map_err(|error| damaged(&error))?;
                let same = about.same_as.as_ref().filter(|same| staged.contains(*same));
                if let Some(same) = same {
                    disk.hard_link(&staging.join(same), &path)
                        .map_err(failed())?;
                } else {
                    let mut count = 0;
                    let written = disk.write(&path, &mut |out| {
                        out.set_permissions(Permissions::from_mode(mode))?;
                        count = if about.is_sparse {
                            sparse::copy(&mut entry, out)?
                        } else {
                            io::copy(&mut entry, out)?
                        };
                        Ok(())
                    });
                    written.map_err(failed())?;
                    if count != size {
                        return Err(damaged(&format!("{} is cut off in it", below.display())));
                    }
                    unpacked.bytes += count;
                }
            }
            EntryType::Symlink => {
                let target = entry.link_name().map_err(|error| damaged(&error))?;
                let target = target.ok_or_else(|| damaged(&"a link in it leads nowhere"))?;
                if leads_inside(&below, &target) {
                    links.push(Link {
                        target: target.into_owned(),
                        modified_ns: about.modified_ns,
                        below,
                    });
                } else {
                    unpacked.left_out.push(below);
                }
                continue;
            }
            _ => {
                return Err(damaged(&format!(
                    "{} in it is neither file nor link",
                    below.display()
                )));
            }
        }
        disk.set_modified(&path, about.modified_ns)
            .map_err(failed())?;
        staged.insert(below.clone());
        unpacked.files.push(below);
    }
    make_links(disk, archive, staging, links, &mut unpacked)?;
    Ok(unpacked)
}

/// Where an entry belongs, below the run's folder; an archive from elsewhere must not write
/// anywhere else.
fn place_of(entry: &tar::Entry<impl Read>) -> Result<PathBuf, String> {
    let below = match entry.path() {
        Ok(path) if *path == *Path::new(ROOT) => PathBuf::new(),
        Ok(path) => path.into_owned(),
        Err(error) => return Err(error.to_string()),
    };
    let mut parts = below.components();
    if parts.any(|part| !matches!(part, Component::Normal(_))) {
        return Err(format!("it holds {}", below.display()));
    }
    if below.components().count() > MAX_DEPTH {
        return Err(format!("it holds folders more than {MAX_DEPTH} deep"));
    }
    let is_folder = entry.header().entry_type() == EntryType::Directory;
    if below.as_os_str().is_empty() && !is_folder {
        return Err("it holds a file without a name".to_owned());
    }
    Ok(below)
}

/// A link in an archive, to be made when no file follows any more.
struct Link {
    below: PathBuf,
    target: PathBuf,
    modified_ns: i64,
}

fn make_links(
    disk: &dyn Disk,
    archive: &Path,
    staging: &Path,
    links: Vec<Link>,
    unpacked: &mut Unpacked,
) -> Result<(), ArchiveError> {
    for link in links {
        let path = staging.join(&link.below);
        disk.make_folders(path.parent().unwrap_or(staging))
            .and_then(|()| disk.make_link(&link.target, &path))
            .and_then(|()| disk.set_modified(&path, link.modified_ns))
            .map_err(failed(archive, &link.below, "in it cannot be unpacked"))?;
        unpacked.files.push(link.below);
    }
    Ok(())
}

/// Moves what was unpacked into place: all of it, or nothing.
fn settle(
    disk: &dyn Disk,
    dir: &RunDir,
    staging: &Path,
    unpacked: &mut Unpacked,
) -> Result<(), ArchiveError> {
    let mut moved = 0;
    let mut settled = move_in(disk, dir, staging, unpacked, &mut moved);
    if let Err(error) = &mut settled {
        // What cannot be undone is whole, and is kept by a second try.
        let mut stays = Vec::new();
        for below in unpacked.files[..moved].iter().rev() {
            let back = disk.relocate(&dir.path().join(below), &staging.join(below));
            if back.is_err() {
                stays.push(below);
            }
        }
        for below in unpacked.made.iter().rev() {
            let _ = disk.remove_folder(&dir.path().join(below));
        }
        if let (ArchiveError::NotUnpacked { came_back, .. }, Some(first)) = (error, stays.first()) {
            *came_back = match stays.len() {
                1 => format!("{} is back in place", first.display()),
                count => format!(
                    "{} and {} more are back in place",
                    first.display(),
                    count - 1
                ),
            };
        }
    }
    settled
}

fn move_in(
    disk: &dyn Disk,
    dir: &RunDir,
    staging: &Path,
    unpacked: &mut Unpacked,
    moved: &mut usize,
) -> Result<(), ArchiveError> {
    let archive = dir.archive();
    // What a folder may not be until everything is in it.
    let mut closed: Vec<(&Path, u32)> = Vec::new();
    for ArchivedFolder { below, mode, .. } in &unpacked.folders {
        let path = dir.path().join(below);
        let failed = || failed(&archive, below, "cannot be made");
        if disk.stat_if_exists(&path).map_err(failed())?.is_none() {
            disk.make_folder(&path).map_err(failed())?;
            unpacked.made.push(below.clone());
            // What is made in a folder that passes its group on does so too.
            let inherited = disk.metadata(&path).map_err(failed())?.mode() & 0o2000;
            let mode = mode | inherited;
            disk.set_mode(&path, mode | 0o700).map_err(failed())?;
            if mode & 0o700 != 0o700 {
                closed.push((below, mode));
            }
        }
    }
    for below in &unpacked.files {
        let path = dir.path().join(below);
        disk.relocate(&staging.join(below), &path).map_err(failed(
            &archive,
            below,
            "cannot be moved into place",
        ))?;
        *moved += 1;
    }
    // On the disk before the archive leaves its place.
    for ArchivedFolder { below, .. } in &unpacked.folders {
        let path = dir.path().join(below);
        disk.sync_folder(&path)
            .map_err(failed(&archive, below, "cannot be written"))?;
    }
    for (below, mode) in closed.iter().rev() {
        disk.set_mode(&dir.path().join(below), *mode)
            .map_err(failed(&archive, below, "cannot be closed"))?;
    }
    Ok(())
}

/// Attributes of an entry beyond its header.
struct EntryAttributes {
    /// When it was last changed, in nanoseconds since 1970.
    modified_ns: i64,
    /// Whether it had holes.
    is_sparse: bool,
    /// Of which entry before it it is another name.
    same_as: Option<PathBuf>,
}

fn about(entry: &mut tar::Entry<impl Read>) -> io::Result<EntryAttributes> {
    let seconds = entry.header().mtime()? as i64;
    let mut about = EntryAttributes {
        modified_ns: seconds.saturating_mul(1_000_000_000),
        is_sparse: false,
        same_as: None,
    };
    for field in entry.pax_extensions()?.into_iter().flatten() {
        let field = field?;
        match field.key() {
            Ok(MTIME) => {
                let time = field.value().ok().and_then(|value| value.split_once('.'));
                if let Some((seconds, nanoseconds)) = time
                    && let (Ok(seconds), Ok(nanoseconds)) =
                        (seconds.parse::<i64>(), nanoseconds.parse::<i64>())
                {
                    about.modified_ns = seconds
                        .saturating_mul(1_000_000_000)
                        .saturating_add(nanoseconds);
                }
            }
            Ok(SPARSE) => about.is_sparse = true,
            Ok(SAME_AS) => {
                about.same_as = Some(PathBuf::from(OsStr::from_bytes(field.value_bytes())));
            }
            _ => {}
        }
    }
    Ok(about)
}

/// Sets when a folder was last changed. A file system that keeps no times loses nothing by it.
pub fn set_time(disk: &dyn Disk, path: &Path, modified_ns: i64) {
    if let Err(error) = disk.set_modified(path, modified_ns) {
        log::warn!("{}: keeps a time of today: {error}", path.display());
    }
}
