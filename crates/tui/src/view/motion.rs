//! Moving through a list or a grid, and which part of a list is in sight.

use std::ops::Range;

use crate::command::Action;

/// One movement, whatever it moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    Left,
    Right,
    Up,
    Down,
    /// A screenful up.
    PageUp,
    /// A screenful down.
    PageDown,
    First,
    Last,
}

impl Motion {
    /// The movement that an action is.
    pub fn of(action: Action) -> Option<Self> {
        Some(match action {
            Action::Left => Self::Left,
            Action::Right => Self::Right,
            Action::Up => Self::Up,
            Action::Down => Self::Down,
            Action::PageUp => Self::PageUp,
            Action::PageDown => Self::PageDown,
            Action::First => Self::First,
            Action::Last => Self::Last,
            _ => return None,
        })
    }

    /// The movement up or down that an action is.
    pub fn vertical(action: Action) -> Option<Self> {
        Self::of(action).filter(|motion| !matches!(motion, Self::Left | Self::Right))
    }

    /// How many rows it moves, where `page` rows fit; sideways it moves none.
    pub fn rows(self, page: usize) -> isize {
        match self {
            Self::Left | Self::Right => 0,
            Self::Up => -1,
            Self::Down => 1,
            Self::PageUp => -page.max(1).cast_signed(),
            Self::PageDown => page.max(1).cast_signed(),
            Self::First => isize::MIN / 2,
            Self::Last => isize::MAX / 2,
        }
    }

    /// Where it leads from row `at` of `count`, where `page` rows fit.
    pub fn along(self, at: usize, count: usize, page: usize) -> usize {
        let to = at.saturating_add_signed(self.rows(page));
        to.min(count.saturating_sub(1))
    }
}

/// The first row to show of a list, no farther from `top` than is needed to see the cursor.
pub fn scrolled(top: usize, cursor: usize, height: usize) -> usize {
    top.min(cursor).max((cursor + 1).saturating_sub(height))
}

/// The rows of a list of `count` that show in `height`, with the cursor in sight.
pub fn in_sight(cursor: usize, count: usize, height: usize) -> Range<usize> {
    let top = scrolled(0, cursor, height);
    top..count.min(top + height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_motion_stays_within_the_list() {
        for (motion, at, to) in [
            (Motion::Down, 4, 4),
            (Motion::Down, 1, 2),
            (Motion::Up, 0, 0),
            (Motion::PageDown, 1, 4),
            (Motion::PageUp, 4, 1),
            (Motion::First, 3, 0),
            (Motion::Last, 0, 4),
            (Motion::Left, 2, 2),
        ] {
            assert_eq!(motion.along(at, 5, 3), to, "{motion:?} from {at}");
            assert_eq!(motion.along(0, 0, 0), 0);
        }
    }

    #[test]
    fn a_list_scrolls_no_farther_than_to_its_cursor() {
        assert_eq!(scrolled(2, 3, 4), 2);
        assert_eq!(scrolled(2, 1, 4), 1);
        assert_eq!(scrolled(2, 6, 4), 3);
        assert_eq!(in_sight(6, 20, 4), 3..7);
        assert_eq!(in_sight(0, 2, 4), 0..2);
        assert_eq!(in_sight(0, 2, 0), 1..1);
    }
}
