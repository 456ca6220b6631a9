//! The machine, over the screen: how busy its processors, memory and GPUs are, the room on its
//! disks, and which run uses how much.

mod history;
#[cfg(test)]
pub(in crate::view) mod tests;

use std::borrow::Cow;
use std::collections::HashMap;

use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

pub use history::History;

use super::super::command::{Action, Scope};
use super::super::component::{Component, Response};
use super::super::context::Context;
use super::super::theme::{Role, Theme};
use super::dialog::{draw_keys, frame};
use super::motion::Motion;
use super::state_glyph;
use crate::jobs::machine::SampledUsage;
use traintop_launch::machine::{Gpu, GpuShare, Reading, Usage};
use traintop_run::RunDir;
use traintop_text::{bytes, clean, fitted};

const WIDTH: u16 = 120;
/// Runs that a page moves.
const PAGE: usize = 10;
/// Columns of what a row is about.
const LABEL: usize = 8;
/// Columns of what a row says at its end.
const SAID: usize = 38;
/// Columns for what one run uses of its processors, memory and GPU.
const RUN_COLUMNS: [usize; 3] = [14, 18, 20];
/// Cells of a run's own trends.
const RUN_TREND: usize = 7;

/// What is shown of the machine.
#[derive(Debug, Default)]
pub struct MachineView {
    readings: History<Reading>,
    last: Option<SampledUsage>,
    runs: HashMap<RunDir, History<Usage>>,
    top: usize,
}

impl MachineView {
    /// Takes in what was measured.
    pub fn take(&mut self, sampled_usage: SampledUsage) {
        self.runs.retain(|dir, _| sampled_usage.dirs.contains(dir));
        for (dir, usage) in sampled_usage
            .dirs
            .iter()
            .zip(&sampled_usage.reading.processes)
        {
            if let Some(usage) = usage {
                let history = self.runs.entry(dir.clone()).or_default();
                history.push(usage.clone());
            }
        }
        self.readings.push(sampled_usage.reading.clone());
        self.last = Some(sampled_usage);
    }

