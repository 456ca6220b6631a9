//! Several sources of one run, joined into columns whose names include the source.

use std::io;
use std::path::{Path, PathBuf};

use super::{Facts, Source, settings};
use crate::metrics::{Change, Metrics};

/// What a column is called: from the name of its source and its name there.
type Naming = fn(&str, &str) -> String;

/// The column of data of this name.
pub fn of_data(data: &str, column: &str) -> String {
    format!("{data}/{column}")
}

/// A source for each kind of data.
#[derive(Debug)]
pub struct Splits {
    dir: PathBuf,
    naming: Naming,
    sources: Vec<(String, Box<dyn Source>)>,
    metrics: Metrics,
}

impl Splits {
    /// Nothing is read yet. `open` makes the source of each of these names.
    pub fn new<'a>(
        dir: &Path,
        names: impl IntoIterator<Item = &'a str>,
        naming: Naming,
        open: impl Fn(&str) -> Box<dyn Source>,
    ) -> Self {
        let sources = names.into_iter().map(|name| (name.to_owned(), open(name)));
        Self {
            dir: dir.to_owned(),
            naming,
            sources: sources.collect(),
            metrics: Metrics::default(),
        }
    }

    /// The columns of all sources.
    fn joined(&self) -> Metrics {
        let mut joined = Metrics::default();
        for (name, source) in &self.sources {
            let metrics = source.metrics();
            if metrics.columns.is_empty() && metrics.problem_count == 0 {
                continue;
            }
            joined.x_name.clone_from(&metrics.x_name);
            let trainer_metric = &metrics.judging.trainer;
            joined.judging.trainer = joined.judging.trainer.or_else(|| trainer_metric.clone());
            joined.rows = joined.rows.max(metrics.rows);
            joined.problem_count += metrics.problem_count;
            joined.problems.extend(metrics.problems.iter().cloned());
            joined.seams.extend(&metrics.seams);
            joined.repeated.extend(&metrics.repeated);
            let renamed = |column: &String| (self.naming)(name, column);
            joined
                .text_columns
                .extend(metrics.text_columns.iter().map(renamed));
            let units = metrics.units.iter();
            joined
                .units
                .extend(units.map(|(column, unit)| (renamed(column), *unit)));
            for (column, count) in &metrics.unread {
                *joined.unread.entry(renamed(column)).or_default() += count;
            }
            for column in &metrics.columns {
                let mut column = column.clone();
                column.name = renamed(&column.name);
                // The source with the most rows determines what places them.
                let mut there = joined.columns.iter_mut();
                match there.find(|other| other.name == column.name) {
                    Some(other) if other.x.len() < column.x.len() => *other = column,
                    Some(_) => {}
                    None => joined.columns.push(column),
                }
            }
        }
        for places in [&mut joined.seams, &mut joined.repeated] {
            places.sort_by(f64::total_cmp);
            places.dedup();
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
        let there = self.sources.iter().map(|(_, source)| source);
        let there = there.filter(|source| !source.metrics().columns.is_empty());
        let all: Vec<Facts> = there.filter_map(|source| source.facts()).collect();
        // Settings are in the run's folder, or in that of a source.
        let beside = settings::beside(&self.dir);
        let own = all.iter().map(|facts| &facts.config);
        let mut known = std::iter::once(&beside).chain(own);
        let config = known.find(|config| !config.is_empty()).cloned();
        (!all.is_empty()).then(|| Facts {
            started_at: all.iter().filter_map(|facts| facts.started_at).min(),
            ended_at: all.iter().filter_map(|facts| facts.ended_at).max(),
            duration: all.iter().filter_map(|facts| facts.duration).max(),
            ..settings::facts(config.unwrap_or_default())
        })
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

    fn settle(&mut self) -> io::Result<()> {
        for (_, source) in &mut self.sources {
            match source.settle() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                settled => settled?,
            }
        }
        self.metrics = self.joined();
        Ok(())
    }
}
