//! A movement, whatever it moves.

use crate::command::Action;

/// One movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Left,
    Right,
    Up,
    Down,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    /// To the beginning.
    First,
    /// To the end.
    Last,
}

impl Step {
    /// The movement that an action is.
    pub fn of(action: Action) -> Option<Self> {
        Some(match action {
            Action::ResultLeft => Self::Left,
            Action::ResultRight => Self::Right,
            Action::ResultUp | Action::EvaluationsUp => Self::Up,
            Action::ResultDown | Action::EvaluationsDown => Self::Down,
            Action::ResultPageUp | Action::EvaluationsPageUp => Self::PageUp,
            Action::ResultPageDown | Action::EvaluationsPageDown => Self::PageDown,
            Action::ResultFirst | Action::EvaluationsFirst => Self::First,
            Action::ResultLast | Action::EvaluationsLast => Self::Last,
            _ => return None,
        })
    }

    /// Where it leads from `at` among `count` things of which `page` fit; sideways it leads nowhere.
    pub fn along(self, at: usize, count: usize, page: usize) -> usize {
        let by = match self {
            Self::Left | Self::Right => 0,
            Self::Up => -1,
            Self::Down => 1,
            Self::PageUp => -page.max(1).cast_signed(),
            Self::PageDown => page.max(1).cast_signed(),
            Self::First => isize::MIN / 2,
            Self::Last => isize::MAX / 2,
        };
        at.saturating_add_signed(by).min(count.saturating_sub(1))
    }
}
