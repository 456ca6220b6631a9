//! Lists of lines: configuration and checkpoints.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::detail::Detail;
use crate::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_text::{bytes, clean};

/// `key  value`, from the `top`th key on; long values go on below themselves.
pub fn draw_config(
    config: &[(String, String)],
    top: usize,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let widest = config
        .iter()
        .map(|(key, _)| key.width())
        .max()
        .unwrap_or(0)
        .min(usize::from(area.width) / 2);
    let room = usize::from(area.width).saturating_sub(widest + 2) as u16;
    let lines = config
        .iter()
        .skip(top)
        .take(usize::from(area.height))
        .flat_map(|(key, value)| {
            wrapped(value, room)
                .into_iter()
                .enumerate()
                .map(move |(index, part)| {
                    let key = if index == 0 { key.as_str() } else { "" };
                    Line::from(vec![
                        Span::styled(format!("{key:<widest$}  "), theme.style(Role::Muted)),
                        Span::styled(part.to_owned(), theme.style(Role::Text)),
                    ])
                })
        });
    list(lines, "no configuration was saved", theme, area, buf);
}

/// A text in pieces of at most `width` cells, broken at blanks where there are any; at least one
/// piece.
pub fn wrapped(text: &str, width: u16) -> Vec<&str> {
    let width = usize::from(width).max(1);
    let mut pieces = Vec::new();
    let mut rest = text;
    // To measure all of the rest for each piece would take minutes for a megabyte, on the thread
    // that draws.
    loop {
        let mut used = 0;
        let mut end = 0;
        let mut is_last = true;
        for (at, grapheme) in rest.grapheme_indices(true) {
            used += grapheme.width();
            if used > width && at > 0 {
                is_last = false;
                break;
            }
            end = at + grapheme.len();
        }
        if is_last {
            break;
        }
        let end = match rest[..end].rfind(' ') {
            // Not so early that most of the row stays empty.
            Some(blank) if blank > end / 2 && !rest[end..].starts_with(' ') => blank,
            _ => end,
        };
        pieces.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(' ');
    }
    pieces.push(rest);
    pieces
}

/// What, size and file of each checkpoint, from the `top`th on.
pub fn draw_checkpoints(detail: &Detail, top: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let widest = detail
        .checkpoints
        .iter()
        .map(|checkpoint| checkpoint.what.width())
        .max()
        .unwrap_or(0);
    let lines = detail.checkpoints.iter().skip(top).map(|checkpoint| {
        let file = checkpoint
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Line::from(vec![
            Span::styled(
                format!("{:<widest$}  ", checkpoint.what),
                theme.style(Role::Text),
            ),
            Span::styled(
                format!("{:>8}  ", bytes(checkpoint.bytes)),
                theme.style(Role::Text),
            ),
            Span::styled(clean(&file).into_owned(), theme.style(Role::Muted)),
        ])
    });
    list(lines, "no checkpoints", theme, area, buf);
}

/// Draws lines as far as there is room, or where there are none, what says so.
pub fn list<'a>(
    lines: impl Iterator<Item = Line<'a>>,
    empty: &str,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut lines = lines.take(usize::from(area.height)).peekable();
    if lines.peek().is_none() && !area.is_empty() {
        buf.put_n(
            area.x,
            area.y,
            empty,
            usize::from(area.width),
            theme.style(Role::Muted),
        );
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        line.render(
            Rect {
                y,
                height: 1,
                ..area
            },
            buf,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::wrapped;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn text_breaks_at_blanks_and_inside_long_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped(&"one two ".repeat(1 << 17), 8).len(), 1 << 17);
        assert_eq!(
            wrapped("/a/very/long/path", 6),
            ["/a/ver", "y/long", "/path"]
        );
        assert_eq!(wrapped("", 6), [""]);
        assert_eq!(wrapped("界界界", 4), ["界界", "界"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_too_wide(text in "[a-z界é ]{0,80}", width in 2u16..30) {
            let pieces = wrapped(&text, width);
            prop_assert!(pieces.iter().all(|piece| piece.width() <= usize::from(width)));
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&pieces.concat()), letters(&text));
        }
    }
}
