//! The table of a comparison: the result of each run, or each recipe, its difference from a
//! baseline, and the significance of that.

use super::aggregate::Aggregate;
use super::measure::{Measure, Measured, elapsed_s, last_epoch, seconds_per_epoch};
use super::metric::Metric;
use super::noise::{Noise, Verdict};
use super::repetitions::{groups, seed};
use traintop_run::compared_run::ComparedRun;

/// The default threshold, as a fraction of the way from the baseline's first value to its best.
const THRESHOLD_FRACTION: f64 = 0.98;

/// The parameters of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What runs are compared by.
    pub metric: Metric,
    /// Whether runs that differ only in the seed are one row.
    pub folded: bool,
    /// The place of the run that the others are compared with.
    pub baseline: usize,
    /// The epoch at which values are compared; `None` for the last that all have.
    pub at_epoch: Option<f64>,
    /// The value to be reached; `None` for most of what the baseline reached.
    pub threshold: Option<f64>,
}

impl Question {
    /// By this metric, repetitions folded, the first run as the baseline, the rest as it comes.
    pub fn by(metric: Metric) -> Self {
        Self {
            metric,
            folded: true,
            baseline: 0,
            at_epoch: None,
            threshold: None,
        }
    }
}

/// One run, or several of one recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The indices of its runs; the first represents them.
    pub members: Vec<usize>,
    /// How many of them count: those that got as far as the farthest.
    pub counted: usize,
    /// The best values.
    pub best: Option<Aggregate>,
    /// The epoch of the best value; of several runs the mean.
    pub best_epoch: Option<f64>,
    /// The last values.
    pub last: Option<Aggregate>,
    /// The values at the comparison's epoch.
    pub at: Option<Aggregate>,
    /// Where the threshold was reached: by how many, at which epoch, after how many seconds; of
    /// several runs the means.
    pub reached: Option<Reached>,
    /// The last epoch.
    pub epochs: Option<f64>,
    /// Seconds that an epoch takes: the median; of several runs the mean of theirs.
    pub seconds_per_epoch: Option<f64>,
    /// Seconds that it took; of several runs the mean.
    pub elapsed_s: Option<f64>,
    /// The best values against the baseline's; `None` for the baseline itself.
    pub difference: Option<Verdict>,
    /// The values at the comparison's epoch against the baseline's.
    pub difference_at: Option<Verdict>,
}

/// Where a threshold was reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reached {
    /// By this many of the runs that count.
    pub n: usize,
    pub epoch: Option<f64>,
    /// After this many seconds.
    pub elapsed_s: Option<f64>,
}

/// The best row, and what its being the best of many does to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestOf {
    /// Its place among the rows.
    pub row: usize,
    /// How many rows it is the best of.
    pub n: usize,
    /// By about how much that flatters, in the metric's unit, if all were equally good; `None`
    /// where the noise is unknown.
    pub flattery: Option<f64>,
}

/// A whole comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub metric: Metric,
    /// The rows, in the order of the runs.
    pub rows: Vec<Row>,
    /// The row that the others are compared with.
    pub baseline: usize,
    /// The epoch at which values are compared.
    pub at_epoch: Option<f64>,
    /// The value to be reached.
    pub threshold: Option<f64>,
    /// What repetitions teach.
    pub noise: Option<Noise>,
    /// The best row.
    pub best_of: Option<BestOf>,
}

