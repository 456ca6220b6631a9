//! The form that starts an evaluation: which checkpoint, which images, how many views.

use crate::jobs::evaluations::card::Card;
use std::path::PathBuf;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use crate::command::{Action, Scope};
use crate::component::{Component, Request, Response};
use crate::context::Context;
use crate::theme::Role;
use crate::view::dialog::{frame, keys};
use crate::widget::prompt::CURSOR;
use crate::widget::prompt::Prompt;
use traintop_launch::EvaluateRequest;
use traintop_run::summary::Summary;

/// A checkpoint to choose: its name, and what the worker gets for it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Checkpoint {
    /// Of each run's own: `best`, `last`, `averaged`.
    Which(&'static str),
    /// A file of the one run.
    File(String, PathBuf),
}

/// A run to be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    name: String,
    folder: PathBuf,
}

/// A row of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Checkpoint,
    Together,
    Data,
    Split,
    Views,
    Seed,
}

impl Field {
    fn label(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Together => "together",
            Self::Data => "data",
            Self::Split => "split",
            Self::Views => "views",
            Self::Seed => "seed",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Checkpoint => "left and right choose",
            Self::Together => "one after the other, or as an ensemble whose answers are averaged",
            Self::Data => "a data set or a file of unlabelled images; empty: the run's own",
            Self::Split => "auto takes the test images where there are any, else validation",
            Self::Views => "1 is the image alone, 2 adds its mirror image, more add shifted crops",
            Self::Seed => "of the shifted crops",
        }
    }
}

/// The runs, and what was chosen.
#[derive(Debug)]
pub struct Form {
    targets: Vec<Target>,
    checkpoints: Vec<Checkpoint>,
    checkpoint: usize,
    is_ensemble: bool,
    data: Prompt,
    split: usize,
    views: Prompt,
    seed: Prompt,
    row: usize,
}

/// The worker's own choice first.
const SPLITS: [&str; 3] = ["auto", "test", "val"];
const MOST_VIEWS: u32 = 1000;
const WHICH: [&str; 3] = ["best", "last", "averaged"];

impl Form {
    /// The form for these runs; without any, for the checkpoints of the evaluation under the
    /// cursor. `None` if there is neither.
    pub fn new(context: &Context, runs: &[&Summary], card: Option<&Card>) -> Option<Self> {
        let mut targets: Vec<Target> = runs
            .iter()
            .map(|summary| Target {
                name: summary.title().into_owned(),
                folder: summary.dir.path().to_owned(),
            })
            .collect();
        let mut checkpoints: Vec<Checkpoint> = WHICH.map(Checkpoint::Which).into();
        if let [only] = runs
            && let Some(detail) = context.detail(&only.dir)
        {
            let has = |which: &str| {
                let mut known = detail.checkpoints.iter();
                known.any(|known| known.epoch.is_none() && known.what == which)
            };
            // Averaged weights lie inside of other files.
            checkpoints.retain(|choice| match choice {
                Checkpoint::Which("averaged") => has("best") || has("last"),
                Checkpoint::Which(which) => has(which),
                Checkpoint::File(..) => true,
            });
            let files = detail.checkpoints.iter();
            checkpoints.extend(
                files
                    .filter(|file| {
                        let is_ours = file
                            .path
                            .extension()
                            .is_some_and(|end| end == "safetensors");
                        !(is_ours && file.epoch.is_none() && WHICH.contains(&file.what.as_str()))
                    })
                    .map(|file| Checkpoint::File(file.what.clone(), file.path.clone())),
            );
        }
        if targets.is_empty() {
            let card = card?;
            targets = card
                .checkpoints
                .iter()
                .filter_map(|one| one.path.as_ref())
                .map(|file| Target {
                    name: card.name.clone(),
                    folder: file.clone(),
                })
                .collect();
            checkpoints = vec![Checkpoint::File(card.checkpoint.clone(), PathBuf::new())];
        }
        (!targets.is_empty() && !checkpoints.is_empty()).then(|| Self {
            targets,
            checkpoints,
            checkpoint: 0,
            is_ensemble: false,
            data: Prompt::default(),
            split: 0,
            views: Prompt::new("1"),
            seed: Prompt::new("0"),
            row: 0,
        })
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = vec![Field::Checkpoint];
        if self.targets.len() > 1 {
            fields.push(Field::Together);
        }
        fields.extend([Field::Data, Field::Split, Field::Views, Field::Seed]);
        fields
    }

    fn field(&self) -> Field {
        let fields = self.fields();
        fields[self.row.min(fields.len() - 1)]
    }

    fn prompt(&mut self) -> Option<&mut Prompt> {
        match self.field() {
            Field::Data => Some(&mut self.data),
            Field::Views => Some(&mut self.views),
            Field::Seed => Some(&mut self.seed),
            Field::Checkpoint | Field::Together | Field::Split => None,
        }
    }

    /// What the worker is to do, or what is wrong.
    fn requests(&self) -> Result<Vec<EvaluateRequest>, String> {
        let views = self.views.text().trim().parse::<u32>().ok();
        let views = views.filter(|views| (1..=MOST_VIEWS).contains(views));
        let Some(views) = views else {
            return Err(format!(
                "views must be a whole number from 1 to {MOST_VIEWS}"
            ));
        };
        let Ok(seed) = self.seed.text().trim().parse::<u64>() else {
            return Err("seed must be a whole number, 0 or more".to_owned());
        };
        let data = self.data.text().trim().to_owned();
        let (which, file) = match &self.checkpoints[self.checkpoint] {
            Checkpoint::Which(which) => (Some((*which).to_owned()), None),
            Checkpoint::File(_, path) => (
                None,
                Some(path.clone()).filter(|path| !path.as_os_str().is_empty()),
            ),
        };
        let request = |checkpoints: Vec<PathBuf>| EvaluateRequest {
            checkpoints,
            which: which.clone(),
            data: (!data.is_empty()).then(|| PathBuf::from(&data)),
            split: (self.split > 0).then(|| SPLITS[self.split].to_owned()),
            views: Some(views),
            seed: Some(seed),
            ..EvaluateRequest::default()
        };
        let folders = self.targets.iter().map(|target| {
            let file = file.clone();
            file.unwrap_or_else(|| target.folder.clone())
        });
        Ok(if self.is_ensemble {
            vec![request(folders.collect())]
        } else {
            folders.map(|folder| request(vec![folder])).collect()
        })
    }

