//! The learning rate and the momentum of every step, as pure functions of the step.

use std::f64::consts::PI;

use super::choice::LrSchedule;
use super::schema::Recipe;

/// The learning rate of `cosine` and `warmup_cosine` at their end, as in the reference.
const COSINE_END: f64 = 1e-6;

/// How the learning rate goes, with the numbers it needs.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// `PyTorch`'s `OneCycleLR(max_lr, total_steps, pct_start=0.1)`: cosine up from `max/25`,
    /// cosine down to `max/25/1e4`.
    OneCycle {
        max: f64,
    },
    /// `PyTorch`'s `CosineAnnealingLR` stepped once an epoch, down to [`COSINE_END`].
    Cosine {
        base: f64,
    },
    /// Evenly up to `base` over the first `warmup` steps, then a half cosine down to
    /// [`COSINE_END`], step by step (Goyal et al. 2017, arXiv:1706.02677, with the decay of
    /// Loshchilov and Hutter 2016, arXiv:1608.03983).
    WarmupCosine {
        base: f64,
        warmup: u64,
    },
    Constant {
        base: f64,
    },
}

/// A recipe's schedule over a run of known length.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    shape: Shape,
    momentum: f64,
    epochs: u64,
    steps_per_epoch: u64,
}

/// `from` at 0, `to` at 1, half a cosine between.
fn anneal(from: f64, to: f64, part: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * part).cos())
}

impl Schedule {
    /// The schedule of `recipe` where an epoch has `steps_per_epoch` steps.
    pub fn new(recipe: &Recipe, steps_per_epoch: u64) -> Self {
        let shape = match recipe.lr_schedule {
            LrSchedule::OneCycle => Shape::OneCycle { max: recipe.max_lr },
            LrSchedule::Cosine => Shape::Cosine {
                base: recipe.learning_rate,
            },
            LrSchedule::WarmupCosine => Shape::WarmupCosine {
                base: recipe.learning_rate,
                warmup: u64::from(recipe.warmup_epochs.min(recipe.num_epochs)) * steps_per_epoch,
            },
            LrSchedule::Constant => Shape::Constant {
                base: recipe.learning_rate,
            },
        };
        Self {
            shape,
            momentum: recipe.momentum,
            epochs: u64::from(recipe.num_epochs),
            steps_per_epoch,
        }
    }

    pub fn steps_per_epoch(&self) -> u64 {
        self.steps_per_epoch
    }

    /// Steps of the whole run.
    pub fn total_steps(&self) -> u64 {
        self.epochs * self.steps_per_epoch
    }

    /// The value of one cycle at `step`: up over the first tenth of the run, down over the rest.
    fn one_cycle(&self, step: u64, start: f64, peak: f64, end: f64) -> f64 {
        let step = step as f64;
        let last = self.total_steps() as f64 - 1.0;
        // A run of fewer than ten steps has no room to rise: it starts at the peak.
        let top = (0.1 * self.total_steps() as f64 - 1.0).max(0.0);
        if step < top {
            anneal(start, peak, step / top)
        } else if last > top {
            anneal(peak, end, (step - top) / (last - top))
        } else {
            peak
        }
    }

    /// The learning rate with which step `step` (0-based) is taken, which is also the rate after
    /// `step` steps. After all steps, one past the last, `OneCycleLR` is a hair beyond its end, as
    /// `PyTorch`'s is.
    pub fn learning_rate(&self, step: u64) -> f64 {
        match self.shape {
            Shape::OneCycle { max } => self.one_cycle(step, max / 25.0, max, max / 25.0 / 1e4),
            Shape::Cosine { base } => {
                let epoch = (step / self.steps_per_epoch.max(1)).min(self.epochs);
                anneal(
                    base,
                    COSINE_END.min(base),
                    epoch as f64 / self.epochs as f64,
                )
            }
            Shape::WarmupCosine { base, warmup } if step < warmup => {
                base * (step + 1) as f64 / warmup as f64
            }
            Shape::WarmupCosine { base, warmup } => {
                let last = (self.total_steps() - warmup).saturating_sub(1).max(1);
                let part = (step - warmup) as f64 / last as f64;
                anneal(base, COSINE_END.min(base), part.min(1.0))
            }
            Shape::Constant { base } => base,
        }
    }

