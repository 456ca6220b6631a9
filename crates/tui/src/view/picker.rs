//! A list to pick from by typing: the palette of commands, and the themes with their colours shown
//! at once.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::super::command::{Action, Scope};
use super::super::component::{Component, Request, Response};
use super::super::context::Context;
use super::super::effect::Effect;
use super::super::theme::{Role, Theme};
use super::dialog::{draw_narrowing, frame, line_of_keys, list_rows, row_style};
use super::matching::{Entry, distance};
use super::motion::{Motion, in_sight};
use super::narrowing::Narrowing;
use super::runs::table::Runs;
use super::sort_key::SortKey;
use crate::notice::Notice;
use crate::widget::clipped::Clipped as _;
use traintop_launch::recent::Values;
use traintop_run::RunDir;
use traintop_run::summary::Summary;

/// Rows of the dialog around its list: the frame, the text, the keys.
const AROUND: u16 = 4;

#[derive(Debug, Clone, PartialEq)]
enum Pick {
    Command(Action),
    /// The number of a theme in the state's list.
    Theme(usize),
    Run(RunDir),
    Sort(SortKey),
    Group(Option<SortKey>),
    /// A job on a clean-up or the trash.
    Thing(Box<Effect>),
    /// Values for the form.
    Fill(Values),
}

#[derive(Debug, Clone, PartialEq)]
struct Item {
    name: String,
    detail: String,
    pick: Pick,
}

/// A list, what was typed to narrow it, and where one is in it.
#[derive(Debug)]
pub struct Picker {
    title: &'static str,
    items: Vec<Item>,
    narrowing: Narrowing,
    /// The theme to go back to.
    before: Option<Theme>,
}

impl Picker {
    fn of(title: &'static str, items: Vec<Item>) -> Self {
        Self {
            title,
            items,
            narrowing: Narrowing::default(),
            before: None,
        }
    }

    /// The commands that apply on a screen.
    pub fn commands(context: &Context, scope: Scope) -> Self {
        let here = context
            .keymap
            .reachable(scope)
            .filter(|(_, command, _)| command.action != Action::Palette);
        let items = here
            .map(|(scope, command, keys)| Item {
                name: command.name.to_owned(),
                detail: format!("{}  {}", command.description(scope), keys.join(" ")),
                pick: Pick::Command(command.action),
            })
            .collect();
        Self::of("Commands", items)
    }

    /// All runs, to go to one by its name.
    pub fn runs(context: &Context) -> Self {
        let summaries = context.runs.in_order();
        let item = |summary: &Summary| Item {
            name: summary.title().into_owned(),
            detail: format!("{}  {}", summary.model, summary.observed.state),
            pick: Pick::Run(summary.dir.clone()),
        };
        Self::of("Go to a run", summaries.map(item).collect())
    }

    /// Things to do: each with its name, what it is, and its effect.
    pub fn things(title: &'static str, things: Vec<(String, String, Effect)>) -> Self {
        let item = |(name, detail, effect)| Item {
            name,
            detail,
            pick: Pick::Thing(Box::new(effect)),
        };
        Self::of(title, things.into_iter().map(item).collect())
    }

    /// As [`Picker::things`], with the cursor on one of them.
    pub fn things_at(
        title: &'static str,
        things: Vec<(String, String, Effect)>,
        cursor: usize,
    ) -> Self {
        Self {
            narrowing: Narrowing::at(cursor),
            ..Self::things(title, things)
        }
    }

    /// What was started before: each with its changes in words, its age, and the changes.
    pub fn recent(starts: Vec<(String, String, Values)>) -> Self {
        let item = |(name, detail, values)| Item {
            name,
            detail,
            pick: Pick::Fill(values),
        };
        Self::of("Started lately", starts.into_iter().map(item).collect())
    }

    /// Everything that runs can be sorted by.
    pub fn sorting(runs: &mut Runs) -> Self {
        let (sorted, _) = runs.arranged_by();
        Self::values(runs, "Sort by", Some(&sorted), Pick::Sort, Vec::new())
    }

    /// Everything that runs can be grouped by.
    pub fn grouping(runs: &mut Runs) -> Self {
        let (_, grouped) = runs.arranged_by();
        let nothing = Item {
            name: "(nothing)".to_owned(),
            detail: "one list".to_owned(),
            pick: Pick::Group(None),
        };
        Self::values(
            runs,
            "Group by",
            grouped.as_deref(),
            |key| Pick::Group(Some(key)),
            vec![nothing],
        )
    }

