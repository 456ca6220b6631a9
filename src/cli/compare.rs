//! `traintop compare RUN...`: runs against each other and against a baseline.

mod json;
mod sheet;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::{Result, bail};

pub(super) use self::json::metric as metric_json;
use self::sheet::{Form, Sheet};
use super::judged_by::Directions;
use super::roots;
use super::table::Side;
use traintop_analysis::compare::configs::side_by_side;
use traintop_analysis::compare::repetitions::{Settings, teachers};
use traintop_analysis::compare::settings::{Relation, limits, relevance};
use traintop_analysis::compare::{Cell, Comparison, Metric, Question, best_of_each, compare};
use traintop_run::RunDir;
use traintop_run::compared_run::ComparedRun;
use traintop_run::config_file::Config;
use traintop_run::found::Found;
use traintop_run::notes::Notes;
use traintop_run::run_names;
use traintop_text::{clean, pretty_json};

/// The exit code for runs of which some lack the metric.
const SOME_LACK_IT: u8 = 3;
/// Settings that are listed as text.
const LISTED: usize = 12;
/// Limit of extra runs read to estimate the noise.
const MAX_NOISE_RUNS: usize = 500;

#[derive(Debug, Args)]
#[command(after_help = "\
Runs that differ only in seed and name are one row, their values a mean ± the standard deviation. A difference is judged by the \
deviation of repeated seeds, learnt from the compared runs and from runs below the roots with the same data, network and epochs.

Exit codes: 0 compared, 1 failed, 2 wrong command line, 3 compared, but some runs have no value of the metric.")]
pub struct Arguments {
    /// Runs: folders, or names or their beginnings; of one alone, what it is compared with is the
    /// run marked as the baseline
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// What to compare by, as a column is called [default: what most of the runs are judged by]
    #[arg(long)]
    metric: Option<String>,
    #[command(flatten)]
    directions: Directions,
    /// The run that the others are compared with [default: the one marked as the baseline, else the
    /// first]
    #[arg(long, value_name = "RUN")]
    baseline: Option<String>,
    /// Compare values at this epoch [default: the last that all reached]
    #[arg(long, value_name = "N")]
    at_epoch: Option<u32>,
    /// How long until the metric reached this [default: 98 % of the baseline's way]
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    threshold: Option<f64>,
    /// A row for each run, also where runs differ only in the seed
    #[arg(long)]
    each: bool,
    /// Folder to search for names and for repetitions [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Print everything as JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print the tables as Markdown
    #[arg(long)]
    markdown: bool,
}

/// All that a comparison says.
struct Report<'a> {
    runs: &'a [&'a ComparedRun],
    compared: &'a Comparison,
    /// The results.
    best: &'a [Option<f64>],
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let now = SystemTime::now();
    arguments.directions.apply(arguments.metric.as_deref());
    let dirs = dirs(arguments)?;
    let mut read: Vec<ComparedRun> = dirs
        .iter()
        .map(|dir| ComparedRun::load(dir.clone(), now))
        .collect();
    run_names::tell_apart(read.iter_mut().map(|run| &mut run.summary));
    if let Some(problem) = read.iter().find_map(|run| run.problem.as_ref()) {
        bail!("{problem}");
    }
    let others = others(&arguments.roots, &read, now);
    let runs: Vec<&ComparedRun> = read.iter().collect();
    let metric = metric(&runs, arguments.metric.as_deref())?;
    let is_baseline = |run: &ComparedRun| run.summary.notes.baseline;
    let question = Question {
        folded: !arguments.each,
        at_epoch: arguments.at_epoch.map(f64::from),
        threshold: arguments.threshold,
        baseline: match &arguments.baseline {
            Some(_) => runs.len() - 1,
            None => runs.iter().position(|run| is_baseline(run)).unwrap_or(0),
        },
        ..Question::by(metric)
    };
    let compared = compare(&runs, &others.iter().collect::<Vec<_>>(), &question);
    let best = best_of_each(&runs, &question.metric);
    let report = Report {
        runs: &runs,
        compared: &compared,
        best: &best,
    };
    if arguments.json {
        let value = json::of(&report);
        writeln!(out, "{}", pretty_json(&value)?)?;
    } else {
        let form = if arguments.markdown {
            Form::Markdown
        } else {
            Form::Text
        };
        print(&report, form, out)?;
    }
    let lacks = best.iter().any(Option::is_none);
    Ok(if lacks {
        ExitCode::from(SOME_LACK_IT)
    } else {
        ExitCode::SUCCESS
    })
}

