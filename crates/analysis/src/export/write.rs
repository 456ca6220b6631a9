//! How a table is written in each format.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Map, Value};

use super::{Cell, Format, Table, Texts, json_number, parquet};
use traintop_text::{clean, clean_lines, escape_json, markdown, number};

/// Digits of a number that people read.
const DIGITS: usize = 5;

impl Table {
    /// Writes it.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub fn write(&self, format: Format, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Csv => self.csv(texts, out),
            Format::Json => self.json(out),
            Format::Markdown => self.markdown(out),
            Format::Latex => self.latex(out),
            Format::Parquet => parquet::write(self, texts, out),
        }
    }

    fn csv(&self, texts: Texts, out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        let names = self.columns.iter().map(|name| in_csv(name, texts));
        line.push_str(&names.collect::<Vec<_>>().join(","));
        writeln!(out, "{line}")?;
        for row in &self.rows {
            line.clear();
            for (at, cell) in row.iter().enumerate() {
                if at > 0 {
                    line.push(',');
                }
                match cell {
                    Cell::Missing => {}
                    Cell::Text(text) => line.push_str(&in_csv(text, texts)),
                    Cell::Number(value) => {
                        let _ = write!(line, "{value}");
                    }
                }
            }
            // A lone empty cell would be an empty line, which is no row to many readers.
            let line = if line.is_empty() { "\"\"" } else { &line };
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "[")?;
        for (at, row) in self.rows.iter().enumerate() {
            let value = |cell: &Cell| match cell {
                Cell::Missing => Value::Null,
                Cell::Text(text) => text.as_str().into(),
                Cell::Number(value) => json_number(*value),
            };
            let object: Map<String, Value> = self
                .columns
                .iter()
                .cloned()
                .zip(row.iter().map(value))
                .collect();
            let comma = if at + 1 < self.rows.len() { "," } else { "" };
            let object = escape_json(Value::Object(object).to_string());
            writeln!(out, "  {object}{comma}")?;
        }
        writeln!(out, "]")
    }

    fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        writeln!(
            out,
            "{}",
            line(self.columns.iter().map(|name| markdown(name)).collect())
        )?;
        let sides = (0..self.columns.len()).map(|column| {
            if self.is_numeric(column) {
                "---:"
            } else {
                "---"
            }
            .to_owned()
        });
        writeln!(out, "{}", line(sides.collect()))?;
        for row in &self.rows {
            writeln!(out, "{}", markdown_row(row))?;
        }
        Ok(())
    }

    fn latex(&self, out: &mut dyn Write) -> io::Result<()> {
        let sides: String = (0..self.columns.len())
            .map(|column| if self.is_numeric(column) { 'r' } else { 'l' })
            .collect();
        let line = |cells: Vec<String>| format!("{} \\\\", cells.join(" & "));
        writeln!(out, "\\begin{{tabular}}{{{sides}}}\n\\hline")?;
        writeln!(
            out,
            "{}",
            line(self.columns.iter().map(|name| in_latex(name)).collect())
        )?;
        writeln!(out, "\\hline")?;
        for row in &self.rows {
            writeln!(
                out,
                "{}",
                line(row.iter().map(|cell| in_latex(&readable(cell))).collect())
            )?;
        }
        writeln!(out, "\\hline\n\\end{{tabular}}")
    }

    /// Whether a column holds numbers and nothing else.
    fn is_numeric(&self, column: usize) -> bool {
        let cells = || self.rows.iter().map(|row| &row[column]);
        cells().all(|cell| !matches!(cell, Cell::Text(_)))
            && cells().any(|cell| matches!(cell, Cell::Number(_)))
    }
}

/// A row of a Markdown table.
pub fn markdown_row(row: &[Cell]) -> String {
    let cells: Vec<String> = row.iter().map(|cell| markdown(&readable(cell))).collect();
    format!("| {} |", cells.join(" | "))
}

fn in_csv(text: &str, texts: Texts) -> String {
    if texts == Texts::Raw {
        return quoted(text).into_owned();
    }
    let mut cell = clean_lines(text);
    if is_computed(text) {
        cell = format!("'{cell}").into();
    }
    quoted(&cell).into_owned()
}

/// Whether a spreadsheet would read a text as a formula, which can open programs and addresses.
fn is_computed(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
        && text.parse::<f64>().is_err()
}

fn quoted(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}

