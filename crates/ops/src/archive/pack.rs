//! Packs a run: written beside, read back and compared with what is there, and only then given its
//! name.

use std::collections::HashMap;
use std::fs::{File, Metadata, Permissions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tar::{Archive, Builder, EntryType, Header, HeaderMode};

use super::{ArchiveError, Item, Plan};
use traintop_disk::Disk;
use traintop_disk::write::access_list;

/// Weights hardly get smaller; what little there is to gain comes early.
const LEVEL: i32 = 3;
/// Under which a time is kept to the nanosecond; the format's own has seconds.
pub(super) const MTIME: &str = "mtime";
/// What the run's folder is called in the archive.
pub(super) const ROOT: &str = ".";

/// Under which a file with holes is known for one.
pub(super) const SPARSE: &str = "TRAINTOP.sparse";
/// Under which a file says of which file before it in the archive it is another name. Its bytes are
/// packed all the same, since the other may be kept where it is when this one comes back.
pub(super) const SAME_AS: &str = "TRAINTOP.same_as";

/// Packs a run into its archive, written at `temporary` first, and says how long that is in bytes.
/// What was packed stays where it is: see [`Plan::removed`].
///
/// # Errors
/// If something cannot be read or written, or changes meanwhile; then there is no archive.
pub fn pack(disk: &dyn Disk, plan: &Plan, temporary: &Path) -> Result<u64, ArchiveError> {
    let path = plan.dir.archive();
    let failed = || ArchiveError::io(&path, "cannot be written");
    let packed = write(disk, plan, temporary).and_then(|()| {
        let length = disk.stat(temporary).map_err(failed())?.length;
        disk.relocate(temporary, &path).map_err(failed())?;
        Ok(length)
    });
    if packed.is_err() {
        let _ = disk.remove_file(temporary);
    } else if let Err(error) = disk.sync_folder(plan.dir.path()) {
        let _ = disk.remove_file(&path);
        return Err(failed()(error));
    }
    packed
}

fn write(disk: &dyn Disk, plan: &Plan, temporary: &Path) -> Result<(), ArchiveError> {
    let failed = || ArchiveError::io(temporary, "cannot be written");
    // Before anything is made in the folder, which changes its time.
    let root = disk.metadata(plan.dir.path()).map_err(failed())?;
    // An error about a file of the run, which is reported rather than one about the archive.
    let mut problem = None;
    let written = disk.write(temporary, &mut |file| {
        let packed = pack_into(disk, plan, &root, file);
        packed.map_err(|error| match error {
            ArchiveError::Io { cause, path, .. } if path == temporary => cause,
            error => {
                problem = Some(error);
                io::Error::other("not packed")
            }
        })
    });
    if let Some(problem) = problem {
        return Err(problem);
    }
    written.map_err(failed())?;
    verify(disk, plan, disk.open(temporary).map_err(failed())?)
}

fn pack_into(
    disk: &dyn Disk,
    plan: &Plan,
    root: &Metadata,
    file: &mut File,
) -> Result<(), ArchiveError> {
    let path = plan.dir.archive();
    let failed = || ArchiveError::io(&path, "cannot be written");
    // Before the first byte is in it.
    let mode = readable_by(disk, plan, &file.metadata().map_err(failed())?)?;
    file.set_permissions(Permissions::from_mode(mode))
        .map_err(failed())?;
    let mut packer = zstd::Encoder::new(BufWriter::new(file), LEVEL).map_err(failed())?;
    // The checksum detects disk errors before unpacking.
    packer.include_checksum(true).map_err(failed())?;
    let mut builder = Builder::new(packer);
    let mut linked = HashMap::new();
    for item in &plan.packed {
        append(disk, &mut builder, plan, item, root, &mut linked)?;
    }
    let packer = builder.into_inner().map_err(failed())?;
    let mut written = packer.finish().map_err(failed())?;
    written.flush().map_err(failed())
}

/// The mode of a new archive: only users who may read everything in it may read the archive.
fn readable_by(disk: &dyn Disk, plan: &Plan, archive: &Metadata) -> Result<u32, ArchiveError> {
    let mut mode = archive.mode() & 0o666;
    for item in plan
        .packed
        .iter()
        .filter(|item| !item.below.as_os_str().is_empty())
    {
        let path = plan.dir.path().join(&item.below);
        let metadata = disk.metadata(&path);
        let metadata = metadata.map_err(ArchiveError::io(&path, "cannot be packed"))?;
        if metadata.is_symlink() {
            continue;
        }
        let mut theirs = metadata.mode() & 0o777;
        if metadata.is_dir() {
            // Who may not enter a folder reads nothing in it.
            theirs &= 0o700 | ((theirs & 0o011) << 2) | ((theirs & 0o011) << 1);
        }
        if access_list(&path).is_some() {
            theirs = 0;
        } else if metadata.gid() != archive.gid() {
            theirs = (theirs & 0o707) | ((theirs & 0o007) << 3);
        }
        mode &= theirs | 0o600;
    }
    Ok(mode | 0o600)
}

fn append(
    disk: &dyn Disk,
    builder: &mut Builder<impl Write>,
    plan: &Plan,
    item: &Item,
    root: &Metadata,
    linked: &mut HashMap<(u64, u64), PathBuf>,
) -> Result<(), ArchiveError> {
    let path = plan.dir.path().join(&item.below);
    let failed = || ArchiveError::io(&path, "cannot be packed");
    let metadata = if item.below.as_os_str().is_empty() {
        root.clone()
    } else {
        disk.metadata(&path).map_err(failed())?
    };
    let kind = metadata.file_type();
    let mut fields = vec![(MTIME, time_of(&metadata).into_bytes())];
    if kind.is_file() && metadata.blocks() * 512 < metadata.len() {
        fields.push((SPARSE, b"1".to_vec()));
    }
    if kind.is_file() && metadata.nlink() > 1 {
        let first = linked
            .entry((metadata.dev(), metadata.ino()))
            .or_insert_with(|| item.below.clone());
        if *first != item.below {
            fields.push((SAME_AS, first.as_os_str().as_encoded_bytes().to_vec()));
        }
    }
    let fields = fields.iter().map(|(name, value)| (*name, &value[..]));
    builder.append_pax_extensions(fields).map_err(failed())?;
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&metadata, HeaderMode::Complete);
    let name = name_of(item);
    if kind.is_symlink() {
        header.set_size(0);
        let target = disk.read_link(&path).map_err(failed())?;
        builder.append_link(&mut header, name, target)
    } else if kind.is_dir() {
        header.set_size(0);
        builder.append_data(&mut header, name, io::empty())
    } else {
        let file = disk.open(&path).map_err(failed())?;
        builder.append_data(&mut header, name, file.take(metadata.len()))
    }
    .map_err(failed())
}