    /// The momentum with which step `step` (0-based) is taken.
    pub fn momentum(&self, step: u64) -> f64 {
        match self.shape {
            Shape::OneCycle { .. } => self.one_cycle(step, 0.95, 0.85, 0.95),
            Shape::Cosine { .. } | Shape::WarmupCosine { .. } | Shape::Constant { .. } => {
                self.momentum
            }
        }
    }

    /// The learning rate after each epoch's last step, as `metrics.csv` states it.
    pub fn after_each_epoch(&self) -> Vec<f64> {
        (1..=self.epochs)
            .map(|epoch| self.learning_rate(epoch * self.steps_per_epoch))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance, "{left} is not {right}");
    }

    /// Rates after some epochs of the reference's published run: 200 epochs of 313 steps, `max_lr`
    /// 0.1.
    const PUBLISHED: &[(usize, f64)] = &[
        (1, 0.004591148113092719),
        (2, 0.006350031781886992),
        (10, 0.052012046368891944),
        (20, 0.09999999992226721),
        (21, 0.099992336052295),
        (50, 0.09329990288945057),
        (100, 0.05867982844228507),
        (150, 0.01785881234931687),
        (199, 7.966631175869396e-06),
        (200, 4.000777328034573e-07),
    ];

    #[test]
    fn one_cycle_is_that_of_the_reference_run() {
        let recipe = Recipe {
            max_lr: 0.1,
            num_epochs: 200,
            lr_schedule: LrSchedule::OneCycle,
            ..Recipe::default()
        };
        let rates = Schedule::new(&recipe, 313).after_each_epoch();
        assert_eq!(rates.len(), 200);
        for (epoch, rate) in PUBLISHED {
            close(rates[epoch - 1], *rate, 1e-12);
        }
    }

    #[test]
    fn momentum_falls_as_the_learning_rate_rises() {
        let recipe = Recipe {
            num_epochs: 10,
            ..Recipe::default()
        };
        let schedule = Schedule::new(&recipe, 100);
        close(schedule.momentum(0), 0.95, 1e-12);
        close(schedule.momentum(99), 0.85, 1e-12);
        close(schedule.momentum(999), 0.95, 1e-12);
        close(schedule.learning_rate(99), recipe.max_lr, 1e-12);
    }

    #[test]
    fn cosine_changes_once_an_epoch_and_ends_at_its_floor() {
        let recipe = Recipe {
            num_epochs: 4,
            lr_schedule: LrSchedule::Cosine,
            ..Recipe::default()
        };
        let schedule = Schedule::new(&recipe, 10);
        close(schedule.learning_rate(9), 0.05, 1e-15);
        close(schedule.learning_rate(20), f64::midpoint(0.05, 1e-6), 1e-12);
        close(schedule.learning_rate(40), 1e-6, 1e-15);
        close(schedule.momentum(20), 0.9, 0.0);
    }

    #[test]
    fn warm_up_rises_evenly_and_the_cosine_takes_over_at_the_top() {
        let recipe = Recipe {
            num_epochs: 10,
            learning_rate: 0.4,
            warmup_epochs: 2,
            lr_schedule: LrSchedule::WarmupCosine,
            ..Recipe::default()
        };
        let schedule = Schedule::new(&recipe, 10);
        close(schedule.learning_rate(0), 0.02, 1e-12);
        close(schedule.learning_rate(9), 0.2, 1e-12);
        close(schedule.learning_rate(19), 0.4, 1e-12);
        close(schedule.learning_rate(20), 0.4, 1e-12);
        close(schedule.learning_rate(99), 1e-6, 1e-12);
        close(schedule.learning_rate(100), 1e-6, 1e-12);
        close(schedule.momentum(50), 0.9, 0.0);
    }

    #[test]
    fn shortest_runs_have_finite_rates() {
        for kind in LrSchedule::ALL {
            for (epochs, steps) in [(1, 1), (1, 2), (2, 5), (1, 10)] {
                let recipe = Recipe {
                    num_epochs: epochs,
                    lr_schedule: *kind,
                    ..Recipe::default()
                };
                let schedule = Schedule::new(&recipe, steps);
                for step in 0..=schedule.total_steps() {
                    let rate = schedule.learning_rate(step);
                    assert!(
                        rate.is_finite() && rate >= 0.0,
                        "{kind}, {epochs} x {steps}, step {step}: {rate}"
                    );
                }
            }
        }
    }
}
