//! A line that is asked for about one run or many: tags, a name. What is wrong with it is shown as
//! one types.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::effect::Effect;
use super::super::theme::Role;
use super::super::widget::prompt::Prompt;
use super::dialog::{frame, keys};
use crate::jobs::edits::EditJob;
use traintop_ops::rename;
use traintop_run::RunDir;
use traintop_run::notes::{Change, Notes, retag_of, tags_of};
use traintop_run::state::State as RunState;
use traintop_run::summary::Summary;
use traintop_text::clean;

/// What the line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The run's tags, apart by spaces.
    Tags,
    /// Its folder's name, or, after Tab, only what lists call it.
    Name,
    /// Tags that many runs are to have or not to have.
    Retag,
    /// A line for the end of many runs' notes.
    NoteLine,
}

/// The question and what was typed.
#[derive(Debug)]
pub struct LineDialog {
    about: About,
    dirs: Vec<RunDir>,
    /// The run, as lists call it, or how many there are.
    name: String,
    /// What it is doing, where it is one.
    state: Option<RunState>,
    /// Of a name, whether the folder stays.
    only_lists: bool,
    prompt: Prompt,
}

impl About {
    fn title(self) -> &'static str {
        match self {
            Self::Tags | Self::Retag => "Tags",
            Self::NoteLine => "A line for the notes",
            Self::Name => "Name",
        }
    }

    fn hint(self, only_lists: bool) -> &'static str {
        match self {
            Self::Tags => "words, apart by spaces",
            Self::Retag => "words are added to each, -word is removed",
            Self::NoteLine => "stands then at the end of each run's note",
            Self::Name if only_lists => "in lists only: the folder stays; Tab renames the folder",
            Self::Name => "renames the folder; Tab changes the name in lists only",
        }
    }
}

impl LineDialog {
    /// Asks about a run, with what holds now as the text to change.
    pub fn new(about: About, summary: &Summary) -> Self {
        let (dir, name) = (summary.dir.clone(), summary.name.clone());
        Self {
            state: Some(summary.observed.state),
            name: summary.title().into_owned(),
            ..Self::about_folder(about, dir, name, &summary.notes)
        }
    }

    /// Asks about a folder that people can name and annotate, such as an evaluation's; `name` is
    /// what lists call it.
    pub fn about_folder(about: About, dir: RunDir, name: String, notes: &Notes) -> Self {
        let text = match about {
            About::Tags => notes.tags.join(" "),
            About::Name => name.clone(),
            About::Retag | About::NoteLine => String::new(),
        };
        Self {
            about,
            dirs: vec![dir],
            name,
            state: None,
            only_lists: notes.name.is_some(),
            prompt: Prompt::new(&text),
        }
    }

    /// The line of a job that failed, to save it again or to change it; `None` if it was not typed
    /// in a line.
    pub fn unsaved<'a>(
        job: EditJob,
        summary: impl Fn(&RunDir) -> Option<&'a Summary>,
    ) -> Option<Self> {
        let (dirs, about, text, only_lists) = match job {
            EditJob::Rename(dir, name) => (vec![dir], About::Name, name, false),
            EditJob::Annotate(dirs, Change::Name(name)) => (dirs, About::Name, name, true),
            EditJob::Annotate(dirs, Change::Tags(tags)) => {
                (dirs, About::Tags, tags.join(" "), false)
            }
            EditJob::Annotate(dirs, Change::Retag { add, remove }) => {
                let remove = remove.into_iter().map(|tag| format!("-{tag}"));
                let words: Vec<String> = add.into_iter().chain(remove).collect();
                (dirs, About::Retag, words.join(" "), false)
            }
            EditJob::Annotate(dirs, Change::NoteLine(line)) => (dirs, About::NoteLine, line, false),
            _ => return None,
        };
        let dialog = match (about, &dirs[..]) {
            (About::Name | About::Tags, [dir]) => match summary(dir) {
                Some(summary) => Self::new(about, summary),
                None => {
                    let name = clean(&dir.name()).into_owned();
                    Self::about_folder(about, dir.clone(), name, &Notes::default())
                }
            },
            _ => Self::many(about, dirs),
        };
        Some(Self {
            only_lists,
            prompt: Prompt::new(&text),
            ..dialog
        })
    }

    /// Asks about all of these runs at once.
    pub fn many(about: About, dirs: Vec<RunDir>) -> Self {
        Self {
            about,
            name: format!("{} runs", dirs.len()),
            dirs,
            state: None,
            only_lists: false,
            prompt: Prompt::default(),
        }
    }

    /// What follows from the line, or what is wrong with it.
    fn answer(&self) -> Result<EditJob, String> {
        let text = self.prompt.text();
        let change = match self.about {
            About::Tags => Change::Tags(tags_of(&text)?),
            About::Retag => retag_of(&text)?,
            About::NoteLine => Change::NoteLine(text),
            About::Name if self.only_lists => Change::Name(text),
            About::Name => {
                let problem =
                    rename::forbidden(&text).or_else(|| self.state.and_then(rename::held));
                return match (problem, &self.dirs[..]) {
                    (None, [dir]) => Ok(EditJob::Rename(dir.clone(), text)),
                    (problem, _) => Err(problem.unwrap_or_default()),
                };
            }
        };
        Ok(EditJob::Annotate(self.dirs.clone(), change))
    }
}

impl Component for LineDialog {
    fn scope(&self, _context: &Context) -> Scope {
        match self.about {
            About::Name => Scope::Name,
            About::Tags | About::Retag | About::NoteLine => Scope::Line,
        }
    }

    fn act(&mut self, action: Action, _context: &Context) -> Response {
        match action {
            Action::Back => Response::closed(),
            Action::Confirm => match self.answer() {
                Ok(job) => Response::closed().with(Request::Run(Effect::Edit(job))),
                // The line below the text says what is wrong.
                Err(_) => Response::handled(),
            },
            Action::SwitchNameKind => {
                self.only_lists = !self.only_lists;
                Response::handled()
            }
            _ => Response::ignored(),
        }
    }

    fn type_key(&mut self, event: KeyEvent, _context: &Context) -> Response {
        self.prompt.key(event);
        Response::handled()
    }

    fn paste(&mut self, text: &str) {
        let lines: Vec<&str> = text.trim_end().lines().collect();
        self.prompt.insert(&lines.join(" "));
    }

    /// Draws it in the middle of `area`.
    ///
    /// ```text
    /// ╭ Tags of quick 11-24 ─────────╮
    /// │ paper▏ ablation              │
    /// │                              │
    /// │ Enter save  Esc cancel       │
    /// ╰──────────────────────────────╯
    /// ```
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let title = format!("{} of {}", self.about.title(), self.name);
        let width = 76.min(area.width.saturating_sub(2));
        let typed = self.prompt.text();
        let rows = (typed.chars().count() as u16 / width.saturating_sub(4).max(1)).min(5) + 1;
        let inside = frame(theme, &title, (width, rows + 4), area, buf);
        let inside = inside.inner(ratatui::layout::Margin::new(1, 0));
        let (hint, role) = match self.answer() {
            Ok(_) => (self.about.hint(self.only_lists).to_owned(), Role::Muted),
            Err(problem) => (problem, Role::Bad),
        };
        let key = theme.style(Role::Key);
        let text = vec![
            self.prompt.line(usize::MAX, key),
            Line::styled(hint, theme.style(role)),
            keys(context, self.scope(context), inside.width),
        ];
        Paragraph::new(text)
            .wrap(Wrap { trim: false })
            .render(inside, buf);
    }
}
