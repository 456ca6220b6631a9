//! The drawing library's strokes as SVG. Text becomes the outlines of the built-in font, so that a
//! figure looks the same where that font is not installed; the library's own SVG names a font and
//! hopes.

use std::fmt::Write as _;

use ab_glyph::{Font, FontRef, OutlineCurve, Point, ScaleFont};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

/// A picture that is being drawn: its elements so far.
pub struct Svg<'a> {
    size: (u32, u32),
    body: &'a mut String,
}

/// What cannot go wrong.
type Nothing = DrawingErrorKind<std::convert::Infallible>;

impl<'a> Svg<'a> {
    /// A picture of this size (across and down) whose elements go to `body`.
    pub fn new(size: (u32, u32), body: &'a mut String) -> Self {
        Self { size, body }
    }
}

/// The whole file: `body` was drawn `scale` times as large as it is shown.
pub fn document(size: (u32, u32), scale: u32, title: &str, body: &str) -> String {
    let (width, height) = size;
    let (shown_width, shown_height) = (width / scale, height / scale);
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{shown_width}\" height=\"{shown_height}\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{title}</title>\n{body}</svg>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn colour(of: BackendColor) -> String {
    let (red, green, blue) = of.rgb;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// `name` and its opacity, where it is not full.
fn paint(name: &str, of: BackendColor) -> String {
    let opacity = if of.alpha < 1.0 {
        format!(" {name}-opacity=\"{:.2}\"", of.alpha)
    } else {
        String::new()
    };
    format!(" {name}=\"{}\"{opacity}", colour(of))
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut text = String::new();
    for (x, y) in path {
        let _ = write!(text, "{x},{y} ");
    }
    text.truncate(text.trim_end().len());
    text
}

impl Svg<'_> {
    fn shape(&mut self, element: &str, style: &impl BackendStyle, fill: bool) {
        let paint = if fill {
            paint("fill", style.color())
        } else {
            format!(
                " fill=\"none\"{} stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"",
                paint("stroke", style.color()),
                style.stroke_width()
            )
        };
        let _ = writeln!(self.body, "<{element}{paint}/>");
    }
}

impl DrawingBackend for Svg<'_> {
    type ErrorType = std::convert::Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Result<(), Nothing> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), Nothing> {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, of: BackendColor) -> Result<(), Nothing> {
        let paint = paint("fill", of);
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\"{paint}/>"
        );
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Result<(), Nothing> {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        lower_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Result<(), Nothing> {
        if style.color().alpha > 0.0 {
            let (x, y) = upper_left;
            let (width, height) = (lower_right.0 - x, lower_right.1 - y);
            let element = format!("rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
            self.shape(&element, style, fill);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Result<(), Nothing> {
        if style.color().alpha > 0.0 {
            let element = format!("polyline points=\"{}\"", points(path));
            self.shape(&element, style, false);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Result<(), Nothing> {
        let element = format!("circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"");
        self.shape(&element, style, fill);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Result<(), Nothing> {
        let element = format!("polygon points=\"{}\"", points(corners));
        self.shape(&element, style, true);
        Ok(())
    }

    /// Where the library's own drawing of pixels puts it.
    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        at: BackendCoord,
    ) -> Result<(), Nothing> {
        let Ok(font) = FontRef::try_from_slice(dejavu::sans::regular()) else {
            return Ok(());
        };
        let size = style.size() as f32;
        let font = font.as_scaled(size);
        let width: f32 = text
            .chars()
            .map(|char| font.h_advance(font.glyph_id(char)))
            .sum();
        let height = size / 1.24;
        let left = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Right => -width,
            HPos::Center => -width / 2.0,
        };
        let top = match style.anchor().v_pos {
            VPos::Top => 0.0,
            VPos::Center => -height / 2.0,
            VPos::Bottom => -height,
        };
        let mut pen = at.0 as f32 + left;
        // The library's own way to find the baseline.
        let baseline = at.1 as f32 + top + size / 2.0;
        let mut path = String::new();
        for char in text.chars() {
            let glyph = font.glyph_id(char);
            if let Some(outline) = font.font.outline(glyph) {
                let place = |point: Point| {
                    (
                        pen + point.x * font.h_scale_factor(),
                        baseline - point.y * font.v_scale_factor(),
                    )
                };
                outlined(&outline.curves, place, &mut path);
            }
            pen += font.h_advance(glyph);
        }
        let paint = paint("fill", style.color());
        let _ = writeln!(
            self.body,
            "<path aria-label=\"{}\" d=\"{path}\"{paint}/>",
            escaped(text)
        );
        Ok(())
    }
}

/// The curves as the commands of a path; each closed part begins where the one before ended
/// elsewhere.
fn outlined(curves: &[OutlineCurve], place: impl Fn(Point) -> (f32, f32), path: &mut String) {
    let mut end: Option<Point> = None;
    for curve in curves {
        let (from, to) = match curve {
            OutlineCurve::Line(from, to)
            | OutlineCurve::Quad(from, _, to)
            | OutlineCurve::Cubic(from, _, _, to) => (*from, *to),
        };
        if end != Some(from) {
            let (x, y) = place(from);
            let _ = write!(path, "M{x:.1} {y:.1}");
        }
        let pair = |point: Point| {
            let (across, down) = place(point);
            format!("{across:.1} {down:.1}")
        };
        let _ = match curve {
            OutlineCurve::Line(..) => write!(path, "L{}", pair(to)),
            OutlineCurve::Quad(_, by, _) => write!(path, "Q{} {}", pair(*by), pair(to)),
            OutlineCurve::Cubic(_, first, second, _) => {
                write!(path, "C{} {} {}", pair(*first), pair(*second), pair(to))
            }
        };
        end = Some(to);
    }
}
