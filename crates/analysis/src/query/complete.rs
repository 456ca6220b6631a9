//! Completions at the cursor: names, and after a name its values.

use std::ops::Range;

use super::field::{FACTS, FLAGS, Field, Kind, SHORT};
use super::memo::Memo;
use super::names::Names;
use super::subject::Subject;
use super::syntax::quoted;
use traintop_run::State;

/// Limit of completions.
const MAX_COMPLETIONS: usize = 50;

/// One completion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What is put in.
    pub text: String,
    pub what: String,
}

/// The completions at `cursor` (in bytes) of a query, and which bytes they replace. The values come
/// from `runs` and are cached in `memo`.
pub fn complete<'a>(
    query: &str,
    cursor: usize,
    names: &Names,
    runs: impl Iterator<Item = Subject<'a>>,
    memo: &mut Memo,
) -> (Range<usize>, Vec<Candidate>) {
    let before = query.get(..cursor).unwrap_or(query);
    let start = start_of_word(before);
    let word = &before[start..];
    let sign = word.find([':', '=', '<', '>']);
    let Some(sign) = sign else {
        return (start..before.len(), names_like(word, names));
    };
    let name = word[..sign].trim_end_matches('!').trim_matches('"');
    let typed = word[sign..].trim_start_matches([':', '=', '<', '>']);
    // Of several values the last is being typed.
    let typed = typed.rsplit(',').next().unwrap_or_default();
    let at = before.len() - typed.len();
    let field = Field::named(name, names);
    let candidates = field.map_or_else(Vec::new, |field| {
        values_like(&field, typed.trim_start_matches('"'), runs, memo)
    });
    (at..before.len(), candidates)
}

/// Where the word that ends with `before` begins; blanks within quotes belong to it.
fn start_of_word(before: &str) -> usize {
    let mut start = 0;
    let mut in_quotes = false;
    for (at, char) in before.char_indices() {
        match char {
            '"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            char if char.is_whitespace() || char == '(' => start = at + char.len_utf8(),
            '-' if start == at => start = at + 1,
            _ => {}
        }
    }
    start
}

/// Those that begin so first, then those that hold it.
fn like(mut all: Vec<Candidate>, typed: &str) -> Vec<Candidate> {
    let typed = typed.to_lowercase();
    let place = |candidate: &Candidate| {
        let text = candidate.text.to_lowercase();
        text.trim_start_matches('"').find(&typed)
    };
    all.retain(|candidate| place(candidate).is_some());
    all.sort_by_key(|candidate| place(candidate) != Some(0));
    all.truncate(MAX_COMPLETIONS);
    all
}

fn names_like(word: &str, names: &Names) -> Vec<Candidate> {
    let name = |name: &str, sign: &str, what: &str| Candidate {
        text: format!("{}{sign}", quoted(name)),
        what: what.to_owned(),
    };
    let mut all: Vec<_> = FACTS
        .iter()
        .map(|fact| {
            let is_text = matches!(fact.kind, Kind::Text | Kind::Flag);
            name(fact.name, if is_text { ":" } else { "" }, fact.what)
        })
        .collect();
    let prefix = super::field::prefixed(&format!("{word} "))
        .map(|(_, column)| word.len() - column.trim_end().len());
    if let Some(prefix) = prefix {
        let prefix = &word[..prefix];
        let metrics = names.metrics.iter();
        all.extend(metrics.map(|metric| name(&format!("{prefix}{metric}"), "", "of the metrics")));
        return like(all, word);
    }
    let short = SHORT
        .iter()
        .filter(|(short, _)| Field::named(short, names).is_some());
    all.extend(short.map(|(short, long)| name(short, "", long[0])));
    let settings = names.settings.iter();
    all.extend(settings.map(|key| name(key, "", "of the configuration")));
    let metrics = names
        .metrics
        .iter()
        .filter(|metric| !names.settings.contains(*metric));
    all.extend(metrics.map(|metric| name(metric, "", "last value")));
    for (prefix, what) in [("best.", "in the best row"), ("last.", "last value")] {
        let metrics = names.metrics.iter();
        all.extend(metrics.map(|metric| name(&format!("{prefix}{metric}"), "", what)));
    }
    like(all, word)
}

fn values_like<'a>(
    field: &Field,
    typed: &str,
    runs: impl Iterator<Item = Subject<'a>>,
    memo: &mut Memo,
) -> Vec<Candidate> {
    let value = |text: &str, what: &str| Candidate {
        text: text.to_owned(),
        what: what.to_owned(),
    };
    let fixed: &[&str] = match field {
        Field::Fact(fact) if fact.name == "state" => {
            return like(
                State::ALL.map(|state| value(state.name(), "")).to_vec(),
                typed,
            );
        }
        Field::Fact(fact) => match fact.kind {
            Kind::Flag => &FLAGS,
            Kind::Span => &["1h", "1d", "2d", "1w", "30d"],
            Kind::Moment => &["today", "yesterday", "1w", "30d"],
            Kind::Bytes => &["100MB", "1GB", "10GB"],
            _ => &[],
        },
        _ => &[],
    };
    if !fixed.is_empty() {
        return like(fixed.iter().map(|text| value(text, "")).collect(), typed);
    }
    let seen = memo.values(field, runs);
    let all = seen.iter().map(|text| {
        // A comma within a value would end it.
        let written = if text.contains(',') {
            format!("\"{}\"", text.replace('"', "\\\""))
        } else {
            quoted(text)
        };
        value(&written, "")
    });
    like(all.collect(), typed)
}
