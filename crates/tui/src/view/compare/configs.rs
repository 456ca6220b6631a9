//! Configurations side by side: what differs, or all.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::{CompareView, colour, mark};
use crate::theme::{Role, Theme};
use crate::widget::clipped::Clipped as _;
use traintop_analysis::compare::configs::Setting;
use traintop_text::fitted;

const WIDEST_KEY: usize = 28;
const WIDEST_VALUE: usize = 22;

impl CompareView {
    /// The keys that show.
    pub(super) fn shown_settings(&self) -> Vec<&Setting> {
        let all = self.analysis.iter().flat_map(|of| &of.configs);
        all.filter(|setting| setting.differs || self.all_settings)
            .collect()
    }

    pub(super) fn draw_configs(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let settings = self.shown_settings();
        if settings.is_empty() {
            let text = "no setting differs; a shows all";
            return Line::styled(text, theme.style(Role::Muted)).render(area, buf);
        }
        let baseline = self.compared().map_or(0, |of| of.baseline);
        let rows = self.compared().map_or(0, |of| of.rows.len());
        let keys = settings.iter().map(|setting| setting.key.width());
        let key_width = keys.max().unwrap_or(0).clamp(7, WIDEST_KEY);
        let text = |text: &str, x: u16, y: u16, width: usize, role: Role, buf: &mut Buffer| {
            let room = usize::from(area.right().saturating_sub(x)).min(width);
            buf.put_n(x, y, fitted(text, room), room, theme.style(role));
        };
        let height = usize::from(area.height).saturating_sub(1);
        let visible: Vec<&&Setting> = settings
            .iter()
            .skip(self.setting_top)
            .take(height)
            .collect();
        text("SETTING", area.x, area.y, key_width, Role::Header, buf);
        for (y, setting) in (area.y + 1..).zip(&visible) {
            text(&setting.key, area.x, y, key_width, Role::Muted, buf);
        }
        let mut x = area.x + key_width as u16 + 2;
        // The baseline stays in sight, whatever is scrolled to.
        let others = (0..rows).filter(|row| *row != baseline).skip(self.left);
        for row in std::iter::once(baseline).chain(others) {
            let value = |setting: &Setting| setting.values.get(row).cloned().flatten();
            let widths = visible
                .iter()
                .map(|setting| value(setting).unwrap_or_default().width());
            let width = widths.max().unwrap_or(0).clamp(5, WIDEST_VALUE);
            if x + 4 > area.right() {
                break;
            }
            let sign = if row == baseline { " ⊥" } else { "" };
            text(
                &format!("{}{sign}", mark(row)),
                x,
                area.y,
                width,
                colour(row),
                buf,
            );
            for (y, setting) in (area.y + 1..).zip(&visible) {
                let own = value(setting);
                let differs = own != setting.values.get(baseline).cloned().flatten();
                let role = if differs { Role::Changed } else { Role::Text };
                text(own.as_deref().unwrap_or("-"), x, y, width, role, buf);
            }
            x = x.saturating_add(width as u16 + 2);
        }
    }
}
