//! The horizontal axis: epochs, steps or time, independent of how the file counts its rows.

use std::sync::Arc;

use super::scale::Scale;
use traintop_run::metrics::{Column, Metrics, RUNNING};

/// The quantity of the horizontal axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum XAxis {
    /// What the file counts its rows by.
    #[default]
    Rows,
    /// Passes over the data.
    Epoch,
    /// Updates of the weights.
    Step,
    /// Time since the training began.
    Relative,
    /// The date and time.
    Clock,
}

impl XAxis {
    /// In the order in which a key goes through them.
    pub const ALL: [Self; 5] = [
        Self::Rows,
        Self::Epoch,
        Self::Step,
        Self::Relative,
        Self::Clock,
    ];

    /// As settings and notices call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Epoch => "epoch",
            Self::Step => "step",
            Self::Relative => "relative time",
            Self::Clock => "wall time",
        }
    }
}

/// What is known about a run beside its metrics, and is needed to place its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// Updates in an epoch.
    pub steps_per_epoch: Option<u32>,
    /// When it was started: seconds since 1970 as the clock on the wall counts them, without the
    /// zone's offset from UTC.
    pub started_s: Option<f64>,
}

/// How the x of a file become places along an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct XMapping {
    /// What the axis counts.
    pub name: String,
    /// The kind of its numbers.
    pub scale: Scale,
    by: Mapping,
}

#[derive(Clone, Debug, PartialEq)]
enum Mapping {
    /// They are the places.
    Itself,
    /// A multiple of them.
    Factor(f64),
    /// A place for each x of a column, ascending both.
    Table { x: Vec<f64>, place: Vec<f64> },
}

