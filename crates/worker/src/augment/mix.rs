//! Mixing images with others of their batch: mixup (Zhang et al. 2017, arXiv:1710.09412) and
//! `CutMix` (Yun et al. 2019, arXiv:1905.04899). Each image has a partner, a share and, for
//! `CutMix`, a rectangle of its own.

use tch::{Kind, Tensor};

use super::draw::{self, each_image};
use super::erase::{Rectangle, mask};
use crate::loss::Targets;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// `CutMix` for an image with this probability; 0 for none.
    pub cutmix_prob: f64,
    /// Of the Beta distribution that the pasted area's share is drawn from.
    pub cutmix_alpha: f64,
    /// Mixup of all images that `CutMix` leaves, with shares from this Beta distribution; `None`
    /// for none.
    pub mixup_alpha: Option<f64>,
}

/// What was drawn for each image.
#[derive(Debug, Clone, PartialEq)]
struct Drawn {
    /// The image that it is mixed with.
    partners: Vec<i64>,
    /// What is pasted of the partner, nothing if empty.
    pasted: Vec<Rectangle>,
    /// Its own part where nothing is pasted, the rest is the partner's.
    blended: Vec<f64>,
}

impl Mix {
    /// Whether it changes nothing.
    pub fn is_none(&self) -> bool {
        self.cutmix_prob == 0.0 && self.mixup_alpha.is_none()
    }

    /// Mixes a batch of normalised images N x C x H x W with labels N.
    pub fn apply(&self, images: &Tensor, labels: &Tensor) -> (Tensor, Targets) {
        let size = images.size();
        let drawn = self.draw(size[0] as usize, (size[2], size[3]));
        drawn.apply(images, labels)
    }

    fn draw(&self, count: usize, size: (i64, i64)) -> Drawn {
        let (height, width) = size;
        let partners = draw::order(count);
        let is_cut = draw::yes(count, self.cutmix_prob);
        let mut pasted = vec![Rectangle::default(); count];
        if self.cutmix_prob > 0.0 {
            let shares = draw::beta(count, self.cutmix_alpha);
            let (rows, columns) = (draw::whole(count, 0, height), draw::whole(count, 0, width));
            for image in (0..count).filter(|image| is_cut[*image]) {
                let pasted_part = (1.0 - shares[image]).sqrt();
                let cut = [height, width].map(|length| (length as f64 * pasted_part) as i64);
                pasted[image] =
                    Rectangle::of_size(rows[image], columns[image], (cut[0], cut[1]), size);
            }
        }
        let mut blended = vec![1.0; count];
        if let Some(alpha) = self.mixup_alpha {
            let shares = draw::beta(count, alpha);
            for image in (0..count).filter(|image| !is_cut[*image]) {
                blended[image] = shares[image];
            }
        }
        Drawn {
            partners,
            pasted,
            blended,
        }
    }
}

