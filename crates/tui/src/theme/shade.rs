//! Grounds between the background and a role's colour, for values that are shown by colour as well
//! as in words.

use ratatui::style::{Color, Modifier, Style};

use super::colour::Rgb;
use super::depth::{nearest_indexed, rgb_of};
use super::{Depth, Role, Theme};

/// The colours of text on any ground.
const INK: [Rgb; 2] = [Rgb(0, 0, 0), Rgb(255, 255, 255)];

/// How much of its colour is left of what lies behind.
const FAINT: f64 = 0.45;

impl Theme {
    /// A ground that lies so much of the way (0 to 1) from the background to the colour of `role`,
    /// with text that can be read on it. Where colours cannot be mixed, three steps: nothing,
    /// coloured text, coloured ground; without any colours dim, plain and reversed.
    pub fn shade(&self, role: Role, part: f64) -> Style {
        let part = if part.is_nan() {
            0.0
        } else {
            part.clamp(0.0, 1.0)
        };
        let colour = self.style(role).fg;
        if let Some((from, to)) = self.ends(role) {
            // The eye sees little of the first part of the way, where the values lie that matter
            // most: mistakes.
            if part == 0.0 {
                return self.style(Role::Muted);
            }
            let fit = |colour| self.fit(colour);
            let ground = fit(from.towards(to, part.sqrt()));
            let contrast = |ink: Rgb| rgb_of(ground).map_or(0.0, |ground| ink.contrast(ground));
            let ink = if contrast(INK[0]) > contrast(INK[1]) {
                INK[0]
            } else {
                INK[1]
            };
            return Style::new().fg(fit(ink)).bg(ground);
        }
        let strong = part >= 0.5;
        match (self.depth, colour) {
            _ if part == 0.0 => self.style(Role::Muted),
            (Depth::None, _) | (_, None) if strong => Style::new().add_modifier(Modifier::REVERSED),
            (Depth::None, _) | (_, None) => Style::new(),
            (_, Some(colour)) if strong => Style::new().fg(colour).add_modifier(Modifier::REVERSED),
            (_, Some(colour)) => Style::new().fg(colour),
        }
    }

    /// The style of a whole row that the cursor is on, whatever the colours in its cells.
    pub fn cursor_row(&self) -> Style {
        self.style(Role::Text).patch(self.style(Role::Selection))
    }

    /// The colour of `role` drawn nearer to the background, for what lies behind; dim where colours
    /// cannot be mixed.
    pub fn faint(&self, role: Role) -> Style {
        match self.ends(role) {
            Some((from, to)) => Style::new().fg(self.fit(from.towards(to, FAINT))),
            None => self.style(role).add_modifier(Modifier::DIM),
        }
    }

    /// The background and a role's colour, where colours between them can be shown.
    fn ends(&self, role: Role) -> Option<(Rgb, Rgb)> {
        let mixable = |colour: Color| {
            matches!(colour, Color::Rgb(..) | Color::Indexed(_))
                .then(|| rgb_of(colour))
                .flatten()
        };
        if !matches!(self.depth, Depth::True | Depth::Indexed) {
            return None;
        }
        mixable(self.background()).zip(self.style(role).fg.and_then(mixable))
    }

    fn fit(&self, Rgb(red, green, blue): Rgb) -> Color {
        match self.depth {
            Depth::Indexed => nearest_indexed(Color::Rgb(red, green, blue)),
            _ => Color::Rgb(red, green, blue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::load_all;

    #[test]
    fn every_shade_of_every_theme_can_be_read() {
        for theme in load_all(&[]).0 {
            for depth in [Depth::True, Depth::Indexed] {
                let theme = theme.fitted(depth);
                for step in 1..=20 {
                    for role in [Role::Good, Role::Bad] {
                        let style = theme.shade(role, f64::from(step) / 20.0);
                        let pair = style.fg.and_then(rgb_of).zip(style.bg.and_then(rgb_of));
                        if let Some((ink, ground)) = pair {
                            let contrast = ink.contrast(ground);
                            assert!(contrast >= 4.0, "{} {step}: {contrast:.2}", theme.name);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn steps_are_told_apart_without_colours_too() {
        for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
            let theme = Theme::default().fitted(depth);
            let shades = [0.0, 0.2, 0.9].map(|part| theme.shade(Role::Bad, part));
            assert!(
                shades[0] != shades[1] && shades[1] != shades[2],
                "{depth:?}"
            );
        }
    }
}