fn readable(cell: &Cell) -> String {
    match cell {
        Cell::Missing => String::new(),
        Cell::Text(text) => {
            let words: Vec<_> = text.split_whitespace().map(clean).collect();
            words.join(" ")
        }
        Cell::Number(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("{value:.0}"),
        Cell::Number(value) => number(*value, DIGITS),
    }
}

fn in_latex(text: &str) -> String {
    let mut escaped = String::new();
    for char in clean(text).chars() {
        match char {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', char]),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            // The end of a row takes these for its own where they begin the next.
            '[' | '*' => escaped.extend(['{', char, '}']),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use traintop_text::is_forbidden;

    fn written(table: &Table, format: Format) -> String {
        let mut out = Vec::new();
        table.write(format, Texts::Safe, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn small() -> Table {
        Table {
            columns: vec!["run".to_owned(), "val_acc".to_owned()],
            rows: vec![
                vec![Cell::text("a,\"b\"|c_1"), Cell::Number(94.5561234)],
                vec![Cell::Missing, Cell::Number(f64::NAN)],
                vec![Cell::text("100 %\nreally"), Cell::Missing],
            ],
        }
    }

    #[test]
    fn each_format_escapes_what_means_something_to_it() {
        assert_eq!(
            written(&small(), Format::Csv),
            "run,val_acc\n\"a,\"\"b\"\"|c_1\",94.5561234\n,NaN\n\"100 %\nreally\",\n"
        );
        assert_eq!(
            written(&small(), Format::Json),
            "[\n  {\"run\":\"a,\\\"b\\\"|c_1\",\"val_acc\":94.5561234},\n  {\"run\":null,\"val_acc\":\"NaN\"},\n  {\"run\":\"100 %\\nreally\",\"val_acc\":null}\n]\n"
        );
        assert_eq!(
            written(&small(), Format::Markdown),
            "| run | val\\_acc |\n| --- | ---: |\n| a,\"b\"\\|c\\_1 | 94.556 |\n|  | NaN |\n| 100 % really |  |\n"
        );
        assert_eq!(
            written(&small(), Format::Latex),
            "\\begin{tabular}{lr}\n\\hline\nrun & val\\_acc \\\\\n\\hline\na,\"b\"\\textbar{}c\\_1 & 94.556 \\\\\n & NaN \\\\\n100 \\% really &  \\\\\n\\hline\n\\end{tabular}\n"
        );
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_text_unless_it_is_a_number() {
        let mut table = Table {
            columns: vec!["=a".to_owned()],
            rows: Vec::new(),
        };
        let cases = [
            ("=1+1", "'=1+1"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-x", "'-x"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "' =1"),
            ("\r=1", "'\u{fffd}=1"),
            ("＝1", "'＝1"),
            ("-1.5e3", "-1.5e3"),
            ("+2", "+2"),
            ("-inf", "-inf"),
            ("a=1", "a=1"),
            ("a\u{1b}[31mb\u{202e}", "ab\u{fffd}"),
        ];
        table.rows = cases.map(|(text, _)| vec![Cell::text(text)]).to_vec();
        let expected = cases.map(|(_, cell)| cell).join("\n");
        assert_eq!(written(&table, Format::Csv), format!("'=a\n{expected}\n"));
        let mut raw = Vec::new();
        table.write(Format::Csv, Texts::Raw, &mut raw).unwrap();
        let raw = String::from_utf8(raw).unwrap();
        assert!(raw.starts_with("=a\n=1+1\n") && raw.contains("a\u{1b}[31mb\u{202e}"));
    }

    #[test]
    fn no_text_steers_what_reads_it() {
        let hostile =
            "a\u{1b}]52;c;AA\u{7}\u{9b}\u{7f}\u{202e}\u{2066}\u{200b}\r`*_<b>[c](d)&lt;\\\\[1em]";
        let table = Table {
            columns: vec![hostile.to_owned()],
            rows: vec![vec![Cell::text(hostile)]],
        };
        for format in [Format::Csv, Format::Json, Format::Markdown, Format::Latex] {
            let text = written(&table, format);
            assert!(
                !text.chars().any(|char| char != '\n' && is_forbidden(char)),
                "{format:?}: {text:?}"
            );
        }
        let text = written(&table, Format::Markdown);
        assert!(text.contains("\\`\\*\\_\\<b\\>\\[c\\](d)\\&lt;"), "{text}");
        let text = written(&table, Format::Latex);
        assert!(!text.replace("{[}", "").contains('['), "{text}");
    }

    #[test]
    fn columns_are_chosen_by_name() {
        let chosen = small().with_columns(&["val_acc".to_owned()]).unwrap();
        assert_eq!(chosen.rows[0], [Cell::Number(94.5561234)]);
        let error = small().with_columns(&["vall".to_owned()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no column \"vall\"; the columns are run, val_acc"
        );
    }

    proptest! {
        #[test]
        fn json_reads_back_as_what_was_written(values in proptest::collection::vec(any::<f64>(), 0..20), text in ".*") {
            let table = Table {
                columns: vec!["text".to_owned(), "value".to_owned()],
                rows: values.iter().map(|value| vec![Cell::Text(text.clone()), Cell::Number(*value)]).collect(),
            };
            let read: Vec<Map<String, Value>> = serde_json::from_str(&written(&table, Format::Json)).unwrap();
            prop_assert_eq!(read.len(), values.len());
            for (object, value) in read.iter().zip(&values) {
                prop_assert_eq!(object["text"].as_str(), Some(text.as_str()));
                if value.is_finite() {
                    // This reader is the one that rounds, by a bit at most.
                    let read = object["value"].as_f64().unwrap();
                    prop_assert!((read - value).abs() <= (value.abs() * 1e-15).max(f64::MIN_POSITIVE));
                }
            }
        }

        #[test]
        fn numbers_in_csv_are_the_same_numbers_to_polars(values in proptest::collection::vec(-1e300..1e300f64, 1..50)) {
            use polars::prelude::{DataType, Field, Schema};
            use polars_io::SerReader;
            use polars_io::csv::read::CsvReadOptions;
            let table = Table {
                columns: vec!["value".to_owned()],
                rows: values.iter().map(|value| vec![Cell::Number(*value)]).collect(),
            };
            let schema: Schema = [Field::new("value".into(), DataType::Float64)].into_iter().collect();
            let text = written(&table, Format::Csv);
            let frame = CsvReadOptions::default()
                .with_n_threads(Some(1))
                .with_schema(Some(schema.into()))
                .into_reader_with_file_handle(std::io::Cursor::new(text))
                .finish()
                .unwrap();
            let read: Vec<f64> = frame.column("value").unwrap().f64().unwrap().into_no_null_iter().collect();
            prop_assert_eq!(read, values);
        }
    }
}
