//! Copies and exports: to the clipboard, into a file, as figures. A list offers what there is.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use jiff::Zoned;

use super::effect::Effect;
use super::message::Notice;
use super::state::{Screen, State};
use super::view::picker::Picker;
use traintop_analysis::export::{Format, Table, Texts, curves, markdown_row, runs};
use traintop_analysis::figures::{self, Format as Picture, compare};
use traintop_analysis::x_axis::XAxis;
use traintop_disk::Progress;
use traintop_disk::write::create_with;
use traintop_run::RunDir;
use traintop_run::metrics::{Metrics, Tail};
use traintop_run::summary::Summary;
use traintop_text::{clean, is_forbidden};

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
pub fn carry_out(order: ExportJob, progress: &Progress) -> Notice {
    let done = match order {
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

/// Reads the metrics of each run, until it is cancelled.
fn read_all<'a>(
    dirs: &'a [RunDir],
    progress: &'a Progress,
) -> impl Iterator<Item = Result<(&'a RunDir, Metrics), String>> {
    dirs.iter().enumerate().map(move |(at, dir)| {
        progress.step(at, dirs.len());
        if progress.is_cancelled() {
            return Err("cancelled".to_owned());
        }
        Ok((dir, read(dir)?))
    })
}

fn read(dir: &RunDir) -> Result<Metrics, String> {
    let mut tail = Tail::open(dir.metrics_csv());
    match tail.poll().and_then(|_| tail.settle()) {
        Ok(()) => Ok(tail.take()),
        Err(error) => Err(format!("{} cannot be read: {error}", tail.path().display())),
    }
}

fn export_curves(
    dirs: &[RunDir],
    form: (Format, Texts),
    progress: &Progress,
) -> Result<String, String> {
    let read: Vec<(String, Metrics)> = read_all(dirs, progress)
        .map(|read| read.map(|(dir, metrics)| (dir.name(), metrics)))
        .collect::<Result<_, String>>()?;
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
    let read: Vec<(String, Metrics)> = read_all(dirs, progress)
        .map(|read| read.map(|(dir, metrics)| (clean(&dir.name()).into_owned(), metrics)))
        .collect::<Result<_, String>>()?;
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

/// The runs that are taken: the opened one, else the marked, else the one under the cursor.
fn chosen(state: &State) -> Vec<RunDir> {
    match &state.screen {
        Screen::Run(view) => vec![view.dir.clone()],
        _ => state.runs.chosen(),
    }
}

fn summaries<'a>(state: &'a State, dirs: &[RunDir]) -> Vec<&'a Summary> {
    let of = |dir| state.runs.row(dir)?.summary.as_ref();
    dirs.iter().filter_map(of).collect()
}

/// Offers what can be copied to the clipboard.
pub fn offer_copies(state: &mut State) -> Vec<Effect> {
    let dirs = chosen(state);
    let chosen = summaries(state, &dirs);
    let Some(first) = chosen.first() else {
        return Vec::new();
    };
    let many = chosen.len();
    let paths: Vec<String> = dirs
        .iter()
        .map(|dir| dir.path().display().to_string())
        .collect();
    let quoted: Vec<String> = paths.iter().map(|path| in_shell(path)).collect();
    // Pasted into a shell, a line end within a path would end a command.
    let paths: Vec<_> = paths.iter().map(|path| clean(path)).collect();
    let table = runs::table(chosen.iter().copied());
    let names = runs::SHORT.map(str::to_owned);
    let has = |name: &&String| table.columns.contains(name);
    let shown: Vec<String> = names.iter().filter(has).cloned().collect();
    let short = table.with_columns(&shown).unwrap_or_default();
    let rows: Vec<String> = short.rows.iter().map(|row| markdown_row(row)).collect();
    let mut markdown = Vec::new();
    let whole = short.write(Format::Markdown, Texts::Safe, &mut markdown);
    let mut items = vec![("path".to_owned(), paths.join("\n"))];
    let name = chosen
        .iter()
        .map(|run| run.name.as_str())
        .collect::<Vec<_>>();
    items.push(("name".to_owned(), name.join("\n")));
    items.push(("Markdown row".to_owned(), rows.join("\n")));
    if whole.is_ok() {
        items.push((
            "Markdown table".to_owned(),
            String::from_utf8_lossy(&markdown).into_owned(),
        ));
    }
    let runs = quoted.join(" ");
    items.push((
        "command: show".to_owned(),
        format!("traintop show {}", quoted[0]),
    ));
    items.push((
        "command: figures".to_owned(),
        format!("traintop figures {runs}"),
    ));
    items.push((
        "command: evaluate".to_owned(),
        format!("traintop evaluate {runs}"),
    ));
    items.push((
        "command: resume".to_owned(),
        format!("traintop-worker train --resume {}", quoted[0]),
    ));
    if let (1, Some(best)) = (many, first.best_val_acc) {
        items.push(("best val_acc".to_owned(), format!("{best}")));
    }
    if many == 1 {
        let values = first.last.iter();
        items.extend(values.map(|(name, value)| (format!("last {name}"), value.to_string())));
    }
    let items = items.into_iter().map(|(name, text)| {
        let shown = text.lines().next().unwrap_or_default().to_owned();
        (name, clean(&shown).into_owned(), Effect::Copy(text))
    });
    state.overlays.push(Picker::things("Copy", items.collect()));
    Vec::new()
}

