//! Text from files (names, logs, CSV headers) is not to be trusted: nothing in it may steer the
//! terminal.

use std::borrow::Cow;
use std::iter::Peekable;
use std::ops::RangeInclusive;
use std::str::CharIndices;

use unicode_segmentation::GraphemeCursor;
use unicode_width::UnicodeWidthChar;

/// What a forbidden character is shown as.
const REPLACEMENT: char = '\u{fffd}';

/// Whether a character could steer the terminal or make text look like other text: C0 and C1
/// controls, bidirectional overrides, line separators, and characters that are drawn as nothing
/// (Unicode's `Default_Ignorable_Code_Point`). Of the last, the variation selectors of emoji are
/// allowed.
pub fn is_forbidden(char: char) -> bool {
    // Nearly all text: what is printable in ASCII.
    if matches!(char, ' '..='~') {
        return false;
    }
    char.is_control()
        || matches!(
            char,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The text on one line and without anything that could steer a terminal: whole escape sequences
/// are dropped, a tab becomes a space, any other forbidden character becomes a visible mark. Emoji
/// that are joined into one are shown one by one: how wide the joined one is, terminals do not
/// agree on.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_forbidden) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '\u{1b}' => skip_escape(&mut chars),
            '\t' => cleaned.push(' '),
            JOINER if joins_emoji(text, at) => {}
            char if is_forbidden(char) => cleaned.push(REPLACEMENT),
            char => cleaned.push(char),
        }
    }
    Cow::Owned(cleaned)
}

/// As [`clean`], but each line for itself: line ends stay.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|char| char != '\n' && is_forbidden(char)) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<_> = text.split('\n').map(clean).collect();
    Cow::Owned(lines.join("\n"))
}

/// Joins emoji into one, and is drawn as nothing.
const JOINER: char = '\u{200d}';

/// Whether the joiner at `at` is between two emoji: only there, and in Indic conjuncts, what
/// follows it belongs to the same grapheme and has a width.
fn joins_emoji(text: &str, at: usize) -> bool {
    let has_width = text[at..].chars().nth(1).and_then(|next| next.width()) > Some(0);
    let end = at + JOINER.len_utf8();
    has_width
        && GraphemeCursor::new(end, text.len(), true)
            .is_boundary(text, 0)
            .is_ok_and(|is_boundary| !is_boundary)
}

/// Skips the rest of an escape sequence: CSI up to its final byte, OSC and its kin up to BEL or ST,
/// else one character.
fn skip_escape(chars: &mut Peekable<CharIndices>) {
    let is = |range: RangeInclusive<char>| move |(_, char): &(usize, char)| range.contains(char);
    match chars.next().map(|(_, char)| char) {
        Some('[') => {
            while chars.next_if(is('\u{20}'..='\u{3f}')).is_some() {}
            chars.next_if(is('\u{40}'..='\u{7e}'));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some((_, char)) = chars.next() {
                if char == '\u{7}'
                    || char == '\u{9c}'
                    || (char == '\u{1b}' && chars.next_if(is('\\'..='\\')).is_some())
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
            (
                "a\u{200b}b\u{2066}c\u{ad}d\u{3164}e",
                "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e",
            ),
            ("del\u{7f}tag\u{e0041}", "del\u{fffd}tag\u{fffd}"),
            (
                "e\u{301} हिन्दी 学習 ☠\u{fe0f}",
                "e\u{301} हिन्दी 学習 ☠\u{fe0f}",
            ),
            ("👩\u{200d}💻", "👩💻"),
            ("a\u{200d}b 👩\u{200d}b", "a\u{fffd}b 👩\u{fffd}b"),
        ];
        for (text, cleaned) in cases {
            assert_eq!(clean(text), cleaned);
        }
    }

    #[test]
    fn lines_stay_lines_and_an_escape_ends_with_its_line() {
        assert_eq!(clean_lines("a\n\u{1b}]0;b\nc\r\n"), "a\n\nc\u{fffd}\n");
        assert_eq!(clean_lines("a\nb"), "a\nb");
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