    /// The runs at work on this machine: their glyphs and names, with what they use; by their
    /// folders' names.
    fn shown<'a>(
        &'a self,
        context: &'a Context,
    ) -> Vec<(Span<'a>, Cow<'a, str>, &'a History<Usage>)> {
        let mut runs: Vec<_> = self.runs.iter().collect();
        let name = |dir: &RunDir| context.summary(dir);
        runs.sort_by_key(|(dir, _)| *dir);
        let shown = runs.into_iter().filter_map(|(dir, history)| {
            let summary = name(dir)?;
            let run = summary.observed.state;
            let style = context.theme.style(state_glyph::role(run));
            let glyph = Span::styled(format!("{} ", state_glyph::glyph(run)), style);
            Some((glyph, summary.title(), history))
        });
        shown.collect()
    }

    fn title(&self) -> String {
        let host = self
            .last
            .as_ref()
            .map_or("", |sampled_usage| &sampled_usage.host);
        format!("Machine {}{}", clean(host), self.readings.span())
    }

    fn machine_lines(&self, theme: &Theme, width: usize) -> Vec<Line<'static>> {
        let Some(sampled_usage) = &self.last else {
            return vec![Line::styled("measuring ...", theme.style(Role::Muted))];
        };
        let now = &sampled_usage.reading;
        let plural = if now.cores == 1 { "" } else { "s" };
        let cpu = self.readings.of(|reading| reading.cpu);
        let memory = self.readings.of(|reading| reading.memory_used as f32);
        let mut rows = vec![
            Row {
                label: "CPU".to_owned(),
                what: format!("{} core{plural}", now.cores),
                trend: Some((cpu, 100.0)),
                said: percent(now.cpu),
                is_high: false,
            },
            Row {
                label: "memory".to_owned(),
                what: String::new(),
                trend: Some((memory, now.memory as f32)),
                said: part_of(now.memory_used, now.memory),
                is_high: now.memory_used as f64 > 0.9 * now.memory as f64,
            },
        ];
        rows.extend(now.gpus.iter().map(|gpu| self.gpu_row(gpu)));
        rows.extend(sampled_usage.disks.iter().map(|(folder, disk)| Row {
            label: "disk".to_owned(),
            what: clean(&folder.display().to_string()).into_owned(),
            trend: None,
            said: format!("{} of {} free", bytes(disk.free), bytes(disk.total)),
            is_high: disk.free < disk.total / 20,
        }));
        rows.iter().map(|row| row.line(theme, width)).collect()
    }

    fn gpu_row(&self, gpu: &Gpu) -> Row {
        let load = |reading: &Reading| {
            let same = reading.gpus.iter().find(|other| other.uuid == gpu.uuid);
            same.and_then(|gpu| gpu.load).unwrap_or(0) as f32
        };
        let mut said: Vec<String> = Vec::new();
        said.extend(gpu.load.map(|load| percent(load as f32)));
        said.push(part_of(gpu.memory_used, gpu.memory));
        said.extend(gpu.temperature.map(|degrees| format!("{degrees} °C")));
        said.extend(gpu.power.map(|watts| format!("{watts:.0} W")));
        Row {
            label: format!("GPU {}", gpu.index),
            what: clean(&gpu.name).into_owned(),
            trend: gpu.load.map(|_| (self.readings.of(load), 100.0)),
            said: said.join("  "),
            is_high: gpu.memory_used as f64 > 0.97 * gpu.memory as f64,
        }
    }

    fn run_lines(
        &self,
        runs: &[(Span, Cow<str>, &History<Usage>)],
        sampled_usage: &SampledUsage,
        theme: &Theme,
        width: usize,
    ) -> Vec<Line<'static>> {
        let muted = theme.style(Role::Muted);
        let elsewhere = sampled_usage.dirs.len() - runs.len().min(sampled_usage.dirs.len());
        let mut lines = Vec::new();
        let [cpu_width, memory_width, gpu_width] = RUN_COLUMNS;
        let name_width = width.saturating_sub(cpu_width + memory_width + gpu_width);
        if runs.is_empty() && elsewhere == 0 {
            lines.push(Line::styled("no run is at work", muted));
        }
        if !runs.is_empty() {
            let heading = format!(
                "{:<name_width$}{:<cpu_width$}{:<memory_width$}GPU",
                "RUN", "CPU", "MEMORY"
            );
            lines.push(Line::styled(heading, theme.style(Role::Header)));
        }
        for (glyph, name, history) in runs.iter().skip(self.top) {
            let Some(now) = history.last() else { continue };
            let cores = sampled_usage.reading.cores as f32 * 100.0;
            let cpu = history.trend(|usage| usage.cpu, cores, RUN_TREND);
            let memory = sampled_usage.reading.memory as f32;
            let memory = history.trend(|usage| usage.memory as f32, memory, RUN_TREND);
            let name = fitted(name, name_width.saturating_sub(3)).into_owned();
            let line = vec![
                Span::styled(glyph.content.to_string(), glyph.style),
                Span::styled(
                    pad(&name, name_width.saturating_sub(2)),
                    theme.style(Role::Text),
                ),
                Span::styled(cpu, theme.style(Role::Trend)),
                Span::styled(
                    pad(&format!(" {}", percent(now.cpu)), cpu_width - RUN_TREND),
                    theme.style(Role::Text),
                ),
                Span::styled(memory, theme.style(Role::Trend)),
                Span::styled(
                    pad(&format!(" {}", bytes(now.memory)), memory_width - RUN_TREND),
                    theme.style(Role::Text),
                ),
                Span::styled(gpus(&now.gpus), theme.style(Role::Text)),
            ];
            lines.push(Line::from(line));
        }
        if elsewhere > 0 {
            let text = format!("{elsewhere} more at work on other machines, or not measured yet");
            lines.push(Line::styled(text, muted));
        }
        lines
    }
}

impl Component for MachineView {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Machine
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        if action == Action::Back {
            return Response::closed();
        }
        let Some(motion) = Motion::of(action) else {
            return Response::ignored();
        };
        self.top = motion.along(self.top, self.shown(context).len(), PAGE);
        Response::handled()
    }

    /// Draws it in the middle of `area`.
    ///
    /// ```text
    /// ╭ Machine node7, the last 4 min ─────────────────────────────────────────────╮
    /// │ CPU     64 cores               ▁▂▅▇▇▇▇▆  87 %                               │
    /// │ memory                         ▂▂▂▂▂▂▂▂  13.2 of 540 GB                     │
    /// │ GPU 0   NVIDIA H100 80GB HBM3  ▁▁▇▇▇▇▇▇  93 %  12.1 of 85.0 GB  61 °C  402 W│
    /// │ disk    /home/ada/runs                   64.8 of 252 GB free                │
    /// │                                                                             │
    /// │ RUN                            CPU          MEMORY           GPU            │
    /// │ ● quick 11-24                  ▁▇▇▇ 187 %   ▁▂▂▂ 1.20 GB     0: 93 %, 12 GB │
    /// ╰─────────────────────────────────────────────────────────────────────────────╯
    /// ```
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let width = WIDTH.min(area.width.saturating_sub(2));
        let inner = usize::from(width.saturating_sub(4));
        let mut lines = self.machine_lines(theme, inner);
        let runs = self.shown(context);
        if let Some(sampled_usage) = &self.last {
            lines.push(Line::default());
            lines.extend(self.run_lines(&runs, sampled_usage, theme, inner));
        }
        let height = (lines.len() as u16 + 3).min(area.height);
        let inside = frame(theme, &self.title(), (width, height), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let rows = usize::from(inside.height.saturating_sub(1));
        // What says how many more there are stays where the rest does not fit.
        let hidden = lines.len().saturating_sub(rows);
        if hidden > 0 && rows > 0 {
            lines.truncate(rows - 1);
            let text = format!("{} more rows; a taller terminal shows them", hidden + 1);
            lines.push(Line::styled(text, theme.style(Role::Muted)));
        }
        for (y, line) in (inside.y..).zip(lines) {
            let row = Rect {
                y,
                height: 1,
                ..inside
            };
            line.render(row, buf);
        }
        draw_keys(context, Scope::Machine, inside, buf);
    }
}

