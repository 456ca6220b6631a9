//! What keys do to a comparison.

use ratatui::layout::Rect;

use super::{Asked, CompareView, Part, areas};
use crate::chart_settings;
use crate::command::Action;
use crate::component::{Request, Response};
use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::compare::CompareJob;
use crate::notice::Notice;
use crate::view::motion::Motion;
use crate::view::parts::screen_area;
use crate::widget::chart::Options;
use crate::widget::prompt::Prompt;
use traintop_analysis::compare::Cell;
use traintop_analysis::range::Range;
use traintop_run::RunDir;

/// The closest look: this part of all.
const CLOSEST: f64 = 1.0 / 256.0;

impl CompareView {
    /// A run's folder has another name: if it is compared, it is read there.
    pub fn renamed(&mut self, from: &RunDir, to: &RunDir) -> Option<Effect> {
        let place = self.dirs.iter().position(|other| other == from)?;
        self.logs.remove(from);
        self.dirs[place].clone_from(to);
        self.changed(to)
    }

    /// A run's files have changed: if it is compared, it is read again.
    pub fn changed(&mut self, dir: &RunDir) -> Option<Effect> {
        let place = self.dirs.iter().position(|other| other == dir)?;
        self.logs.remove(dir);
        Some(Effect::Compare(CompareJob::Read {
            opened: self.opened,
            runs: vec![(place, dir.clone())],
            others: Vec::new(),
        }))
    }

    /// Takes over what of the charts' settings has to be worked out; whether any of it is new.
    pub fn look(&mut self, options: Options) -> bool {
        let before = (self.wish.smoothing, self.wish.robust);
        let wanted = options.wanted();
        (self.wish.smoothing, self.wish.robust) = (wanted.smoothing, wanted.robust);
        before != (wanted.smoothing, wanted.robust)
    }

    /// Does what a command says while a number is typed.
    pub(super) fn act_on_number(&mut self, action: Action) -> Response {
        let Some((asked, prompt)) = &self.typing else {
            return Response::ignored();
        };
        match action {
            Action::Back => {
                self.typing = None;
                Response::handled()
            }
            Action::Confirm => {
                let text = prompt.text();
                let text = text.trim().trim_end_matches('%').trim();
                let number: Option<f64> = text.parse().ok();
                let number = number.filter(|number| number.is_finite());
                if number.is_none() && !text.is_empty() {
                    let notice = Notice::bad(format!("{text:?} is no number"));
                    return Response::asking(Request::Notify(notice));
                }
                match asked {
                    Asked::Epoch => self.wish.at_epoch = number,
                    Asked::Threshold => self.wish.threshold = number,
                }
                self.typing = None;
                Response::running(self.analyse())
            }
            _ => Response::ignored(),
        }
    }

    /// Does what a command says; the charts' settings, which are not its own, are left to others.
    pub(super) fn command(&mut self, action: Action, context: &Context) -> Response {
        let [.., pane] = areas(screen_area(context.size));
        match action {
            Action::Back => return Response::closed(),
            Action::Open => return self.open_run(context),
            Action::JudgeBy => return self.judge(),
            // What the curves stand over is this comparison's own.
            Action::ChartXAxis => {}
            _ if chart_settings::is_one(action) => return Response::ignored(),
            _ => {}
        }
        let Some(mut effects) = self.carry_out(action, pane) else {
            return Response::ignored();
        };
        effects.extend(self.missing_logs(pane));
        Response::running(effects)
    }

    /// Opens the run under the cursor; the way back leads to the comparison.
    fn open_run(&self, context: &Context) -> Response {
        let row = self.compared().and_then(|of| of.rows.get(self.row));
        let member = row.and_then(|row| row.members.first().copied());
        let dir = member.and_then(|member| Some(self.run(member)?.summary.dir.clone()));
        match dir.filter(|dir| context.runs.row(dir).is_some()) {
            Some(dir) => Response::asking(Request::OpenRun(dir)),
            None => Response::handled(),
        }
    }

    /// Judges the tree of the run under the cursor by the metric that is compared.
    fn judge(&self) -> Response {
        let asked = self.compared().and_then(|compared| {
            let member = compared.rows.get(self.row)?.members.first().copied()?;
            let dir = self.run(member)?.summary.dir.clone();
            Some(Request::JudgeBy(dir, compared.metric.name.clone()))
        });
        asked.map_or_else(Response::handled, Response::asking)
    }

