//! A small file in the user's state folder that is kept for ease: without it, or with damage, the
//! program starts as if nothing was ever kept.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state_dir::state_dir;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};

/// Its path; `None` where there is no home.
pub struct StateFile(Option<PathBuf>);

impl StateFile {
    pub fn of_user(name: &str) -> Self {
        Self(state_dir().map(|folder| folder.join(name)))
    }

    pub fn at(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// Its text; empty if there is none. That it cannot be read is logged.
    pub fn text(&self) -> String {
        self.read(|path| read::text(path, read::RECORD_LIMIT))
    }

    /// Its value; the default if there is none. That it cannot be read is logged.
    pub fn json<T: DeserializeOwned + Default>(&self) -> T {
        self.read(|path| {
            let bytes = read::bytes(path, read::RECORD_LIMIT)?;
            Ok(serde_json::from_slice(&bytes)?)
        })
    }

    fn read<T: Default>(&self, read: impl FnOnce(&Path) -> io::Result<T>) -> T {
        let Some(path) = &self.0 else {
            return T::default();
        };
        read(path).unwrap_or_else(|error| {
            if error.kind() != ErrorKind::NotFound {
                log::warn!("{}: starting without it: {error}", path.display());
            }
            T::default()
        })
    }

    /// Replaces it, whole or not at all, and makes its folder if there is none.
    ///
    /// # Errors
    /// If it cannot be written, or there is no home.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let no_home = || io::Error::other("there is no home to keep it in");
        let path = self.0.as_ref().ok_or_else(no_home)?;
        path.parent().map_or(Ok(()), make_folders)?;
        replace_file(path, text.as_bytes())
    }

    /// # Errors
    /// As [`StateFile::write`].
    pub fn write_json(&self, value: &impl Serialize) -> io::Result<()> {
        self.write(&serde_json::to_string(value)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_damaged_is_a_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::at(folder.path().join("state/numbers"));
        assert_eq!(file.text(), "");
        assert!(file.json::<Vec<u32>>().is_empty());
        file.write_json(&[1, 2]).unwrap();
        assert_eq!(file.json::<Vec<u32>>(), [1, 2]);
        file.write("[1, 2").unwrap();
        assert!(file.json::<Vec<u32>>().is_empty());
        assert_eq!(StateFile(None).text(), "");
        assert!(StateFile(None).write("").is_err());
    }
}
