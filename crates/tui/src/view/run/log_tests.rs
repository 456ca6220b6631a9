use super::*;
use traintop_run::log::News;
use traintop_run::log_line::LineClassifier;

const AREA: Rect = Rect::new(0, 0, 30, 9);

/// A log of 60 lines with two errors, the one in lines 10 and 20, the other in line 40.
fn log() -> Log {
    let mut classifier = LineClassifier::default();
    let text = |line: usize| match line {
        10 | 20 => "ERROR: no shard".to_owned(),
        40 => "KeyError: 'x'".to_owned(),
        _ => format!("step {line}"),
    };
    let mut log = Log::default();
    log.take(News {
        lines: (0..60)
            .map(|line| classifier.classify(text(line)))
            .collect(),
        ..News::default()
    });
    log
}

fn drawn(log: &Log, place: Place) -> Vec<String> {
    let mut buf = Buffer::empty(AREA);
    draw(log, place, &Theme::default(), AREA, &mut buf);
    let row = |y| -> String { AREA.columns().map(|at| buf[(at.x, y)].symbol()).collect() };
    (0..AREA.height)
        .map(|y| row(y).trim_end().to_owned())
        .collect()
}

#[test]
fn errors_stand_above_the_end_of_the_log_the_last_first() {
    let rows = drawn(&log(), Place::default());
    assert_eq!(rows[0], "✗ KeyError: 'x'");
    assert_eq!(rows[1], "✗ 2 x ERROR: no shard");
    assert!(rows[2].starts_with("──"), "{rows:?}");
    assert_eq!(rows[8], "step 59");
    assert_eq!(Place::default().note(&log()), "following · 2 errors");
}

#[test]
fn one_goes_from_error_to_error_and_behind_the_last_back_to_the_end() {
    let log = log();
    let mut place = Place::default();
    let mut at = |step| {
        place.go(step, &log, AREA);
        let rows = drawn(&log, place);
        (place.error, rows[3..].join("|"))
    };
    let near = |line: &str, at: &(Option<u64>, String)| at.1.contains(line);
    let last = at(Step::Earlier);
    assert!(last.0 == Some(40) && near("KeyError", &last), "{last:?}");
    let first = at(Step::Earlier);
    assert!(
        first.0 == Some(20) && near("step 19|ERROR", &first),
        "{first:?}"
    );
    assert_eq!(at(Step::Earlier), first);
    assert_eq!(at(Step::Later), last);
    let end = at(Step::Later);
    assert!(end.0.is_none() && end.1.ends_with("step 59"), "{end:?}");
    assert_eq!(at(Step::Later), end);
}

#[test]
fn without_errors_and_without_room_the_log_has_all_rows() {
    let rows = drawn(&Log::default(), Place::default());
    assert_eq!(rows[0], "the log is empty");
    let mut buf = Buffer::empty(Rect::new(0, 0, 30, 2));
    draw(
        &log(),
        Place::default(),
        &Theme::default(),
        buf.area,
        &mut buf,
    );
    assert_eq!(buf[(5, 1)].symbol(), "5");
}

#[test]
fn scrolled_to_the_end_it_follows_again() {
    let log = log();
    let mut place = Place::default();
    place.go(Step::Earlier, &log, AREA);
    place.scroll(-5, &log, AREA);
    assert_eq!(place.note(&log), "line 38 of 60 · 2 errors");
    place.scroll(isize::MAX / 2, &log, AREA);
    assert_eq!(place, Place::default());
}
