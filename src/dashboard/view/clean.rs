//! The plan of a clean-up: what could go, by reason, to be marked in or out before anything moves.

mod draw;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::{Constraint, Layout, Rect};

use super::super::command::Action;
use super::super::effect::Effect;
use super::super::message::Notice;
use super::super::state::{Screen, State};
use super::super::tidy;
use super::confirm::Confirm;
use super::overlay::Overlay;
use crate::run::RunDir;
use crate::run::clean::{Candidate, Order, Plan, Policy, Protection, Reason, Rule, Space, Totals};

pub use draw::draw;

/// A row: a reason's heading, or one of its candidates by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Group(Reason),
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
    /// Whether a plan is being made or carried out.
    pub is_busy: bool,
    folded: HashSet<Reason>,
    rows: Vec<Row>,
    cursor: usize,
    top: usize,
    groups: Vec<(Reason, Totals)>,
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

/// The screen's parts: its heading with the rules, the disks and the names of columns, the rows, and what the cursor is on.
fn areas(area: Rect) -> [Rect; 4] {
    Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(1),
        Constraint::Min(0),
        Constraint::Length(2),
    ])
    .areas(area)
}

fn height(state: &State) -> usize {
    let [main, _] = super::areas(Rect::new(0, 0, state.size.0, state.size.1));
    usize::from(areas(main)[2].height.max(1))
}

/// Opens the screen, and asks for a plan: of the marked runs, or of all.
pub fn open(state: &mut State) -> Vec<Effect> {
    let mut only: Vec<RunDir> = state.runs.marked().into_iter().cloned().collect();
    only.sort();
    let view = CleanView {
        only,
        policy: state.retention.clone(),
        plan: None,
        progress: None,
        is_busy: true,
        folded: HashSet::new(),
        rows: Vec::new(),
        cursor: 0,
        top: 0,
        groups: Vec::new(),
        all: Totals::default(),
        spaces: Vec::new(),
    };
    let order = view.order(None);
    state.screen = Screen::Clean(Box::new(view));
    vec![order]
}

/// A plan was made.
pub fn planned(state: &mut State, plan: Plan, spaces: Vec<(PathBuf, Space)>) {
    let height = height(state);
    let Screen::Clean(view) = &mut state.screen else {
        return;
    };
    // One that was asked for before the rules changed again.
    if plan.policy != view.policy {
        return;
    }
    let order = view.plan.as_ref().map_or(plan.order, |old| old.order);
    let mut plan = plan;
    if let Some(old) = &view.plan {
        keep_marks(&mut plan, old);
    }
    view.plan = Some(plan);
    view.spaces = spaces;
    view.is_busy = false;
    view.progress = None;
    if let Some(plan) = &mut view.plan
        && plan.order != order
    {
        plan.order = order;
        plan.sort();
    }
    view.arrange();
    view.keep_in_sight(height);
}

/// What was marked by hand stays as it was marked where it is a candidate for the same reason again.
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
    plan.reckon(None);
}

impl CleanView {
    fn order(&self, survey: Option<Arc<crate::run::clean::Survey>>) -> Effect {
        Effect::Tidy(tidy::Order::Plan {
            only: self.only.clone(),
            policy: self.policy.clone(),
            survey,
        })
    }

    /// The rows anew, after a plan, a fold or another order.
    fn arrange(&mut self) {
        self.rows.clear();
        let Some(plan) = &self.plan else { return };
        let mut last = None;
        for (number, candidate) in plan.candidates.iter().enumerate() {
            if last != Some(candidate.reason) {
                last = Some(candidate.reason);
                self.rows.push(Row::Group(candidate.reason));
            }
            if !self.folded.contains(&candidate.reason) {
                self.rows.push(Row::One(number));
            }
        }
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
        self.count();
    }

    /// The sums anew, after something was marked.
    fn count(&mut self) {
        let Some(plan) = &self.plan else { return };
        let of = |reason: &Reason| {
            let totals = plan.totals(|candidate| candidate.reason == *reason);
            (*reason, totals)
        };
        self.groups = Reason::ALL.iter().map(of).collect();
        self.all = plan.totals(|_| true);
    }

    fn reason_here(&self) -> Option<Reason> {
        Some(match self.rows.get(self.cursor)? {
            Row::Group(reason) => *reason,
            Row::One(number) => self.plan.as_ref()?.candidates.get(*number)?.reason,
        })
    }

