//! Arithmetic on colours: contrast as the Web's accessibility rules define it, and distance as the
//! eye sees it.

/// Red, green and blue of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The 16 colours as xterm has them; terminals differ, and people change them.
const ANSI: [Rgb; 16] = [
    Rgb(0, 0, 0),
    Rgb(205, 0, 0),
    Rgb(0, 205, 0),
    Rgb(205, 205, 0),
    Rgb(0, 0, 238),
    Rgb(205, 0, 205),
    Rgb(0, 205, 205),
    Rgb(229, 229, 229),
    Rgb(127, 127, 127),
    Rgb(255, 0, 0),
    Rgb(0, 255, 0),
    Rgb(255, 255, 0),
    Rgb(92, 92, 255),
    Rgb(255, 0, 255),
    Rgb(0, 255, 255),
    Rgb(255, 255, 255),
];

impl Rgb {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self(red, green, blue))
    }

    /// Number `index` of xterm's 256 colours: 16 named ones, a cube of 6 x 6 x 6, 24 greys.
    pub fn indexed(index: u8) -> Self {
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        match index {
            0..16 => ANSI[usize::from(index)],
            16..232 => {
                let step = |divisor: u8| STEPS[usize::from((index - 16) / divisor % 6)];
                Self(step(36), step(6), step(1))
            }
            232.. => {
                let grey = 8 + 10 * (index - 232);
                Self(grey, grey, grey)
            }
        }
    }

    /// Of xterm's cube and its greys the nearest to this colour, channel by channel.
    pub fn quick_index(self) -> u8 {
        const MIDDLES: [u8; 5] = [48, 115, 155, 195, 235];
        let step = |channel: u8| MIDDLES.iter().filter(|middle| channel >= **middle).count() as u8;
        let cube = 16 + 36 * step(self.0) + 6 * step(self.1) + step(self.2);
        let mean = (u16::from(self.0) + u16::from(self.1) + u16::from(self.2)) / 3;
        let grey = 232 + (mean.saturating_sub(3) / 10).min(23) as u8;
        if self.apart(Self::indexed(grey)) < self.apart(Self::indexed(cube)) {
            grey
        } else {
            cube
        }
    }

    /// How far apart two colours are, the squares of the channels' differences added.
    pub fn apart(self, other: Self) -> u32 {
        let square = |one: u8, two: u8| u32::from(one.abs_diff(two)).pow(2);
        square(self.0, other.0) + square(self.1, other.1) + square(self.2, other.2)
    }

    /// The colour at this part of the way (0 to 1) to another.
    #[must_use]
    pub fn towards(self, other: Self, part: f64) -> Self {
        let mix = |one: u8, two: u8| {
            (f64::from(one) + (f64::from(two) - f64::from(one)) * part.clamp(0.0, 1.0)).round()
                as u8
        };
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
        )
    }

    /// Red, green and blue as light, each from 0 to 1.
    pub fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    /// Relative luminance: 0 for black, 1 for white.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio of WCAG 2: from 1 to 21; 4.5 is asked of text, 3 of large or secondary
    /// text.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Where it lies in Oklab (B. Ottosson, 2020), a space in which distance is how different
    /// colours look: lightness from 0 to 1, green to red, blue to yellow.
    pub fn oklab(self) -> Lab {
        oklab(self.linear())
    }
}

/// A place in Oklab.
pub type Lab = [f64; 3];

/// How different two colours look; 1 from black to white.
pub fn distance(one: Lab, two: Lab) -> f64 {
    (0..3)
        .map(|axis| (one[axis] - two[axis]).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// The place of a colour that is given as linear light.
pub fn oklab(linear: [f64; 3]) -> Lab {
    const TO_CONES: [[f64; 3]; 3] = [
        [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
        [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
        [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
    ];
    const TO_LAB: [[f64; 3]; 3] = [
        [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
        [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
        [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
    ];
    times(TO_LAB, times(TO_CONES, linear).map(f64::cbrt))
}

/// A matrix, given by its rows, times a vector.
pub fn times(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2])
}
