//! What each key changes of the charts' settings.

use crate::command::Action;
use crate::context::Context;
use crate::effect::Effect;
use crate::notice::Notice;
use crate::state::State;
use crate::view::compare::CompareView;
use crate::view::run::RunView;
use crate::widget::chart::Options;
use crate::{chart_settings, update};
use traintop_analysis::x_axis::{Known, XAxis, XMapping};

/// Takes in the kept settings; markers that the configuration names stay.
pub fn loaded(state: &mut State, kept: Options) -> Vec<Effect> {
    let markers = state.named_markers.unwrap_or(kept.markers);
    state.context.charts = Options { markers, ..kept };
    update::charts::due(state)
}

/// Does what an action on the charts' settings says.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let before = state.context.charts;
    let Some(options) = chart_settings::changed(before, action, next_along(&state.context)) else {
        return Vec::new();
    };
    if let Some(view) = state.overlays.screen_as_mut::<RunView>()
        && (options.along, options.log_x) != (before.along, before.log_x)
    {
        // A part of one axis is no part of another.
        view.zoom = None;
    }
    state.context.charts = options;
    state.context.notice = Some(Notice::good(format!("charts: {}", said(options))));
    let mut effects = vec![Effect::SaveCharts(options)];
    effects.extend(update::charts::due(state));
    if let Some(view) = state.overlays.find_mut::<CompareView>()
        && view.look(options)
    {
        effects.extend(view.analyse());
    }
    effects
}

fn said(options: Options) -> String {
    let summary = options.summary();
    let markers = options.markers.name();
    if summary.is_empty() {
        format!("as measured, in {markers}")
    } else {
        format!("{summary}, in {markers}")
    }
}

/// The next of what the rows of the opened run can stand over.
fn next_along(context: &Context) -> XAxis {
    let detail = context
        .opened
        .as_ref()
        .and_then(|opened| opened.detail.as_ref());
    let row = context
        .opened
        .as_ref()
        .and_then(|opened| context.runs.row(&opened.dir));
    let started = row.and_then(|row| row.summary.as_ref()?.started_at);
    let is_known = |along: XAxis| {
        let Some(detail) = detail else {
            return true;
        };
        let known = Known {
            // Whether it is known, not when it was.
            started_s: started.map(|started| started.as_second() as f64),
            ..detail.known()
        };
        let metrics = detail.charted().metrics();
        // What the rows are counted by anyway would be the same again.
        let is_same = along != XAxis::Rows && along.name() == metrics.x_name;
        !is_same && XMapping::is_known(metrics, along, known)
    };
    let at = XAxis::ALL
        .iter()
        .position(|along| *along == context.charts.along)
        .unwrap_or(0);
    let others = (1..=XAxis::ALL.len()).map(|on| XAxis::ALL[(at + on) % XAxis::ALL.len()]);
    others
        .into_iter()
        .find(|along| is_known(*along))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::update::update;
    use jiff::Timestamp;

    #[test]
    fn the_configurations_markers_hold_at_the_start() {
        use crate::widget::chart::Markers;
        let mut state = State::new(vec!["runs".into()], (80, 24), Timestamp::UNIX_EPOCH);
        state.named_markers = Some(Markers::Ascii);
        let kept = Options {
            log_y: true,
            ..Options::default()
        };
        update(
            &mut state,
            Timestamp::UNIX_EPOCH,
            Message::ChartsLoaded(kept),
        );
        assert!(state.context.charts.log_y && state.context.charts.markers == Markers::Ascii);
    }
}
