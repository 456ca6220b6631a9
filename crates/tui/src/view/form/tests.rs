//! The form by keys in, orders and pictures out.

use crate::state::State;
use std::path::PathBuf;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::jobs::choice::Subject;
use crate::message::Message;
use crate::update::update;
use crate::view::test_driver::press;
use traintop_launch::Request;

pub fn opened() -> State {
    let mut state = State::new(vec![PathBuf::from("runs")], (80, 24), Timestamp::UNIX_EPOCH);
    let learn = Effect::Form(FormJob::Learn(Vec::new()));
    assert_eq!(press(&mut state, "n"), [Effect::ListRecipes, learn]);
    state.form_mut().offer(Choice::shipped());
    state
}

pub fn go_to(state: &mut State, key: &str) {
    let at = state.form_mut().edit.as_ref().unwrap().row_of(key);
    press(state, "g");
    press(state, &"j".repeat(at));
}

pub fn screen(state: &State, width: u16, height: u16) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    crate::view::draw(state, area, &mut buf);
    crate::widget::lines(&buf).join("\n")
}

fn launched(effects: &[Effect]) -> &Request {
    match effects {
        [.., Effect::Launch(request), Effect::Form(FormJob::Note(_))] => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn recipe_starts_as_it_is_with_two_keys() {
    let mut state = opened();
    let effects = press(&mut state, "<enter>sy");
    assert_eq!(
        *launched(&effects),
        Request {
            recipe: PathBuf::from("quick"),
            overrides: Vec::new(),
            time_limit_s: None,
        }
    );
    assert!(state.shows_table_alone());
}

#[test]
fn changed_values_go_along_and_only_they() {
    let mut state = opened();
    press(&mut state, "<enter>");
    go_to(&mut state, "num_epochs");
    press(&mut state, "<enter>");
    let form = state.form_mut().edit.as_mut().unwrap();
    form.typing = Some(Prompt::new("3"));
    press(&mut state, "<enter>");
    go_to(&mut state, "nesterov");
    press(&mut state, "<right>");
    let effects = press(&mut state, "sy");
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        launched(&effects).overrides,
        [pair("num_epochs", "3"), pair("nesterov", "false")]
    );
}

#[test]
fn bad_value_says_why_and_does_not_start() {
    let mut state = opened();
    press(&mut state, "<enter>");
    go_to(&mut state, "momentum");
    press(&mut state, "<enter>e9");
    let shown = screen(&state, 80, 24);
    assert!(
        shown.contains("✗ momentum must be in [0, 1), got"),
        "{shown}"
    );
    press(&mut state, "<enter>");
    assert!(state.form_mut().is_typing(), "a bad value was accepted");
    press(&mut state, "<esc>");
    assert!(!state.form_mut().is_typing());
}

#[test]
fn leaving_the_form_loses_no_change() {
    let mut state = opened();
    press(&mut state, "<enter>");
    go_to(&mut state, "nesterov");
    press(&mut state, "<right><esc><esc>");
    assert!(state.shows_table_alone());
    press(&mut state, "n<enter>");
    assert!(!state.form_mut().edit.as_ref().unwrap().values.nesterov);
}

#[test]
fn broken_recipe_of_the_folder_is_told_and_cannot_start() {
    let mut state = opened();
    let broken = Choice::of(
        PathBuf::from("configs/mine.toml"),
        "# Mine.\nmomentum = 2\n",
    );
    let mut choices = Choice::shipped();
    choices.push(broken);
    update(
        &mut state,
        Timestamp::UNIX_EPOCH,
        Message::RecipesListed(choices),
    );
    assert!(press(&mut state, "Gs").is_empty());
    let notice = state.context.notice.clone().unwrap();
    assert!(
        notice.bad
            && notice
                .text
                .contains("configs/mine.toml:2: momentum must be in [0, 1), got 2"),
        "{notice:?}"
    );
}

#[test]
fn a_run_is_started_again_with_changes() {
    let mut state = opened();
    press(&mut state, "<esc>");
    let recipe = traintop_recipe::Recipe {
        max_lr: 0.3,
        ..traintop_recipe::Recipe::default()
    };
    let choice = Choice {
        source: PathBuf::from("/runs/training_runs/a/logs/config.json"),
        description: "as a".to_owned(),
        subject: Ok(Subject::Recipe(Box::new(recipe))),
        given: vec![("time_limit".to_owned(), "90s".to_owned())],
    };
    let read = Message::RecipeRead(Box::new(choice));
    update(&mut state, Timestamp::UNIX_EPOCH, read);
    let shown = screen(&state, 80, 24);
    assert!(
        shown.starts_with("New run  like a  1 value changed (*)\n"),
        "{shown}"
    );
    go_to(&mut state, "seed");
    let effects = press(&mut state, "<enter>7<enter>sy");
    let request = launched(&effects);
    assert!(request.recipe.ends_with("logs/config.json"));
    assert_eq!(request.overrides.len(), 1);
    assert_eq!(request.overrides[0].0, "seed");
    assert_eq!(request.time_limit_s, Some(90));
    let broken = Choice {
        source: PathBuf::from("/runs/a/config.json"),
        description: String::new(),
        subject: Err("/runs/a/config.json: cannot be read".to_owned()),
        given: Vec::new(),
    };
    let read = Message::RecipeRead(Box::new(broken));
    update(&mut state, Timestamp::UNIX_EPOCH, read);
    assert!(state.shows_table_alone());
    assert!(state.context.notice.as_ref().unwrap().bad);
}

#[test]
fn form_at_both_sizes() {
    let mut state = opened();
    let chooser = screen(&state, 80, 24);
    press(&mut state, "<enter>");
    go_to(&mut state, "batch_size");
    insta::assert_snapshot!("chooser", chooser);
    insta::assert_snapshot!("values_80x24", screen(&state, 80, 24));
    insta::assert_snapshot!("values_200x50", screen(&state, 200, 50));
}

#[test]
fn the_recipe_under_the_cursor_is_always_in_sight() {
    for (columns, rows) in [(80, 24), (40, 12), (120, 36)] {
        let mut state = opened();
        let mut choices = Choice::shipped();
        choices.push(Choice::of(
            "configs/mine.toml".into(),
            "# Mine, the last.\n",
        ));
        let names: Vec<String> = choices
            .iter()
            .map(|choice| format!("▌ {}", choice.source.display()))
            .collect();
        state.form_mut().offer(choices);
        for name in names {
            let shown = screen(&state, columns, rows);
            assert!(
                shown.contains(&name),
                "{name} at {columns}x{rows}:\n{shown}"
            );
            press(&mut state, "j");
        }
    }
}