    fn values(
        runs: &mut Runs,
        title: &'static str,
        present: Option<&str>,
        pick: impl Fn(SortKey) -> Pick,
        mut items: Vec<Item>,
    ) -> Self {
        let choices = runs.choices().into_iter();
        items.extend(choices.filter_map(|(name, what)| {
            let pick = pick(SortKey::named(&name)?);
            let detail = what.to_owned();
            Some(Item { name, detail, pick })
        }));
        let cursor = items
            .iter()
            .position(|item| Some(item.name.as_str()) == present);
        Self {
            title,
            items,
            narrowing: Narrowing::at(cursor.unwrap_or(0)),
            before: None,
        }
    }

    /// All themes, the present one under the cursor.
    pub fn themes(context: &Context) -> Self {
        let item = |(at, theme): (usize, &Theme)| Item {
            name: theme.name.clone(),
            detail: String::new(),
            pick: Pick::Theme(at),
        };
        let items: Vec<Item> = context.themes.iter().enumerate().map(item).collect();
        let cursor = context
            .themes
            .iter()
            .position(|theme| theme.name == context.theme.name)
            .unwrap_or(0);
        Self {
            title: "Themes",
            items,
            narrowing: Narrowing::at(cursor),
            before: Some(context.theme.clone()),
        }
    }

    /// The items that what was typed allows, the closest first.
    fn shown(&self) -> Vec<&Item> {
        let query = self.narrowing.prompt.text();
        if query.trim().is_empty() {
            return self.items.iter().collect();
        }
        let near = |item: &Item| {
            let synonyms = match item.pick {
                Pick::Command(action) => action.synonyms(),
                _ => &[],
            };
            let entry = Entry {
                name: &item.name,
                synonyms,
                description: &item.detail,
            };
            distance(&query, entry)
        };
        let mut shown: Vec<_> = self
            .items
            .iter()
            .filter_map(|item| Some((near(item)?, item)))
            .collect();
        shown.sort_by_key(|(distance, _)| *distance);
        shown.into_iter().map(|(_, item)| item).collect()
    }

    /// What Enter does.
    fn verb(&self) -> &'static str {
        match self.items.first().map(|item| &item.pick) {
            _ if self.before.is_some() => "save",
            Some(Pick::Fill(_) | Pick::Thing(_)) => "choose",
            Some(Pick::Run(_)) => "go to",
            Some(Pick::Sort(_)) => "sort",
            Some(Pick::Group(_)) => "group",
            Some(Pick::Command(_) | Pick::Theme(_)) | None => "run",
        }
    }

    fn changed(&mut self, context: &Context) -> Response {
        self.narrowing.stay_within(self.shown().len());
        let shown = self.shown();
        let theme = match shown.get(self.narrowing.cursor).map(|item| &item.pick) {
            Some(Pick::Theme(at)) => context.themes.get(*at).cloned(),
            _ => None,
        };
        let response = Response::handled();
        match theme {
            Some(theme) => response.with(Request::UseTheme(Box::new(theme))),
            None => response,
        }
    }

    fn confirm(&self) -> Response {
        let shown = self.shown();
        let Some(item) = shown.get(self.narrowing.cursor) else {
            return Response::handled();
        };
        let response = Response::closed();
        match item.pick.clone() {
            Pick::Command(action) => response.with(Request::Act(action)),
            Pick::Run(dir) => response.with(Request::GoTo(dir)),
            Pick::Sort(key) => response.with(Request::SortBy(key)),
            Pick::Group(by) => response.with(Request::GroupBy(by)),
            Pick::Thing(effect) => response.with(Request::Run(*effect)),
            Pick::Fill(values) => response.with(Request::Fill(values)),
            Pick::Theme(_) => {
                let notice = Notice::good(format!("theme {}", item.name));
                let save = Effect::SaveTheme(item.name.clone());
                response
                    .with(Request::Notify(notice))
                    .with(Request::Run(save))
            }
        }
    }
}

impl Component for Picker {
    fn scope(&self, _context: &Context) -> Scope {
        Scope::Picker
    }

    fn act(&mut self, action: Action, context: &Context) -> Response {
        match action {
            Action::Back => match self.before.take() {
                Some(before) => Response::closed().with(Request::UseTheme(Box::new(before))),
                None => Response::closed(),
            },
            Action::Confirm => self.confirm(),
            _ => {
                let Some(motion) = Motion::of(action) else {
                    return Response::ignored();
                };
                let page = list_rows(context.size, AROUND);
                self.narrowing.step(motion, self.shown().len(), page);
                self.changed(context)
            }
        }
    }

