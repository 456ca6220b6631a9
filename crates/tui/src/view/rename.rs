//! Renaming the marked runs: a template that is typed, and below it every old and new name as it
//! would be.

use std::collections::BTreeSet;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::effect::Effect;
use super::super::theme::Role;
use super::super::widget::prompt::Prompt;
use super::dialog::{draw_keys, frame};
use crate::jobs::edits::{EditJob, Gathered};
use crate::widget::clipped::Clipped as _;
use traintop_ops::rename::{self, RenameRequest, Step};
use traintop_run::name_template::Template;
use traintop_text::{clean, fitted};

/// The question for a template.
#[derive(Debug)]
pub struct Renaming {
    count: usize,
    prompt: Prompt,
    /// `None` while the runs are being read.
    known: Option<Gathered>,
    /// Which of the kept templates is shown; `None` while one's own is typed.
    at: Option<usize>,
    /// The first step on the screen.
    top: usize,
}

impl Renaming {
    /// Asks for the names of `count` runs.
    pub fn new(count: usize) -> Self {
        Self {
            count,
            prompt: Prompt::default(),
            known: None,
            at: None,
            top: 0,
        }
    }

    /// Takes in what is known of the runs, and offers the template that was used last.
    pub fn know(&mut self, known: Gathered) {
        if self.prompt.text().is_empty() {
            self.prompt = Prompt::new(known.kept.first().map_or("", |template| template));
            self.at = Some(0);
        }
        self.known = Some(known);
    }

    /// Every row as it would be, or what is wrong with the template; `None` while the runs are
    /// being read.
    fn steps(&self) -> Option<Result<Vec<Step>, String>> {
        let known = self.known.as_ref()?;
        let template = match Template::parse(&self.prompt.text()) {
            Ok(template) => template,
            Err(problem) => return Some(Err(problem)),
        };
        let wishes = known.runs.iter().map(|(dir, state, values)| RenameRequest {
            dir: dir.clone(),
            state: *state,
            name: template.fill(values),
        });
        let taken = |path: &std::path::Path| known.taken.contains(path);
        Some(Ok(rename::plan(wishes.collect(), taken)))
    }

    /// The beginning of the field that is being typed, if one is.
    fn begun_field(&self) -> Option<String> {
        let text = self.prompt.text();
        let before: String = text.chars().take(self.prompt.cursor()).collect();
        let (_, field) = before.rsplit_once('{')?;
        (!field.contains([':', '}'])).then(|| field.to_owned())
    }

    /// The fields that the runs have and that begin so.
    fn fields(&self, begun: &str) -> Vec<&str> {
        let runs = self.known.iter().flat_map(|known| &known.runs);
        let fields: BTreeSet<&str> = runs.flat_map(|(_, _, values)| values.fields()).collect();
        fields
            .into_iter()
            .filter(|field| field.starts_with(begun))
            .collect()
    }

    /// Completes the field that is being typed, as far as it is certain.
    fn complete(&mut self) {
        let Some(begun) = self.begun_field() else {
            return;
        };
        let fields = self.fields(&begun);
        let Some(first) = fields.first() else { return };
        let common = fields.iter().fold(*first, |common, field| {
            let same = common
                .char_indices()
                .zip(field.chars())
                .find(|((_, a), b)| a != b)
                .map_or(common.len().min(field.len()), |((at, _), _)| at);
            &common[..same]
        });
        let end = if fields.len() == 1 { "}" } else { "" };
        let rest = format!("{}{end}", &common[begun.len()..]);
        self.prompt.insert(&rest);
        self.at = None;
    }

    /// Shows another of the kept templates.
    fn recall(&mut self, step: isize) {
        let kept = self.known.as_ref().map_or(&[][..], |known| &known.kept);
        let at = self.at.map_or(0, |at| at.saturating_add_signed(step));
        if let Some(template) = kept.get(at) {
            self.prompt = Prompt::new(template);
            self.at = Some(at);
        }
    }

    /// The line below the template: what is wrong with it, the fields that could follow, or which
    /// of the kept ones it is.
    fn hint(&self, steps: Option<&Result<Vec<Step>, String>>) -> (String, Role) {
        if let Some(begun) = self.begun_field() {
            let fields = self.fields(&begun);
            return if fields.is_empty() && self.known.is_some() {
                (
                    format!("no run has a field that begins with {begun}"),
                    Role::Bad,
                )
            } else {
                (fields.join("  "), Role::Muted)
            };
        }
        match (steps, self.at, &self.known) {
            (Some(Err(problem)), ..) => (problem.clone(), Role::Bad),
            (_, Some(at), Some(known)) => (
                format!("template {} of {} that were used", at + 1, known.kept.len()),
                Role::Muted,
            ),
            _ => ("{ begins a field, Tab completes it".to_owned(), Role::Muted),
        }
    }

    fn confirm(&self) -> Response {
        match self.steps() {
            Some(Ok(steps)) if steps.iter().all(|step| step.problem.is_none()) => {
                let job = EditJob::RenameAll(steps, self.prompt.text());
                Response::closed().with(Request::Run(Effect::Edit(job)))
            }
            // The rows say what is wrong.
            _ => Response::handled(),
        }
    }

    fn draw_prompt(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let key = context.theme.style(Role::Key);
        let room = usize::from(area.width).saturating_sub(1);
        self.prompt.line(room, key).render(area, buf);
    }
}