fn name_of(item: &Item) -> &Path {
    if item.below.as_os_str().is_empty() {
        Path::new(ROOT)
    } else {
        &item.below
    }
}

/// Seconds since 1970, with nanoseconds.
fn time_of(metadata: &Metadata) -> String {
    format!("{}.{:09}", metadata.mtime(), metadata.mtime_nsec())
}

/// Reads an archive back and compares it with the run, byte by byte.
fn verify(disk: &dyn Disk, plan: &Plan, packed: impl Read) -> Result<(), ArchiveError> {
    let archive = plan.dir.archive();
    let failed = || ArchiveError::io(&archive, "cannot be read back");
    let decoded = zstd::Decoder::new(packed).map_err(failed())?;
    let mut read = Archive::new(decoded);
    let mut entries = read.entries().map_err(failed())?;
    for item in &plan.packed {
        let path = plan.dir.path().join(&item.below);
        let changed = || ArchiveError::Changed { path: path.clone() };
        let mut entry = entries.next().ok_or_else(changed)?.map_err(failed())?;
        let metadata = disk.metadata(&path).map_err(|_| changed())?;
        let header = entry.header().clone();
        // The folder itself gets the archive, and with it another time.
        let is_root = item.below.as_os_str().is_empty();
        let time = entry.pax_extensions().map_err(failed())?;
        let time = time.into_iter().flatten().flatten();
        let is_its_time = time
            .into_iter()
            .any(|field| field.key() == Ok(MTIME) && field.value() == Ok(&time_of(&metadata)));
        let is_same = entry.path().is_ok_and(|name| *name == *name_of(item))
            && header
                .mode()
                .is_ok_and(|mode| mode & 0o7777 == metadata.permissions().mode() & 0o7777)
            && (is_root || is_its_time);
        let is_its_content = match header.entry_type() {
            EntryType::Symlink => {
                let target = disk.read_link(&path).ok();
                entry.link_name().ok().flatten().as_deref() == target.as_deref()
            }
            EntryType::Directory => metadata.is_dir(),
            EntryType::Regular => {
                metadata.is_file()
                    && header.size().is_ok_and(|size| size == metadata.len())
                    && disk
                        .open(&path)
                        .and_then(|file| is_equal(BufReader::new(file), &mut entry))
                        .map_err(failed())?
            }
            _ => false,
        };
        if !is_same || !is_its_content {
            return Err(changed());
        }
    }
    if entries.next().is_some() {
        return Err(ArchiveError::Changed { path: archive });
    }
    // The checksum is at the end, after the last entry.
    io::copy(&mut read.into_inner(), &mut io::sink()).map_err(failed())?;
    Ok(())
}

/// Whether two readers give the same bytes.
fn is_equal(mut one: impl Read, mut other: impl Read) -> io::Result<bool> {
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let count = fill(&mut one, &mut a)?;
        if count != fill(&mut other, &mut b)? || a[..count] != b[..count] {
            return Ok(false);
        }
        if count < a.len() {
            return Ok(true);
        }
    }
}

/// Reads until the buffer is full or nothing is left.
pub(super) fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