    fn type_key(&mut self, event: KeyEvent, context: &Context) -> Response {
        self.narrowing.type_key(event);
        self.changed(context)
    }

    fn paste(&mut self, text: &str) {
        self.narrowing.paste(text);
    }

    /// Draws it in the middle of `area`; the themes to the right, so that their colours are seen.
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer) {
        let theme = &context.theme;
        let shown = self.shown();
        let widest = self.items.iter().map(|item| item.name.chars().count());
        let details = self.items.iter().map(|item| item.detail.chars().count());
        // Short words behind the names leave them more room.
        let most = 70_usize.saturating_sub(details.max().unwrap_or(0)).max(40);
        let name_width = widest.max().unwrap_or(0).clamp(18, most);
        let width = if self.before.is_some() { 34 } else { 76 };
        let height = (self.items.len() as u16 + AROUND).min(area.height);
        let place = if self.before.is_some() && area.width > width {
            Rect {
                x: area.right() - width,
                width,
                ..area
            }
        } else {
            area
        };
        let inside = frame(theme, self.title, (width, height), place, buf);
        if inside.height < 3 {
            return;
        }
        let list = draw_narrowing(&self.narrowing.prompt, theme, inside, buf);
        let rows = in_sight(self.narrowing.cursor, shown.len(), usize::from(list.height));
        for (y, at) in (list.y..list.bottom()).zip(rows) {
            let item = shown[at];
            let (bar, style) = row_style(theme, at == self.narrowing.cursor);
            buf.put(list.x, y, bar.content, bar.style);
            buf.put_n(
                list.x + 1,
                y,
                format!(
                    "{:<name_width$}",
                    traintop_text::fitted(&item.name, name_width)
                ),
                usize::from(list.width.saturating_sub(1)),
                style,
            );
            let x = list.x + 2 + name_width as u16;
            let room = usize::from(list.right().saturating_sub(x));
            buf.put_n(x, y, &item.detail, room, theme.style(Role::Muted));
        }
        let keys = [(Action::Confirm, self.verb()), (Action::Back, "cancel")];
        let keys = keys.into_iter().filter_map(|(action, word)| {
            Some((context.keymap.key_of(Scope::Picker, action)?, word))
        });
        line_of_keys(keys, theme, inside.width).render(
            Rect {
                y: inside.bottom() - 1,
                height: 1,
                ..inside
            },
            buf,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use crate::view::test_driver::press;
    use jiff::Timestamp;

    fn state() -> State {
        let mut state = State::new(vec!["runs".into()], (80, 24), Timestamp::UNIX_EPOCH);
        let (themes, _) = crate::theme::load_all(&[]);
        state.context.themes = themes;
        state
    }

    #[test]
    fn theme_is_shown_at_once_taken_back_by_escape_and_saved_by_enter() {
        let mut state = state();
        let first = state.context.theme.name.clone();
        press(&mut state, "t");
        press(&mut state, "<down>");
        assert_ne!(state.context.theme.name, first);
        press(&mut state, "<esc>");
        assert_eq!(state.context.theme.name, first);
        press(&mut state, "t");
        press(&mut state, "<down>");
        let second = state.context.theme.name.clone();
        assert_eq!(
            press(&mut state, "<enter>"),
            [Effect::SaveTheme(second.clone())]
        );
        assert!(state.overlays.is_empty());
        assert_eq!(state.context.theme.name, second);
    }

    #[test]
    fn command_is_found_by_some_of_its_letters_and_run() {
        let mut state = state();
        press(&mut state, ":");
        for letter in "newr".chars() {
            press(&mut state, &letter.to_string());
        }
        assert_eq!(press(&mut state, "<enter>")[0], Effect::ListRecipes);
        press(&mut state, ":");
        for letter in "quit".chars() {
            press(&mut state, &letter.to_string());
        }
        assert!(press(&mut state, "<enter>").contains(&Effect::Quit));
    }

    #[test]
    fn help_can_be_opened_from_the_palette() {
        let mut state = state();
        press(&mut state, ":");
        for letter in "help".chars() {
            press(&mut state, &letter.to_string());
        }
        press(&mut state, "<enter>");
        assert_eq!(crate::view::scope(&state), Scope::Help);
    }
}
