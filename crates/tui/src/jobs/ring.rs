//! The bell and notifications of the terminal, which work over SSH too.

use crate::clipboard::Wrapped;
use traintop_config as config;
use traintop_run::alerts::Alert;
use traintop_text::clean;

/// Longer texts are cut: a notification has two lines.
const LONGEST: usize = 200;

/// What the terminal is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    bell: bool,
    osc9: bool,
    osc777: bool,
    /// The run, or how many there are.
    title: String,
    text: String,
}

impl Ring {
    /// How a number of alerts ring, of which this is the first; `None` if nothing does.
    pub fn of(config: &config::Alerts, first: &Alert, count: usize) -> Option<Self> {
        let (title, text) = if count == 1 {
            (first.name.clone(), first.message.clone())
        } else {
            (
                format!("{count} runs"),
                format!("{}: {}", first.name, first.message),
            )
        };
        let rings = config.bell || config.osc9 || config.osc777;
        rings.then(|| Self {
            bell: config.bell,
            osc9: config.osc9,
            osc777: config.osc777,
            title: plain(&title),
            text: plain(&text),
        })
    }

    /// The bytes for the terminal. The bell is every multiplexer's own; sequences are handed
    /// through it.
    pub fn sequence(&self, wrapped: Wrapped) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.osc9 {
            let sequence = format!("\x1b]9;{}: {}\x07", self.title, self.text);
            bytes.extend(wrapped.around(&sequence).into_bytes());
        }
        if self.osc777 {
            // A semicolon would end the title.
            let title = self.title.replace(';', ",");
            let sequence = format!("\x1b]777;notify;{title};{}\x07", self.text);
            bytes.extend(wrapped.around(&sequence).into_bytes());
        }
        if self.bell {
            bytes.push(0x07);
        }
        bytes
    }
}

/// Without anything that a terminal would obey.
fn plain(text: &str) -> String {
    let text = clean(text);
    text.chars()
        .filter(|char| !char.is_control())
        .take(LONGEST)
        .collect()
}

/// The bytes that ring, for the terminal that the environment tells of.
pub fn sequence(ring: &Ring) -> Vec<u8> {
    ring.sequence(Wrapped::detect(|name| std::env::var(name).ok()))
}

#[cfg(test)]
mod tests {
    use crate::jobs::ring::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use traintop_run::RunDir;

    fn alert(name: &str, message: &str) -> Alert {
        Alert {
            about: "a".to_owned(),
            kind: "nan".to_owned(),
            dir: RunDir::new("/runs/a"),
            name: name.to_owned(),
            message: message.to_owned(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn all() -> config::Alerts {
        config::Alerts {
            bell: true,
            osc9: true,
            osc777: true,
            ..config::Alerts::default()
        }
    }

    #[test]
    fn each_way_has_its_bytes_and_a_multiplexer_hands_them_on() {
        let alert = alert("a;b", "val_loss is NaN");
        assert_eq!(Ring::of(&config::Alerts::default(), &alert, 1), None);
        let ring = Ring::of(&all(), &alert, 1).unwrap();
        let text = |wrapped| String::from_utf8(ring.sequence(wrapped)).unwrap();
        assert_eq!(
            text(Wrapped::Not),
            "\x1b]9;a;b: val_loss is NaN\x07\x1b]777;notify;a,b;val_loss is NaN\x07\x07"
        );
        let bell = config::Alerts {
            osc9: false,
            osc777: false,
            ..all()
        };
        assert_eq!(
            Ring::of(&bell, &alert, 3).unwrap().sequence(Wrapped::Tmux),
            b"\x07"
        );
        let osc9 = config::Alerts {
            bell: false,
            osc777: false,
            ..all()
        };
        let wrapped = Ring::of(&osc9, &alert, 3).unwrap().sequence(Wrapped::Tmux);
        assert_eq!(
            String::from_utf8(wrapped).unwrap(),
            "\x1bPtmux;\x1b\x1b]9;3 runs: a;b: val_loss is NaN\x07\x1b\\"
        );
    }

    proptest! {
        #[test]
        fn no_name_or_message_reaches_the_terminal_as_an_order(name in any::<String>(), message in any::<String>()) {
            let ring = Ring::of(&all(), &alert(&name, &message), 1).unwrap();
            let text = String::from_utf8(ring.sequence(Wrapped::Not)).unwrap();
            prop_assert_eq!(text.matches('\x1b').count(), 2);
            prop_assert_eq!(text.matches('\x07').count(), 3);
            prop_assert!(text.chars().filter(|char| char.is_control()).count() == 5);
        }
    }
}
