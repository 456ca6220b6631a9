//! What charts need beyond the measured numbers is made on the pool, once for each setting and state of the rows: the order, and when
//! one is due.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::effect::Effect;
use super::message::Message;
use super::state::State;
use super::view::run::curves::Curves;
use traintop_analysis::chart_transform::{TransformSettings, Transformed};
use traintop_analysis::x_axis::Known;
use traintop_run::RunDir;

/// What is to be made, and of what.
#[derive(Debug, Clone)]
pub struct TransformJob {
    dir: RunDir,
    curves: Arc<Curves>,
    revision: u64,
    wanted: TransformSettings,
    known: Known,
    started: Option<Timestamp>,
}

impl PartialEq for TransformJob {
    fn eq(&self, other: &Self) -> bool {
        self.dir == other.dir && self.revision == other.revision && self.wanted == other.wanted
    }
}

/// What was made.
#[derive(Debug)]
pub struct TransformOutcome {
    dir: RunDir,
    derived: Box<Transformed>,
    revision: u64,
}

/// Makes it.
pub fn carry_out(order: TransformJob) -> Message {
    let known = Known {
        started_s: order.started.map(on_the_wall),
        ..order.known
    };
    Message::ChartsTransformed(TransformOutcome {
        derived: Box::new(Transformed::of(order.curves.metrics(), order.wanted, known)),
        dir: order.dir,
        revision: order.revision,
    })
}

/// Seconds since 1970 as the clock on the wall counted them then and here.
fn on_the_wall(time: Timestamp) -> f64 {
    let offset = TimeZone::system().to_offset(time);
    time.as_millisecond() as f64 / 1000.0 + f64::from(offset.seconds())
}

/// Takes in what was made, and orders what has become due meanwhile.
pub fn take(state: &mut State, outcome: TransformOutcome) -> Vec<Effect> {
    if let Some(opened) = &mut state.opened
        && opened.dir == outcome.dir
    {
        opened.deriving = false;
        if let Some(detail) = &mut opened.detail {
            detail.take_derived(outcome.derived, outcome.revision);
        }
    }
    due(state)
}

/// The order for what the opened run's charts lack, if they lack anything and it is not under way: one at a time.
pub fn due(state: &mut State) -> Vec<Effect> {
    let wanted = state.charts.wanted();
    let Some(opened) = &mut state.opened else {
        return Vec::new();
    };
    let Some(detail) = &mut opened.detail else {
        return Vec::new();
    };
    if !detail.lacks(wanted) || opened.deriving {
        return Vec::new();
    }
    opened.deriving = true;
    let row = state.runs.row(&opened.dir);
    let summary = row.and_then(|row| row.summary.as_ref());
    vec![Effect::TransformCharts(TransformJob {
        dir: opened.dir.clone(),
        curves: detail.shared_charted(),
        revision: detail.revision(),
        wanted,
        known: detail.known(),
        started: summary.and_then(|summary| summary.started_at),
    })]
}
