//! Whether two evaluations of the same images differ by more than chance (`McNemar` 1947): only
//! images that one gets right and the other wrong matter, and by chance alone each of them falls to
//! either side equally often.

use statrs::distribution::{Binomial, DiscreteCDF};

/// Below this, chance is not believed to have done it.
const MUCH: f64 = 0.05;

/// Two evaluations of the same images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Images that both get right.
    pub both: u64,
    /// Images that only the first gets right.
    pub only_first: u64,
    /// Images that only the second gets right.
    pub only_second: u64,
    /// Images that neither gets right.
    pub neither: u64,
}

impl Comparison {
    /// Counts pairs that say whether the first and the second are right about an image.
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut counts.both,
                (true, false) => &mut counts.only_first,
                (false, true) => &mut counts.only_second,
                (false, false) => &mut counts.neither,
            } += 1;
        }
        counts
    }

    /// Images that both evaluated.
    pub fn images(&self) -> u64 {
        self.both + self.only_first + self.only_second + self.neither
    }

    /// Images on which exactly one of the two is right.
    pub fn differing(&self) -> u64 {
        self.only_first + self.only_second
    }

    /// How often chance alone would make a difference as large as this or larger, 0 to 1: the exact
    /// two-sided binomial test, for any number of images.
    pub fn p_value(&self) -> f64 {
        let less = self.only_first.min(self.only_second);
        let tail = Binomial::new(0.5, self.differing()).map_or(1.0, |chance| chance.cdf(less));
        (2.0 * tail).min(1.0)
    }

    /// Whether the difference is more than chance would make in one of twenty comparisons.
    fn is_more_than_chance(&self) -> bool {
        self.p_value() < MUCH
    }

    /// The comparison in words, with what the two are called.
    pub fn sentence(&self, first: &str, second: &str) -> String {
        if self.images() == 0 {
            return format!("{first} and {second} share no labelled images");
        }
        if self.differing() == 0 {
            return format!("{first} and {second} are right about the same images");
        }
        let verdict = match (
            self.is_more_than_chance(),
            self.only_first > self.only_second,
        ) {
            (true, true) => format!("{first} is better by more than chance"),
            (true, false) => format!("{second} is better by more than chance"),
            (false, _) => "the difference may be chance".to_owned(),
        };
        let p_value = match self.p_value() {
            p if p < 0.001 => "p < 0.001".to_owned(),
            p => format!("p = {p:.3}"),
        };
        format!(
            "only {first} is right about {} images, only {second} about {}: {verdict} (McNemar, {p_value})",
            self.only_first, self.only_second
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(only_first: u64, only_second: u64) -> Comparison {
        Comparison {
            both: 900,
            only_first,
            only_second,
            neither: 50,
        }
    }

    #[test]
    fn pairs_are_counted_by_who_is_right() {
        let pairs = [
            (true, true),
            (true, false),
            (false, true),
            (false, true),
            (false, false),
        ];
        let counts = Comparison::of(pairs);
        assert_eq!(
            (
                counts.both,
                counts.only_first,
                counts.only_second,
                counts.neither
            ),
            (1, 1, 2, 1)
        );
    }

    #[test]
    fn chance_is_exact_for_few_and_stays_a_number_for_many() {
        assert_eq!(of(0, 0).p_value(), 1.0);
        assert_eq!(of(1, 1).p_value(), 1.0);
        // 2 (1 + 5) / 2^5
        assert!((of(1, 4).p_value() - 0.375).abs() < 1e-12);
        assert_eq!(of(4, 1).p_value(), of(1, 4).p_value());
        let many = of(50_000, 50_900).p_value();
        assert!((0.004..0.005).contains(&many), "{many}");
        assert_eq!(of(0, 100_000).p_value(), 0.0);
    }

    #[test]
    fn words_say_who_is_better_or_that_nobody_knows() {
        assert_eq!(
            of(12, 40).sentence("plain", "8 views"),
            "only plain is right about 12 images, only 8 views about 40: 8 views is better by more than chance (McNemar, p < 0.001)"
        );
        assert!(
            of(10, 9)
                .sentence("a", "b")
                .contains("the difference may be chance (McNemar, p = 1.000)")
        );
        assert_eq!(
            of(0, 0).sentence("a", "b"),
            "a and b are right about the same images"
        );
        assert_eq!(
            Comparison::default().sentence("a", "b"),
            "a and b share no labelled images"
        );
    }
}
