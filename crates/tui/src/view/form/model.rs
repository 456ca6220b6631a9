//! What the form holds; it stays when the form is left.

use std::sync::Arc;

use super::edit::Edit;
use crate::effect::Effect;
use crate::jobs::choice::Choice;
use crate::jobs::form::{FormJob, Worked};
use crate::notice::Notice;
use traintop_analysis::run_history::RunHistory;
use traintop_config::Place;
use traintop_launch::recent::Recent;
use traintop_launch::{Request, SweepRequest};

/// The form. It keeps its changes until another recipe is chosen, so that leaving it loses nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Form {
    pub(super) choices: Vec<Choice>,
    pub(super) cursor: usize,
    pub(super) edit: Option<Edit>,
    /// Whether the values are shown, rather than the recipes.
    pub(super) editing: bool,
    /// What earlier runs tell, once that is understood.
    pub(super) earlier: Arc<RunHistory>,
    /// Whether runs were still being read when that was asked for.
    pub is_partial: bool,
    /// What was started lately, the last first.
    pub(super) recent: Vec<Recent>,
    /// Where runs train if nobody says otherwise, where there is Slurm.
    pub(super) place: Option<Place>,
    pub(super) sweep: Sweeping,
}

/// How far the sweep that the form holds is worked out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sweeping {
    pub(super) asked: Option<(Request, SweepRequest)>,
    /// Of the question that was asked last.
    pub(super) number: u64,
    pub(super) worked: Option<Result<Arc<Worked>, String>>,
    /// Whether it is to be queued as soon as it is worked out, after the question.
    pub(super) is_waited_for: bool,
}

impl Form {
    /// What there is to choose from; the cursor stays where it was.
    pub fn offer(&mut self, found: Vec<Choice>) {
        self.choices = found;
        self.cursor = self.cursor.min(self.choices.len().saturating_sub(1));
    }

    /// Whether keys are text.
    pub fn is_typing(&self) -> bool {
        self.editing && self.edit.as_ref().is_some_and(|edit| edit.typing.is_some())
    }

    /// Opens the values of the choice under the cursor; the same recipe keeps the changes made
    /// before.
    pub(super) fn choose(&mut self) -> Option<Notice> {
        let choice = self.choices.get(self.cursor)?;
        if let Err(problem) = &choice.subject {
            return Some(Notice::bad(problem.clone()));
        }
        let new = Edit::of(choice)?;
        let same = |edit: &Edit| {
            (&edit.source, &edit.launcher, &edit.base) == (&new.source, &new.launcher, &new.base)
        };
        if !self.edit.as_ref().is_some_and(same) {
            self.edit = Some(new);
            self.offer_slurm();
        }
        self.editing = true;
        None
    }

    pub(super) fn offer_slurm(&mut self) {
        if let (Some(edit), Some(place)) = (&mut self.edit, self.place) {
            edit.offer_slurm(place);
        }
    }

    pub(super) fn move_by(&mut self, by: isize) {
        let (at, count) = match &mut self.edit {
            Some(edit) if self.editing => {
                let rows = edit.rows().len();
                (&mut edit.row, rows)
            }
            _ => (&mut self.cursor, self.choices.len()),
        };
        *at = at.saturating_add_signed(by).min(count.saturating_sub(1));
    }

    /// The job that plans the sweep, if what is asked for has changed since the last one.
    pub fn due(&mut self) -> Option<Effect> {
        let edit = self.edit.as_ref().filter(|_| self.editing);
        let sweep = edit.filter(|edit| edit.is_sweep());
        let asked = sweep.map(|edit| (edit.request(), edit.wanted()));
        if asked == self.sweep.asked {
            return None;
        }
        self.sweep.asked.clone_from(&asked);
        (self.sweep.worked, self.sweep.is_waited_for) = (None, false);
        self.sweep.number += 1;
        let earlier = Arc::clone(&self.earlier);
        let order = FormJob::Plan(self.sweep.number, Box::new(asked?), earlier);
        Some(Effect::Form(order))
    }
}
