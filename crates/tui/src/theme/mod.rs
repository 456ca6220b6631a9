//! Colours by role. Views ask for `theme.style(Role::Accent)` and never name a colour; themes are
//! TOML files in `themes/`, built in, and in the user's config folder; what the terminal cannot
//! show is brought down to what it can.

pub mod colour;
mod depth;
mod load;
mod role;
mod shade;
#[cfg(test)]
mod tests;

use ratatui::style::{Color, Style};

pub use depth::Depth;
pub use load::load_all;
pub use role::Role;

/// A style for every role. As loaded it is for 24-bit colour; [`Theme::fitted`] makes it one for
/// the terminal at hand.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name: the file's, as lists show it and the config file has it.
    pub name: String,
    styles: [Style; Role::ALL.len()],
    /// What the styles are for.
    depth: Depth,
}

impl Theme {
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The colour that the whole screen is filled with; the terminal's own where the theme has
    /// none.
    pub fn background(&self) -> Color {
        self.style(Role::Background).bg.unwrap_or(Color::Reset)
    }

    /// The style of the frame around an area, by whether keys go there.
    pub fn border(&self, focused: bool) -> Style {
        self.style(if focused {
            Role::BorderFocused
        } else {
            Role::Border
        })
    }

    /// How many colours it is made for.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// The theme in the colours that a terminal has; with none at all, roles differ by bold, dim,
    /// underlined and reversed.
    #[must_use]
    pub fn fitted(&self, depth: Depth) -> Self {
        let background = self.style(Role::Background).bg;
        Self {
            name: self.name.clone(),
            styles: Role::ALL.map(|role| depth.fit(role, self.style(role), background)),
            depth,
        }
    }
}

impl Default for Theme {
    /// The first of the built-in themes.
    fn default() -> Self {
        load::default()
    }
}
