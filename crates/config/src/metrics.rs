//! `[metrics]`: which metric runs are judged by, and which way is better.

use toml::Spanned;
use toml::de::DeValue;

use super::build::Reader;
use traintop_run::judging::{MetricSettings, UserSettings};

/// The key of the table that names a primary metric for each root.
pub(super) const PRIMARY_IN: &str = "primary_in";

impl Reader<'_> {
    pub(super) fn metrics(&mut self, value: &Spanned<DeValue>) -> UserSettings {
        let mut says = UserSettings::default();
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("metrics", "a table", value);
            return says;
        };
        let mut problems = Vec::new();
        says.always = MetricSettings::read(self.source, entries, &[PRIMARY_IN], &mut problems);
        for (offset, sentence) in problems {
            self.add_problem(offset, &sentence);
        }
        if let Some(value) = entries.get(PRIMARY_IN) {
            const EXPECTED: &str = "a table of folders and names of metrics";
            let DeValue::Table(roots) = value.get_ref() else {
                self.bad("metrics.primary_in", EXPECTED, value);
                return says;
            };
            for (root, metric) in roots {
                match metric.get_ref() {
                    DeValue::String(metric) => {
                        let root = self.expanded(root.get_ref());
                        says.below.push((root, metric.to_string()));
                    }
                    _ => self.bad("metrics.primary_in", EXPECTED, metric),
                }
            }
        }
        says
    }
}