/// What places come from.
enum Source<'a> {
    Itself,
    Factor(f64),
    /// What a column counts.
    Column(&'a Column),
    /// What a clock says beyond its first reading.
    SinceFirst(&'a Column),
    /// What a clock says, in UTC.
    Utc(&'a Column),
    /// A column of seconds since the start.
    SinceStart(&'a Column),
}

fn source(metrics: &Metrics, x_axis: XAxis, known: Known) -> Option<Source<'_>> {
    // A count that was made to run on counts the same.
    let x_name = metrics.x_name.trim_start_matches(RUNNING);
    let counts = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(x_name));
    let column = |names: &[&str]| {
        names.iter().find_map(|name| {
            let mut columns = metrics.columns.iter();
            columns.find(|column| column.name.eq_ignore_ascii_case(name) && !column.x.is_empty())
        })
    };
    let per_epoch = known
        .steps_per_epoch
        .filter(|steps| *steps > 0)
        .map(f64::from);
    let clock = || column(&CLOCK).filter(|column| is_clock(column));
    match x_axis {
        XAxis::Rows => Some(Source::Itself),
        XAxis::Epoch if counts(&EPOCHS) => Some(Source::Itself),
        XAxis::Epoch => column(&EPOCHS).map(Source::Column).or_else(|| {
            let steps = per_epoch.filter(|_| counts(&STEPS))?;
            Some(Source::Factor(1.0 / steps))
        }),
        XAxis::Step if counts(&STEPS) => Some(Source::Itself),
        XAxis::Step => column(&STEPS)
            .map(Source::Column)
            .or_else(|| per_epoch.filter(|_| counts(&EPOCHS)).map(Source::Factor)),
        XAxis::Relative => column(&ELAPSED)
            .map(Source::Column)
            .or_else(|| clock().map(Source::SinceFirst)),
        XAxis::Clock => clock().map(Source::Utc).or_else(|| {
            known.started_s?;
            column(&ELAPSED).map(Source::SinceStart)
        }),
    }
}

/// Names of the columns that count epochs.
pub(super) const EPOCHS: [&str; 2] = ["epoch", "epochs"];
/// Names of the columns that count updates.
pub(super) const STEPS: [&str; 6] = [
    "step",
    "global_step",
    "iteration",
    "iter",
    "steps",
    "train_step",
];
/// Names of the columns that count seconds since a run's start.
pub(super) const ELAPSED: [&str; 8] = [
    "time_elapsed",
    "elapsed",
    "elapsed_s",
    "relative_time",
    "_runtime",
    "runtime",
    "time/time_elapsed",
    "time/total_s",
];
const CLOCK: [&str; 6] = [
    "timestamp",
    "_timestamp",
    "wall_time",
    "walltime",
    "unix_time",
    "time",
];
/// Seconds since 1970 are more than this in any log, and seconds since a start never.
const FIRST_CLOCK: f64 = 1e9;

/// Whether a column says when its rows were written, in seconds since 1970.
pub(super) fn is_clock(column: &Column) -> bool {
    let is_named = CLOCK
        .iter()
        .any(|name| name.eq_ignore_ascii_case(&column.name));
    is_named && column.y.first().is_some_and(|first| *first > FIRST_CLOCK)
}

impl XMapping {
    /// How the rows of `metrics` are placed along an axis; `None` where neither the file nor what
    /// is known of the run says.
    pub fn of(metrics: &Metrics, x_axis: XAxis, known: Known) -> Option<Self> {
        let by = match source(metrics, x_axis, known)? {
            Source::Itself => Mapping::Itself,
            Source::Factor(factor) => Mapping::Factor(factor),
            Source::Column(column) => table(column, false)?,
            Source::SinceFirst(column) => table(column, true)?.moved(|first| -first),
            Source::Utc(column) => table(column, true)?.moved(|first| {
                // A clock counts in UTC: the offset of the start is nearest to the local time.
                known.started_s.map_or(0.0, |started| zone(started - first))
            }),
            Source::SinceStart(column) => {
                let started = known.started_s.unwrap_or_default();
                table(column, false)?.moved(|_| started)
            }
        };
        let (name, scale) = match x_axis {
            XAxis::Rows => (metrics.x_name.as_str(), counting(metrics)),
            XAxis::Epoch if matches!(by, Mapping::Factor(_)) => ("epoch", Scale::Number),
            XAxis::Epoch => ("epoch", counting(metrics)),
            XAxis::Step => ("step", counting(metrics)),
            XAxis::Relative => ("time", Scale::Seconds),
            XAxis::Clock => ("clock", Scale::Clock),
        };
        Some(Self {
            name: name.to_owned(),
            scale,
            by,
        })
    }

    /// Whether [`XMapping::of`] can map to this axis; a cheap check.
    pub fn is_known(metrics: &Metrics, x_axis: XAxis, known: Known) -> bool {
        source(metrics, x_axis, known).is_some()
    }

    /// The rows where the file has them.
    pub fn rows(metrics: &Metrics) -> Self {
        Self {
            name: metrics.x_name.clone(),
            scale: counting(metrics),
            by: Mapping::Itself,
        }
    }

    /// Whether places are what the file has anyway.
    pub fn is_itself(&self) -> bool {
        self.by == Mapping::Itself
    }

    /// The place of an x: interpolated between the known ones, beyond them the nearest.
    pub fn place(&self, at: f64) -> f64 {
        match &self.by {
            Mapping::Itself => at,
            Mapping::Factor(factor) => at * factor,
            Mapping::Table { x, place } => {
                let after = x.partition_point(|known| *known < at);
                between(x, place, after, at)
            }
        }
    }

    /// The places of ascending `xs`, which ascend too.
    pub fn places(&self, xs: &[f64]) -> Arc<[f64]> {
        match &self.by {
            Mapping::Itself => xs.into(),
            Mapping::Factor(factor) => xs.iter().map(|x| x * factor).collect(),
            Mapping::Table { x, place } if x.as_slice() == xs => place.as_slice().into(),
            Mapping::Table { x, place } => {
                let mut after = 0;
                let each = |at: &f64| {
                    while x.get(after).is_some_and(|known| known < at) {
                        after += 1;
                    }
                    between(x, place, after, *at)
                };
                xs.iter().map(each).collect()
            }
        }
    }
}

/// The place of `at`: `after` is the index of the first of the known `x` that is not before it.
fn between(x: &[f64], place: &[f64], after: usize, at: f64) -> f64 {
    let Some(last) = x.len().checked_sub(1) else {
        return at;
    };
    match after {
        0 => place[0],
        _ if after > last => place[last],
        _ if x[after] == at => place[after],
        _ => {
            let part = (at - x[after - 1]) / (x[after] - x[after - 1]);
            place[after - 1] + (place[after] - place[after - 1]) * part
        }
    }
}

impl Mapping {
    /// All places moved by what the first one says.
    fn moved(self, by: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Table { x, mut place } => {
                let by = by(place[0]);
                for place in &mut place {
                    *place += by;
                }
                Self::Table { x, place }
            }
            other => other,
        }
    }
}

/// The difference between a clock on the wall and UTC that is nearest to this: in quarters of an
/// hour, as zones have it.
fn zone(difference: f64) -> f64 {
    const QUARTER: f64 = 900.0;
    let nearest = (difference / QUARTER).round() * QUARTER;
    if nearest.abs() <= 14.0 * 3600.0 {
        nearest
    } else {
        0.0
    }
}

