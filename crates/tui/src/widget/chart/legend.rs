//! The title and the legend: each curve's mark, name, and its last value or its value at the
//! cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::layout::Layout;
use super::{Chart, Series};

/// How much of each entry is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Mark, name, value.
    Full,
    /// Mark and value.
    Short,
}

const BETWEEN: usize = 2;

impl Form {
    /// The fullest form that fits, and whether it fits beside the title; with `own_row` it may have
    /// a row of its own.
    pub(super) fn fitting(chart: &Chart, width: u16, own_row: bool) -> (Option<Self>, bool) {
        let width = usize::from(width);
        let beside = width.saturating_sub(title(chart).width() + BETWEEN + 1);
        let needs = |form| line(chart, form).width();
        let fits = |form: Self, room: usize| (1..=room).contains(&needs(form));
        if fits(Self::Full, beside) {
            (Some(Self::Full), true)
        } else if own_row && fits(Self::Full, width) {
            (Some(Self::Full), false)
        } else if fits(Self::Short, beside) {
            (Some(Self::Short), true)
        } else if own_row && fits(Self::Short, width) {
            (Some(Self::Short), false)
        } else {
            (None, true)
        }
    }
}

/// Draws the title at the left, and the legend at the right of it or below.
pub(super) fn draw(chart: &Chart, layout: &Layout, buf: &mut Buffer) {
    title(chart).render(layout.title, buf);
    let Some(form) = layout.legend_form else {
        return;
    };
    let line = line(chart, form);
    if layout.legend.is_empty() {
        let width = line.width() as u16;
        let x = layout
            .title
            .right()
            .saturating_sub(width + 1)
            .max(layout.title.x);
        line.render(
            Rect {
                x,
                width: layout.title.right() - x,
                ..layout.title
            },
            buf,
        );
    } else {
        line.render(layout.legend, buf);
    }
}

fn title<'a>(chart: &'a Chart) -> Line<'a> {
    let mut title = vec![Span::styled(chart.title, chart.styles.title)];
    if let Some(at) = chart.cursor
        && chart.series.iter().any(|series| !series.x.is_empty())
    {
        title.push(Span::styled(
            format!("  {} {}", chart.x_name, chart.x_scale.reading(at)),
            chart.styles.cursor,
        ));
    }
    Line::from(title)
}

fn line<'a>(chart: &'a Chart, form: Form) -> Line<'a> {
    let mut spans: Vec<Span> = Vec::new();
    for series in chart.series {
        // The edge of a band: the curve within is what is read.
        if chart.series.len() > 1 && series.mark.is_none() && series.name.is_empty() {
            continue;
        }
        if !spans.is_empty() {
            spans.push(Span::raw(" ".repeat(BETWEEN)));
        }
        spans.extend(entry(chart, series, form));
    }
    Line::from(spans)
}

fn entry<'a>(chart: &'a Chart, series: &Series<'a>, form: Form) -> Vec<Span<'a>> {
    let mut words: Vec<Span> = Vec::new();
    if let Some(mark) = series.mark {
        words.push(Span::styled(
            mark.to_string(),
            series.style.add_modifier(Modifier::BOLD),
        ));
    }
    if form == Form::Full && !series.name.is_empty() {
        words.push(Span::styled(series.name, chart.styles.label));
    }
    let point = series.read_out(chart.cursor);
    match point.map(|index| series.measured(index)) {
        Some(value) if value.is_finite() => {
            words.push(Span::styled(chart.y_scale.reading(value), series.style));
        }
        Some(value) => words.push(Span::styled(chart.y_scale.reading(value), chart.styles.bad)),
        None => words.push(Span::styled("none", chart.styles.label)),
    }
    // A series with fewer points than the cursor has places: say where its value really stands.
    if let (Some(at), Some(index)) = (chart.cursor, point) {
        let x = series.x[index];
        if chart.x_scale.reading(x) != chart.x_scale.reading(at) {
            words.push(Span::styled(
                format!("@{}", chart.x_scale.reading(x)),
                chart.styles.label,
            ));
        }
    }
    if form == Form::Full {
        if let (Some(_), Some(index)) = (series.behind, point) {
            words.push(Span::styled(
                format!("~{}", chart.y_scale.reading(series.y[index])),
                series.style,
            ));
        }
        words.extend(remarks(chart, series));
    }
    let mut entry = Vec::with_capacity(words.len() * 2);
    for (index, word) in words.into_iter().enumerate() {
        if index > 0 {
            entry.push(Span::raw(" "));
        }
        entry.push(word);
    }
    entry
}

/// What of the curve cannot be seen where it stands.
fn remarks<'a>(chart: &Chart, series: &Series) -> Vec<Span<'a>> {
    let whole = series.whole();
    let mut remarks: Vec<Span> = [
        (whole.nan, "NaN"),
        (whole.above, "inf"),
        (whole.below, "-inf"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| Span::styled(format!("({count}x {what})"), chart.styles.bad))
    .collect();
    if chart.options.log_y && whole.finite.is_some_and(|span| span.min <= 0.0) {
        remarks.push(Span::styled("(some not above 0)", chart.styles.bad));
    }
    if chart.options.robust
        && let Some(robust) = series.robust.filter(|robust| robust.outside > 0)
    {
        remarks.push(Span::styled(
            format!("({} outside)", robust.outside),
            chart.styles.bad,
        ));
    }
    remarks
}
