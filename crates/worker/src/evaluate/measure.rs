//! Measures predictions against the labels.

use traintop_analysis::calibration;
use traintop_analysis::confusion::{ClassScore, Confusion};
use traintop_analysis::interval::wilson;
use traintop_analysis::predictions::{answer, cross_entropy, rank, softmax};
use traintop_run::evaluation::{Accuracy, Averages, CalibrationBin, Class, Results, Versions};
use traintop_run::process;

use super::predictions::Predictions;

/// Fills in everything about right answers. Labels are below the number of classes.
pub fn measure(
    results: &mut Results,
    predictions: &Predictions,
    labels: &[i64],
    label_smoothing: f64,
) {
    let pairs = || {
        let labels = labels.iter().map(|label| *label as usize);
        labels.zip(predictions.each())
    };
    let count = labels.len() as f64;
    let confusion = Confusion::of(
        predictions.classes,
        pairs().map(|(label, logits)| (label, answer(logits))),
    );
    let (correct, total) = (confusion.correct(), confusion.total());
    let (low, high) = wilson(correct, total);
    results.accuracy = Some(Accuracy {
        percent: 100.0 * correct as f64 / count,
        correct,
        total,
        low: 100.0 * low,
        high: 100.0 * high,
    });
    let losses = pairs().map(|(label, logits)| cross_entropy(logits, label, label_smoothing));
    results.loss = Some(losses.sum::<f64>() / count);
    results.label_smoothing = Some(label_smoothing);
    let among = |most: usize| {
        let found = pairs().filter(|(label, logits)| rank(logits, *label) < most);
        Some(100.0 * found.count() as f64 / count)
    };
    (results.top_3, results.top_5) = (among(3), among(5));
    let scores = confusion.scores();
    let names = results.classes.iter();
    results.per_class = scores
        .iter()
        .zip(names)
        .map(|(score, name)| class(score, name))
        .collect();
    let means = confusion.macro_average();
    results.averages = Some(Averages {
        precision: means.precision,
        recall: means.recall,
        f1: means.f1,
    });
    results.confusion = confusion.rows().to_vec();
    let confident = pairs().map(|(label, logits)| {
        let predicted = answer(logits);
        (softmax(logits)[predicted], predicted == label)
    });
    let bins = calibration::bins(confident, calibration::BINS);
    results.expected_calibration_error = Some(calibration::expected_error(&bins));
    results.calibration = bins.iter().map(bin).collect();
}

fn class(score: &ClassScore, name: &str) -> Class {
    Class {
        name: name.to_owned(),
        images: score.images,
        predicted: score.predicted,
        correct: score.correct,
        precision: score.precision(),
        recall: score.recall(),
        f1: score.f1(),
    }
}

fn bin(bin: &calibration::Bin) -> CalibrationBin {
    CalibrationBin {
        low: bin.low,
        high: bin.high,
        images: bin.images,
        confidence: (bin.images > 0).then_some(bin.confidence),
        accuracy: (bin.images > 0).then_some(bin.accuracy),
    }
}

/// What makes an evaluation here.
pub fn versions() -> Versions {
    Versions {
        traintop: env!("CARGO_PKG_VERSION").to_owned(),
        libtorch: option_env!("TRAINTOP_LIBTORCH_VERSION")
            .unwrap_or("unknown")
            .to_owned(),
        host: process::host(),
    }
}
