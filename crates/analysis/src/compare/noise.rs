//! Whether a difference is more than what another seed would have made of it.

use super::aggregate::Aggregate;
use super::distribution::{expected_maximum, student_two_sided};

/// A difference that chance alone makes less often than this counts as one.
const CHANCE: f64 = 0.05;

/// The spread of runs of one recipe, estimated from repetitions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// The run-to-run standard deviation, in the metric's unit.
    pub sigma: f64,
    /// Degrees of freedom: repeated runs less recipes.
    pub degrees: usize,
    /// Recipes that were repeated.
    pub recipes: usize,
    /// Their runs.
    pub runs: usize,
}

impl Noise {
    /// Pooled over recipes: sigma^2 = sum of (n - 1) s^2 over sum of (n - 1), which takes it that
    /// all recipes are as noisy. Recipes with one finite value teach nothing; `None` if none
    /// teaches anything, or all repetitions are equal.
    pub fn pooled<'a>(recipes: impl IntoIterator<Item = &'a [f64]>) -> Option<Self> {
        let (mut squares, mut noise) = (
            0.0,
            Self {
                sigma: 0.0,
                degrees: 0,
                recipes: 0,
                runs: 0,
            },
        );
        for values in recipes {
            let Some(Aggregate {
                n,
                deviation: Some(deviation),
                ..
            }) = Aggregate::of(values.iter().copied())
            else {
                continue;
            };
            squares += (n as f64 - 1.0) * deviation * deviation;
            noise.degrees += n - 1;
            noise.recipes += 1;
            noise.runs += n;
        }
        noise.sigma = (squares / noise.degrees as f64).sqrt();
        (noise.sigma > 0.0 && noise.sigma.is_finite()).then_some(noise)
    }

    /// By about how much the best of `n` runs flatters: what the best of that many runs of one
    /// recipe would have over their mean, if they were normally distributed.
    pub fn flattery(&self, n: usize) -> f64 {
        expected_maximum(n) * self.sigma
    }
}

/// A difference and its significance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// The other's mean less the baseline's, in the metric's unit.
    pub difference: f64,
    /// The same in units of its own standard deviation, sigma sqrt(1/n + 1/m); `None` where the
    /// noise is unknown.
    pub sigmas: Option<f64>,
    /// How likely chance alone makes such a difference (two-sided, Student's t with the noise's
    /// degrees of freedom).
    pub chance: Option<f64>,
    /// Runs of the other, and of the baseline.
    pub n: (usize, usize),
}

impl Verdict {
    /// Judges `other` by `baseline`, each a mean with its number of runs.
    pub fn of(other: (f64, usize), baseline: (f64, usize), noise: Option<Noise>) -> Self {
        let difference = other.0 - baseline.0;
        let spread = noise.map(|noise| {
            noise.sigma * (1.0 / other.1.max(1) as f64 + 1.0 / baseline.1.max(1) as f64).sqrt()
        });
        let sigmas = spread.map(|spread| difference / spread);
        Self {
            difference,
            sigmas,
            chance: sigmas
                .zip(noise)
                .map(|(sigmas, noise)| student_two_sided(sigmas, noise.degrees)),
            n: (other.1, baseline.1),
        }
    }

    /// Whether it is more than noise; `None` where that is unknown.
    pub fn is_distinguishable(&self) -> Option<bool> {
        self.chance.map(|chance| chance < CHANCE)
    }

    /// As a sentence after the difference itself, which `difference` writes.
    pub fn sentence(&self, difference: &str) -> String {
        let n = format!("(n={} v {})", self.n.0, self.n.1);
        match (self.sigmas, self.is_distinguishable()) {
            (Some(sigmas), Some(true)) => {
                format!(
                    "{difference} = {:.1} sigma, more than noise {n}",
                    sigmas.abs()
                )
            }
            (Some(sigmas), _) => format!(
                "{difference} = {:.1} sigma, not distinguishable {n}",
                sigmas.abs()
            ),
            (None, _) => format!("{difference}, noise unknown {n}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn repetitions_of_several_recipes_teach_together() {
        // Deviations 1 (two runs: sqrt 2 / sqrt 2) and 2.
        let recipes: [&[f64]; 4] = [&[0.0, 2f64.sqrt()], &[10.0, 12.0, 14.0], &[5.0], &[]];
        let noise = Noise::pooled(recipes).unwrap();
        assert_eq!((noise.degrees, noise.recipes, noise.runs), (3, 2, 5));
        assert!((noise.sigma - (9f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(Noise::pooled([&[1.0][..], &[2.0]]), None);
        assert_eq!(Noise::pooled([&[1.0, 1.0][..]]), None);
        assert!((noise.flattery(10) - 1.538_75 * noise.sigma).abs() < 1e-4);
    }

    #[test]
    fn a_verdict_reads_as_people_say_it() {
        let noise = Noise {
            sigma: 0.2,
            degrees: 6,
            recipes: 3,
            runs: 9,
        };
        let small = Verdict::of((94.62, 1), (94.5, 1), Some(noise));
        assert_eq!(
            small.sentence("+0.12"),
            "+0.12 = 0.4 sigma, not distinguishable (n=1 v 1)"
        );
        let large = Verdict::of((95.5, 3), (94.5, 2), Some(noise));
        assert_eq!(large.is_distinguishable(), Some(true));
        assert_eq!(
            large.sentence("+1.00"),
            "+1.00 = 5.5 sigma, more than noise (n=3 v 2)"
        );
        let unknown = Verdict::of((95.5, 1), (94.5, 1), None);
        assert_eq!(unknown.sentence("+1.00"), "+1.00, noise unknown (n=1 v 1)");
    }

    proptest! {
        #[test]
        fn pooling_is_what_plain_loops_give(recipes in proptest::collection::vec(proptest::collection::vec(-10.0..10.0f64, 0..6), 1..6)) {
            let (mut squares, mut degrees) = (0.0, 0);
            for values in recipes.iter().filter(|values| values.len() > 1) {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                for value in values {
                    squares += (value - mean) * (value - mean);
                }
                degrees += values.len() - 1;
            }
            let noise = Noise::pooled(recipes.iter().map(Vec::as_slice));
            prop_assert_eq!(noise.is_some(), degrees > 0);
            if let Some(noise) = noise {
                prop_assert_eq!(noise.degrees, degrees);
                prop_assert!((noise.sigma - (squares / degrees as f64).sqrt()).abs() < 1e-9);
            }
        }

        #[test]
        fn more_repetitions_make_a_difference_count_for_more(n in 1usize..20, difference in 0.1..3.0f64) {
            let noise = Noise { sigma: 1.0, degrees: 10, recipes: 2, runs: 12 };
            let few = Verdict::of((difference, n), (0.0, 1), Some(noise));
            let more = Verdict::of((difference, n + 1), (0.0, 1), Some(noise));
            prop_assert!(more.sigmas > few.sigmas && more.chance < few.chance);
        }
    }
}
