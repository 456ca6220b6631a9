//! The grid of charts: losses, accuracies and learning rate first, all under one cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Color;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::detail::Detail;
use crate::theme::{Role, Theme};
use crate::widget::chart::{Behind, Chart, Options, Pattern, Series, Styles};
use traintop_analysis::axis::Axis;
use traintop_analysis::grouping::{Group, Member};
use traintop_analysis::range::Range;
use traintop_run::metric_names::Split;

const FEWEST_COLUMNS: u16 = 56;
const FEWEST_ROWS: u16 = 8;

/// How an area is divided into charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Charts side by side.
    pub columns: u16,
    /// Charts above each other.
    pub rows: u16,
}

impl Grid {
    /// As many charts as are readable in `area`, at most `count`.
    pub fn of(area: Rect, count: usize) -> Self {
        let count = u16::try_from(count).unwrap_or(u16::MAX).max(1);
        let most_rows = (area.height / FEWEST_ROWS).max(1);
        let columns = (area.width / FEWEST_COLUMNS)
            .clamp(1, 4)
            .min(count.div_ceil(most_rows.min(count)).max(1));
        Self {
            columns,
            rows: most_rows.min(count.div_ceil(columns)),
        }
    }

    /// One chart.
    pub const ONE: Self = Self {
        columns: 1,
        rows: 1,
    };

    /// How many charts it shows.
    pub fn capacity(self) -> usize {
        usize::from(self.columns) * usize::from(self.rows)
    }

    /// The area of each place, row by row. The first row, of losses and accuracies, is higher where
    /// there is room for it.
    fn places(self, area: Rect) -> impl Iterator<Item = Rect> {
        let (columns, rows) = (self.columns.max(1), self.rows.max(1));
        let first = (u32::from(area.height) * 3 / (2 * u32::from(rows) + 1)) as u16;
        let others = (area.height - first)
            .checked_div(rows - 1)
            .unwrap_or(0)
            .max(FEWEST_ROWS);
        let even = area.height / rows;
        let others = if rows > 2 && others < even {
            others
        } else {
            even
        };
        let first = area.height - others * (rows - 1);
        (0..rows).flat_map(move |row| {
            let (y, height) = if row == 0 {
                (0, first)
            } else {
                (first + (row - 1) * others, others)
            };
            (0..columns).map(move |column| {
                let edge = |index: u16| {
                    (u32::from(area.width) * u32::from(index) / u32::from(columns)) as u16
                };
                let (left, right) = (edge(column), edge(column + 1));
                // A blank column between neighbours.
                let gap = u16::from(column + 1 < columns);
                Rect {
                    x: area.x + left,
                    y: area.y + y,
                    width: (right - left).saturating_sub(gap),
                    height,
                }
            })
        })
    }
}

/// What all charts of a run share.
#[derive(Clone, Copy, Debug)]
pub struct Shared<'a> {
    /// Where the points are.
    pub detail: &'a Detail,
    /// All of x that there is to show.
    pub whole: Option<Range>,
    /// The part of it that is looked closer at.
    pub zoom: Option<Range>,
    /// Where values are read out: an x of the rows.
    pub cursor: Option<f64>,
    /// How charts are drawn.
    pub options: Options,
    /// The colours.
    pub theme: &'a Theme,
}

/// Draws the charts from the `first` group on, as many as `grid` has places in `area`.
pub fn draw(shared: Shared, (grid, first): (Grid, usize), area: Rect, buf: &mut Buffer) {
    let groups = shared.detail.charted().groups();
    if groups.is_empty() {
        let text =
            "no curves yet: the first points come with the first rows of steps.csv or metrics.csv";
        Line::styled(text, shared.theme.style(Role::Muted)).render(area, buf);
    }
    for (group, place) in groups.iter().skip(first).zip(grid.places(area)) {
        draw_group(shared, group, place, buf);
    }
}

/// One chart.
pub fn draw_group(shared: Shared, group: &Group, area: Rect, buf: &mut Buffer) {
    with_chart(shared, group, |chart| chart.render(area, buf));
}

/// The x that the chart in a place shows at a position of the screen, if there is one.
pub fn x_at(
    shared: Shared,
    (grid, first): (Grid, usize),
    area: Rect,
    position: Position,
) -> Option<f64> {
    let groups = shared.detail.charted().groups().iter().skip(first);
    let (group, place) = groups
        .zip(grid.places(area))
        .find(|(_, place)| place.contains(position))?;
    with_chart(shared, group, |chart| chart.x_at(place, position.x))
}

