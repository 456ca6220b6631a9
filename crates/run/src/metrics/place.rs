//! The x of each row: as the file states it, made cumulative where a counter restarts each epoch,
//! and set back where the run was resumed.

use super::names::Kind;
use crate::metric_names::Split;

/// The distance of two dates that are equal in the file.
const TICK: f64 = 1e-3;

/// What a row says of its place.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatedPlace {
    /// In the column of x.
    pub x: f64,
    /// In another column that counts epochs.
    pub epoch: Option<f64>,
    pub part: Option<Split>,
    /// What distinguishes trainings in one file: a fold, a seed.
    pub key: Option<f64>,
}

/// The place of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    pub x: f64,
    /// Whether the run was resumed here: points at this x or beyond are replaced.
    pub is_seam: bool,
}

/// Places one row after another.
#[derive(Debug, Clone, Default)]
pub struct Places {
    kind: Kind,
    /// The last row, as it was placed and as the file says.
    last: Option<(f64, StatedPlace)>,
    /// What is added to the count of this epoch.
    base: f64,
    /// The same of each epoch, where the count was made to run on.
    bases: Vec<(f64, f64)>,
    /// How far apart rows are.
    spacing: Option<f64>,
    /// The last place of a row about each part of the data.
    of_part: [Option<f64>; Split::COUNT],
}

impl Places {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the last row says of x.
    pub fn last_stated(&self) -> Option<f64> {
        self.last.map(|(_, stated)| stated.x)
    }

    /// Whether x is more than the file says.
    pub fn is_running(&self) -> bool {
        !self.bases.is_empty()
    }

    /// Whether rows with a rising x keep the x of the file.
    pub fn is_plain(&self) -> bool {
        !self.is_running() && self.kind != Kind::Date
    }

    /// Takes note of rows that were placed where the file says, up to this one.
    pub fn pass_to(&mut self, mut stated: StatedPlace, before: Option<f64>) {
        stated.epoch = stated
            .epoch
            .or_else(|| self.last.and_then(|(_, last)| last.epoch));
        stated.key = stated
            .key
            .or_else(|| self.last.and_then(|(_, last)| last.key));
        let before = before.or_else(|| self.last_stated());
        self.spacing = before.map(|before| stated.x - before).or(self.spacing);
        self.last = Some((stated.x, stated));
    }

    /// Places the next row.
    pub fn place(&mut self, mut stated: StatedPlace) -> Placed {
        stated.epoch = stated.epoch.filter(|epoch| epoch.is_finite());
        let Some((last_x, last)) = self.last else {
            return self.put(stated, stated.x, false);
        };
        stated.epoch = stated.epoch.or(last.epoch);
        stated.key = stated.key.or(last.key);
        if self.kind == Kind::Date {
            let x = if stated.x > last_x || stated.x == last.x && stated.part != last.part {
                stated.x.max(last_x)
            } else {
                last_x + TICK
            };
            return self.put(stated, x, false);
        }
        if stated.x > last.x {
            self.spacing = Some(stated.x - last.x);
        }
        if self.counts_on(stated, last) {
            let first = if stated.x > 0.0 { stated.x } else { 1.0 };
            if self.bases.is_empty() {
                self.bases.push((last.epoch.unwrap_or(0.0), 0.0));
            }
            self.base = last_x + self.spacing.unwrap_or(first) - stated.x;
            self.bases.push((stated.epoch.unwrap_or(0.0), self.base));
            return self.put(stated, stated.x + self.base, false);
        }
        let falls = stated.x < last.x || stated.epoch < last.epoch;
        if falls && let Some(base) = self.base_of(stated.epoch) {
            self.base = base;
        }
        let x = stated.x + self.base;
        let is_seam = x < last_x && !self.is_first_of_part(stated, last, x);
        self.put(stated, x, is_seam)
    }

    /// Whether a counter that does not rise has only restarted: with an epoch, with another part of
    /// the data in the same epoch, or with another fold or seed.
    fn counts_on(&self, stated: StatedPlace, last: StatedPlace) -> bool {
        let by_epoch = |compare: fn(&f64, &f64) -> bool| match (last.epoch, stated.epoch) {
            (Some(last), Some(now)) => Some(compare(&now.floor(), &last.floor())),
            _ => None,
        };
        let rises = by_epoch(f64::gt) == Some(true);
        let falls_back = by_epoch(f64::lt) == Some(true);
        let (is_less, is_same) = (stated.x < last.x, stated.x == last.x);
        let is_other = matches!((last.key, stated.key), (Some(last), Some(now)) if last != now);
        if is_less && is_other {
            return self.kind != Kind::Date;
        }
        match self.kind {
            Kind::Step if is_less => {
                rises || stated.part != last.part && by_epoch(f64::eq) == Some(true)
            }
            Kind::Batch if is_less => !falls_back,
            Kind::Step | Kind::Batch => is_same && rises,
            Kind::Epoch | Kind::Date => false,
        }
    }

