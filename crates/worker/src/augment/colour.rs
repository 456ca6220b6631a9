//! Changing colours, as Pillow does it: N x 3 x H x W floats that hold whole numbers from 0 to 255,
//! in and out. Parameters are N x 1 x 1 x 1, one for each image.

use tch::{Kind, Tensor};

/// Pillow's `Image.blend`: `factor` 0 gives `degenerate`, 1 the image, more than 1 what lies beyond
/// it.
fn blend(degenerate: &Tensor, images: &Tensor, factor: &Tensor) -> Tensor {
    (degenerate + factor * (images - degenerate))
        .clamp(0.0, 255.0)
        .trunc()
}

/// Luma as Pillow rounds it (ITU-R 601-2): N x 1 x H x W.
fn grey(images: &Tensor) -> Tensor {
    let [red, green, blue] = [0, 1, 2].map(|plane| images.narrow(1, plane, 1));
    // All below 2^24: exact in float32.
    ((red * 19595.0 + green * 38470.0 + blue * 7471.0 + 32768.0) / 65536.0).floor()
}

/// Brighter above a factor of 1, black at 0.
pub fn brightness(images: &Tensor, factor: &Tensor) -> Tensor {
    (images * factor).clamp(0.0, 255.0).trunc()
}

/// Further from the mean grey above a factor of 1, all of it at 0.
pub fn contrast(images: &Tensor, factor: &Tensor) -> Tensor {
    let mean = grey(images).mean_dim([1_i64, 2, 3].as_slice(), true, Kind::Float);
    blend(&(mean + 0.5).floor(), images, factor)
}

/// More colourful above a factor of 1, grey at 0.
pub fn saturation(images: &Tensor, factor: &Tensor) -> Tensor {
    blend(&grey(images), images, factor)
}

/// Sharper above a factor of 1, smoothed at 0.
pub fn sharpness(images: &Tensor, factor: &Tensor) -> Tensor {
    let size = images.size();
    let (height, width) = (size[2], size[3]);
    if height < 3 || width < 3 {
        return images.shallow_clone();
    }
    let inner = |down: i64, across: i64| {
        images
            .narrow(2, down, height - 2)
            .narrow(3, across, width - 2)
    };
    let mut sum = inner(1, 1) * 4.0;
    for (down, across) in (0..9).map(|place| (place / 3, place % 3)) {
        sum += inner(down, across);
    }
    let smooth = images.copy();
    // The outermost pixels stay.
    smooth
        .narrow(2, 1, height - 2)
        .narrow(3, 1, width - 2)
        .copy_(&(sum / 13.0 + 0.5).floor());
    blend(&smooth, images, factor)
}

/// Rotates the hue by this fraction of a full turn, -0.5 to 0.5, in Pillow's integer HSV.
pub fn hue(images: &Tensor, turn: &Tensor) -> Tensor {
    let [red, green, blue] = [0, 1, 2].map(|plane| images.narrow(1, plane, 1));
    let (high, low) = (images.amax([1], true), images.amin([1], true));
    let spread = &high - &low;
    let is_grey = spread.eq(0.0);
    let safe = spread.where_self(&is_grey.logical_not(), &spread.ones_like());
    let [from_red, from_green, from_blue] =
        [&red, &green, &blue].map(|plane| (&high - plane) / &safe);
    let sixth = (&from_blue - &from_green).where_self(
        &red.eq_tensor(&high),
        &(&from_red - &from_blue + 2.0)
            .where_self(&green.eq_tensor(&high), &(&from_green - &from_red + 4.0)),
    );
    let position = (sixth / 6.0 + 1.0).fmod(1.0);
    let angle = (position * 255.0).trunc() * is_grey.logical_not();
    let strength = (&spread / high.clamp_min(1.0) * 255.0).trunc() / 255.0;
    // A byte that runs over begins again.
    let angle = (angle + (turn * 255.0).trunc()).remainder(256.0);

    let sector = angle * 6.0 / 255.0;
    let whole = sector.floor();
    let part = &sector - &whole;
    let p = (&high * (1.0_f64 - &strength)).round();
    let q = (&high * (1.0_f64 - &strength * &part)).round();
    let t = (&high * (1.0_f64 - &strength * (1.0_f64 - &part))).round();
    let whole = whole.remainder(6.0);
    let pick = |choices: [&Tensor; 6]| {
        let mut picked = choices[5].shallow_clone();
        for (number, choice) in choices.into_iter().enumerate().take(5) {
            picked = choice.where_self(&whole.eq(number as f64), &picked);
        }
        picked
    };
    let planes = [
        pick([&high, &q, &p, &p, &t, &high]),
        pick([&t, &high, &high, &q, &p, &p]),
        pick([&p, &p, &t, &high, &high, &q]),
    ];
    Tensor::cat(&planes, 1).clamp(0.0, 255.0)
}

/// Keeps the `bits` highest bits of each value.
pub fn posterize(images: &Tensor, bits: &Tensor) -> Tensor {
    let step = (8.0_f64 - bits).exp2();
    (images / &step).floor() * step
}

/// Inverts what is not below the threshold.
pub fn solarize(images: &Tensor, threshold: &Tensor) -> Tensor {
    images.where_self(&images.lt_tensor(threshold), &(255.0_f64 - images))
}

/// Spreads each channel so that it reaches from 0 to 255.
pub fn autocontrast(images: &Tensor) -> Tensor {
    let (low, high) = (images.amin([2, 3], true), images.amax([2, 3], true));
    let has_room = high.gt_tensor(&low);
    let scale = 255.0_f64 / (&high - &low).clamp_min(1.0);
    let spread = (images * &scale - low * scale).trunc().clamp(0.0, 255.0);
    spread.where_self(&has_room, images)
}

/// Spreads each channel so that its values are about equally frequent.
pub fn equalize(images: &Tensor) -> Tensor {
    let size = images.size();
    let channels = size[0] * size[1];
    let index = images
        .reshape([channels, size[2] * size[3]])
        .to_kind(Kind::Int64);
    let counts = Tensor::zeros([channels, 256], (Kind::Float, images.device())).scatter_add(
        1,
        &index,
        &index.ones_like().to_kind(Kind::Float),
    );
    let of_highest = counts.gather(1, &index.amax([1], true), false);
    let step = ((counts.sum_dim_intlist([1_i64].as_slice(), true, Kind::Float) - of_highest)
        / 255.0)
        .floor();
    // Counts below each value, and half a step.
    let below = counts.cumsum(1, Kind::Float) - &counts + (&step / 2.0).floor();
    let table = (below / step.clamp_min(1.0)).floor().clamp(0.0, 255.0);
    let equalized = table.gather(1, &index, false).view(size.as_slice());
    let is_spread = step.gt(0.0).view([size[0], size[1], 1, 1]);
    equalized.where_self(&is_spread, images)
}
