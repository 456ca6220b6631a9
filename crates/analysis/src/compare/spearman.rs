//! Rank correlation: whether one number tends to be larger where another is, for any monotonic
//! relation.

use super::distribution::student_two_sided;

/// A rank correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Spearman's coefficient, -1 to 1.
    pub rho: f64,
    /// How likely chance alone gives one as far from 0, by t = rho sqrt((n - 2) / (1 - rho^2)) with
    /// n - 2 degrees of freedom (Kendall and Stuart): an approximation, rough below ten pairs.
    pub chance: f64,
    /// Pairs.
    pub n: usize,
}

impl Correlation {
    /// How likely chance alone is, as people write it: `p 0.03`, `p < 0.01`.
    pub fn chance_words(&self) -> String {
        if self.chance < 0.01 {
            "p < 0.01".to_owned()
        } else {
            format!("p {:.2}", self.chance)
        }
    }
}

/// Of pairs (Spearman 1904): Pearson's coefficient of their ranks, equal values having the mean of
/// their ranks. `None` for fewer than three pairs, or if either side has but one value. Pairs with
/// NaN are passed over.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<Correlation> {
    let known = pairs.iter().filter(|(a, b)| !a.is_nan() && !b.is_nan());
    let (a, b): (Vec<f64>, Vec<f64>) = known.copied().unzip();
    let n = a.len();
    if n < 3 {
        return None;
    }
    let rho = pearson(&ranks(&a), &ranks(&b))?;
    let rest = 1.0 - rho * rho;
    let chance = if rest <= f64::EPSILON {
        0.0
    } else {
        student_two_sided(rho * ((n as f64 - 2.0) / rest).sqrt(), n - 2)
    };
    Some(Correlation { rho, chance, n })
}

/// The rank of each value, from 1; equal values have the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for same in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + f64::midpoint(same.len() as f64, 1.0);
        for at in same {
            ranks[*at] = rank;
        }
        before += same.len();
    }
    ranks
}

fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        both += (a - mean_a) * (b - mean_b);
        of_a += (a - mean_a).powi(2);
        of_b += (b - mean_b).powi(2);
    }
    (of_a > 0.0 && of_b > 0.0).then(|| (both / (of_a * of_b).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_known_example_with_ties() {
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
        let pairs = [(1.0, 10.0), (2.0, 20.0), (2.0, 30.0), (9.0, 40.0)];
        let found = spearman(&pairs).unwrap();
        assert!((found.rho - 4.5 / 22.5f64.sqrt()).abs() < 1e-12);
        assert_eq!(found.n, 4);
    }

    #[test]
    fn too_few_or_all_equal_say_nothing() {
        assert_eq!(spearman(&[(1.0, 2.0), (2.0, 3.0)]), None);
        assert_eq!(spearman(&[(1.0, 2.0), (1.0, 3.0), (1.0, 4.0)]), None);
        assert_eq!(spearman(&[(1.0, 2.0), (2.0, 3.0), (f64::NAN, 4.0)]), None);
    }

    proptest! {
        #[test]
        fn without_ties_it_is_the_formula_of_rank_differences(keys in proptest::collection::hash_set(-1000i32..1000, 3..40), turn in 1usize..7) {
            let a: Vec<f64> = keys.iter().map(|key| f64::from(*key)).collect();
            let b: Vec<f64> = (0..a.len()).map(|at| ((at * turn * 7919) % 10_007) as f64).collect();
            let pairs: Vec<(f64, f64)> = a.iter().copied().zip(b.iter().copied()).collect();
            // Ranks by counting, one by one.
            let rank = |values: &[f64], value: f64| values.iter().filter(|other| **other <= value).count() as f64;
            let mut squares = 0.0;
            for (x, y) in &pairs {
                squares += (rank(&a, *x) - rank(&b, *y)).powi(2);
            }
            let n = a.len() as f64;
            let plain = 1.0 - 6.0 * squares / (n * (n * n - 1.0));
            prop_assert!((spearman(&pairs).unwrap().rho - plain).abs() < 1e-9);
        }

        #[test]
        fn any_rising_function_leaves_it_as_it_is(pairs in proptest::collection::vec((-5.0..5.0f64, -5.0..5.0f64), 3..30)) {
            let bent: Vec<(f64, f64)> = pairs.iter().map(|(a, b)| (a.exp(), b.powi(3))).collect();
            let (plain, bent) = (spearman(&pairs).unwrap(), spearman(&bent).unwrap());
            prop_assert!((plain.rho - bent.rho).abs() < 1e-9);
        }
    }
}
