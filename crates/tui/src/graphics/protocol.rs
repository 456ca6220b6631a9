//! Which graphics a terminal has, as its environment says.

/// How pictures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// In half blocks, with characters and colours alone.
    #[default]
    Blocks,
    /// kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm2,
    /// DEC's sixels.
    Sixel,
}

/// The values of `images` in the configuration.
pub const NAMES: [&str; 5] = ["auto", "kitty", "iterm2", "sixel", "blocks"];

impl Protocol {
    /// The protocol of this name; `None` for `auto`, or an unknown name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "kitty" => Some(Self::Kitty),
            "iterm2" => Some(Self::Iterm2),
            "sixel" => Some(Self::Sixel),
            "blocks" => Some(Self::Blocks),
            _ => None,
        }
    }

    /// What the environment says of the terminal, as `lookup` reads it. A multiplexer stands
    /// between, whatever the terminal behind it has: half blocks.
    pub fn detect(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name| lookup(name).unwrap_or_default();
        let is_set = |name| !read(name).is_empty();
        let term = read("TERM");
        let program = read("TERM_PROGRAM");
        let is_multiplexed = ["TMUX", "STY", "ZELLIJ"].into_iter().any(is_set)
            || term.starts_with("screen")
            || term.starts_with("tmux");
        if is_multiplexed || is_set("NO_COLOR") {
            Self::Blocks
        } else if is_set("KITTY_WINDOW_ID") || term.contains("kitty") || term.contains("ghostty") {
            Self::Kitty
        } else if program == "iTerm.app" || program == "WezTerm" || read("LC_TERMINAL") == "iTerm2"
        {
            Self::Iterm2
        } else if ["foot", "mlterm", "contour"]
            .into_iter()
            .any(|name| term.starts_with(name))
            || term.contains("sixel")
        {
            Self::Sixel
        } else {
            Self::Blocks
        }
    }

    /// The protocol if pictures can be given the size of their cells in it; sixels know pixels
    /// only.
    #[must_use]
    pub fn with_cells(self, cell: Option<(u16, u16)>) -> Self {
        match (self, cell) {
            (Self::Sixel, None) => Self::Blocks,
            (known, _) => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[(&str, &str)]) -> Protocol {
        Protocol::detect(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn terminals_are_known_by_their_environment() {
        let cases: [(&[(&str, &str)], Protocol); 9] = [
            (&[("TERM", "xterm-256color")], Protocol::Blocks),
            (&[("TERM", "xterm-kitty")], Protocol::Kitty),
            (
                &[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")],
                Protocol::Kitty,
            ),
            (
                &[("TERM", "xterm-kitty"), ("TMUX", "/tmp/tmux-0")],
                Protocol::Blocks,
            ),
            (
                &[("TERM", "screen-256color"), ("TERM_PROGRAM", "iTerm.app")],
                Protocol::Blocks,
            ),
            (&[("TERM_PROGRAM", "iTerm.app")], Protocol::Iterm2),
            (&[("TERM", "foot")], Protocol::Sixel),
            (&[("TERM", "foot"), ("NO_COLOR", "1")], Protocol::Blocks),
            (&[], Protocol::Blocks),
        ];
        for (variables, protocol) in cases {
            assert_eq!(detect(variables), protocol, "{variables:?}");
        }
    }

    #[test]
    fn every_name_but_auto_is_a_protocol_and_sixels_need_pixels() {
        for name in &NAMES[1..] {
            assert!(Protocol::named(name).is_some(), "{name}");
        }
        assert_eq!(Protocol::named("auto"), None);
        assert_eq!(Protocol::Sixel.with_cells(None), Protocol::Blocks);
        assert_eq!(Protocol::Kitty.with_cells(None), Protocol::Kitty);
    }
}
