//! `[search]`: how far roots are searched for runs.

use toml::Spanned;
use toml::de::DeValue;

use super::build::Reader;
use traintop_run::discover::Limits;

const KEYS: [&str; 2] = ["depth", "entries"];
/// Paths are no longer than that.
const DEEPEST: i64 = 2000;
/// No file system holds more.
const MOST_ENTRIES: i64 = 1_000_000_000_000;

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
                    let depth = self.whole("search.depth", 1..=DEEPEST, value);
                    limits.depth = depth.map_or(limits.depth, |depth| depth as usize);
                }
                "entries" => {
                    let most = self.whole("search.entries", 1..=MOST_ENTRIES, value);
                    limits.entries = most.map_or(limits.entries, |most| most as usize);
                }
                other => self.unknown_among(&KEYS, other, key.span().start),
            }
        }
        limits
    }
}
