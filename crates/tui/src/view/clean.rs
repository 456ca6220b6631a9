//! The plan of a clean-up: what could go, by reason, to be marked in or out before anything moves.

mod draw;
#[cfg(test)]
pub(in crate::view) mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::{Constraint, Layout, Rect};

pub use draw::draw;

use super::super::command::Action;
use super::super::effect::Effect;
use super::super::state::{Screen, State};
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
    /// Whether a plan is being made or carried out.
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
        is_by_run: false,
        folded: HashSet::new(),
        rows: Vec::new(),
        cursor: 0,
        top: 0,
        groups: HashMap::new(),
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
        plan.reckon(None);
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
                plan.reckon(Some(run));
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
    if let Some(motion) = Motion::of(action) {
        view.cursor = motion.along(view.cursor, view.rows.len(), height);
    }
    match action {
        Action::Back => {
            state.screen = Screen::Runs;
            return Vec::new();
        }
        Action::Mark => view.mark(),
        Action::CleanMarkGroup => {
            if let Some(group) = view.group_here() {
                view.mark_group(group);
            }
        }
        Action::CleanGentle => view.mark_group(Group::Reason(Reason::OptimiserState)),
        Action::Fold => {
            if let Some(group) = view.group_here() {
                if !view.folded.remove(&group) {
                    view.folded.insert(group);
                }
                view.arrange();
                let heading = |row: &Row| *row == Row::Group(group);
                view.cursor = view.rows.iter().position(heading).unwrap_or(0);
            }
        }
        Action::CleanGroup => view.group_otherwise(),
        Action::CleanOrder => {
            if let Some(plan) = &mut view.plan {
                plan.order = match plan.order {
                    SortOrder::Size => SortOrder::BytesPerHour,
                    SortOrder::BytesPerHour => SortOrder::Size,
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
    let mut text = format!("This will {}. u restores it.", plan.sentence());
    for line in plan.whole_runs() {
        text.push('\n');
        text.push_str(&line);
    }
    state.overlays.push(Confirm {
        title: "Clean up?".to_owned(),
        text,
        yes: "do it".to_owned(),
        then: Effect::Clean(jobs::cleanup::CleanupJob::Clean(Box::new(plan.clone()))),
    });
    Vec::new()
}
