//! Text within a document of Markdown.

use super::clean;

/// A text that Markdown shows as it is, on one line, within a table too.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in clean(text).chars() {
        if "\\`*_{}[]<>#|~&".contains(char) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_escaped_and_lines_end_nowhere() {
        assert_eq!(
            markdown("a|b`c`*d*_e_<f>[g](h)&amp;\n# i\u{1b}[1m"),
            "a\\|b\\`c\\`\\*d\\*\\_e\\_\\<f\\>\\[g\\](h)\\&amp;\u{fffd}\\# i"
        );
    }
}
