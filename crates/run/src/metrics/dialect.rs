//! How a file separates its cells: deduced from the header and the first row.

use super::cells::{Separator, split};

/// Rulers begin with a few of one of these.
const RULERS: &str = "=-*~+_>";
/// The shortest run of marks that makes a ruler.
const RULER: usize = 3;

/// What separates the cells of a file that begins with these lines. The row decides where it can:
/// names may hold commas and blanks.
pub fn separator(names: &str, row: Option<&str>) -> Separator {
    let count = |line, separator| split(line, separator).len();
    let agrees = |separator: Separator| {
        let cells = count(names, separator);
        let fits = row.is_some_and(|row| count(row, separator) == cells);
        (cells > 1 && fits).then_some((cells, separator))
    };
    best(Separator::ALL.into_iter().filter_map(agrees))
        .or_else(|| {
            let by_names = Separator::ALL.into_iter().filter(|separator| {
                // Blanks are in sentences too.
                separator.byte().is_some()
            });
            best(by_names.filter_map(|separator| {
                let cells = count(names, separator);
                (cells > 1).then_some((cells, separator))
            }))
        })
        .unwrap_or_default()
}

/// The one of the most cells, the first of equals.
fn best(found: impl Iterator<Item = (usize, Separator)>) -> Option<Separator> {
    let best = found.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, separator)| separator)
}

/// Whether a line is a comment.
pub fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//")
}

/// What a comment says.
pub fn comment(line: &str) -> &str {
    line.trim_start().trim_start_matches(['#', '/']).trim()
}

/// Whether a line is a ruler, such as `===== begin =====`. It may hold blanks, but no cells.
pub fn is_ruler(line: &str) -> bool {
    let line = line.trim();
    let Some(first) = line.chars().next().filter(|first| RULERS.contains(*first)) else {
        return false;
    };
    let is_ruled = line.chars().take_while(|letter| *letter == first).count() >= RULER;
    is_ruled && memchr::memchr3(b',', b';', b'\t', line.as_bytes()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_a_row_tell_the_separator() {
        use Separator::{Blanks, Comma, Semicolon, Tab};
        for (names, row, expected) in [
            ("epoch,loss", "1,0.5", Comma),
            ("Epoch, lr, Loss", "0, 0.1, 5.0", Comma),
            ("epoch;loss;acc", "1;0,5;60", Semicolon),
            ("epoch\tTrain Loss\tmAP@[.5,.95]", "1\t0.5\t3", Tab),
            ("Epoch   Loss  Acc", "1  0.5  60", Blanks),
            ("Train Loss,Val Acc (%)", "0.5,60", Comma),
            ("Train Loss", "0.5", Comma),
            ("epoch,loss,", "1,0.5", Comma),
            ("epoch;loss, sum;acc", "1;2;3", Semicolon),
            ("epoch,loss", "lost", Comma),
        ] {
            assert_eq!(separator(names, Some(row)), expected, "{names}");
        }
        assert_eq!(separator("epoch;loss", None), Semicolon);
        assert_eq!(separator("Traceback (most recent call last):", None), Comma);
    }

    #[test]
    fn rulers_have_no_cells() {
        for (line, expected) in [
            ("===== begin =====", true),
            ("-----", true),
            ("*** done ***", true),
            ("---,---", false),
            ("-", false),
            ("--", false),
            ("lost", false),
        ] {
            assert_eq!(is_ruler(line), expected, "{line}");
        }
        assert!(is_comment("  # lr 0.1") && is_comment("// host") && !is_comment("/s,loss"));
        assert_eq!(comment("## epoch,loss"), "epoch,loss");
    }
}
