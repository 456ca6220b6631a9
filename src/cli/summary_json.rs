//! A run as JSON for scripts. JSON has no NaN and no infinities, which metrics do have: they are
//! written as the texts "NaN", "inf" and "-inf", which Python's `float()` reads.

use serde_json::{Map, Value, json};

use traintop_run::best_and_trend::Best;
use traintop_run::record::Resume;
use traintop_run::summary::Summary;

pub use traintop_analysis::export::json_number as number;

/// The best value of what a run is judged by.
pub fn best(best: &Best) -> Value {
    json!({
        "metric": best.metric,
        "value": number(best.value),
        "percent": best.percent().map(number),
        "direction": best.direction,
        "guessed": best.guessed,
        "epoch": best.epoch,
        "step": best.step,
    })
}

/// A resume; the record leaves out what has not changed.
fn resume(resume: &Resume) -> Value {
    json!({ "epoch": resume.epoch, "at": resume.at, "changed": resume.changed })
}

/// Every field of a summary, in an order that stays; what is not known is null.
pub fn of(summary: &Summary) -> Map<String, Value> {
    let last: Map<String, Value> = summary
        .last
        .iter()
        .map(|(column, value)| (column.clone(), number(*value)))
        .collect();
    let fields = [
        ("path", json!(summary.dir.path().to_string_lossy())),
        ("id", json!(summary.id)),
        ("name", json!(summary.name)),
        ("differs", json!(summary.differs)),
        ("model", json!(summary.model)),
        ("recipe", json!(summary.recipe)),
        ("trainer", json!(summary.trainer)),
        ("sources", json!(summary.sources)),
        ("x", json!(summary.x)),
        ("rows", json!(summary.rows)),
        ("steps_done", json!(summary.steps_done)),
        ("steps_planned", json!(summary.steps_planned)),
        ("state", json!(summary.observed.state)),
        ("state_is_deduced", json!(summary.observed.deduced)),
        ("state_reason", json!(summary.observed.reason)),
        ("epochs_done", json!(summary.epochs_done)),
        ("epochs_planned", json!(summary.epochs_planned)),
        (
            "best_val_acc",
            summary.best_val_acc().map_or(Value::Null, number),
        ),
        ("best_epoch", json!(summary.best_epoch())),
        ("best", summary.best.as_ref().map_or(Value::Null, best)),
        ("last", Value::Object(last)),
        ("started_at", json!(summary.started_at)),
        ("modified_at", json!(summary.modified_at)),
        (
            "duration_s",
            json!(summary.duration.map(|duration| duration.as_secs_f64())),
        ),
        ("size_bytes", json!(summary.size_bytes)),
        ("cause", json!(summary.cause)),
        ("sweep", json!(summary.sweep)),
        ("queue_position", json!(summary.queue_position)),
        (
            "slurm_job",
            json!(summary.job.as_ref().and_then(|job| job.name.as_ref())),
        ),
        ("tags", json!(summary.notes.tags)),
        ("note", json!(summary.notes.note)),
        ("star", json!(summary.notes.star)),
        ("baseline", json!(summary.notes.baseline)),
        ("evaluation", json!(summary.evaluated)),
        ("archive_bytes", json!(summary.archived)),
        ("rebuilt", json!(summary.rebuilt)),
        ("resumes", summary.resumes.iter().map(resume).collect()),
        ("lint", json!(summary.findings)),
        ("unread_lines", json!(summary.problems)),
        ("unread", json!(summary.unread)),
    ];
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
