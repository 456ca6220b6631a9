//! The name that was most likely meant.

/// The known name that is the fewest edits from `name`, and at most `limit`; of several the first.
pub fn nearest<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    limit: usize,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_edits_win_and_the_limit_holds() {
        let known = ["roots", "theme", "themes", "mouse"];
        assert_eq!(nearest("them", known, 2), Some("theme"));
        assert_eq!(nearest("moose", known, 2), Some("mouse"));
        assert_eq!(nearest("colour", known, 2), None);
    }
}