/// Compares runs. `others` are not compared, but help to estimate the spread of runs of one recipe.
pub fn compare(runs: &[&ComparedRun], others: &[&ComparedRun], question: &Question) -> Comparison {
    let metric = &question.metric;
    let facts: Vec<Facts> = runs.iter().map(|run| Facts::of(run, metric)).collect();
    let members: Vec<Vec<usize>> = if question.folded {
        groups(runs)
    } else {
        (0..runs.len()).map(|run| vec![run]).collect()
    };
    let of_baseline = |group: &Vec<usize>| group.contains(&question.baseline);
    let baseline = members.iter().position(of_baseline).unwrap_or(0);
    let at_epoch = question.at_epoch.or_else(|| common_epoch(&facts));
    let asked = facts.get(question.baseline);
    let threshold = question
        .threshold
        .or_else(|| asked.and_then(Facts::threshold));
    let noise = learn(runs, others, metric);
    let mut rows: Vec<Row> = members
        .into_iter()
        .map(|members| row(members, &facts, at_epoch, threshold))
        .collect();
    let judged = |value: fn(&Row) -> Option<Aggregate>, rows: &[Row]| -> Vec<Option<Verdict>> {
        let side = |row: &Row| value(row).map(|of| (of.mean, of.n));
        let base = rows.get(baseline).and_then(side);
        let verdict = |(at, row): (usize, &Row)| {
            let (other, base) = (side(row)?, base?);
            (at != baseline).then(|| Verdict::of(other, base, noise))
        };
        rows.iter().enumerate().map(verdict).collect()
    };
    let differences = judged(|row| row.best, &rows);
    let differences_at = judged(|row| row.at, &rows);
    for (row, (difference, at)) in rows
        .iter_mut()
        .zip(differences.into_iter().zip(differences_at))
    {
        row.difference = difference;
        row.difference_at = at;
    }
    Comparison {
        best_of: best_of(&rows, metric, noise),
        metric: metric.clone(),
        rows,
        baseline,
        at_epoch,
        threshold,
        noise,
    }
}

/// The best value of each run, folded with no other.
pub fn best_of_each(runs: &[&ComparedRun], metric: &Metric) -> Vec<Option<f64>> {
    let best = |run: &&ComparedRun| Some(Measured::of(run, metric)?.best()?.value);
    runs.iter().map(best).collect()
}

/// The results of one run.
struct Facts<'a> {
    measured: Option<Measured<'a>>,
    best: Option<Measure>,
    last: Option<Measure>,
    epochs: Option<f64>,
    seconds_per_epoch: Option<f64>,
    elapsed_s: Option<f64>,
}

impl<'a> Facts<'a> {
    fn of(run: &'a ComparedRun, metric: &'a Metric) -> Self {
        let measured = Measured::of(run, metric);
        Self {
            best: measured.as_ref().and_then(Measured::best),
            last: measured.as_ref().and_then(Measured::last),
            measured,
            epochs: last_epoch(run),
            seconds_per_epoch: seconds_per_epoch(run),
            elapsed_s: elapsed_s(run),
        }
    }

    fn threshold(&self) -> Option<f64> {
        let first = self.measured.as_ref()?.first()?;
        Some(first + (self.best?.value - first) * THRESHOLD_FRACTION)
    }
}

/// The last epoch that all have reached, except those that ended before half of the usual number.
fn common_epoch(facts: &[Facts]) -> Option<f64> {
    let known = facts.iter().filter(|facts| facts.best.is_some());
    let mut epochs: Vec<f64> = known.filter_map(|facts| facts.epochs).collect();
    epochs.sort_by(f64::total_cmp);
    let usual = *epochs.get(epochs.len() / 2)?;
    epochs.into_iter().find(|epoch| *epoch * 2.0 >= usual)
}

/// Those of a recipe's runs that got as far as the farthest of them.
fn complete<'a>(
    members: &'a [usize],
    epochs: impl Fn(usize) -> Option<f64> + Copy + 'a,
) -> impl Iterator<Item = usize> + 'a {
    let farthest = members.iter().filter_map(move |run| epochs(*run));
    let farthest = farthest.reduce(f64::max);
    let members = members.iter().copied();
    members.filter(move |run| epochs(*run) == farthest)
}

/// What the best values of repeated recipes teach. Two runs of one seed are one run twice, and
/// count once.
fn learn(runs: &[&ComparedRun], others: &[&ComparedRun], metric: &Metric) -> Option<Noise> {
    let all: Vec<&ComparedRun> = runs.iter().chain(others).copied().collect();
    let values: Vec<Vec<f64>> = groups(&all)
        .into_iter()
        .filter(|group| group.len() > 1)
        .map(|group| {
            let epochs = |run: usize| last_epoch(all[run]);
            let mut seeds = Vec::new();
            let fresh = complete(&group, epochs).filter(|run| {
                let seed = seed(all[*run]);
                let is_fresh = seed.is_none() || !seeds.contains(&seed);
                seeds.push(seed);
                is_fresh
            });
            let best = fresh.filter_map(|run| Measured::of(all[run], metric)?.best());
            best.map(|best| best.value).collect()
        })
        .collect();
    Noise::pooled(values.iter().map(Vec::as_slice))
}

