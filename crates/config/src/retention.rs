//! `[retention]`: which checkpoints the clean-up keeps.

use toml::Spanned;
use toml::de::DeValue;

use super::build::Reader;
use traintop_ops::clean::{Policy, Protection, Rule};

/// No rule counts further: a million epochs, or days.
const MAX_KEPT: i64 = 1_000_000;

impl Reader<'_> {
    /// `keep_best = 1` and the like, and `protect`, a list.
    pub(super) fn retention(&mut self, value: &Spanned<DeValue>) -> Policy {
        let mut policy = Policy::default();
        let DeValue::Table(entries) = value.get_ref() else {
            self.bad("retention", "a table of rules", value);
            return policy;
        };
        for (key, value) in entries {
            let name: &str = key.get_ref();
            let full = format!("retention.{name}");
            if let Some(rule) = Rule::ALL.into_iter().find(|rule| rule.name() == name) {
                if let Some(number) = self.whole(&full, 0..=MAX_KEPT, value) {
                    *rule.of(&mut policy) = number as u32;
                }
            } else if name == "protect" {
                let names = Protection::ALL.map(Protection::name).join(", ");
                let expected = format!("a list of {names}");
                if let Some(listed) = self.list(&full, &expected, value) {
                    policy.protect.clear();
                    let mut is_clear = true;
                    for word in listed {
                        match Protection::named(&word.value) {
                            Ok(protection) => policy.protect.push(protection),
                            Err(problem) => {
                                // What was meant is not known: nothing loses its protection.
                                is_clear = false;
                                let sentence = format!("{}: {full}: {problem}", word.place);
                                self.problems.push(sentence);
                            }
                        }
                    }
                    if !is_clear {
                        policy.protect = Protection::ALL.to_vec();
                    }
                }
            } else {
                let keys: Vec<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
                let keys: Vec<&str> = keys.into_iter().chain(["protect"]).collect();
                self.unknown_among(&keys, name, key.span().start);
            }
        }
        policy
    }
}
