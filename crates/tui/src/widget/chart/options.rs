//! How charts are drawn: what a person sets once and finds again, on every screen that has charts.

use serde::{Deserialize, Serialize};

use super::markers::Markers;
use traintop_analysis::chart_transform::TransformSettings;
use traintop_analysis::x_axis::XAxis;

/// The settings of all charts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// What values stand over.
    pub along: XAxis,
    /// Equal factors take equal room from left to right.
    pub log_x: bool,
    /// Equal factors take equal room from bottom to top.
    pub log_y: bool,
    /// How much of what came before a smoothed curve keeps.
    pub smoothing: Smoothing,
    /// The vertical axis leaves out what lies far from all the rest.
    pub robust: bool,
    /// What curves are drawn with.
    pub markers: Markers,
}

/// The weight of exponential smoothing, in the steps that a key goes through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Smoothing(u8);

impl Smoothing {
    const WEIGHTS: [f64; 8] = [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99, 0.999];

    /// The weight: 0 for none.
    pub fn weight(self) -> f64 {
        Self::WEIGHTS[usize::from(self.0)]
    }

    /// Whether there is any.
    pub fn is_on(self) -> bool {
        self.0 > 0
    }

    /// One step more, up to the most.
    #[must_use]
    pub fn more(self) -> Self {
        Self((self.0 + 1).min(Self::WEIGHTS.len() as u8 - 1))
    }

    /// One step less, down to none.
    #[must_use]
    pub fn less(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The step nearest to a weight.
    fn nearest(weight: f64) -> Self {
        let distance = |at: &usize| (Self::WEIGHTS[*at] - weight).abs();
        let nearest = (0..Self::WEIGHTS.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        Self(nearest.unwrap_or(0) as u8)
    }
}

impl Options {
    /// What has to be made of the numbers for them.
    pub fn wanted(self) -> TransformSettings {
        TransformSettings {
            x_axis: self.along,
            smoothing: self.smoothing.weight(),
            robust: self.robust,
        }
    }

    /// What differs from how charts are first, in a few words.
    pub fn summary(self) -> String {
        let mut words = Vec::new();
        if self.along != XAxis::default() {
            words.push(format!("over {}", self.along.name()));
        }
        match (self.log_x, self.log_y) {
            (true, true) => words.push("log x y".to_owned()),
            (true, false) => words.push("log x".to_owned()),
            (false, true) => words.push("log y".to_owned()),
            (false, false) => {}
        }
        if self.smoothing.is_on() {
            words.push(format!("smooth {}", self.smoothing.weight()));
        }
        if self.robust {
            words.push("no outliers".to_owned());
        }
        words.join(", ")
    }

    /// The text of a file that keeps them.
    pub fn to_text(self) -> String {
        let kept = Kept {
            along: self.along.name().to_owned(),
            log_x: self.log_x,
            log_y: self.log_y,
            smoothing: self.smoothing.weight(),
            robust: self.robust,
            markers: self.markers.name().to_owned(),
        };
        toml::to_string(&kept).unwrap_or_default()
    }

    /// What a text of [`Options::to_text`] says; what it does not say, or not in words known here,
    /// is as it is first.
    pub fn of_text(text: &str) -> Self {
        let kept: Kept = toml::from_str(text).unwrap_or_default();
        let named = XAxis::ALL
            .into_iter()
            .find(|along| along.name() == kept.along);
        Self {
            along: named.unwrap_or_default(),
            log_x: kept.log_x,
            log_y: kept.log_y,
            smoothing: Smoothing::nearest(kept.smoothing),
            robust: kept.robust,
            markers: Markers::named(&kept.markers).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    along: String,
    log_x: bool,
    log_y: bool,
    smoothing: f64,
    robust: bool,
    markers: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn smoothing_goes_in_steps_and_stops_at_both_ends() {
        let none = Smoothing::default();
        assert_eq!((none.less(), none.more().weight()), (none, 0.3));
        let most = (0..20).fold(none, |smoothing, _| smoothing.more());
        assert_eq!(most.weight(), 0.999);
    }

    #[test]
    fn a_text_that_says_nothing_gives_the_first_settings() {
        for text in ["", "nonsense", "smoothing = \"much\"", "along = \"miles\""] {
            assert_eq!(Options::of_text(text), Options::default(), "{text}");
        }
        assert_eq!(Options::default().summary(), "");
    }

    proptest! {
        #[test]
        fn what_is_kept_is_found_again(along in 0usize..5, flags in any::<[bool; 3]>(), smoothing in 0u8..8, markers in 0usize..3) {
            let options = Options {
                along: XAxis::ALL[along],
                log_x: flags[0],
                log_y: flags[1],
                smoothing: Smoothing(smoothing),
                robust: flags[2],
                markers: Markers::ALL[markers],
            };
            prop_assert_eq!(Options::of_text(&options.to_text()), options);
        }
    }
}
