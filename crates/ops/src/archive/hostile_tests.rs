//! Archives that another user has made, and what they must not cause.

use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::tests::{roots, run};
use super::*;

/// What is put into an archive.
enum Put<'a> {
    File(&'a str, u32),
    Link(&'a str, &'a str),
    Kind(&'a str, EntryType),
    /// An entry about the next one, this many bytes long.
    About(u64),
}

/// Writes an archive that says exactly this, names unchecked.
fn pack(path: &Path, content: &[Put]) {
    let packer = zstd::Encoder::new(File::create(path).unwrap(), 1).unwrap();
    let mut builder = Builder::new(packer);
    for put in content {
        let mut header = Header::new_gnu();
        header.set_mtime(1_700_000_000);
        let (name, mode, kind) = match put {
            Put::File(name, mode) => (*name, *mode, EntryType::Regular),
            Put::Link(name, _) => (*name, 0o777, EntryType::Symlink),
            Put::Kind(name, kind) => (*name, 0o7777, *kind),
            Put::About(_) => ("about", 0o644, EntryType::XHeader),
        };
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_mode(mode);
        header.set_entry_type(kind);
        if let Put::Link(_, target) = put {
            header.as_gnu_mut().unwrap().linkname[..target.len()]
                .copy_from_slice(target.as_bytes());
        }
        let size = match put {
            Put::File(..) => 7,
            Put::About(size) => *size,
            _ => 0,
        };
        header.set_size(size);
        header.set_cksum();
        if size == 7 {
            builder.append(&header, &b"planted"[..]).unwrap();
        } else {
            builder
                .append(&header, std::io::Read::take(std::io::repeat(0), size))
                .unwrap();
        }
    }
    let mut whole = builder.into_inner().unwrap().finish().unwrap();
    whole.flush().unwrap();
}

/// A run without weights that is marked as archived, and a folder that is not its own.
fn archived(place: &Path, content: &[Put]) -> (RunDir, PathBuf) {
    let dir = run(place);
    let outside = place.join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("victim"), "theirs").unwrap();
    for path in [dir.best(), dir.last(), dir.checkpoint(5)] {
        fs::remove_file(path).unwrap();
    }
    pack(&dir.archive(), content);
    (dir, outside)
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(folder, Path::new(""), &|_| true, &mut |item| {
        found.push(item.below);
    })
    .unwrap();
    found
}

/// Every refusal says that nothing was restored, and names nothing that is gone again.
fn says_what_came_back(error: &ArchiveError) {
    let message = error.to_string();
    assert!(message.contains("nothing was restored"), "{message}");
    assert!(!message.contains(".unarchived."), "{message}");
}

#[test]
fn refusals_name_the_archive_and_what_in_it_is_wrong() {
    let place = tempfile::tempdir().unwrap();
    let long = "n".repeat(99);
    let cases: [(&[Put], &str); 8] = [
        (&[Put::File("x", 0o644), Put::File("x", 0o600)], "x in it"),
        (
            &[Put::File("x", 0o644), Put::File("x/y", 0o600)],
            "x/y in it",
        ),
        (
            &[Put::Kind("x", EntryType::Directory), Put::File("x", 0o644)],
            "x cannot be moved",
        ),
        (&[Put::Link("x", "y"), Put::File("x", 0o644)], "x in it"),
        (&[Put::Link("x", "y"), Put::Link("x", "z")], "x in it"),
        (&[Put::File("way/x", 0o644)], "way/x in it"),
        (&[Put::File(&long, 0o644), Put::File(&long, 0o644)], &long),
        (&[Put::File("run.json/x", 0o644)], "run.json/x cannot be"),
    ];
    for (number, (content, named)) in cases.into_iter().enumerate() {
        let (dir, outside) = archived(place.path(), content);
        symlink(&outside, dir.path().join("way")).unwrap();
        let before = names(dir.path());
        let error = unarchive(&roots(place.path()), &dir).unwrap_err();
        says_what_came_back(&error);
        let message = error.to_string();
        let archive = dir.archive().display().to_string();
        assert!(message.contains(named), "{number}: {message}");
        assert!(message.starts_with(&archive), "{number}: {message}");
        assert_eq!(names(dir.path()), before, "{number}");
        fs::remove_dir_all(place.path().join("runs")).unwrap();
    }
    // A name with a zero byte, as an entry about the next one may give it.
    let name = b"15 path=a\0bcde\n".as_slice();
    let content = [
        (EntryType::XHeader, name.len() as u64, name),
        (EntryType::Regular, 0, &b""[..]),
    ];
    let (dir, _) = archived(place.path(), &[]);
    pack_raw(&dir.archive(), &content);
    says_what_came_back(&unarchive(&roots(place.path()), &dir).unwrap_err());
    // One that is not archived at all.
    fs::remove_file(dir.archive()).unwrap();
    says_what_came_back(&unarchive(&roots(place.path()), &dir).unwrap_err());
}