    /// `None` if the command means nothing here.
    fn carry_out(&mut self, action: Action, pane: Rect) -> Option<Vec<Effect>> {
        if let Some(motion) = Motion::vertical(action) {
            self.step(
                motion.rows(usize::from(pane.height).saturating_sub(2)),
                pane,
            );
            return Some(Vec::new());
        }
        match action {
            Action::NextPane => self.further(1),
            Action::PreviousPane => self.further(-1),
            Action::Pane1 => self.part = Part::Curves,
            Action::Pane2 => self.part = Part::Table,
            Action::Pane3 => self.part = Part::Configs,
            Action::Pane4 => self.part = Part::Logs,
            Action::Pane5 => self.part = Part::Settings,
            Action::Left => self.sideways(-1),
            Action::Right => self.sideways(1),
            Action::FarLeft => self.sideways(-10),
            Action::FarRight => self.sideways(10),
            Action::SortNext => self.sort_by(1),
            Action::SortPrevious => self.sort_by(-1),
            Action::SortReverse => {
                if let Some((_, reversed)) = &mut self.sort {
                    *reversed = !*reversed;
                }
            }
            Action::AllSettings => {
                self.all_settings = !self.all_settings;
                self.setting_top = 0;
            }
            Action::AtEpoch => {
                let epoch = self.wish.at_epoch.map(|epoch| epoch.to_string());
                self.ask(Asked::Epoch, epoch);
            }
            Action::SetThreshold => {
                let threshold = self.wish.threshold.map(|value| value.to_string());
                self.ask(Asked::Threshold, threshold);
            }
            _ => return self.ask_anew(action),
        }
        Some(Vec::new())
    }

    /// What changes the question, and so has everything worked out again.
    fn ask_anew(&mut self, action: Action) -> Option<Vec<Effect>> {
        match action {
            Action::NextMetric => self.other_metric(1),
            Action::PreviousMetric => self.other_metric(-1),
            Action::ChartXAxis => {
                self.wish.along = self.wish.along.next();
                self.wish.zoom = None;
                self.cursor = None;
            }
            Action::FoldSeeds => {
                // The cursor stays on its run.
                let compared = self.compared();
                let member =
                    compared.and_then(|of| of.rows.get(self.row)?.members.first().copied());
                self.wish.folded = !self.wish.folded;
                self.row = if self.wish.folded {
                    0
                } else {
                    member.unwrap_or(0)
                };
                self.top = 0;
            }
            Action::SwitchBand => self.wish.band = self.wish.band.other(),
            Action::CompareWith => {
                let compared = self.compared();
                let member =
                    compared.and_then(|of| of.rows.get(self.row)?.members.first().copied());
                self.wish.baseline = member.unwrap_or(self.wish.baseline);
            }
            Action::ZoomIn => self.zoom(0.5),
            Action::ZoomOut => self.zoom(2.0),
            Action::ZoomWhole => self.wish.zoom = None,
            Action::PanLeft => self.pan(-0.5),
            Action::PanRight => self.pan(0.5),
            Action::Refresh => {
                self.logs.clear();
                return Some(vec![Effect::Compare(CompareJob::Read {
                    opened: self.opened,
                    runs: self.dirs.iter().cloned().enumerate().collect(),
                    others: Vec::new(),
                })]);
            }
            _ => return None,
        }
        Some(self.analyse())
    }

    fn ask(&mut self, asked: Asked, before: Option<String>) {
        self.typing = Some((asked, Prompt::new(&before.unwrap_or_default())));
    }

    fn further(&mut self, by: isize) {
        let at = (self.part as isize + by).rem_euclid(Part::ALL.len() as isize);
        self.part = Part::ALL[at as usize];
    }

    pub(super) fn step(&mut self, by: isize, pane: Rect) {
        match self.part {
            Part::Configs => {
                let all = self.shown_settings().len();
                let last = all.saturating_sub(usize::from(pane.height).saturating_sub(1));
                self.setting_top = self.setting_top.saturating_add_signed(by).min(last);
            }
            Part::Settings => {
                let all = self.analysis.as_ref().map_or(0, |of| of.relevance.len());
                let to = self.setting.saturating_add_signed(by);
                self.setting = to.min(all.saturating_sub(1));
            }
            Part::Curves | Part::Table | Part::Logs => {
                let order = self.order();
                let at = order.iter().position(|row| *row == self.row).unwrap_or(0);
                let to = at
                    .saturating_add_signed(by)
                    .min(order.len().saturating_sub(1));
                self.row = order.get(to).copied().unwrap_or(0);
            }
        }
        self.keep_in_sight(pane);
    }

