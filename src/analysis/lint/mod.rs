//! What looks wrong in a run's numbers: things that are rarely meant and cost a comparison its worth. Each finding says why. Runs as
//! trainers write them have none; what is only unusual is no finding.

mod seams;
mod series;
#[cfg(test)]
mod tests;

use crate::run::config_file::Config;
use crate::run::metrics::Metrics;

/// Something that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is, for scripts.
    pub kind: &'static str,
    /// One sentence.
    pub text: String,
}

impl Finding {
    fn new(kind: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { kind, text }
    }
}

/// Everything that looks wrong in a run's metrics.
pub fn lint(metrics: &Metrics, config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(series::frozen_validation(metrics));
    findings.extend(series::missing_epochs(metrics));
    findings.extend(series::mixed_scales(metrics));
    findings.extend(series::clock_jump(metrics));
    findings.extend(series::off_schedule(metrics, config));
    findings.extend(seams::loss_jump(metrics));
    findings
}
