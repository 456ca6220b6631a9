//! What processes of this machine have open below a folder. A run of another trainer has no record
//! that names its process, and its files may be silent for hours.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const PROCESSES: &str = "/proc";

/// The files and folders that processes have open or work in, as far as this user may see them.
#[derive(Debug, Clone, Default)]
pub struct InUse {
    /// Sorted by their bytes, with the number of a process.
    paths: Vec<(PathBuf, u32)>,
}

impl InUse {
    /// As it is now; this program itself is left out.
    pub fn now() -> Self {
        let mut paths = Vec::new();
        let processes = fs::read_dir(PROCESSES).into_iter().flatten().flatten();
        for process in processes {
            let name = process.file_name();
            let Some(number) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            if number == std::process::id() {
                continue;
            }
            let folder = process.path();
            paths.extend(fs::read_link(folder.join("cwd")).map(|path| (path, number)));
            let open = fs::read_dir(folder.join("fd"))
                .into_iter()
                .flatten()
                .flatten();
            let open = open.filter_map(|entry| fs::read_link(entry.path()).ok());
            // Pipes and sockets have names without a slash.
            let open = open.filter(|path| path.is_absolute());
            paths.extend(open.map(|path| (path, number)));
        }
        paths.sort_by(|a, b| a.0.as_os_str().cmp(b.0.as_os_str()));
        paths.dedup();
        Self { paths }
    }

    /// A process that has a folder, or something in it, open or as its working directory. `folder`
    /// has no links in it.
    pub fn process_in(&self, folder: &Path) -> Option<u32> {
        let prefix = folder.as_os_str().as_bytes();
        let first = self
            .paths
            .partition_point(|(path, _)| bytes(path.as_os_str()) < prefix);
        // Names that only begin alike, such as `run-2`, lie between a folder and what is in it.
        let alike = self.paths[first..]
            .iter()
            .take_while(|(path, _)| bytes(path.as_os_str()).starts_with(prefix));
        let mut inside = alike.filter(|(path, _)| path.starts_with(folder));
        inside.next().map(|(_, number)| *number)
    }
}

fn bytes(text: &OsStr) -> &[u8] {
    text.as_bytes()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_seen_by_what_it_has_open_and_where_it_works() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["open", "open-2", "works", "quiet"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let file = fs::File::create(root.join("open/log")).unwrap();
        let mut writer = Command::new("cat");
        writer.stdin(Stdio::piped()).stdout(file);
        let mut writer = writer.spawn().unwrap();
        let mut worker = Command::new("cat");
        worker.stdin(Stdio::piped()).current_dir(root.join("works"));
        let mut worker = worker.spawn().unwrap();
        let in_use = InUse::now();
        let of = |name: &str| in_use.process_in(&root.join(name));
        assert_eq!(of("open"), Some(writer.id()));
        assert_eq!(of("works"), Some(worker.id()));
        assert_eq!((of("open-2"), of("quiet")), (None, None));
        for child in [&mut writer, &mut worker] {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
        let in_use = InUse::now();
        assert_eq!(in_use.process_in(&root.join("open")), None);
    }
}