    fn base_of(&self, epoch: Option<f64>) -> Option<f64> {
        let epoch = epoch?.floor();
        let known = self.bases.iter().find(|(of, _)| of.floor() == epoch);
        known.map(|(_, base)| *base)
    }

    /// Whether rows about one part of the data come after all those about another.
    fn is_first_of_part(&self, stated: StatedPlace, last: StatedPlace, x: f64) -> bool {
        stated.part != last.part
            && stated
                .part
                .is_some_and(|part| self.of_part[part as usize].is_none_or(|last| last <= x))
    }

    fn put(&mut self, stated: StatedPlace, x: f64, is_seam: bool) -> Placed {
        if is_seam {
            // Later epochs restart after this one.
            let base = self.base;
            self.bases.retain(|(_, of)| *of <= base);
        }
        self.last = Some((x, stated));
        if let Some(part) = stated.part {
            self.of_part[part as usize] = Some(x);
        }
        Placed { x, is_seam }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(kind: Kind, rows: &[(f64, f64)]) -> Vec<(f64, bool)> {
        let mut places = Places::new(kind);
        let rows = rows.iter().map(|(epoch, x)| {
            let at = places.place(StatedPlace {
                x: *x,
                epoch: (*epoch >= 0.0).then_some(*epoch),
                part: None,
                key: None,
            });
            (at.x, at.is_seam)
        });
        rows.collect()
    }

    fn xs(kind: Kind, rows: &[(f64, f64)]) -> Vec<f64> {
        let placed = placed(kind, rows);
        assert!(placed.iter().all(|(_, is_seam)| !is_seam), "{placed:?}");
        placed.into_iter().map(|(x, _)| x).collect()
    }

    #[test]
    fn a_step_that_begins_anew_with_each_epoch_runs_on() {
        let from_zero = [(0.0, 0.0), (0.0, 10.0), (1.0, 0.0), (1.0, 10.0), (2.0, 0.0)];
        assert_eq!(xs(Kind::Step, &from_zero), [0.0, 10.0, 20.0, 30.0, 40.0]);
        let from_spacing = [(1.0, 50.0), (1.0, 100.0), (2.0, 50.0), (2.0, 100.0)];
        assert_eq!(xs(Kind::Step, &from_spacing), [50.0, 100.0, 150.0, 200.0]);
        let one_each = [(1.0, 391.0), (2.0, 391.0), (3.0, 391.0)];
        assert_eq!(xs(Kind::Step, &one_each), [391.0, 782.0, 1173.0]);
    }

    #[test]
    fn a_resume_leads_back_to_where_its_epoch_began() {
        let rows = [
            (0.0, 0.0),
            (0.0, 1.0),
            (1.0, 0.0),
            (1.0, 1.0),
            (2.0, 0.0),
            (1.0, 0.0),
            (1.0, 1.0),
        ];
        let placed = placed(Kind::Step, &rows);
        assert_eq!(placed[4..], [(4.0, false), (2.0, true), (3.0, false)]);
    }

    #[test]
    fn a_step_that_falls_within_its_epoch_or_without_one_is_a_resume() {
        for epoch in [-1.0, 3.0] {
            let rows = [(epoch, 1.0), (epoch, 2.0), (epoch, 1.0)];
            assert_eq!(placed(Kind::Step, &rows)[2], (1.0, true));
        }
        assert_eq!(
            placed(Kind::Epoch, &[(-1.0, 2.0), (-1.0, 1.0)])[1],
            (1.0, true)
        );
    }

    #[test]
    fn batches_run_on_and_dates_are_told_apart() {
        assert_eq!(
            xs(Kind::Batch, &[(-1.0, 0.0), (-1.0, 1.0), (-1.0, 0.0)]),
            [0.0, 1.0, 2.0]
        );
        assert_eq!(xs(Kind::Batch, &[(1.0, 32.0), (2.0, 32.0)]), [32.0, 64.0]);
        let dates = [5.0, 5.0, 4.0, 6.0].map(|date| (-1.0, date));
        assert_eq!(
            xs(Kind::Date, &dates),
            [5.0, 5.0 + TICK, 5.0 + TICK + TICK, 6.0]
        );
    }

    #[test]
    fn rows_about_another_part_may_come_after_all_others() {
        let mut places = Places::new(Kind::Epoch);
        let rows = [Split::Train, Split::Validation];
        let rows = rows.into_iter().flat_map(|part| {
            [1.0, 2.0].map(|x| {
                places.place(StatedPlace {
                    x,
                    epoch: None,
                    key: None,
                    part: Some(part),
                })
            })
        });
        let rows: Vec<_> = rows.collect();
        assert!(rows.iter().all(|row| !row.is_seam));
        assert_eq!(rows[2].x, 1.0);
    }
}
