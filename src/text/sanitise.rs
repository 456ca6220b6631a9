//! Text from files (names, logs, CSV headers) is not to be trusted: nothing in it may steer the terminal.

use std::borrow::Cow;

/// What a forbidden character is shown as.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a character could steer the terminal or make text look like other text: C0 and C1 controls, bidirectional
/// overrides, invisible formatting characters and line separators.
fn is_forbidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(char, '\u{061c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line and without anything that could steer a terminal: whole escape sequences are dropped, a tab becomes a
/// space, any other forbidden character becomes a visible mark.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_forbidden) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => skip_escape(&mut chars),
            '\t' => cleaned.push(' '),
            char if is_forbidden(char) => cleaned.push(REPLACEMENT),
            char => cleaned.push(char),
        }
    }
    Cow::Owned(cleaned)
}

/// Skips the rest of an escape sequence: CSI up to its final byte, OSC and its kin up to BEL or ST, else one character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars>) {
    match chars.next() {
        Some('[') => {
            while chars
                .next_if(|char| ('\u{20}'..='\u{3f}').contains(char))
                .is_some()
            {}
            chars.next_if(|char| ('\u{40}'..='\u{7e}').contains(char));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(char) = chars.next() {
                if char == '\u{7}'
                    || char == '\u{9c}'
                    || (char == '\u{1b}' && chars.next_if_eq(&'\\').is_some())
                {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_loses_its_power() {
        let cases = [
            ("plain näme 猫", "plain näme 猫"),
            ("red\u{1b}[31mname\u{1b}[0m", "redname"),
            ("title\u{1b}]0;owned\u{7}!", "title!"),
            ("copy\u{1b}]52;c;AAAA\u{1b}\\!", "copy!"),
            ("a\tb\r\nc", "a b\u{fffd}\u{fffd}c"),
            ("c1\u{9b}31m", "c1\u{fffd}31m"),
            ("evil\u{202e}txt.exe", "evil\u{fffd}txt.exe"),
        ];
        for (text, cleaned) in cases {
            assert_eq!(clean(text), cleaned);
        }
    }

    proptest! {
        #[test]
        fn cleaned_text_holds_nothing_forbidden_and_stays_as_it_is(text in ".*") {
            let once = clean(&text).into_owned();
            prop_assert!(!once.chars().any(is_forbidden));
            prop_assert_eq!(clean(&once).into_owned(), once.clone());
        }
    }
}
