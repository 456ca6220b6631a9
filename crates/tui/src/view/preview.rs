//! The selected run in short, beside or below the table of runs: state and progress, loss and
//! accuracy, the values that describe it, the end of its log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::run::charts::{self, Shared};
use super::run::detail::Detail;
use super::run::{header, log};
use crate::theme::{Role, Theme};
use crate::widget::chart::Options;
use traintop_run::summary::Summary;

/// What tells runs apart most often, in the order of interest.
const KEYS: [&str; 16] = [
    "model_name",
    "data_dir",
    "batch_size",
    "num_epochs",
    "learning_rate",
    "max_lr",
    "lr_schedule",
    "weight_decay",
    "momentum",
    "label_smoothing",
    "dropout_rate",
    "seed",
    "width",
    "precision",
    "device",
    "max_train_images",
];

const CHART_ROWS: u16 = 8;
const HIGHEST_CHART: u16 = 16;
const COLUMN: u16 = 36;

/// The areas of the preview, top to bottom; empty where there is no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Areas {
    header: Rect,
    charts: [Rect; 2],
    config: Rect,
    log: Rect,
}

impl Areas {
    /// Header and charts come first, then the log, then the configuration; wide areas have the
    /// charts side by side.
    fn of(area: Rect, header_rows: u16, config_rows: u16) -> Self {
        let header = header_rows.min(area.height);
        let body = area.height - header;
        let beside = area.width >= 100;
        let deep = if beside { 1 } else { 2 };
        // A log of four lines and the configuration are worth more than charts higher than this.
        let rest = body.saturating_sub(deep * CHART_ROWS);
        let config = if rest >= config_rows + 6 {
            config_rows + 1
        } else {
            0
        };
        let log = if rest.saturating_sub(config) >= 5 {
            ((rest - config) / 2).clamp(5, 12)
        } else {
            0
        };
        let charts = (body - config - log).min(if config + log > 0 {
            deep * HIGHEST_CHART
        } else {
            u16::MAX
        });
        let rows = |from: u16, height: u16| Rect {
            y: area.y + from,
            height,
            ..area
        };
        let all = rows(header, charts);
        let charts_at = if beside {
            let left = Rect {
                width: all.width / 2 - 1,
                ..all
            };
            [
                left,
                Rect {
                    x: left.right() + 2,
                    width: all.width - left.width - 2,
                    ..all
                },
            ]
        } else {
            [
                Rect {
                    height: charts.div_ceil(2),
                    ..all
                },
                rows(header + charts.div_ceil(2), charts / 2),
            ]
        };
        let log_from = header + charts + config;
        Self {
            header: rows(0, header),
            charts: charts_at,
            config: rows(header + charts, config),
            log: rows(log_from, if log > 0 { area.height - log_from } else { 0 }),
        }
    }
}

/// Draws the preview; without `detail` the summary alone, until the rest is read.
pub fn draw(
    summary: &Summary,
    detail: Option<&Detail>,
    (options, theme): (Options, &Theme),
    area: Rect,
    buf: &mut Buffer,
) {
    let config = detail.map(|detail| key_values(detail)).unwrap_or_default();
    let columns = (area.width / COLUMN).max(1);
    let config_rows = config.len().div_ceil(usize::from(columns)).min(8) as u16;
    let areas = Areas::of(
        area,
        header::height(summary, detail, area.width),
        config_rows,
    );
    header::draw(summary, detail, theme, areas.header, buf);
    let Some(detail) = detail else {
        return;
    };
    let shared = Shared {
        detail,
        whole: detail.x_range(summary.observed.state.is_active(), summary.epochs_planned),
        zoom: None,
        cursor: None,
        options,
        theme,
    };
    for (group, place) in detail.charted().groups().iter().zip(areas.charts) {
        charts::draw_group(shared, group, place, buf);
    }
    let content = titled("Config", areas.config, theme, buf);
    draw_config(&config, columns, theme, content, buf);
    let content = titled("Log", areas.log, theme, buf);
    log::draw(&detail.log, log::Place::default(), theme, content, buf);
}

fn titled(title: &str, area: Rect, theme: &Theme, buf: &mut Buffer) -> Rect {
    if area.is_empty() {
        return area;
    }
    Line::styled(title.to_owned(), theme.style(Role::Title)).render(area, buf);
    Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    }
}

fn key_values(detail: &Detail) -> Vec<(&str, &str)> {
    let value = |key: &&'static str| {
        let (_, value) = detail.config.iter().find(|(name, _)| name == key)?;
        Some((*key, value.as_str()))
    };
    KEYS.iter().filter_map(value).collect()
}

/// In columns, read downwards.
fn draw_config(config: &[(&str, &str)], columns: u16, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let width = area.width / columns;
    for (index, (key, value)) in config.iter().enumerate() {
        let (column, row) = (
            index / usize::from(area.height),
            index % usize::from(area.height),
        );
        if column >= usize::from(columns) {
            break;
        }
        let place = Rect {
            x: area.x + column as u16 * width,
            y: area.y + row as u16,
            width: width.saturating_sub(2),
            height: 1,
        };
        let line = Line::from(vec![
            Span::styled(format!("{key:<16} "), theme.style(Role::Muted)),
            Span::styled((*value).to_owned(), theme.style(Role::Text)),
        ]);
        line.render(place, buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::run::tests::{detail, summary, text};
    use proptest::prelude::*;
    use traintop_run::state::State;

    fn draw_at(state: State, detail: Option<&Detail>, width: u16, height: u16) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        draw(
            &summary(state),
            detail,
            (Options::default(), &Theme::default()),
            buf.area,
            &mut buf,
        );
        buf
    }

    #[test]
    fn beside_the_table_and_below_it() {
        let detail = detail(State::Running);
        let sizes = [(84, 47), (200, 20), (60, 14)];
        let all = sizes
            .map(|(width, height)| text(&draw_at(State::Running, Some(&detail), width, height)));
        insta::assert_snapshot!(all.join("\n=====\n"));
    }

    #[test]
    fn the_summary_shows_before_the_rest_is_read() {
        let drawn = text(&draw_at(State::Finished, None, 80, 20));
        assert!(
            drawn.contains("✓ finished") && drawn.contains("best val_acc 90.76% at epoch 120"),
            "{drawn}"
        );
    }

    proptest! {
        #[test]
        fn parts_never_overlap_and_stay_within(width in 0u16..200, height in 0u16..80, header in 2u16..4, config in 0u16..9) {
            let area = Rect::new(2, 3, width, height);
            let areas = Areas::of(area, header, config);
            let parts = [areas.header, areas.charts[0], areas.charts[1], areas.config, areas.log];
            for (index, part) in parts.iter().enumerate() {
                prop_assert!(part.is_empty() || area.intersection(*part) == *part, "{part:?}");
                prop_assert!(parts[index + 1..].iter().all(|other| part.is_empty() || !part.intersects(*other)));
            }
            let mut buf = Buffer::empty(Rect::new(0, 0, 202, 83));
            draw(&summary(State::Running), Some(&detail(State::Running)), (Options::default(), &Theme::default()), area, &mut buf);
        }
    }
}
