//! Cells as people and programs write them.

use super::*;
use proptest::prelude::*;

fn number(cell: &str) -> Option<(f64, Option<Unit>)> {
    match value(cell, false) {
        Value::Number(number, unit) => Some((number, unit)),
        Value::Missing | Value::Text => None,
    }
}

#[test]
fn words_for_nothing_are_missing_in_any_case() {
    for cell in [
        "", "-", "--", "n/a", "N/A", "NA", "None", "NULL", "nil", "?", "<NA>",
    ] {
        assert_eq!(value(cell, false), Value::Missing, "{cell}");
    }
    for cell in [
        "nothing", "oops", "best.pth", "0x10", "train", "v1.2", "1e", "e5", ".",
    ] {
        assert_eq!(value(cell, false), Value::Text, "{cell}");
    }
}

#[test]
fn numbers_are_understood_as_people_and_programs_spell_them() {
    for (cell, expected) in [
        ("1,234.5", 1234.5),
        ("1,234", 1234.0),
        ("12,345,678", 12_345_678.0),
        ("0,5", 0.5),
        ("0,123", 0.123),
        ("-1,5e-3", -0.0015),
        ("1.234,5", 1234.5),
        ("1_000", 1000.0),
        ("1 234,5", 1234.5),
        ("tensor(0.5, device='cuda:0')", 0.5),
        ("tensor([0.5])", 0.5),
        ("0.70 (best 0.72)", 0.7),
        ("0.5↑", 0.5),
        ("\u{2212}1,5", -1.5),
        ("1.25D+00", 1.25),
        ("0.60*", 0.6),
        ("tensor(0.5000, grad_fn=<NllLossBackward0>)", 0.5),
        ("np.float32(0.5)", 0.5),
        ("array(0.5)", 0.5),
        ("array([0.5], dtype=float32)", 0.5),
        ("[0.5]", 0.5),
        ("(0.5,)", 0.5),
        ("'0.5'", 0.5),
        ("+inf", f64::INFINITY),
        ("-1.#INF", f64::NEG_INFINITY),
        ("3/100", 3.0),
        ("[3/100]", 3.0),
        ("Epoch 3/10", 3.0),
        ("0.91 ± 0.02", 0.91),
        ("1.2G", 1.2e9),
        ("5k", 5000.0),
        ("123.4 img/s", 123.4),
        ("3.2it/s", 3.2),
    ] {
        assert_eq!(number(cell), Some((expected, None)), "{cell}");
    }
    for cell in [
        "-nan(ind)",
        "nan(snan)",
        "1.#QNAN",
        "-1.#IND00",
        "-nan",
        "tensor(nan)",
    ] {
        assert!(
            number(cell).is_some_and(|(value, _)| value.is_nan()),
            "{cell}"
        );
    }
}

#[test]
fn units_are_remembered() {
    use Unit::{Bytes, Date, Percent, Seconds};
    for (cell, expected, unit) in [
        ("62.9%", 62.9, Percent),
        ("62.9 %", 62.9, Percent),
        ("50.0% (5000/10000)", 50.0, Percent),
        ("12.1s", 12.1, Seconds),
        ("34ms", 0.034, Seconds),
        ("1h 2m 3s", 3723.0, Seconds),
        ("2m30s", 150.0, Seconds),
        ("1.5 hours", 5400.0, Seconds),
        ("01:30", 90.0, Seconds),
        ("2:03:04", 7384.0, Seconds),
        ("0:00:01.5", 1.5, Seconds),
        ("1 day, 2:03:04", 93784.0, Seconds),
        ("2 days, 0:00:01", 172_801.0, Seconds),
        ("1.2GB", 1.2e9, Bytes),
        ("2 KiB", 2048.0, Bytes),
        ("1970-01-02", 86400.0, Date),
        ("1970-01-01 00:01:00,500", 60.5, Date),
        ("1970/01/01 00:01:00", 60.0, Date),
        ("1970-01-01T01:01:00+01:00", 60.0, Date),
        ("1970-01-01T00:01:00Z", 60.0, Date),
    ] {
        assert_eq!(number(cell), Some((expected, Some(unit))), "{cell}");
    }
}

#[test]
fn what_is_no_single_number_is_text() {
    for cell in [
        "[1, 2]",
        "tensor([1, 2])",
        "1,23,4",
        "10:75",
        "1:2",
        "1.2.3",
        "12 apples",
        "2026-13-40",
        "192.168.0.1",
        "3/x",
        "a/100",
        "5 m",
        "1s 2GB",
        "float32(x)",
        "image(3)",
        "1__0_",
        "--5",
        "+",
        "((((((1))))))",
    ] {
        assert_eq!(value(cell, false), Value::Text, "{cell}");
    }
}

#[test]
fn one_comma_is_decimal_where_commas_do_not_separate() {
    assert_eq!(value("1,234", true), Value::Number(1.234, None));
    assert_eq!(value("1,234", false), Value::Number(1234.0, None));
    assert_eq!(
        value("62,5%", true),
        Value::Number(62.5, Some(Unit::Percent))
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(cell in "[-+0-9.,:/ a-zµ°%()\\[\\]#'\"_eE\u{a0}]{0,24}") {
        value(&cell, false);
        value(&cell, true);
    }

    #[test]
    fn a_plain_number_is_what_it_is(number in any::<f64>().prop_filter("a number", |number| !number.is_nan())) {
        prop_assert_eq!(value(&number.to_string(), true), Value::Number(number, None));
    }
}
