//! The mouse in a comparison: a press reads curves out, goes to a row or a part; a drag pans or
//! reads on; the wheel zooms or scrolls.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{CompareView, Part, areas};
use crate::context::Context;
use crate::effect::Effect;
use crate::view::parts::{self, screen_area};

/// Rows that a step of the wheel scrolls.
const WHEEL_ROWS: isize = 3;

/// Does what the mouse asks for.
pub fn act(view: &mut CompareView, event: MouseEvent, context: &Context) -> Vec<Effect> {
    let [_, tabs, pane] = areas(screen_area(context.size));
    let position = Position::new(event.column, event.row);
    let x = (view.part == Part::Curves)
        .then(|| view.x_at((context.charts, &context.theme), pane, position))
        .flatten();
    let zoom = view.wish.zoom;
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => {
            view.dragged = x;
            if x.is_some() {
                view.cursor = x;
            } else if tabs.contains(position) {
                let names = Part::ALL.map(Part::title);
                let at = parts::tab_at(&names, tabs, position.x);
                view.part = at.map_or(view.part, |at| Part::ALL[at]);
            } else if let Some(row) = view.row_at(pane, position) {
                view.row = row;
                view.keep_in_sight(pane);
            }
        }
        MouseEventKind::Drag(MouseButton::Left) => match (view.dragged, x, zoom) {
            (Some(from), Some(to), Some(shown)) => {
                // What was under the pointer stays under it.
                view.pan((from - to) / (shown.max() - shown.min()));
            }
            (Some(_), Some(to), None) => view.cursor = Some(to),
            _ => {}
        },
        MouseEventKind::Up(MouseButton::Left) => view.dragged = None,
        MouseEventKind::ScrollUp if x.is_some() => view.zoom_at(0.5, x),
        MouseEventKind::ScrollDown if x.is_some() => view.zoom_at(2.0, x),
        MouseEventKind::ScrollUp => view.step(-WHEEL_ROWS, pane),
        MouseEventKind::ScrollDown => view.step(WHEEL_ROWS, pane),
        MouseEventKind::ScrollLeft => view.pan(-0.1),
        MouseEventKind::ScrollRight => view.pan(0.1),
        _ => {}
    }
    let mut effects = Vec::new();
    if view.wish.zoom != zoom {
        effects.extend(view.analyse());
    }
    effects.extend(view.missing_logs(pane));
    effects
}

impl CompareView {
    /// The row of the table at a place of the screen.
    fn row_at(&self, pane: Rect, position: Position) -> Option<usize> {
        let height = self.table_height(pane);
        let first = match self.part {
            Part::Curves => pane.bottom().saturating_sub(height) + 1,
            Part::Table => pane.y + 1,
            Part::Configs | Part::Logs | Part::Settings => return None,
        };
        let at = position.y.checked_sub(first)?;
        self.rows_in_sight(height).get(usize::from(at)).copied()
    }
}
