//! The list of a run's metrics, of which one is chosen to judge the runs of its tree by.

use super::RunView;
use crate::component::{Request, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::view::picker::Picker;
use traintop_run::metric_names::{self, Direction, Split};
use traintop_run::primary;

impl RunView {
    /// Lets one pick the metric by which the runs of this tree are judged; the cursor is on that of
    /// the first chart on the screen.
    pub(super) fn judge(&self, context: &Context) -> Response {
        let Some(detail) = context.detail(&self.dir) else {
            return Response::handled();
        };
        let curves = detail.charted();
        let groups = curves.groups();
        let columns = groups.iter().flat_map(|group| {
            let mut members: Vec<_> = group.members.iter().collect();
            members.sort_by_key(|member| worth(member.split));
            members.into_iter().map(|member| member.column)
        });
        let columns: Vec<usize> = columns.collect();
        let cursor = groups
            .iter()
            .take(self.first_chart)
            .map(|group| group.members.len())
            .sum();
        let metrics = curves.metrics();
        let chosen = metrics.judging.primaries().next();
        let things = columns.into_iter().map(|column| {
            let metric = metrics.columns[column].name.clone();
            let read = metric_names::read(&metric);
            let (direction, is_guess) = primary::direction(&metrics.judging, &metric, &read);
            let mut detail = match direction {
                Direction::Higher => "higher is better",
                Direction::Lower => "lower is better",
            }
            .to_owned();
            if is_guess {
                detail.push_str(", a guess");
            }
            if chosen == Some(metric.as_str()) {
                detail.push_str("; the one now");
            }
            let run = self.dir.clone();
            let effect = Effect::JudgeBy {
                run,
                metric: metric.clone(),
            };
            (metric, detail, effect)
        });
        let picker = Picker::things_at("Judge this tree's runs by", things.collect(), cursor);
        Response::asking(Request::Open(Box::new(picker)))
    }
}

/// How much of what is measured on a part of the data tells how good a run is; less is more.
fn worth(split: Option<Split>) -> u8 {
    match split {
        Some(Split::Validation) => 0,
        None => 1,
        Some(Split::Test) => 2,
        Some(Split::Train) => 3,
    }
}
