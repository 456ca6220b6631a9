//! A record for a run that has none: what it can be from the run's other files.

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json};

use super::source::{Sources, modified};
use super::{Rebuild, rebuild};
use traintop_run::config_file::Config;
use traintop_run::found::Found;
use traintop_run::layout::{RunDir, display_name};
use traintop_run::record::{Best, Record, SCHEMA_VERSION};
use traintop_run::state::State;
use traintop_run::summary::Summary;

/// The record that a run would get; `rebuilds` are the files that it has then too. `None` if no
/// file shows a single epoch.
pub fn record(dir: &RunDir, sources: &Sources, rebuilds: &[Rebuild]) -> Option<Rebuild> {
    let summary = Summary::load(&Found::look(dir.clone()), SystemTime::now());
    let rebuilt = rebuilds.iter().any(|file| file.path == dir.metrics_csv());
    let table = sources
        .table()
        .filter(|_| rebuilt)
        .map(|source| source.table);
    let config = sources.settings().map(|(config, _)| config);
    let own = Config::load(dir);
    let text = |key: &str| {
        let from_config = config
            .as_ref()
            .and_then(|config| config.get(key)?.as_str().map(str::to_owned));
        own.text(key).or(from_config).unwrap_or_default()
    };
    let epochs_done = match &table {
        Some(table) => table.last_epoch()?,
        None => summary.epochs_done,
    };
    if epochs_done == 0 {
        return None;
    }
    let in_config = || {
        config
            .as_ref()?
            .get("num_epochs")?
            .as_u64()?
            .try_into()
            .ok()
    };
    let planned = summary
        .epochs_planned
        .or_else(in_config)
        .or(sources.log.planned);
    let best = match &table {
        Some(table) => table.best(),
        None => summary.best_epoch().zip(summary.best_val_acc()),
    };
    let ended_at = sources.log.ended.unwrap_or_else(|| {
        let newest = rebuilds.iter().map(|file| file.modified);
        let newest = newest.chain([modified(&dir.metrics_csv())]).max();
        newest
            .and_then(|time| time.try_into().ok())
            .unwrap_or(summary.modified_at)
    });
    let in_name = from_name(&dir.name());
    let elapsed = summary
        .duration
        .and_then(|took| ended_at.checked_sub(took).ok());
    let started_at = sources
        .log
        .began
        .or(in_name)
        .or(elapsed)
        .unwrap_or(ended_at);
    let is_whole = planned.is_some_and(|planned| epochs_done >= planned);
    let record = Record {
        gpu_count: None,
        gpus: Vec::new(),
        environment: BTreeMap::new(),
        resumes: Vec::new(),
        schema_version: SCHEMA_VERSION,
        id: format!("{}-adopted-{}", dir.name(), started_at.as_millisecond()),
        name: display_name(&text("experiment_name"), dir),
        state: if is_whole {
            State::Finished
        } else {
            State::Stopped
        },
        process: None,
        command: Vec::new(),
        created_at: started_at,
        started_at: Some(started_at),
        heartbeat_at: None,
        ended_at: Some(ended_at),
        epochs_done,
        epochs_planned: planned.unwrap_or(0),
        best: best.map(|(epoch, val_acc)| Best { epoch, val_acc }),
        exit: None,
        queue_position: None,
        slurm: None,
        deadline: None,
        time_limit_s: None,
        launcher: None,
        sweep: None,
        data: None,
        working_dir: None,
        other: Map::from_iter([("adopted".to_owned(), Json::Bool(true))]),
    };
    let text = serde_json::to_string_pretty(&record).ok()? + "\n";
    let what = format!("{}, {epochs_done} epochs", record.state);
    Some(rebuild(
        dir.run_json(),
        "its other files".to_owned(),
        what,
        ended_at.into(),
        text,
    ))
}

/// When a run was made, by its folder's name: `2025_03_10_14_29`, with seconds or without.
fn from_name(name: &str) -> Option<Timestamp> {
    let stamp = name.split('-').next()?;
    let forms = ["%Y_%m_%d_%H_%M_%S", "%Y_%m_%d_%H_%M"];
    let time = forms
        .iter()
        .find_map(|form| DateTime::strptime(form, stamp).ok())?;
    Some(time.to_zoned(TimeZone::system()).ok()?.timestamp())
}
