//! The plan of a clean-up: what could go, by reason, to be marked in or out before anything moves.

mod draw;
#[cfg(test)]
pub(in crate::view) mod tests;

use crate::command::Scope;
use crate::component::{Component, Request, Response};
use crate::jobs::cleanup::CleanupJob;
use crate::view::parts::screen_area;
use ratatui::buffer::Buffer;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::{Constraint, Layout, Rect};

use super::super::command::Action;
use super::super::context::Context;
use super::super::effect::Effect;
use super::confirm::Confirm;
use super::motion::{Motion, scrolled};
use crate::jobs;
use crate::notice::Notice;
use traintop_ops::clean::{
    Candidate, Plan, Policy, Protection, Reason, Rule, SortOrder, Space, Totals,
};
use traintop_run::RunDir;

/// What candidates have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Group {
    Reason(Reason),
    /// By its number in the survey.
    Run(usize),
}

/// A row: a group's heading, or one of its candidates by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Group(Group),
    One(usize),
}

/// The screen's state.
#[derive(Debug)]
pub struct CleanView {
    /// Only these runs, or all if there are none.
    only: Vec<RunDir>,
    policy: Policy,
    plan: Option<Plan>,
    /// Runs that are surveyed, of how many.
    pub progress: Option<(usize, usize)>,
    /// Whether a plan is being made or applied.
    pub is_busy: bool,
    is_by_run: bool,
    folded: HashSet<Group>,
    rows: Vec<Row>,
    cursor: usize,
    top: usize,
    groups: HashMap<Group, Totals>,
    all: Totals,
    spaces: Vec<(PathBuf, Space)>,
}

/// What the keys 1 to 5 go through.
const CHOICES: [(Action, Rule, [u32; 5]); 5] = [
    (Action::CleanKeepBest, Rule::KeepBest, [1, 2, 3, 5, 0]),
    (Action::CleanKeepLast, Rule::KeepLast, [1, 2, 3, 5, 0]),
    (Action::CleanKeepEvery, Rule::KeepEvery, [0, 5, 10, 25, 50]),
    (Action::CleanMinEpochs, Rule::MinEpochs, [1, 2, 5, 10, 0]),
    (Action::CleanMaxAge, Rule::MaxAge, [0, 30, 90, 180, 365]),
];

/// The screen's parts: its heading with the rules, the disks and the names of columns, the rows,
/// and what the cursor is on.
fn areas(area: Rect) -> [Rect; 4] {
    Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(2),
    ])
    .areas(area)
}

fn height(size: (u16, u16)) -> usize {
    usize::from(areas(screen_area(size))[2].height.max(1))
}

/// What was marked by hand stays as it was marked where it is a candidate for the same reason
/// again.
fn keep_marks(plan: &mut Plan, old: &Plan) {
    let key = |candidate: &Candidate| (candidate.reason, candidate.paths.first().cloned());
    let before: HashMap<_, bool> = old
        .candidates
        .iter()
        .map(|candidate| (key(candidate), candidate.is_in))
        .collect();
    for candidate in &mut plan.candidates {
        if let Some(is_in) = before.get(&key(candidate)) {
            candidate.is_in = *is_in;
        }
    }
    plan.recompute_costs(None);
}

impl CleanView {
    /// The screen for these runs, or for all if there are none, and the job that makes its plan.
    pub fn new(mut only: Vec<RunDir>, policy: Policy) -> (Self, Effect) {
        only.sort();
        let view = Self {
            only,
            policy,
            plan: None,
            progress: None,
            is_busy: true,
            is_by_run: false,
            folded: HashSet::new(),
            rows: Vec::new(),
            cursor: 0,
            top: 0,
            groups: HashMap::new(),
            all: Totals::default(),
            spaces: Vec::new(),
        };
        let job = view.order(None);
        (view, job)
    }

    /// Takes in a plan that was made, for a terminal of this size.
    pub fn planned(&mut self, mut plan: Plan, spaces: Vec<(PathBuf, Space)>, size: (u16, u16)) {
        // One that was asked for before the rules changed again.
        if plan.policy != self.policy {
            return;
        }
        if let Some(old) = &self.plan {
            keep_marks(&mut plan, old);
            if plan.order != old.order {
                plan.order = old.order;
                plan.sort();
            }
        }
        self.plan = Some(plan);
        self.spaces = spaces;
        self.is_busy = false;
        self.progress = None;
        self.arrange();
        self.keep_in_sight(height(size));
    }

    fn order(&self, survey: Option<Arc<traintop_ops::clean::Survey>>) -> Effect {
        Effect::Clean(jobs::cleanup::CleanupJob::Plan {
            only: self.only.clone(),
            policy: self.policy.clone(),
            survey,
        })
    }

