//! Copying by an escape sequence (OSC 52), which reaches the clipboard of the user's own machine,
//! over SSH too.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use traintop_text::clean_lines;

/// The longest text in bytes that common terminals (xterm, kitty, tmux) take whole.
pub const LONGEST: usize = 74_994;

/// What wraps the terminal, as its environment tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapped {
    /// Nothing.
    Not,
    Tmux,
    /// GNU screen.
    Screen,
}

impl Wrapped {
    /// By the environment.
    pub fn detect(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| lookup(name).is_some_and(|value| !value.is_empty());
        if is_set("TMUX") {
            Self::Tmux
        } else if is_set("STY") {
            Self::Screen
        } else {
            Self::Not
        }
    }

    /// A sequence as it is handed through to the terminal outside.
    pub fn around(self, plain: &str) -> String {
        match self {
            Self::Not => plain.to_owned(),
            Self::Tmux => format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
            // It takes no longer strings than this.
            Self::Screen => {
                let mut parts = String::new();
                for part in plain.as_bytes().chunks(700) {
                    parts.extend(["\x1bP", &String::from_utf8_lossy(part), "\x1b\\"]);
                }
                parts
            }
        }
    }
}

/// The bytes that put `text` into the clipboard, without what could steer the program that it is
/// pasted into; `None` if it is too long for one. tmux takes the sequence itself where
/// `set-clipboard` is on, and hands it on where `allow-passthrough` is: both are sent, and
/// whichever is not allowed is passed over.
pub fn sequence(text: &str, wrapped: Wrapped) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    let text = clean_lines(text);
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text.as_bytes()));
    let handed_on = wrapped.around(&plain);
    let bytes = match wrapped {
        Wrapped::Tmux => plain + &handed_on,
        Wrapped::Not | Wrapped::Screen => handed_on,
    };
    Some(bytes.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrapping_gets_its_form() {
        let of = |wrapped| String::from_utf8(sequence("a b", wrapped).unwrap()).unwrap();
        assert_eq!(of(Wrapped::Not), "\x1b]52;c;YSBi\x07");
        assert_eq!(
            of(Wrapped::Tmux),
            "\x1b]52;c;YSBi\x07\x1bPtmux;\x1b\x1b]52;c;YSBi\x07\x1b\\"
        );
        assert_eq!(of(Wrapped::Screen), "\x1bP\x1b]52;c;YSBi\x07\x1b\\");
        assert_eq!(sequence(&"x".repeat(LONGEST + 1), Wrapped::Not), None);
    }

    #[test]
    fn what_is_copied_holds_no_control_characters() {
        let hostile = "a\u{1b}[201~b\rc\u{9b}d\u{202e}e\nf";
        let bytes = sequence(hostile, Wrapped::Not).unwrap();
        let coded = &bytes[b"\x1b]52;c;".len()..bytes.len() - 1];
        let copied = String::from_utf8(STANDARD.decode(coded).unwrap()).unwrap();
        assert_eq!(copied, "ab\u{fffd}c\u{fffd}d\u{fffd}e\nf");
    }

    #[test]
    fn the_environment_tells() {
        let set = |name: &'static str| move |asked: &str| (asked == name).then(|| "1".to_owned());
        assert_eq!(Wrapped::detect(set("TMUX")), Wrapped::Tmux);
        assert_eq!(Wrapped::detect(set("STY")), Wrapped::Screen);
        assert_eq!(Wrapped::detect(|_| None), Wrapped::Not);
    }
}
