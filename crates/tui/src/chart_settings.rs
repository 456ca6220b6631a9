//! The charts' settings, kept for the next start.

use std::io;

use crate::command::Action;
use crate::widget::chart::Options;
use traintop_analysis::x_axis::XAxis;
use traintop_run::state_file::StateFile;

fn file() -> StateFile {
    StateFile::of_user("charts.toml")
}

/// The kept settings; the first ones if there are none.
pub fn load() -> Options {
    Options::of_text(&file().text())
}

/// Keeps them for the next start.
///
/// # Errors
/// If they cannot be written.
pub fn save(options: Options) -> io::Result<()> {
    file().write(&options.to_text())
}

/// Whether an action changes the charts' settings.
pub fn is_one(action: Action) -> bool {
    changed(Options::default(), action, XAxis::default()).is_some()
}

/// The settings after an action; `along` is the next of what rows can stand over. `None` for an
/// action on anything else.
pub fn changed(mut options: Options, action: Action, along: XAxis) -> Option<Options> {
    match action {
        Action::ChartXAxis => options.along = along,
        Action::ChartLogX => options.log_x = !options.log_x,
        Action::ChartLogY => options.log_y = !options.log_y,
        Action::ChartSmoother => options.smoothing = options.smoothing.more(),
        Action::ChartRougher => options.smoothing = options.smoothing.less(),
        Action::ChartRobust => options.robust = !options.robust,
        Action::ChartMarkers => options.markers = options.markers.next(),
        _ => return None,
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        assert_eq!(Options::of_text(""), Options::default());
        let options = Options {
            log_y: true,
            along: XAxis::Clock,
            ..Options::default()
        };
        assert_eq!(Options::of_text(&options.to_text()), options);
    }
}
