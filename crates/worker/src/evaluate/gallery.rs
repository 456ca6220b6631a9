//! The images that are kept for viewing, and the picture of some of them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use traintop_analysis::figures::gallery::{Card, to_png_file};
use traintop_analysis::predictions::{answer, softmax, top};
use traintop_run::evaluation::{Images, Results};

use super::inputs::Inputs;
use super::predictions::Predictions;
use crate::data::shuffle;

/// Mistakes that are kept.
const MISTAKES: usize = 2_000;
/// Right answers that are kept of each class.
const RIGHT: usize = 8;
/// Images that are kept without labels.
const UNLABELLED: usize = 64;
/// Images in the picture.
const SHOWN: usize = 24;
/// Classes that are named for each.
const TOP: usize = 3;

/// The images that a dashboard should be able to show: mistakes, the most confident first, then
/// right answers of each class.
pub fn shown_images(predictions: &Predictions, questions: &Inputs) -> Images {
    let numbers = match questions.labels() {
        Some(labels) => mistakes_and_right(predictions, labels),
        None => (0..predictions.count().min(UNLABELLED)).collect(),
    };
    let split = &questions.split;
    Images {
        ids: numbers
            .iter()
            .map(|number| questions.ids[*number])
            .collect(),
        height: split.height,
        width: split.width,
        pixels: numbers
            .iter()
            .flat_map(|number| pixels(questions, *number))
            .collect(),
    }
}

fn mistakes_and_right(predictions: &Predictions, labels: &[i64]) -> Vec<usize> {
    let mut mistakes = Vec::new();
    let mut right = vec![Vec::new(); predictions.classes];
    for (number, (logits, label)) in predictions.each().zip(labels).enumerate() {
        let predicted = answer(logits);
        if predicted != *label as usize {
            mistakes.push((softmax(logits)[predicted], number));
        } else if right[predicted].len() < RIGHT {
            right[predicted].push(number);
        }
    }
    mistakes.sort_by(|(a, first), (b, second)| b.total_cmp(a).then(first.cmp(second)));
    let mistakes = mistakes
        .into_iter()
        .take(MISTAKES)
        .map(|(_, number)| number);
    mistakes.chain(right.into_iter().flatten()).collect()
}

/// Red, green, blue of each pixel of an image, out of its planes.
fn pixels(questions: &Inputs, number: usize) -> Vec<u8> {
    let length = questions.split.image_len();
    let image = &questions.split.images[number * length..(number + 1) * length];
    let plane = length / 3;
    (0..plane)
        .flat_map(|at| [image[at], image[plane + at], image[2 * plane + at]])
        .collect()
}

/// Some images, drawn by the evaluation's seed, with what was predicted for each; or the drawing
/// library's message.
pub fn picture(
    results: &Results,
    predictions: &Predictions,
    questions: &Inputs,
) -> Result<Vec<u8>, String> {
    let mut numbers: Vec<usize> = (0..predictions.count()).collect();
    shuffle(&mut numbers, &mut ChaCha8Rng::seed_from_u64(results.seed));
    numbers.truncate(SHOWN);
    let logits: Vec<&[f32]> = predictions.each().collect();
    let name = |class: usize| questions.classes[class].as_str();
    let shown: Vec<_> = numbers
        .iter()
        .map(|number| {
            let top: Vec<(&str, f64)> = top(logits[*number], TOP)
                .into_iter()
                .map(|(class, probability)| (name(class), probability))
                .collect();
            let truth = questions
                .labels()
                .map(|labels| name(labels[*number] as usize));
            (pixels(questions, *number), truth, top)
        })
        .collect();
    let cards: Vec<Card> = shown
        .iter()
        .map(|(pixels, truth, top)| Card {
            pixels,
            width: questions.split.width,
            truth: *truth,
            top,
        })
        .collect();
    to_png_file(&title(results), &cards)
}

fn title(results: &Results) -> String {
    let images = results.data.images;
    let views = match results.views {
        1 => String::new(),
        count => format!(", {count} views"),
    };
    match &results.accuracy {
        Some(accuracy) => format!(
            "{} of {images} {} images right ({:.2} %){views}",
            accuracy.correct, results.data.split, accuracy.percent
        ),
        None => format!("predictions for {images} unlabelled images{views}"),
    }
}