    fn mark_group(&mut self, reason: Reason) {
        let Some(plan) = &mut self.plan else { return };
        let of = |reason: Reason| move |candidate: &&mut Candidate| candidate.reason == reason;
        let is_in = plan
            .candidates
            .iter()
            .filter(|candidate| candidate.reason == reason)
            .all(|candidate| candidate.is_in);
        for candidate in plan.candidates.iter_mut().filter(of(reason)) {
            candidate.is_in = !is_in;
        }
        plan.reckon(None);
        self.count();
    }

    fn mark(&mut self) {
        match self.rows.get(self.cursor) {
            Some(Row::Group(reason)) => self.mark_group(*reason),
            Some(Row::One(number)) => {
                let Some(plan) = &mut self.plan else { return };
                let candidate = &mut plan.candidates[*number];
                candidate.is_in = !candidate.is_in;
                let run = candidate.run;
                plan.reckon(Some(run));
                self.count();
                self.cursor = (self.cursor + 1).min(self.rows.len() - 1);
            }
            None => {}
        }
    }

    fn keep_in_sight(&mut self, height: usize) {
        self.top = self
            .top
            .min(self.cursor)
            .max((self.cursor + 1).saturating_sub(height));
    }

    /// Other rules, another plan.
    fn plan_again(&mut self) -> Vec<Effect> {
        self.is_busy = true;
        let survey = self.plan.as_ref().map(|plan| Arc::clone(&plan.survey));
        vec![self.order(survey)]
    }
}

/// Does what a key asks for.
pub fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let height = height(state);
    let Screen::Clean(view) = &mut state.screen else {
        return Vec::new();
    };
    let last = view.rows.len().saturating_sub(1);
    match action {
        Action::CleanBack => {
            state.screen = Screen::Runs;
            return Vec::new();
        }
        Action::CleanRowDown => view.cursor = (view.cursor + 1).min(last),
        Action::CleanRowUp => view.cursor = view.cursor.saturating_sub(1),
        Action::CleanPageDown => view.cursor = (view.cursor + height).min(last),
        Action::CleanPageUp => view.cursor = view.cursor.saturating_sub(height),
        Action::CleanFirst => view.cursor = 0,
        Action::CleanLast => view.cursor = last,
        Action::CleanMark => view.mark(),
        Action::CleanMarkGroup => {
            if let Some(reason) = view.reason_here() {
                view.mark_group(reason);
            }
        }
        Action::CleanGentle => view.mark_group(Reason::OptimiserState),
        Action::CleanFold => {
            if let Some(reason) = view.reason_here() {
                if !view.folded.remove(&reason) {
                    view.folded.insert(reason);
                }
                view.arrange();
                let heading = |row: &Row| *row == Row::Group(reason);
                view.cursor = view.rows.iter().position(heading).unwrap_or(0);
            }
        }
        Action::CleanOrder => {
            if let Some(plan) = &mut view.plan {
                plan.order = match plan.order {
                    Order::Size => Order::BytesPerHour,
                    Order::BytesPerHour => Order::Size,
                };
                plan.sort();
                view.arrange();
            }
        }
        Action::CleanProtect => {
            let some = vec![Protection::Starred, Protection::Baseline];
            view.policy.protect = match view.policy.protect.len() {
                0 => Protection::ALL.to_vec(),
                2 => Vec::new(),
                _ => some,
            };
            return view.plan_again();
        }
        Action::CleanGo => return ask(state),
        _ => {
            let choice = CHOICES.iter().find(|(known, ..)| *known == action);
            if let Some((_, rule, values)) = choice {
                let value = rule.of(&mut view.policy);
                let at = values.iter().position(|known| known == value);
                *value = values[at.map_or(0, |at| (at + 1) % values.len())];
                return view.plan_again();
            }
        }
    }
    if let Screen::Clean(view) = &mut state.screen {
        view.keep_in_sight(height);
    }
    Vec::new()
}

/// Says in a sentence what would be done, and asks.
fn ask(state: &mut State) -> Vec<Effect> {
    let Screen::Clean(view) = &mut state.screen else {
        return Vec::new();
    };
    let Some(plan) = view.plan.as_ref().filter(|_| !view.is_busy) else {
        state.notice = Some(Notice::bad("the plan is still being made"));
        return Vec::new();
    };
    if view.all.in_count == 0 {
        state.notice = Some(Notice::bad(
            "nothing is marked to go; space marks what the cursor is on",
        ));
        return Vec::new();
    }
    state.overlay = Some(Overlay::Confirm(Confirm {
        title: "Clean up?".to_owned(),
        text: format!("This will {}. u takes it back.", plan.sentence()),
        yes: "do it".to_owned(),
        then: Effect::Tidy(tidy::Order::Clean(Box::new(plan.clone()))),
    }));
    Vec::new()
}
