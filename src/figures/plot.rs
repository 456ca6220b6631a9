//! How a picture is drawn: panels side by side, each with its curves, axes and legend.

use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use crate::analysis::range::Range;
use crate::analysis::scale::Scale;

/// A picture of one or several panels.
pub struct Picture<'a> {
    /// The run.
    pub title: &'a str,
    /// From left to right.
    pub panels: &'a [Panel<'a>],
    /// Pixels of each, across and down.
    pub panel: (u32, u32),
}

/// Axes with curves.
pub struct Panel<'a> {
    /// What is measured.
    pub title: &'a str,
    /// What runs along the bottom.
    pub x_name: &'a str,
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
    pub name: &'a str,
    /// Ascending.
    pub x: &'a [f64],
    /// As many.
    pub y: &'a [f64],
    /// Drawn thick: what decides.
    pub is_main: bool,
}

/// Colours that also colour-blind eyes tell apart (Okabe and Ito 2008): orange, blue, green, purple.
pub(super) const COLOURS: [RGBColor; 4] = [
    RGBColor(213, 94, 0),
    RGBColor(0, 90, 160),
    RGBColor(0, 140, 105),
    RGBColor(170, 85, 140),
];
pub(super) const INK: RGBColor = RGBColor(40, 40, 40);
pub(super) const GRID: RGBColor = RGBColor(228, 228, 228);

const FONT: &str = "DejaVu Sans";

/// The font is built in: clusters' nodes seldom have any.
pub(super) fn font(size: u32) -> (&'static str, u32) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        if register_font(FONT, FontStyle::Normal, dejavu::sans::regular()).is_err() {
            log::error!("the built-in font cannot be read");
        }
    });
    (FONT, size)
}

pub(super) type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
pub(super) type DrawError<'a> =
    DrawingAreaErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>;

impl Picture<'_> {
    /// The picture as a PNG file's bytes, or what the drawing library said.
    pub fn to_png(&self) -> Result<Vec<u8>, String> {
        let size = (self.panel.0 * self.panels.len() as u32, self.panel.1);
        to_png(self.title, size, |body| {
            let areas = body.split_evenly((1, self.panels.len()));
            for (panel, area) in self.panels.iter().zip(areas) {
                panel.draw(&area)?;
            }
            Ok(())
        })
    }
}

/// A picture of this size (across and down) with a title, filled by `draw`, as a PNG file's bytes; or what the drawing library said.
pub(super) fn to_png(
    title: &str,
    size: (u32, u32),
    draw: impl for<'a> FnOnce(&Area<'a>) -> Result<(), DrawError<'a>>,
) -> Result<Vec<u8>, String> {
    let mut pixels = vec![255; size.0 as usize * size.1 as usize * 3];
    draw_titled(title, size, &mut pixels, draw).map_err(|error| error.to_string())?;
    encode(&pixels, size.0, size.1).map_err(|error| error.to_string())
}

fn draw_titled<'a>(
    title: &str,
    size: (u32, u32),
    pixels: &'a mut [u8],
    draw: impl FnOnce(&Area<'a>) -> Result<(), DrawError<'a>>,
) -> Result<(), DrawError<'a>> {
    let whole = BitMapBackend::with_buffer(pixels, size).into_drawing_area();
    whole.fill(&WHITE)?;
    let style = font(22).into_font().color(&INK);
    let body = whole.titled(title, style)?;
    draw(&body)?;
    whole.present()
}

impl Panel<'_> {
    fn draw<'a>(&self, area: &Area<'a>) -> Result<(), DrawError<'a>> {
        let finite = |values: &[f64]| -> Vec<f64> {
            values
                .iter()
                .copied()
                .filter(|value| value.is_finite())
                .collect()
        };
        let all = |of: fn(&Curve) -> Vec<f64>| self.curves.iter().flat_map(of).collect::<Vec<_>>();
        let nothing = Range::of([0.0, 1.0]);
        let x = Range::of(all(|curve| curve.x.to_vec())).or(nothing);
        let y = Range::of(finite(&all(|curve| curve.y.to_vec()))).or(nothing);
        let (Some(x), Some(y)) = (x.map(Range::opened), y.map(Range::opened)) else {
            return Ok(());
        };
        let y = y.rounded_out(self.scale);
        let mut chart = ChartBuilder::on(area)
            .margin(14)
            .margin_right(28)
            .caption(self.title, font(19).into_font().color(&INK))
            .x_label_area_size(46)
            .y_label_area_size(76)
            .build_cartesian_2d(x.min()..x.max(), y.min()..y.max())?;
        let unit = self.scale;
        let y_step = (y.max() - y.min()) / 10.0;
        let x_step = (x.max() - x.min()) / 10.0;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(INK)
            .label_style(font(15).into_font().color(&INK))
            .x_desc(self.x_name)
            .x_labels(10)
            .y_labels(10)
            .x_label_formatter(&|x| Scale::Number.label(*x, x_step))
            .y_label_formatter(&|y| unit.label(*y, y_step))
            .draw()?;
        for (curve, colour) in self.curves.iter().zip(COLOURS.iter().cycle()) {
            let style = colour.stroke_width(if curve.is_main { 3 } else { 1 });
            for (number, segment) in segments(curve).into_iter().enumerate() {
                let drawn = chart.draw_series(LineSeries::new(segment, style))?;
                if number == 0 {
                    drawn
                        .label(curve.name)
                        .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 24, y)], style));
                }
            }
        }
        if let Some((at, value)) = self.best {
            let said = format!("best {} at {} {at}", unit.reading(value), self.x_name);
            let mark = COLOURS[1];
            chart
                .draw_series([Circle::new((at, value), 6, mark.stroke_width(2))])?
                .label(said)
                .legend(move |(x, y)| Circle::new((x + 12, y), 5, mark.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(self.legend_corner(y))
            .background_style(WHITE.mix(0.85))
            .label_font(font(15).into_font().color(&INK))
            .draw()?;
        Ok(())
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

/// The parts of a curve between values that are no numbers.
fn segments(curve: &Curve) -> Vec<Vec<(f64, f64)>> {
    let points: Vec<(f64, f64)> = curve
        .x
        .iter()
        .copied()
        .zip(curve.y.iter().copied())
        .collect();
    points
        .split(|(_, y)| !y.is_finite())
        .filter(|segment| !segment.is_empty())
        .map(<[_]>::to_vec)
        .collect()
}

fn encode(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_breaks_where_a_value_is_no_number() {
        let curve = Curve {
            name: "loss",
            x: &[1.0, 2.0, 3.0, 4.0, 5.0],
            y: &[f64::NAN, 2.0, 3.0, f64::INFINITY, 5.0],
            is_main: true,
        };
        assert_eq!(
            segments(&curve),
            [vec![(2.0, 2.0), (3.0, 3.0)], vec![(5.0, 5.0)]]
        );
    }
}
