//! The mouse on the Run screen: a press reads charts out or goes to a part, a drag pans or reads
//! on, the wheel zooms or scrolls.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::layout::Pane;
use super::zoom::Zoom;
use super::{Move, RunView, charts};
use crate::context::Context;
use crate::view::parts::screen_area;
use traintop_analysis::axis::Axis;
use traintop_analysis::nearest::nearest;

/// Rows that a step of the wheel scrolls.
const WHEEL_ROWS: usize = 3;

/// Does what the mouse asks for.
pub fn act(view: &mut RunView, event: MouseEvent, context: &Context) {
    let main = screen_area(context.size);
    let position = Position::new(event.column, event.row);
    let row = context.runs.row(&view.dir);
    let (Some(detail), Some(summary)) = (
        context.detail(&view.dir),
        row.and_then(|row| row.summary.as_ref()),
    ) else {
        return;
    };
    let known = (summary, detail, context.charts);
    let shared = view.shared((summary, detail), (context.charts, &context.theme));
    let areas = view.areas(main, summary, Some(detail));
    let chart_area = view.chart_area(&areas, main);
    let shown = view.shown_charts(chart_area, detail);
    let x = charts::x_at(shared, shown, chart_area, position);
    let moved = |view: &mut RunView, movement: Move| {
        view.go(movement, known, main);
    };
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) => {
            let part = Pane::ALL
                .into_iter()
                .find(|pane| areas.pane(*pane).contains(position));
            if let Some(pane) = part.filter(|_| !view.is_full()) {
                view.pane = pane;
            }
            view.dragged = x;
            read_at(view, detail, x);
        }
        MouseEventKind::Drag(MouseButton::Left) => match (view.dragged, x, view.zoom) {
            (Some(from), Some(to), Some(shown)) => {
                // What was under the pointer stays under it.
                if let Some(axis) = charts::x_axis(detail, shared.whole, context.charts) {
                    let axis = Axis::new(shown, axis.is_log());
                    let by = axis.fraction(from) - axis.fraction(to);
                    moved(view, Move::Zoom(Zoom::Pan(by)));
                }
            }
            (Some(_), to, None) => read_at(view, detail, to),
            _ => {}
        },
        MouseEventKind::Up(MouseButton::Left) => view.dragged = None,
        MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
            let up = event.kind == MouseEventKind::ScrollUp;
            if x.is_some() {
                let change = if up { Zoom::In } else { Zoom::Out };
                view.zoom_at(change, x, known);
            } else {
                for _ in 0..WHEEL_ROWS {
                    moved(view, if up { Move::Up } else { Move::Down });
                }
            }
        }
        MouseEventKind::ScrollLeft => moved(view, Move::Zoom(Zoom::Pan(-0.1))),
        MouseEventKind::ScrollRight => moved(view, Move::Zoom(Zoom::Pan(0.1))),
        _ => {}
    }
}

/// Puts the cursor to the row nearest to a place on the axis.
fn read_at(view: &mut RunView, detail: &super::detail::Detail, x: Option<f64>) {
    if let Some(row) = x.and_then(|x| nearest(detail.places(), x)) {
        view.cursor = detail.charted().rows().get(row).copied();
    }
}
