//! One evaluation: how good the model is, and what it gets wrong.

mod draw;

use ratatui::layout::Rect;

pub use draw::{probabilities, verdict};

use super::gallery::Gallery;
use crate::command::Action;
use crate::component::Response;
use crate::jobs::evaluations::opened::{Choice, Opened};
use crate::view::motion::Motion;
use crate::view::parts::Panes;

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A bar for each class.
    Classes,
    /// Which classes are taken for which.
    Confusion,
    /// How far confidence and accuracy agree.
    Calibration,
    /// Images with what was said about them.
    Images,
}

impl Part {
    const ALL: [Self; 4] = [
        Self::Classes,
        Self::Confusion,
        Self::Calibration,
        Self::Images,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Classes => "Classes",
            Self::Confusion => "Confusion",
            Self::Calibration => "Calibration",
            Self::Images => "Images",
        }
    }
}

/// Rows above everything else.
const HEADER: u16 = 3;

/// Where one is in the screen of one evaluation.
#[derive(Debug)]
pub struct ResultView {
    /// What is shown.
    pub opened: Opened,
    part: Part,
    classes_top: usize,
    /// The matrix's cell under the cursor: true and predicted class.
    cell: (usize, usize),
    /// The matrix's first row and column on the screen.
    first: (usize, usize),
    choice: Choice,
    gallery: Gallery,
}

impl ResultView {
    /// The screen as it opens: classes, and all mistakes.
    pub fn new(opened: Opened) -> Self {
        let is_labelled = opened.card.accuracy.is_some();
        Self {
            part: if is_labelled {
                Part::Classes
            } else {
                Part::Images
            },
            classes_top: 0,
            cell: worst_cell(&opened.results.confusion),
            first: (0, 0),
            choice: if is_labelled {
                Choice::Mistakes
            } else {
                Choice::All
            },
            gallery: Gallery::default(),
            opened,
        }
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, area: Rect) -> Response {
        let part = |by: isize| {
            let at = (self.part as isize + by).rem_euclid(Part::ALL.len() as isize);
            Part::ALL[at as usize]
        };
        match action {
            Action::NextPane => self.part = part(1),
            Action::PreviousPane => self.part = part(-1),
            Action::Pane1 => self.part = Part::Classes,
            Action::Pane2 => self.part = Part::Confusion,
            Action::Pane3 => self.part = Part::Calibration,
            Action::Pane4 => self.part = Part::Images,
            Action::ShowMistakes => self.choose(Choice::Mistakes),
            Action::Open if self.part == Part::Confusion => {
                self.choose(Choice::Cell(self.cell.0, self.cell.1));
            }
            Action::Open if self.part == Part::Images => {
                self.gallery.is_alone = !self.gallery.is_alone;
            }
            _ => {
                let Some(motion) = Motion::of(action) else {
                    return Response::ignored();
                };
                self.step(motion, area);
            }
        }
        Response::handled()
    }

    /// Leaves what lies over the whole: an image alone, then the images of a cell. Says whether
    /// there was anything.
    pub fn back(&mut self) -> bool {
        if self.part == Part::Images && self.gallery.is_alone {
            self.gallery.is_alone = false;
        } else if self.part == Part::Images && matches!(self.choice, Choice::Cell(..)) {
            self.choose(Choice::Mistakes);
            self.part = Part::Confusion;
        } else {
            return false;
        }
        true
    }

    fn choose(&mut self, choice: Choice) {
        // Without labels nothing is known to be a mistake.
        if self.opened.card.accuracy.is_some() {
            self.choice = choice;
            self.gallery = Gallery::default();
            self.part = Part::Images;
        }
    }

    fn step(&mut self, motion: Motion, area: Rect) {
        let pane = self.panes(area).content[self.part as usize];
        let classes = self.opened.classes.len();
        match self.part {
            Part::Classes => {
                let screenful = usize::from(pane.height);
                let last = classes.saturating_sub(screenful);
                self.classes_top = motion.along(self.classes_top, last + 1, screenful);
            }
            Part::Confusion => {
                let (row, column) = self.cell;
                let fit = self.fit(pane);
                let last = classes.saturating_sub(1);
                self.cell = match motion {
                    Motion::Left => (row, column.saturating_sub(1)),
                    Motion::Right => (row, (column + 1).min(last)),
                    _ => (motion.along(row, classes, fit.rows), column),
                };
                self.first = fit.follow(self.first, self.cell, classes);
            }
            Part::Calibration => {}
            Part::Images => {
                let count = self.opened.chosen(self.choice).len();
                self.gallery.act(motion, count, pane);
            }
        }
    }

    fn panes(&self, area: Rect) -> Panes<4> {
        let body = Rect {
            y: area.y + HEADER.min(area.height),
            height: area.height.saturating_sub(HEADER),
            ..area
        };
        Panes::of(area, body, self.part as usize, || {
            let left = Rect {
                width: body.width * 2 / 5,
                ..body
            };
            let right = Rect {
                x: left.right() + 2,
                width: body.width - left.width - 2,
                ..body
            };
            let classes = self.opened.classes.len().min(100) as u16;
            let split = |within: Rect, upper: u16| {
                [
                    Rect {
                        height: upper,
                        ..within
                    },
                    Rect {
                        y: within.y + upper,
                        height: within.height - upper,
                        ..within
                    },
                ]
            };
            // A title, a line for each class; the matrix has a header and its read-out.
            let [bars, diagram] = split(left, (classes + 2).min(body.height / 2));
            let [matrix, images] = split(right, (classes + 4).min(body.height * 3 / 5));
            [bars, matrix, diagram, images]
        })
    }
}

/// The most frequent mistake: where one most likely wants to look first.
fn worst_cell(confusion: &[Vec<u64>]) -> (usize, usize) {
    let mut worst = ((0, 0), 0);
    for (row, counts) in confusion.iter().enumerate() {
        for (column, count) in counts.iter().enumerate() {
            if row != column && *count > worst.1 {
                worst = ((row, column), *count);
            }
        }
    }
    worst.0
}