#[test]
fn nothing_is_written_outside_of_the_run_whatever_an_archive_holds() {
    let place = tempfile::tempdir().unwrap();
    let away = place.path().join("outside");
    let away = away.to_str().unwrap();
    let file = format!("{away}/victim");
    let cases: [&[Put]; 22] = [
        &[Put::Link("x", away), Put::File("x/victim", 0o644)],
        &[Put::Link("x", away), Put::File("x/new", 0o644)],
        &[
            Put::Link("x", "../../../outside"),
            Put::File("x/new", 0o644),
        ],
        &[Put::Link("x", &file), Put::File("x", 0o644)],
        &[Put::File("x/new", 0o644), Put::Link("x", away)],
        // Each of these leads to a place in the run, and all of them together out of it.
        &[
            Put::Link("a", "."),
            Put::Link("x", "a/a/a/../../../../../../outside"),
            Put::File("x/new", 0o644),
        ],
        &[
            Put::Link("a", "checkpoints"),
            Put::Link("checkpoints/b", ".."),
            Put::Link("x", "a/b/../../../../outside"),
            Put::File("x/new", 0o644),
        ],
        &[Put::File(&file, 0o644)],
        &[Put::File("../../../outside/new", 0o644)],
        &[Put::File("checkpoints/../../../../outside/new", 0o644)],
        &[Put::File("./../../../outside/new", 0o644)],
        &[Put::File("way/victim", 0o644)],
        &[Put::File("way/new", 0o644)],
        &[Put::Kind("way/new", EntryType::Directory)],
        &[Put::Link("way/new", "x")],
        &[Put::Kind("../../../outside/new", EntryType::Directory)],
        &[Put::Kind("x", EntryType::Char)],
        &[Put::Kind("x", EntryType::Block)],
        &[Put::Kind("x", EntryType::Fifo)],
        &[Put::Kind("x", EntryType::Link)],
        &[Put::Kind("", EntryType::Regular)],
        &[Put::About(u64::from(u32::MAX))],
    ];
    for (number, content) in cases.iter().enumerate() {
        let (dir, outside) = archived(place.path(), content);
        // A link that was there before.
        symlink(&outside, dir.path().join("way")).unwrap();
        let before = names(dir.path());
        let done = unarchive(&roots(place.path()), &dir);
        assert_eq!(
            names(&outside),
            ["", "victim"].map(PathBuf::from),
            "{number}"
        );
        assert_eq!(
            fs::read(outside.join("victim")).unwrap(),
            b"theirs",
            "{number}"
        );
        if let Err(error) = &done {
            assert!(!error.to_string().contains('\n'), "{number}: {error}");
            says_what_came_back(error);
            assert_eq!(names(dir.path()), before, "{number}: {error}");
        } else {
            let links = content.iter().filter(|put| matches!(put, Put::Link(..)));
            assert!(links.count() > 0, "{number}");
        }
        fs::remove_dir_all(place.path().join("runs")).unwrap();
    }
}

