//! Runs against each other: curves, table, configurations, logs, and which settings go with the
//! metric.

mod act;
mod configs;
mod curves;
mod logs;
pub mod mouse;
mod settings;
mod table;
#[cfg(test)]
pub(in crate::view) mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::parts;
use super::run::lines::wrapped;
use crate::command::{Action, Scope};
use crate::component::{Component, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::compare::analysis::{Analysis, Job, Wish};
use crate::jobs::compare::{CompareJob, CompareOutcome};
use crate::theme::{Role, Theme};
use crate::widget::chart::Options;
use crate::widget::clipped::Clipped as _;
use crate::widget::prompt::Prompt;
use traintop_analysis::compare::{Cell, Comparison};
use traintop_analysis::scale::Scale;
use traintop_run::compared_run::ComparedRun;
use traintop_run::{RunDir, log_line};
use traintop_text::{count, fitted};

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Curves,
    Table,
    Configs,
    Logs,
    Settings,
}

impl Part {
    const ALL: [Self; 5] = [
        Self::Curves,
        Self::Table,
        Self::Configs,
        Self::Logs,
        Self::Settings,
    ];

    fn title(self) -> &'static str {
        match self {
            Self::Curves => "Curves",
            Self::Table => "Table",
            Self::Configs => "Configs",
            Self::Logs => "Logs",
            Self::Settings => "What matters",
        }
    }
}

/// A number that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Epoch,
    Threshold,
}

/// Whether something is being worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Idle,
    Running,
    /// It is, and is out of date already.
    Again,
}

/// Where one is in a comparison.
#[derive(Debug)]
pub struct CompareView {
    /// When it was opened: outcomes for an earlier one are ignored.
    opened: Timestamp,
    dirs: Vec<RunDir>,
    /// The runs that were read, by place.
    runs: Vec<Option<Arc<ComparedRun>>>,
    others: Vec<Arc<ComparedRun>>,
    is_read: bool,
    wish: Wish,
    analysis: Option<Box<Analysis>>,
    work: Work,
    part: Part,
    /// The row under the cursor, by its place among the comparison's rows.
    row: usize,
    top: usize,
    sort: Option<(Cell, bool)>,
    all_settings: bool,
    /// The first configuration, and the first key, that show.
    left: usize,
    setting_top: usize,
    /// The key under the cursor among those that go with the metric.
    setting: usize,
    /// Where curves are read out.
    cursor: Option<f64>,
    /// The place on the axis at which the mouse took hold of a chart.
    dragged: Option<f64>,
    logs: HashMap<RunDir, Vec<log_line::Line>>,
    typing: Option<(Asked, Prompt)>,
}

impl Component for CompareView {
    fn scope(&self, _context: &Context) -> Scope {
        if self.typing.is_some() {
            Scope::Line
        } else {
            Scope::Compare
        }
    }

    fn is_screen(&self) -> bool {
        true
    }

    fn keeps_opened_run(&self) -> bool {
        true
    }

    fn uses_mouse(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        if self.typing.is_some() {
            return self.act_on_number(action);
        }
        self.command(action, context)
    }

    fn type_key(&mut self, event: KeyEvent, _context: &Context) -> Response {
        let Some((_, prompt)) = &mut self.typing else {
            return Response::ignored();
        };
        prompt.key(event);
        Response::handled()
    }

    fn paste(&mut self, text: &str) {
        if let Some((_, prompt)) = &mut self.typing {
            prompt.insert(text);
        }
    }

    fn mouse(&mut self, event: MouseEvent, context: &Context) -> Response {
        Response::running(mouse::act(self, event, context))
    }

    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        self.draw_all((context.charts, &context.theme), area, buf);
    }
}

