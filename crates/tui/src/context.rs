//! What every component may read. It changes only in [`super::update`].

use std::path::PathBuf;

use jiff::Timestamp;

use crate::alerts::Alerts;
use crate::evaluations::Evaluations;
use crate::graphics::Protocol;
use crate::keymap::Keymap;
use crate::long_job::LongJob;
use crate::notice::Notice;
use crate::theme::Theme;
use crate::view::opened::Opened;
use crate::view::run::detail::Detail;
use crate::view::runs::table::Runs;
use crate::widget::chart::Options;
use traintop_run::RunDir;
use traintop_run::summary::Summary;

/// What components read beside what they own. None sees the stack, or another component.
#[derive(Debug)]
pub struct Context {
    /// The folders that are searched for runs.
    pub roots: Vec<PathBuf>,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    /// The time of the last message.
    pub now: Timestamp,
    /// The runs, and the cursor, the marks and the order of their table.
    pub runs: Runs,
    /// The run whose files are read whole: the one that shows by itself or in the preview.
    pub opened: Option<Opened>,
    /// What is known of alerts.
    pub alerts: Alerts,
    /// What is known of evaluations.
    pub evaluations: Evaluations,
    /// The long jobs that are in progress.
    pub jobs: Vec<LongJob>,
    /// The line at the bottom, until the next key.
    pub notice: Option<Notice>,
    /// How charts are drawn.
    pub charts: Options,
    /// How pictures are drawn.
    pub pictures: Protocol,
    /// The colours.
    pub theme: Theme,
    /// All themes to choose from, fitted to the terminal.
    pub themes: Vec<Theme>,
    /// Which key does what.
    pub keymap: Keymap,
}

impl Context {
    /// Before anything is known.
    pub fn new(roots: Vec<PathBuf>, size: (u16, u16), now: Timestamp) -> Self {
        let theme = Theme::default();
        Self {
            roots,
            size,
            now,
            runs: Runs::default(),
            opened: None,
            alerts: Alerts::new(now),
            evaluations: Evaluations::default(),
            jobs: Vec::new(),
            notice: None,
            charts: Options::default(),
            pictures: Protocol::default(),
            themes: vec![theme.clone()],
            theme,
            keymap: Keymap::default(),
        }
    }

    /// What is known of a run, if it was read.
    pub fn summary(&self, dir: &RunDir) -> Option<&Summary> {
        self.runs.row(dir)?.summary.as_ref()
    }

    /// What was read of a run, if it is the opened one.
    pub fn detail(&self, dir: &RunDir) -> Option<&Detail> {
        let opened = self.opened.as_ref().filter(|opened| opened.dir == *dir);
        opened?.detail.as_ref()
    }
}
