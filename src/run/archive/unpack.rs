//! Bringing an archived run back: what is missing is unpacked beside, and moved into place once all of it is there. What is in place
//! stays as it is, since it may be newer.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, EntryType};

use super::pack::{MTIME, ROOT, SAME_AS, SPARSE};
use super::{ArchiveError, sparse};
use crate::disk::Disk;
use crate::run::layout::RunDir;
use crate::run::rename::{held, state_now};

/// What was brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files and links that were missing and are there again, below the run's folder.
    pub files: Vec<PathBuf>,
    /// Their bytes.
    pub bytes: u64,
    /// What was there already, and was left as it is.
    pub kept: usize,
    /// Folders that had to be made for them, outermost first.
    pub(super) made: Vec<PathBuf>,
    /// The folders that the archive knows, with their times (ns since 1970) and modes: set last, since whatever moves into one
    /// changes its.
    folders: Vec<(PathBuf, i64, u32)>,
}

/// Brings what is missing of a run back from its archive, which stays. It is unpacked below `staging` first.
///
/// # Errors
/// If the archive is damaged or something cannot be written; then nothing has come back.
pub fn unpack(disk: &dyn Disk, dir: &RunDir, staging: &Path) -> Result<Unpacked, ArchiveError> {
    let archive = dir.archive();
    let refused = |problem: String| ArchiveError::Refused {
        name: crate::text::clean(&dir.name()).into_owned(),
        problem,
    };
    let look = disk.look_for(&archive);
    let look = look.map_err(ArchiveError::io(&archive, "cannot be read"))?;
    if look.is_none() {
        return Err(refused("it is not archived".to_owned()));
    }
    if let Some(problem) = held(state_now(dir)) {
        return Err(refused(problem));
    }
    let root = disk.look(dir.path());
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

/// Gives the folders their times again; called once more after the archive has left the run's folder.
pub fn set_folder_times(disk: &dyn Disk, dir: &RunDir, unpacked: &Unpacked) {
    // The innermost first.
    for (below, time, _) in unpacked.folders.iter().rev() {
        set_time(disk, &dir.path().join(below), *time);
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
    let file = disk
        .open(archive)
        .map_err(ArchiveError::io(archive, "cannot be read"))?;
    let packed = zstd::Decoder::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
    let mut read = Archive::new(packed);
    let mut staged: HashSet<PathBuf> = HashSet::new();
    let mut unpacked = Unpacked::default();
    for entry in read.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let below = match entry.path() {
            Ok(path) if *path == *Path::new(ROOT) => PathBuf::new(),
            Ok(path) => path.into_owned(),
            Err(error) => return Err(damaged(&error)),
        };
        // An archive from elsewhere must not write anywhere else.
        if !below
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(damaged(&format!("it holds {}", below.display())));
        }
        let about = about(&mut entry).map_err(|error| damaged(&error))?;
        let header = entry.header();
        let mode = header.mode().map_err(|error| damaged(&error))? & 0o7777;
        let kind = header.entry_type();
        if kind == EntryType::Directory {
            unpacked.folders.push((below, about.modified_ns, mode));
            continue;
        }
        let path = staging.join(&below);
        let failed = || ArchiveError::io(&path, "cannot be unpacked");
        if disk
            .look_for(&dir.path().join(&below))
            .map_err(failed())?
            .is_some()
        {
            unpacked.kept += 1;
            continue;
        }
        let folder = path.parent().unwrap_or(staging);
        disk.make_folders(folder).map_err(failed())?;
        match kind {
            EntryType::Regular => {
                let size = header.size().map_err(|error| damaged(&error))?;
                let same = about.same_as.as_ref().filter(|same| staged.contains(*same));
                if let Some(same) = same {
                    disk.hard_link(&staging.join(same), &path)
                        .map_err(failed())?;
                } else {
                    let mut count = 0;
                    let written = disk.write(&path, &mut |out| {
                        count = if about.is_sparse {
                            sparse::copy(&mut entry, out)?
                        } else {
                            io::copy(&mut entry, out)?
                        };
                        Ok(())
                    });
                    written
                        .and_then(|()| disk.set_mode(&path, mode))
                        .map_err(failed())?;
                    if count != size {
                        return Err(damaged(&format!("{} is cut off in it", below.display())));
                    }
                    unpacked.bytes += count;
                }
            }
            EntryType::Symlink => {
                let target = entry.link_name().map_err(|error| damaged(&error))?;
                let target = target.ok_or_else(|| damaged(&"a link in it leads nowhere"))?;
                disk.make_link(&target, &path).map_err(failed())?;
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
    // The checksum stands at the end, behind what the last entry needs.
    io::copy(&mut read.into_inner(), &mut io::sink()).map_err(|error| damaged(&error))?;
    Ok(unpacked)
}

/// Moves what was unpacked into place: all of it, or nothing.
fn settle(
    disk: &dyn Disk,
    dir: &RunDir,
    staging: &Path,
    unpacked: &mut Unpacked,
) -> Result<(), ArchiveError> {
    let mut moved = 0;
    let settled = move_in(disk, dir, staging, unpacked, &mut moved);
    if settled.is_err() {
        // What cannot be taken back is whole, and is kept by a second try.
        for below in unpacked.files[..moved].iter().rev() {
            let _ = disk.relocate(&dir.path().join(below), &staging.join(below));
        }
        for below in unpacked.made.iter().rev() {
            let _ = disk.remove_folder(&dir.path().join(below));
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
    for (below, _, mode) in &unpacked.folders {
        let path = dir.path().join(below);
        let failed = || ArchiveError::io(&path, "cannot be made");
        if disk.look_for(&path).map_err(failed())?.is_none() {
            disk.make_folder(&path).map_err(failed())?;
            unpacked.made.push(below.clone());
            disk.set_mode(&path, *mode).map_err(failed())?;
        }
    }
    for below in &unpacked.files {
        let path = dir.path().join(below);
        disk.relocate(&staging.join(below), &path)
            .map_err(ArchiveError::io(&path, "cannot be brought back"))?;
        *moved += 1;
    }
    // On the disk before the archive leaves its place.
    for (below, ..) in &unpacked.folders {
        let path = dir.path().join(below);
        disk.sync_folder(&path)
            .map_err(ArchiveError::io(&path, "cannot be written"))?;
    }
    Ok(())
}

/// What an entry says beside its header.
struct About {
    /// When it was last changed, in nanoseconds since 1970.
    modified_ns: i64,
    /// Whether it had holes.
    is_sparse: bool,
    /// Of which entry before it it is another name.
    same_as: Option<PathBuf>,
}

fn about(entry: &mut tar::Entry<impl Read>) -> io::Result<About> {
    let seconds = entry.header().mtime()? as i64;
    let mut about = About {
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
fn set_time(disk: &dyn Disk, path: &Path, modified_ns: i64) {
    if let Err(error) = disk.set_modified(path, modified_ns) {
        log::warn!("{}: keeps a time of today: {error}", path.display());
    }
}
