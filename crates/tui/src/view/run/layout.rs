//! Where the parts of the Run screen go.

use ratatui::layout::Rect;

use crate::view::parts::Panes;

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
    /// What shows below it.
    pub panes: Panes<5>,
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
        let panes = Panes::of(area, body, shown as usize, || {
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
            [
                rows(left, 0, body.height - log),
                rows(right, 0, epochs),
                rows(right, epochs, body.height - weights - epochs),
                rows(left, body.height - log, log),
                rows(right, body.height - weights, weights),
            ]
        });
        Self { header, panes }
    }

    /// The content of one pane.
    pub fn pane(&self, pane: Pane) -> Rect {
        self.panes.content[pane as usize]
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
            let parts: Vec<Rect> = [areas.header, areas.panes.tabs].into_iter().chain(areas.panes.titles).chain(areas.panes.content).collect();
            for (index, part) in parts.iter().enumerate() {
                prop_assert!(part.is_empty() || area.intersection(*part) == *part);
                prop_assert!(parts[index + 1..].iter().all(|other| part.is_empty() || !part.intersects(*other)));
            }
        }
    }
}
