//! Files of runs that several users change: replacing one gives no user more rights than before.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::io::Errno;

use crate::did_not_run::did_not_run;
use crate::fake_worker::{Workplace, open_to_all};

const ACCESS_LIST: &str = "system.posix_acl_access";

/// Lets the other user change the note of a run whose notes this user wrote, with this mode; its
/// mode afterwards. `None` where acting as another user is not possible.
fn changed_by_another(
    place: &Workplace,
    name: &str,
    mode: u32,
    prepare: impl Fn(&Path),
) -> Option<u32> {
    let run = place.path().join("runs/training_runs").join(name);
    fs::create_dir_all(run.join("logs")).unwrap();
    fs::write(run.join("logs/metrics.csv"), "epoch,val_acc\n1,50\n").unwrap();
    open_to_all(&run);
    let notes = run.join("notes.toml");
    fs::write(&notes, "note = \"mine\"\n").unwrap();
    fs::set_permissions(&notes, Permissions::from_mode(mode)).unwrap();
    prepare(&notes);
    let mut note = place.by_another_user(&["note", run.to_str().unwrap(), "theirs"])?;
    let done = note.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(fs::read_to_string(&notes).unwrap().contains("theirs"));
    let now = fs::metadata(&notes).unwrap();
    // The other user is not in this user's group, so the file cannot stay in it.
    assert_eq!((now.uid(), now.gid()), (65534, 65534));
    Some(now.mode() & 0o777)
}

#[test]
fn a_group_that_cannot_be_kept_leaves_its_rights_to_no_other() {
    let place = Workplace::new("exit 1");
    // What members of the new group could do before, they could as others.
    for (before, after) in [
        (0o664, 0o644),
        (0o644, 0o644),
        (0o646, 0o666),
        (0o774, 0o744),
    ] {
        let name = format!("{before:o}");
        match changed_by_another(&place, &name, before, |_| ()) {
            Some(mode) => assert_eq!(mode, after, "{before:o} became {mode:o}"),
            None => return,
        }
    }
}

#[test]
fn an_access_list_that_cannot_be_kept_leaves_the_file_to_its_owner() {
    // `user::rw-`, `user:65533:rw-`, `group::r--`, `mask::rw-`, `other::r--`.
    let entries = [
        (0x01_u16, 6_u16, u32::MAX),
        (0x02, 6, 65533),
        (0x04, 4, u32::MAX),
        (0x10, 6, u32::MAX),
        (0x20, 4, u32::MAX),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        list.extend(tag.to_le_bytes());
        list.extend(permissions.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    let place = Workplace::new("exit 1");
    let probe = place.path().join("probe");
    fs::write(&probe, "").unwrap();
    let give = |path: &Path| setxattr(path, ACCESS_LIST, &list, XattrFlags::empty());
    if give(&probe) == Err(Errno::OPNOTSUPP) {
        did_not_run("this file system has no access control lists");
        return;
    }
    let mode = changed_by_another(&place, "listed", 0o644, |notes| give(notes).unwrap());
    if let Some(mode) = mode {
        assert_eq!(mode, 0o600);
        let notes = place.path().join("runs/training_runs/listed/notes.toml");
        let mut kept = [0; 256];
        assert_eq!(getxattr(&notes, ACCESS_LIST, &mut kept), Err(Errno::NODATA));
    }
}