/// A table that only rises: where a resumed run counts from zero again, it counts on (`keeps` takes
/// the highest until then instead).
fn table(column: &Column, keeps: bool) -> Option<Mapping> {
    let (mut x, mut place) = (
        Vec::with_capacity(column.x.len()),
        Vec::with_capacity(column.y.len()),
    );
    let (mut last, mut base) = (f64::NEG_INFINITY, 0.0);
    for (at, value) in column.x.iter().zip(&column.y) {
        if !value.is_finite() {
            continue;
        }
        if value + base < last {
            base = if keeps { base } else { last };
        }
        last = last.max(value + base);
        x.push(*at);
        place.push(last);
    }
    (!x.is_empty()).then_some(Mapping::Table { x, place })
}

/// Counted in whole numbers, unless the rows are seen to be in parts of them.
fn counting(metrics: &Metrics) -> Scale {
    let ends = metrics
        .columns
        .iter()
        .flat_map(|column| column.x.first().into_iter().chain(column.x.last()));
    if ends.into_iter().all(|x| x.fract() == 0.0) {
        Scale::Whole
    } else {
        Scale::Number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn metrics(x_name: &str, columns: &[(&str, &[f64])]) -> Metrics {
        let column = |&(name, values): &(&str, &[f64])| Column {
            name: name.to_owned(),
            x: (1..=values.len()).map(|x| x as f64).collect(),
            y: values.to_vec(),
        };
        Metrics {
            x_name: x_name.to_owned(),
            columns: columns.iter().map(column).collect(),
            ..Metrics::default()
        }
    }

    fn placed(metrics: &Metrics, x_axis: XAxis, known: Known) -> Option<Vec<f64>> {
        let x_mapping = XMapping::of(metrics, x_axis, known)?;
        let places = x_mapping.places(&[1.0, 2.0, 3.0]);
        let one_by_one: Vec<f64> = [1.0, 2.0, 3.0].map(|x| x_mapping.place(x)).to_vec();
        assert_eq!(places.to_vec(), one_by_one);
        Some(one_by_one)
    }

    #[test]
    fn epochs_become_steps_and_time() {
        let run = metrics("epoch", &[("time_elapsed", &[10.0, 21.0, 30.0])]);
        let known = Known {
            steps_per_epoch: Some(313),
            started_s: Some(1e9),
        };
        let all = XAxis::ALL.map(|x_axis| placed(&run, x_axis, known));
        let expected = [
            vec![1.0, 2.0, 3.0],
            vec![1.0, 2.0, 3.0],
            vec![313.0, 626.0, 939.0],
            vec![10.0, 21.0, 30.0],
            vec![1e9 + 10.0, 1e9 + 21.0, 1e9 + 30.0],
        ];
        assert_eq!(all, expected.map(Some));
        let nothing = metrics("epoch", &[("loss", &[1.0, 1.0, 1.0])]);
        let all = XAxis::ALL.map(|x_axis| placed(&nothing, x_axis, Known::default()).is_some());
        assert_eq!(all, [true, true, false, false, false]);
    }

    #[test]
    fn steps_become_epochs_by_their_column() {
        let run = metrics("step", &[("epoch", &[0.0, 0.0, 1.0])]);
        assert_eq!(
            placed(&run, XAxis::Epoch, Known::default()),
            Some(vec![0.0, 0.0, 1.0])
        );
    }

    #[test]
    fn time_continues_where_a_resumed_run_counts_from_zero() {
        let run = metrics("epoch", &[("time_elapsed", &[50.0, 100.0, 5.0])]);
        assert_eq!(
            placed(&run, XAxis::Relative, Known::default()),
            Some(vec![50.0, 100.0, 105.0])
        );
    }

    #[test]
    fn a_clock_is_read_in_the_zone_of_the_start() {
        let run = metrics("step", &[("timestamp", &[2e9, 2e9 + 60.0, 2e9 + 120.0])]);
        let known = Known {
            started_s: Some(2e9 + 7195.0),
            ..Known::default()
        };
        assert_eq!(placed(&run, XAxis::Clock, known).unwrap()[0], 2e9 + 7200.0);
        assert_eq!(
            placed(&run, XAxis::Relative, known),
            Some(vec![0.0, 60.0, 120.0])
        );
    }

    proptest! {
        #[test]
        fn places_ascend(times in proptest::collection::vec(prop_oneof![9 => 0.0..1e6f64, 1 => Just(f64::NAN)], 1..40),
            mut xs in proptest::collection::vec(-5.0..50.0f64, 0..40)) {
            xs.sort_by(f64::total_cmp);
            let run = metrics("epoch", &[("time_elapsed", &times)]);
            if let Some(x_mapping) = XMapping::of(&run, XAxis::Relative, Known::default()) {
                let places = x_mapping.places(&xs);
                prop_assert!(places.windows(2).all(|pair| pair[0] <= pair[1]));
                prop_assert!(xs.iter().zip(places.iter()).all(|(x, place)| x_mapping.place(*x) == *place));
            }
        }
    }
}
