//! What looks wrong in a run's numbers: things that are rarely meant and cost a comparison its
//! worth. Each finding says why. Runs as trainers write them have none; what is only unusual is no
//! finding.

mod seams;
mod series;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use super::alert;
use traintop_run::found::Found;
use traintop_run::health::Disk;
use traintop_run::metrics::Metrics;
use traintop_run::record::Resume;
use traintop_run::settings::Settings;
use traintop_run::summary::Summary;
use traintop_run::summing::Summing;

pub use traintop_run::finding::Finding;

/// Everything that looks wrong in a run's metrics, given its configuration and when it was resumed.
pub fn lint(metrics: &Metrics, settings: &Settings, resumes: &[Resume]) -> Vec<Finding> {
    let has_changed = resumes.iter().any(|resume| !resume.changed.is_empty());
    let mut findings = Vec::new();
    findings.extend(series::frozen_validation(metrics));
    findings.extend(series::missing_epochs(metrics));
    findings.extend(series::duplicate_epochs(metrics));
    findings.extend(series::mixed_scales(metrics));
    findings.extend(series::clock_jump(metrics));
    // The rates before a change follow settings that are lost.
    findings.extend(
        (!has_changed)
            .then(|| series::off_schedule(metrics, settings))
            .flatten(),
    );
    findings.extend(seams::loss_jump(metrics, resumes));
    findings.extend(seams::changed_config(metrics, resumes));
    findings
}

/// Sums a run up, and looks for what is wrong in it, and what it warns of, while its rows are at
/// hand; of very many rows they are not.
pub fn sum_up(summing: &mut Summing, found: &Found, now: SystemTime) -> Summary {
    let mut summary = summing.summary(found, now);
    let whole = summing.whole();
    summary.findings = whole.map(|rows| lint(rows, &summary.settings, &summary.resumes));
    if let Some(health) = &mut summary.health {
        health.signs = whole.map(alert::signs).unwrap_or_default();
        health.disk = Disk::of(summary.dir.path());
    }
    summary
}

/// As [`Summary::load`], with what looks wrong.
pub fn load(found: &Found, now: SystemTime) -> Summary {
    sum_up(&mut Summing::begin(found), found, now)
}
