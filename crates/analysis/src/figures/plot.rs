//! How a picture is drawn: panels side by side, each with its curves, axes and legend. Drawn
//! several times as large as it is shown, so that a curve is no staircase: the PNG is the mean of
//! the pixels, the SVG has the finer places.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, DrawError, INK, font};
use super::svg::{Svg, document};
use crate::axis::Axis;
use crate::decimate::{Blocks, columns};
use crate::range::Range;
use crate::scale::Scale;
use crate::ticks::ticks;

/// A picture of one or several panels.
pub struct Picture<'a> {
    /// The run, or what the runs have in common.
    pub title: &'a str,
    /// From left to right.
    pub panels: &'a [Panel<'a>],
    /// Where a panel is as large as it is shown, across and down.
    pub panel: (u32, u32),
}

/// Axes with curves.
pub struct Panel<'a> {
    /// What is measured.
    pub title: String,
    /// What runs along the bottom.
    pub x_name: &'a str,
    /// The kind of its numbers.
    pub x_scale: Scale,
    /// How values are written.
    pub scale: Scale,
    /// What is drawn, at least one finite value of it.
    pub curves: Vec<Curve<'a>>,
    /// The point that is marked as the best.
    pub best: Option<(f64, f64)>,
}

/// A line through points; it breaks where a value is no number.
pub struct Curve<'a> {
    /// In the legend.
    pub name: String,
    /// Ascending.
    pub x: &'a [f64],
    pub y: &'a [f64],
    /// Which colour and line it has.
    pub number: usize,
    /// Drawn thick: what decides.
    pub is_main: bool,
}

/// Colours that colour-blind people can distinguish (Okabe and Ito 2008, those that show on white):
/// vermilion, blue, green, purple, orange, sky blue, black.
pub(super) const COLOURS: [RGBColor; 7] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 90, 160),
    RGBColor(0, 140, 105),
    RGBColor(170, 85, 140),
    RGBColor(200, 140, 0),
    RGBColor(70, 160, 215),
    RGBColor(60, 60, 60),
];
/// After the colours have been used once, dashed lines follow: lengths on and off.
const DASHES: [Option<(u32, u32)>; 4] = [None, Some((10, 5)), Some((3, 4)), Some((16, 4))];
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);

/// The scale of the drawing.
const SCALE: u32 = 4;
/// Pixels of a PNG for each pixel of a drawing, across and down: it is drawn twice as fine.
const MEAN: u32 = 2;

type Canvas<'a, B> = DrawingArea<B, Shift>;

/// A length as it is shown.
const fn px(length: u32) -> u32 {
    length * SCALE
}

impl Picture<'_> {
    /// Pixels of its PNG, across and down.
    fn png_size(&self) -> (u32, u32) {
        let (width, height) = self.drawn_size();
        (width / MEAN, height / MEAN)
    }

    fn drawn_size(&self) -> (u32, u32) {
        (
            px(self.panel.0) * self.panels.len() as u32,
            px(self.panel.1),
        )
    }

    /// The picture as a PNG file's bytes, or the drawing library's message.
    pub fn to_png(&self) -> Result<Vec<u8>, String> {
        let size = self.drawn_size();
        let mut pixels = vec![255; size.0 as usize * size.1 as usize * 3];
        self.draw(&BitMapBackend::with_buffer(&mut pixels, size).into_drawing_area())
            .map_err(|error| error.to_string())?;
        let (width, height) = self.png_size();
        let pixels = mean(&pixels, size.0, (width, height));
        canvas::rgb_png(&pixels, width, height).map_err(|error| error.to_string())
    }

    /// The picture as the text of an SVG file, or the drawing library's message.
    pub fn to_svg(&self) -> Result<String, String> {
        let size = self.drawn_size();
        let mut body = String::new();
        self.draw(&Svg::new(size, &mut body).into_drawing_area())
            .map_err(|error| error.to_string())?;
        Ok(document(size, SCALE, self.title, &body))
    }

    fn draw<B: DrawingBackend>(&self, whole: &Canvas<B>) -> Result<(), DrawError<B>> {
        whole.fill(&WHITE)?;
        let style = font(px(21)).into_font().color(&INK);
        let body = whole.margin(px(8), 0, 0, 0).titled(self.title, style)?;
        let areas = body.split_evenly((1, self.panels.len().max(1)));
        for (panel, area) in self.panels.iter().zip(areas) {
            panel.draw(&area)?;
        }
        whole.present()
    }
}

/// Each pixel the mean of a square of those that were drawn.
fn mean(pixels: &[u8], drawn_width: u32, (width, height): (u32, u32)) -> Vec<u8> {
    let (drawn_width, side) = (drawn_width as usize, MEAN as usize);
    let mut small = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height as usize {
        for x in 0..width as usize {
            for channel in 0..3 {
                let sum: u32 = (0..side * side)
                    .map(|at| {
                        let (row, column) = (y * side + at / side, x * side + at % side);
                        u32::from(pixels[(row * drawn_width + column) * 3 + channel])
                    })
                    .sum();
                small.push((sum / (MEAN * MEAN)) as u8);
            }
        }
    }
    small
}