/// What a table can be written as, each with a name.
fn kinds() -> impl Iterator<Item = (&'static str, Format, Texts)> {
    let safe = Format::ALL.map(|format| (format.name(), format, Texts::Safe));
    safe.into_iter()
        .chain([("csv with raw texts", Format::Csv, Texts::Raw)])
}

/// Offers what can be written to a file.
pub fn offer_exports(state: &mut State) -> Vec<Effect> {
    let dirs = chosen(state);
    let shown: Vec<&Summary> = state
        .runs
        .shown()
        .filter_map(|row| row.summary.as_ref())
        .collect();
    let table = runs::table(shown.iter().copied());
    let mut items = Vec::new();
    for (name, format, texts) in kinds() {
        items.push((
            format!("table, {name}"),
            format!("one row for each of the table's runs: {}", table.rows.len()),
            Effect::Export(ExportJob::Table(Box::new(table.clone()), format, texts)),
        ));
    }
    for (name, format, texts) in kinds().filter(|_| !dirs.is_empty()) {
        items.push((
            format!("curves, {name}"),
            format!("every point of {}", counted(&dirs)),
            Effect::Export(ExportJob::Curves(dirs.clone(), format, texts)),
        ));
    }
    let title = "Write to a new file in the working folder";
    state.overlays.push(Picker::things(title, items));
    Vec::new()
}

/// The order for the figures of what is chosen: each run's own, and where there are several also over each other.
pub fn draw(state: &mut State) -> Vec<Effect> {
    let dirs = chosen(state);
    if dirs.is_empty() {
        return Vec::new();
    }
    let items = vec![
        (
            "figures".to_owned(),
            format!(
                "PNG and SVG of {}, each in its logs/figures",
                counted(&dirs)
            ),
            Effect::Export(ExportJob::Figures(dirs.clone())),
        ),
        (
            "comparison".to_owned(),
            format!("{} over each other, in the working folder", counted(&dirs)),
            Effect::Export(ExportJob::Compare(dirs.clone())),
        ),
    ];
    if dirs.len() == 1 {
        state.notice = Some(Notice::good("drawing"));
        return vec![Effect::Export(ExportJob::Figures(dirs))];
    }
    state.overlays.push(Picker::things("Draw", items));
    Vec::new()
}

fn counted(dirs: &[RunDir]) -> String {
    match dirs {
        [only] => clean(&only.name()).into_owned(),
        several => format!("{} runs", several.len()),
    }
}

/// A word as shells read it.
fn in_shell(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/._-+=:@%".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else if word.chars().any(is_forbidden) {
        in_dollar_quotes(word)
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// As bash, zsh and POSIX shells since 2024 read it, in printable characters only.
fn in_dollar_quotes(word: &str) -> String {
    let mut quoted = "$'".to_owned();
    for char in word.chars() {
        match char {
            '\\' | '\'' => quoted.extend(['\\', char]),
            char if is_forbidden(char) => {
                for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                    // Octal, since of those three digits at most are read.
                    let _ = write!(quoted, "\\{byte:03o}");
                }
            }
            char => quoted.push(char),
        }
    }
    quoted + "'"
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
        for order in [
            ExportJob::Table(Box::default(), Format::Csv, Texts::Safe),
            ExportJob::Table(Box::default(), Format::Parquet, Texts::Safe),
            ExportJob::Curves(dirs.clone(), Format::Json, Texts::Safe),
            ExportJob::Compare(dirs.clone()),
        ] {
            let notice = carry_out(order, &progress);
            assert!(
                notice.bad && notice.text.starts_with("cancelled"),
                "{notice:?}"
            );
        }
        let drawn = carry_out(ExportJob::Figures(dirs), &progress);
        assert_eq!(drawn.text, "cancelled: 0 of 1 runs were drawn");
        assert_eq!(exports(), before);
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(in_shell("/runs/a_1.b-2"), "/runs/a_1.b-2");
        assert_eq!(in_shell("/my runs/it's"), "'/my runs/it'\\''s'");
        assert_eq!(in_shell(""), "''");
        let hostile = "/a\n'rm\u{1b}\u{202e}x\\1";
        let quoted = in_shell(hostile);
        assert!(!quoted.chars().any(is_forbidden), "{quoted:?}");
        let echo = std::process::Command::new("bash")
            .args(["-c", &format!("printf %s {quoted}")])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(echo.stdout).unwrap(), hostile);
    }
}