impl CompareView {
    /// A comparison of these runs, the first of which the others are compared with; and the order
    /// to read them. `others` may teach the noise.
    pub fn new(dirs: Vec<RunDir>, others: Vec<RunDir>, now: Timestamp) -> (Self, Effect) {
        let order = CompareJob::Read {
            opened: now,
            runs: dirs.iter().cloned().enumerate().collect(),
            others,
        };
        let view = Self {
            opened: now,
            runs: vec![None; dirs.len()],
            dirs,
            others: Vec::new(),
            is_read: false,
            wish: Wish::default(),
            analysis: None,
            work: Work::Idle,
            part: Part::Curves,
            row: 0,
            top: 0,
            sort: None,
            all_settings: false,
            left: 0,
            setting_top: 0,
            setting: 0,
            cursor: None,
            dragged: None,
            logs: HashMap::new(),
            typing: None,
        };
        (view, Effect::Compare(order))
    }

    /// Has everything worked out, unless that is being done: then once more afterwards.
    pub fn analyse(&mut self) -> Vec<Effect> {
        if !self.is_read {
            return Vec::new();
        }
        if self.work != Work::Idle {
            self.work = Work::Again;
            return Vec::new();
        }
        self.work = Work::Running;
        let job = Job {
            runs: self.runs.iter().flatten().cloned().collect(),
            others: self.others.clone(),
            wish: self.wish.clone(),
        };
        vec![Effect::Compare(CompareJob::Analyse(
            self.opened,
            Box::new(job),
        ))]
    }

    /// Takes in what a job found out, unless it was for an earlier comparison.
    pub fn take(&mut self, outcome: CompareOutcome) -> Vec<Effect> {
        let (CompareOutcome::Read(opened, _)
        | CompareOutcome::AllRead(opened)
        | CompareOutcome::Taught(opened, _)
        | CompareOutcome::Analysed(opened, _)
        | CompareOutcome::Logs(opened, _)) = outcome;
        if opened != self.opened {
            return Vec::new();
        }
        match outcome {
            CompareOutcome::Read(_, read) => {
                for (place, run) in read {
                    if let Some(known) = self.runs.get_mut(place) {
                        *known = Some(run);
                    }
                }
                // A run that has grown since.
                if self.is_read {
                    return self.analyse();
                }
            }
            CompareOutcome::AllRead(_) if !self.is_read => {
                self.is_read = true;
                return self.analyse();
            }
            CompareOutcome::AllRead(_) => {}
            CompareOutcome::Taught(_, others) if others.is_empty() => {}
            CompareOutcome::Taught(_, others) => {
                self.others = others;
                return self.analyse();
            }
            CompareOutcome::Analysed(_, analysis) => {
                let work = std::mem::replace(&mut self.work, Work::Idle);
                let rows = analysis.compared.as_ref().map_or(0, |of| of.rows.len());
                self.row = self.row.min(rows.saturating_sub(1));
                self.analysis = Some(analysis);
                if work == Work::Again {
                    return self.analyse();
                }
            }
            CompareOutcome::Logs(_, logs) => self.logs.extend(logs),
        }
        Vec::new()
    }

    fn compared(&self) -> Option<&Comparison> {
        self.analysis.as_ref()?.compared.as_ref()
    }

    /// The rows in the order of the table.
    fn order(&self) -> Vec<usize> {
        let Some(compared) = self.compared() else {
            return Vec::new();
        };
        let mut order: Vec<usize> = (0..compared.rows.len()).collect();
        if let Some((cell, reversed)) = self.sort {
            order.sort_by(|a, b| {
                let ordering = cell.order(&compared.rows[*a], &compared.rows[*b], compared);
                if reversed {
                    ordering.reverse()
                } else {
                    ordering
                }
            });
        }
        order
    }

    /// What a row is called.
    fn name(&self, row: usize) -> String {
        let Some(members) = self.compared().and_then(|of| of.rows.get(row)) else {
            return String::new();
        };
        let runs: Vec<_> = members
            .members
            .iter()
            .filter_map(|run| self.run(*run))
            .collect();
        let name = name_of_all(&runs);
        match members.members.len() {
            0 | 1 => name,
            2 => format!("{name} +1 seed"),
            many => format!("{name} +{} seeds", many - 1),
        }
    }

    fn run(&self, place: usize) -> Option<&ComparedRun> {
        // Those that were read have the places of the job that was made of them.
        self.runs.iter().flatten().nth(place).map(AsRef::as_ref)
    }

