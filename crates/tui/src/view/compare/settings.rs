//! Which settings go with the metric, with what such a table cannot say.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::CompareView;
use crate::theme::{Role, Theme};
use crate::view::run::lines::wrapped;
use crate::widget::clipped::Clipped as _;
use traintop_analysis::compare::Comparison;
use traintop_analysis::compare::settings::{Relation, Relevance, limits};
use traintop_text::fitted;

const WIDEST_KEY: usize = 26;
const BAR: usize = 10;
/// From here on the values of the key under the cursor stand beside the table.
const FEWEST_FOR_BESIDE: u16 = 130;

impl CompareView {
    pub(super) fn draw_settings(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let (Some(analysis), Some(compared)) = (&self.analysis, self.compared()) else {
            return;
        };
        let found = &analysis.relevance;
        let sentences = limits(analysis.known, found.len());
        if found.is_empty() {
            let text = "nothing but seeds and names differs, or no run has a value of the metric";
            return Line::styled(text, theme.style(Role::Muted)).render(area, buf);
        }
        let lines: Vec<&str> = sentences
            .iter()
            .flat_map(|sentence| wrapped(sentence, area.width))
            .collect();
        let foot = (lines.len() as u16).min(area.height);
        for (y, line) in (area.bottom() - foot..area.bottom()).zip(lines) {
            buf.put_n(
                area.x,
                y,
                line,
                usize::from(area.width),
                theme.style(Role::Warn),
            );
        }
        let body = Rect {
            height: area.height.saturating_sub(foot + 1),
            ..area
        };
        let (list, values) = if body.width >= FEWEST_FOR_BESIDE {
            let left = body.width * 3 / 5;
            let beside = Rect {
                x: body.x + left + 2,
                width: body.width - left - 2,
                ..body
            };
            (
                Rect {
                    width: left,
                    ..body
                },
                beside,
            )
        } else {
            let upper = (found.len() as u16 + 1).min(body.height / 2);
            let below = Rect {
                y: body.y + upper + 1,
                height: body.height.saturating_sub(upper + 1),
                ..body
            };
            (
                Rect {
                    height: upper,
                    ..body
                },
                below,
            )
        };
        self.draw_keys(found, compared, theme, list, buf);
        if let Some(chosen) = found.get(self.setting) {
            draw_values(chosen, compared, theme, values, buf);
        }
    }

    fn draw_keys(
        &self,
        found: &[Relevance],
        compared: &Comparison,
        theme: &Theme,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let keys = found.iter().map(|relevance| relevance.key.width());
        let key_width = keys.max().unwrap_or(0).clamp(7, WIDEST_KEY);
        let room = usize::from(area.width);
        let heading = format!(
            "  {:key_width$}  {:>4}  RELATION TO BEST {}",
            "SETTING", "N", compared.metric.name
        );
        buf.put_n(area.x, area.y, heading, room, theme.style(Role::Header));
        let height = usize::from(area.height).saturating_sub(1);
        let top = (self.setting + 1).saturating_sub(height);
        let visible = found.iter().enumerate().skip(top);
        for (y, (at, relevance)) in (area.y + 1..area.bottom()).zip(visible) {
            let key = fitted(&relevance.key, key_width);
            let pad = key_width - key.width();
            let text = format!(
                "  {key}{:pad$}  {:>4}  {}",
                "",
                relevance.n,
                words(relevance, compared)
            );
            let role = if at == self.setting {
                Role::Selection
            } else {
                Role::Text
            };
            buf.put_n(area.x, y, fitted(&text, room), room, theme.style(role));
            if at == self.setting {
                buf.put(area.x, y, "▌", theme.style(Role::Accent));
            }
        }
    }
}

/// `+0.62 ██████     rank correlation, p 0.03`
fn words(relevance: &Relevance, compared: &Comparison) -> String {
    match relevance.relation {
        Relation::Rank(rank) => {
            let full = (rank.rho.abs() * BAR as f64).round() as usize;
            let bar = format!("{}{}", "█".repeat(full), "·".repeat(BAR - full.min(BAR)));
            let chance = rank.chance_words();
            format!("{:+.2} {bar} rank correlation, {chance}", rank.rho)
        }
        Relation::Spread { between, within } => {
            let text = |value: f64| {
                let text = compared.metric.difference(value, value);
                text.trim_start_matches('+').to_owned()
            };
            let within = within.map_or_else(
                || "each value once".to_owned(),
                |within| format!("{} within a value", text(within)),
            );
            format!("means {} apart, {within}", text(between))
        }
    }
}

/// What runs with each value of one key came to.
fn draw_values(
    chosen: &Relevance,
    compared: &Comparison,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let room = usize::from(area.width);
    let mut lines = vec![(
        format!(
            "{:20}  {:>4}  {:>10}  {:>10}",
            fitted(&chosen.key, 20),
            "N",
            "MEAN",
            "DEVIATION"
        ),
        Role::Header,
    )];
    for (value, of) in &chosen.by_value {
        let deviation = of.deviation.map_or_else(
            || "-".to_owned(),
            |deviation| {
                compared
                    .metric
                    .difference(deviation, of.mean)
                    .replace('+', "")
            },
        );
        let value = fitted(value, 20);
        let pad = 20 - value.width();
        let mean = compared.metric.reading(of.mean);
        lines.push((
            format!(
                "{value}{:pad$}  {:>4}  {mean:>10}  {deviation:>10}",
                "", of.n
            ),
            Role::Text,
        ));
    }
    if !chosen.together_with.is_empty() {
        let others = chosen.together_with.join(", ");
        lines.push((format!("changes exactly where {others} does"), Role::Warn));
    }
    for (y, (text, role)) in (area.y..area.bottom()).zip(lines) {
        buf.put_n(area.x, y, fitted(&text, room), room, theme.style(role));
    }
}