#[test]
fn links_come_last_and_only_those_that_stay_in_the_run() {
    let place = tempfile::tempdir().unwrap();
    let content = [
        Put::Link("checkpoints/link", "../best.safetensors"),
        Put::Link("first", "best.safetensors"),
        Put::Link("away", "/etc/passwd"),
        Put::File("best.safetensors", 0o644),
    ];
    let (dir, _) = archived(place.path(), &content);
    fs::remove_file(dir.checkpoints().join("link")).unwrap();
    let back = unarchive(&roots(place.path()), &dir).unwrap().unpacked;
    let files = ["best.safetensors", "checkpoints/link", "first"].map(PathBuf::from);
    assert_eq!(back.files, files);
    assert_eq!(back.left_out, [PathBuf::from("away")]);
    assert_eq!(
        back.left_out_sentence(),
        "; away was left out, a link that leads out of the run"
    );
    assert_eq!(fs::read(dir.path().join("first")).unwrap(), b"planted");
}

#[test]
fn of_a_mode_only_the_nine_bits_come_back() {
    let place = tempfile::tempdir().unwrap();
    let content = [
        Put::Kind("more", EntryType::Directory),
        Put::Kind("shut", EntryType::Directory),
        Put::File("setuid", 0o4755),
        Put::File("setgid", 0o2711),
        Put::File("more/sticky", 0o1600),
        Put::File("shut/file", 0o400),
    ];
    let (dir, _) = archived(place.path(), &content);
    unarchive(&roots(place.path()), &dir).unwrap();
    for (name, mode) in [
        ("setuid", 0o755),
        ("setgid", 0o711),
        ("more/sticky", 0o600),
        ("more", 0o777),
        ("shut/file", 0o400),
    ] {
        let metadata = fs::metadata(dir.path().join(name)).unwrap();
        assert_eq!(metadata.mode() & 0o7777, mode, "{name}");
    }
}

#[test]
fn an_archive_is_no_more_readable_than_what_is_in_it() {
    for (file, folder, expected) in [
        (0o644, 0o755, 0o644),
        (0o600, 0o755, 0o600),
        (0o640, 0o755, 0o640),
        (0o604, 0o755, 0o604),
        (0o644, 0o700, 0o600),
        (0o644, 0o750, 0o640),
        (0o644, 0o745, 0o604),
        (0o444, 0o555, 0o644),
    ] {
        let place = tempfile::tempdir().unwrap();
        let dir = run(place.path());
        for path in [dir.best(), dir.last(), dir.checkpoint(5)] {
            fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
        }
        fs::set_permissions(dir.checkpoint(5), Permissions::from_mode(file)).unwrap();
        fs::set_permissions(dir.checkpoints(), Permissions::from_mode(folder)).unwrap();
        let plan = match Plan::of(&dir, false) {
            Ok(plan) => plan,
            // Without the superuser's rights it cannot be archived at all.
            Err(error) => {
                assert!(folder == 0o555 && error.to_string().contains("cannot be archived"));
                continue;
            }
        };
        archive(&roots(place.path()), &plan).unwrap();
        let mode = dir.archive().metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, expected, "{file:o} in {folder:o}");
        unarchive(&roots(place.path()), &dir).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode(&dir.checkpoints()), folder);
        assert_eq!(mode(&dir.checkpoint(5)), file);
    }
}

#[test]
fn a_link_that_leads_out_stays_where_it_is_or_keeps_a_run_from_being_archived() {
    let place = tempfile::tempdir().unwrap();
    let dir = run(place.path());
    let logs = dir.logs().join("latest");
    symlink("/nowhere", &logs).unwrap();
    let plan = Plan::of(&dir, false).unwrap();
    archive(&roots(place.path()), &plan).unwrap();
    assert!(dir.path().join("dangling").is_symlink() && logs.is_symlink());
    assert!(!dir.best().exists());
    unarchive(&roots(place.path()), &dir).unwrap();
    symlink(
        "../../other/best.safetensors",
        dir.checkpoints().join("out"),
    )
    .unwrap();
    let before = names(dir.path());
    let error = Plan::of(&dir, false).unwrap_err().to_string();
    assert!(
        error.contains("checkpoints/out is a link that leads out of the run"),
        "{error}"
    );
    assert_eq!(names(dir.path()), before);
}