    fn draw_all(&self, (options, theme): (Options, &Theme), area: Rect, buf: &mut Buffer) {
        let [head, tabs, pane] = areas(area);
        self.draw_head((options, theme), head, buf);
        let note = self.note();
        let names = Part::ALL.map(Part::title);
        parts::draw_tabs(&names, (self.part as usize, note), theme, tabs, buf);
        if pane.is_empty() {
            return;
        }
        if let Some(problem) = self.problem() {
            return Line::styled(problem, theme.style(Role::Muted)).render(pane, buf);
        }
        match self.part {
            Part::Curves => self.draw_curves((options, theme), pane, buf),
            Part::Table => self.draw_table_part(theme, pane, buf),
            Part::Configs => self.draw_configs(theme, pane, buf),
            Part::Logs => self.draw_logs(theme, pane, buf),
            Part::Settings => self.draw_settings(theme, pane, buf),
        }
    }

    /// Why there is nothing to draw.
    fn problem(&self) -> Option<String> {
        if !self.is_read {
            let read = self.runs.iter().flatten().count();
            return Some(format!(
                "reading {} of {} runs",
                count(read as u64),
                count(self.dirs.len() as u64)
            ));
        }
        match &self.analysis {
            None => Some("working it out".to_owned()),
            Some(analysis) if analysis.compared.is_none() => {
                let mut problems = self.runs.iter().flatten();
                let problem = problems.find_map(|run| run.problem.clone());
                Some(problem.unwrap_or_else(|| "none of these runs has any metrics yet".to_owned()))
            }
            Some(_) => None,
        }
    }

    /// `8 runs by val_acc, % (higher is better), by epoch, folded` or what is being typed.
    fn draw_head(&self, (options, theme): (Options, &Theme), area: Rect, buf: &mut Buffer) {
        if let Some((asked, prompt)) = &self.typing {
            let question = match asked {
                Asked::Epoch => "compare values at epoch (empty: the last that all reached): ",
                Asked::Threshold => "time until the metric reached (empty: as it comes): ",
            };
            let line = Line::from(vec![
                Span::styled(question, theme.style(Role::Muted)),
                Span::styled(prompt.text(), theme.style(Role::Prompt)),
                Span::styled(" ", theme.style(Role::PromptCursor)),
            ]);
            return line.render(area, buf);
        }
        let mut words = format!("{} runs", count(self.dirs.len() as u64));
        let Some(compared) = self.compared() else {
            return Line::styled(words, theme.style(Role::Title)).render(area, buf);
        };
        let metric = &compared.metric;
        let unit = if metric.scale == Scale::Percent {
            ", %"
        } else {
            ""
        };
        words = format!("{words} by {}{unit}", metric.name);
        let mut more = vec![metric.better_words()];
        more.push(self.wish.along.words().to_owned());
        if self.wish.folded && compared.rows.len() < self.dirs.len() {
            more.push(format!("{} of seeds", self.wish.band.words()));
        } else if !self.wish.folded {
            more.push("each run by itself".to_owned());
        }
        // By which axis curves lie over each other is a matter of the comparison, and powers of ten
        // along it of one run.
        let charts = Options {
            along: traintop_analysis::x_axis::XAxis::default(),
            log_x: false,
            ..options
        };
        if self.part == Part::Curves && !charts.summary().is_empty() {
            more.push(charts.summary());
        }
        if metric.is_mixed() {
            more.push("fractions shown as percent".to_owned());
        }
        let troubled = self
            .runs
            .iter()
            .flatten()
            .filter(|run| run.problem.is_some());
        match troubled.count() {
            0 => {}
            some => more.push(format!("{some} without readable metrics")),
        }
        let line = Line::from(vec![
            Span::styled(words, theme.style(Role::Title)),
            Span::styled(format!("  {}", more.join(", ")), theme.style(Role::Muted)),
        ]);
        line.render(area, buf);
    }

