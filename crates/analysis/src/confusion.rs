//! Which classes are predicted as which, and the scores of each class.

/// Images counted by true and predicted class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    rows: Vec<Vec<u64>>,
}

/// The results of one class. Undefined values are `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScore {
    pub images: u64,
    /// Images that were predicted as it.
    pub predicted: u64,
    /// Images of it that were predicted as it.
    pub correct: u64,
}

/// Means over classes, each counting the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MacroAverage {
    pub precision: f64,
    pub recall: f64,
    /// Of the harmonic means.
    pub f1: f64,
}

impl Confusion {
    /// Counts pairs of a true and a predicted class, both below `classes`.
    pub fn of(classes: usize, pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let mut rows = vec![vec![0; classes]; classes];
        for (label, predicted) in pairs {
            rows[label][predicted] += 1;
        }
        Self { rows }
    }

    /// A row for each true class, a column for each predicted one.
    pub fn rows(&self) -> &[Vec<u64>] {
        &self.rows
    }

    /// All images.
    pub fn total(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// Right answers.
    pub fn correct(&self) -> u64 {
        self.rows
            .iter()
            .enumerate()
            .map(|(class, row)| row[class])
            .sum()
    }

    /// Each class by itself.
    pub fn scores(&self) -> Vec<ClassScore> {
        (0..self.rows.len())
            .map(|class| ClassScore {
                images: self.rows[class].iter().sum(),
                predicted: self.rows.iter().map(|row| row[class]).sum(),
                correct: self.rows[class][class],
            })
            .collect()
    }

    /// The means over all classes that have images or predictions; what such a class lacks counts
    /// as 0, as in scikit-learn.
    pub fn macro_average(&self) -> MacroAverage {
        let scores = self.scores();
        let seen = scores
            .iter()
            .filter(|score| score.images + score.predicted > 0);
        let count = seen.clone().count().max(1) as f64;
        let mean = |of: fn(&ClassScore) -> Option<f64>| {
            seen.clone()
                .map(|score| of(score).unwrap_or(0.0))
                .sum::<f64>()
                / count
        };
        MacroAverage {
            precision: mean(ClassScore::precision),
            recall: mean(ClassScore::recall),
            f1: mean(ClassScore::f1),
        }
    }
}

impl ClassScore {
    /// Right among those predicted as the class, 0 to 1.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.correct, self.predicted)
    }

    /// Right among those that are of the class, 0 to 1.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.correct, self.images)
    }

    /// The harmonic mean of both.
    pub fn f1(&self) -> Option<f64> {
        ratio(2 * self.correct, self.images + self.predicted)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn classes_without_images_or_predictions_are_distinguished_from_bad_ones() {
        let confusion = Confusion::of(4, [(0, 0), (0, 1), (1, 0)]);
        let scores = confusion.scores();
        assert_eq!(
            (scores[0].precision(), scores[0].recall()),
            (Some(0.5), Some(0.5))
        );
        assert_eq!(
            (scores[1].precision(), scores[1].f1()),
            (Some(0.0), Some(0.0))
        );
        assert_eq!(
            (scores[2].precision(), scores[2].recall(), scores[2].f1()),
            (None, None, None)
        );
        assert_eq!(confusion.macro_average().f1, 0.25);
    }

    proptest! {
        #[test]
        fn rows_add_up_to_the_images_and_columns_to_the_predictions(
            pairs in prop::collection::vec((0_usize..5, 0_usize..5), 0..200)
        ) {
            let confusion = Confusion::of(5, pairs.clone());
            prop_assert_eq!(confusion.total(), pairs.len() as u64);
            for (class, score) in confusion.scores().iter().enumerate() {
                let of = |is: fn(&(usize, usize)) -> usize| {
                    pairs.iter().filter(|pair| is(pair) == class).count() as u64
                };
                prop_assert_eq!((score.images, score.predicted), (of(|pair| pair.0), of(|pair| pair.1)));
                prop_assert_eq!(confusion.rows()[class].iter().sum::<u64>(), score.images);
            }
            let right = pairs.iter().filter(|(label, predicted)| label == predicted).count();
            prop_assert_eq!(confusion.correct(), right as u64);
        }
    }
}
