//! A table of runs: a row for each, with what lists show of it, the last value of each metric and,
//! if wanted, its configuration.

use super::{Cell, Table};
use traintop_run::best_and_trend::Best;
use traintop_run::config_file::Config;
use traintop_run::summary::Summary;

type Field = (&'static str, fn(&Summary) -> Cell);

/// What every run has, in an order that stays.
const FIELDS: [Field; 17] = [
    ("name", |run| Cell::text(run.name.as_str())),
    ("path", |run| Cell::text(run.dir.path().to_string_lossy())),
    ("state", |run| Cell::text(run.observed.state.to_string())),
    ("model", |run| Cell::text(run.model.as_str())),
    ("recipe", |run| Cell::text(run.recipe.as_str())),
    ("epochs_done", |run| {
        Cell::Number(f64::from(run.epochs_done))
    }),
    ("epochs_planned", |run| {
        Cell::number(run.epochs_planned.map(f64::from))
    }),
    ("best_val_acc", |run| Cell::number(run.best_val_acc())),
    ("best_metric", |run| {
        let best = run.best.as_ref();
        Cell::text(best.map_or("", |best| best.metric.as_str()))
    }),
    ("best", |run| {
        Cell::number(run.best.as_ref().map(Best::shown))
    }),
    ("best_epoch", |run| {
        Cell::number(run.best_epoch().map(f64::from))
    }),
    ("started_at", |run| {
        Cell::text(run.started_at.map(|at| at.to_string()).unwrap_or_default())
    }),
    ("duration_s", |run| {
        Cell::number(run.duration.map(|duration| duration.as_secs_f64()))
    }),
    ("size_bytes", |run| {
        Cell::number(run.size_bytes.map(|bytes| bytes as f64))
    }),
    ("tags", |run| Cell::text(run.notes.tags.join(" "))),
    ("note", |run| Cell::text(run.notes.note.as_str())),
    ("star", |run| {
        Cell::text(if run.notes.star { "yes" } else { "" })
    }),
];

/// What a row of Markdown says of a run.
pub const SHORT: [&str; 6] = [
    "name",
    "model",
    "epochs_done",
    "best_val_acc",
    "best_epoch",
    "last.val_loss",
];

/// The runs, with columns `last.METRIC` for each metric that any of them has.
pub fn table<'a>(runs: impl IntoIterator<Item = &'a Summary>) -> Table {
    let runs: Vec<&Summary> = runs.into_iter().collect();
    let mut table = Table {
        columns: FIELDS.map(|(name, _)| name.to_owned()).to_vec(),
        rows: runs
            .iter()
            .map(|run| FIELDS.iter().map(|(_, cell)| cell(run)).collect())
            .collect(),
    };
    let last = runs.iter().map(|run| {
        let each = run.last.iter();
        each.map(|(name, value)| (name.clone(), Cell::Number(*value)))
            .collect()
    });
    widen(&mut table, "last", last.collect());
    table
}

/// As [`table`], with columns `config.KEY` for each key of their configurations, which are read.
pub fn table_with_config(runs: &[Summary]) -> Table {
    let mut table = table(runs);
    let config = |run: &Summary| {
        let lines = Config::load(&run.dir).lines();
        lines
            .into_iter()
            .map(|(key, value)| (key, read(value)))
            .collect()
    };
    widen(&mut table, "config", runs.iter().map(config).collect());
    table
}

fn read(value: String) -> Cell {
    match value.parse() {
        Ok(number) => Cell::Number(number),
        Err(_) => Cell::text(value),
    }
}

/// Adds to each row its own cells, below names that begin with `prefix`.
fn widen(table: &mut Table, prefix: &str, cells: Vec<Vec<(String, Cell)>>) {
    let before = table.columns.len();
    for (name, _) in cells.iter().flatten() {
        let name = format!("{prefix}.{name}");
        if !table.columns[before..].contains(&name) {
            table.columns.push(name);
        }
    }
    for (row, cells) in table.rows.iter_mut().zip(cells) {
        row.resize(table.columns.len(), Cell::Missing);
        for (name, cell) in cells {
            let name = format!("{prefix}.{name}");
            let at = table.columns[before..]
                .iter()
                .position(|column| *column == name);
            if let Some(at) = at {
                row[before + at] = cell;
            }
        }
    }
}
