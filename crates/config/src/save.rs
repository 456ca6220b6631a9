//! Saving a theme or a primary metric that was chosen: one line of `config.toml` changes,
//! everything else in it, comments too, stays as it is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::build::expanded;
use super::files::{config_file, home, resolved};
use super::metrics::PRIMARY_IN;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};

/// Why a choice was not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file or its folder.
    #[error("{}: the {what} cannot be saved ({cause})", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        cause: std::io::Error,
    },
    /// The meaning of such a file is unknown; writing into it could lose settings.
    #[error("{}: the {what} is not saved, because the file is not valid TOML: {cause}", path.display())]
    Broken {
        what: &'static str,
        path: PathBuf,
        /// The parser's message.
        cause: String,
    },
}

/// Makes `name` the theme in the `config.toml` of a config folder, which is made if need be.
///
/// # Errors
/// If the file cannot be read or written, or is not TOML.
pub fn save_theme(folder: &Path, name: &str) -> Result<(), SaveError> {
    save(folder, "theme", |text| with_theme(text, name))
}

/// Makes a metric the primary one below a root in the `config.toml` of a config folder, which is
/// made if need be; without a metric what was chosen for that root goes.
///
/// # Errors
/// As [`save_theme`].
pub fn save_primary(folder: &Path, root: &Path, metric: Option<&str>) -> Result<(), SaveError> {
    let home = home();
    let change = |text: &str| with_primary(text, root, home.as_deref(), metric);
    save(folder, "primary metric", change)
}

