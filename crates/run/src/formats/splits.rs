//! Several sources of one run, each measured on other data: their columns stand beside each other
//! under the names of the data.

use std::io;
use std::path::{Path, PathBuf};

use super::{Facts, Source};
use crate::metrics::{Change, Metrics};

/// A source for each kind of data.
#[derive(Debug)]
pub struct Splits {
    dir: PathBuf,
    sources: Vec<(String, Box<dyn Source>)>,
    metrics: Metrics,
}

impl Splits {
    /// Nothing is read yet. `open` makes the source of each of these names.
    pub fn new(dir: &Path, names: &[&str], open: impl Fn(&str) -> Box<dyn Source>) -> Self {
        let sources = names.iter().map(|name| ((*name).to_owned(), open(name)));
        Self {
            dir: dir.to_owned(),
            sources: sources.collect(),
            metrics: Metrics::default(),
        }
    }

    /// The sources' columns, each under the name of its data.
    fn joined(&self) -> Metrics {
        let mut joined = Metrics::default();
        for (name, source) in &self.sources {
            let metrics = source.metrics();
            if metrics.columns.is_empty() && metrics.problem_count == 0 {
                continue;
            }
            joined.x_name.clone_from(&metrics.x_name);
            joined.rows = joined.rows.max(metrics.rows);
            joined.problem_count += metrics.problem_count;
            joined.problems.extend(metrics.problems.iter().cloned());
            for column in &metrics.columns {
                let mut column = column.clone();
                column.name = format!("{name}/{}", column.name);
                joined.columns.push(column);
            }
        }
        joined
    }
}

impl Source for Splits {
    fn path(&self) -> &Path {
        &self.dir
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn facts(&self) -> Option<Facts> {
        let all = self.sources.iter().filter_map(|(_, source)| source.facts());
        all.max_by_key(|facts| facts.duration)
    }

    fn take(&mut self) -> Metrics {
        self.metrics.take()
    }

    fn poll(&mut self) -> io::Result<Change> {
        let (mut is_changed, mut is_there) = (false, false);
        for (_, source) in &mut self.sources {
            match source.poll() {
                Ok(change) => {
                    is_there = true;
                    is_changed |= change != Change::Unchanged;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if !is_there {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !is_changed {
            return Ok(Change::Unchanged);
        }
        self.metrics = self.joined();
        Ok(Change::Reread)
    }
}
