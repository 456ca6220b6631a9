//! The Run screen at two sizes, and where keys lead in it.

use super::zoom::Zoom;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::curves::Curves;
use super::detail::Rows;
use super::detail::tests::trained;
use super::*;
use crate::theme::{Depth, Theme};
use traintop_run::best_and_trend::Best;
use traintop_run::checkpoints::Checkpoint;
use traintop_run::log::Log;
use traintop_run::log_line::{Kind, Line};
use traintop_run::metrics::{Metrics, RowProblem};
use traintop_run::notes::Notes;
use traintop_run::settings::Settings;
use traintop_run::state::{Observed, State};
use traintop_run::steps::Progress;

pub(crate) fn summary(state: State) -> Summary {
    Summary {
        trainer: "traintop".to_owned(),
        own_name: "2026_11_24_10_00_00".to_owned(),
        differs: String::new(),
        sources: Vec::new(),
        x: "epoch".to_owned(),
        rows: 0,
        steps_done: None,
        steps_planned: None,
        dir: RunDir::new("/runs/training_runs/2026_11_24_10_00_00"),
        id: "one".to_owned(),
        name: "2026_11_24_10_00_00".to_owned(),
        model: "resnet_se".to_owned(),
        recipe: "quick".to_owned(),
        observed: Observed {
            state,
            deduced: false,
            reason: None,
        },
        epochs_done: 120,
        epochs_planned: Some(if state == State::Running { 200 } else { 120 }),
        best: Some(Best::of_accuracy(90.76, Some(120))),
        last: Vec::new(),
        at_best: Vec::new(),
        settings: Settings::default(),
        trend: Vec::new(),
        trend_of: "val_acc".to_owned(),
        started_at: None,
        ended_at: None,
        duration: Some(Duration::from_secs(1908)),
        modified_at: "2026-11-24T10:31:48Z".parse().unwrap(),
        size_bytes: None,
        problems: 0,
        unread: std::collections::BTreeMap::new(),
        notes: Notes::default(),
        archived: None,
        cause: None,
        sweep: None,
        data: None,
        job: None,
        queue_position: None,
        rebuilt: None,
        resumes: Vec::new(),
        findings: None,
        progress: None,
        health: None,
        evaluated: None,
    }
}

fn line(text: String) -> Line {
    Line {
        text,
        kind: Kind::Plain,
    }
}

pub(crate) fn detail(state: State) -> Detail {
    let mut detail = Detail::default();
    detail.take_metrics(all(trained(120)));
    if state == State::Running {
        let progress = Progress {
            epoch: 121,
            step: 120,
            steps_per_epoch: 313,
            images_per_s: 1234.4,
            elapsed_s: 1915.0,
        };
        detail.progress = Some(progress);
    }
    let lines = (1..=120).map(|epoch| {
        line(format!(
            "[2026-11-24 10:{:02}:00] epoch {epoch}/200 done, and more of it",
            epoch / 4
        ))
    });
    detail.log = Log {
        before: 40,
        lines: lines.collect(),
        ..Log::default()
    };
    let keys = [
        "batch_size",
        "data_dir",
        "learning_rate",
        "max_lr",
        "model_name",
        "momentum",
        "num_epochs",
        "seed",
        "weight_decay",
    ];
    detail.config = keys
        .map(|key| (key.to_owned(), format!("the value of {key}")))
        .to_vec();
    let checkpoint = |what: &str, epoch: Option<u32>| Checkpoint {
        path: RunDir::new("/runs/a")
            .path()
            .join(format!("{}.safetensors", what.replace(' ', "_"))),
        what: what.to_owned(),
        epoch,
        step: None,
        bytes: 11_300_000,
    };
    detail.checkpoints = vec![
        checkpoint("best", None),
        checkpoint("last", None),
        checkpoint("epoch 100", Some(100)),
    ];
    detail
}

fn draw(view: &RunView, state: State, width: u16, height: u16) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    view.draw_run(
        &summary(state),
        Some(&detail(state)),
        (Options::default(), &Theme::default()),
        buf.area,
        &mut buf,
    );
    buf
}

pub(crate) fn text(buf: &Buffer) -> String {
    crate::widget::lines(buf).join("\n")
}

pub(crate) fn all(metrics: Metrics) -> Rows {
    Rows::All(Arc::new(Curves::of(metrics)))
}

