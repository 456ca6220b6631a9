//! The views of an image whose answers are averaged (test-time augmentation), as the reference has
//! them: the image, its mirror, and random crops of the image padded by reflection.

use std::cell::OnceCell;

use tch::Tensor;

use super::augment::crop;
use super::random::scramble;

/// Pixels that a crop's image is padded by on each side.
pub const PADDING: i64 = 4;

/// How many views there are of each image, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Views {
    count: u32,
    seed: u64,
}

impl Views {
    /// The image alone.
    pub const PLAIN: Self = Self { count: 1, seed: 0 };

    /// The image, its mirror, and `count - 2` crops that `seed` chooses; at least the image.
    pub fn new(count: u32, seed: u64) -> Self {
        Self {
            count: count.max(1),
            seed,
        }
    }

    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether there are crops, for which an image must be larger than the padding.
    pub fn crop(self) -> bool {
        self.count > 2
    }

    /// The views of a batch of bytes, N x C x H x W, whose images have the numbers from `first` on.
    pub fn of(self, images: &Tensor, first: i64) -> Batch<'_> {
        Batch {
            views: self,
            images,
            first,
            padded: OnceCell::new(),
        }
    }

    /// Row and column of a crop's corner in the padded image.
    fn place(self, image: u64, view: u32) -> (i64, i64) {
        let sides = 2 * PADDING as u64 + 1;
        let mixed = [image, u64::from(view)]
            .iter()
            .fold(scramble(self.seed), |state, part| scramble(state ^ part));
        let place = mixed % (sides * sides);
        ((place / sides) as i64, (place % sides) as i64)
    }
}

/// The views of one batch.
#[derive(Debug)]
pub struct Batch<'a> {
    views: Views,
    images: &'a Tensor,
    first: i64,
    /// The images with their border, which all crops share.
    padded: OnceCell<Tensor>,
}

impl Batch<'_> {
    /// View number `view` (from 0): bytes, N x C x H x W. Where an image is cropped depends only on
    /// the seed, the view and its number, so that any batch size and device sees the same.
    pub fn view(&self, view: u32) -> Tensor {
        let images = self.images;
        match view {
            0 => images.shallow_clone(),
            1 => images.flip([3]),
            _ => {
                let numbers = (self.first..).take(images.size()[0] as usize);
                let places = numbers.map(|number| self.views.place(number as u64, view));
                let (top, left): (Vec<i64>, Vec<i64>) = places.unzip();
                let [top, left] = [top, left]
                    .map(|places| Tensor::from_slice(&places).to_device(images.device()));
                let padded = self.padded.get_or_init(|| reflected(images));
                crop::windows(padded, (images.size()[2], images.size()[3]), &top, &left)
            }
        }
    }
}

/// Images with a border of `PADDING` pixels that mirrors what lies within, the edge itself not
/// repeated. libtorch pads no bytes so.
fn reflected(images: &Tensor) -> Tensor {
    [2, 3].iter().fold(images.shallow_clone(), |images, axis| {
        let rows = Tensor::from_slice(&reflection(images.size()[*axis as usize]));
        images.index_select(*axis, &rows.to_device(images.device()))
    })
}

/// Which row of an image each row of the padded one is.
fn reflection(length: i64) -> Vec<i64> {
    (-PADDING..length + PADDING)
        .map(|row| {
            let inside = row.abs();
            if inside < length {
                inside
            } else {
                2 * (length - 1) - inside
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    fn marked(count: i64) -> Tensor {
        Tensor::arange(count * 64, (Kind::Int64, Device::Cpu))
            .remainder(251)
            .to_kind(Kind::Uint8)
            .view([count, 1, 8, 8])
            .expand([count, 3, 8, 8], false)
            .contiguous()
    }

    #[test]
    fn padding_is_libtorchs_reflection() {
        let images = marked(2);
        let expected = images.to_kind(Kind::Float).reflection_pad2d([PADDING; 4]);
        assert_eq!(reflected(&images).to_kind(Kind::Float), expected);
    }

    #[test]
    fn views_are_the_image_its_mirror_and_crops_of_the_padded_image() {
        let (images, views) = (marked(40), Views::new(5, 7));
        assert_eq!(views.of(&images, 0).view(0), images);
        assert_eq!(views.of(&images, 0).view(1), images.flip([3]));
        let padded = reflected(&images);
        let mut places = std::collections::HashSet::new();
        for view in 2..5 {
            let crops = views.of(&images, 0).view(view);
            assert_eq!((crops.size(), crops.kind()), (images.size(), Kind::Uint8));
            for image in 0..40 {
                let (top, left) = views.place(image as u64, view);
                places.insert((top, left));
                let window = padded.get(image).narrow(1, top, 8).narrow(2, left, 8);
                assert_eq!(crops.get(image), window, "view {view} of image {image}");
            }
        }
        assert!(
            places.len() > 50,
            "120 crops fell on {} places",
            places.len()
        );
    }

    #[test]
    fn a_crop_depends_on_seed_view_and_image_and_not_on_its_batch() {
        let (images, views) = (marked(10), Views::new(4, 1));
        let all = views.of(&images, 0).view(3);
        assert_eq!(
            views.of(&images.narrow(0, 6, 4), 6).view(3),
            all.narrow(0, 6, 4)
        );
        assert_ne!(views.of(&images, 0).view(2), all);
        assert_ne!(Views::new(4, 2).of(&images, 0).view(3), all);
    }
}
