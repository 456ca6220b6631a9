//! How many colours the terminal has, and the nearest of them to what a theme asks for.

use std::sync::LazyLock;

use ratatui::style::{Color, Style};

use super::colour::{Lab, Rgb, distance};
use super::role::Role;

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// None: bold, dim, underlined and reversed have to do.
    None,
    /// The 16 named ones.
    Sixteen,
    /// xterm's 256.
    Indexed,
    /// 24 bits.
    #[default]
    True,
}

/// Terminals that show 24-bit colours and say so by their name alone.
const TRUE_COLOUR_TERMS: [&str; 7] = [
    "direct",
    "truecolor",
    "kitty",
    "alacritty",
    "wezterm",
    "ghostty",
    "foot",
];

impl Depth {
    /// What the environment says of the terminal, as `lookup` reads it.
    pub fn detect(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name| lookup(name).unwrap_or_default();
        let (colorterm, term) = (read("COLORTERM"), read("TERM"));
        if !read("NO_COLOR").is_empty() || term == "dumb" {
            Depth::None
        } else if matches!(colorterm.as_str(), "truecolor" | "24bit")
            || TRUE_COLOUR_TERMS.iter().any(|name| term.contains(name))
        {
            Depth::True
        } else if term.contains("256") || !colorterm.is_empty() {
            Depth::Indexed
        } else {
            Depth::Sixteen
        }
    }

    /// The style for `role` on this terminal. `background` is what the role lies on, as the theme
    /// has it; of the few colours of a poor terminal the nearest is taken that can still be read on
    /// it.
    pub(super) fn fit(self, role: Role, style: Style, background: Option<Color>) -> Style {
        match self {
            Depth::True => style,
            Depth::None => Style {
                fg: None,
                bg: None,
                underline_color: None,
                ..style.add_modifier(role.plain())
            },
            Depth::Indexed => Style {
                fg: style.fg.map(nearest_indexed),
                bg: style.bg.map(nearest_indexed),
                ..style
            },
            Depth::Sixteen => {
                let bg = style.bg.map(|colour| nearest_ansi(colour, None));
                let under = bg.or(background.map(|colour| nearest_ansi(colour, None)));
                let fg = style.fg.map(|colour| nearest_ansi(colour, under));
                Style { fg, bg, ..style }
            }
        }
    }
}

impl Depth {
    /// The nearest colour that this terminal shows to one of a picture: quick rather than exact,
    /// since pictures have thousands. `None` where there are no colours.
    pub fn colour(self, wanted: Rgb) -> Option<Color> {
        match self {
            Depth::None => None,
            Depth::True => Some(Color::Rgb(wanted.0, wanted.1, wanted.2)),
            Depth::Indexed => Some(Color::Indexed(wanted.quick_index())),
            Depth::Sixteen => (0..16_u8)
                .min_by_key(|index| wanted.apart(Rgb::indexed(*index)))
                .map(|index| NAMED[usize::from(index)]),
        }
    }
}

/// Where the 256 colours lie.
static PLACES: LazyLock<Vec<Lab>> =
    LazyLock::new(|| (0..=255).map(|index| Rgb::indexed(index).oklab()).collect());

fn nearest(wanted: Rgb, candidates: impl Iterator<Item = u8>) -> Option<u8> {
    let place = wanted.oklab();
    let far = |index: u8| distance(place, PLACES[usize::from(index)]);
    candidates.min_by(|a, b| far(*a).total_cmp(&far(*b)))
}

pub(super) fn nearest_indexed(colour: Color) -> Color {
    let Color::Rgb(red, green, blue) = colour else {
        return colour;
    };
    // The first 16 are left out: people redefine them.
    nearest(Rgb(red, green, blue), 16..=255).map_or(colour, Color::Indexed)
}

/// The nearest of 16; on a background the nearest that can be read there.
fn nearest_ansi(colour: Color, on: Option<Color>) -> Color {
    const READABLE: f64 = 3.0;
    let Color::Rgb(red, green, blue) = colour else {
        return colour;
    };
    let under = on.and_then(rgb_of);
    let readable =
        |index: &u8| under.is_none_or(|under| Rgb::indexed(*index).contrast(under) >= READABLE);
    nearest(Rgb(red, green, blue), (0..16).filter(readable))
        .map_or(colour, |index| NAMED[usize::from(index)])
}

/// The 16 colours by the names under which every terminal knows them.
const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// What a colour looks like on a terminal that has xterm's colours; `None` for the terminal's own.
pub(super) fn rgb_of(colour: Color) -> Option<Rgb> {
    match colour {
        Color::Rgb(red, green, blue) => Some(Rgb(red, green, blue)),
        Color::Indexed(index) => Some(Rgb::indexed(index)),
        other => (0..16)
            .find(|index| NAMED[usize::from(*index)] == other)
            .map(Rgb::indexed),
    }
}
