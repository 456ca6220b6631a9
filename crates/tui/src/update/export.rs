//! What can be copied, exported and drawn of the chosen runs.

use std::fmt::Write as _;

use crate::context::Context;
use crate::effect::Effect;
use crate::jobs::export::{ExportJob, counted};
use crate::notice::Notice;
use crate::state::State;
use crate::view::picker::Picker;
use traintop_analysis::export::{Format, Texts, markdown_row, runs};
use traintop_run::RunDir;
use traintop_run::summary::Summary;
use traintop_text::{clean, is_forbidden};

/// The runs that are taken: the opened one, else the marked, else the one under the cursor.
fn chosen(state: &State) -> Vec<RunDir> {
    match state.run_on_screen() {
        Some(dir) => vec![dir.clone()],
        None => state.context.runs.chosen(),
    }
}

fn summaries<'a>(context: &'a Context, dirs: &[RunDir]) -> Vec<&'a Summary> {
    let of = |dir| context.summary(dir);
    dirs.iter().filter_map(of).collect()
}

/// Offers what can be copied to the clipboard.
pub fn offer_copies(state: &mut State) -> Vec<Effect> {
    let dirs = chosen(state);
    let chosen = summaries(&state.context, &dirs);
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
    if let (1, Some(best)) = (many, &first.best) {
        items.push((format!("best {}", best.metric), best.shown().to_string()));
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
        .context
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

/// The job for the figures of what is chosen: each run's own, and where there are several also
/// over each other.
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
        state.context.notice = Some(Notice::good("drawing"));
        return vec![Effect::Export(ExportJob::Figures(dirs))];
    }
    state.overlays.push(Picker::things("Draw", items));
    Vec::new()
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
    use traintop_text::is_forbidden;

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
