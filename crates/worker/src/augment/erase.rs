//! Taking rectangles out of images: random erasing (Zhong et al. 2017, arXiv:1708.04896) and cutout
//! (`DeVries` and Taylor 2017, arXiv:1708.04552). Both come after normalising and leave 0 behind,
//! the mean of all images.

use tch::{Device, Kind, Tensor};

use super::draw;

/// A rectangle of pixels: rows from `top` to `bottom` and columns from `left` to `right`, the ends
/// not included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rectangle {
    pub top: i64,
    pub bottom: i64,
    pub left: i64,
    pub right: i64,
}

impl Rectangle {
    /// A square of side `length` around a pixel, cut off at the image's edges.
    pub fn around(row: i64, column: i64, length: i64, (height, width): (i64, i64)) -> Self {
        Self::of_size(row, column, (length, length), (height, width))
    }

    /// A rectangle of this height and width around a pixel, cut off at the image's edges.
    pub fn of_size(
        row: i64,
        column: i64,
        (rows, columns): (i64, i64),
        (height, width): (i64, i64),
    ) -> Self {
        Self {
            top: (row - rows / 2).clamp(0, height),
            bottom: (row - rows / 2 + rows).clamp(0, height),
            left: (column - columns / 2).clamp(0, width),
            right: (column - columns / 2 + columns).clamp(0, width),
        }
    }

    /// Pixels in it.
    pub fn area(self) -> i64 {
        (self.bottom - self.top) * (self.right - self.left)
    }
}

/// Which pixels lie in each image's rectangle: N x 1 x H x W booleans.
pub fn mask(rectangles: &[Rectangle], (height, width): (i64, i64), device: Device) -> Tensor {
    let edge = |of: fn(&Rectangle) -> i64| {
        let values: Vec<i64> = rectangles.iter().map(of).collect();
        Tensor::from_slice(&values)
            .view([-1, 1, 1, 1])
            .to_device(device)
    };
    let options = (Kind::Int64, device);
    let rows = Tensor::arange(height, options).view([1, 1, height, 1]);
    let columns = Tensor::arange(width, options).view([1, 1, 1, width]);
    let in_rows = rows
        .ge_tensor(&edge(|rectangle| rectangle.top))
        .logical_and(&rows.lt_tensor(&edge(|rectangle| rectangle.bottom)));
    let in_columns = columns
        .ge_tensor(&edge(|rectangle| rectangle.left))
        .logical_and(&columns.lt_tensor(&edge(|rectangle| rectangle.right)));
    in_rows.logical_and(&in_columns)
}

/// Images N x C x H x W with 0 in each one's rectangle.
pub fn erase(images: &Tensor, rectangles: &[Rectangle]) -> Tensor {
    let size = images.size();
    let mask = mask(rectangles, (size[2], size[3]), images.device());
    images.masked_fill(&mask, 0.0)
}

/// The parts of an image's area that random erasing takes, and the heights over widths.
const AREA: (f64, f64) = (0.02, 0.2);
const RATIO: (f64, f64) = (0.3, 3.3);
/// Attempts to draw a rectangle that fits into the image.
const ATTEMPTS: usize = 10;

/// Random erasing's rectangles: for each image with probability `chance` one (as torchvision's
/// `RandomErasing` draws it, with the reference's area and ratio), else an empty one.
pub fn draw_erasing(count: usize, chance: f64, size: (i64, i64)) -> Vec<Rectangle> {
    let erased = draw::yes(count, chance);
    let one = |is_erased: bool| {
        if is_erased {
            draw_rectangle(size)
        } else {
            Rectangle::default()
        }
    };
    erased.into_iter().map(one).collect()
}

fn draw_rectangle((height, width): (i64, i64)) -> Rectangle {
    let areas = draw::uniform(ATTEMPTS, AREA.0, AREA.1);
    let ratios = draw::uniform(ATTEMPTS, RATIO.0.ln(), RATIO.1.ln());
    let fitting = areas.into_iter().zip(ratios).find_map(|(area, ratio)| {
        let (area, ratio) = (area * (height * width) as f64, ratio.exp());
        let rows = (area * ratio).sqrt().round_ties_even() as i64;
        let columns = (area / ratio).sqrt().round_ties_even() as i64;
        (rows < height && columns < width).then_some((rows, columns))
    });
    let Some((rows, columns)) = fitting else {
        return Rectangle::default();
    };
    let place = |room: i64| {
        draw::whole(1, 0, room + 1)
            .first()
            .copied()
            .unwrap_or_default()
    };
    let (top, left) = (place(height - rows), place(width - columns));
    Rectangle {
        top,
        bottom: top + rows,
        left,
        right: left + columns,
    }
}

/// One of cutout's squares for each image, around a pixel anywhere in it.
pub fn draw_cutout(count: usize, length: i64, size: (i64, i64)) -> Vec<Rectangle> {
    let rows = draw::whole(count, 0, size.0);
    let columns = draw::whole(count, 0, size.1);
    rows.into_iter()
        .zip(columns)
        .map(|(row, column)| Rectangle::around(row, column, length, size))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::one_at_a_time;

    const SIZE: (i64, i64) = (32, 32);

    #[test]
    fn each_image_loses_its_own_rectangle_and_no_more() {
        let _turn = crate::random::one_at_a_time();
        let images = Tensor::ones([3, 2, 4, 5], (Kind::Float, Device::Cpu));
        let rectangles = [
            Rectangle {
                top: 1,
                bottom: 3,
                left: 0,
                right: 2,
            },
            Rectangle::default(),
            Rectangle::around(0, 4, 4, (4, 5)),
        ];
        let erased = erase(&images, &rectangles);
        for (image, rectangle) in (0..).zip(rectangles) {
            for row in 0..4 {
                for column in 0..5 {
                    let is_in = (rectangle.top..rectangle.bottom).contains(&row)
                        && (rectangle.left..rectangle.right).contains(&column);
                    let expected = f64::from(!is_in);
                    assert_eq!(erased.double_value(&[image, 1, row, column]), expected);
                }
            }
        }
        assert_eq!(rectangles[2].area(), 2 * 3);
    }

    #[test]
    fn erased_rectangles_have_torchvisions_sizes_and_frequency() {
        let _guard = one_at_a_time();
        tch::manual_seed(6);
        let drawn = draw_erasing(1500, 0.3, SIZE);
        let erased: Vec<_> = drawn
            .iter()
            .filter(|rectangle| rectangle.area() > 0)
            .collect();
        assert!((370..530).contains(&erased.len()), "{}", erased.len());
        for rectangle in &erased {
            let part = rectangle.area() as f64 / 1024.0;
            assert!((0.01..0.23).contains(&part), "{rectangle:?}");
            assert!(rectangle.top >= 0 && rectangle.bottom <= 32 && rectangle.right <= 32);
        }
        let mean = erased
            .iter()
            .map(|rectangle| rectangle.area() as f64)
            .sum::<f64>()
            / erased.len() as f64;
        assert!((mean / 1024.0 - 0.11).abs() < 0.012, "{mean}");
    }

    #[test]
    fn cutout_is_centred_anywhere() {
        let _guard = one_at_a_time();
        tch::manual_seed(7);
        let drawn = draw_cutout(2000, 16, SIZE);
        assert!(
            drawn
                .iter()
                .all(|square| (64..=256).contains(&square.area()))
        );
        assert!(
            drawn
                .iter()
                .any(|square| square.top == 0 && square.left == 0)
        );
        assert!(
            drawn
                .iter()
                .any(|square| square.bottom == 32 && square.right == 32)
        );
    }
}
