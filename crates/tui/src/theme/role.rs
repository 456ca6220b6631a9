//! The roles that colours are given by, declared once: the name in theme files, the role that
//! stands in where a theme says nothing, and how the role differs from plain text where there are
//! no colours.

use ratatui::style::Modifier;

macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $role:ident = $name:literal, $parent:expr, $plain:expr;)+) => {
        /// What a piece of the screen is, as far as its colours go.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Role {
            $($(#[doc = $doc])+ $role,)+
        }

        impl Role {
            /// Every role.
            pub const ALL: [Role; [$($name),+].len()] = [$(Role::$role),+];

            /// Its name in theme files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Role::$role => $name,)+
                }
            }

            /// The role whose style it has where a theme does not give it one.
            pub fn parent(self) -> Option<Role> {
                match self {
                    $(Role::$role => $parent,)+
                }
            }

            /// What marks it where no colour can.
            pub(super) fn plain(self) -> Modifier {
                match self {
                    $(Role::$role => $plain,)+
                }
            }
        }
    };
}

const NOTHING: Modifier = Modifier::empty();
const BOLD: Modifier = Modifier::BOLD;
const DIM: Modifier = Modifier::DIM;
const UNDERLINED: Modifier = Modifier::UNDERLINED;
const REVERSED: Modifier = Modifier::REVERSED;

roles! {
    /// Behind everything.
    Background = "background", None, NOTHING;
    /// Behind a panel that lies over the screen.
    Overlay = "overlay", Some(Role::Background), NOTHING;
    /// What is read.
    Text = "text", None, NOTHING;
    /// What is there when looked for.
    Muted = "muted", Some(Role::Text), DIM;
    /// What stands out.
    Accent = "accent", Some(Role::Text), BOLD;
    /// The name of a panel or chart.
    Title = "title", Some(Role::Accent), BOLD;
    /// Frames and rules.
    Border = "border", Some(Role::Muted), DIM;
    /// The frame of where keys go.
    BorderFocused = "border_focused", Some(Role::Accent), BOLD;
    /// Names of columns.
    Header = "header", Some(Role::Muted), UNDERLINED;
    /// The name of the column that a table is sorted by.
    HeaderSorted = "header_sorted", Some(Role::Accent), BOLD;
    /// A key in a hint line or in the help.
    Key = "key", Some(Role::Accent), BOLD;
    /// What the cursor is on.
    Selection = "selection", Some(Role::Accent), REVERSED;
    /// What matches a filter.
    Match = "match", Some(Role::Accent), UNDERLINED;
    /// What the user has marked.
    Mark = "mark", Some(Role::Accent), BOLD;
    /// Right, best, better.
    Good = "good", Some(Role::Text), NOTHING;
    /// Wrong, failed, worse.
    Bad = "bad", Some(Role::Text), BOLD;
    /// To be looked at.
    Warn = "warn", Some(Role::Text), BOLD;
    /// A value that was changed and not yet used.
    Changed = "changed", Some(Role::Warn), BOLD;
    /// Text being typed.
    Prompt = "prompt", Some(Role::Text), UNDERLINED;
    /// Where the next typed character goes.
    PromptCursor = "prompt_cursor", Some(Role::Selection), REVERSED;
    /// The done part of a bar.
    BarDone = "bar_done", Some(Role::Accent), NOTHING;
    /// The part of a bar that is to come.
    BarRest = "bar_rest", Some(Role::Border), DIM;
    /// Small curves in tables.
    Trend = "trend", Some(Role::Series0), NOTHING;
    /// Axes of charts.
    Axis = "axis", Some(Role::Border), DIM;
    /// Numbers and names along axes.
    AxisLabel = "axis_label", Some(Role::Muted), NOTHING;
    /// The line at which a chart is read out.
    Cursor = "cursor", Some(Role::Accent), NOTHING;
    /// First curve.
    Series0 = "series.0", Some(Role::Accent), NOTHING;
    /// Second curve.
    Series1 = "series.1", Some(Role::Text), NOTHING;
    /// Third curve.
    Series2 = "series.2", Some(Role::Good), NOTHING;
    /// Fourth curve.
    Series3 = "series.3", Some(Role::Warn), NOTHING;
    /// Fifth curve.
    Series4 = "series.4", Some(Role::Bad), NOTHING;
    /// Sixth curve.
    Series5 = "series.5", Some(Role::Muted), NOTHING;
    /// Seventh curve.
    Series6 = "series.6", Some(Role::Series0), NOTHING;
    /// Eighth curve.
    Series7 = "series.7", Some(Role::Series1), NOTHING;
    /// A run that waits for its turn.
    StateQueued = "state.queued", Some(Role::Muted), DIM;
    /// A run that has been started and has not trained yet.
    StateStarting = "state.starting", Some(Role::Accent), NOTHING;
    /// A run that trains.
    StateRunning = "state.running", Some(Role::Accent), BOLD;
    /// A run that was asked to stop.
    StateStopping = "state.stopping", Some(Role::Warn), NOTHING;
    /// A run that did all its epochs.
    StateFinished = "state.finished", Some(Role::Good), NOTHING;
    /// A run that ended early because it was asked to.
    StateStopped = "state.stopped", Some(Role::Muted), DIM;
    /// A run that ended by a fault.
    StateFailed = "state.failed", Some(Role::Bad), BOLD;
    /// A run whose process is gone without a word.
    StateLost = "state.lost", Some(Role::Warn), BOLD;
}

impl Role {
    const SERIES: [Role; 8] = [
        Role::Series0,
        Role::Series1,
        Role::Series2,
        Role::Series3,
        Role::Series4,
        Role::Series5,
        Role::Series6,
        Role::Series7,
    ];

    /// The role of the curve with this number, counted from 0; after eight they come again.
    pub fn series(number: usize) -> Self {
        Self::SERIES[number % Self::SERIES.len()]
    }

    /// The role with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it fills an area, so that its colour is a background even where a theme gives just
    /// one colour.
    pub(super) fn fills(self) -> bool {
        matches!(self, Role::Background | Role::Overlay)
    }
}