impl Panel<'_> {
    fn draw<B: DrawingBackend>(&self, area: &Canvas<B>) -> Result<(), DrawError<B>> {
        let finite = |values: &[f64]| Range::of(values.iter().copied());
        let all = |of: fn(&Curve) -> Vec<f64>| self.curves.iter().flat_map(of).collect::<Vec<_>>();
        let ends = |curve: &Curve| {
            [curve.x.first(), curve.x.last()]
                .into_iter()
                .flatten()
                .copied()
                .collect()
        };
        let nothing = Range::of([0.0, 1.0]);
        let x = finite(&all(ends)).or(nothing).map(Range::opened);
        let y = self
            .curves
            .iter()
            .filter_map(|curve| finite(curve.y))
            .reduce(Range::union)
            .or(nothing);
        let (Some(x), Some(y)) = (x, y) else {
            return Ok(());
        };
        let y = y.rounded_out(self.scale);
        let mut chart = ChartBuilder::on(area)
            .margin(px(12))
            .margin_right(px(26))
            .caption(&self.title, font(px(18)).into_font().color(&INK))
            .x_label_area_size(px(44))
            .y_label_area_size(px(66))
            .build_cartesian_2d(x.min()..x.max(), y.min()..y.max())?;
        self.draw_axes(&chart, (x, y), area)?;
        let width = chart.plotting_area().dim_in_pixel().0;
        for curve in &self.curves {
            let style = curve.style();
            let dashes = DASHES[curve.number / COLOURS.len() % DASHES.len()];
            let mut first = true;
            for segment in segments(curve, x, width as usize / SCALE as usize * 2) {
                let drawn = match dashes {
                    None => chart.draw_series(LineSeries::new(segment, style))?,
                    Some((on, off)) => {
                        chart.draw_series(DashedLineSeries::new(segment, px(on), px(off), style))?
                    }
                };
                if std::mem::take(&mut first) {
                    drawn.label(curve.name.as_str()).legend(move |at| {
                        let to = px(24) as i32;
                        // Three strokes, which meet where the line has no gaps.
                        let length = if dashes.is_some() { 6 } else { 9 };
                        let part = |from: i32| {
                            let ends = [(from * to / 24, 0), ((from + length) * to / 24, 0)];
                            PathElement::new(ends, style)
                        };
                        EmptyElement::at(at) + part(0) + part(8) + part(15)
                    });
                }
            }
        }
        if let Some((at, value)) = self.best {
            let label = format!("best {} at {} {at}", self.scale.reading(value), self.x_name);
            let mark = COLOURS[1].stroke_width(px(2));
            chart
                .draw_series([Circle::new((at, value), px(6), mark)])?
                .label(label)
                .legend(move |(x, y)| Circle::new((x + px(12) as i32, y), px(5), mark));
        }
        chart
            .configure_series_labels()
            .position(self.legend_corner(y))
            .margin(px(10))
            .legend_area_size(px(30))
            .background_style(WHITE.mix(0.85))
            .label_font(font(px(14)).into_font().color(&INK))
            .draw()?;
        Ok(())
    }

    /// Grid, axes and labels at the same round numbers that the dashboard's charts have; the
    /// library's own are not round in time.
    fn draw_axes<B: DrawingBackend>(
        &self,
        chart: &Chart<B>,
        (x, y): (Range, Range),
        area: &Canvas<B>,
    ) -> Result<(), DrawError<B>> {
        let plot = chart.plotting_area();
        let (columns, rows) = plot.get_pixel_range();
        let (left, bottom) = (columns.start, rows.end);
        let (origin_x, origin_y) = area.get_base_pixel();
        let local = |(x, y): (i32, i32)| (x - origin_x, y - origin_y);
        let label = font(px(14)).into_font().color(&INK);
        let line = |from, to, style: ShapeStyle| {
            area.draw(&PathElement::new([local(from), local(to)], style))
        };
        let thin = |colour: RGBColor| colour.stroke_width(px(1));
        for tick in ticks(x.into(), self.x_scale, 10) {
            let (at, _) = plot.map_coordinate(&(tick.value, y.min()));
            line((at, rows.start), (at, bottom), thin(GRID))?;
            line((at, bottom), (at, bottom + px(5) as i32), thin(INK))?;
            let below = Pos::new(HPos::Center, VPos::Top);
            let place = local((at, bottom + px(9) as i32));
            area.draw_text(&tick.label, &label.clone().pos(below), place)?;
        }
        for tick in ticks(y.into(), self.scale, 10) {
            let (_, at) = plot.map_coordinate(&(x.min(), tick.value));
            line((left, at), (columns.end, at), thin(GRID))?;
            line((left - px(5) as i32, at), (left, at), thin(INK))?;
            let beside = Pos::new(HPos::Right, VPos::Center);
            // The library's middle of a text lies above that of its digits.
            let place = local((left - px(9) as i32, at + px(3) as i32));
            area.draw_text(&tick.label, &label.clone().pos(beside), place)?;
        }
        line((left, bottom), (columns.end, bottom), thin(INK))?;
        line((left, rows.start), (left, bottom), thin(INK))?;
        let middle = (i32::midpoint(left, columns.end), bottom + px(28) as i32);
        let below = Pos::new(HPos::Center, VPos::Top);
        area.draw_text(self.x_name, &label.pos(below), local(middle))
    }

    /// The corner at the right that curves are further from at their end.
    fn legend_corner(&self, y: Range) -> SeriesLabelPosition {
        let ends = self.curves.iter().filter_map(|curve| {
            let end = curve.y.iter().rev().find(|value| value.is_finite())?;
            Some(y.fraction(*end) - 0.5)
        });
        if ends.sum::<f64>() > 0.0 {
            SeriesLabelPosition::LowerRight
        } else {
            SeriesLabelPosition::UpperRight
        }
    }
}