impl Component for Renaming {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Rename
    }

    fn act(&mut self, action: Action, _context: &Context) -> Response {
        match action {
            Action::Back => return Response::closed(),
            Action::Confirm => return self.confirm(),
            Action::Complete => self.complete(),
            Action::Up => self.recall(1),
            Action::Down => self.recall(-1),
            Action::PageDown => self.top = (self.top + 5).min(self.count.saturating_sub(1)),
            Action::PageUp => self.top = self.top.saturating_sub(5),
            _ => return Response::ignored(),
        }
        Response::handled()
    }

    fn type_key(&mut self, event: KeyEvent, _context: &Context) -> Response {
        if self.prompt.key(event) {
            self.at = None;
        }
        Response::handled()
    }

    fn paste(&mut self, text: &str) {
        self.prompt.insert(text);
        self.at = None;
    }

    /// Draws it over most of `area`.
    ///
    /// ```text
    /// ╭ Rename 3 runs ──────────────────────────────────────────╮
    /// │ {model}-{seed}▏                                         │
    /// │ { begins a field, Tab completes it                      │
    /// │                                                         │
    /// │   NOW                    THEN                           │
    /// │ ✓ 2026_11_24_02_26_37    resnet_se-1                    │
    /// │ ✗ 2026_11_24_03_00_00    it has no seed                 │
    /// │                                                         │
    /// │ 1 of 3 cannot be renamed: nothing is until all can be   │
    /// │ Enter rename  Tab complete  ↑ ↓ used before  Esc cancel │
    /// ╰─────────────────────────────────────────────────────────╯
    /// ```
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let width = 130.min(area.width.saturating_sub(2));
        let height = (self.count as u16 * 2 + 9).clamp(12, area.height.saturating_sub(2).max(12));
        let title = format!("Rename {} runs", self.count);
        let inside = frame(theme, &title, (width, height), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        if inside.height < 8 {
            return;
        }
        let room = usize::from(inside.width);
        let row = |y: u16| Rect {
            y: inside.y + y,
            height: 1,
            ..inside
        };
        self.draw_prompt(context, row(0), buf);
        let steps = self.steps();
        let (hint, role) = self.hint(steps.as_ref());
        buf.put(
            inside.x,
            inside.y + 1,
            fitted(&hint, room),
            theme.style(role),
        );
        let list = Rect {
            y: inside.y + 3,
            height: inside.height - 6,
            ..inside
        };
        let bottom = inside.height - 2;
        let said = match &steps {
            None => (format!("reading {} runs …", self.count), Role::Muted),
            Some(Err(_)) => (String::new(), Role::Muted),
            Some(Ok(steps)) => {
                draw_steps(context, &steps[self.top.min(steps.len())..], list, buf);
                let bad = steps.iter().filter(|step| step.problem.is_some()).count();
                let more = if self.top > 0 || steps.len() > usize::from(list.height - 1) {
                    "; PgUp PgDn show more"
                } else {
                    ""
                };
                match bad {
                    0 => (format!("{} can be renamed{more}", steps.len()), Role::Good),
                    bad => (
                        format!(
                            "{bad} of {} cannot be renamed; nothing is renamed until all can be{more}",
                            steps.len()
                        ),
                        Role::Bad,
                    ),
                }
            }
        };
        let line = fitted(&said.0, room).into_owned();
        Line::styled(line, theme.style(said.1)).render(row(bottom), buf);
        draw_keys(context, Scope::Rename, row(bottom + 1), buf);
    }
}

/// A row for each run: its folder's name, and its new one, or why there is none.
fn draw_steps(context: &Context, steps: &[Step], area: Rect, buf: &mut Buffer) {
    let theme = &context.theme;
    let names = steps.iter().map(|step| step.from.name().chars().count());
    let half = usize::from(area.width / 2).saturating_sub(2);
    let first = names.max().unwrap_or(0).max(3).min(half);
    let second = usize::from(area.width).saturating_sub(first + 4);
    let x = area.x + 2 + first as u16 + 2;
    let header = theme.style(Role::Header);
    buf.put(area.x + 2, area.y, "NOW", header);
    buf.put(x, area.y, "THEN", header);
    let mut y = area.y + 1;
    for step in steps {
        if y >= area.bottom() {
            return;
        }
        let then = step.name.as_deref().map(clean);
        let is_same = then.as_deref() == Some(&*step.from.name());
        let (sign, role) = match &step.problem {
            Some(_) => ("✗", Role::Bad),
            None if is_same => ("=", Role::Muted),
            None => ("✓", Role::Good),
        };
        buf.put(area.x, y, sign, theme.style(role));
        let now = step.from.name();
        let now = clean(&now);
        buf.put(area.x + 2, y, fitted(&now, first), theme.style(Role::Muted));
        if let Some(then) = &then {
            buf.put(x, y, fitted(then, second), theme.style(Role::Text));
        }
        if let Some(problem) = &step.problem {
            let problem = clean(problem);
            // Beside nothing there is room for the reason.
            if then.is_some() {
                y += 1;
            }
            if y < area.bottom() {
                buf.put(x, y, fitted(&problem, second), theme.style(Role::Bad));
            }
        }
        y += 1;
    }
}
