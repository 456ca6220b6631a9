//! Whether a run is hopeless: its rank at its epoch among earlier runs like it, and how those ended
//! that were no better. There is no prognosis with few runs, at early epochs, or where the rank at
//! that epoch predicts little.

use crate::compare::repetitions::{is_alike_key, is_name, is_seed};
use crate::compare::spearman::spearman;
use traintop_recipe::WITHOUT_EFFECT;
use traintop_run::best_so_far::BestSoFar;
use traintop_run::finding::Finding;
use traintop_run::metric_names::Direction;
use traintop_run::settings::Settings;
use traintop_run::summary::Summary;
use traintop_run::{RunDir, State};
use traintop_text::number;

use super::alert::Kind;

/// With fewer earlier runs there is no prognosis.
pub const MIN_RUNS: usize = 8;
/// Limit of the earlier runs that are read, the last that ended: reading them all again would take
/// seconds.
const MAX_RUNS: usize = 1000;
/// There is no prognosis before this part of the planned epochs, nor before this many.
const FIRST_PART: u32 = 10;
const FIRST_EPOCHS: u32 = 3;
/// There is no prognosis after these parts, of four: little time can be saved, and a run that is
/// behind shortly before the end is behind at the end.
const LAST_QUARTER: u32 = 3;
/// A run is clearly behind if this part of the earlier ones stood better.
const BEHIND: f64 = 0.9;
/// The part of the earlier runs that counts as having been furthest behind, and the fewest that are
/// needed.
const FURTHEST: usize = 3;
const MIN_FURTHEST: usize = 4;
/// Standing and end must go together at least so well, as ranks: else being behind means little.
const CORRELATION: f64 = 0.5;
/// A run is reported if its odds are no better.
const SLIM: f64 = 0.2;

/// An earlier run that may be like one that trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    dir: RunDir,
    settings: Settings,
}

/// A run that trains, with the earlier ones that may be like it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub dir: RunDir,
    settings: Settings,
    epochs_planned: u32,
    earlier: Vec<Candidate>,
}

/// How the earlier runs relate to the one that trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The same recipe; seeds and names may differ.
    Recipe,
    /// The same data, network and number of epochs.
    Kind,
}

/// A run's rank, and how earlier ones ended that were no better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prognosis {
    /// How many of the earlier runs stood better.
    pub behind: usize,
    pub of: usize,
    /// Its best value so far.
    pub standing: f64,
    /// The median of theirs.
    pub median: f64,
    /// How many of them were furthest behind,
    pub furthest: usize,
    /// and how many of these ended above the middle of all.
    pub recovered: usize,
    /// How standing and end went together: Spearman's coefficient.
    pub correlation: f64,
}

/// In which twentieth of its epochs a run is, if it is far enough to be weighed: within one it is
/// weighed once.
pub fn milestone(run: &Summary) -> Option<u32> {
    let (done, planned) = (run.epochs_done, run.epochs_planned?);
    let is_far = done >= FIRST_EPOCHS && done.saturating_mul(FIRST_PART) >= planned;
    let is_late = done.saturating_mul(4) > planned.saturating_mul(LAST_QUARTER);
    (is_far && !is_late && run.observed.state == State::Running).then(|| 20 * done / planned)
}

impl Question {
    /// A run that trains, among all runs; `None` if too few of them have finished a course of this
    /// length.
    pub fn of<'a>(run: &Summary, all: impl Iterator<Item = &'a Summary>) -> Option<Self> {
        let epochs_planned = run.epochs_planned?;
        let may_be_like = |other: &&Summary| {
            other.observed.state == State::Finished
                && other.epochs_planned == run.epochs_planned
                && other.trend_of == run.trend_of
                && other.model == run.model
        };
        let mut earlier: Vec<&Summary> = all.filter(may_be_like).collect();
        if earlier.len() < MIN_RUNS {
            return None;
        }
        if earlier.len() > MAX_RUNS {
            earlier.sort_by_key(|run| std::cmp::Reverse(run.ended_at));
            earlier.truncate(MAX_RUNS);
        }
        let candidate = |run: &&Summary| Candidate {
            dir: run.dir.clone(),
            settings: run.settings.clone(),
        };
        Some(Self {
            dir: run.dir.clone(),
            settings: run.settings.clone(),
            epochs_planned,
            earlier: earlier.iter().map(candidate).collect(),
        })
    }

    /// The earlier runs that are like it: of its recipe, or where these are too few of its kind.
    fn like_it(&self) -> Option<(Likeness, Vec<&RunDir>)> {
        let recipe = |settings: &Settings| {
            pairs(settings, |key| {
                !is_seed(key) && !is_name(key) && !WITHOUT_EFFECT.contains(&key)
            })
        };
        let kind = |settings: &Settings| pairs(settings, is_alike_key);
        let (own_recipe, own_kind) = (recipe(&self.settings), kind(&self.settings));
        let like = |own: &str, of: &dyn Fn(&Settings) -> String| -> Vec<&RunDir> {
            let alike = self
                .earlier
                .iter()
                .filter(|other| of(&other.settings) == own);
            alike.map(|other| &other.dir).collect()
        };
        if own_recipe.is_empty() {
            return None;
        }
        let of_recipe = like(&own_recipe, &recipe);
        if of_recipe.len() >= MIN_RUNS {
            return Some((Likeness::Recipe, of_recipe));
        }
        let of_kind = like(&own_kind, &kind);
        (of_kind.len() >= MIN_RUNS && !own_kind.is_empty()).then_some((Likeness::Kind, of_kind))
    }

    /// The finding, if the run is hopeless. `read` loads a run's best value at each epoch.
    pub fn answer(&self, mut read: impl FnMut(&RunDir) -> Option<BestSoFar>) -> Option<Finding> {
        let (likeness, earlier) = self.like_it()?;
        let own = read(&self.dir)?;
        let (epoch, standing) = (own.last(), own.best()?);
        let of_earlier = |dir: &&RunDir| {
            let course = read(dir).filter(|course| course.column == own.column)?;
            let has_ended = course.last() >= f64::from(self.epochs_planned) - 1.0;
            Some((course.by(epoch)?, course.best()?)).filter(|_| has_ended)
        };
        let earlier: Vec<(f64, f64)> = earlier.iter().filter_map(of_earlier).collect();
        let odds = prognosis(standing, &earlier, own.direction)?;
        odds.is_hopeless()
            .then(|| Finding::new(Kind::Hopeless.name(), odds.sentence(epoch, likeness)))
    }
}

