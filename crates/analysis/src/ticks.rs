//! The marks along an axis: round values, labelled briefly, never one label over another.

use super::axis::Axis;
use super::range::Range;
use super::scale::Scale;

/// One mark of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its round value, within the axis's range.
    pub value: f64,
    /// How that value is written.
    pub label: String,
}

/// A tick of a horizontal axis with the cells it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedTick {
    /// What is marked.
    pub tick: Tick,
    /// The cell, counted from the axis's start, where the mark itself belongs.
    pub cell: usize,
    /// The cell where its label starts; the label ends within the axis.
    pub label_start: usize,
}

/// At most `at_most` ticks at round values within `range`, ascending, each label different from its
/// neighbours'. Whole numbers only for [`Scale::Whole`]. Empty where no round value lies in the
/// range.
pub fn ticks(axis: Axis, scale: Scale, at_most: usize) -> Vec<Tick> {
    let range = axis.range();
    if at_most == 0 {
        return Vec::new();
    }
    if axis.is_log() {
        let ticks = by_powers(range, scale, at_most);
        // Within less than a factor of five equal steps are all there is that is round.
        if ticks.len() > 1 || at_most == 1 {
            return ticks;
        }
    }
    // Halves, because the whole span may overflow.
    let span = 2.0 * (range.max() / at_most as f64 / 2.0 - range.min() / at_most as f64 / 2.0);
    if span <= 0.0 {
        return single(range, scale);
    }
    let mut step = scale.round_step(span / 4.0);
    loop {
        let first = (range.min() / step - 1e-9).ceil();
        let last = (range.max() / step + 1e-9).floor();
        // Beyond 2^53 steps from zero neighbouring multiples are the same number, and have the same
        // label.
        if first.abs().max(last.abs()) > 9e15 {
            return single(range, scale);
        }
        let count = (last - first + 1.0).max(0.0);
        if count <= at_most as f64 {
            let mut ticks: Vec<Tick> = (0..count as usize)
                .map(|index| (first + index as f64) * step)
                .map(|value| Tick {
                    value: value.clamp(range.min(), range.max()),
                    label: scale.label(value, step),
                })
                .collect();
            ticks.dedup_by(|next, kept| next.label == kept.label);
            return ticks;
        }
        step = scale.round_step(step * 1.5);
    }
}

/// The most that fit of 1, 2 and 5 times each power of ten, the powers alone, or every nth of them.
fn by_powers(range: Range, scale: Scale, at_most: usize) -> Vec<Tick> {
    let first = range.min().log10().floor() as i32;
    let last = range.max().log10().ceil() as i32;
    let each = |rounds: &'static [f64], every: usize| {
        (first..=last)
            .filter(move |power| power.rem_euclid(every as i32) == 0)
            .flat_map(move |power| rounds.iter().map(move |round| (power, *round)))
            // A power of ten by itself is exact where a product of powers is not.
            .filter_map(move |(power, round)| format!("{round}e{power}").parse().ok())
            .filter(move |value: &f64| range.contains(*value))
            .filter(move |value| scale != Scale::Whole || value.fract() == 0.0)
    };
    let sets = [(&[1.0, 2.0, 5.0][..], 1), (&[1.0][..], 1)]
        .into_iter()
        .chain((2..400).map(|every| (&[1.0][..], every)));
    for (rounds, every) in sets {
        if each(rounds, every).count() <= at_most {
            let mut ticks: Vec<Tick> = each(rounds, every)
                .map(|value| Tick {
                    value,
                    label: scale.label(value, value),
                })
                .collect();
            ticks.dedup_by(|next, kept| next.label == kept.label);
            return ticks;
        }
    }
    Vec::new()
}

fn single(range: Range, scale: Scale) -> Vec<Tick> {
    let value = range.at(0.5).clamp(range.min(), range.max());
    vec![Tick {
        value,
        label: scale.reading(value),
    }]
}

/// As many ticks of a horizontal axis `cells` wide as fit with two cells between labels, placed
/// where the value falls in [`Axis::place`] of twice as many places (a cell has two columns of
/// dots).
pub fn placed_ticks(axis: Axis, scale: Scale, cells: usize) -> Vec<PlacedTick> {
    (1..=cells / 5 + 1)
        .rev()
        .map(|at_most| place(&ticks(axis, scale, at_most), axis, cells))
        .find(|placed| {
            placed
                .windows(2)
                .all(|pair| end(&pair[0]) + 2 <= pair[1].label_start)
        })
        .unwrap_or_default()
}

fn end(placed: &PlacedTick) -> usize {
    placed.label_start + placed.tick.label.len()
}

