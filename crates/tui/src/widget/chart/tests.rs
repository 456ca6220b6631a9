//! What a chart looks like in characters, and that no size or value brings it down.

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::widgets::Widget;

use super::{Behind, Chart, Markers, Options, Pattern, Series, Styles};
use traintop_analysis::decimate::Blocks;
use traintop_analysis::range::Range;
use traintop_analysis::scale::Scale;

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
            pattern: if mark == 't' {
                Pattern::Dashed
            } else {
                Pattern::Solid
            },
            x: &self.x,
            y: &self.y,
            blocks: &self.blocks,
            behind: None,
            robust: None,
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
        zoomed: false,
        options: Options::default(),
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
    crate::widget::lines(buf).join("\n")
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

/// A loss that falls over three powers of ten.
fn falling(noise: f64) -> Data {
    Data::new((1..=300).map(|step| {
        let step = f64::from(step);
        3.0 * (-step / 40.0).exp() * (1.0 + noise * (step * 1.7).sin()) + 0.002
    }))
}

#[test]
fn powers_of_ten_upwards_and_to_the_right() {
    let data = falling(0.2);
    let series = [data.series('v', "val_loss")];
    let chart = Chart {
        y_scale: Scale::Number,
        options: Options {
            log_x: true,
            log_y: true,
            ..Options::default()
        },
        ..chart(&series)
    };
    insta::assert_snapshot!(text(&draw(&chart, 72, 14)));
}

#[test]
fn what_is_not_above_zero_has_no_place_among_powers_and_is_told() {
    let data = Data::new([1.0, 0.1, 0.0, 0.01, -3.0, 1.0]);
    let series = [data.series('v', "gap")];
    let chart = Chart {
        y_scale: Scale::Number,
        options: Options {
            log_y: true,
            ..Options::default()
        },
        ..chart(&series)
    };
    let buf = draw(&chart, 60, 10);
    let drawn = text(&buf);
    let below = buf
        .content
        .iter()
        .filter(|cell| cell.symbol() == "▼")
        .count();
    assert!(
        below == 2 && drawn.contains("(some not above 0)") && drawn.contains("0.01"),
        "{drawn}"
    );
    // With nothing above zero the axis stays linear.
    let none = Data::new([0.0, -1.0]);
    let series = [none.series('v', "gap")];
    assert!(
        text(&draw(
            &Chart {
                series: &series,
                ..chart
            },
            60,
            10
        ))
        .contains("-1")
    );
}

#[test]
fn a_smoothed_curve_lies_before_what_was_measured() {
    let data = rising(6.0);
    let smooth = traintop_analysis::smooth::exponential(&data.y, 0.9);
    let blocks = Blocks::of(&smooth);
    let faint = Style::new().fg(Color::DarkGray);
    let series = [Series {
        y: &smooth,
        blocks: &blocks,
        behind: Some(Behind {
            y: &data.y,
            blocks: &data.blocks,
            style: faint,
        }),
        ..data.series('v', "val_acc")
    }];
    let chart = Chart {
        cursor: Some(100.0),
        ..chart(&series)
    };
    let buf = draw(&chart, 72, 12);
    insta::assert_snapshot!(text(&buf));
    let of = |colour: Color| {
        buf.content
            .iter()
            .filter(|cell| cell.fg == colour && !cell.symbol().is_ascii())
            .count()
    };
    assert!(of(Color::DarkGray) > 50 && of(Color::Yellow) > 30);
    let measured = format!("{:.2}%", data.y[99]);
    assert!(text(&buf).contains(&measured));
}

#[test]
fn blocks_and_ascii_for_fonts_without_braille() {
    let (train, val) = (rising(0.5), rising(6.0));
    let series = [train.series('t', "train_acc"), val.series('v', "val_acc")];
    let drawn = [Markers::Blocks, Markers::Ascii].map(|markers| {
        let chart = Chart {
            cursor: Some(90.0),
            seams: &[40.0],
            options: Options {
                markers,
                ..Options::default()
            },
            ..chart(&series)
        };
        text(&draw(&chart, 72, 12))
    });
    assert!(drawn[1].is_ascii(), "{}", drawn[1]);
    insta::assert_snapshot!(drawn.join("\n=====\n"));
}

#[test]
fn an_outlier_no_longer_stretches_the_range_and_is_counted() {
    let mut data = falling(0.0);
    data.y[200] = 5000.0;
    data.blocks = Blocks::of(&data.y);
    let series = [Series {
        robust: traintop_analysis::outlier_range::outlier_range(&data.y),
        ..data.series('v', "val_loss")
    }];
    let with = |robust: bool| {
        let chart = Chart {
            y_scale: Scale::Number,
            options: Options {
                robust,
                ..Options::default()
            },
            ..chart(&series)
        };
        text(&draw(&chart, 60, 12))
    };
    assert!(with(false).contains("5k"), "{}", with(false));
    assert!(
        !with(true).contains("5k") && with(true).contains("(1 outside)"),
        "{}",
        with(true)
    );
}

#[test]
fn a_part_that_is_looked_closer_at_fits_its_own_values() {
    let data = falling(0.0);
    let series = [data.series('v', "val_loss")];
    let chart = Chart {
        y_scale: Scale::Number,
        x_range: Range::new(250.0, 300.0),
        zoomed: true,
        ..chart(&series)
    };
    let drawn = text(&draw(&chart, 60, 12));
    assert!(
        drawn.contains("260") && drawn.contains("0.005") && !drawn.contains("1.5"),
        "{drawn}"
    );
}

#[test]
fn a_column_of_the_plot_is_a_place_on_the_axis() {
    let data = rising(0.5);
    let series = [data.series('v', "val_acc")];
    let chart = Chart {
        cursor: Some(90.0),
        ..chart(&series)
    };
    let area = Rect::new(0, 0, 72, 12);
    let buf = draw(&chart, 72, 12);
    let cursor = (0..72)
        .find(|x| buf[(*x, 3)].symbol() == "│" && *x > 10)
        .unwrap();
    let at = chart.x_at(area, cursor).unwrap();
    assert!((at - 90.0).abs() < 200.0 / 60.0, "{at}");
    assert_eq!(chart.x_at(area, 0), None);
}
