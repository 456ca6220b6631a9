//! All that the dashboard knows. It changes only on the loop's thread: in [`super::update`] and in
//! what that calls, the `act` functions of views and the `update` functions of jobs. Drawing only
//! reads it.

use crate::view::confirm::Confirm;
use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use jiff::Timestamp;

use super::component::{Component, Stack};
use super::context::Context;
use super::view::form::model::Form;
use super::view::opened::Opened;
use super::view::runs::layout::{has_preview, table_height};
use super::widget::chart::Markers;
use crate::jobs::edits::UndoEntry;
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
    /// What components read.
    pub context: Context,
    /// What lies over the table of runs: other screens, and dialogs.
    pub overlays: Stack,
    /// The form that starts runs while it is not on the stack: it keeps what was changed in it.
    closed_form: Form,
    /// What a clean-up keeps, by the user's configuration.
    pub retention: Policy,
    /// What charts are drawn with, if the configuration says.
    pub named_markers: Option<Markers>,
    /// Whether the mouse is listened to where it is of use.
    pub mouse: bool,
    /// Runs being summed up, and whether they changed meanwhile.
    pub refreshing: HashMap<RunDir, bool>,
    /// The changes of this session that can be undone, the last at the end.
    pub undo_stack: Vec<UndoEntry>,
    /// A question that waits until no text is typed: the next key would answer it.
    pub question: Option<Confirm>,
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
        Self {
            context: Context::new(roots, size, now),
            overlays: Stack::default(),
            closed_form: Form::default(),
            retention: Policy::default(),
            named_markers: None,
            mouse: true,
            refreshing: HashMap::new(),
            undo_stack: Vec::new(),
            question: None,
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
            Some(screen) => screen.next_wake(&self.context),
            None => self.context.runs.next_wake(self.context.now),
        };
        let jobs = self
            .context
            .jobs
            .iter()
            .map(|job| job.next_wake(self.context.now));
        let shown = shown.into_iter().chain(self.context.alerts.next_due());
        shown.chain(jobs).min()
    }

    /// Shows what has happened since the last visit, once, when all runs are known.
    pub fn look_back(&mut self) {
        if !self.context.runs.is_searched() || !self.refreshing.is_empty() {
            return;
        }
        let Some(since) = self.looked.take() else {
            return;
        };
        let summaries = self
            .context
            .runs
            .all()
            .filter_map(|row| row.summary.as_ref());
        let digest = Digest::since(&summaries.collect::<Vec<_>>(), since);
        if !digest.is_empty() && self.context.notice.is_none() {
            let text = format!("since you last looked: {}", digest.line());
            self.context.notice = Some(Notice::good(text));
        }
    }

    /// Whether all that the table's screen is to show is there: each visible run's summary, and the
    /// preview.
    pub fn is_complete(&self) -> bool {
        let height = table_height(self.context.size);
        let mut visible = self.context.runs.on_screen(height).peekable();
        if visible.peek().is_none() {
            return self.context.runs.is_searched();
        }
        let is_previewed = |opened: &Opened| opened.detail.is_some();
        visible.all(|row| row.summary.is_some())
            && (!has_preview(self.context.size)
                || self.context.opened.as_ref().is_some_and(is_previewed))
    }

    /// The form that starts runs, on the screen or not.
    pub fn form_mut(&mut self) -> &mut Form {
        match self.overlays.find_mut() {
            Some(form) => form,
            None => &mut self.closed_form,
        }
    }

    /// The form, to be put on the stack.
    pub fn take_form(&mut self) -> Form {
        let open = self.overlays.take();
        open.unwrap_or_else(|| std::mem::take(&mut self.closed_form))
    }

    /// Closes the component on top; the form keeps what was changed in it.
    pub fn close_top(&mut self) {
        let top: Option<Box<dyn Any>> = self.overlays.pop().map(|top| top as Box<dyn Any>);
        if let Some(Ok(form)) = top.map(|top| top.downcast::<Form>()) {
            self.closed_form = *form;
        }
    }

    /// Closes everything over the table of runs; the form keeps what was changed in it.
    pub fn show_table(&mut self) {
        if let Some(form) = self.overlays.take() {
            self.closed_form = form;
        }
        self.overlays.clear();
    }

    /// The run that is shown by itself, if one is.
    pub fn run_on_screen(&self) -> Option<&RunDir> {
        self.overlays.screen()?.run()
    }

    /// Whether the table of runs is all that shows.
    pub fn shows_table_alone(&self) -> bool {
        self.overlays.is_empty()
    }
}
