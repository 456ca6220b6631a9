//! Moving pixels: every pixel of the result is fetched from where it lies in the source, as
//! Pillow's `Image.transform` does it. What comes from outside is black.

use tch::{Kind, Tensor};

/// Where pixels come from: the centre (x, y) of a pixel of the result lies in the source at
/// `((a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1))`, in pixels from the
/// upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Map(pub [f64; 8]);

impl Map {
    /// Turns the image by this many degrees, counter-clockwise, around its middle.
    pub fn rotation(degrees: f64, (height, width): (i64, i64)) -> Self {
        let (sin, cos) = (-degrees.to_radians()).sin_cos();
        let (x, y) = (width as f64 / 2.0, height as f64 / 2.0);
        Self([
            cos,
            sin,
            x - cos * x - sin * y,
            -sin,
            cos,
            y + sin * x - cos * y,
            0.0,
            0.0,
        ])
    }

    /// Moves each row to the left by `slope` times its distance from the upper edge.
    pub fn shear_x(slope: f64) -> Self {
        Self([1.0, slope, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    }

    /// Moves each column up by `slope` times its distance from the left edge.
    pub fn shear_y(slope: f64) -> Self {
        Self([1.0, 0.0, 0.0, slope, 1.0, 0.0, 0.0, 0.0])
    }

    /// Moves the image to the right and down by this many pixels.
    pub fn translation(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, -x, 0.0, 1.0, -y, 0.0, 0.0])
    }

    /// Moves the corners of `from` to those of `to`, straight lines staying straight: (x, y) of the
    /// upper left, upper right, lower right and lower left. `None` if the corners of `to` span no
    /// area.
    pub fn perspective(from: [(f64, f64); 4], to: [(f64, f64); 4]) -> Option<Self> {
        let mut rows = Vec::new();
        for ((source_x, source_y), (x, y)) in from.into_iter().zip(to) {
            rows.push([
                x,
                y,
                1.0,
                0.0,
                0.0,
                0.0,
                -source_x * x,
                -source_x * y,
                source_x,
            ]);
            rows.push([
                0.0,
                0.0,
                0.0,
                x,
                y,
                1.0,
                -source_y * x,
                -source_y * y,
                source_y,
            ]);
        }
        solve(rows.try_into().ok()?).map(Self)
    }
}

impl Map {
    /// Whether straight lines stay parallel.
    fn is_affine(&self) -> bool {
        self.0[6] == 0.0 && self.0[7] == 0.0
    }

    /// The affine map as Pillow computes it for the nearest pixel, from a pixel's number instead of
    /// its centre, in whole 65536ths of a pixel: where a place falls just between two pixels, this
    /// decides.
    fn in_fixed_point(&self) -> Self {
        let fixed = |value: f64| (value * 65536.0 + 0.5).floor() / 65536.0;
        // Each row of the map: by x, by y, and the rest.
        let row =
            |[by_x, by_y, rest]: [f64; 3]| [by_x, by_y, rest + by_x * 0.5 + by_y * 0.5].map(fixed);
        let of_x = row([self.0[0], self.0[1], self.0[2]]);
        let of_y = row([self.0[3], self.0[4], self.0[5]]);
        Self([
            of_x[0], of_x[1], of_x[2], of_y[0], of_y[1], of_y[2], 0.0, 0.0,
        ])
    }
}

/// Eight linear equations, each with its right side at the end, by elimination with pivots.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot =
            (column..8).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let top = rows[column];
        if top[column].abs() < 1e-9 {
            return None;
        }
        for (number, row) in rows.iter_mut().enumerate() {
            if number != column {
                let factor = row[column] / top[column];
                for (cell, above) in row.iter_mut().zip(top) {
                    *cell -= factor * above;
                }
            }
        }
    }
    Some(std::array::from_fn(|at| rows[at][8] / rows[at][at]))
}

/// How a value between pixels is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// The pixel in which the place lies.
    Nearest,
    /// A weighted mean of the four pixels around it.
    Bilinear,
}

