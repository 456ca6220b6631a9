//! Whether a classifier is right as often as it says it is (Guo et al. 2017, arXiv:1706.04599).

/// The bins that the paper uses.
pub const BINS: usize = 15;

/// Answers of about the same confidence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// Confidences above this,
    pub low: f64,
    /// up to and with this.
    pub high: f64,
    pub images: u64,
    /// Their mean confidence; 0 of none.
    pub confidence: f64,
    /// The part of them that is right; 0 of none.
    pub accuracy: f64,
}

/// Sorts answers, each its confidence (0 to 1) and whether it is right, into `bins` bins of equal
/// width.
pub fn bins(answers: impl IntoIterator<Item = (f64, bool)>, bins: usize) -> Vec<Bin> {
    let edge = |number: usize| number as f64 / bins as f64;
    let mut found: Vec<Bin> = (0..bins)
        .map(|number| Bin {
            low: edge(number),
            high: edge(number + 1),
            ..Bin::default()
        })
        .collect();
    for (confidence, is_right) in answers {
        let at = found
            .partition_point(|bin| bin.high < confidence)
            .min(bins - 1);
        found[at].images += 1;
        found[at].confidence += confidence;
        found[at].accuracy += f64::from(u8::from(is_right));
    }
    for bin in found.iter_mut().filter(|bin| bin.images > 0) {
        bin.confidence /= bin.images as f64;
        bin.accuracy /= bin.images as f64;
    }
    found
}

/// The expected calibration error, 0 to 1: the distance of confidence and accuracy, averaged over
/// the answers bin by bin.
pub fn expected_error(bins: &[Bin]) -> f64 {
    let total: u64 = bins.iter().map(|bin| bin.images).sum();
    let weighted = bins
        .iter()
        .map(|bin| bin.images as f64 * (bin.confidence - bin.accuracy).abs());
    weighted.sum::<f64>() / (total.max(1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_to_the_bin_below_and_both_ends_have_one() {
        let found = bins([(0.0, false), (0.5, true), (0.51, true), (1.0, true)], 2);
        let counts: Vec<_> = found.iter().map(|bin| bin.images).collect();
        assert_eq!(counts, [2, 2]);
        assert_eq!((found[0].confidence, found[0].accuracy), (0.25, 0.5));
    }

    #[test]
    fn error_is_the_mean_distance_by_images() {
        let answers = [(0.9, true), (0.9, true), (0.9, false), (0.2, false)];
        let expected = (3.0 * (0.9 - 2.0 / 3.0) + 0.2) / 4.0;
        assert!((expected_error(&bins(answers, 10)) - expected).abs() < 1e-12);
        assert_eq!(expected_error(&bins([], 10)), 0.0);
    }
}
