//! Colours by role, out of theme files. A theme names a palette and gives roles its entries; what it leaves out comes from the
//! theme it inherits, else from the role's parent.

mod depth;
mod load;
mod role;

use std::collections::BTreeMap;

use ratatui::style::{Color, Style};

pub use depth::Depth;
pub use load::{BUILT_IN, Warning, load_all};
pub use role::Role;

use crate::run::State;

/// Styles by role, fitted to a terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name: the file's.
    pub name: String,
    styles: BTreeMap<Role, Style>,
}

impl Theme {
    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        let mut role = role;
        loop {
            if let Some(style) = self.styles.get(&role) {
                return *style;
            }
            if role.parent() == role {
                return Style::default();
            }
            role = role.parent();
        }
    }

    /// The style of a run's state.
    pub fn state(&self, state: State) -> Style {
        self.style(match state {
            State::Queued => Role::StateQueued,
            State::Starting => Role::StateStarting,
            State::Running => Role::StateRunning,
            State::Stopping => Role::StateStopping,
            State::Finished => Role::StateFinished,
            State::Stopped => Role::StateStopped,
            State::Failed => Role::StateFailed,
            State::Lost => Role::StateLost,
        })
    }

    /// The colour that the whole screen is filled with.
    pub fn background(&self) -> Color {
        self.styles
            .get(&Role::Background)
            .and_then(|style| style.bg)
            .unwrap_or(Color::Reset)
    }

    /// The theme in the colours that a terminal has.
    #[must_use]
    pub fn fitted(&self, depth: Depth) -> Self {
        let fit = |style: &Style| Style {
            fg: style.fg.map(|color| depth.fit(color)),
            bg: style.bg.map(|color| depth.fit(color)),
            ..*style
        };
        Self {
            name: self.name.clone(),
            styles: self
                .styles
                .iter()
                .map(|(role, style)| (*role, fit(style)))
                .collect(),
        }
    }
}

impl Default for Theme {
    /// The first of the built-in themes.
    fn default() -> Self {
        let (themes, _) = load_all(&[]);
        themes.into_iter().next().unwrap_or(Self {
            name: "plain".to_owned(),
            styles: BTreeMap::new(),
        })
    }
}
