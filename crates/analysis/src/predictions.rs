//! What a classifier's logits say: probabilities, the answer, how sure it is, and where the true
//! class ranks.

/// Probabilities that add up to 1, of logits that are numbers.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|logit| (f64::from(*logit) - f64::from(most)).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The class of the largest value; of equal ones the first.
pub fn answer(values: &[f32]) -> usize {
    let mut best = 0;
    for (class, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = class;
        }
    }
    best
}

/// The `count` most probable classes with their probabilities, the most probable first.
pub fn top(logits: &[f32], count: usize) -> Vec<(usize, f64)> {
    let mut classes: Vec<(usize, f64)> = softmax(logits).into_iter().enumerate().collect();
    classes.sort_by(|(a, left), (b, right)| right.total_cmp(left).then(a.cmp(b)));
    classes.truncate(count);
    classes
}

/// How many classes are more probable than `class`: 0 if it is the answer.
pub fn rank(logits: &[f32], class: usize) -> usize {
    let own = logits[class];
    let before = logits.iter().enumerate();
    before
        .filter(|(other, logit)| **logit > own || (**logit == own && *other < class))
        .count()
}

/// The cross-entropy of an answer whose target gives `smoothing` of its weight evenly to all
/// classes (Szegedy et al. 2015, arXiv:1512.00567).
pub fn cross_entropy(logits: &[f32], class: usize, smoothing: f64) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = |logit: f32| f64::from(logit) - f64::from(most);
    let log_sum = logits
        .iter()
        .map(|logit| shifted(*logit).exp())
        .sum::<f64>()
        .ln();
    let mean = logits.iter().map(|logit| shifted(*logit)).sum::<f64>() / logits.len() as f64;
    log_sum - (1.0 - smoothing) * shifted(logits[class]) - smoothing * mean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_also_of_huge_logits() {
        let probabilities = softmax(&[1e30, 1e30, -1e30]);
        assert_eq!(probabilities, [0.5, 0.5, 0.0]);
        assert!((softmax(&[0.1, 2.0, -3.0]).iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_logits_rank_by_class_so_that_the_answer_has_rank_0() {
        let logits = [1.0, 3.0, 3.0, -2.0];
        assert_eq!(answer(&logits), 1);
        let ranks: Vec<_> = (0..4).map(|class| rank(&logits, class)).collect();
        assert_eq!(ranks, [2, 0, 1, 3]);
        let classes: Vec<_> = top(&logits, 3)
            .into_iter()
            .map(|(class, _)| class)
            .collect();
        assert_eq!(classes, [1, 2, 0]);
    }
}
