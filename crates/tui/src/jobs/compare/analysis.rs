//! Everything that a comparison shows, worked out at once: the table, the curves thinned for what
//! is looked at, configurations and settings. The screen keeps it until something else is asked.

use std::sync::Arc;

use traintop_analysis::compare::configs::{Setting, side_by_side};
use traintop_analysis::compare::fold::{Band, Folded};
use traintop_analysis::compare::settings::{Relevance, relevance};
use traintop_analysis::compare::{
    CompareAxis, Comparison, Metric, Question, best_of_each, compare,
};
use traintop_analysis::decimate::Blocks;
use traintop_analysis::outlier_range::{OutlierRange, outlier_range};
use traintop_analysis::range::Range;
use traintop_analysis::scale::Scale;
use traintop_analysis::smooth::exponential;
use traintop_run::compared_run::ComparedRun;
use traintop_run::metrics::Column;

/// A curve on the screen has no more points than these: four for each column of dots of a very wide
/// terminal.
const MOST_POINTS: usize = 2000;
/// With at most this many rows other metrics than the chosen one are drawn, too.
const MOST_FOR_ALL_CHARTS: usize = 60;
/// Of more rows than these only those in sight are drawn, and the edges of all.
const MOST_DRAWN: usize = 200;
/// Charts that are drawn at most.
const MOST_CHARTS: usize = 4;

/// What is to be worked out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Job {
    /// What is compared.
    pub runs: Vec<Arc<ComparedRun>>,
    /// What teaches the noise besides.
    pub others: Vec<Arc<ComparedRun>>,
    /// What is asked about them.
    pub wish: Wish,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The metric's name; `None` for the one that runs are judged by.
    pub metric: Option<String>,
    /// What curves are laid over each other by.
    pub along: CompareAxis,
    /// Whether repetitions are one row.
    pub folded: bool,
    /// The edges of their band.
    pub band: Band,
    /// The place of the run that the others are compared with.
    pub baseline: usize,
    /// The epoch at which values are compared.
    pub at_epoch: Option<f64>,
    /// The value to be reached.
    pub threshold: Option<f64>,
    /// The part of the axis that is looked at.
    pub zoom: Option<Range>,
    /// The weight of [`exponential`]; 0 smooths nothing.
    pub smoothing: f64,
    /// Whether outliers are looked for.
    pub robust: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            metric: None,
            along: CompareAxis::default(),
            folded: true,
            band: Band::default(),
            baseline: 0,
            at_epoch: None,
            threshold: None,
            zoom: None,
            smoothing: 0.0,
            robust: false,
        }
    }
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// All metrics that the runs have.
    pub metrics: Vec<Metric>,
    /// The table; `None` if there are no metrics.
    pub compared: Option<Comparison>,
    /// The charts, that of the chosen metric first.
    pub charts: Vec<Charted>,
    /// All of the axis.
    pub x_range: Option<Range>,
    /// The configurations of the rows' first runs.
    pub configs: Vec<Setting>,
    /// Which settings go with the metric.
    pub relevance: Vec<Relevance>,
    /// Runs that have a value of the metric.
    pub known: usize,
}

/// The curves of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Charted {
    pub metric: Metric,
    /// One for each row that has one.
    pub curves: Vec<Drawn>,
    /// Runs that have the metric and no place on this axis.
    pub placeless: usize,
    /// Of more rows than can be drawn, the lowest and the highest value of any at each place.
    pub edges: Option<[Thin; 2]>,
}

/// The curve of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    pub row: usize,
    /// The run's curve, or the mean of several.
    pub line: Thin,
    /// The lower and the upper edge of the band around a mean.
    pub edges: Option<[Thin; 2]>,
    /// How many runs it is the mean of, at most and at its end.
    pub n: (usize, usize),
}

/// A curve in few points, with what drawing needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Thin {
    /// The points.
    pub column: Column,
    /// Made from them.
    pub blocks: Blocks,
    /// The smoothed course at the same places, if smoothing is on.
    pub smooth: Option<(Vec<f64>, Blocks)>,
    /// The range without outliers, if that is on: of all points, not only of those that were
    /// kept.
    pub robust: Option<OutlierRange>,
}

impl Thin {
    fn of(whole: &Column, wish: &Wish) -> Self {
        let column = match wish.zoom {
            Some(range) => whole.part(range.min(), range.max()).thinned(MOST_POINTS),
            None => whole.thinned(MOST_POINTS),
        };
        let smooth = (wish.smoothing > 0.0).then(|| {
            let all = exponential(&whole.y, wish.smoothing);
            let at = |x: &f64| whole.x.partition_point(|before| before < x);
            let kept: Vec<f64> = column.x.iter().map(|x| all[at(x)]).collect();
            let blocks = Blocks::of(&kept);
            (kept, blocks)
        });
        Self {
            blocks: Blocks::of(&column.y),
            smooth,
            robust: wish.robust.then(|| outlier_range(&whole.y)).flatten(),
            column,
        }
    }
}