fn pairs(settings: &Settings, is_wanted: impl Fn(&str) -> bool) -> String {
    let mut pairs: Vec<(&str, &str)> = settings.pairs().filter(|(key, _)| is_wanted(key)).collect();
    pairs.sort_unstable();
    pairs
        .iter()
        .flat_map(|(key, value)| [key, "\t", value, "\n"])
        .collect()
}

/// Compares a value with those of earlier runs, each with its final value; `None` for fewer than
/// [`MIN_RUNS`], or if the values cannot be ranked.
pub fn prognosis(standing: f64, earlier: &[(f64, f64)], direction: Direction) -> Option<Prognosis> {
    if earlier.len() < MIN_RUNS {
        return None;
    }
    let sign = match direction {
        Direction::Higher => 1.0,
        Direction::Lower => -1.0,
    };
    let mut better: Vec<(f64, f64)> = earlier
        .iter()
        .map(|(then, end)| (sign * then, sign * end))
        .collect();
    better.sort_by(|a, b| a.0.total_cmp(&b.0));
    let behind = better
        .iter()
        .filter(|(then, _)| *then > sign * standing)
        .count();
    let furthest = better.len().div_ceil(FURTHEST).max(MIN_FURTHEST);
    let end = median(better.iter().map(|(_, end)| *end))?;
    let recovered = better[..furthest]
        .iter()
        .filter(|(_, it)| *it > end)
        .count();
    Some(Prognosis {
        behind,
        of: better.len(),
        standing,
        median: sign * median(better.iter().map(|(then, _)| *then))?,
        furthest,
        recovered,
        correlation: spearman(&better)?.rho,
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let high = *values.get(middle)?;
    Some(if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], high)
    } else {
        high
    })
}

impl Prognosis {
    /// The chance to end above the middle, by the rule of succession (Laplace 1774) over the
    /// earlier runs that were furthest behind. Most of these were not as far behind as this one,
    /// which makes it too high; that a run is weighed many times makes it too low.
    pub fn chance(&self) -> f64 {
        (self.recovered + 1) as f64 / (self.furthest + 2) as f64
    }

    /// Whether the run is clearly behind, being behind has meant something, and hardly any that was
    /// came back.
    pub fn is_hopeless(&self) -> bool {
        self.behind as f64 >= BEHIND * self.of as f64
            && self.correlation >= CORRELATION
            && self.chance() <= SLIM
    }

    fn sentence(&self, epoch: f64, likeness: Likeness) -> String {
        let like = match likeness {
            Likeness::Recipe => "of its recipe",
            Likeness::Kind => "of the same data, network and length",
        };
        let recovered = match self.recovered {
            0 => "none".to_owned(),
            some => some.to_string(),
        };
        format!(
            "hopeless: behind {} of {} earlier runs {like} at epoch {epoch} (best so far {}, theirs in the middle {}); of the {} that were furthest behind then {recovered} \
             ended above their middle: odds about 1 in {:.0} (rank correlation {:.2})",
            self.behind,
            self.of,
            number(self.standing, 4),
            number(self.median, 4),
            self.furthest,
            1.0 / self.chance(),
            self.correlation
        )
    }
}

#[cfg(test)]
#[path = "prognosis_tests.rs"]
mod tests;