fn view() -> RunView {
    RunView::new(summary(State::Finished).dir)
}

fn moved(view: &mut RunView, moves: &[Move], area: Rect) {
    for movement in moves {
        view.go(
            *movement,
            (
                &summary(State::Finished),
                &detail(State::Finished),
                Options::default(),
            ),
            area,
        );
    }
}

const SMALL: Rect = Rect {
    x: 0,
    y: 0,
    width: 80,
    height: 23,
};
const LARGE: Rect = Rect {
    x: 0,
    y: 0,
    width: 200,
    height: 49,
};

#[test]
fn small_screen_shows_loss_and_accuracy_first() {
    insta::assert_snapshot!(text(&draw(&view(), State::Running, 80, 23)));
}

#[test]
fn small_screen_reads_out_at_the_cursor_further_down() {
    let mut view = view();
    moved(&mut view, &[Move::FarLeft, Move::Left, Move::Down], SMALL);
    insta::assert_snapshot!(text(&draw(&view, State::Finished, 80, 23)));
}

#[test]
fn large_screen_shows_everything_at_once() {
    let mut view = view();
    moved(
        &mut view,
        &[Move::FarLeft, Move::FarLeft, Move::NextPane],
        LARGE,
    );
    insta::assert_snapshot!(text(&draw(&view, State::Running, 200, 49)));
}

#[test]
fn each_tab_of_a_small_screen() {
    let tabs = [Pane::Epochs, Pane::Config, Pane::Log, Pane::Checkpoints].map(|pane| {
        let mut view = view();
        moved(&mut view, &[Move::Pane(pane)], SMALL);
        text(&draw(&view, State::Finished, 80, 23))
    });
    insta::assert_snapshot!(tabs.join("\n=====\n"));
}

#[test]
fn the_cursor_walks_over_rows_and_lets_go_at_the_end() {
    let mut view = view();
    moved(&mut view, &[Move::Left], SMALL);
    assert_eq!(view.cursor, Some(119.0));
    moved(&mut view, &[Move::FarLeft], SMALL);
    assert_eq!(view.cursor, Some(107.0));
    moved(&mut view, &[Move::First, Move::Left], SMALL);
    assert_eq!(view.cursor, Some(1.0));
    moved(&mut view, &[Move::Right], SMALL);
    assert_eq!(view.cursor, Some(2.0));
    moved(&mut view, &[Move::Last, Move::Right], SMALL);
    assert_eq!(view.cursor, None);
}

#[test]
fn the_table_and_the_charts_share_the_cursor() {
    let mut view = view();
    moved(
        &mut view,
        &[
            Move::Pane(Pane::Epochs),
            Move::PageUp,
            Move::PageUp,
            Move::Up,
        ],
        SMALL,
    );
    let cursor = view.cursor.unwrap();
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(
        drawn
            .lines()
            .any(|line| line.starts_with('▸') && line.contains(&format!(" {cursor} "))),
        "{drawn}"
    );
    moved(&mut view, &[Move::Pane(Pane::Charts)], SMALL);
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(drawn.contains(&format!("Loss  epoch {cursor}")), "{drawn}");
}

#[test]
fn the_table_scrolls_sideways_to_its_last_column() {
    let mut view = view();
    moved(&mut view, &[Move::Pane(Pane::Epochs)], SMALL);
    moved(&mut view, &[Move::Right; 20], SMALL);
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(
        drawn.contains("memory_used_mb") && drawn.contains("epoch"),
        "{drawn}"
    );
}

#[test]
fn scrolling_up_in_the_log_stops_following_and_end_resumes() {
    let mut view = view();
    moved(&mut view, &[Move::Pane(Pane::Log)], SMALL);
    assert!(text(&draw(&view, State::Finished, 80, 23)).contains("epoch 120/200"));
    moved(&mut view, &[Move::Up, Move::Up], SMALL);
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(
        drawn.contains("epoch 118/200") && !drawn.contains("epoch 119/200"),
        "{drawn}"
    );
    // New lines do not move what one reads.
    let mut grown = detail(State::Finished);
    grown.log.before += 5;
    grown.log.lines.drain(..5);
    grown
        .log
        .lines
        .extend((0..5).map(|number| line(format!("new {number}"))));
    let mut buf = Buffer::empty(SMALL);
    view.draw_run(
        &summary(State::Finished),
        Some(&grown),
        (Options::default(), &Theme::default()),
        SMALL,
        &mut buf,
    );
    assert_eq!(
        text(&buf).lines().skip(3).collect::<Vec<_>>(),
        drawn.lines().skip(3).collect::<Vec<_>>()
    );
    moved(&mut view, &[Move::Last], SMALL);
    assert!(text(&draw(&view, State::Finished, 80, 23)).contains("following"));
}

