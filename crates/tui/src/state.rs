//! All that the dashboard knows. It changes only on the loop's thread: in [`super::update`] and in
//! what that calls, the `act` functions of views and the `update` functions of jobs. Drawing only
//! reads it.

use crate::view::confirm::Confirm;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use jiff::Timestamp;

use super::component::{Component, Stack};
use super::graphics::Protocol;
use super::keymap::Keymap;
use super::theme::Theme;
use super::view::form::model::Form;
use super::view::opened::Opened;
use super::view::run::detail::Detail;
use super::view::runs::layout::{has_preview, table_height};
use super::view::runs::table::Runs;
use super::widget::chart::{Markers, Options};
use crate::alerts::Alerts;
use crate::evaluations::Evaluations;
use crate::jobs::edits::UndoEntry;
use crate::long_job::LongJob;
use crate::notice::Notice;
use traintop_analysis::digest::Digest;
use traintop_ops::clean::Policy;
use traintop_run::RunDir;

/// The screen of a run whose folder is gone, until it is found under another name or a key is
/// pressed.
#[derive(Debug)]
pub struct Gone {
    pub id: String,
    pub view: Box<dyn Component>,
}

/// The dashboard's state.
#[derive(Debug)]
pub struct State {
    /// The folders that are searched for runs.
    pub roots: Vec<PathBuf>,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    /// The time of the last message.
    pub now: Timestamp,
    /// What lies over the table of runs: other screens, and dialogs.
    pub overlays: Stack,
    /// The table of runs; kept while other screens are shown.
    pub runs: Runs,
    /// The form that starts a run, with what was changed in it.
    pub form: Form,
    /// What a clean-up keeps, by the user's configuration.
    pub retention: Policy,
    /// How charts are drawn.
    pub charts: Options,
    /// What they are drawn with, if the configuration says.
    pub named_markers: Option<Markers>,
    /// Whether the mouse is listened to where it is of use.
    pub mouse: bool,
    /// The colours.
    pub theme: Theme,
    /// All themes to choose from, fitted to the terminal.
    pub themes: Vec<Theme>,
    /// Which key does what.
    pub keymap: Keymap,
    /// The long jobs that are under way.
    pub jobs: Vec<LongJob>,
    /// The line at the bottom, until the next key.
    pub notice: Option<Notice>,
    /// The run that is looked at closely.
    pub opened: Option<Opened>,
    /// Runs being summed up, and whether they changed meanwhile.
    pub refreshing: HashMap<RunDir, bool>,
    /// The changes of this session that can be undone, the last at the end.
    pub undo_stack: Vec<UndoEntry>,
    /// A question that waits until no text is typed: the next key would answer it.
    pub question: Option<Confirm>,
    /// What is known of alerts.
    pub alerts: Alerts,
    /// What is known of evaluations.
    pub evaluations: Evaluations,
    /// How pictures are drawn.
    pub pictures: Protocol,
    /// The runs whose use of the machine is measured now, if any is.
    pub sampled_usage: Option<Vec<RunDir>>,
    /// Folders that are watched because they may be about to become runs.
    pub fresh: HashSet<PathBuf>,
    /// When the user last looked at these runs, until what has happened since was shown.
    pub looked: Option<Timestamp>,
    /// The run that was shown alone until its folder was gone.
    pub gone: Option<Gone>,
    /// Whether anything on the screen may have changed since it was drawn.
    pub dirty: bool,
}

impl State {
    /// The state before anything is known.
    pub fn new(roots: Vec<PathBuf>, size: (u16, u16), now: Timestamp) -> Self {
        let theme = Theme::default();
        Self {
            roots,
            size,
            now,
            overlays: Stack::default(),
            runs: Runs::default(),
            form: Form::default(),
            retention: Policy::default(),
            charts: Options::default(),
            named_markers: None,
            mouse: true,
            themes: vec![theme.clone()],
            theme,
            keymap: Keymap::default(),
            jobs: Vec::new(),
            notice: None,
            opened: None,
            refreshing: HashMap::new(),
            undo_stack: Vec::new(),
            question: None,
            alerts: Alerts::new(now),
            evaluations: Evaluations::default(),
            pictures: Protocol::default(),
            sampled_usage: None,
            fresh: HashSet::new(),
            looked: None,
            gone: None,
            dirty: true,
        }
    }

    /// When something would change by the passing of time alone: what is shown, or a run that will
    /// have stalled; `None` if nothing would.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let shown = match self.overlays.screen() {
            Some(screen) => screen.next_wake(self),
            None => self.runs.next_wake(self.now),
        };
        let jobs = self.jobs.iter().map(|job| job.next_wake(self.now));
        let shown = shown.into_iter().chain(self.alerts.next_due());
        shown.chain(jobs).min()
    }

    /// Shows what has happened since the last visit, once, when all runs are known.
    pub fn look_back(&mut self) {
        if !self.runs.is_searched() || !self.refreshing.is_empty() {
            return;
        }
        let Some(since) = self.looked.take() else {
            return;
        };
        let summaries = self.runs.all().filter_map(|row| row.summary.as_ref());
        let digest = Digest::since(&summaries.collect::<Vec<_>>(), since);
        if !digest.is_empty() && self.notice.is_none() {
            let text = format!("since you last looked: {}", digest.line());
            self.notice = Some(Notice::good(text));
        }
    }

    /// Whether all that the table's screen is to show is there: each visible run's summary, and the
    /// preview.
    pub fn is_complete(&self) -> bool {
        let height = table_height(self.size);
        let mut visible = self.runs.on_screen(height).peekable();
        if visible.peek().is_none() {
            return self.runs.is_searched();
        }
        let is_previewed = |opened: &Opened| opened.detail.is_some();
        visible.all(|row| row.summary.is_some())
            && (!has_preview(self.size) || self.opened.as_ref().is_some_and(is_previewed))
    }

    /// The run that is shown by itself, if one is.
    pub fn run_on_screen(&self) -> Option<&RunDir> {
        self.overlays.screen()?.run()
    }

    /// Whether the table of runs is all that shows.
    pub fn shows_table_alone(&self) -> bool {
        self.overlays.is_empty()
    }

    /// What was read of a run, if it is the opened one.
    pub fn detail(&self, dir: &RunDir) -> Option<&Detail> {
        self.opened
            .as_ref()
            .filter(|opened| opened.dir == *dir)?
            .detail
            .as_ref()
    }
}
