//! What a colour is for. Views ask for a role; which colour that is, a theme says.

/// How many series have colours of their own before they repeat.
pub const SERIES: usize = 8;

macro_rules! roles {
    ($($variant:ident = $name:literal <- $parent:ident,)+) => {
        /// The purposes that a theme gives styles to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role {
            $(#[doc = concat!("`", $name, "` in a theme file.")] $variant,)+
        }

        impl Role {
            /// Every role, parents before children.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The role whose style it has where a theme does not name it; `text` is its own.
            pub fn parent(self) -> Self {
                match self { $(Self::$variant => Self::$parent),+ }
            }
        }
    };
}

roles! {
    Text = "text" <- Text,
    Background = "background" <- Text,
    Muted = "muted" <- Text,
    Accent = "accent" <- Text,
    Title = "title" <- Accent,
    Header = "header" <- Muted,
    Border = "border" <- Muted,
    BorderFocused = "border_focused" <- Accent,
    Selection = "selection" <- Accent,
    Cursor = "cursor" <- Muted,
    Key = "key" <- Accent,
    Prompt = "prompt" <- Text,
    Good = "good" <- Text,
    Warn = "warn" <- Text,
    Bad = "bad" <- Text,
    BarDone = "bar_done" <- Accent,
    BarRest = "bar_rest" <- Muted,
    Trend = "trend" <- Accent,
    StateQueued = "state_queued" <- Muted,
    StateStarting = "state_starting" <- Accent,
    StateRunning = "state_running" <- Accent,
    StateStopping = "state_stopping" <- Warn,
    StateFinished = "state_finished" <- Good,
    StateStopped = "state_stopped" <- Warn,
    StateFailed = "state_failed" <- Bad,
    StateLost = "state_lost" <- Bad,
    Series0 = "series_0" <- Accent,
    Series1 = "series_1" <- Text,
    Series2 = "series_2" <- Accent,
    Series3 = "series_3" <- Text,
    Series4 = "series_4" <- Accent,
    Series5 = "series_5" <- Text,
    Series6 = "series_6" <- Accent,
    Series7 = "series_7" <- Text,
}

impl Role {
    /// The role of the series with this number; they repeat after [`SERIES`].
    pub fn series(number: usize) -> Self {
        const ALL: [Role; SERIES] = [
            Role::Series0,
            Role::Series1,
            Role::Series2,
            Role::Series3,
            Role::Series4,
            Role::Series5,
            Role::Series6,
            Role::Series7,
        ];
        ALL[number % SERIES]
    }
}
