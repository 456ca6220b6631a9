//! Crops and mirrors, on bytes.

use tch::{Kind, Tensor};

/// A crop of the image's own size from the image padded with `padding` black pixels on each side,
/// at a place drawn for each image. Bytes in, bytes out: N x C x H x W.
pub fn random_crop(images: &Tensor, padding: i64) -> Tensor {
    let (count, _, height, width) = images.size4().expect("images have four dimensions");
    let options = (Kind::Int64, images.device());
    let [top, left] = [(); 2].map(|()| Tensor::randint(2 * padding + 1, [count], options));
    let padded = images.constant_pad_nd([padding; 4]);
    windows(&padded, (height, width), &top, &left)
}

/// The window of this height and width in each image whose corner lies at its place in `top` and
/// `left`. N x C x H x W.
pub fn windows(
    images: &Tensor,
    (height, width): (i64, i64),
    top: &Tensor,
    left: &Tensor,
) -> Tensor {
    // Every window there is, as a view: N x C x tops x lefts x H x W. The index takes one of them
    // for each image.
    let all = images.unfold(2, height, 1).unfold(3, width, 1);
    let image = Tensor::arange(images.size()[0], (Kind::Int64, images.device()));
    let [top, left] = [top, left].map(|places| Some(places.shallow_clone()));
    all.index(&[Some(image), None, top, left])
}

/// Each image or, with probability one half, its mirror.
pub fn random_horizontal_flip(images: &Tensor) -> Tensor {
    let flipped = Tensor::randint(
        2,
        [images.size()[0], 1, 1, 1],
        (Kind::Bool, images.device()),
    );
    images.flip([3]).where_self(&flipped, images)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    /// Images whose every pixel says where it lies: 8 x row + column + 1 (0 is left for the
    /// padding).
    fn marked(count: i64) -> Tensor {
        let pixels = Tensor::arange_start(1, 65, (Kind::Uint8, Device::Cpu)).view([1, 1, 8, 8]);
        pixels.expand([count, 3, 8, 8], false).contiguous()
    }

    fn bytes(tensor: &Tensor) -> Vec<u8> {
        Vec::try_from(tensor.contiguous().view(-1)).unwrap()
    }

    #[test]
    fn every_crop_is_a_window_of_its_own_padded_image() {
        let _turn = crate::random::one_at_a_time();
        tch::manual_seed(1);
        let images = marked(64);
        let cropped = random_crop(&images, 2);
        assert_eq!(cropped.size(), images.size());
        let padded = images.get(0).constant_pad_nd([2; 4]);
        let windows: Vec<Vec<u8>> = (0..25)
            .map(|place| bytes(&padded.narrow(1, place / 5, 8).narrow(2, place % 5, 8)))
            .collect();
        let mut seen = std::collections::HashSet::new();
        for image in 0..64 {
            let place = windows
                .iter()
                .position(|window| *window == bytes(&cropped.get(image)));
            seen.insert(place.expect("a crop is one of the windows of its image"));
        }
        assert!(
            seen.len() > 15,
            "64 crops fell on only {} of 25 places",
            seen.len()
        );
    }

    #[test]
    fn a_crop_takes_the_pixels_of_its_own_image() {
        let _turn = crate::random::one_at_a_time();
        tch::manual_seed(2);
        let images = Tensor::arange(16, (Kind::Uint8, Device::Cpu))
            .view([16, 1, 1, 1])
            .expand([16, 3, 4, 4], false);
        let cropped = random_crop(&images.contiguous(), 1);
        for image in 0..16 {
            let found = bytes(&cropped.get(image));
            assert!(
                found
                    .iter()
                    .all(|&pixel| pixel == 0 || i64::from(pixel) == image)
            );
        }
    }

    #[test]
    fn a_flip_gives_the_image_or_its_mirror_about_equally_often() {
        let _turn = crate::random::one_at_a_time();
        tch::manual_seed(3);
        let images = marked(200);
        let flipped = random_horizontal_flip(&images);
        let (same, mirror) = (bytes(&images.get(0)), bytes(&images.get(0).flip([2])));
        let mut mirrored = 0;
        for image in 0..200 {
            let found = bytes(&flipped.get(image));
            assert!(found == same || found == mirror);
            mirrored += i32::from(found == mirror);
        }
        assert!(
            (70..130).contains(&mirrored),
            "{mirrored} of 200 were mirrored"
        );
    }
}
