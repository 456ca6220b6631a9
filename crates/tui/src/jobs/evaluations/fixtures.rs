//! Evaluations made up for tests: ten classes, two hundred images, the same each time.

use crate::jobs::evaluations::card::Card;
use crate::jobs::evaluations::compared::Compared;
use crate::jobs::evaluations::opened::Opened;
use traintop_analysis::confusion::Confusion;
use traintop_analysis::interval::wilson;
use traintop_analysis::{calibration, predictions};
use traintop_run::evaluation::{
    Accuracy, CalibrationBin, Class, Data, Evaluated, EvaluationDir, Images, Logits, Results,
    RunReference,
};
use traintop_run::notes::Notes;

/// As CIFAR-10 has them.
pub const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];
const IMAGES: usize = 200;
const SIDE: usize = 8;

/// Logits of a network that takes about each `wrong`-th image for the class after the next.
fn logits(wrong: usize) -> Logits {
    let mut made = Logits {
        ids: (0..IMAGES as i64).collect(),
        classes: CLASSES.len(),
        logits: Vec::new(),
        labels: Some((0..IMAGES as i64).map(|id| id % 10).collect()),
    };
    for id in 0..IMAGES {
        let label = id % 10;
        let said = if (id * 7 + id / 10) % wrong == 3 {
            (label + 2) % 10
        } else {
            label
        };
        let sure = 1.0 + (id % 7) as f32;
        made.logits.extend((0..10).map(|class| match class {
            class if class == said => sure,
            class if class == label => sure / 2.0,
            class => class as f32 / 20.0,
        }));
    }
    made
}

/// Results, answers and images of an evaluation with this many views.
pub fn made(run: &str, views: u32, wrong: usize) -> (Results, Logits, Images) {
    let logits = logits(wrong);
    let labels = logits.labels.clone().unwrap();
    let said: Vec<usize> = (0..IMAGES)
        .map(|number| predictions::answer(logits.of(number)))
        .collect();
    let pairs = labels.iter().zip(&said);
    let confusion = Confusion::of(10, pairs.map(|(label, said)| (*label as usize, *said)));
    let (correct, total) = (confusion.correct(), confusion.total());
    let (low, high) = wilson(correct, total);
    let sure = |number: usize| predictions::top(logits.of(number), 1)[0].1;
    let is_right = |number: usize| labels[number] as usize == said[number];
    let bins = calibration::bins((0..IMAGES).map(|at| (sure(at), is_right(at))), 15);
    let mistakes = (0..IMAGES).filter(|number| !is_right(*number));
    let ids: Vec<i64> = mistakes.chain([0, 1]).map(|number| number as i64).collect();
    let pixel = |id: i64, at: usize| {
        let (row, column) = (at / SIDE, at % SIDE);
        [(id * 9) as u8, (row * 32) as u8, (column * 32) as u8]
    };
    let images = Images {
        height: SIDE,
        width: SIDE,
        pixels: ids
            .iter()
            .flat_map(|id| (0..SIDE * SIDE).flat_map(|at| pixel(*id, at)))
            .collect(),
        ids,
    };
    let class = |(score, name): (traintop_analysis::confusion::ClassScore, &&str)| Class {
        name: (*name).to_owned(),
        images: score.images,
        predicted: score.predicted,
        correct: score.correct,
        precision: score.precision(),
        recall: score.recall(),
        f1: score.f1(),
    };
    let results = Results {
        schema_version: 1,
        id: format!("{run}-{views}"),
        started_at: Some("2026-11-24T10:00:00Z".parse().unwrap()),
        took_s: Some(2.5),
        data: Data {
            path: "synthetic".to_owned(),
            split: "test".to_owned(),
            sha256: "5a".repeat(32),
            images: total,
            height: SIDE as u32,
            width: SIDE as u32,
            ..Data::default()
        },
        checkpoints: vec![Evaluated {
            path: Some(format!("/nowhere/runs/{run}/best.safetensors").into()),
            which: "best".to_owned(),
            run: Some(RunReference {
                id: Some(run.to_owned()),
                path: Some(format!("/nowhere/runs/{run}").into()),
                name: Some(run.to_owned()),
            }),
            ..Evaluated::default()
        }],
        views,
        classes: CLASSES.map(str::to_owned).to_vec(),
        accuracy: Some(Accuracy {
            percent: 100.0 * correct as f64 / total as f64,
            correct,
            total,
            low: 100.0 * low,
            high: 100.0 * high,
        }),
        loss: Some(0.4321),
        top_3: Some(99.5),
        top_5: Some(100.0),
        per_class: confusion
            .scores()
            .into_iter()
            .zip(&CLASSES)
            .map(class)
            .collect(),
        confusion: confusion.rows().to_vec(),
        expected_calibration_error: Some(calibration::expected_error(&bins)),
        calibration: bins
            .into_iter()
            .map(|bin| CalibrationBin {
                low: bin.low,
                high: bin.high,
                images: bin.images,
                confidence: (bin.images > 0).then_some(bin.confidence),
                accuracy: (bin.images > 0).then_some(bin.accuracy),
            })
            .collect(),
        images_per_s: Some(1234.5),
        ..Results::default()
    };
    (results, logits, images)
}

pub fn opened(run: &str, views: u32, wrong: usize) -> Opened {
    let (results, logits, images) = made(run, views, wrong);
    let dir = EvaluationDir::new(format!("/nowhere/evaluations/{}", results.id));
    let card = Card::of(dir, &results, &Notes::default());
    Opened::of(card, results, &logits, &images, Vec::new())
}

/// Two of the same images.
pub fn compared() -> Compared {
    Compared::of(vec![opened("alpha", 1, 5), opened("alpha", 8, 20)])
}