    /// What of a part is in sight.
    fn note(&self) -> String {
        let Some(analysis) = self.analysis.as_ref().filter(|_| self.problem().is_none()) else {
            return String::new();
        };
        match self.part {
            Part::Curves | Part::Table | Part::Logs => {
                let rows = self.order();
                let at = rows.iter().position(|row| *row == self.row).unwrap_or(0);
                format!("{} of {}", at + 1, rows.len())
            }
            Part::Configs => {
                let differing = analysis.configs.iter().filter(|key| key.differs).count();
                let of = analysis.configs.len();
                if self.all_settings {
                    format!("all {of} keys")
                } else {
                    format!("{differing} of {of} keys differ")
                }
            }
            Part::Settings => format!("{} runs", analysis.known),
        }
    }

    /// The table with what the differences are worth below it.
    fn draw_table_part(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let Some(compared) = self.compared() else {
            return;
        };
        let mut sentences = Vec::new();
        if let Some(row) = compared.rows.get(self.row) {
            let name = fitted(&self.name(self.row), 40).into_owned();
            if let Some(verdict) = row.difference {
                let base = row.best.map_or(0.0, |best| best.mean);
                let difference = compared.metric.difference(verdict.difference, base);
                let against = mark(compared.baseline);
                let role = match verdict.is_distinguishable() {
                    Some(true) => Role::Accent,
                    _ => Role::Text,
                };
                let said = verdict.sentence(&difference);
                sentences.push((format!("{name} against {against}: {said}"), role));
            } else if self.row == compared.baseline {
                let text = format!("{name} is what the others are compared with");
                sentences.push((text, Role::Text));
            }
        }
        sentences.push((compared.noise_sentence(), Role::Muted));
        if let Some(best) = compared.best_of
            && let Some(sentence) = compared.best_sentence()
        {
            let of = fitted(&self.name(best.row), 40).into_owned();
            sentences.push((format!("{of} is best; {sentence}"), Role::Muted));
        }
        let lines: Vec<(&str, Role)> = sentences
            .iter()
            .flat_map(|(text, role)| {
                wrapped(text, area.width)
                    .into_iter()
                    .map(|line| (line, *role))
            })
            .collect();
        let below = (lines.len() as u16 + 1).min(area.height / 2);
        let upper = Rect {
            height: (area.height - below).min(compared.rows.len() as u16 + 1),
            ..area
        };
        self.draw_table(theme, upper, buf);
        for (y, (text, role)) in (upper.bottom() + 1..area.bottom()).zip(lines) {
            buf.put_n(area.x, y, text, usize::from(area.width), theme.style(role));
        }
    }
}

/// The heading, the tabs and what they lead to.
fn areas(area: Rect) -> [Rect; 3] {
    let row = |from: u16, height: u16| Rect {
        y: area.y + from.min(area.height),
        height: height.min(area.height.saturating_sub(from)),
        ..area
    };
    [row(0, 1), row(1, 1), row(2, area.height)]
}

/// The letter that a row is called by: more than 52 cannot differ in one letter.
fn mark(row: usize) -> char {
    let letters = ('A'..='Z').chain('a'..='z');
    letters.into_iter().nth(row).unwrap_or('·')
}

fn colour(row: usize) -> Role {
    Role::series(row)
}

/// What runs of one row are called: the first one's name, and of what tells it apart that which all
/// of them have; their seeds differ.
fn name_of_all(runs: &[&ComparedRun]) -> String {
    let Some((first, others)) = runs.split_first() else {
        return String::new();
    };
    let parts = |run: &ComparedRun| -> Vec<String> {
        run.summary
            .differs
            .split(" · ")
            .map(str::to_owned)
            .collect()
    };
    let others: Vec<Vec<String>> = others.iter().map(|run| parts(run)).collect();
    let is_shared = |part: &String| others.iter().all(|other| other.contains(part));
    let shared = parts(first).into_iter().filter(is_shared);
    let named = std::iter::once(first.summary.name.clone());
    let all: Vec<String> = named
        .chain(shared)
        .filter(|part| !part.is_empty())
        .collect();
    all.join(" · ")
}