/// All of the axis that the charts of a run have.
pub fn x_axis(detail: &Detail, whole: Option<Range>, options: Options) -> Option<Axis> {
    let whole = whole?;
    let places = detail.places();
    // What stands at zero or before it has no place among factors.
    let first = places.get(places.partition_point(|x| *x <= 0.0)).copied();
    let above = first.and_then(|first| Range::new(first.min(whole.max()), whole.max()));
    let range = above.filter(|_| options.log_x && whole.min() <= 0.0);
    Some(Axis::new(range.unwrap_or(whole), options.log_x))
}

fn with_chart<T>(shared: Shared, group: &Group, then: impl FnOnce(&Chart) -> T) -> T {
    let Shared {
        detail,
        cursor,
        options,
        theme,
        ..
    } = shared;
    let curves = detail.charted();
    let metrics = curves.metrics();
    let derived = detail.derived();
    let series: Vec<Series> = group
        .members
        .iter()
        .map(|member| {
            let (column, blocks) = curves.column(member.column);
            let made = derived.and_then(|derived| derived.columns.get(member.column));
            let style = theme.style(Role::series(colour(*member)));
            let colourless = matches!(style.fg, None | Some(Color::Reset));
            let smooth = made.and_then(|made| made.smooth.as_ref());
            Series {
                mark: mark(group, *member),
                // A lone curve is what the title says.
                name: if group.members.len() > 1 {
                    &column.name
                } else {
                    ""
                },
                style,
                // Where crossing curves have one colour, the line itself must tell them apart.
                pattern: if colourless && group.members.len() > 1 {
                    pattern(member.split)
                } else {
                    Pattern::Solid
                },
                x: made.and_then(|made| made.x.as_deref()).unwrap_or(&column.x),
                y: smooth.map_or(&column.y, |(smooth, _)| smooth),
                blocks: smooth.map_or(blocks, |(_, blocks)| blocks),
                behind: smooth.map(|_| Behind {
                    y: &column.y,
                    blocks,
                    style: theme.faint(Role::series(colour(*member))),
                }),
                robust: made.and_then(|made| made.robust),
            }
        })
        .collect();
    let seams: Vec<f64> = metrics.seams.iter().map(|x| detail.place(*x)).collect();
    let chart = Chart {
        title: &group.title,
        series: &series,
        x_name: derived.map_or(&metrics.x_name, |derived| derived.x_name()),
        x_scale: derived.map_or_else(|| curves.x_scale(), |derived| derived.x_scale()),
        y_scale: group.scale,
        x_range: shared.zoom.or(shared.whole),
        zoomed: shared.zoom.is_some(),
        options,
        cursor: cursor.map(|x| detail.place(x)),
        seams: &seams,
        styles: styles(theme),
    };
    then(&chart)
}

fn pattern(split: Option<Split>) -> Pattern {
    match split {
        Some(Split::Train) => Pattern::Dashed,
        Some(Split::Test) => Pattern::Dotted,
        Some(Split::Validation) | None => Pattern::Solid,
    }
}

fn mark(group: &Group, member: Member) -> Option<char> {
    if group.members.len() < 2 {
        return None;
    }
    // Keras writes "loss" for the training's.
    Some(member.split.unwrap_or(Split::Train).letter())
}

/// The same split has the same colour in each chart.
fn colour(member: Member) -> usize {
    match member.split {
        Some(Split::Train) => 0,
        Some(Split::Validation) => 1,
        Some(Split::Test) => 2,
        None => 3,
    }
}

fn styles(theme: &Theme) -> Styles {
    Styles {
        title: theme.style(Role::Title),
        axis: theme.style(Role::Border),
        label: theme.style(Role::Muted),
        cursor: theme.style(Role::Accent),
        bad: theme.style(Role::Bad),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_charts_at_a_time_on_a_small_screen_and_all_on_a_large_one() {
        assert_eq!(
            Grid::of(Rect::new(0, 0, 80, 18), 7),
            Grid {
                columns: 1,
                rows: 2
            }
        );
        assert!(Grid::of(Rect::new(0, 0, 124, 44), 7).capacity() >= 7);
        assert_eq!(
            Grid::of(Rect::new(0, 0, 124, 44), 2),
            Grid {
                columns: 1,
                rows: 2
            }
        );
    }

    proptest! {
        #[test]
        fn places_never_overlap_and_stay_within(width in 0u16..300, height in 0u16..120, count in 0usize..30) {
            let area = Rect::new(3, 2, width, height);
            let grid = Grid::of(area, count);
            let places: Vec<Rect> = grid.places(area).collect();
            prop_assert_eq!(places.len(), grid.capacity());
            for (index, place) in places.iter().enumerate() {
                prop_assert_eq!(area.intersection(*place), *place);
                prop_assert!(places[index + 1..].iter().all(|other| !place.intersects(*other)));
            }
        }
    }
}
