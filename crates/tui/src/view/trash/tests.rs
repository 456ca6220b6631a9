//! The trash at two sizes, and what keys do in it.

use crate::jobs::edits::UndoEntry;
use crate::state::State;
use jiff::{Timestamp, ToSpan};

use super::super::run::tests::text as drawn;
use super::*;
use crate::jobs::cleanup::CleanupOutcome;
use crate::message::Message;
use crate::update::update;
use crate::view;
use crate::view::test_driver::press;
use serde_json::json;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn entry(minutes: i64, bytes: u64, by: &str, paths: &[&str]) -> (Ticket, Entry) {
    let kind = if by == "remove" { "folder" } else { "file" };
    let items: Vec<_> = paths
        .iter()
        .enumerate()
        .map(|(slot, path)| json!({ "path": path, "kind": kind, "slot": slot }))
        .collect();
    let removed_at = now() - minutes.minutes();
    let id = removed_at.strftime("%Y%m%d-%H%M%S").to_string();
    let entry = json!({
        "id": id, "removed_at": removed_at, "by": by, "why": "move 3 files to the trash (of 1 run)",
        "stage": "kept", "bytes": bytes, "items": items, "folders": [],
    });
    let ticket = Ticket {
        root: "/nowhere/runs".into(),
        id,
    };
    (ticket, serde_json::from_value(entry).unwrap())
}

pub(in crate::view) fn opened(columns: u16, rows: u16) -> State {
    let mut state = State::new(vec!["/nowhere/runs".into()], (columns, rows), now());
    let read = crate::update::cleanup::open_trash(&mut state);
    assert_eq!(read, [Effect::Clean(CleanupJob::ListTrash)]);
    let entries = vec![
        entry(
            2,
            4_200_000_000,
            "clean",
            &["a/checkpoints/epoch_10.safetensors", "b", "c"],
        ),
        entry(
            300,
            45_000_000,
            "remove",
            &["training_runs/2026_11_24_02_26_37"],
        ),
        entry(60 * 24 * 40, 0, "clean", &["odd \u{1b}[31m name"]),
    ];
    update(
        &mut state,
        now(),
        Message::Cleaned(CleanupOutcome::Listed(entries, Vec::new())),
    );
    state
}

fn screen(state: &State) -> String {
    let area = Rect::new(0, 0, state.context.size.0, state.context.size.1);
    let mut buf = Buffer::empty(area);
    view::draw(state, area, &mut buf);
    drawn(&buf)
}

#[test]
fn trash_at_two_sizes() {
    let mut small = opened(80, 24);
    press(&mut small, "j");
    insta::assert_snapshot!("trash_80x24", screen(&small));
    insta::assert_snapshot!("trash_200x50", screen(&opened(200, 50)));
    press(&mut small, "P");
    insta::assert_snapshot!("trash_question", screen(&small));
}

#[test]
fn things_are_put_back_at_once_and_purged_after_a_question() {
    let mut state = opened(80, 24);
    let first = opened(80, 24);
    let Some(view) = first.overlays.find::<TrashView>() else {
        panic!()
    };
    let tickets: Vec<Ticket> = view
        .entries
        .iter()
        .map(|(ticket, _)| ticket.clone())
        .collect();
    state
        .undo_stack
        .push(UndoEntry::Removed(vec![tickets[0].clone()]));
    assert_eq!(
        press(&mut state, "r"),
        [Effect::Clean(CleanupJob::Restore(vec![tickets[0].clone()]))]
    );
    assert!(state.undo_stack.is_empty(), "it is not undone twice");
    press(&mut state, "j");
    assert_eq!(press(&mut state, "D"), []);
    assert!(screen(&state).contains("This cannot be undone"));
    assert_eq!(
        press(&mut state, "y"),
        [Effect::Clean(CleanupJob::Purge(vec![tickets[1].clone()]))]
    );
    press(&mut state, "q");
    assert_eq!(crate::view::scope(&state), crate::command::Scope::Runs);
}