/// Works everything out.
pub fn analyse(job: &Job) -> Analysis {
    let runs: Vec<&ComparedRun> = job.runs.iter().map(AsRef::as_ref).collect();
    let others: Vec<&ComparedRun> = job.others.iter().map(AsRef::as_ref).collect();
    let metrics = Metric::all(runs.iter().copied());
    let wished = job.wish.metric.as_deref();
    let chosen = wished.and_then(|name| Metric::named(&metrics, name));
    let Some(chosen) = chosen.or(metrics.first()) else {
        return Analysis {
            metrics,
            compared: None,
            charts: Vec::new(),
            x_range: None,
            configs: side_by_side(&runs),
            relevance: Vec::new(),
            known: 0,
        };
    };
    let question = Question {
        folded: job.wish.folded,
        baseline: job.wish.baseline,
        at_epoch: job.wish.at_epoch,
        threshold: job.wish.threshold,
        ..Question::by(chosen.clone())
    };
    let compared = compare(&runs, &others, &question);
    let values = best_of_each(&runs, chosen);
    let rows: Vec<&[usize]> = compared
        .rows
        .iter()
        .map(|row| row.members.as_slice())
        .collect();
    let most = if rows.len() <= MOST_FOR_ALL_CHARTS {
        MOST_CHARTS
    } else {
        1
    };
    // A clock tells little over epochs; who wants it chooses it.
    let rest = metrics
        .iter()
        .filter(|metric| *metric != chosen && metric.scale != Scale::Seconds);
    let drawn: Vec<(Charted, Option<Range>)> = std::iter::once(chosen)
        .chain(rest)
        .take(most)
        .map(|metric| charted(&runs, &rows, metric, &job.wish))
        .collect();
    let x_range = drawn
        .iter()
        .filter_map(|(_, range)| *range)
        .reduce(Range::union);
    let firsts: Vec<&ComparedRun> = rows.iter().map(|members| runs[members[0]]).collect();
    Analysis {
        configs: side_by_side(&firsts),
        relevance: relevance(&runs, &values),
        known: values.iter().flatten().count(),
        charts: drawn.into_iter().map(|(charted, _)| charted).collect(),
        x_range,
        compared: Some(compared),
        metrics,
    }
}

/// The curves of one metric, and what of the axis they span.
fn charted(
    runs: &[&ComparedRun],
    rows: &[&[usize]],
    metric: &Metric,
    wish: &Wish,
) -> (Charted, Option<Range>) {
    let first = runs.iter().filter_map(|run| run.summary.started_at).min();
    let mut charted = Charted {
        metric: metric.clone(),
        curves: Vec::new(),
        placeless: 0,
        edges: None,
    };
    let mut lines: Vec<Column> = Vec::new();
    let mut spanned: Option<Range> = None;
    for (row, members) in rows.iter().enumerate() {
        let having = members.iter().map(|run| runs[*run]);
        let having: Vec<&ComparedRun> = having.filter(|run| metric.column(run).is_some()).collect();
        let curves: Vec<Column> = having
            .iter()
            .filter_map(|run| wish.along.curve(run, metric, first))
            .collect();
        charted.placeless += having.len() - curves.len();
        let of_x = curves
            .iter()
            .flat_map(|curve| curve.x.first().into_iter().chain(curve.x.last()));
        if let Some(range) = Range::of(of_x.copied()) {
            spanned = Some(spanned.map_or(range, |spanned| spanned.union(range)));
        }
        let thin = |column: &Column| Thin::of(column, wish);
        if rows.len() > MOST_DRAWN {
            lines.extend(curves.iter().cloned());
        }
        let drawn = match &curves[..] {
            [] => continue,
            [only] => Drawn {
                row,
                line: thin(only),
                edges: None,
                n: (1, 1),
            },
            several => {
                let folded = if wish.along.is_counted() {
                    Folded::of(several)
                } else {
                    Folded::between(several)
                };
                Drawn {
                    row,
                    line: thin(&folded.mean(several[0].name.clone())),
                    edges: Some(folded.edges(wish.band).map(|edge| thin(&edge))),
                    n: folded.counts(),
                }
            }
        };
        charted.curves.push(drawn);
    }
    if rows.len() > MOST_DRAWN {
        let all = if wish.along.is_counted() {
            Folded::of(&lines)
        } else {
            Folded::between(&lines)
        };
        let edges = all.edges(Band::Extremes);
        charted.edges = Some(edges.map(|edge| Thin::of(&edge, wish)));
    }
    (charted, spanned)
}
