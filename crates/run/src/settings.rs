//! A run's configuration in little room, for lists: finding, sorting and grouping ten thousand runs
//! by a key must not touch the disk.

use std::borrow::Cow;
use std::sync::Arc;

use memchr::memmem::Finder;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::config_file::Config;

/// Longer values are cut: they are useless for finding a run.
const MAX_VALUE_BYTES: usize = 200;
/// What a run keeps in all; the keys after it are left out. A hundred keys take about three
/// thousand bytes.
const MAX_BYTES: usize = 16 << 10;

/// Keys with their values, nested keys joined by a dot. One text holds all of them, a line each, so
/// that a run costs one allocation and a key is found by one search. A copy shares the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings(Arc<str>);

/// A key to look for, prepared once for many runs.
#[derive(Debug, Clone)]
pub struct Key {
    name: String,
    /// As it begins a line, and as the last part of a nested key.
    finders: Box<[Finder<'static>; 2]>,
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Cow::<str>::deserialize(deserializer)?.into()))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self("\n".into())
    }
}

impl Settings {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Self {
        config.lines().into_iter().collect()
    }

    /// Every key with its value, in the order of the file.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.lines().filter_map(|line| line.split_once('\t'))
    }

    /// Every key, as bytes: faster than [`Settings::pairs`] where thousands of runs are gone
    /// through.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.0.as_bytes();
        // Each line but the first, which is empty, is a key, a tab and a value.
        let mut at = 1;
        std::iter::from_fn(move || {
            let line = bytes.get(at..).filter(|line| !line.is_empty())?;
            let key = memchr::memchr(b'\t', line)?;
            let end = memchr::memchr(b'\n', &line[key..])?;
            at += key + end + 1;
            Some(&line[..key])
        })
    }

    /// Whether a key, by all of its name, has this value.
    pub fn has(&self, (key, value): (&str, &str)) -> bool {
        let line = ["\n", key, "\t", value, "\n"].concat();
        memchr::memmem::find(self.0.as_bytes(), line.as_bytes()).is_some()
    }

    /// The value of a key by all of its name.
    pub fn exact(&self, key: &str) -> Option<&str> {
        let line = ["\n", key, "\t"].concat();
        let start = memchr::memmem::find(self.0.as_bytes(), line.as_bytes())? + line.len();
        self.0[start..].lines().next()
    }

    /// The value of a key.
    pub fn get(&self, key: &Key) -> Option<&str> {
        let bytes = self.0.as_bytes();
        let found = |finder: &Finder| Some(finder.find(bytes)? + finder.needle().len());
        let [whole, nested] = &*key.finders;
        let start = found(whole).or_else(|| found(nested))?;
        self.0[start..].lines().next()
    }
}

/// Keys and values are cleaned, and hold neither tabs nor line ends.
impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut text = "\n".to_owned();
        for (key, value) in pairs {
            let cut = value
                .char_indices()
                .map(|(at, _)| at)
                .find(|at| *at >= MAX_VALUE_BYTES)
                .unwrap_or(value.len());
            let line = [key.as_str(), "\t", &value[..cut], "\n"].concat();
            if text.len() + line.len() > MAX_BYTES {
                break;
            }
            text += &line;
        }
        Self(text.into())
    }
}

impl Key {
    /// A key by its name: the full name, or the part after the last dot of a nested one.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            finders: Box::new(
                ["\n", "."].map(|before| Finder::new(&format!("{before}{name}\t")).into_owned()),
            ),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let owned = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        owned.collect()
    }

    #[test]
    fn keys_are_found_whole_or_by_what_follows_the_last_dot() {
        let settings = settings(&[
            ("jitter.hue", "0.1"),
            ("seed", "7"),
            ("hue_seed", "9"),
            ("note", ""),
        ]);
        let get = |name| settings.get(&Key::new(name));
        assert_eq!(
            (get("seed"), get("hue"), get("jitter.hue")),
            (Some("7"), Some("0.1"), Some("0.1"))
        );
        assert_eq!((get("note"), get("see"), get("7")), (Some(""), None, None));
        assert_eq!(settings.pairs().count(), 4);
        let pairs = settings.pairs().map(|(key, _)| key.as_bytes());
        assert!(settings.keys().eq(pairs));
        assert_eq!(Settings::default().keys().count(), 0);
        assert_eq!(Settings::default().get(&Key::new("seed")), None);
    }

    #[test]
    fn what_nobody_finds_runs_by_costs_no_room() {
        let long = "猫".repeat(5000);
        let many = (0..5000).map(|key| (format!("key{key}"), long.clone()));
        let settings: Settings = many.collect();
        assert!(settings.0.len() <= MAX_BYTES);
        let value = settings.get(&Key::new("key0")).unwrap();
        assert!(value.len() < MAX_VALUE_BYTES + 4 && long.starts_with(value));
    }
}