fn save(
    folder: &Path,
    what: &'static str,
    change: impl FnOnce(&str) -> Result<String, String>,
) -> Result<(), SaveError> {
    let path = config_file(folder);
    // A link to the file, as people keep who keep their configurations together, stays one.
    let path = path.canonicalize().unwrap_or(path);
    let io = |cause| SaveError::Io {
        what,
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
    let changed = change(&text).map_err(|cause| SaveError::Broken {
        what,
        path: path.clone(),
        cause,
    })?;
    replace_file(&path, changed.as_bytes()).map_err(io)
}

/// The text with `root = "metric"` added to the table `[metrics.primary_in]`, or removed. An entry
/// belongs to the root whose folder it means, in any spelling.
fn with_primary(
    text: &str,
    root: &Path,
    home: Option<&Path>,
    metric: Option<&str>,
) -> Result<String, String> {
    let table = DeTable::parse(text).map_err(|error| first_line(&error))?;
    let inline = || format!("write `[metrics.{PRIMARY_IN}]` as a table of its own first");
    let heading = format!("[metrics.{PRIMARY_IN}]");
    let metrics = table.get_ref().get("metrics");
    let chosen = metrics
        .and_then(|metrics| metrics.get_ref().as_table())
        .and_then(|metrics| metrics.get(PRIMARY_IN));
    let entries = chosen.and_then(|chosen| chosen.get_ref().as_table());
    let is_of_root = |key: &str| resolved(expanded(key, home)) == root;
    let spans = entries.into_iter().flatten();
    let spans = spans.filter(|(key, _)| is_of_root(key.get_ref()));
    let mut spans: Vec<_> = spans.map(|(key, old)| (key.span(), old.span())).collect();
    spans.sort_by_key(|(key, _)| std::cmp::Reverse(key.start));
    let value = metric.map(|metric| toml::Value::String(metric.to_owned()));
    let mut changed = text.to_owned();
    match (spans.is_empty(), value) {
        (false, Some(value)) => {
            for (_, old) in spans {
                changed.replace_range(old, &value.to_string());
            }
        }
        (false, None) => {
            for (key, old) in spans {
                let begin = text[..key.start].rfind('\n').map_or(0, |at| at + 1);
                let end = text[old.end..].find('\n');
                let end = end.map_or(text.len(), |at| old.end + at + 1);
                let behind = text[old.end..end].trim();
                let is_alone = text[begin..key.start].trim().is_empty()
                    && (behind.is_empty() || behind.starts_with('#'));
                if !is_alone {
                    return Err(inline());
                }
                changed.replace_range(begin..end, "");
            }
            changed = without_empty_table(&changed, &heading);
        }
        (true, None) => {}
        (true, Some(value)) => {
            let root = root.to_string_lossy().into_owned();
            let line = format!("{} = {value}\n", toml::Value::String(root));
            let is_heading = |line: &str| line.trim_end() == heading;
            let mut at = 0;
            let below = text.split_inclusive('\n').find_map(|line| {
                at += line.len();
                is_heading(line).then_some(at)
            });
            match below {
                Some(at) => {
                    let joint = if text[..at].ends_with('\n') { "" } else { "\n" };
                    changed.insert_str(at, &format!("{joint}{line}"));
                }
                None => {
                    let joint = match text {
                        "" => "",
                        text if text.ends_with('\n') => "\n",
                        _ => "\n\n",
                    };
                    changed.extend([joint, heading.as_str(), "\n", line.as_str()]);
                }
            }
        }
    }
    // Where the table is written in another way, as `metrics = { ... }`, a second one is an error.
    DeTable::parse(&changed).map(|_| ()).map_err(|_| inline())?;
    Ok(changed)
}

/// The text without this heading, and without a blank line before it, if it is empty.
fn without_empty_table(text: &str, heading: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(at) = lines.iter().position(|line| line.trim_end() == heading) else {
        return text.to_owned();
    };
    let mut below = lines[at + 1..]
        .iter()
        .filter(|line| !line.trim().is_empty());
    let is_empty = below.next().is_none_or(|line| line.starts_with('['));
    let is_blank = |line: &&str| line.trim().is_empty();
    let first = at - usize::from(lines[..at].last().is_some_and(is_blank));
    if is_empty {
        [&lines[..first], &lines[at + 1..]].concat().concat()
    } else {
        text.to_owned()
    }
}

fn first_line(error: &toml::de::Error) -> String {
    let message = error.message();
    message.lines().next().unwrap_or_default().to_owned()
}

/// The text with `theme = "name"` in it: in place of the theme that is there, else below the last
/// setting before the first table.
fn with_theme(text: &str, name: &str) -> Result<String, String> {
    let table = DeTable::parse(text).map_err(|error| first_line(&error))?;
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

    fn primary(text: &str, root: &str, metric: Option<&str>) -> Result<String, String> {
        with_primary(text, Path::new(root), Some(Path::new("/home/ada")), metric)
    }

    #[test]
    fn a_primary_metric_is_that_of_the_folder_that_an_entry_means() {
        let text = "[metrics.primary_in]\n'~/runs' = 'a' # mine\n'/b' = 'c'\n";
        let changed = primary(text, "/home/ada/runs", Some("x")).unwrap();
        assert_eq!(changed, text.replace("'a'", "\"x\""));
        let undone = primary(text, "/home/ada/runs", None).unwrap();
        assert_eq!(undone, "[metrics.primary_in]\n'/b' = 'c'\n");
        // The rest of its line is not lost.
        for inline in [
            "metrics = { primary = 'x', primary_in = { '/a' = 'y' } }\n",
            "[metrics]\nprimary_in = { '/a' = 'y', '/b' = 'z' }\n",
        ] {
            let refused = primary(inline, "/a", None).unwrap_err();
            assert!(refused.contains("as a table of its own"), "{refused}");
        }
    }

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
    fn only_the_primary_metric_of_one_root_changes() {
        let (a, b) = ("\"/a b/runs\" = \"val_dice\"\n", "'/b' = 'loss' # mine\n");
        let heading = "[metrics.primary_in]\n";
        for (before, after) in [
            (String::new(), format!("{heading}{a}")),
            (
                "threads = 2".to_owned(),
                format!("threads = 2\n\n{heading}{a}"),
            ),
            (
                format!("{heading}{b}\n[keys]\nquit = 'Q'\n"),
                format!("{heading}{a}{b}\n[keys]\nquit = 'Q'\n"),
            ),
            (
                format!("[metrics]\nlower = 'x'\n\n{heading}\"/a b/runs\" = 'old' # so\n"),
                format!("[metrics]\nlower = 'x'\n\n{heading}\"/a b/runs\" = \"val_dice\" # so\n"),
            ),
        ] {
            let changed = primary(&before, "/a b/runs", Some("val_dice"));
            assert_eq!(changed, Ok(after), "{before}");
        }
        let both = format!("{heading}{a}{b}");
        let without = primary(&both, "/a b/runs", None).unwrap();
        assert_eq!(without, format!("{heading}{b}"));
        let one = primary("threads = 2\n", "/a", Some("x")).unwrap();
        for rest in ["", "\n[keys]\nquit = 'Q'\n"] {
            let without = primary(&format!("{one}{rest}"), "/a", None);
            assert_eq!(without, Ok(format!("threads = 2\n{rest}")));
        }
        let kept = primary(&format!("{one}# mine\n"), "/a", None).unwrap();
        assert_eq!(kept, format!("threads = 2\n\n{heading}# mine\n"));
        assert_eq!(primary("", "/a", None).as_deref(), Ok(""));
        let inline = "metrics = { primary = 'x' }\n";
        assert!(primary(inline, "/a", Some("x")).is_err());
        assert!(primary("a = ", "/a", Some("x")).is_err());
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
