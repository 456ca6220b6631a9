//! What charts need beyond the measured numbers is made on the pool, once for each setting and
//! state of the rows: the job, and when one is due.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::view::run::curves::Curves;
use traintop_analysis::chart_transform::{TransformSettings, Transformed};
use traintop_analysis::x_axis::Known;
use traintop_run::RunDir;

/// What is to be made, and of what.
#[derive(Debug, Clone)]
pub struct TransformJob {
    pub dir: RunDir,
    pub curves: Arc<Curves>,
    pub revision: u64,
    pub wanted: TransformSettings,
    pub known: Known,
    pub started: Option<Timestamp>,
}

impl PartialEq for TransformJob {
    fn eq(&self, other: &Self) -> bool {
        self.dir == other.dir && self.revision == other.revision && self.wanted == other.wanted
    }
}

/// What was made.
#[derive(Debug)]
pub struct TransformOutcome {
    pub dir: RunDir,
    pub derived: Box<Transformed>,
    pub revision: u64,
}

/// Makes it.
pub fn carry_out(job: TransformJob) -> TransformOutcome {
    let known = Known {
        started_s: job.started.map(on_the_wall),
        ..job.known
    };
    TransformOutcome {
        derived: Box::new(Transformed::of(job.curves.metrics(), job.wanted, known)),
        dir: job.dir,
        revision: job.revision,
    }
}

/// Seconds since 1970 as the clock on the wall counted them then and here.
fn on_the_wall(time: Timestamp) -> f64 {
    let offset = TimeZone::system().to_offset(time);
    time.as_millisecond() as f64 / 1000.0 + f64::from(offset.seconds())
}
