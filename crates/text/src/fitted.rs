//! Text cut to the room that there is.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text if it fits into `width` terminal cells, or as much of its beginning as leaves room for
/// a sign that something is missing: `resnet_randaug…`.
pub fn fitted(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let Some(room) = width.checked_sub(1) else {
        return Cow::Borrowed("");
    };
    let mut kept = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        used += cluster.width();
        if used > room {
            break;
        }
        kept.push_str(cluster);
    }
    kept.push('…');
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_fit_is_cut_and_says_so() {
        let cases = [
            ("quick", 5, "quick"),
            ("quick", 4, "qui…"),
            ("quick", 1, "…"),
            ("quick", 0, ""),
            ("", 0, ""),
            // Wide characters take two cells.
            ("学習率", 6, "学習率"),
            ("学習率", 5, "学習…"),
            ("学習率", 4, "学…"),
        ];
        for (text, width, expected) in cases {
            let cut = fitted(text, width);
            assert_eq!(cut, expected);
            assert!(cut.width() <= width);
        }
    }
}
