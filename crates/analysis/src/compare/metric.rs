//! What runs are compared by: the same quantity under the names that different trainers give it,
//! and which way is better.

use super::super::grouping::{self, Split};
use super::super::scale::Scale;
use traintop_run::compared_run::ComparedRun;
use traintop_run::metrics::Column;

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    Higher,
    Lower,
}

impl Better {
    /// Whether `a` is better than `b`.
    pub fn than(self, a: f64, b: f64) -> bool {
        match self {
            Self::Higher => a > b,
            Self::Lower => a < b,
        }
    }

    /// Whether a value has come to a threshold.
    pub fn reaches(self, value: f64, threshold: f64) -> bool {
        value == threshold || self.than(value, threshold)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
        }
    }
}

/// Words in a name that tell of something one wants little of.
const LESS_IS_BETTER: [&str; 22] = [
    "loss",
    "err",
    "error",
    "nll",
    "perplexity",
    "ppl",
    "mae",
    "mse",
    "rmse",
    "wer",
    "cer",
    "fid",
    "time",
    "elapsed",
    "seconds",
    "ms",
    "memory",
    "eta",
    "hours",
    "norm",
    "ece",
    "brier",
];

/// A quantity that runs are compared by.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// As most of the runs spell it.
    pub name: String,
    /// Of what data it is.
    split: Option<Split>,
    /// What is measured, whatever a trainer calls it.
    quantity: String,
    /// How its values are written.
    pub scale: Scale,
    /// Which way is better.
    pub better: Better,
    /// Some runs write it in percent and some as a fraction.
    mixed: bool,
}

/// A metric, the names that it goes by and how many runs call it so, and its largest value.
type Seen = (Metric, Vec<(String, usize)>, Option<f64>);

impl Metric {
    /// The metrics that any of `runs` has, the one by which runs are judged first: validation
    /// accuracy, else validation loss, else any accuracy, any loss, else the file's first column.
    pub fn all<'a>(runs: impl IntoIterator<Item = &'a ComparedRun>) -> Vec<Self> {
        let mut metrics: Vec<Seen> = Vec::new();
        for run in runs {
            for column in &run.metrics.columns {
                if column.name == run.metrics.x_name || is_place(&column.name) {
                    continue;
                }
                let highest = column.y.iter().copied().filter(|y| y.is_finite());
                let highest = highest.reduce(f64::max);
                let (split, quantity) = grouping::identity(&column.name);
                let known = metrics
                    .iter_mut()
                    .find(|(metric, ..)| metric.split == split && metric.quantity == quantity);
                let Some((metric, names, largest)) = known else {
                    let better = better(&column.name);
                    let scale = grouping::scale_of(&column.name, highest);
                    let metric = Self {
                        name: String::new(),
                        split,
                        quantity,
                        scale,
                        better,
                        mixed: false,
                    };
                    metrics.push((metric, vec![(column.name.clone(), 1)], highest));
                    continue;
                };
                let is_fraction = |highest: Option<f64>| highest.is_some_and(|most| most <= 1.0);
                if metric.quantity == grouping::ACCURACY
                    && highest.is_some()
                    && largest.is_some()
                    && is_fraction(highest) != is_fraction(*largest)
                {
                    metric.mixed = true;
                    metric.scale = Scale::Percent;
                }
                *largest = match (*largest, highest) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    (a, b) => a.or(b),
                };
                match names.iter_mut().find(|(name, _)| *name == column.name) {
                    Some((_, count)) => *count += 1,
                    None => names.push((column.name.clone(), 1)),
                }
            }
        }
        let mut all: Vec<Self> = metrics
            .into_iter()
            .map(|(metric, names, _)| {
                let most = names.iter().map(|(_, count)| *count).max();
                // The first of equally many, not the last.
                let name = names.iter().find(|(_, count)| Some(*count) == most);
                Self {
                    name: name.map(|(name, _)| name.clone()).unwrap_or_default(),
                    ..metric
                }
            })
            .collect();
        all.sort_by_key(Self::rank);
        all
    }

    /// The one that `word` names: as any trainer may spell it.
    pub fn named<'a>(metrics: &'a [Self], word: &str) -> Option<&'a Self> {
        let (split, quantity) = grouping::identity(word);
        metrics
            .iter()
            .find(|metric| metric.name == word)
            .or_else(|| {
                metrics
                    .iter()
                    .find(|metric| metric.split == split && metric.quantity == quantity)
            })
    }

    fn rank(&self) -> u8 {
        let quantity = self.quantity.as_str();
        match (self.split, quantity) {
            (Some(Split::Validation), grouping::ACCURACY) => 0,
            (Some(Split::Validation), grouping::LOSS) => 1,
            (_, grouping::ACCURACY) => 2,
            (_, grouping::LOSS) => 3,
            (Some(Split::Validation), _) => 4,
            _ => 5,
        }
    }

    pub fn column<'a>(&self, run: &'a ComparedRun) -> Option<&'a Column> {
        run.metrics.columns.iter().find(|column| {
            let (split, quantity) = grouping::identity(&column.name);
            column.name != run.metrics.x_name && split == self.split && quantity == self.quantity
        })
    }

    /// What a run's values are to be multiplied by, so that all runs speak of the same unit.
    pub fn factor(&self, column: &Column) -> f64 {
        let finite = column.y.iter().filter(|y| y.is_finite());
        let is_fraction = self.mixed && finite.fold(0.0, |most, y| f64::max(most, *y)) <= 1.0;
        if is_fraction { 100.0 } else { 1.0 }
    }

    /// Whether some runs write percent and some fractions, so that the latter are multiplied by
    /// 100.
    pub fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// A value with what a person needs of its digits.
    pub fn reading(&self, value: f64) -> String {
        match self.scale {
            Scale::Percent if value.is_finite() => format!("{value:.2}"),
            scale => scale.reading(value),
        }
    }

    /// A difference with its sign, in as many digits as the values have that it is of.
    pub fn difference(&self, difference: f64, of: f64) -> String {
        if !difference.is_finite() {
            return difference.to_string();
        }
        if self.scale == Scale::Percent {
            return format!("{difference:+.2}");
        }
        let digits = if of == 0.0 || !of.is_finite() {
            4
        } else {
            (3 - of.abs().log10().floor() as i32).clamp(0, 9) as usize
        };
        format!("{difference:+.digits$}")
    }
}

