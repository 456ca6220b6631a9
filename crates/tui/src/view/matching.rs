//! How well an entry of a list matches what was typed: whole words first, then beginnings of words,
//! then letters inside, in the name before the description.

/// What an entry can be found by.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub name: &'a str,
    /// Other words for it.
    pub synonyms: &'a [&'a str],
    pub description: &'a str,
}

/// How far an entry is from a query, the lowest the nearest; `None` if a word of the query is not
/// in it. A word counts by the best of its places.
pub fn distance(query: &str, entry: Entry) -> Option<usize> {
    let query = query.to_lowercase();
    let mut words = query.split_whitespace().peekable();
    words.peek()?;
    words.try_fold(0, |sum, word| Some(sum + word_distance(word, entry)?))
}

fn word_distance(word: &str, entry: Entry) -> Option<usize> {
    let (name, description) = (entry.name.to_lowercase(), entry.description.to_lowercase());
    let has_word = |text: &str| words(text).any(|other| other == word);
    let has_beginning = |text: &str| words(text).any(|other| other.starts_with(word));
    let is_synonym = |other: &&str| *other == word;
    let begins_synonym = |other: &&str| other.starts_with(word);
    let ranks = [
        has_word(&name),
        entry.synonyms.iter().any(is_synonym),
        name.starts_with(word),
        has_beginning(&name),
        has_word(&description),
        entry.synonyms.iter().any(begins_synonym),
        has_beginning(&description),
        name.contains(word),
        description.contains(word),
        has_letters(&name, word),
    ];
    ranks.iter().position(|matches| *matches)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|char: char| !char.is_alphanumeric());
    words.filter(|word| !word.is_empty())
}

/// Whether the letters of `word` are in `text` in this order.
fn has_letters(text: &str, word: &str) -> bool {
    let mut chars = text.chars();
    word.chars().all(|wanted| chars.any(|char| char == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str, name: &str, synonyms: &[&str], description: &str) -> Option<usize> {
        let entry = Entry {
            name,
            synonyms,
            description,
        };
        distance(query, entry)
    }

    #[test]
    fn words_come_before_beginnings_and_those_before_letters() {
        let ranks = [
            of("mark", "mark", &[], ""),
            of("mark", "note", &["mark"], ""),
            of("mark", "marks-all", &[], ""),
            of("mark", "show-marks", &[], ""),
            of("mark", "note", &[], "Remove the mark"),
            of("mark", "note", &["marking"], ""),
            of("mark", "note", &[], "Remove marks"),
            of("mark", "unmark", &[], ""),
            of("mark", "note", &[], "Unmark it"),
            of("mark", "make-rank", &[], ""),
        ];
        assert!(ranks.is_sorted() && ranks[0] == Some(0), "{ranks:?}");
        assert_eq!(of("mark", "note", &[], "M, A, R and K"), None);
    }

    #[test]
    fn every_word_counts() {
        assert_eq!(of("show trash", "trash", &[], "Show the trash"), Some(4));
        assert_eq!(of("show other", "trash", &[], "Show the trash"), None);
        assert_eq!(of("  ", "trash", &[], ""), None);
    }
}
