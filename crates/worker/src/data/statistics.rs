//! What a split holds, in numbers: for the log, where an unbalanced data set should be seen.

use std::fmt;

use traintop_text as text;

use super::Split;

/// How many images a split has of each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// Images of each class, by label, up to the highest label that occurs.
    per_class: Vec<u64>,
}

impl Split {
    /// Counts the images.
    pub fn statistics(&self) -> Statistics {
        let classes = self.labels.iter().max().map_or(0, |most| most + 1);
        let mut per_class = vec![0; classes as usize];
        for label in &self.labels {
            per_class[*label as usize] += 1;
        }
        Statistics { per_class }
    }
}

impl Statistics {
    /// Images of each class, by label, up to the highest label that occurs.
    pub fn per_class(&self) -> &[u64] {
        &self.per_class
    }
}

impl fmt::Display for Statistics {
    /// `8,000 (800 of each class)`, or `120 (10 to 90 of a class)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = self.per_class.iter().min().copied().unwrap_or(0);
        let most = self.per_class.iter().max().copied().unwrap_or(0);
        write!(formatter, "{} (", text::count(self.per_class.iter().sum()))?;
        if least == most {
            write!(formatter, "{} of each class)", text::count(most))
        } else {
            let (least, most) = (text::count(least), text::count(most));
            write!(formatter, "{least} to {most} of a class)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_of_the_classes_is_said() {
        let of = |labels: &[i64]| {
            let split = Split {
                images: vec![0; 3 * labels.len()],
                labels: labels.to_vec(),
                height: 1,
                width: 1,
            };
            split.statistics().to_string()
        };
        assert_eq!(of(&[0, 1, 1, 0]), "4 (2 of each class)");
        assert_eq!(of(&[0, 2, 2, 2]), "4 (0 to 3 of a class)");
    }
}
