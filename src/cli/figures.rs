//! `traintop figures RUN...`: curves as PNG and SVG pictures, each run's in its own folder, or
//! several runs over each other.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use color_eyre::eyre::{Result, WrapErr, bail};

use super::roots;
use traintop_analysis::figures::{self, Drawn, Format, compare};
use traintop_analysis::x_axis::XAxis;
use traintop_run::RunDir;
use traintop_run::found::Found;
use traintop_run::metrics::Metrics;
use traintop_run::run_names::shortest_ends;
use traintop_run::settled;
use traintop_text::clean;
use traintop_text::terminal::error_line;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Runs: folders, or names or their beginnings
    #[arg(required_unless_present = "all_runs")]
    runs: Vec<String>,
    /// Every run below the roots
    #[arg(long, visible_alias = "all", conflicts_with = "runs")]
    all_runs: bool,
    /// Folder to search for runs [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Put them into a folder per run below this one [default: logs/figures of each run; with
    /// --compare the working folder]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [FormatChoice::Png, FormatChoice::Svg])]
    format: Vec<FormatChoice>,
    /// One picture of all these runs over each other: validation's loss and accuracy, and the
    /// learning rate
    #[arg(long)]
    compare: bool,
    /// With --compare: a column to show instead, in a panel of its own (may be given again)
    #[arg(long, value_name = "COLUMN", requires = "compare")]
    metric: Vec<String>,
    /// With --compare: what the runs are aligned by
    #[arg(long, value_enum, default_value_t = AxisChoice::Rows, requires = "compare")]
    along: AxisChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatChoice {
    Png,
    Svg,
}

impl From<FormatChoice> for Format {
    fn from(named: FormatChoice) -> Self {
        match named {
            FormatChoice::Png => Self::Png,
            FormatChoice::Svg => Self::Svg,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AxisChoice {
    /// What each file counts its rows by
    Rows,
    /// Epochs
    Epoch,
    /// Steps
    Step,
    /// Time since the start
    Time,
}

impl From<AxisChoice> for XAxis {
    fn from(named: AxisChoice) -> Self {
        match named {
            AxisChoice::Rows => Self::Rows,
            AxisChoice::Epoch => Self::Epoch,
            AxisChoice::Step => Self::Step,
            AxisChoice::Time => Self::Relative,
        }
    }
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let mut dirs = Vec::new();
    for name in &arguments.runs {
        dirs.push(roots::run_named(name, &arguments.roots)?.dir);
    }
    if arguments.all_runs {
        let found = roots::runs_below(&arguments.roots)?;
        dirs.extend(found.into_iter().map(|found| found.dir));
        if dirs.is_empty() {
            bail!("there are no runs to draw; name their folder with --root");
        }
    }
    if arguments.compare {
        return compare(arguments, &dirs, out);
    }
    let formats: Vec<Format> = arguments.format.iter().copied().map(Format::from).collect();
    let mut code = ExitCode::SUCCESS;
    for dir in &dirs {
        // One run that cannot be drawn does not keep the others from it.
        let folder = match &arguments.out {
            Some(folder) => folder.join(dir.name()),
            None => dir.figures(),
        };
        let drawn = read(dir).and_then(|metrics| {
            if arguments.out.is_none() {
                dir.refuse_links()?;
            }
            Ok(figures::draw(
                &metrics,
                &clean(&dir.name()),
                &folder,
                &formats,
            )?)
        });
        match drawn {
            Ok(drawn) => print_drawn(&drawn, &dir.metrics_csv(), out)?,
            Err(error) => {
                error_line(format!("{error:#}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn compare(arguments: &Arguments, dirs: &[RunDir], out: &mut dyn Write) -> Result<ExitCode> {
    let formats: Vec<Format> = arguments.format.iter().copied().map(Format::from).collect();
    let mut read_runs = Vec::new();
    let mut code = ExitCode::SUCCESS;
    let paths: Vec<&Path> = dirs.iter().map(RunDir::path).collect();
    for (dir, name) in dirs.iter().zip(shortest_ends(&paths)) {
        match read(dir) {
            Ok(metrics) => read_runs.push((name, metrics)),
            Err(error) => {
                error_line(format!("{error:#}"));
                code = ExitCode::FAILURE;
            }
        }
    }
    let runs: Vec<compare::Run> = read_runs
        .iter()
        .map(|(name, metrics)| compare::Run { name, metrics })
        .collect();
    let folder = arguments.out.clone().unwrap_or_else(|| PathBuf::from("."));
    let drawn = compare::draw(
        &runs,
        &arguments.metric,
        arguments.along.into(),
        &folder,
        &formats,
    )?;
    print_drawn(&drawn, Path::new("the comparison"), out)?;
    if drawn.files.is_empty() {
        code = ExitCode::FAILURE;
    }
    Ok(code)
}

fn read(dir: &RunDir) -> Result<Metrics> {
    let whole = settled::read(&Found::look(dir.clone()), SystemTime::now());
    whole
        .read
        .wrap_err_with(|| format!("{} cannot be read", whole.path.display()))?;
    Ok(whole.metrics)
}

fn print_drawn(drawn: &Drawn, of: &Path, out: &mut dyn Write) -> Result<()> {
    for file in &drawn.files {
        writeln!(out, "{}", clean(&file.to_string_lossy()))?;
    }
    if !drawn.left_out.is_empty() {
        let left_out = drawn.left_out.join(", ");
        let of = of.to_string_lossy();
        error_line(format_args!("{of}: has no numbers for {left_out}"));
    }
    Ok(())
}
