//! The charts' settings, kept for the next start.

use std::io;
use std::path::Path;

use crate::command::Action;
use crate::widget::chart::Options;
use traintop_analysis::x_axis::XAxis;
use traintop_disk::read;
use traintop_disk::write::{make_folders, replace_file};
use traintop_run::state_dir;

/// The file in the state folder.
const FILE: &str = "charts.toml";

/// The kept settings; the first ones if there are none.
pub fn load() -> Options {
    state_dir::state_dir().map_or_else(Options::default, |folder| load_in(&folder))
}

/// Keeps them for the next start.
///
/// # Errors
/// If they cannot be written.
pub fn save(options: Options) -> io::Result<()> {
    match state_dir::state_dir() {
        Some(folder) => save_in(&folder, options),
        None => Err(io::Error::other("there is no home to keep settings in")),
    }
}

fn load_in(folder: &Path) -> Options {
    let text = read::text(&folder.join(FILE), read::RECORD_LIMIT).unwrap_or_default();
    Options::of_text(&text)
}

fn save_in(folder: &Path, options: Options) -> io::Result<()> {
    make_folders(folder)?;
    replace_file(&folder.join(FILE), options.to_text().as_bytes())
}

/// Whether an action changes the charts' settings.
pub fn is_one(action: Action) -> bool {
    changed(Options::default(), action, XAxis::default()).is_some()
}

/// The settings after an action; `along` is the next of what rows can stand over. `None` for an action on anything else.
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
    use traintop_analysis::x_axis::XAxis;

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load_in(folder.path()), Options::default());
        let options = Options {
            log_y: true,
            along: XAxis::Clock,
            ..Options::default()
        };
        save_in(&folder.path().join("below"), options).unwrap();
        assert_eq!(load_in(&folder.path().join("below")), options);
    }
}
