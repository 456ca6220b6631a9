//! Reads the configuration's files; what they mean is decided elsewhere.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};

use traintop_disk::read;
use traintop_text::clean;

/// The configuration's file.
const CONFIG: &str = "config.toml";
/// The folder of themes beside it.
const THEMES: &str = "themes";

/// What was read, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// What problems call `config.toml`.
    pub name: String,
    /// The text of `config.toml`; empty if there is none.
    pub config: String,
    /// The user's theme files: name and text.
    pub themes: Vec<(String, String)>,
    /// The user's home, for `~`.
    pub home: Option<PathBuf>,
    /// A sentence for each file that is there and cannot be read.
    pub problems: Vec<String>,
}

/// The config folder: on Linux `$XDG_CONFIG_HOME/traintop`, else `~/.config/traintop`; `None` where
/// there is no home.
pub fn folder() -> Option<PathBuf> {
    ProjectDirs::from("", "", "traintop").map(|dirs| dirs.config_dir().to_owned())
}

/// The file in which a theme that was chosen is saved.
pub(super) fn config_file(folder: &Path) -> PathBuf {
    folder.join(CONFIG)
}

/// The user's home.
pub(super) fn home() -> Option<PathBuf> {
    BaseDirs::new().map(|dirs| dirs.home_dir().to_owned())
}

/// A folder as runs are found: by a path without links.
pub(super) fn resolved(folder: PathBuf) -> PathBuf {
    folder.canonicalize().unwrap_or(folder)
}

impl Files {
    /// Reads what is in the config folder. What is not there is as good as empty.
    pub fn read(folder: Option<&Path>) -> Self {
        let mut files = Self {
            home: home(),
            ..Self::default()
        };
        let Some(folder) = folder else {
            return files;
        };
        let path = config_file(folder);
        files.name = files.shown(&path);
        files.config = files.text(&path).unwrap_or_default();
        files.read_themes(&folder.join(THEMES));
        files
    }

    fn read_themes(&mut self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "toml")
            })
            .collect();
        paths.sort();
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = clean(&name).into_owned();
            if let Some(text) = self.text(&path) {
                self.themes.push((name, text));
            }
        }
    }

    fn text(&mut self, path: &Path) -> Option<String> {
        match read::bytes(path, read::RECORD_LIMIT) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => return Some(text),
                Err(_) => self.problems.push(format!(
                    "{}: must be UTF-8 text, so it is left out",
                    self.shown(path)
                )),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.problems.push(format!(
                "{}: cannot be read ({error}), so it is left out",
                self.shown(path)
            )),
        }
        None
    }

    /// A path as people write it: below the home as `~`.
    fn shown(&self, path: &Path) -> String {
        let below = self
            .home
            .as_ref()
            .and_then(|home| path.strip_prefix(home).ok());
        match below {
            Some(below) => format!("~/{}", below.display()),
            None => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_folder_are_read_and_damaged_ones_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Files::read(Some(folder.path())).config, "");
        fs::write(folder.path().join("config.toml"), "theme = 'mine'").unwrap();
        fs::create_dir(folder.path().join("themes")).unwrap();
        for (name, bytes) in [
            ("b.toml", &b"B"[..]),
            ("a.toml", b"A"),
            ("c.toml", b"\xff"),
            ("d.txt", b"D"),
        ] {
            fs::write(folder.path().join("themes").join(name), bytes).unwrap();
        }
        let files = Files::read(Some(folder.path()));
        assert_eq!(files.config, "theme = 'mine'");
        let themes =
            [("a", "A"), ("b", "B")].map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(files.themes, themes);
        assert_eq!(files.problems.len(), 1, "{:?}", files.problems);
        assert!(files.problems[0].ends_with("c.toml: must be UTF-8 text, so it is left out"));
    }
}
