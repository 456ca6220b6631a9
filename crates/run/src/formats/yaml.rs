//! YAML as trainers write their settings: with duplicate keys, `.nan`, and tags that only Python
//! knows.

use std::path::Path;

use serde_json::{Map, Value};
use traintop_disk::read;

/// Larger files are no settings.
const MAX_BYTES: u64 = 1 << 20;

/// A file's keys; none if it cannot be read.
pub fn file(path: &Path) -> Map<String, Value> {
    let text = read::text(path, MAX_BYTES).unwrap_or_default();
    object(&text)
}

/// A document's keys. Where it is damaged, those of each part that can be read.
pub fn object(text: &str) -> Map<String, Value> {
    if let Some(whole) = parse(text) {
        return whole;
    }
    parts(text)
        .into_iter()
        .filter_map(parse)
        .flatten()
        .collect()
}

fn parse(text: &str) -> Option<Map<String, Value>> {
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
    };
    match serde_saphyr::from_str_with_options(text, options) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// The text, cut before each line that begins a key at its left edge.
fn parts(text: &str) -> Vec<&str> {
    let begins = text.match_indices('\n').map(|(at, _)| at + 1);
    let is_key = |at: &usize| {
        let line = text[*at..].lines().next().unwrap_or_default();
        line.contains(':') && line.starts_with(|char: char| char.is_alphanumeric() || char == '_')
    };
    let mut cuts: Vec<usize> = std::iter::once(0).chain(begins.filter(is_key)).collect();
    cuts.push(text.len());
    cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_same_key_nan_tags_and_damage_cost_one_key_at_most() {
        let text =
            "lr: 3.0e-4\nlr: 0.1\nx: .nan\nbetas: !!python/tuple\n- 0.9\nnet:\n  width: 64\n";
        let map = object(text);
        assert_eq!(
            (&map["lr"], &map["net"]["width"]),
            (&0.1.into(), &64.into())
        );
        assert_eq!(map["betas"][0], 0.9);
        let damaged = object("a: 1\nb: [1, 2\nc: *nobody\nd: x: y\ne: 5\n");
        assert_eq!((&damaged["a"], &damaged["e"]), (&1.into(), &5.into()));
    }
}