/// An archive of these headers and bodies, unchecked.
fn pack_raw(path: &Path, content: &[(EntryType, u64, &[u8])]) {
    let mut packer = zstd::Encoder::new(File::create(path).unwrap(), 1).unwrap();
    for (kind, size, body) in content {
        let mut header = Header::new_gnu();
        header.set_path("checkpoints/new").unwrap();
        header.set_mode(0o644);
        header.set_mtime(1);
        header.set_entry_type(*kind);
        header.set_size(*size);
        header.set_cksum();
        packer.write_all(header.as_bytes()).unwrap();
        packer.write_all(body).unwrap();
        packer
            .write_all(&vec![0; body.len().next_multiple_of(512) - body.len()])
            .unwrap();
    }
    packer.write_all(&[0; 1024]).unwrap();
    packer.finish().unwrap();
}

#[test]
fn archives_that_ask_for_much_are_refused_before_anything_is_written() {
    let place = tempfile::tempdir().unwrap();
    let size = b"13 size=1024\n".as_slice();
    for (content, message) in [
        (vec![(EntryType::Regular, 1 << 60, &b"x"[..])], "are free"),
        (
            vec![
                (EntryType::XHeader, size.len() as u64, size),
                (EntryType::Regular, 0, b""),
            ],
            "never packs",
        ),
        (vec![(EntryType::GNUSparse, 0, b"")], "never packs"),
        (
            vec![(EntryType::XHeader, 1 << 40, &b"x"[..])],
            "the header of an entry is too long",
        ),
    ] {
        let (dir, _) = archived(place.path(), &[]);
        pack_raw(&dir.archive(), &content);
        let before = names(dir.path());
        let error = unarchive(&roots(place.path()), &dir).unwrap_err();
        assert!(error.to_string().contains(message), "{message}: {error}");
        says_what_came_back(&error);
        assert_eq!(names(dir.path()), before, "{message}");
        fs::remove_dir_all(place.path().join("runs")).unwrap();
    }
}

#[test]
fn an_archive_that_goes_on_behind_its_end_is_refused() {
    let place = tempfile::tempdir().unwrap();
    for (zeros, is_refused) in [(10 << 10, false), (3 << 20, true)] {
        let (dir, _) = archived(place.path(), &[]);
        let mut packer = zstd::Encoder::new(File::create(dir.archive()).unwrap(), 1).unwrap();
        packer.write_all(&vec![0; zeros]).unwrap();
        packer.finish().unwrap();
        let done = unarchive(&roots(place.path()), &dir);
        assert_eq!(done.is_err(), is_refused, "{zeros}");
        if let Err(error) = done {
            says_what_came_back(&error);
        }
        fs::remove_dir_all(place.path().join("runs")).unwrap();
    }
}

#[test]
fn folders_without_end_are_refused_before_any_is_made() {
    let place = tempfile::tempdir().unwrap();
    let deep = "d/".repeat(3000) + "f";
    let dir = run(place.path());
    let packer = zstd::Encoder::new(File::create(dir.archive()).unwrap(), 1).unwrap();
    let mut builder = Builder::new(packer);
    let mut header = Header::new_gnu();
    header.set_size(1);
    header.set_mode(0o644);
    builder.append_data(&mut header, &deep, &b"x"[..]).unwrap();
    builder.into_inner().unwrap().finish().unwrap();
    let error = unarchive(&roots(place.path()), &dir)
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than 64 deep"), "{error}");
    assert!(!dir.path().join("d").exists());
}