#[test]
fn the_log_stops_at_its_beginning() {
    let mut view = view();
    moved(
        &mut view,
        &[Move::Pane(Pane::Log), Move::First, Move::Up],
        SMALL,
    );
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(drawn.contains("epoch 1/200"), "{drawn}");
}

#[test]
fn charts_scroll_to_the_last_and_no_further() {
    let mut view = view();
    moved(&mut view, &[Move::Down; 20], SMALL);
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(
        drawn.contains("Memory used, MB") && drawn.contains("Time elapsed"),
        "{drawn}"
    );
    moved(&mut view, &[Move::Up; 3], SMALL);
    assert!(text(&draw(&view, State::Finished, 80, 23)).contains("Loss"));
}

#[test]
fn what_is_wrong_with_the_file_is_said() {
    let mut metrics = trained(20);
    metrics.problems = vec![RowProblem {
        line: 12,
        what: "has 1 cells where the header has 8".to_owned(),
    }];
    metrics.problem_count = 3;
    let unread = ["a", "b", "c", "d"].map(|name| (name.to_owned(), 2));
    metrics.unread = unread.into();
    metrics.seams = vec![11.0];
    let mut detail = Detail::default();
    detail.take_metrics(all(metrics));
    let mut buf = Buffer::empty(SMALL);
    view().draw_run(
        &summary(State::Finished),
        Some(&detail),
        (Options::default(), &Theme::default()),
        SMALL,
        &mut buf,
    );
    let drawn = text(&buf);
    assert!(
        drawn.contains("line 12 of its metrics: has 1 cells where the header has 8 (and 2 more);"),
        "{drawn}"
    );
    insta::assert_snapshot!("what_is_wrong_with_the_file", drawn);
    assert!(drawn.contains('┊'), "{drawn}");
}

#[test]
fn a_failed_run_says_why_in_its_colour() {
    let theme = Theme::default();
    let mut failed = summary(State::Failed);
    failed.observed.reason = Some("out of memory".to_owned());
    let mut buf = Buffer::empty(SMALL);
    view().draw_run(&failed, None, (Options::default(), &theme), SMALL, &mut buf);
    assert!(text(&buf).contains("✗ failed") && text(&buf).contains("out of memory"));
    assert_eq!(Some(buf[(0, 0)].fg), theme.style(Role::StateFailed).fg);
    assert_eq!(Some(buf[(0, 2)].fg), theme.style(Role::StateFailed).fg);
}

#[test]
fn training_and_validation_have_their_colours() {
    let theme = Theme::default();
    let buf = draw(&view(), State::Finished, 80, 23);
    let letter = |letter: &str| {
        buf.content
            .iter()
            .filter(|cell| cell.symbol() == letter && cell.modifier.contains(Modifier::BOLD))
            .map(|cell| cell.fg)
            .collect::<Vec<_>>()
    };
    assert!(
        letter("t")
            .iter()
            .any(|fg| Some(*fg) == theme.style(Role::Series0).fg)
    );
    assert!(
        letter("v")
            .iter()
            .any(|fg| Some(*fg) == theme.style(Role::Series1).fg)
    );
}

