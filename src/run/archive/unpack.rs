//! Bringing an archived run back: what is missing is unpacked beside, and moved into place once all of it is there. What is in place
//! stays as it is, since it may be newer.

use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use tar::{Archive, EntryType};

use super::ArchiveError;
use super::pack::{MTIME, ROOT};
use crate::run::layout::RunDir;
use crate::run::rename::{held, move_without_replacing, state_now};
use crate::run::write::beside;

/// What was brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unpacked {
    /// Files and links that were missing and are there again, below the run's folder.
    pub files: Vec<PathBuf>,
    /// Their bytes.
    pub bytes: u64,
    /// What was there already, and was left as it is.
    pub kept: usize,
    /// The folders that the archive knows, with their times: set last, since whatever moves into one changes its.
    folders: Vec<(PathBuf, Option<Timespec>, u32)>,
}

/// Brings what is missing of a run back from its archive, which stays.
///
/// # Errors
/// If the archive is damaged or something cannot be written; then nothing has come back, or all that did stays and a second try
/// brings the rest.
pub fn unpack(dir: &RunDir) -> Result<Unpacked, ArchiveError> {
    let archive = dir.archive();
    let refused = |problem: String| ArchiveError::Refused {
        name: crate::text::clean(&dir.name()).into_owned(),
        problem,
    };
    if !archive.exists() {
        return Err(refused("it is not archived".to_owned()));
    }
    if let Some(problem) = held(state_now(dir)) {
        return Err(refused(problem));
    }
    // Beside what it is to become, so that moving it into place takes no time; hidden, and known as temporary.
    let staging = beside(&dir.path().join("unarchived"));
    let unpacked = stage(dir, &archive, &staging);
    let unpacked = unpacked.and_then(|unpacked| {
        settle(dir, &staging, &unpacked)?;
        Ok(unpacked)
    });
    let cleared = fs::remove_dir_all(&staging);
    if let (Ok(_), Err(error)) = (&unpacked, cleared)
        && error.kind() != io::ErrorKind::NotFound
    {
        log::warn!("{}: is left behind: {error}", staging.display());
    }
    let unpacked = unpacked?;
    set_folder_times(dir, &unpacked);
    Ok(unpacked)
}

/// Gives the folders their times again; called once more after the archive has left the run's folder.
pub fn set_folder_times(dir: &RunDir, unpacked: &Unpacked) {
    // The innermost first.
    for (below, time, _) in unpacked.folders.iter().rev() {
        if let Some(time) = time {
            set_time(&dir.path().join(below), *time);
        }
    }
}

/// Unpacks all that is missing below `staging`.
fn stage(dir: &RunDir, archive: &Path, staging: &Path) -> Result<Unpacked, ArchiveError> {
    let damaged = |what: &dyn std::fmt::Display| ArchiveError::Damaged {
        path: archive.to_owned(),
        what: what.to_string(),
    };
    let file = File::open(archive).map_err(ArchiveError::io(archive, "cannot be read"))?;
    let packed = zstd::Decoder::new(BufReader::new(file)).map_err(|error| damaged(&error))?;
    let mut read = Archive::new(packed);
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
        let time = time_in(&mut entry).map_err(|error| damaged(&error))?;
        let header = entry.header();
        let mode = header.mode().map_err(|error| damaged(&error))? & 0o7777;
        let kind = header.entry_type();
        if kind == EntryType::Directory {
            unpacked.folders.push((below, time, mode));
            continue;
        }
        if dir.path().join(&below).symlink_metadata().is_ok() {
            unpacked.kept += 1;
            continue;
        }
        let path = staging.join(&below);
        let failed = || ArchiveError::io(&path, "cannot be unpacked");
        fs::create_dir_all(path.parent().unwrap_or(staging)).map_err(failed())?;
        match kind {
            EntryType::Regular => {
                let mut out = File::create(&path).map_err(failed())?;
                let size = header.size().map_err(|error| damaged(&error))?;
                let count = io::copy(&mut entry, &mut out).map_err(failed())?;
                if count != size {
                    return Err(damaged(&format!("{} is cut off in it", below.display())));
                }
                out.set_permissions(Permissions::from_mode(mode))
                    .map_err(failed())?;
                out.sync_all().map_err(failed())?;
                unpacked.bytes += count;
            }
            EntryType::Symlink => {
                let target = entry.link_name().map_err(|error| damaged(&error))?;
                let target = target.ok_or_else(|| damaged(&"a link in it leads nowhere"))?;
                std::os::unix::fs::symlink(target, &path).map_err(failed())?;
            }
            _ => {
                return Err(damaged(&format!(
                    "{} in it is neither file nor link",
                    below.display()
                )));
            }
        }
        if let Some(time) = time {
            set_time(&path, time);
        }
        unpacked.files.push(below);
    }
    // The checksum stands at the end, behind what the last entry needs.
    io::copy(&mut read.into_inner(), &mut io::sink()).map_err(|error| damaged(&error))?;
    Ok(unpacked)
}

/// Moves what was unpacked into place.
fn settle(dir: &RunDir, staging: &Path, unpacked: &Unpacked) -> Result<(), ArchiveError> {
    for (below, _, mode) in &unpacked.folders {
        let path = dir.path().join(below);
        if !path.exists() {
            let made = fs::create_dir_all(&path);
            made.and_then(|()| fs::set_permissions(&path, Permissions::from_mode(*mode)))
                .map_err(ArchiveError::io(&path, "cannot be made"))?;
        }
    }
    for below in &unpacked.files {
        let path = dir.path().join(below);
        move_without_replacing(&staging.join(below), &path)
            .map_err(ArchiveError::io(&path, "cannot be brought back"))?;
    }
    Ok(())
}

/// The time that an entry says, to the nanosecond.
fn time_in(entry: &mut tar::Entry<impl Read>) -> io::Result<Option<Timespec>> {
    let whole = entry.header().mtime()?;
    let mut time = Timespec {
        tv_sec: whole as i64,
        tv_nsec: 0,
    };
    for field in entry.pax_extensions()?.into_iter().flatten() {
        let field = field?;
        if let (Ok(MTIME), Ok(value)) = (field.key(), field.value())
            && let Some((seconds, nanoseconds)) = value.split_once('.')
            && let (Ok(tv_sec), Ok(tv_nsec)) = (seconds.parse(), nanoseconds.parse())
        {
            time = Timespec { tv_sec, tv_nsec };
        }
    }
    Ok(Some(time))
}

/// Sets when something was last changed, of a link its own. A file system that keeps no times loses nothing by it.
fn set_time(path: &Path, time: Timespec) {
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    if let Err(error) = utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW) {
        log::warn!("{}: keeps a time of today: {error}", path.display());
    }
}