/// Labels centred below their mark, moved inwards at the ends; a tick whose label has no room at
/// all is left out.
fn place(ticks: &[Tick], axis: Axis, cells: usize) -> Vec<PlacedTick> {
    ticks
        .iter()
        .filter_map(|tick| {
            let cell = axis.place(tick.value, cells * 2)? / 2;
            let length = tick.label.len();
            let latest_start = cells.checked_sub(length)?;
            let label_start = cell.saturating_sub(length / 2).min(latest_start);
            // If it were moved away from its mark, it would be read at another value.
            (label_start + length > cell).then(|| PlacedTick {
                tick: tick.clone(),
                cell,
                label_start,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(min: f64, max: f64, scale: Scale, at_most: usize) -> Vec<String> {
        ticks(Range::new(min, max).unwrap().into(), scale, at_most)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn ticks_are_round_for_every_scale() {
        assert_eq!(labels(0.6, 2.4, Scale::Number, 4), ["1.0", "1.5", "2.0"]);
        assert_eq!(
            labels(10.0, 100.0, Scale::Percent, 5),
            ["20%", "40%", "60%", "80%", "100%"]
        );
        assert_eq!(
            labels(1.0, 200.0, Scale::Whole, 5),
            ["50", "100", "150", "200"]
        );
        assert_eq!(labels(1.0, 3.0, Scale::Whole, 9), ["1", "2", "3"]);
        assert_eq!(
            labels(0.0, 3200.0, Scale::Seconds, 4),
            ["0s", "15m", "30m", "45m"]
        );
        assert_eq!(labels(0.0, 0.1, Scale::Number, 3), ["0", "0.05", "0.10"]);
        assert_eq!(
            labels(4e-7, 2e-6, Scale::Number, 4),
            ["5e-7", "1.0e-6", "1.5e-6", "2.0e-6"]
        );
    }

    #[test]
    fn ticks_of_powers_are_round_factors() {
        let log = |min: f64, max: f64, scale, at_most| -> Vec<String> {
            ticks(
                Axis::new(Range::new(min, max).unwrap(), true),
                scale,
                at_most,
            )
            .into_iter()
            .map(|tick| tick.label)
            .collect()
        };
        assert_eq!(
            log(0.01, 10.0, Scale::Number, 12),
            [
                "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10"
            ]
        );
        assert_eq!(
            log(0.01, 10.0, Scale::Number, 5),
            ["0.01", "0.1", "1", "10"]
        );
        assert_eq!(
            log(1e-12, 1.0, Scale::Number, 5),
            ["1e-12", "1e-9", "1e-6", "0.001", "1"]
        );
        assert_eq!(log(0.5, 5000.0, Scale::Whole, 6), ["1", "10", "100", "1k"]);
        // Too narrow for any: equal steps.
        assert_eq!(
            log(0.62, 0.68, Scale::Number, 4),
            ["0.62", "0.64", "0.66", "0.68"]
        );
        assert_eq!(
            log(1.0, 10_000.0, Scale::Seconds, 6),
            ["1s", "10s", "1m40s", "16m40s", "2h46m"]
        );
    }

    #[test]
    fn a_point_gets_one_tick() {
        assert_eq!(labels(3.0, 3.0, Scale::Whole, 5), ["3"]);
    }

    #[test]
    fn labels_at_the_ends_stay_within() {
        let placed = placed_ticks(Range::new(0.0, 200.0).unwrap().into(), Scale::Whole, 40);
        assert_eq!(placed.first().map(|placed| placed.label_start), Some(0));
        assert_eq!(placed.last().map(end), Some(40));
    }

    proptest! {
        #[test]
        fn ticks_stay_within_range_and_number(a in any::<f64>(), b in any::<f64>(), at_most in 0usize..40, kind in 0usize..5, log in any::<bool>()) {
            let scale = [Scale::Number, Scale::Whole, Scale::Percent, Scale::Seconds, Scale::Clock][kind];
            if let Some(range) = Range::new(a, b) {
                let ticks = ticks(Axis::new(range, log), scale, at_most);
                prop_assert!(ticks.len() <= at_most);
                prop_assert!(ticks.iter().all(|tick| range.contains(tick.value)));
                prop_assert!(ticks.windows(2).all(|pair| pair[0].value < pair[1].value && pair[0].label != pair[1].label));
            }
        }

        #[test]
        fn a_common_range_has_at_least_two_ticks(min in -1e6..1e6f64, exponent in -4..9i32, at_most in 4usize..30) {
            let range = Range::new(min, min + 10f64.powi(exponent)).unwrap();
            prop_assert!(ticks(range.into(), Scale::Number, at_most).len() >= 2);
        }

        #[test]
        fn labels_never_overlap(a in -1e7..1e7f64, width in 1e-6..1e7f64, cells in 0usize..220) {
            let placed = placed_ticks(Range::new(a, a + width).unwrap().into(), Scale::Number, cells);
            prop_assert!(placed.windows(2).all(|pair| end(&pair[0]) < pair[1].label_start));
            prop_assert!(placed.iter().all(|placed| end(placed) <= cells && placed.cell < cells));
        }
    }
}