/// The runs that are named, each once; a baseline that is not among them comes last.
fn dirs(arguments: &Arguments) -> Result<Vec<RunDir>> {
    let mut dirs: Vec<RunDir> = Vec::new();
    for name in &arguments.runs {
        let dir = roots::run_named(name, &arguments.roots)?.dir;
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }
    if let Some(name) = &arguments.baseline {
        let dir = roots::run_named(name, &arguments.roots)?.dir;
        dirs.retain(|other| *other != dir);
        dirs.push(dir);
    }
    if let [only] = &dirs[..] {
        let below = roots::runs_below(&arguments.roots)?;
        let is_baseline = |found: &&Found| {
            found.dir != *only && Notes::load(&found.dir).is_ok_and(|notes| notes.baseline)
        };
        match below.iter().find(is_baseline) {
            Some(found) => dirs.push(found.dir.clone()),
            None => bail!(
                "there is nothing to compare {} with: name a second run, or mark one by `traintop tag --baseline yes RUN`",
                clean(&only.name())
            ),
        }
    }
    Ok(dirs)
}

/// Runs that teach the noise. Where the roots cannot be searched, only the compared ones do.
fn others(named: &[PathBuf], compared: &[ComparedRun], now: SystemTime) -> Vec<ComparedRun> {
    let below = roots::runs_below(named).unwrap_or_default();
    let others = below.into_iter().map(|found| found.dir);
    let others = others.filter(|dir| compared.iter().all(|run| run.dir() != dir));
    let configured = others.map(|dir| {
        let mut config = Config::load(&dir).lines();
        config.sort();
        (dir, config)
    });
    let known: Vec<&Settings> = compared.iter().map(|run| run.config.as_slice()).collect();
    teachers(configured.collect(), &known)
        .into_iter()
        .take(MAX_NOISE_RUNS)
        .map(|dir| ComparedRun::load(dir, now))
        .collect()
}

/// The metric that is asked for, or the one that runs are judged by.
pub(super) fn metric(runs: &[&ComparedRun], named: Option<&str>) -> Result<Metric> {
    let metrics = Metric::all(runs.iter().copied());
    let known = || {
        let all: Vec<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        all.join(", ")
    };
    match named {
        Some(word) => match Metric::named(&metrics, word) {
            Some(metric) => Ok(metric.clone()),
            None if metrics.is_empty() => bail!("none of these runs has any metrics"),
            None => bail!("none of these runs has {word:?}; they have {}", known()),
        },
        None => match metrics.first() {
            Some(metric) => Ok(metric.clone()),
            None => bail!("none of these runs has any metrics"),
        },
    }
}

/// The letter or number of a row.
fn mark(row: usize) -> String {
    (b'A'..=b'Z').nth(row).map_or_else(
        || (row + 1).to_string(),
        |letter| char::from(letter).to_string(),
    )
}

