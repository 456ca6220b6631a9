//! Scores of a classifier's predictions, compared with scikit-learn and scipy, whose results
//! `tests/fixtures/evaluation/make.py` wrote.

use serde_json::Value;

use super::calibration::{BINS, bins, expected_error};
use super::confusion::{ClassScore, Confusion};
use super::interval::wilson;
use super::mcnemar::Comparison;
use super::predictions::{answer, cross_entropy, rank, softmax};

struct Fixture(Value);

impl Fixture {
    fn load() -> Self {
        let text = include_str!("../../../tests/fixtures/evaluation/scikit_learn.json");
        Self(serde_json::from_str(text).unwrap())
    }

    fn numbers(&self, pointer: &str) -> Vec<f64> {
        let values = self.0.pointer(pointer).unwrap().as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).collect()
    }

    fn number(&self, pointer: &str) -> f64 {
        self.0.pointer(pointer).unwrap().as_f64().unwrap()
    }

    fn labels(&self) -> Vec<usize> {
        self.numbers("/labels")
            .into_iter()
            .map(|label| label as usize)
            .collect()
    }

    fn logits(&self, key: &str) -> Vec<Vec<f32>> {
        let rows = self.0[key].as_array().unwrap();
        rows.iter()
            .enumerate()
            .map(|(row, _)| {
                self.numbers(&format!("/{key}/{row}"))
                    .into_iter()
                    .map(|logit| logit as f32)
                    .collect()
            })
            .collect()
    }
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-9,
            "{what}: {found} is not {expected}"
        );
    }
}

#[test]
fn scores_of_classes_and_their_means_are_scikit_learns() {
    let fixture = Fixture::load();
    let (labels, logits) = (fixture.labels(), fixture.logits("logits"));
    let pairs = labels
        .iter()
        .copied()
        .zip(logits.iter().map(|logits| answer(logits)));
    let confusion = Confusion::of(logits[0].len(), pairs);
    for (class, row) in confusion.rows().iter().enumerate() {
        let row: Vec<f64> = row.iter().map(|count| *count as f64).collect();
        assert_close(
            &row,
            &fixture.numbers(&format!("/confusion/{class}")),
            "confusion",
        );
    }
    let scores = confusion.scores();
    let each = |of: fn(&ClassScore) -> Option<f64>| -> Vec<f64> {
        scores
            .iter()
            .map(|score| of(score).unwrap_or(0.0))
            .collect()
    };
    assert_close(
        &each(ClassScore::precision),
        &fixture.numbers("/precision"),
        "precision",
    );
    assert_close(
        &each(ClassScore::recall),
        &fixture.numbers("/recall"),
        "recall",
    );
    assert_close(&each(ClassScore::f1), &fixture.numbers("/f1"), "f1");
    assert!(
        scores.iter().any(|score| score.images == 0)
            && scores.iter().any(|score| score.predicted == 0)
    );
    let means = confusion.macro_average();
    assert_close(
        &[means.precision, means.recall, means.f1],
        &fixture.numbers("/macro"),
        "macro",
    );
    let (correct, total) = (confusion.correct(), confusion.total());
    assert_close(
        &[correct as f64 / total as f64],
        &[fixture.number("/accuracy")],
        "accuracy",
    );
    let (low, high) = wilson(correct, total);
    assert_close(&[low, high], &fixture.numbers("/interval"), "interval");
}

#[test]
fn ranks_loss_and_calibration_are_scikit_learns() {
    let fixture = Fixture::load();
    let (labels, logits) = (fixture.labels(), fixture.logits("logits"));
    let count = labels.len() as f64;
    let both = || labels.iter().copied().zip(&logits);
    let top = |k: usize| {
        both()
            .filter(|(label, logits)| rank(logits, *label) < k)
            .count() as f64
            / count
    };
    assert_close(
        &[top(3), top(5)],
        &[fixture.number("/top_3"), fixture.number("/top_5")],
        "top",
    );
    let loss = both()
        .map(|(label, logits)| cross_entropy(logits, label, 0.0))
        .sum::<f64>()
        / count;
    assert_close(&[loss], &[fixture.number("/loss")], "loss");

    let answers = both().map(|(label, logits)| {
        let predicted = answer(logits);
        (softmax(logits)[predicted], predicted == label)
    });
    let bins = bins(answers, BINS);
    let counts: Vec<f64> = bins.iter().map(|bin| bin.images as f64).collect();
    assert_close(&counts, &fixture.numbers("/calibration/counts"), "counts");
    let filled = || bins.iter().filter(|bin| bin.images > 0);
    let (confidence, accuracy): (Vec<_>, Vec<_>) =
        filled().map(|bin| (bin.confidence, bin.accuracy)).unzip();
    assert_close(
        &confidence,
        &fixture.numbers("/calibration/confidence"),
        "confidence",
    );
    assert_close(
        &accuracy,
        &fixture.numbers("/calibration/accuracy"),
        "accuracy",
    );
    assert_close(
        &[expected_error(&bins)],
        &[fixture.number("/calibration/expected_error")],
        "error",
    );
}

#[test]
fn the_comparison_of_two_is_scipys_binomial_test() {
    let fixture = Fixture::load();
    let (labels, first, second) = (
        fixture.labels(),
        fixture.logits("logits"),
        fixture.logits("other_logits"),
    );
    let pairs = labels.iter().zip(first.iter().zip(&second));
    let comparison = Comparison::of(
        pairs.map(|(label, (first, second))| (answer(first) == *label, answer(second) == *label)),
    );
    let expected = ["only_first", "only_second", "p_value"]
        .map(|key| fixture.number(&format!("/mcnemar/{key}")));
    let found = [
        comparison.only_first as f64,
        comparison.only_second as f64,
        comparison.p_value(),
    ];
    assert_close(&found, &expected, "McNemar");
}
