//! What the trainer was called with: `training_args.bin`, a pickle of which nothing is executed.

use std::io::BufReader;
use std::path::Path;

use serde_json::{Map, Value};

use crate::judging::TrainerMetric;
use crate::metric_names::Direction;
use crate::pth::PthFile;
use traintop_disk::read;
use traintop_pickle as pickle;

/// Arguments take a few kilobytes.
const MAX_BYTES: u64 = 1 << 20;

/// What is in the object and is no argument: on which devices it ran.
const NOT_ARGUMENTS: [&str; 3] = [
    "distributed_state",
    "deepspeed_plugin",
    "hf_deepspeed_config",
];

/// The arguments in a file; none if it cannot be read.
pub fn read(path: &Path) -> Map<String, Value> {
    let read_map = || {
        let file = BufReader::new(read::open(path).ok()?);
        let bytes = PthFile::open(file).ok()?.pickle(MAX_BYTES).ok()?;
        match pickle::parse(&bytes).ok()?.value().to_json() {
            Value::Object(map) => Some(map),
            _ => None,
        }
    };
    let entries = read_map().unwrap_or_default().into_iter();
    entries
        .filter(|(key, _)| !key.starts_with('_') && !NOT_ARGUMENTS.contains(&key.as_str()))
        // Secrets are not settings.
        .filter(|(key, _)| !key.ends_with("_token"))
        .filter_map(|(key, value)| Some((key, plain(value)?)))
        .collect()
}

/// A value without the classes of enums: `<module.Name linear>` is `linear`. What is no data, and
/// what was left open, is nothing.
fn plain(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => {
            let Some(made) = text.strip_prefix('<').and_then(|it| it.strip_suffix('>')) else {
                return Some(Value::String(text));
            };
            let (_, value) = made.split_once(' ')?;
            Some(value.trim_matches('"').into())
        }
        Value::Object(map) => {
            let inner = map.into_iter();
            let inner: Map<String, Value> = inner
                .filter_map(|(key, value)| Some((key, plain(value)?)))
                .collect();
            (!inner.is_empty()).then_some(Value::Object(inner))
        }
        other => Some(other),
    }
}

/// By which metric the best checkpoint is chosen, if by any.
pub fn metric(arguments: &Map<String, Value>) -> Option<TrainerMetric> {
    let name = arguments.get("metric_for_best_model")?.as_str()?;
    let is_higher = arguments.get("greater_is_better").and_then(Value::as_bool);
    Some(TrainerMetric {
        metric: if name.starts_with("eval_") {
            name.to_owned()
        } else {
            format!("eval_{name}")
        },
        direction: is_higher.map(|is_higher| {
            if is_higher {
                Direction::Higher
            } else {
                Direction::Lower
            }
        }),
    })
}