fn print(report: &Report, form: Form, out: &mut dyn Write) -> Result<()> {
    let compared = report.compared;
    let (name, better) = (&compared.metric.name, compared.metric.better_words());
    let unit = match compared.metric.scale {
        traintop_analysis::scale::Scale::Percent => ", %",
        _ => "",
    };
    let baseline = mark(compared.baseline);
    form.heading(
        out,
        &format!("{name}{unit} ({better}), differences from {baseline}"),
    )?;
    form.table(out, &rows(report))?;
    writeln!(out)?;
    for (at, row) in compared.rows.iter().enumerate() {
        if let Some(verdict) = row.difference {
            let base = row.best.map_or(0.0, |best| best.mean);
            let difference = compared.metric.difference(verdict.difference, base);
            let sentence = verdict.sentence(&difference);
            form.item(out, &format!("{} against {baseline}: {sentence}", mark(at)))?;
        }
    }
    form.item(out, &compared.noise_sentence())?;
    if let Some(sentence) = compared.best_sentence() {
        form.item(out, &sentence)?;
    }
    let differing = configs(report);
    if !differing.rows.is_empty() {
        form.heading(out, "settings that differ")?;
        form.table(out, &differing)?;
    }
    let relations = relations(report);
    if !relations.rows.is_empty() {
        form.heading(out, &format!("settings and best {name}"))?;
        form.table(out, &relations)?;
        writeln!(out)?;
        let known = report.best.iter().flatten().count();
        for sentence in limits(known, relations.rows.len()) {
            form.item(out, &sentence)?;
        }
    }
    Ok(())
}

fn rows(report: &Report) -> Sheet {
    let compared = report.compared;
    let mut headings = vec![(String::new(), Side::Left), ("RUN".to_owned(), Side::Left)];
    headings.extend(Cell::ALL.map(|cell| (cell.heading(compared), Side::Right)));
    let row = |(at, row): (usize, &traintop_analysis::compare::Row)| {
        let members = row.members.iter();
        let names: Vec<_> = members
            .map(|run| report.runs[*run].summary.title())
            .collect();
        let cells = Cell::ALL.map(|cell| cell.text(row, compared));
        [mark(at), names.join(", ")]
            .into_iter()
            .chain(cells)
            .collect()
    };
    Sheet {
        headings,
        rows: compared.rows.iter().enumerate().map(row).collect(),
    }
}

fn configs(report: &Report) -> Sheet {
    let firsts: Vec<&ComparedRun> = report
        .compared
        .rows
        .iter()
        .map(|row| report.runs[row.members[0]])
        .collect();
    let marks = (0..firsts.len()).map(|row| (mark(row), Side::Left));
    let rows = side_by_side(&firsts).into_iter();
    Sheet {
        headings: std::iter::once(("SETTING".to_owned(), Side::Left))
            .chain(marks)
            .collect(),
        rows: rows
            .filter(|setting| setting.differs)
            .map(|setting| {
                let values = setting.values.into_iter();
                let values = values.map(|value| value.unwrap_or_else(|| "-".to_owned()));
                std::iter::once(setting.key).chain(values).collect()
            })
            .collect(),
    }
}

fn relations(report: &Report) -> Sheet {
    let metric = &report.compared.metric;
    let found = relevance(report.runs, report.best);
    let row = |relevance: traintop_analysis::compare::settings::Relevance| {
        let relation = match relevance.relation {
            Relation::Rank(rank) => {
                format!(
                    "rank correlation {:+.2} ({})",
                    rank.rho,
                    rank.chance_words()
                )
            }
            Relation::Spread { between, within } => {
                let text = |value: f64| metric.difference(value, value).replace('+', "");
                let within = within.map_or_else(
                    || "each value once".to_owned(),
                    |within| format!("{} within a value", text(within)),
                );
                format!("means {} apart, {within}", text(between))
            }
        };
        let together = relevance.together_with.join(", ");
        vec![relevance.key, relevance.n.to_string(), relation, together]
    };
    Sheet {
        headings: vec![
            ("SETTING".to_owned(), Side::Left),
            ("N".to_owned(), Side::Right),
            ("RELATION".to_owned(), Side::Left),
            ("CHANGES TOGETHER WITH".to_owned(), Side::Left),
        ],
        rows: found.into_iter().take(LISTED).map(row).collect(),
    }
}
