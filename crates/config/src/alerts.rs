//! `[alerts]`: what a user is notified of while runs train, and how.

use toml::Spanned;
use toml::de::DeValue;

use super::build::Reader;
use traintop_analysis::alert::{Kind, Rules};

/// What is notified, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerts {
    /// What the dashboard shows.
    pub rules: Rules,
    /// What of it is also sent, in one of the ways below.
    pub send: Vec<Kind>,
    /// Whether the terminal's bell rings.
    pub bell: bool,
    /// Whether the terminal shows a notification by OSC 9.
    pub osc9: bool,
    /// Whether it shows one by OSC 777.
    pub osc777: bool,
    /// A command that is started, with its words; none if empty.
    pub notify: Vec<String>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            rules: Rules::default(),
            send: Kind::ALL.to_vec(),
            bell: false,
            osc9: false,
            osc777: false,
            notify: Vec::new(),
        }
    }
}

const KEYS: [&str; 9] = [
    "rules",
    "send",
    "no_progress",
    "stalled",
    "disk_free",
    "bell",
    "osc9",
    "osc777",
    "notify",
];
const MAX_EPOCHS: i64 = 1_000_000;
const MAX_TIMES: i64 = 1000;
const MAX_GIGABYTES: i64 = 1_000_000;

impl Reader<'_> {
    pub(super) fn alerts(&mut self, value: &Spanned<DeValue>) -> Alerts {
        let mut alerts = Alerts::default();
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("alerts", "a table", value);
            return alerts;
        };
        for (key, value) in entries {
            let name: &str = key.get_ref();
            let full = format!("alerts.{name}");
            match name {
                "rules" => alerts.rules.on = self.kinds(&full, value).unwrap_or(alerts.rules.on),
                "send" => alerts.send = self.kinds(&full, value).unwrap_or(alerts.send),
                "no_progress" => {
                    let epochs = self.whole(&full, 0..=MAX_EPOCHS, value);
                    alerts.rules.no_progress = epochs.map(|epochs| epochs as u32);
                }
                "stalled" => {
                    if let Some(times) = self.whole(&full, 2..=MAX_TIMES, value) {
                        alerts.rules.stalled = times as f64;
                    }
                }
                "disk_free" => {
                    if let Some(gigabytes) = self.whole(&full, 0..=MAX_GIGABYTES, value) {
                        alerts.rules.disk_free = gigabytes as u64 * 1_000_000_000;
                    }
                }
                "bell" => alerts.bell = self.yes_or_no(&full, value).unwrap_or(false),
                "osc9" => alerts.osc9 = self.yes_or_no(&full, value).unwrap_or(false),
                "osc777" => alerts.osc777 = self.yes_or_no(&full, value).unwrap_or(false),
                "notify" => {
                    let words = self.list(&full, "a command as a list of words", value);
                    let words = words.unwrap_or_default().into_iter();
                    alerts.notify = words.map(|word| word.value).collect();
                }
                other => self.unknown_among(&KEYS, other, key.span().start),
            }
        }
        alerts
    }

    /// A list of rules by their names. One that is not known is reported and left out.
    fn kinds(&mut self, key: &str, value: &Spanned<DeValue>) -> Option<Vec<Kind>> {
        let names = || {
            let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            names.join(", ")
        };
        let listed = self.list(key, &format!("a list of {}", names()), value)?;
        let mut kinds = Vec::new();
        for name in listed {
            match Kind::named(&name.value) {
                Some(kind) => kinds.push(kind),
                None => {
                    let (place, value) = (name.place, name.value);
                    let sentence = format!(
                        "{place}: {key}: {value:?} is no rule; the rules are {}",
                        names()
                    );
                    self.problems.push(sentence);
                }
            }
        }
        Some(kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Files};
    use super::*;

    fn build(text: &str) -> (Alerts, Vec<String>) {
        let files = Files {
            name: "config.toml".to_owned(),
            config: text.to_owned(),
            ..Files::default()
        };
        let (config, problems) = Config::build(&files);
        (config.alerts, problems)
    }

    #[test]
    fn every_setting_is_taken_and_none_is_the_default() {
        assert_eq!(build(""), (Alerts::default(), Vec::new()));
        let text = "[alerts]\nrules = ['failed', 'nan', 'late']\nsend = ['failed']\nno_progress = 30\nstalled = 8\ndisk_free = 5\n\
                    bell = true\nosc9 = true\nosc777 = true\nnotify = ['mail', '-s', '{run}']\n";
        let expected = Alerts {
            rules: Rules {
                on: vec![Kind::Failed, Kind::NotANumber, Kind::Late],
                no_progress: Some(30),
                stalled: 8.0,
                disk_free: 5_000_000_000,
            },
            send: vec![Kind::Failed],
            bell: true,
            osc9: true,
            osc777: true,
            notify: ["mail", "-s", "{run}"].map(str::to_owned).to_vec(),
        };
        assert_eq!(build(text), (expected, Vec::new()));
    }

    #[test]
    fn each_problem_is_reported_with_its_place_and_the_rest_holds() {
        let text = "[alerts]\nrules = ['failed', 'doom']\nstalled = 1\nbel = true\nnotify = 'mail'\ndisk_free = 9\n";
        let (alerts, problems) = build(text);
        assert_eq!(alerts.rules.on, [Kind::Failed]);
        assert_eq!(
            (alerts.rules.stalled, alerts.rules.disk_free),
            (5.0, 9_000_000_000)
        );
        let expected = [
            "config.toml:2: alerts.rules: \"doom\" is no rule; the rules are finished, failed, nan, diverging, no_progress, stalled, overfitting, disk, late, hopeless",
            "config.toml:3: alerts.stalled must be a whole number from 2 to 1000, got 1",
            "config.toml:4: unknown key \"bel\"; did you mean bell?",
            "config.toml:5: alerts.notify must be a command as a list of words, got 'mail'",
        ];
        let mut problems = problems;
        problems.sort();
        assert_eq!(problems, expected);
    }
}