impl Drawn {
    fn apply(&self, images: &Tensor, labels: &Tensor) -> (Tensor, Targets) {
        let size = images.size();
        let device = images.device();
        let partners = Tensor::from_slice(&self.partners).to_device(device);
        let others = images.index_select(0, &partners);
        let own = each_image(&self.blended, device).to_kind(images.kind());
        let is_blended = self.blended.iter().any(|share| *share < 1.0);
        let mixed = if is_blended {
            &others + (images - &others) * own
        } else {
            images.shallow_clone()
        };
        let mask = mask(&self.pasted, (size[2], size[3]), device);
        let mixed = others.where_self(&mask, &mixed);
        // The share that is really left of the image, which the edges may have made larger.
        let area = (size[2] * size[3]) as f64;
        let shares: Vec<f64> = self
            .pasted
            .iter()
            .zip(&self.blended)
            .map(|(pasted, blended)| blended * (1.0 - pasted.area() as f64 / area))
            .collect();
        let targets = Targets::Mixed {
            labels: labels.shallow_clone(),
            others: labels.index_select(0, &partners),
            shares: Tensor::from_slice(&shares)
                .to_kind(Kind::Float)
                .to_device(device),
        };
        (mixed, targets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::one_at_a_time;
    use tch::Device;

    /// Images whose every pixel is their number.
    fn batch(count: i64) -> (Tensor, Tensor) {
        let numbers = Tensor::arange(count, (Kind::Int64, Device::Cpu));
        let images = numbers.to_kind(Kind::Float).view([-1, 1, 1, 1]);
        (images.expand([count, 3, 8, 8], false).contiguous(), numbers)
    }

    fn parts(targets: &Targets) -> (Vec<i64>, Vec<f64>) {
        match targets {
            Targets::Mixed { others, shares, .. } => (
                Vec::try_from(others).unwrap(),
                Vec::try_from(shares.to_kind(Kind::Double)).unwrap(),
            ),
            Targets::Plain(_) => panic!("nothing was mixed"),
        }
    }

    #[test]
    fn shares_are_those_of_the_pixels_that_an_image_keeps() {
        let _guard = one_at_a_time();
        tch::manual_seed(8);
        let (images, labels) = batch(64);
        let mix = Mix {
            cutmix_prob: 0.7,
            cutmix_alpha: 1.0,
            mixup_alpha: None,
        };
        let (mixed, targets) = mix.apply(&images, &labels);
        let (others, shares) = parts(&targets);
        for image in 0..64 {
            let pixels: Vec<f64> =
                Vec::try_from(mixed.get(image).to_kind(Kind::Double).view(-1)).unwrap();
            let other = others[image as usize];
            let own = pixels
                .iter()
                .filter(|pixel| **pixel == image as f64)
                .count();
            let pasted = pixels
                .iter()
                .filter(|pixel| **pixel == other as f64)
                .count();
            if other == image {
                continue;
            }
            assert_eq!(own + pasted, pixels.len());
            let share = own as f64 / pixels.len() as f64;
            assert!(
                (share - shares[image as usize]).abs() < 1e-6,
                "image {image}"
            );
        }
    }

    #[test]
    fn cut_images_are_as_frequent_as_asked_and_their_areas_even() {
        let _guard = one_at_a_time();
        tch::manual_seed(9);
        let mix = Mix {
            cutmix_prob: 0.7,
            cutmix_alpha: 1.0,
            mixup_alpha: Some(0.2),
        };
        let drawn = mix.draw(4000, (32, 32));
        let blended = drawn.blended.iter().filter(|share| **share < 1.0).count();
        assert!((1080..1320).contains(&blended), "{blended}");
        for (pasted, blended) in drawn.pasted.iter().zip(&drawn.blended) {
            assert!(
                pasted.area() == 0 || *blended == 1.0,
                "one image was mixed twice"
            );
        }
        // Uncut squares of an even share would cover a half; the edges take their part.
        let covered: Vec<f64> = drawn
            .pasted
            .iter()
            .filter(|pasted| pasted.area() > 0)
            .map(|pasted| pasted.area() as f64 / 1024.0)
            .collect();
        let mean = covered.iter().sum::<f64>() / covered.len() as f64;
        assert!((0.28..0.42).contains(&mean), "{mean}");
    }

    #[test]
    fn mixup_lies_between_an_image_and_its_partner() {
        let _guard = one_at_a_time();
        tch::manual_seed(10);
        let (images, labels) = batch(32);
        let mix = Mix {
            cutmix_prob: 0.0,
            cutmix_alpha: 1.0,
            mixup_alpha: Some(1.0),
        };
        let (mixed, targets) = mix.apply(&images, &labels);
        let (others, shares) = parts(&targets);
        for image in 0..32 {
            let share = shares[image as usize];
            let expected = share * image as f64 + (1.0 - share) * others[image as usize] as f64;
            let found = mixed.double_value(&[image, 2, 3, 4]);
            assert!((found - expected).abs() < 1e-4, "{found} is not {expected}");
        }
    }
}
