//! An evaluation in full: every answer, and the images that were kept.

use std::collections::{HashMap, HashSet};

use crate::jobs::evaluations::card::Card;
use crate::widget::picture::Picture;
use crate::widget::reliability::Bin;
use traintop_analysis::predictions;
use traintop_run::RunDir;
use traintop_run::evaluation::{EvaluationDir, Images, Logits, Results};
use traintop_run::notes::Notes;
use traintop_text::clean;

/// How many of an answer's classes are shown.
pub const SHOWN: usize = 3;

/// What was answered about one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The image's number.
    pub id: i64,
    /// Its class, if that is known.
    pub label: Option<usize>,
    /// The most probable classes with their probabilities, the first of them the answer; at least
    /// one.
    pub top: Vec<(usize, f64)>,
}

impl Answer {
    /// The class that was answered.
    pub fn class(&self) -> usize {
        self.top.first().map_or(0, |top| top.0)
    }

    /// How sure the network was, 0 to 1.
    pub fn confidence(&self) -> f64 {
        self.top.first().map_or(0.0, |top| top.1)
    }

    /// Whether it is the image's class; `None` if nobody knows.
    pub fn is_right(&self) -> Option<bool> {
        self.label.map(|label| label == self.class())
    }
}

/// An evaluation that is looked at. All text is clean for a terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What lists show of it.
    pub card: Card,
    /// What was measured.
    pub results: Results,
    /// The classes' names, as many as there are classes.
    pub classes: Vec<String>,
    /// How often answers of each confidence are right.
    pub bins: Vec<Bin>,
    /// Every answer, by image.
    pub answers: Vec<Answer>,
    /// The images that were kept, by number.
    pub pictures: HashMap<i64, Picture>,
    /// What could not be read, as sentences.
    pub problems: Vec<String>,
}

impl Opened {
    /// Reads an evaluation. What is missing beside its results becomes a problem; the rest is read.
    ///
    /// # Errors
    /// A sentence, if it has no results that can be read.
    pub fn load(dir: &EvaluationDir) -> Result<Self, String> {
        let results = Results::load(dir).map_err(|error| clean(&error.to_string()).into_owned())?;
        let Some(results) = results else {
            return Err(format!(
                "{}: it has no summary.json, only predictions; evaluate the checkpoint again to see more",
                clean(&dir.name())
            ));
        };
        let notes = Notes::load(&RunDir::new(dir.path())).unwrap_or_default();
        let mut problems = Vec::new();
        let mut report = |error: String| problems.push(clean(&error).into_owned());
        let logits = Logits::load(dir).map_err(|error| report(error.to_string()));
        let images = Images::load(dir).map_err(|error| report(error.to_string()));
        Ok(Self::of(
            Card::of(dir.clone(), &results, &notes),
            results,
            &logits.unwrap_or_default(),
            &images.unwrap_or_default(),
            problems,
        ))
    }

    /// Puts together what was read.
    pub fn of(
        card: Card,
        results: Results,
        logits: &Logits,
        images: &Images,
        problems: Vec<String>,
    ) -> Self {
        let count = results
            .classes
            .len()
            .max(results.confusion.len())
            .max(logits.classes);
        let name = |class: usize| match results.classes.get(class) {
            Some(name) => clean(name).into_owned(),
            None => class.to_string(),
        };
        let bins = results.calibration.iter().map(|bin| Bin {
            count: bin.images,
            accuracy: bin.accuracy.unwrap_or(f64::NAN),
        });
        Self {
            card,
            classes: (0..count).map(name).collect(),
            bins: bins.collect(),
            answers: answers_of(logits),
            pictures: pictures(images),
            problems,
            results,
        }
    }

    /// A class's name.
    pub fn class(&self, class: usize) -> &str {
        self.classes.get(class).map_or("?", String::as_str)
    }

    /// The answers that a choice takes in, the most confident first; those whose image was kept
    /// before the others.
    pub fn chosen(&self, choice: Choice) -> Vec<&Answer> {
        let mut chosen: Vec<&Answer> = self
            .answers
            .iter()
            .filter(|answer| match choice {
                Choice::Mistakes => answer.is_right() == Some(false),
                Choice::All => true,
                Choice::Cell(label, class) => {
                    answer.label == Some(label) && answer.class() == class
                }
            })
            .collect();
        let kept: HashSet<i64> = self.pictures.keys().copied().collect();
        chosen.sort_by(|a, b| {
            let known = |answer: &Answer| kept.contains(&answer.id);
            known(b)
                .cmp(&known(a))
                .then(b.confidence().total_cmp(&a.confidence()))
                .then(a.id.cmp(&b.id))
        });
        chosen
    }
}

/// Which answers a gallery shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Those that are wrong.
    Mistakes,
    /// All; of images without labels nothing else is known.
    All,
    /// Images of one class that were taken for another, or for what they are.
    Cell(usize, usize),
}

fn answers_of(logits: &Logits) -> Vec<Answer> {
    let label = |number: usize| {
        let label = logits.labels.as_ref()?.get(number)?;
        usize::try_from(*label).ok()
    };
    let answer = |(number, id): (usize, &i64)| Answer {
        id: *id,
        label: label(number),
        top: predictions::top(logits.of(number), SHOWN),
    };
    // Logits without classes say nothing.
    let ids = if logits.classes == 0 {
        &[][..]
    } else {
        &logits.ids[..]
    };
    ids.iter().enumerate().map(answer).collect()
}

fn pictures(images: &Images) -> HashMap<i64, Picture> {
    let (Ok(width), Ok(height)) = (u16::try_from(images.width), u16::try_from(images.height))
    else {
        return HashMap::new();
    };
    let bytes = images.pixels.chunks_exact(images.image_len().max(1));
    images
        .ids
        .iter()
        .zip(bytes)
        .filter_map(|(id, bytes)| Some((*id, Picture::new(width, height, bytes)?)))
        .collect()
}