fn row(members: Vec<usize>, facts: &[Facts], at_epoch: Option<f64>, threshold: Option<f64>) -> Row {
    let epochs = |run: usize| facts[run].epochs;
    let counted: Vec<&Facts> = complete(&members, epochs).map(|run| &facts[run]).collect();
    let aggregate = |of: &dyn Fn(&Facts) -> Option<f64>| {
        Aggregate::of(counted.iter().filter_map(|facts| of(facts)))
    };
    let mean = |of: &dyn Fn(&Facts) -> Option<f64>| aggregate(of).map(|aggregate| aggregate.mean);
    let at = |facts: &Facts| Some(facts.measured.as_ref()?.at_epoch(at_epoch?)?.value);
    let reached = |facts: &Facts| facts.measured.as_ref()?.reached(threshold?);
    let those: Vec<Measure> = counted.iter().filter_map(|facts| reached(facts)).collect();
    let of_those = |of: fn(&Measure) -> Option<f64>| {
        Aggregate::of(those.iter().filter_map(of)).map(|aggregate| aggregate.mean)
    };
    Row {
        counted: counted.len(),
        best: aggregate(&|facts| Some(facts.best?.value)),
        best_epoch: mean(&|facts| facts.best?.epoch),
        last: aggregate(&|facts| Some(facts.last?.value)),
        at: aggregate(&at),
        reached: (!those.is_empty()).then(|| Reached {
            n: those.len(),
            epoch: of_those(|at| at.epoch),
            elapsed_s: of_those(|at| at.elapsed_s),
        }),
        epochs: counted.first().and_then(|facts| facts.epochs),
        seconds_per_epoch: mean(&|facts| facts.seconds_per_epoch),
        elapsed_s: mean(&|facts| facts.elapsed_s),
        difference: None,
        difference_at: None,
        members,
    }
}

fn best_of(rows: &[Row], metric: &Metric, noise: Option<Noise>) -> Option<BestOf> {
    let known = rows.iter().enumerate();
    let known: Vec<(usize, Aggregate)> = known
        .filter_map(|(at, row)| Some((at, row.best?)))
        .collect();
    let better = |a: (usize, Aggregate), b: (usize, Aggregate)| {
        if metric.better.than(b.1.mean, a.1.mean) {
            b
        } else {
            a
        }
    };
    let (row, best) = known.iter().copied().reduce(better)?;
    Some(BestOf {
        row,
        n: known.len(),
        // The mean of several runs is quieter than one.
        flattery: noise.map(|noise| noise.flattery(known.len()) / (best.n as f64).sqrt()),
    })
}

impl Comparison {
    /// What repetitions taught, as a sentence.
    pub fn noise_sentence(&self) -> String {
        let Some(noise) = self.noise else {
            return "noise unknown: no recipe was repeated with another seed".to_owned();
        };
        let recipes = if noise.recipes == 1 {
            "recipe"
        } else {
            "recipes"
        };
        let name = &self.metric.name;
        format!(
            "noise: sigma {} of best {name} from run to run, learnt from {} runs of {} {recipes}",
            self.metric
                .difference(noise.sigma, noise.sigma)
                .trim_start_matches('+'),
            noise.runs,
            noise.recipes,
        )
    }