/// Columns that say where a row stands.
fn is_place(name: &str) -> bool {
    ["epoch", "step", "global_step", "iteration", "row"]
        .iter()
        .any(|place| name.eq_ignore_ascii_case(place))
}

fn better(name: &str) -> Better {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|letter: char| !letter.is_ascii_alphanumeric());
    let less = words.any(|word| LESS_IS_BETTER.contains(&word));
    // `images_per_s` is a speed, whatever else it counts.
    if less && !lower.contains("per_s") {
        Better::Lower
    } else {
        Better::Higher
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::compared_run;
    use super::*;

    #[test]
    fn one_quantity_has_many_names_and_validation_accuracy_comes_first() {
        let runs = [
            compared_run("a", &[("train_loss", &[2.0]), ("val_acc", &[50.0])]),
            compared_run("b", &[("val/accuracy", &[0.6]), ("val_loss", &[1.0])]),
            compared_run("c", &[("val_acc", &[70.0])]),
        ];
        let metrics = Metric::all(&runs);
        let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names, ["val_acc", "val_loss", "train_loss"]);
        assert_eq!(metrics[1].better, Better::Lower);
        let accuracy = Metric::named(&metrics, "validation_accuracy").unwrap();
        assert_eq!(accuracy, &metrics[0]);
        assert!(accuracy.is_mixed() && accuracy.scale == Scale::Percent);
        let column = accuracy.column(&runs[1]).unwrap();
        assert_eq!((column.y[0], accuracy.factor(column)), (0.6, 100.0));
        assert_eq!(accuracy.factor(accuracy.column(&runs[0]).unwrap()), 1.0);
        assert!(Metric::named(&metrics, "f1").is_none());
    }

    #[test]
    fn names_tell_which_way_is_better() {
        for (name, way) in [
            ("val_loss", Better::Lower),
            ("top5_err", Better::Lower),
            ("images_per_s", Better::Higher),
            ("val_f1", Better::Higher),
            ("memory_used_mb", Better::Lower),
        ] {
            assert_eq!(better(name), way, "{name}");
        }
        assert!(Better::Lower.reaches(1.0, 1.0) && !Better::Lower.reaches(1.1, 1.0));
    }

    #[test]
    fn differences_have_the_digits_of_their_values() {
        let run = [compared_run(
            "a",
            &[("val_acc", &[50.0]), ("val_loss", &[1.0])],
        )];
        let metrics = Metric::all(&run);
        assert_eq!(metrics[0].difference(0.123, 94.5), "+0.12");
        assert_eq!(metrics[1].difference(-0.012_34, 0.5), "-0.0123");
    }
}
