//! `traintop export`: the table of runs, or the curves of some, for other programs.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use color_eyre::eyre::{Result, WrapErr, bail};

use super::roots;
use traintop_analysis::export::{Format, Table, Texts, curves, runs};
use traintop_analysis::lint;
use traintop_disk::write::create_with;
use traintop_run::found::Found;
use traintop_run::metrics::Metrics;
use traintop_run::run_names::{self, shortest_ends};
use traintop_run::settled;
use traintop_run::size;
use traintop_run::summary::Summary;
use traintop_text::clean;
use traintop_text::terminal::{self, error_line};

#[derive(Debug, Args)]
#[command(
    after_help = "Numbers in CSV, JSON and Parquet read back as the same numbers; NaN and infinities are NaN, inf and -inf.\n\
    Exit codes: 0 written, 1 something could not be read or written (what could be is written), 2 wrong command line."
)]
pub struct Arguments {
    /// A row for each run, or a row for each epoch or step of each run
    #[arg(value_enum)]
    what: ExportKind,
    /// Runs: folders, or names or their beginnings [default: all runs]
    runs: Vec<String>,
    /// Folder to search for runs [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// What to write [default: by the ending of --out, else csv]
    #[arg(long, value_enum)]
    format: Option<FormatChoice>,
    /// Write to this file, which must not exist yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only these columns, in this order
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    columns: Vec<String>,
    /// Write texts as they are: in CSV without an apostrophe before what a spreadsheet would
    /// compute, in CSV and Parquet with control and invisible characters
    #[arg(long)]
    raw: bool,
    /// With `table`: also each key of the configurations, as config.KEY
    #[arg(long)]
    config: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportKind {
    /// Runs, newest first, with the last value of each metric
    Table,
    /// Every point that the runs' metrics hold
    Curves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    Csv,
    Json,
    Markdown,
    Latex,
    Parquet,
}

impl From<FormatChoice> for Format {
    fn from(named: FormatChoice) -> Self {
        match named {
            FormatChoice::Csv => Self::Csv,
            FormatChoice::Json => Self::Json,
            FormatChoice::Markdown => Self::Markdown,
            FormatChoice::Latex => Self::Latex,
            FormatChoice::Parquet => Self::Parquet,
        }
    }
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let mut found = Vec::new();
    for name in &arguments.runs {
        found.push(roots::run_named(name, &arguments.roots)?);
    }
    if arguments.runs.is_empty() {
        found = roots::runs_below(&arguments.roots)?;
        if found.is_empty() {
            bail!("there are no runs to export; name their folder with --root");
        }
    }
    let mut code = ExitCode::SUCCESS;
    let table = match arguments.what {
        ExportKind::Table => table(&found, arguments.config),
        ExportKind::Curves => {
            if arguments.config {
                bail!("--config is for `traintop export table`");
            }
            let (table, whole) = points(&found);
            if !whole {
                code = ExitCode::FAILURE;
            }
            table
        }
    };
    let table = if arguments.columns.is_empty() {
        table
    } else {
        table.with_columns(&arguments.columns)?
    };
    let ending = arguments.out.as_ref().and_then(|path| path.extension());
    let by_ending = || Format::of_ending(&ending?.to_string_lossy());
    let named = arguments.format.map(Format::from);
    let format = named.or_else(by_ending).unwrap_or(Format::Csv);
    let texts = if arguments.raw {
        Texts::Raw
    } else {
        Texts::Safe
    };
    // Binary or raw output is not sanitised; it never goes to a terminal.
    let is_raw = arguments.raw || format == Format::Parquet;
    let is_terminal = terminal::raw_output().is_terminal();
    match &arguments.out {
        None if format == Format::Parquet && is_terminal => {
            bail!("a Parquet file is nothing for a terminal; name a file with --out");
        }
        None if is_raw && !is_terminal => {
            let mut output = BufWriter::new(terminal::raw_output());
            table.write(format, texts, &mut output)?;
            output.flush()?;
        }
        None => table.write(format, texts, out)?,
        Some(path) => {
            let written = create_with(path, |file| {
                let mut file = BufWriter::new(file);
                table.write(format, texts, &mut file)?;
                file.flush()
            });
            written.wrap_err_with(|| format!("{} cannot be written", path.display()))?;
            writeln!(out, "{}", clean(&path.to_string_lossy()))?;
        }
    }
    Ok(code)
}

fn table(found: &[Found], config: bool) -> Table {
    let now = SystemTime::now();
    let mut summaries: Vec<Summary> = found
        .iter()
        .map(|found| {
            let mut summary = lint::load(found, now);
            summary.size_bytes = size::of_run(&found.dir);
            summary
        })
        .collect();
    run_names::tell_apart(&mut summaries);
    summaries.sort_by_key(|summary| {
        let began = summary.started_at.unwrap_or(summary.modified_at);
        std::cmp::Reverse((began, summary.dir.clone()))
    });
    if config {
        runs::table_with_config(&summaries)
    } else {
        runs::table(&summaries)
    }
}

/// The points of all runs, and whether all could be read.
fn points(found: &[Found]) -> (Table, bool) {
    let mut read: Vec<(String, Metrics)> = Vec::new();
    let paths: Vec<&Path> = found.iter().map(|found| found.dir.path()).collect();
    for (found, name) in found.iter().zip(shortest_ends(&paths)) {
        let whole = settled::read(found, SystemTime::now());
        match whole.read {
            Ok(()) => read.push((name, whole.metrics)),
            Err(error) => {
                let path = whole.path.to_string_lossy();
                error_line(format_args!("{path}: cannot be read: {error}"));
            }
        }
    }
    let whole = read.len() == found.len();
    let borrowed: Vec<(String, &Metrics)> = read
        .iter()
        .map(|(name, metrics)| (name.clone(), metrics))
        .collect();
    (curves::table(&borrowed), whole)
}