    /// What being the best of many is worth, as a sentence; `None` for one row alone.
    pub fn best_sentence(&self) -> Option<String> {
        let best = self.best_of.filter(|best| best.n > 1)?;
        let worth = match best.flattery {
            Some(flattery) => format!(
                "flatters by about {} if all were equally good",
                self.metric
                    .difference(flattery, flattery)
                    .trim_start_matches('+')
            ),
            None => "flatters; by how much is unknown without repetitions".to_owned(),
        };
        Some(format!("best of {} {worth}", best.n))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::configured;
    use super::*;

    fn runs() -> Vec<ComparedRun> {
        let run = |name: &str, lr: &str, seed: &str, values: &[f64]| {
            configured(name, &[("lr", lr), ("seed", seed)], values)
        };
        vec![
            run("a", "0.1", "1", &[50.0, 90.0, 89.0]),
            run("b", "0.1", "2", &[52.0, 92.0, 91.0]),
            run("c", "0.2", "1", &[60.0, 91.5, 90.0]),
            // Broke off: it counts neither for its recipe nor for the noise.
            run("d", "0.1", "3", &[10.0]),
            // The same seed again teaches nothing.
            run("e", "0.2", "1", &[60.0, 91.5, 90.0]),
        ]
    }

    fn compared(folded: bool, baseline: usize) -> Comparison {
        let runs = runs();
        let runs: Vec<&ComparedRun> = runs.iter().collect();
        let metric = Metric::all(runs.iter().copied()).remove(0);
        let question = Question {
            folded,
            baseline,
            ..Question::by(metric)
        };
        compare(&runs, &[], &question)
    }

    #[test]
    fn repetitions_fold_and_those_that_broke_off_do_not_count() {
        let found = compared(true, 1);
        let members: Vec<_> = found.rows.iter().map(|row| row.members.clone()).collect();
        assert_eq!(members, [vec![0, 1, 3], vec![2, 4]]);
        let first = &found.rows[0];
        assert_eq!((found.baseline, first.counted), (0, 2));
        assert_eq!(first.best.unwrap().mean, 91.0);
        assert_eq!((first.best_epoch, first.difference), (Some(2.0), None));
        let noise = found.noise.unwrap();
        assert!((noise.sigma - 2f64.sqrt()).abs() < 1e-12);
        assert_eq!((noise.runs, noise.recipes, noise.degrees), (2, 1, 1));
        let verdict = found.rows[1].difference.unwrap();
        assert_eq!((verdict.difference, verdict.n), (0.5, (2, 2)));
        assert_eq!(verdict.is_distinguishable(), Some(false));
        let best = found.best_of.unwrap();
        assert_eq!((best.row, best.n), (1, 2));
        assert!((best.flattery.unwrap() - 0.564_19).abs() < 1e-4);
    }

    #[test]
    fn each_run_has_its_own_row_at_the_epoch_that_all_but_the_broken_reached() {
        let found = compared(false, 0);
        assert_eq!((found.rows.len(), found.at_epoch), (5, Some(3.0)));
        // 98 % of the way from 50 to 90.
        assert!((found.threshold.unwrap() - 89.2).abs() < 1e-9);
        let reached = found.rows[1].reached.unwrap();
        assert_eq!(
            (reached.n, reached.epoch, reached.elapsed_s),
            (1, Some(2.0), Some(20.0))
        );
        assert_eq!(found.rows[3].reached, None);
        assert_eq!(found.rows[2].difference.unwrap().difference, 1.5);
        assert_eq!(found.rows[2].difference_at.unwrap().difference, 1.0);
        assert_eq!(found.rows[0].seconds_per_epoch, Some(10.0));
        assert_eq!(found.rows[3].at, None);
    }

    #[test]
    fn sentences_say_what_is_known_and_what_is_not() {
        let found = compared(true, 0);
        assert_eq!(
            found.noise_sentence(),
            "noise: sigma 1.41 of best val_acc from run to run, learnt from 2 runs of 1 recipe"
        );
        assert_eq!(
            found.best_sentence().unwrap(),
            "best of 2 flatters by about 0.56 if all were equally good"
        );
        let runs = runs();
        let metric = Metric::all([&runs[0]]).remove(0);
        let alone = compare(&[&runs[0], &runs[2]], &[], &Question::by(metric.clone()));
        assert!(alone.noise_sentence().starts_with("noise unknown"));
        assert!(alone.best_sentence().unwrap().contains("unknown"));
        // Runs that are not compared teach, too.
        let taught = compare(&[&runs[0], &runs[2]], &[&runs[1]], &Question::by(metric));
        assert_eq!((taught.rows.len(), taught.noise.unwrap().runs), (2, 2));
    }
}