type Chart<'a, 'b, B> = ChartContext<
    'a,
    B,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

impl Curve<'_> {
    fn style(&self) -> ShapeStyle {
        let colour = COLOURS[self.number % COLOURS.len()];
        colour.stroke_width(px(if self.is_main { 2 } else { 1 }))
    }
}

/// The parts of a curve between values that are no numbers. Of more points than can be seen, only
/// the first, smallest, largest and last of each of `width` columns are kept.
fn segments(curve: &Curve, range: Range, width: usize) -> Vec<Vec<(f64, f64)>> {
    let axis = Axis::from(range);
    let points: Vec<(f64, f64)> = if curve.x.len() <= 4 * width.max(1) {
        let each = curve.x.iter().copied().zip(curve.y.iter().copied());
        each.collect()
    } else {
        let extents = columns(curve.x, curve.y, &Blocks::of(curve.y), axis, width);
        let of = |(place, extent): (usize, &crate::decimate::Extent)| {
            let x = axis.of_place(place, width);
            let gap = |is: bool| is.then_some((x, f64::NAN));
            let span = extent
                .finite
                .map(|span| [span.first, span.min, span.max, span.last].map(|value| (x, value)));
            gap(extent.gap_before)
                .into_iter()
                .chain(span.into_iter().flatten())
                // A gap within a column is drawn at its end: the line may not hide it.
                .chain(gap(extent.nan + extent.above + extent.below > 0))
                .collect::<Vec<_>>()
        };
        extents.iter().enumerate().flat_map(of).collect()
    };
    points
        .split(|(_, y)| !y.is_finite())
        .filter(|segment| !segment.is_empty())
        .map(<[_]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve<'a>(x: &'a [f64], y: &'a [f64]) -> Curve<'a> {
        Curve {
            name: "loss".to_owned(),
            x,
            y,
            number: 0,
            is_main: true,
        }
    }

    #[test]
    fn a_curve_breaks_where_a_value_is_no_number() {
        let y = [f64::NAN, 2.0, 3.0, f64::INFINITY, 5.0];
        let range = Range::new(1.0, 5.0).unwrap();
        assert_eq!(
            segments(&curve(&[1.0, 2.0, 3.0, 4.0, 5.0], &y), range, 100),
            [vec![(2.0, 2.0), (3.0, 3.0)], vec![(5.0, 5.0)]]
        );
    }

    #[test]
    fn of_a_million_points_every_extreme_is_drawn_with_few() {
        let x: Vec<f64> = (0..1_000_000).map(f64::from).collect();
        let mut y = vec![0.0; x.len()];
        y[654_321] = 9.0;
        y[400_000] = f64::NAN;
        let range = Range::new(0.0, 999_999.0).unwrap();
        let drawn = segments(&curve(&x, &y), range, 500);
        assert_eq!(drawn.len(), 2);
        let points: Vec<_> = drawn.into_iter().flatten().collect();
        assert!(points.len() <= 4 * 500 && points.iter().any(|point| point.1 == 9.0));
    }

    #[test]
    fn an_svg_names_its_texts_and_needs_no_font() {
        let (x, y) = ([1.0, 2.0, 3.0], [0.5, 0.25, 0.125]);
        let panel = Panel {
            title: "Loss & <more>".to_owned(),
            x_name: "epoch",
            x_scale: Scale::Whole,
            scale: Scale::Number,
            curves: vec![curve(&x, &y)],
            best: Some((3.0, 0.125)),
        };
        let picture = Picture {
            title: "a run",
            panels: &[panel],
            panel: (400, 300),
        };
        let svg = picture.to_svg().unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("width=\"400\" height=\"300\""));
        for text in ["Loss &amp; &lt;more&gt;", "best 0.1250 at epoch 3", "epoch"] {
            assert!(svg.contains(&format!("aria-label=\"{text}\"")), "{text}");
        }
        assert!(!svg.contains("<text") && !svg.contains("font-family"));
    }
}
