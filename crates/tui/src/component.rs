//! Screens and what lies over them: components in a stack, of which the top one gets the keys
//! first.

use std::any::Any;
use std::fmt::Debug;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::command::{Action, Scope};
use super::context::Context;
use super::effect::Effect;
use super::theme::Theme;
use super::view::sort_key::{SortKey, TableColumn};
use crate::graphics::Placed;
use crate::notice::Notice;
use traintop_launch::EvaluateRequest;
use traintop_launch::recent::Values;
use traintop_ops::trash::Ticket;
use traintop_run::RunDir;

/// A screen, or something that lies over one: it is drawn and takes keys. It owns what it shows; of
/// everything else it only reads, and asks for changes in its [`Response`].
pub trait Component: Debug + Any {
    /// Where its keys are found.
    fn scope(&self, context: &Context) -> Scope;

    /// Whether it fills the screen, so that nothing below it is seen.
    fn is_screen(&self) -> bool {
        false
    }

    /// Does what a key asks for.
    fn act(&mut self, action: Action, context: &Context) -> Response;

    /// Takes a key that means no command here.
    fn type_key(&mut self, _event: KeyEvent, _context: &Context) -> Response {
        Response::ignored()
    }

    /// Whether it shows the run that was read last, or returns to a screen that does: that run
    /// stays read while this is on the stack.
    fn keeps_opened_run(&self) -> bool {
        false
    }

    /// The run that it shows by itself.
    fn run(&self) -> Option<&RunDir> {
        None
    }

    /// Whether it has a use for the mouse; else it is the terminal's, which selects text with it.
    fn uses_mouse(&self) -> bool {
        false
    }

    /// Does what the mouse asks for.
    fn mouse(&mut self, _event: MouseEvent, _context: &Context) -> Response {
        Response::ignored()
    }

    /// When something shown would change by the passing of time alone.
    fn next_wake(&self, _context: &Context) -> Option<Timestamp> {
        None
    }

    /// The pictures in `area` for the terminal's own graphics.
    fn pictures(&self, _area: Rect) -> Vec<Placed> {
        Vec::new()
    }

    /// What a key's hint on the bottom line says here; nothing, where the key does nothing.
    fn hint<'a>(&self, _action: Action, hint: &'a str, _context: &Context) -> Option<&'a str> {
        Some(hint)
    }

    /// Takes pasted text.
    fn paste(&mut self, _text: &str) {}

    /// Draws it over `area`.
    fn draw(&self, context: &Context, area: Rect, buf: &mut Buffer);
}

/// What a component asks for after a key.
#[derive(Debug, Default)]
pub struct Response {
    /// Whether the key meant nothing to it.
    pub is_ignored: bool,
    /// Whether it is done, and is to be taken off the stack.
    pub closes: bool,
    /// What is to be done, in this order, after it is gone if it closes.
    pub requests: Vec<Request>,
}

/// A change that a component asks for.
#[derive(Debug)]
pub enum Request {
    /// Run a job.
    Run(Effect),
    /// Show a line at the bottom.
    Notify(Notice),
    /// Do what a command does on the screen below.
    Act(Action),
    /// Put the cursor of the table on a run, and show the table.
    GoTo(RunDir),
    SortBy(SortKey),
    GroupBy(Option<SortKey>),
    /// Show these columns.
    ChooseColumns {
        columns: Vec<TableColumn>,
        /// Whether the user chose them, so that they are kept for the next start.
        is_chosen: bool,
    },
    UseTheme(Box<Theme>),
    /// Put values into the form that starts runs.
    Fill(Values),
    /// Start evaluations, and show where their progress is seen.
    Evaluate(Vec<EvaluateRequest>),
    /// All alerts up to now have been seen.
    AlertsSeen,
    /// Show the table of runs, and nothing over it.
    ShowTable,
    /// Show a run by itself.
    OpenRun(RunDir),
    /// Judge the runs of this one's tree by a metric, or no longer.
    JudgeBy(RunDir, String),
    /// Open a component on top.
    Open(Box<dyn Component>),
    /// What this removal took is restored: it is not to be undone once more.
    ForgetRemoval(Ticket),
}

impl Response {
    /// The key was of use, and changed only the component.
    pub fn handled() -> Self {
        Self::default()
    }

    /// The key meant nothing here.
    pub fn ignored() -> Self {
        Self {
            is_ignored: true,
            ..Self::default()
        }
    }

    /// The component is done.
    pub fn closed() -> Self {
        Self {
            closes: true,
            ..Self::default()
        }
    }

    /// The key was of use, and something is asked for.
    pub fn asking(request: Request) -> Self {
        Self::handled().with(request)
    }

    /// The key was of use, and jobs are to be run.
    pub fn running(effects: Vec<Effect>) -> Self {
        Self {
            requests: effects.into_iter().map(Request::Run).collect(),
            ..Self::default()
        }
    }

    /// The key was of use, and something is to be opened on top.
    pub fn opening(component: impl Component) -> Self {
        Self::asking(Request::Open(Box::new(component)))
    }

    #[must_use]
    pub fn with(mut self, request: Request) -> Self {
        self.requests.push(request);
        self
    }
}

fn is_a<T: Component>(component: &dyn Component) -> bool {
    let component: &dyn Any = component;
    component.is::<T>()
}

/// The components over the table of runs, the lowest first.
#[derive(Debug, Default)]
pub struct Stack {
    layers: Vec<Box<dyn Component>>,
}

impl Stack {
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Opens a component on top of the others; one of the same kind that is open already is closed.
    pub fn push<T: Component>(&mut self, component: T) {
        self.close::<T>();
        self.layers.push(Box::new(component));
    }

