//! Configurations side by side.

use std::collections::BTreeSet;

use super::repetitions::{is_name, is_seed};
use traintop_run::compared_run::ComparedRun;

/// One key over all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, nested ones joined by a dot.
    pub key: String,
    /// The value of each run, in their order; `None` where it has no such key.
    pub values: Vec<Option<String>>,
    /// Whether the runs do not all have the same.
    pub differs: bool,
}

/// Every key that any of the runs has, those first in which they differ: settings before names and
/// seeds, by name.
pub fn side_by_side(runs: &[&ComparedRun]) -> Vec<Setting> {
    let keys: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.config.iter().map(|(key, _)| key.as_str()))
        .collect();
    let mut settings: Vec<Setting> = keys
        .into_iter()
        .map(|key| {
            let of = |run: &&ComparedRun| run.setting(key).map(str::to_owned);
            let values: Vec<Option<String>> = runs.iter().map(of).collect();
            Setting {
                key: key.to_owned(),
                differs: values.windows(2).any(|pair| pair[0] != pair[1]),
                values,
            }
        })
        .collect();
    settings.sort_by_key(|setting| {
        let is_aside = is_seed(&setting.key) || is_name(&setting.key);
        (!setting.differs, is_aside)
    });
    settings
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::configured;
    use super::*;

    #[test]
    fn what_differs_comes_first_and_what_is_missing_differs() {
        let runs = [
            configured("a", &[("b", "1"), ("name", "x"), ("lr", "0.1")], &[1.0]),
            configured("b", &[("b", "1"), ("name", "y"), ("wd", "0")], &[1.0]),
        ];
        let settings = side_by_side(&runs.iter().collect::<Vec<_>>());
        let keys: Vec<_> = settings
            .iter()
            .map(|setting| (setting.key.as_str(), setting.differs))
            .collect();
        assert_eq!(
            keys,
            [("lr", true), ("wd", true), ("name", true), ("b", false)]
        );
        assert_eq!(settings[0].values, [Some("0.1".to_owned()), None]);
    }
}