/// A row about a part of the machine.
struct Row {
    label: String,
    what: String,
    /// Values and what would be full.
    trend: Option<(Vec<f32>, f32)>,
    said: String,
    is_high: bool,
}

impl Row {
    fn line(&self, theme: &Theme, width: usize) -> Line<'static> {
        let rest = width.saturating_sub(LABEL + SAID + 1);
        // A third for the trend, where there is one.
        let trend_width = if self.trend.is_some() {
            (rest / 2).min(40)
        } else {
            0
        };
        let what_width = rest - trend_width;
        let trend = self
            .trend
            .as_ref()
            .map_or_else(String::new, |(values, full)| {
                history::trend_bars(values, *full, trend_width)
            });
        let text = theme.style(if self.is_high { Role::Warn } else { Role::Text });
        let what = fitted(&self.what, what_width.saturating_sub(1)).into_owned();
        Line::from(vec![
            Span::styled(pad(&self.label, LABEL), theme.style(Role::Title)),
            Span::styled(pad(&what, what_width), theme.style(Role::Muted)),
            Span::styled(trend, theme.style(Role::Trend)),
            Span::styled(format!(" {}", fitted(&self.said, SAID)), text),
        ])
    }
}

/// What a run uses, for the top of its screen: `CPU ▁▇▇▇ 187 %  memory ▁▂▂ 1.20 GB  GPU 0 ▁▇▇ 93 %,
/// 12.1 of 85.0 GB`.
pub fn usage_line(usage: &History<Usage>, theme: &Theme) -> Line<'static> {
    let Some(now) = usage.last() else {
        return Line::default();
    };
    let label = |text: String| Span::styled(text, theme.style(Role::Muted));
    let said = |text: String| Span::styled(text, theme.style(Role::Text));
    // It grows to the right where there is nothing to its left.
    let trend = |text: String| Span::styled(text.trim_start().to_owned(), theme.style(Role::Trend));
    let most = |of: fn(&Usage) -> f32| usage.of(of).into_iter().fold(1.0, f32::max);
    let cpu: fn(&Usage) -> f32 = |usage| usage.cpu;
    let memory: fn(&Usage) -> f32 = |usage| usage.memory as f32;
    let mut spans = vec![
        label("CPU ".to_owned()),
        trend(usage.trend(cpu, most(cpu), RUN_TREND)),
        said(format!(" {}  ", percent(now.cpu))),
        label("memory ".to_owned()),
        trend(usage.trend(memory, most(memory), RUN_TREND)),
        said(format!(" {}  ", bytes(now.memory))),
    ];
    for gpu in &now.gpus {
        let load = |usage: &Usage| {
            let same = usage.gpus.iter().find(|other| other.index == gpu.index);
            same.and_then(|gpu| gpu.load).unwrap_or(0) as f32
        };
        spans.push(label(format!("GPU {} ", gpu.index)));
        spans.push(trend(usage.trend(load, 100.0, RUN_TREND)));
        let mut words: Vec<String> = Vec::new();
        words.extend(gpu.load.map(|load| percent(load as f32)));
        words.extend(gpu.memory.map(|memory| part_of(memory, gpu.of)));
        spans.push(said(format!(" {}  ", words.join(", "))));
    }
    Line::from(spans)
}

/// `0: 93 %, 12.1 GB`
fn gpus(shares: &[GpuShare]) -> String {
    let words = shares.iter().map(|share| {
        let mut words: Vec<String> = Vec::new();
        words.extend(share.load.map(|load| percent(load as f32)));
        words.extend(share.memory.map(bytes));
        format!("{}: {}", share.index, words.join(", "))
    });
    words.collect::<Vec<_>>().join("; ")
}

fn percent(value: f32) -> String {
    format!("{value:.0} %")
}

/// `13.2 of 540 GB`, or `13.2 MB of 540 GB`.
fn part_of(part: u64, whole: u64) -> String {
    let (part, whole) = (bytes(part), bytes(whole));
    match (part.split_once(' '), whole.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number} of {whole}"),
        _ => format!("{part} of {whole}"),
    }
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(unicode_width::UnicodeWidthStr::width(text));
    format!("{text}{}", " ".repeat(missing))
}