    fn turn(&mut self, by: isize) {
        let next =
            |at: usize, count: usize| (at as isize + by).rem_euclid(count.max(1) as isize) as usize;
        match self.field() {
            Field::Checkpoint => self.checkpoint = next(self.checkpoint, self.checkpoints.len()),
            Field::Together => self.is_ensemble = !self.is_ensemble,
            Field::Split => self.split = next(self.split, SPLITS.len()),
            Field::Data | Field::Views | Field::Seed => {}
        }
    }

    fn value(&self, field: Field) -> String {
        let or = |prompt: &Prompt, empty: &str| match prompt.text() {
            text if text.is_empty() => empty.to_owned(),
            text => text,
        };
        match field {
            Field::Checkpoint => match &self.checkpoints[self.checkpoint] {
                Checkpoint::Which(which) => format!("‹ {which} ›"),
                Checkpoint::File(name, _) => format!("‹ {name} ›"),
            },
            Field::Together if self.is_ensemble => "‹ one ensemble ›".to_owned(),
            Field::Together => "‹ one after the other ›".to_owned(),
            Field::Data => or(&self.data, "the run's own"),
            Field::Split => format!("‹ {} ›", SPLITS[self.split]),
            Field::Views => self.views.text(),
            Field::Seed => self.seed.text(),
        }
    }

    /// A typed value with its cursor.
    fn typed(&self, field: Field) -> String {
        let prompt = match field {
            Field::Data => &self.data,
            Field::Views => &self.views,
            _ => &self.seed,
        };
        let (before, after) = prompt.halves(usize::MAX);
        format!("{before}{CURSOR}{after}")
    }
}

impl Component for Form {
    fn scope(&self, _context: &Context) -> Scope {
        match self.field() {
            Field::Data | Field::Views | Field::Seed => Scope::EvaluateText,
            Field::Checkpoint | Field::Together | Field::Split => Scope::Evaluate,
        }
    }

    fn act(&mut self, action: Action, _context: &Context) -> Response {
        let rows = self.fields().len();
        match action {
            Action::Back => return Response::closed(),
            Action::Confirm => {
                return match self.requests() {
                    Ok(requests) => Response::closed().with(Request::Evaluate(requests)),
                    // The line below the fields says what is wrong.
                    Err(_) => Response::handled(),
                };
            }
            Action::Down => self.row = (self.row + 1) % rows,
            Action::Up => self.row = (self.row + rows - 1) % rows,
            Action::Left => self.turn(-1),
            Action::Right => self.turn(1),
            _ => return Response::ignored(),
        }
        Response::handled()
    }

    fn type_key(&mut self, event: KeyEvent, _context: &Context) -> Response {
        if let Some(prompt) = self.prompt() {
            prompt.key(event);
        }
        Response::handled()
    }

    fn paste(&mut self, text: &str) {
        if let Some(prompt) = self.prompt() {
            prompt.insert(text);
        }
    }

    /// Draws it in the middle of `area`.
    ///
    /// ```text
    /// ╭ Evaluate quick 11-24 ────────────────────────────────╮
    /// │ ▌ checkpoint  ‹ best ›                               │
    /// │   data        the run's own                          │
    /// │   split       ‹ auto ›                               │
    /// │   views       8▏                                     │
    /// │   seed        0                                      │
    /// │                                                      │
    /// │ 1 is the image alone, 2 adds its mirror image        │
    /// │ Enter start  Tab next row  Esc cancel                │
    /// ╰──────────────────────────────────────────────────────╯
    /// ```
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let title = match &self.targets[..] {
            [one] => format!("Evaluate {}", one.name),
            several => format!("Evaluate {} checkpoints", several.len()),
        };
        let fields = self.fields();
        let width = 76.min(area.width.saturating_sub(2));
        let inside = frame(theme, &title, (width, fields.len() as u16 + 6), area, buf);
        let inside = inside.inner(Margin::new(1, 0));
        let mut lines: Vec<Line> = fields
            .iter()
            .enumerate()
            .map(|(row, field)| {
                let is_here = row == self.row;
                let label = if is_here { Role::Selection } else { Role::Text };
                let mark = if is_here { "▌ " } else { "  " };
                let mut value = self.value(*field);
                let is_typed = matches!(field, Field::Data | Field::Views | Field::Seed);
                if is_here && is_typed {
                    value = self.typed(*field);
                }
                Line::from(vec![
                    Span::styled(mark, theme.style(Role::Accent)),
                    Span::styled(format!("{:11}", field.label()), theme.style(label)),
                    Span::raw(" "),
                    Span::styled(value, theme.style(Role::Text)),
                ])
            })
            .collect();
        let (hint, role) = match self.requests() {
            Ok(_) => (self.field().hint().to_owned(), Role::Muted),
            Err(problem) => (problem, Role::Bad),
        };
        lines.extend([
            Line::default(),
            Line::styled(hint, theme.style(role)),
            Line::default(),
            keys(context, self.scope(context), inside.width),
        ]);
        Paragraph::new(lines)
            .wrap(Wrap { trim: false })
            .render(inside, buf);
    }
}
