//! Packing: written beside, read back and compared with what is there, and only then called by its name.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use tar::{Archive, Builder, EntryType, Header, HeaderMode};

use super::{ArchiveError, Item, Plan};
use crate::run::rename::move_without_replacing;
use crate::run::write::beside;

/// Weights hardly get smaller; what little there is to gain comes early.
const LEVEL: i32 = 3;
/// Under which a time is kept to the nanosecond; the format's own has seconds.
pub(super) const MTIME: &str = "mtime";
/// What the run's folder is called in the archive.
pub(super) const ROOT: &str = ".";

/// Packs a run into its archive, and says how long that is in bytes. What was packed stays where it is: see [`Plan::removed`].
///
/// # Errors
/// If something cannot be read or written, or changes meanwhile; then there is no archive.
pub fn pack(plan: &Plan) -> Result<u64, ArchiveError> {
    let path = plan.dir.archive();
    let temporary = beside(&path);
    let packed = write(plan, &temporary).and_then(|()| {
        move_without_replacing(&temporary, &path)
            .map_err(ArchiveError::io(&path, "cannot be written"))?;
        let length = fs::metadata(&path).map(|metadata| metadata.len());
        length.map_err(ArchiveError::io(&path, "cannot be read"))
    });
    if packed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    packed
}

fn write(plan: &Plan, temporary: &Path) -> Result<(), ArchiveError> {
    let failed = || ArchiveError::io(temporary, "cannot be written");
    // Before anything is made in the folder, which changes its time.
    let root = fs::symlink_metadata(plan.dir.path()).map_err(failed())?;
    let mut file = File::options()
        .create_new(true)
        .read(true)
        .write(true)
        .open(temporary)
        .map_err(failed())?;
    let mut packer = zstd::Encoder::new(BufWriter::new(&file), LEVEL).map_err(failed())?;
    // A disk's mistake is to be noticed, not to be unpacked.
    packer.include_checksum(true).map_err(failed())?;
    let mut builder = Builder::new(packer);
    for item in &plan.packed {
        append(&mut builder, plan, item, &root)?;
    }
    let packer = builder.into_inner().map_err(failed())?;
    let mut written = packer.finish().map_err(failed())?;
    written.flush().map_err(failed())?;
    drop(written);
    file.sync_all().map_err(failed())?;
    file.rewind().map_err(failed())?;
    verify(plan, BufReader::new(file))
}

fn append(
    builder: &mut Builder<impl Write>,
    plan: &Plan,
    item: &Item,
    root: &Metadata,
) -> Result<(), ArchiveError> {
    let path = plan.dir.path().join(&item.below);
    let failed = || ArchiveError::io(&path, "cannot be packed");
    let metadata = if item.below.as_os_str().is_empty() {
        root.clone()
    } else {
        fs::symlink_metadata(&path).map_err(failed())?
    };
    let time = time_of(&metadata);
    builder
        .append_pax_extensions([(MTIME, time.as_bytes())])
        .map_err(failed())?;
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&metadata, HeaderMode::Complete);
    let name = name_of(item);
    let kind = metadata.file_type();
    if kind.is_symlink() {
        header.set_size(0);
        let target = fs::read_link(&path).map_err(failed())?;
        builder.append_link(&mut header, name, target)
    } else if kind.is_dir() {
        header.set_size(0);
        builder.append_data(&mut header, name, io::empty())
    } else {
        let file = File::open(&path).map_err(failed())?;
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
fn verify(plan: &Plan, packed: impl Read) -> Result<(), ArchiveError> {
    let archive = plan.dir.archive();
    let failed = || ArchiveError::io(&archive, "cannot be read back");
    let decoded = zstd::Decoder::new(packed).map_err(failed())?;
    let mut read = Archive::new(decoded);
    let mut entries = read.entries().map_err(failed())?;
    for item in &plan.packed {
        let path = plan.dir.path().join(&item.below);
        let changed = || ArchiveError::Changed { path: path.clone() };
        let mut entry = entries.next().ok_or_else(changed)?.map_err(failed())?;
        let metadata = fs::symlink_metadata(&path).map_err(|_| changed())?;
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
                let target = fs::read_link(&path).ok();
                entry.link_name().ok().flatten().as_deref() == target.as_deref()
            }
            EntryType::Directory => metadata.is_dir(),
            EntryType::Regular => {
                metadata.is_file()
                    && header.size().is_ok_and(|size| size == metadata.len())
                    && File::open(&path)
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
    // The checksum stands at the end, behind what the last entry needs.
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
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
