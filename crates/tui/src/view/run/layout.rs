//! Where the parts of the Run screen go.

use ratatui::layout::Rect;

use crate::view::parts::FEWEST_FOR_ALL;

/// A part of the screen that keys can go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The curves.
    Charts,
    /// The table of rows.
    Epochs,
    /// The recipe as it was used.
    Config,
    /// The end of the log.
    Log,
    /// Files of weights.
    Checkpoints,
}

impl Pane {
    /// In the order of their numbers, from 1.
    pub const ALL: [Self; 5] = [
        Self::Charts,
        Self::Epochs,
        Self::Config,
        Self::Log,
        Self::Checkpoints,
    ];

    /// What its tab or title says.
    pub fn title(self) -> &'static str {
        match self {
            Self::Charts => "Charts",
            Self::Epochs => "Epochs",
            Self::Config => "Config",
            Self::Log => "Log",
            Self::Checkpoints => "Checkpoints",
        }
    }

    /// The pane `steps` further on, around the end.
    #[must_use]
    pub fn further(self, steps: isize) -> Self {
        let count = Self::ALL.len();
        let steps = steps.rem_euclid(count.cast_signed()).cast_unsigned();
        Self::ALL[(self as usize + steps) % count]
    }
}

/// The areas of the screen. With little room there are tabs, and one pane at a time:
///
/// ```text
/// header, 2 or 3 rows
/// 1 Charts  2 Epochs  3 Config  4 Log  5 Checkpoints
/// the pane
/// ```
///
/// With more, all panes at once, each below a title of its own:
///
/// ```text
/// header
/// Charts               Epochs
///
///                      Config
/// Log                  Checkpoints
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    /// What the run is.
    pub header: Rect,
    /// The row of tabs; empty where all panes show.
    pub tabs: Rect,
    /// The title of each pane; empty where there are tabs.
    pub titles: [Rect; 5],
    /// The content of each pane; empty for those that do not show.
    pub panes: [Rect; 5],
}

impl Areas {
    /// Divides `area`; `checkpoints` is how many there are to list.
    pub fn of(area: Rect, header_rows: u16, shown: Pane, checkpoints: usize) -> Self {
        let header = Rect {
            height: header_rows.min(area.height),
            ..area
        };
        let body = Rect {
            y: header.bottom(),
            height: area.height - header.height,
            ..area
        };
        let none = Rect {
            width: 0,
            height: 0,
            ..area
        };
        if area.width < FEWEST_FOR_ALL.0 || area.height < FEWEST_FOR_ALL.1 {
            let tabs = Rect {
                height: 1.min(body.height),
                ..body
            };
            let mut panes = [none; 5];
            panes[shown as usize] = Rect {
                y: tabs.bottom(),
                height: body.height - tabs.height,
                ..body
            };
            return Self {
                header,
                tabs,
                titles: [none; 5],
                panes,
            };
        }
        let left = Rect {
            width: body.width * 5 / 8,
            ..body
        };
        let right = Rect {
            x: left.right() + 2,
            width: body.width - left.width - 2,
            ..body
        };
        let rows = |within: Rect, from: u16, height: u16| Rect {
            y: within.y + from,
            height,
            ..within
        };
        let log = (body.height / 4).clamp(6, 14);
        let weights = (checkpoints.clamp(1, 6) as u16) + 1;
        let epochs = (body.height - weights) / 2;
        let whole = [
            rows(left, 0, body.height - log),
            rows(right, 0, epochs),
            rows(right, epochs, body.height - weights - epochs),
            rows(left, body.height - log, log),
            rows(right, body.height - weights, weights),
        ];
        Self {
            header,
            tabs: none,
            titles: whole.map(|pane| Rect { height: 1, ..pane }),
            panes: whole.map(|pane| Rect {
                y: pane.y + 1,
                height: pane.height - 1,
                ..pane
            }),
        }
    }

    /// The content of one pane.
    pub fn pane(&self, pane: Pane) -> Rect {
        self.panes[pane as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tabs_go_round() {
        assert_eq!(Pane::Charts.further(-1), Pane::Checkpoints);
        assert_eq!(Pane::Checkpoints.further(1), Pane::Charts);
    }

    proptest! {
        #[test]
        fn parts_never_overlap_and_stay_within(width in 0u16..300, height in 0u16..120, header in 0u16..4, checkpoints in 0usize..50) {
            let area = Rect::new(0, 1, width, height);
            let areas = Areas::of(area, header, Pane::Log, checkpoints);
            let parts: Vec<Rect> = [areas.header, areas.tabs].into_iter().chain(areas.titles).chain(areas.panes).collect();
            for (index, part) in parts.iter().enumerate() {
                prop_assert!(part.is_empty() || area.intersection(*part) == *part);
                prop_assert!(parts[index + 1..].iter().all(|other| part.is_empty() || !part.intersects(*other)));
            }
        }
    }
}