/// Images N x C x H x W, each through its own map.
pub fn transform(images: &Tensor, maps: &[Map], sampling: Sampling) -> Tensor {
    let (count, channels, height, width) = images.size4().expect("images have four dimensions");
    let is_affine = maps.iter().all(Map::is_affine);
    let is_fixed = is_affine && sampling == Sampling::Nearest;
    let flat: Vec<f64> = if is_fixed {
        maps.iter().flat_map(|map| map.in_fixed_point().0).collect()
    } else {
        maps.iter().flat_map(|map| map.0).collect()
    };
    // The point of a pixel that its position is computed from.
    let within = if is_fixed { 0.0 } else { 0.5 };
    let device = images.device();
    let maps = Tensor::from_slice(&flat)
        .to_kind(Kind::Float)
        .view([count, 8, 1, 1])
        .to_device(device);
    let options = (Kind::Float, device);
    let x = (Tensor::arange(width, options) + within).view([1, 1, width]);
    let y = (Tensor::arange(height, options) + within).view([1, height, 1]);
    let along = |from: i64| {
        let [by_x, by_y, rest] = [0, 1, 2].map(|at| maps.select(1, from + at));
        by_x * &x + by_y * &y + rest
    };
    let (source_x, source_y) = if is_affine {
        (along(0), along(3))
    } else {
        let depth = maps.select(1, 6) * &x + maps.select(1, 7) * &y + 1.0;
        (along(0) / &depth, along(3) / depth)
    };
    let is_inside = source_x
        .ge(0.0)
        .logical_and(&source_x.lt(width as f64))
        .logical_and(&source_y.ge(0.0))
        .logical_and(&source_y.lt(height as f64))
        .unsqueeze(1);
    let pixels = images.reshape([count, channels, height * width]);
    // The pixel at a row and a column, where those outside are replaced by their nearest neighbours
    // inside.
    let fetch = |row: &Tensor, column: &Tensor| {
        let row = row.clamp(0.0, (height - 1) as f64);
        let column = column.clamp(0.0, (width - 1) as f64);
        let index = (row * width as f64 + column)
            .to_kind(Kind::Int64)
            .view([count, 1, height * width])
            .expand([count, channels, height * width], false);
        pixels
            .gather(2, &index, false)
            .view([count, channels, height, width])
    };
    let fetched = match sampling {
        Sampling::Nearest => fetch(&source_y.floor(), &source_x.floor()),
        Sampling::Bilinear => {
            let (x, y) = (source_x - 0.5, source_y - 0.5);
            let (left, top) = (x.floor(), y.floor());
            let (across, down) = ((x - &left).unsqueeze(1), (y - &top).unsqueeze(1));
            let (right, bottom) = (&left + 1.0, &top + 1.0);
            let row = |row: &Tensor| {
                let from = fetch(row, &left);
                &from + (fetch(row, &right) - &from) * &across
            };
            let above = row(&top);
            (&above + (row(&bottom) - &above) * down).trunc()
        }
    };
    fetched * is_inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    const SIZE: (i64, i64) = (4, 4);

    fn numbered() -> Tensor {
        Tensor::arange(16, (Kind::Float, Device::Cpu)).view([1, 1, 4, 4])
    }

    fn moved(map: Map, sampling: Sampling) -> Vec<f32> {
        Vec::try_from(transform(&numbered(), &[map], sampling).view(-1)).unwrap()
    }

    #[test]
    fn a_quarter_turn_and_a_step_are_exact() {
        let turned = moved(Map::rotation(90.0, SIZE), Sampling::Nearest);
        assert_eq!(turned[..4], [3.0, 7.0, 11.0, 15.0]);
        let stepped = moved(Map::translation(1.0, 2.0), Sampling::Nearest);
        assert_eq!(stepped[8..], [0.0, 0.0, 1.0, 2.0, 0.0, 4.0, 5.0, 6.0]);
        assert_eq!(stepped[..8], [0.0; 8]);
    }

    #[test]
    fn nothing_moves_where_corners_stay() {
        let corners = [(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (0.0, 3.0)];
        let map = Map::perspective(corners, corners).unwrap();
        for sampling in [Sampling::Nearest, Sampling::Bilinear] {
            assert_eq!(
                moved(map, sampling),
                moved(Map::translation(0.0, 0.0), sampling)
            );
        }
        assert_eq!(Map::perspective(corners, [(1.0, 1.0); 4]), None);
    }

    #[test]
    fn corners_come_from_where_they_were() {
        let from = [(0.0, 0.0), (31.0, 0.0), (31.0, 31.0), (0.0, 31.0)];
        let to = [(2.0, 1.0), (29.0, 3.0), (30.0, 28.0), (0.0, 31.0)];
        let Map(m) = Map::perspective(from, to).unwrap();
        for ((source_x, source_y), (x, y)) in from.into_iter().zip(to) {
            let depth = m[6] * x + m[7] * y + 1.0;
            assert!(((m[0] * x + m[1] * y + m[2]) / depth - source_x).abs() < 1e-9);
            assert!(((m[3] * x + m[4] * y + m[5]) / depth - source_y).abs() < 1e-9);
        }
    }
}