    /// Scrolls the table no further than is needed to show the row under the cursor.
    pub(super) fn keep_in_sight(&mut self, pane: Rect) {
        let order = self.order();
        let at = order.iter().position(|row| *row == self.row).unwrap_or(0);
        let height = usize::from(self.table_height(pane))
            .saturating_sub(1)
            .max(1);
        self.top = self.top.clamp((at + 1).saturating_sub(height), at);
    }

    fn sideways(&mut self, by: isize) {
        match self.part {
            Part::Curves => self.move_cursor(by),
            Part::Configs => {
                let all = self.compared().map_or(0, |of| of.rows.len());
                self.left = self
                    .left
                    .saturating_add_signed(by)
                    .min(all.saturating_sub(1));
            }
            Part::Table | Part::Logs | Part::Settings => {}
        }
    }

    /// Reads the curves out at another point of the one under the cursor; ten at once are a tenth
    /// of what is shown.
    fn move_cursor(&mut self, by: isize) {
        let Some(chart) = self.analysis.as_ref().and_then(|of| of.charts.first()) else {
            return;
        };
        let own = chart.curves.iter().find(|curve| curve.row == self.row);
        let Some(curve) = own.or(chart.curves.first()) else {
            return;
        };
        let x = &curve.line.column.x;
        let last = x.len().saturating_sub(1);
        let by = if by.abs() > 1 {
            by.signum() * (x.len() / 10).max(1).cast_signed()
        } else {
            by
        };
        let at = match self.cursor {
            Some(cursor) => traintop_analysis::nearest::nearest(x, cursor).unwrap_or(last),
            None => last,
        };
        self.cursor = x.get(at.saturating_add_signed(by).min(last)).copied();
    }

    fn sort_by(&mut self, by: isize) {
        let places = Cell::ALL.len() as isize + 1;
        let at = self.sort.map_or(0, |(cell, _)| {
            1 + Cell::ALL
                .iter()
                .position(|other| *other == cell)
                .unwrap_or(0)
        });
        let to = (at as isize + by).rem_euclid(places) as usize;
        self.sort = to.checked_sub(1).map(|cell| (Cell::ALL[cell], false));
        self.top = 0;
    }

    fn other_metric(&mut self, by: isize) {
        let Some(analysis) = &self.analysis else {
            return;
        };
        let metrics = &analysis.metrics;
        let chosen = analysis.compared.as_ref().map(|of| &of.metric);
        let at = metrics.iter().position(|metric| Some(metric) == chosen);
        let count = metrics.len().max(1) as isize;
        let to = (at.unwrap_or(0) as isize + by).rem_euclid(count) as usize;
        self.wish.metric = metrics.get(to).map(|metric| metric.name.clone());
        // A threshold of another metric means nothing to this one.
        self.wish.threshold = None;
    }

    /// Looks closer, or from farther away, around the cursor.
    fn zoom(&mut self, by: f64) {
        self.zoom_at(by, self.cursor);
    }

    /// Looks closer, or from farther away; what stands at `at` stays where it is, in sight.
    pub(super) fn zoom_at(&mut self, by: f64, at: Option<f64>) {
        let Some(whole) = self.analysis.as_ref().and_then(|of| of.x_range) else {
            return;
        };
        let shown = self.wish.zoom.unwrap_or(whole);
        let width = (shown.max() - shown.min()) * by;
        let all = whole.max() - whole.min();
        if width >= all {
            self.wish.zoom = None;
            return;
        }
        let width = width.max(all * CLOSEST);
        let at = at.unwrap_or(shown.at(0.5));
        // A cursor out of sight comes to the middle.
        let part = if shown.contains(at) {
            (at - shown.min()) / (shown.max() - shown.min())
        } else {
            0.5
        };
        let low = (at - width * part).clamp(whole.min(), whole.max() - width);
        self.wish.zoom = Range::new(low, low + width);
    }

    pub(super) fn pan(&mut self, by: f64) {
        let whole = self.analysis.as_ref().and_then(|of| of.x_range);
        if let (Some(whole), Some(shown)) = (whole, self.wish.zoom) {
            let width = shown.max() - shown.min();
            let low = (shown.min() + width * by).clamp(whole.min(), whole.max() - width);
            self.wish.zoom = Range::new(low, low + width);
        }
    }

    /// The job that reads the logs that show and have not been read.
    pub(super) fn missing_logs(&self, pane: Rect) -> Option<Effect> {
        if self.part != Part::Logs {
            return None;
        }
        let shown = self.shown_logs(pane).into_iter().map(|(_, dir)| dir);
        let missing: Vec<RunDir> = shown.filter(|dir| !self.logs.contains_key(dir)).collect();
        (!missing.is_empty()).then(|| Effect::Compare(CompareJob::Logs(self.opened, missing)))
    }
}
