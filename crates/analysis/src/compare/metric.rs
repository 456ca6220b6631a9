//! What runs are compared by: the same quantity under the names that different trainers give it,
//! and which way is better.

use super::super::grouping;
use super::super::scale::Scale;
use traintop_run::compared_run::ComparedRun;
use traintop_run::metric_names::{self, Direction, Kind, MetricName, Split};
use traintop_run::metrics::{Column, Metrics};
use traintop_run::primary;

/// A quantity that runs are compared by.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// As most of the runs spell it.
    pub name: String,
    /// Of what data it is.
    split: Option<Split>,
    /// What is measured, under any trainer's name.
    quantity: String,
    kind: Kind,
    /// How its values are written.
    pub scale: Scale,
    /// Which way is better.
    pub better: Direction,
    /// Whether that is a guess.
    pub guessed: bool,
    /// Some runs write it in percent and some as a fraction.
    mixed: bool,
}

/// A metric, the names that it goes by and how many runs call it so, its largest value, and how
/// many runs are judged by it.
struct Seen {
    metric: Metric,
    names: Vec<(String, usize)>,
    highest: Option<f64>,
    judged: usize,
}

impl Metric {
    /// The metrics that any of `runs` has, the one by which most of them are judged first, then
    /// validation accuracy, validation loss, any accuracy, any loss, then the others in the order
    /// of the files.
    pub fn all<'a>(runs: impl IntoIterator<Item = &'a ComparedRun>) -> Vec<Self> {
        let mut all: Vec<Seen> = Vec::new();
        for run in runs {
            let judged_by = run.summary.best.as_ref().map(|best| best.metric.as_str());
            let trend = Some(run.summary.trend_of.as_str()).filter(|name| !name.is_empty());
            let judged_by = judged_by.or(trend);
            for (column, read) in identities(&run.metrics) {
                let finite = column.y.iter().copied().filter(|y| y.is_finite());
                let highest = finite.reduce(f64::max);
                let known = |seen: &Seen| seen.metric.is(&read);
                let at = all.iter().position(known).unwrap_or_else(|| {
                    let judging = &run.metrics.judging;
                    let (better, guessed) = primary::direction(judging, &column.name, &read);
                    all.push(Seen {
                        metric: Self {
                            name: String::new(),
                            split: read.split,
                            quantity: read.quantity.clone(),
                            kind: read.kind,
                            scale: grouping::scale_of(&column.name, highest),
                            better,
                            guessed,
                            mixed: false,
                        },
                        names: Vec::new(),
                        highest: None,
                        judged: 0,
                    });
                    all.len() - 1
                });
                all[at].take(&column.name, highest);
                all[at].judged += usize::from(judged_by == Some(column.name.as_str()));
            }
        }
        all.sort_by_key(|seen| (std::cmp::Reverse(seen.judged), seen.metric.rank()));
        all.into_iter().map(Seen::metric).collect()
    }

    /// The one that `word` names: as any trainer may spell it, with its split or without.
    pub fn named<'a>(metrics: &'a [Self], word: &str) -> Option<&'a Self> {
        let read = metric_names::read(word);
        let with = |split: Option<Split>| {
            let wanted = MetricName {
                split,
                ..read.clone()
            };
            metrics.iter().find(move |metric| metric.is(&wanted))
        };
        let exact = metrics.iter().find(|metric| metric.name == word);
        exact.or_else(|| with(read.split)).or_else(|| {
            let splits = [Split::Validation, Split::Test].into_iter();
            let splits = splits.filter(|_| read.split.is_none());
            splits.map(Some).find_map(with)
        })
    }

    /// `lower is better`, with a word about a guess.
    pub fn better_words(&self) -> String {
        let guess = if self.guessed {
            ", which is a guess"
        } else {
            ""
        };
        format!("{} is better{guess}", self.better)
    }

    fn is(&self, read: &MetricName) -> bool {
        self.split == read.split && self.quantity == read.quantity
    }

    fn rank(&self) -> u8 {
        let quantity = self.quantity.as_str();
        match (self.split, quantity) {
            (Some(Split::Validation), metric_names::ACCURACY) => 0,
            (Some(Split::Validation), metric_names::LOSS) => 1,
            (_, metric_names::ACCURACY) => 2,
            (_, metric_names::LOSS) => 3,
            (Some(Split::Validation), _) if self.kind.is_judged() => 4,
            _ if self.kind.is_judged() => 5,
            _ => 6,
        }
    }

    pub fn column<'a>(&self, run: &'a ComparedRun) -> Option<&'a Column> {
        let mut columns = identities(&run.metrics);
        let (column, _) = columns.find(|(_, read)| self.is(read))?;
        Some(column)
    }

    /// The factor that converts a run's values to the common unit.
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