    /// Returns a component that was taken, or opens one that another asks for.
    pub fn push_box(&mut self, component: Box<dyn Component>) {
        self.layers.push(component);
    }

    pub fn pop(&mut self) -> Option<Box<dyn Component>> {
        self.layers.pop()
    }

    pub fn top(&self) -> Option<&dyn Component> {
        self.layers.last().map(AsRef::as_ref)
    }

    /// Whether something lies over the screen.
    pub fn has_dialog(&self) -> bool {
        self.top().is_some_and(|top| !top.is_screen())
    }

    /// The screen that shows, if it is a component.
    pub fn screen(&self) -> Option<&dyn Component> {
        let mut layers = self.layers.iter().rev();
        layers.find(|layer| layer.is_screen()).map(AsRef::as_ref)
    }

    /// What lies over the screen, the lowest first.
    pub fn dialogs(&self) -> impl Iterator<Item = &dyn Component> {
        let screen = self.layers.iter().rposition(|layer| layer.is_screen());
        let first = screen.map_or(0, |screen| screen + 1);
        self.layers[first..].iter().map(AsRef::as_ref)
    }

    /// The screen that shows, if it is of a type.
    pub fn screen_as<T: Component>(&self) -> Option<&T> {
        let screen: &dyn Any = self.screen()?;
        screen.downcast_ref()
    }

    /// The same, to be changed.
    pub fn screen_as_mut<T: Component>(&mut self) -> Option<&mut T> {
        let mut layers = self.layers.iter_mut().rev();
        let screen: &mut dyn Any = layers.find(|layer| layer.is_screen())?.as_mut();
        screen.downcast_mut()
    }

    /// Takes a component of a type off the stack.
    pub fn take<T: Component>(&mut self) -> Option<T> {
        let at = self
            .layers
            .iter()
            .rposition(|layer| is_a::<T>(layer.as_ref()))?;
        let layer: Box<dyn Any> = self.layers.remove(at);
        layer.downcast().ok().map(|layer| *layer)
    }

    /// Closes a component of a type, wherever it is.
    pub fn close<T: Component>(&mut self) {
        self.layers.retain(|layer| !is_a::<T>(layer.as_ref()));
    }

    /// Closes everything.
    pub fn clear(&mut self) {
        self.layers.clear();
    }

    pub fn top_mut(&mut self) -> Option<&mut (dyn Component + 'static)> {
        self.layers.last_mut().map(AsMut::as_mut)
    }

    pub fn iter(&self) -> impl Iterator<Item = &dyn Component> {
        self.layers.iter().map(AsRef::as_ref)
    }

    /// The component of a type, if one is there.
    pub fn find<T: Component>(&self) -> Option<&T> {
        let mut found = self.layers.iter().filter_map(|layer| {
            let layer: &dyn Any = layer.as_ref();
            layer.downcast_ref()
        });
        found.next_back()
    }

    /// The same, to be changed.
    pub fn find_mut<T: Component>(&mut self) -> Option<&mut T> {
        let mut found = self.layers.iter_mut().filter_map(|layer| {
            let layer: &mut dyn Any = layer.as_mut();
            layer.downcast_mut()
        });
        found.next_back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;
    use crate::view;
    use crate::view::confirm::Confirm;
    use crate::view::test_driver::{press, screen};
    use jiff::Timestamp;

    fn state() -> State {
        State::new(vec!["runs".into()], (100, 30), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn help_opens_over_a_dialog_tells_its_keys_and_gives_it_back() {
        let mut state = state();
        press(&mut state, ":lea<f1>");
        let shown = screen(&state);
        assert!(shown.contains("Help: type to search"), "{shown}");
        assert!(shown.contains("Enter                   Confirm"), "{shown}");
        press(&mut state, "<esc>");
        assert_eq!(view::scope(&state), Scope::Picker);
        assert!(screen(&state).contains("> lea"), "{}", screen(&state));
    }

    #[test]
    fn what_a_dialog_does_not_know_is_done_everywhere() {
        let mut state = state();
        let effects = press(&mut state, ":<ctrl-x>");
        assert_eq!(effects, [Effect::CancelJobs]);
        assert_eq!(view::scope(&state), Scope::Picker);
    }

    #[test]
    fn one_of_a_kind_is_open_at_most() {
        let mut state = state();
        press(&mut state, "i!i!i");
        assert_eq!(state.overlays.iter().count(), 2);
        assert_eq!(view::scope(&state), Scope::Machine);
        press(&mut state, "<esc><esc>");
        assert!(state.overlays.is_empty());
    }

    #[test]
    fn a_question_waits_until_no_text_is_typed() {
        for (typed, ended) in [("/ab", "<esc>"), (":ab", "<esc>")] {
            let mut state = state();
            press(&mut state, typed);
            state.question = Some(Confirm {
                title: "Sure?".to_owned(),
                text: String::new(),
                yes: "do it".to_owned(),
                then: Effect::Discover,
            });
            assert!(
                !press(&mut state, "y").contains(&Effect::Discover),
                "{typed}"
            );
            assert_ne!(view::scope(&state), Scope::Question);
            press(&mut state, ended);
            assert_eq!(view::scope(&state), Scope::Question, "{typed}");
            assert!(press(&mut state, "y").contains(&Effect::Discover));
        }
    }

    #[test]
    fn no_letter_ends_the_program_while_a_dialog_is_open() {
        let mut state = state();
        press(&mut state, "i!");
        for key in ["q", "q"] {
            assert!(!press(&mut state, key).contains(&Effect::Quit));
        }
        assert!(press(&mut state, "q").contains(&Effect::Quit));
    }
}
