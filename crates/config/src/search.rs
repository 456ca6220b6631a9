//! `[search]`: how far roots are searched for runs.

use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::build::Reader;
use traintop_run::discover::Limits;

const KEYS: [&str; 3] = ["depth", "entries", "seconds"];
/// Paths are no longer than that.
const MAX_DEPTH: i64 = 2000;
/// One day.
const MAX_SECONDS: i64 = 24 * 3600;
/// No file system holds more.
const MAX_ENTRIES: i64 = 1_000_000_000_000;

impl Reader<'_> {
    pub(super) fn search(&mut self, value: &Spanned<DeValue>) -> Limits {
        let mut limits = Limits::default();
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("search", "a table", value);
            return limits;
        };
        for (key, value) in entries {
            match key.get_ref().as_ref() {
                "depth" => {
                    let depth = self.whole("search.depth", 1..=MAX_DEPTH, value);
                    limits.depth = depth.map_or(limits.depth, |depth| depth as usize);
                }
                "entries" => {
                    let most = self.whole("search.entries", 1..=MAX_ENTRIES, value);
                    limits.entries = most.map_or(limits.entries, |most| most as usize);
                }
                "seconds" => {
                    let seconds = self.whole("search.seconds", 1..=MAX_SECONDS, value);
                    let time = seconds.map(|seconds| Duration::from_secs(seconds.cast_unsigned()));
                    limits.time = time.unwrap_or(limits.time);
                }
                other => self.unknown_among(&KEYS, other, key.span().start),
            }
        }
        limits
    }
}
