//! What a chart looks like in characters, and that no size or value brings it down.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;

use super::{Chart, Series, Styles};
use crate::analysis::decimate::Blocks;
use crate::analysis::range::Range;
use crate::analysis::scale::Scale;

struct Data {
    x: Vec<f64>,
    y: Vec<f64>,
    blocks: Blocks,
}

impl Data {
    fn new(y: impl IntoIterator<Item = f64>) -> Self {
        let y: Vec<f64> = y.into_iter().collect();
        Self {
            x: (1..=y.len()).map(|x| x as f64).collect(),
            blocks: Blocks::of(&y),
            y,
        }
    }

    fn series(&self, mark: char, name: &'static str) -> Series<'_> {
        let style = if mark == 'v' {
            Style::new().fg(Color::Yellow)
        } else {
            Style::new().fg(Color::Cyan)
        };
        Series {
            mark: Some(mark),
            name,
            style,
            dashed: mark == 't',
            x: &self.x,
            y: &self.y,
            blocks: &self.blocks,
        }
    }
}

fn chart<'a>(series: &'a [Series<'a>]) -> Chart<'a> {
    Chart {
        title: "Accuracy",
        series,
        x_name: "epoch",
        x_scale: Scale::Whole,
        y_scale: Scale::Percent,
        x_range: None,
        cursor: None,
        seams: &[],
        styles: Styles {
            bad: Style::new().fg(Color::Red),
            ..Styles::default()
        },
    }
}

fn draw(chart: &Chart, width: u16, height: u16) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    chart.render(buf.area, &mut buf);
    buf
}

fn text(buf: &Buffer) -> String {
    buf.content
        .chunks(usize::from(buf.area.width.max(1)))
        .map(|row| {
            row.iter()
                .map(ratatui::buffer::Cell::symbol)
                .collect::<String>()
                .trim_end()
                .to_owned()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn rising(noise: f64) -> Data {
    Data::new((1..=200).map(|epoch| {
        let epoch = f64::from(epoch);
        95.0 - 70.0 * (-epoch / 40.0).exp() + noise * (epoch * 1.7).sin()
    }))
}

#[test]
fn two_curves_with_axes_and_legend() {
    let (train, val) = (rising(0.5), rising(6.0));
    let series = [train.series('t', "train_acc"), val.series('v', "val_acc")];
    insta::assert_snapshot!(text(&draw(&chart(&series), 72, 14)));
}

#[test]
fn the_cursor_reads_every_curve() {
    let (train, val) = (rising(0.5), rising(6.0));
    let series = [train.series('t', "train_acc"), val.series('v', "val_acc")];
    let chart = Chart {
        cursor: Some(90.0),
        seams: &[40.0],
        ..chart(&series)
    };
    insta::assert_snapshot!(text(&draw(&chart, 72, 12)));
}

#[test]
fn a_sparse_curve_says_where_its_value_stands() {
    let sparse = Data {
        x: vec![1.0, 50.0, 100.0],
        y: vec![1.0, 2.0, 3.0],
        blocks: Blocks::of(&[1.0, 2.0, 3.0]),
    };
    let series = [sparse.series('v', "val_acc")];
    let drawn = text(&draw(
        &Chart {
            cursor: Some(60.0),
            ..chart(&series)
        },
        60,
        8,
    ));
    assert!(
        drawn.lines().next().unwrap().contains("epoch 60") && drawn.contains("v val_acc 2.00% @50"),
        "{drawn}"
    );
}

#[test]
fn values_that_are_not_finite_are_marked_and_counted() {
    let data = Data::new([
        50.0,
        60.0,
        f64::NAN,
        f64::NAN,
        70.0,
        f64::INFINITY,
        65.0,
        66.0,
        f64::NEG_INFINITY,
    ]);
    let series = [data.series('t', "train_acc")];
    insta::assert_snapshot!(text(&draw(&chart(&series), 60, 10)));
    let buf = draw(&chart(&series), 60, 10);
    let marked: Vec<_> = buf
        .content
        .iter()
        .filter(|cell| ["×", "▲", "▼"].contains(&cell.symbol()))
        .collect();
    assert!(
        marked.len() == 4 && marked.iter().all(|cell| cell.fg == Color::Red),
        "{marked:?}"
    );
}

#[test]
fn nothing_one_point_and_a_constant() {
    let (none, one, constant, bad) = (
        Data::new([]),
        Data::new([42.0]),
        Data::new([7.0; 30]),
        Data::new([f64::NAN; 3]),
    );
    let all = [&none, &one, &constant, &bad].map(|data| {
        let series = [data.series('t', "train_acc")];
        text(&draw(&chart(&series), 50, 8))
    });
    insta::assert_snapshot!(all.join("\n=====\n"));
}

#[test]
fn little_room_takes_the_legend_first_then_the_ticks() {
    let (train, val) = (rising(0.5), rising(6.0));
    let series = [train.series('t', "train_acc"), val.series('v', "val_acc")];
    let all = [
        (40, 7),
        (30, 6),
        (24, 5),
        (18, 5),
        (30, 4),
        (12, 2),
        (30, 1),
    ]
    .map(|(width, height)| {
        format!(
            "{width}x{height}\n{}",
            text(&draw(&chart(&series), width, height))
        )
    });
    insta::assert_snapshot!(all.join("\n=====\n"));
}

#[test]
fn curves_that_end_together_keep_both_marks() {
    let data = Data::new([1.0, 2.0, 3.0]);
    let series = [data.series('t', ""), data.series('v', "")];
    let drawn = text(&draw(&chart(&series), 40, 8));
    let marks = drawn
        .lines()
        .skip(1)
        .filter(|line| line.ends_with('t') || line.ends_with('v'))
        .count();
    assert_eq!(marks, 2, "{drawn}");
}

#[test]
fn an_appended_row_changes_few_cells() {
    let mut data = rising(6.0);
    data.x.truncate(150);
    data.y.truncate(150);
    let draw_now = |data: &Data| {
        let blocks = Blocks::of(&data.y);
        let series = [Series {
            blocks: &blocks,
            ..data.series('v', "val_acc")
        }];
        draw(
            &Chart {
                x_range: Range::new(1.0, 200.0),
                ..chart(&series)
            },
            80,
            16,
        )
    };
    let before = draw_now(&data);
    data.x.push(151.0);
    data.y.push(93.0);
    let changed = before.diff(&draw_now(&data)).len();
    assert!(changed <= 12, "{changed} cells");
}

#[test]
fn the_later_curve_lies_on_top() {
    let data = Data::new([1.0, 2.0, 3.0, 2.0]);
    let series = [data.series('t', ""), data.series('v', "")];
    let buf = draw(&chart(&series), 40, 8);
    let braille = |symbol: &str| {
        symbol
            .chars()
            .all(|symbol| ('\u{2801}'..='\u{28ff}').contains(&symbol))
    };
    let curve: Vec<_> = buf
        .content
        .iter()
        .filter(|cell| braille(cell.symbol()))
        .collect();
    assert!(!curve.is_empty() && curve.iter().all(|cell| cell.fg == Color::Yellow));
}

proptest! {
    #[test]
    fn no_size_or_value_panics(
        values in proptest::collection::vec(prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), 0.0..1.0f64], 0..200),
        width in 0u16..90, height in 0u16..24, x in 0u16..20, y in 0u16..10,
        cursor in proptest::option::of(any::<f64>()), from in any::<f64>(), to in any::<f64>(), scale in 0usize..4,
    ) {
        let data = Data::new(values);
        let series = [data.series('t', "train_acc"), data.series('v', "a much longer name")];
        let chart = Chart {
            cursor, x_range: Range::new(from, to), seams: &[from, 3.0],
            y_scale: [Scale::Number, Scale::Whole, Scale::Percent, Scale::Seconds][scale], ..chart(&series)
        };
        let mut buf = Buffer::empty(Rect::new(0, 0, 60, 20));
        (&chart).render(Rect::new(x, y, width, height), &mut buf);
        (&Chart { x_range: None, ..chart }).render(Rect::new(x, y, width, height), &mut buf);
    }

    #[test]
    fn nothing_is_drawn_outside_the_area(width in 0u16..50, height in 0u16..16, cursor in 0.0..300.0f64) {
        let data = rising(4.0);
        let series = [data.series('t', "train_acc"), data.series('v', "val_acc")];
        let mut buf = Buffer::empty(Rect::new(0, 0, 70, 24));
        let area = Rect::new(5, 3, width, height);
        (&Chart { cursor: Some(cursor), ..chart(&series) }).render(area, &mut buf);
        for position in buf.area.positions().filter(|position| !area.contains(*position)) {
            prop_assert_eq!(buf[position].symbol(), " ");
        }
    }
}