    /// The rows anew, after a plan, a fold or another order.
    fn arrange(&mut self) {
        self.rows.clear();
        self.count();
        let Some(plan) = &self.plan else { return };
        let mut numbers: Vec<usize> = (0..plan.candidates.len()).collect();
        if self.is_by_run {
            let runs = plan.by_run().into_iter().enumerate();
            let place: HashMap<usize, usize> = runs.map(|(at, (run, _))| (run, at)).collect();
            numbers.sort_by_key(|number| place.get(&plan.candidates[*number].run));
        }
        let mut last = None;
        for number in numbers {
            let group = self.group_of(&plan.candidates[number]);
            if last != Some(group) {
                last = Some(group);
                self.rows.push(Row::Group(group));
            }
            if !self.folded.contains(&group) {
                self.rows.push(Row::One(number));
            }
        }
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    fn group_of(&self, candidate: &Candidate) -> Group {
        if self.is_by_run {
            Group::Run(candidate.run)
        } else {
            Group::Reason(candidate.reason)
        }
    }

    /// Groups by reason, or by run: then every run is one row, to be unfolded.
    fn group_otherwise(&mut self) {
        let Some(plan) = &self.plan else { return };
        self.is_by_run = !self.is_by_run;
        if self.is_by_run {
            let runs = plan.candidates.iter().map(|one| Group::Run(one.run));
            self.folded.extend(runs);
        }
        self.cursor = 0;
        self.arrange();
    }

    /// The sums anew, after something was marked.
    fn count(&mut self) {
        let Some(plan) = &self.plan else { return };
        self.groups = plan.totals_by(|candidate| self.group_of(candidate));
        self.all = plan.totals(|_| true);
    }

    fn group_here(&self) -> Option<Group> {
        Some(match self.rows.get(self.cursor)? {
            Row::Group(group) => *group,
            Row::One(number) => self.group_of(self.plan.as_ref()?.candidates.get(*number)?),
        })
    }

    fn mark_group(&mut self, group: Group) {
        let Some(plan) = &mut self.plan else { return };
        let belongs = |candidate: &Candidate| match group {
            Group::Reason(reason) => candidate.reason == reason,
            Group::Run(run) => candidate.run == run,
        };
        let mut of = plan.candidates.iter().filter(|one| belongs(one));
        let is_in = of.all(|candidate| candidate.is_in);
        for candidate in plan.candidates.iter_mut().filter(|one| belongs(one)) {
            candidate.is_in = !is_in;
        }
        plan.recompute_costs(None);
        self.count();
    }

    fn mark(&mut self) {
        match self.rows.get(self.cursor) {
            Some(Row::Group(group)) => self.mark_group(*group),
            Some(Row::One(number)) => {
                let Some(plan) = &mut self.plan else { return };
                let candidate = &mut plan.candidates[*number];
                candidate.is_in = !candidate.is_in;
                let run = candidate.run;
                plan.recompute_costs(Some(run));
                self.count();
                self.cursor = (self.cursor + 1).min(self.rows.len() - 1);
            }
            None => {}
        }
    }

    fn keep_in_sight(&mut self, height: usize) {
        self.top = scrolled(self.top, self.cursor, height);
    }

    /// Other rules, another plan.
    fn plan_again(&mut self) -> Response {
        self.is_busy = true;
        let survey = self.plan.as_ref().map(|plan| Arc::clone(&plan.survey));
        Response::asking(Request::Run(self.order(survey)))
    }

    fn fold(&mut self) {
        let Some(group) = self.group_here() else {
            return;
        };
        if !self.folded.remove(&group) {
            self.folded.insert(group);
        }
        self.arrange();
        let heading = |row: &Row| *row == Row::Group(group);
        self.cursor = self.rows.iter().position(heading).unwrap_or(0);
    }

    fn order_otherwise(&mut self) {
        if let Some(plan) = &mut self.plan {
            plan.order = match plan.order {
                SortOrder::Size => SortOrder::BytesPerHour,
                SortOrder::BytesPerHour => SortOrder::Size,
            };
            plan.sort();
            self.arrange();
        }
    }

    /// Says in a sentence what would be done, and asks.
    fn ask(&self) -> Response {
        let Some(plan) = self.plan.as_ref().filter(|_| !self.is_busy) else {
            let notice = Notice::bad("the plan is still being made");
            return Response::asking(Request::Notify(notice));
        };
        if self.all.in_count == 0 {
            let notice = Notice::bad("nothing is marked to go; space marks what the cursor is on");
            return Response::asking(Request::Notify(notice));
        }
        let mut text = format!("This will {}. u restores it.", plan.sentence());
        for line in plan.whole_runs() {
            text.push('\n');
            text.push_str(&line);
        }
        Response::asking(Request::Open(Box::new(Confirm {
            title: "Clean up?".to_owned(),
            text,
            yes: "do it".to_owned(),
            then: Effect::Clean(CleanupJob::Clean(Box::new(plan.clone()))),
        })))
    }
}

impl Component for CleanView {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Clean
    }

    fn is_screen(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        let height = height(context.size);
        match action {
            Action::Back => return Response::closed(),
            Action::Mark => self.mark(),
            Action::CleanMarkGroup => {
                if let Some(group) = self.group_here() {
                    self.mark_group(group);
                }
            }
            Action::CleanGentle => self.mark_group(Group::Reason(Reason::OptimiserState)),
            Action::Fold => self.fold(),
            Action::CleanGroup => self.group_otherwise(),
            Action::CleanOrder => self.order_otherwise(),
            Action::CleanProtect => {
                let some = vec![Protection::Starred, Protection::Baseline];
                self.policy.protect = match self.policy.protect.len() {
                    0 => Protection::ALL.to_vec(),
                    2 => Vec::new(),
                    _ => some,
                };
                return self.plan_again();
            }
            Action::CleanGo => return self.ask(),
            _ => {
                if let Some(motion) = Motion::of(action) {
                    self.cursor = motion.along(self.cursor, self.rows.len(), height);
                } else if let Some((_, rule, values)) =
                    CHOICES.iter().find(|(known, ..)| *known == action)
                {
                    let value = rule.of(&mut self.policy);
                    let at = values.iter().position(|known| known == value);
                    *value = values[at.map_or(0, |at| (at + 1) % values.len())];
                    return self.plan_again();
                } else {
                    return Response::ignored();
                }
            }
        }
        self.keep_in_sight(height);
        Response::handled()
    }

    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        draw::draw(self, context, area, buf);
    }
}
