//! Runs for tests.

use std::time::SystemTime;

use traintop_run::RunDir;
use traintop_run::compared_run::ComparedRun;
use traintop_run::found::{Found, Stamp};
use traintop_run::metrics::{Column, Metrics};
use traintop_run::summary::Summary;

/// A run of this name with a row for each epoch from 1 on, and no configuration.
pub fn compared_run(name: &str, columns: &[(&str, &[f64])]) -> ComparedRun {
    let epochs = columns.iter().map(|(_, y)| y.len()).max().unwrap_or(0);
    let epoch: Vec<f64> = (1..=epochs).map(|epoch| epoch as f64).collect();
    let column = |name: &str, y: &[f64]| Column {
        name: name.to_owned(),
        x: epoch[..y.len()].to_vec(),
        y: y.to_vec(),
    };
    let metrics = Metrics {
        x_name: "epoch".to_owned(),
        columns: std::iter::once(column("epoch", &epoch))
            .chain(columns.iter().map(|(name, y)| column(name, y)))
            .collect(),
        rows: epochs,
        ..Metrics::default()
    };
    let found = Found {
        seen_changing: None,
        dir: RunDir::new(format!("/runs/{name}")),
        located: None,
        stamps: [Stamp::default(); 5],
        modified: SystemTime::UNIX_EPOCH,
    };
    ComparedRun {
        summary: Summary::of(&found, &metrics, None, SystemTime::UNIX_EPOCH),
        metrics,
        config: Vec::new(),
        problem: None,
    }
}

/// A run with settings.
pub fn configured(name: &str, config: &[(&str, &str)], val_acc: &[f64]) -> ComparedRun {
    let mut config: Vec<(String, String)> = config
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    config.sort();
    let elapsed: Vec<f64> = (1..=val_acc.len()).map(|at| at as f64 * 10.0).collect();
    ComparedRun {
        config,
        ..compared_run(name, &[("val_acc", val_acc), ("time_elapsed", &elapsed)])
    }
}
