//! How many colours the terminal has, and the nearest it has to a wanted one.

use ratatui::style::Color;

/// The colours of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None at all: `NO_COLOR` is set.
    None,
    /// The terminal's own sixteen.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24 bits.
    True,
}

impl Depth {
    /// What the environment says of the terminal, as `lookup` reads it.
    pub fn detect(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let term = lookup("TERM").unwrap_or_default();
        if lookup("NO_COLOR").is_some_and(|value| !value.is_empty()) || term == "dumb" {
            return Self::None;
        }
        match lookup("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Self::True,
            _ if term.contains("direct") || term.contains("kitty") || term.contains("ghostty") => {
                Self::True
            }
            _ if term.contains("256") => Self::Indexed,
            _ => Self::Sixteen,
        }
    }

    /// The nearest colour that the terminal has.
    pub fn fit(self, color: Color) -> Color {
        match (self, color) {
            (Self::None, _) => Color::Reset,
            (Self::Indexed, Color::Rgb(red, green, blue)) => {
                Color::Indexed(indexed(red, green, blue))
            }
            (Self::Sixteen, Color::Rgb(red, green, blue)) => sixteen(red, green, blue),
            _ => color,
        }
    }
}

/// Squared distance with weights near the eye's.
fn distance(a: [u8; 3], b: [u8; 3]) -> i32 {
    let part = |at: usize| i32::from(a[at]) - i32::from(b[at]);
    3 * part(0).pow(2) + 6 * part(1).pow(2) + part(2).pow(2)
}

/// The nearest of xterm's 6x6x6 cube and its grey ramp.
fn indexed(red: u8, green: u8, blue: u8) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let wanted = [red, green, blue];
    let level = |value: u8| {
        (0..6)
            .min_by_key(|at| value.abs_diff(LEVELS[*at]))
            .unwrap_or(0)
    };
    let cube = wanted.map(level);
    let in_cube = cube.map(|at| LEVELS[at]);
    let mean = wanted.iter().map(|value| u32::from(*value)).sum::<u32>() / 3;
    let step = (mean.saturating_sub(3) / 10).min(23) as u8;
    let grey = [8 + 10 * step; 3];
    if distance(wanted, grey) < distance(wanted, in_cube) {
        232 + step
    } else {
        16 + (36 * cube[0] + 6 * cube[1] + cube[2]) as u8
    }
}

fn sixteen(red: u8, green: u8, blue: u8) -> Color {
    const ALL: [(Color, [u8; 3]); 16] = [
        (Color::Black, [0, 0, 0]),
        (Color::Red, [170, 0, 0]),
        (Color::Green, [0, 170, 0]),
        (Color::Yellow, [170, 130, 0]),
        (Color::Blue, [0, 0, 200]),
        (Color::Magenta, [170, 0, 170]),
        (Color::Cyan, [0, 170, 170]),
        (Color::Gray, [190, 190, 190]),
        (Color::DarkGray, [110, 110, 110]),
        (Color::LightRed, [255, 90, 90]),
        (Color::LightGreen, [90, 255, 90]),
        (Color::LightYellow, [255, 240, 90]),
        (Color::LightBlue, [90, 150, 255]),
        (Color::LightMagenta, [255, 110, 255]),
        (Color::LightCyan, [90, 230, 255]),
        (Color::White, [255, 255, 255]),
    ];
    ALL.into_iter()
        .min_by_key(|(_, value)| distance([red, green, blue], *value))
        .map_or(Color::Reset, |(color, _)| color)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_follows_the_environment() {
        let cases: [(&[(&str, &str)], Depth); 6] = [
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
                Depth::True,
            ),
            (&[("TERM", "xterm-256color")], Depth::Indexed),
            (&[("TERM", "xterm")], Depth::Sixteen),
            (&[("TERM", "linux")], Depth::Sixteen),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
                Depth::None,
            ),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
                Depth::Indexed,
            ),
        ];
        for (environment, depth) in cases {
            let lookup = |name: &str| {
                environment
                    .iter()
                    .find(|pair| pair.0 == name)
                    .map(|pair| pair.1.to_owned())
            };
            assert_eq!(Depth::detect(lookup), depth, "{environment:?}");
        }
    }

    #[test]
    fn colours_fit_the_terminal() {
        let orange = Color::Rgb(255, 135, 0);
        assert_eq!(Depth::True.fit(orange), orange);
        assert_eq!(Depth::Indexed.fit(orange), Color::Indexed(208));
        assert_eq!(
            Depth::Indexed.fit(Color::Rgb(128, 128, 128)),
            Color::Indexed(244)
        );
        assert_eq!(Depth::Sixteen.fit(Color::Rgb(250, 80, 85)), Color::LightRed);
        assert_eq!(Depth::None.fit(Color::Red), Color::Reset);
    }
}
