//! Jobs that write files: tables, curves, figures.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Zoned;

use crate::notice::Notice;
use traintop_analysis::export::{Format, Table, Texts, curves};
use traintop_analysis::figures::{self, Format as Picture, compare};
use traintop_analysis::x_axis::XAxis;
use traintop_disk::Progress;
use traintop_disk::write::create_with;
use traintop_run::RunDir;
use traintop_run::found::Found;
use traintop_run::metrics::Metrics;
use traintop_run::run_names::shortest_ends;
use traintop_run::settled;
use traintop_text::clean;

/// A job that writes files.
#[derive(Debug, Clone, PartialEq)]
pub enum ExportJob {
    /// A file with a table.
    Table(Box<Table>, Format, Texts),
    /// A file with the points of these runs.
    Curves(Vec<RunDir>, Format, Texts),
    Figures(Vec<RunDir>),
    /// One figure with these runs over each other.
    Compare(Vec<RunDir>),
}

/// Writes it; the notice says where.
pub fn carry_out(job: ExportJob, progress: &Progress) -> Notice {
    let done = match job {
        ExportJob::Table(table, format, texts) => {
            write(&table, "runs", (format, texts), progress).map_err(|error| error.to_string())
        }
        ExportJob::Curves(dirs, format, texts) => export_curves(&dirs, (format, texts), progress),
        ExportJob::Figures(dirs) => draw_each(&dirs, progress),
        ExportJob::Compare(dirs) => draw_together(&dirs, progress),
    };
    match done {
        Err(text) if progress.is_cancelled() => {
            log::info!("{text}");
            Notice::bad("cancelled: no file was written")
        }
        Ok(text) => Notice::good(clean(&text).into_owned()),
        Err(text) => Notice::bad(clean(&text).into_owned()),
    }
}

/// Writes a new file in the working folder, never over one that is there.
fn write(
    table: &Table,
    of: &str,
    (format, texts): (Format, Texts),
    progress: &Progress,
) -> io::Result<String> {
    let time = Zoned::now().strftime("%Y%m%d-%H%M%S");
    let mut number = 0;
    loop {
        let more = if number > 0 {
            format!("-{number}")
        } else {
            String::new()
        };
        let name = format!("traintop-{of}-{time}{more}.{}", format.ending());
        let path = std::env::current_dir()?.join(name);
        let written = create_with(&path, |file| {
            let mut file = BufWriter::new(Cancellable(file, progress));
            table.write(format, texts, &mut file)?;
            file.flush()
        });
        match written {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                let text = format!("{} cannot be written: {error}", path.display());
                return Err(io::Error::new(error.kind(), text));
            }
            Ok(()) => {
                let rows = table.rows.len();
                let rows = if rows == 1 {
                    "1 row is".to_owned()
                } else {
                    format!("{rows} rows are")
                };
                return Ok(format!("{rows} in {}", path.display()));
            }
        }
    }
}

/// Fails once the job is cancelled; a file that is cut off is removed.
struct Cancellable<'a, W>(W, &'a Progress);

impl<W: io::Write> io::Write for Cancellable<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The metrics of each run, under names that tell them apart, unless it is cancelled.
fn read_named(dirs: &[RunDir], progress: &Progress) -> Result<Vec<(String, Metrics)>, String> {
    let paths: Vec<&Path> = dirs.iter().map(RunDir::path).collect();
    let named = dirs.iter().zip(shortest_ends(&paths)).enumerate();
    let read = named.map(|(at, (dir, name))| {
        progress.step(at, dirs.len());
        if progress.is_cancelled() {
            return Err("cancelled".to_owned());
        }
        Ok((name, read(dir)?))
    });
    read.collect()
}

fn read(dir: &RunDir) -> Result<Metrics, String> {
    let whole = settled::read(&Found::look(dir.clone()), SystemTime::now());
    match whole.read {
        Ok(()) => Ok(whole.metrics),
        Err(error) => Err(format!("{} cannot be read: {error}", whole.path.display())),
    }
}

fn export_curves(
    dirs: &[RunDir],
    form: (Format, Texts),
    progress: &Progress,
) -> Result<String, String> {
    let read = read_named(dirs, progress)?;
    let borrowed: Vec<_> = read
        .iter()
        .map(|(name, metrics)| (name.clone(), metrics))
        .collect();
    write(&curves::table(&borrowed), "curves", form, progress).map_err(|error| error.to_string())
}

fn draw_each(dirs: &[RunDir], progress: &Progress) -> Result<String, String> {
    let (mut files, mut problems) = (0, Vec::new());
    for (at, dir) in dirs.iter().enumerate() {
        progress.step(at, dirs.len());
        if progress.is_cancelled() {
            return Ok(format!("cancelled: {at} of {} runs were drawn", dirs.len()));
        }
        let drawn = read(dir).and_then(|metrics| {
            dir.refuse_links().map_err(|error| error.to_string())?;
            figures::draw(&metrics, &clean(&dir.name()), &dir.figures(), &Picture::ALL)
                .map_err(|error| error.to_string())
        });
        match drawn {
            Ok(drawn) if drawn.files.is_empty() => {
                problems.push(format!("{} has no numbers to draw", dir.name()));
            }
            Ok(drawn) => files += drawn.files.len(),
            Err(problem) => problems.push(problem),
        }
    }
    let of = match dirs {
        [only] => only.figures().display().to_string(),
        several => format!("logs/figures of {} runs", several.len()),
    };
    match problems.first() {
        None => Ok(format!("{files} figures are in {of}")),
        Some(first) => Err(format!(
            "{files} figures are in {of}; {} could not be drawn: {first}",
            problems.len()
        )),
    }
}

fn draw_together(dirs: &[RunDir], progress: &Progress) -> Result<String, String> {
    let read = read_named(dirs, progress)?;
    let runs: Vec<compare::Run> = read
        .iter()
        .map(|(name, metrics)| compare::Run { name, metrics })
        .collect();
    let folder: PathBuf = std::env::current_dir().map_err(|error| error.to_string())?;
    let drawn = compare::draw(&runs, &[], XAxis::Rows, &folder, &Picture::ALL)
        .map_err(|error| error.to_string())?;
    match drawn.files.first() {
        Some(first) => Ok(format!(
            "{} and its SVG show {} runs",
            first.display(),
            runs.len()
        )),
        None => Err("none of these runs has numbers to draw".to_owned()),
    }
}

pub fn counted(dirs: &[RunDir]) -> String {
    match dirs {
        [only] => clean(&only.name()).into_owned(),
        several => format!("{} runs", several.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_that_is_cancelled_leaves_no_file() {
        let exports = || {
            let entries = std::fs::read_dir(".").unwrap().flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let mut names: Vec<_> = names.filter(|name| name.contains("traintop-")).collect();
            names.sort();
            names
        };
        let before = exports();
        let progress = Progress::default();
        progress.cancel();
        let dirs = vec![RunDir::new("/nowhere/a")];
        for job in [
            ExportJob::Table(Box::default(), Format::Csv, Texts::Safe),
            ExportJob::Table(Box::default(), Format::Parquet, Texts::Safe),
            ExportJob::Curves(dirs.clone(), Format::Json, Texts::Safe),
            ExportJob::Compare(dirs.clone()),
        ] {
            let notice = carry_out(job, &progress);
            assert!(
                notice.bad && notice.text.starts_with("cancelled"),
                "{notice:?}"
            );
        }
        let drawn = carry_out(ExportJob::Figures(dirs), &progress);
        assert_eq!(drawn.text, "cancelled: 0 of 1 runs were drawn");
        assert_eq!(exports(), before);
    }
}