#[test]
fn without_colours_the_training_curve_is_dashed() {
    let theme = Theme::default().fitted(Depth::None);
    let mut buf = Buffer::empty(SMALL);
    view().draw_run(
        &summary(State::Finished),
        Some(&detail(State::Finished)),
        (Options::default(), &theme),
        SMALL,
        &mut buf,
    );
    let coloured = draw(&view(), State::Finished, 80, 23);
    let dots = |buf: &Buffer| {
        buf.content
            .iter()
            .filter(|cell| {
                cell.symbol()
                    .chars()
                    .all(|symbol| ('\u{2801}'..='\u{28ff}').contains(&symbol))
            })
            .count()
    };
    assert!(dots(&buf) < dots(&coloured), "{}", text(&buf));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_size_and_no_movement_panics(width in 0u16..210, height in 0u16..60, moves in proptest::collection::vec(0usize..18, 0..12), empty in any::<bool>()) {
        let all = [
            Move::Up, Move::Down, Move::PageUp, Move::PageDown, Move::Left, Move::Right, Move::FarLeft, Move::FarRight, Move::First,
            Move::Last, Move::NextPane, Move::PreviousPane, Move::Pane(Pane::Log), Move::Pane(Pane::Epochs), Move::Pane(Pane::Config),
            Move::Pane(Pane::Checkpoints), Move::Pane(Pane::Charts), Move::Up,
        ];
        let area = Rect::new(0, 0, width, height);
        let detail = if empty { Detail::default() } else { detail(State::Running) };
        let mut view = view();
        for movement in moves {
            view.go(all[movement], (&summary(State::Running), &detail, Options::default()), area);
        }
        let mut buf = Buffer::empty(area);
        view.draw_run(&summary(State::Running), Some(&detail), (Options::default(), &Theme::default()), area, &mut buf);
    }
}

fn derived(options: Options) -> Detail {
    let mut detail = detail(State::Finished);
    let known = traintop_analysis::x_axis::Known {
        steps_per_epoch: Some(313),
        started_s: Some(1_795_514_400.0),
    };
    let made = traintop_analysis::chart_transform::Transformed::of(
        detail.charted().metrics(),
        options.wanted(),
        known,
    );
    let revision = detail.revision();
    detail.take_derived(Box::new(made), revision);
    assert!(!detail.lacks(options.wanted()));
    detail
}

fn draw_with(view: &RunView, options: Options, detail: &Detail, area: Rect) -> String {
    let mut buf = Buffer::empty(area);
    let how = (options, &Theme::default());
    view.draw_run(&summary(State::Finished), Some(detail), how, area, &mut buf);
    text(&buf)
}

fn smoothed_over(along: traintop_analysis::x_axis::XAxis) -> Options {
    let mut options = Options {
        along,
        ..Options::default()
    };
    options.smoothing = options.smoothing.more().more().more();
    options
}

#[test]
fn charts_over_time_smoothed_and_looked_closer_at() {
    use traintop_analysis::x_axis::XAxis;
    let mut view = view();
    let options = smoothed_over(XAxis::Clock);
    let detail = derived(options);
    let all = (&summary(State::Finished), &detail, options);
    for movement in [
        Move::FarLeft,
        Move::FarLeft,
        Move::Zoom(Zoom::In),
        Move::Zoom(Zoom::In),
    ] {
        view.go(movement, all, LARGE);
    }
    insta::assert_snapshot!(draw_with(&view, options, &detail, LARGE));
    let options = smoothed_over(XAxis::Relative);
    view.zoom = None;
    insta::assert_snapshot!(draw_with(&view, options, &derived(options), SMALL));
}

#[test]
fn one_chart_takes_the_whole_screen_and_the_next_follows() {
    let mut view = view();
    moved(&mut view, &[Move::Full], SMALL);
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(
        drawn.starts_with("Loss") && !drawn.contains("Accuracy"),
        "{drawn}"
    );
    moved(&mut view, &[Move::Down], SMALL);
    let drawn = text(&draw(&view, State::Finished, 80, 23));
    assert!(drawn.starts_with("Accuracy"), "{drawn}");
    moved(&mut view, &[Move::Full], SMALL);
    assert!(text(&draw(&view, State::Finished, 80, 23)).contains("2 Epochs"));
}

#[test]
fn what_is_shown_follows_the_cursor() {
    let mut view = view();
    moved(
        &mut view,
        &[Move::First, Move::Zoom(Zoom::In), Move::Zoom(Zoom::In)],
        SMALL,
    );
    let shown = view.zoom.unwrap();
    assert!(shown.min() == 1.0 && shown.max() < 40.0, "{shown:?}");
    moved(&mut view, &[Move::FarRight; 12], SMALL);
    let (cursor, shown) = (view.cursor.unwrap(), view.zoom.unwrap());
    assert!(
        cursor > 20.0 && shown.contains(cursor),
        "{cursor} {shown:?}"
    );
    moved(&mut view, &[Move::Last], SMALL);
    assert_eq!(view.zoom.unwrap().max(), 120.0);
    moved(&mut view, &[Move::Zoom(Zoom::Whole)], SMALL);
    assert_eq!(view.zoom, None);
}
