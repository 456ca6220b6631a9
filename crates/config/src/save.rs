//! Saving a chosen theme: one line of `config.toml` changes, everything else in it, comments too,
//! stays as it is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::files::config_file;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};

/// Why a theme was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file or its folder.
    #[error("{}: the theme cannot be saved ({cause})", path.display())]
    Io {
        path: PathBuf,
        cause: std::io::Error,
    },
    /// Nobody knows what such a file means; to write into it could lose what was meant.
    #[error("{}: the theme is not saved, because the file is not valid TOML: {cause}", path.display())]
    Broken {
        path: PathBuf,
        /// What the parser said.
        cause: String,
    },
}

/// Makes `name` the theme in the `config.toml` of a config folder, which is made if need be.
///
/// # Errors
/// If the file cannot be read or written, or is not TOML.
pub fn save_theme(folder: &Path, name: &str) -> Result<(), SaveError> {
    let path = config_file(folder);
    // A link to the file, as people keep who keep their configurations together, stays one.
    let path = path.canonicalize().unwrap_or(path);
    let io = |cause| SaveError::Io {
        path: path.clone(),
        cause,
    };
    let text = match read::text(&path, read::RECORD_LIMIT) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_folders(folder).map_err(io)?;
            String::new()
        }
        Err(error) => return Err(io(error)),
    };
    let changed = with_theme(&text, name).map_err(|cause| SaveError::Broken {
        path: path.clone(),
        cause,
    })?;
    replace_file(&path, changed.as_bytes()).map_err(io)
}

/// The text with `theme = "name"` in it: in place of the theme that is there, else below the last
/// setting before the first table.
fn with_theme(text: &str, name: &str) -> Result<String, String> {
    let table = DeTable::parse(text).map_err(|error| {
        error
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    })?;
    let value = toml::Value::String(name.to_owned());
    if let Some(old) = table.get_ref().get("theme") {
        let mut changed = text.to_owned();
        changed.replace_range(old.span(), &value.to_string());
        return Ok(changed);
    }
    // The heading of the first table: a bracket opens its line.
    let line_of = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
    let heading = table
        .get_ref()
        .iter()
        .map(|(key, _)| line_of(key.span().start))
        .filter(|start| text[*start..].trim_start().starts_with('['))
        .min();
    let mut at = heading.unwrap_or(text.len());
    // Comments right above a heading belong to it.
    while heading.is_some() && at > 0 {
        let above = line_of(at - 1);
        if !text[above..at].trim_start().starts_with('#') {
            break;
        }
        at = above;
    }
    let (before, after) = text.split_at(at);
    let joint = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let gap = if after.is_empty() { "" } else { "\n" };
    Ok(format!("{before}{joint}theme = {value}\n{gap}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_the_theme_changes() {
        let cases = [
            ("", "theme = \"nord\"\n"),
            ("theme = 'dark' # as ever\n", "theme = \"nord\" # as ever\n"),
            (
                "# mine\nthreads = 2",
                "# mine\nthreads = 2\ntheme = \"nord\"\n",
            ),
            (
                "roots = [\n  'a', # b\n]\n\n# my keys\n[keys]\nquit = 'Q' # so\n",
                "roots = [\n  'a', # b\n]\n\ntheme = \"nord\"\n\n# my keys\n[keys]\nquit = 'Q' # so\n",
            ),
            (
                "[keys]\ntheme = 'T'\n",
                "theme = \"nord\"\n\n[keys]\ntheme = 'T'\n",
            ),
            ("keys.theme = 'T'\n", "keys.theme = 'T'\ntheme = \"nord\"\n"),
            (
                "a = 1\r\ntheme = \"x\"\r\n",
                "a = 1\r\ntheme = \"nord\"\r\n",
            ),
        ];
        for (before, after) in cases {
            assert_eq!(
                with_theme(before, "nord").as_deref(),
                Ok(after),
                "{before:?}"
            );
            assert_eq!(with_theme(after, "nord").as_deref(), Ok(after));
        }
        assert!(with_theme("theme = ", "nord").is_err());
        let odd = with_theme("", "a \"b\"").unwrap();
        let read: toml::Table = odd.parse().unwrap();
        assert_eq!(read["theme"].as_str(), Some("a \"b\""));
    }

    #[test]
    fn a_missing_folder_is_made_and_a_link_stays() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("deep/traintop");
        save_theme(&folder, "nord").unwrap();
        assert_eq!(
            fs::read_to_string(folder.join("config.toml")).unwrap(),
            "theme = \"nord\"\n"
        );
        let kept = home.path().join("dotfiles.toml");
        fs::rename(folder.join("config.toml"), &kept).unwrap();
        std::os::unix::fs::symlink(&kept, folder.join("config.toml")).unwrap();
        save_theme(&folder, "dark").unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "theme = \"dark\"\n");
        assert!(folder.join("config.toml").is_symlink());
        fs::write(&kept, "theme = ").unwrap();
        let error = save_theme(&folder, "dark").unwrap_err().to_string();
        assert!(
            error.contains("is not saved, because the file is not valid TOML"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&kept).unwrap(), "theme = ");
    }
}
