//! What of a run wants attention, in few words for its row and in sentences for its own screen.

use crate::theme::Role;
use traintop_analysis::finish::{self, Margin, roughly};
use traintop_run::summary::Summary;

use super::state_glyph;

/// The few words behind a run's name: why it failed, else what it warns of.
pub fn words(summary: &Summary) -> Option<(String, Role)> {
    if let Some(cause) = &summary.cause {
        return Some((
            cause.what.clone(),
            state_glyph::role(summary.observed.state),
        ));
    }
    let signs = summary.health.iter().flat_map(|health| &health.signs);
    let sign = signs.map(|sign| match sign.kind.as_ref() {
        "nan" => "NaN".to_owned(),
        kind => kind.replace('_', " "),
    });
    let late = finish::late(summary).map(|late| format!("ends {} late", roughly(late)));
    let word = late.into_iter().chain(sign).next()?;
    Some((word, Role::Warn))
}

/// What is to be said of a run that trains: whether it ends in time, and what it warns of.
pub fn sentences(summary: &Summary) -> Vec<(String, Role)> {
    let Some(health) = &summary.health else {
        return Vec::new();
    };
    let mut said = Vec::new();
    if let (Some(outlook), Some(pace)) = (finish::outlook(summary), health.pace) {
        let role = match outlook.limit {
            Some(Margin::Late(..)) => Role::Warn,
            _ => Role::Muted,
        };
        said.extend(
            outlook
                .sentence(pace.until)
                .map(|sentence| (sentence, role)),
        );
    }
    said.extend(
        health
            .signs
            .iter()
            .map(|sign| (sign.text.clone(), Role::Warn)),
    );
    said
}

/// Whether a run that trains warns of something.
pub fn warns(summary: &Summary) -> bool {
    let signs = summary.health.as_ref().map(|health| &health.signs);
    signs.is_some_and(|signs| !signs.is_empty()) || should_save(summary)
}

/// Whether a checkpoint of this run should be saved by hand before it is too late.
pub fn should_save(summary: &Summary) -> bool {
    finish::late(summary).is_some()
}