impl Seen {
    /// Takes in one run's column.
    fn take(&mut self, name: &str, highest: Option<f64>) {
        let is_fraction = |highest: f64| highest <= 1.0;
        let metric = &mut self.metric;
        if metric.kind == Kind::Accuracy
            && let (Some(a), Some(b)) = (highest, self.highest)
            && is_fraction(a) != is_fraction(b)
        {
            metric.mixed = true;
            metric.scale = Scale::Percent;
        }
        self.highest = match (self.highest, highest) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        match self.names.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => self.names.push((name.to_owned(), 1)),
        }
    }

    fn metric(self) -> Metric {
        let most = self.names.iter().map(|(_, count)| *count).max();
        // The first of equally many, not the last.
        let mut names = self.names.into_iter();
        let name = names.find(|(_, count)| Some(*count) == most);
        Metric {
            name: name.map(|(name, _)| name).unwrap_or_default(),
            ..self.metric
        }
    }
}

/// The columns of metrics with what each measures. Where several measure the same (`auc` and
/// `auc_1`, `loss_step` and `loss_epoch`), all but the first go by their whole names.
fn identities(metrics: &Metrics) -> impl Iterator<Item = (&Column, MetricName)> {
    let mut seen: Vec<(Option<Split>, String)> = Vec::new();
    let columns = metrics.columns.iter();
    columns.filter_map(move |column| {
        let mut read = metric_names::read(&column.name);
        if column.name == metrics.x_name || read.kind == Kind::Place {
            return None;
        }
        let own = (read.split, read.quantity.clone());
        if seen.contains(&own) {
            read.quantity.clone_from(&column.name);
        } else {
            seen.push(own);
        }
        Some((column, read))
    })
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
        assert_eq!(metrics[1].better, Direction::Lower);
        let accuracy = Metric::named(&metrics, "validation_accuracy").unwrap();
        assert_eq!(accuracy, &metrics[0]);
        assert!(accuracy.is_mixed() && accuracy.scale == Scale::Percent);
        let column = accuracy.column(&runs[1]).unwrap();
        assert_eq!((column.y[0], accuracy.factor(column)), (0.6, 100.0));
        assert_eq!(accuracy.factor(accuracy.column(&runs[0]).unwrap()), 1.0);
        assert!(Metric::named(&metrics, "f1").is_none());
    }

    #[test]
    fn what_most_runs_are_judged_by_comes_first_and_knows_its_direction() {
        let falls = [0.9, 0.1];
        let runs = [
            compared_run(
                "a",
                &[("lr", &[0.1]), ("train_loss", &falls), ("val_mape", &falls)],
            ),
            compared_run("b", &[("valMape", &falls)]),
            compared_run("c", &[("val_acc", &falls), ("val_acc_1", &falls)]),
        ];
        let metrics = Metric::all(&runs);
        let all: Vec<_> = metrics
            .iter()
            .map(|metric| format!("{} {}", metric.name, metric.better))
            .collect();
        let expected = [
            "val_mape lower",
            "val_acc higher",
            "train_loss lower",
            "val_acc_1 higher",
            "lr higher",
        ];
        assert_eq!(all, expected);
        assert_eq!(Metric::named(&metrics, "MAPE"), Some(&metrics[0]));
        let second = metrics[3].column(&runs[2]).unwrap();
        assert_eq!(second.name, "val_acc_1");
        assert!(Direction::Lower.reaches(1.0, 1.0) && !Direction::Lower.reaches(1.1, 1.0));
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
