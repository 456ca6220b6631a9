//! A query prepared for many runs: names are looked up and values parsed once, so that testing a
//! run costs little.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::field::{FLAGS, Field, Kind};
use super::names::Names;
use super::quantity;
use super::subject::Subject;
use super::syntax::{Op, Query, QueryProblem, Text};
use traintop_run::State;

/// A query, prepared for runs.
#[derive(Debug, Clone, Default)]
pub enum Filter {
    /// Every run passes.
    #[default]
    Everything,
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// Text that a run holds, in small letters.
    Words(String),
    /// A value of a run.
    Test(Box<Field>, Test),
}

/// What a value must be.
#[derive(Debug, Clone)]
pub enum Test {
    Present,
    /// One of these texts, in small letters, or numbers: whole, or as a part.
    OneOf(Vec<(String, Option<f64>)>, bool),
    /// A number on one side of this.
    Order(Op, f64),
    /// A number from this to that, both included.
    Between(f64, f64),
    /// A moment from this on and before that.
    During(f64, f64),
}

/// When and where a query is read, for the words that depend on it.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The time.
    pub now: Timestamp,
    /// The zone in which days begin.
    pub zone: TimeZone,
}

impl Clock {
    /// The time `now` in the zone of this computer.
    pub fn at(now: Timestamp) -> Self {
        let zone = TimeZone::system();
        Self { now, zone }
    }
}

/// Reads a query and makes it ready for runs that have these names.
///
/// # Errors
/// What is wrong with it and where.
pub fn read(text: &str, names: &Names, clock: &Clock) -> Result<Filter, QueryProblem> {
    Filter::new(&super::parse(text)?, names, clock)
}

impl Filter {
    /// Makes a query ready.
    ///
    /// # Errors
    /// If a name is unknown, or a value does not fit it.
    pub fn new(query: &Query, names: &Names, clock: &Clock) -> Result<Self, QueryProblem> {
        let all = |queries: &[Query]| {
            let filters = queries.iter().map(|query| Self::new(query, names, clock));
            filters.collect::<Result<Vec<_>, _>>()
        };
        Ok(match query {
            Query::Everything => Self::Everything,
            Query::All(queries) => Self::All(all(queries)?),
            Query::Any(queries) => Self::Any(all(queries)?),
            Query::Not(query) => Self::Not(Box::new(Self::new(query, names, clock)?)),
            Query::Words(text) => Self::Words(text.text.to_lowercase()),
            Query::Compare { name, op, value } => {
                let field = Field::named(&name.text, names).ok_or_else(|| unknown(name, names))?;
                compare(field, name, *op, value, clock)?
            }
        })
    }

    /// Whether it passes every run.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::Everything)
    }

    /// The epochs at which it needs the metrics' values.
    pub fn epochs(&self) -> HashSet<u32> {
        match self {
            Self::Everything | Self::Words(_) => HashSet::new(),
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().flat_map(Self::epochs).collect()
            }
            Self::Not(filter) => filter.epochs(),
            Self::Test(field, _) => field.epoch().into_iter().collect(),
        }
    }

    /// The ages, in seconds, at which a run may begin or cease to pass.
    pub fn ages(&self) -> Vec<f64> {
        match self {
            Self::All(filters) | Self::Any(filters) => {
                filters.iter().flat_map(Self::ages).collect()
            }
            Self::Not(filter) => filter.ages(),
            Self::Test(field, test) if field.name() == "age" => match test {
                Test::Order(_, age) => vec![*age],
                Test::Between(from, to) => vec![*from, *to],
                _ => Vec::new(),
            },
            Self::Everything | Self::Words(_) | Self::Test(..) => Vec::new(),
        }
    }

    /// Whether a run passes.
    pub fn passes(&self, subject: &Subject) -> bool {
        match self {
            Self::Everything => true,
            Self::All(filters) => filters.iter().all(|filter| filter.passes(subject)),
            Self::Any(filters) => filters.iter().any(|filter| filter.passes(subject)),
            Self::Not(filter) => !filter.passes(subject),
            Self::Words(words) => holds(subject, words),
            Self::Test(field, test) => test.passes(field, subject),
        }
    }
}

impl Test {
    fn passes(&self, field: &Field, subject: &Subject) -> bool {
        let number = || field.number(subject);
        match self {
            Self::Present => field.is_present(subject),
            Self::Order(op, limit) => number().is_some_and(|value| match op {
                Op::Above => value > *limit,
                Op::AtLeast => value >= *limit,
                Op::Below => value < *limit,
                _ => value <= *limit,
            }),
            Self::Between(low, high) => {
                number().is_some_and(|value| (*low..=*high).contains(&value))
            }
            Self::During(from, to) => number().is_some_and(|value| (*from..*to).contains(&value)),
            Self::OneOf(values, whole) => {
                let number = number();
                let is_number = |wanted: f64| {
                    number.is_some_and(|value| {
                        let near = 1e-9 * value.abs().max(wanted.abs());
                        value == wanted
                            || (value - wanted).abs() <= near
                            || value.is_nan() && wanted.is_nan()
                    })
                };
                let mut texts = None;
                let mut is_text = |wanted: &str| {
                    texts
                        .get_or_insert_with(|| field.texts(subject))
                        .iter()
                        .any(|text| {
                            if *whole {
                                text.to_lowercase() == wanted
                            } else {
                                holds_ignoring_case(text, wanted)
                            }
                        })
                };
                values.iter().any(|(text, wanted)| match wanted {
                    // What reads as a number is compared as one, so that 12 is not found in 128.
                    Some(wanted) if number.is_some() => is_number(*wanted),
                    _ => is_text(text),
                })
            }
        }
    }
}

fn unknown(name: &Text, names: &Names) -> QueryProblem {
    let nearest = names.nearest(&name.text);
    let meant = nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"));
    let message = format!("no run has anything called {}{meant}", name.text);
    QueryProblem::new(name.span.clone(), message)
}

fn compare(
    field: Field,
    name: &Text,
    op: Op,
    value: &Text,
    clock: &Clock,
) -> Result<Filter, QueryProblem> {
    let negate = |filter| match op {
        Op::IsNot => Filter::Not(Box::new(filter)),
        _ => filter,
    };
    let problem = |what: &str| {
        let message = format!("{} is {what}, not {:?}", name.text, value.text);
        QueryProblem::new(value.span.clone(), message)
    };
    if value.text == "*" && !value.is_quoted && !op.is_order() {
        return Ok(negate(Filter::Test(Box::new(field), Test::Present)));
    }
    let test = match field.kind() {
        Kind::Moment => during(op, value, clock)
            .ok_or_else(|| problem("a time such as 2026-11-24, yesterday or 2d (ago)"))?,
        Kind::Text | Kind::Flag if op.is_order() => {
            let message = format!("{} is a text and has no order: write : or =", name.text);
            return Err(QueryProblem::new(name.span.clone(), message));
        }
        Kind::Text => Test::OneOf(alternatives(value, |_| None), op != Op::Has),
        Kind::Flag => {
            let known = alternatives(value, |_| None);
            if let Some((wrong, _)) = known
                .iter()
                .find(|(text, _)| !FLAGS.contains(&text.as_str()))
            {
                let message = format!("is: knows {}, not {wrong:?}", FLAGS.join(", "));
                return Err(QueryProblem::new(value.span.clone(), message));
            }
            Test::OneOf(known, true)
        }
        Kind::Number => amount(op, value, quantity::number)
            .ok_or_else(|| problem("a number such as 94 or 1e-3"))?,
        Kind::Span => amount(op, value, quantity::span_s)
            .ok_or_else(|| problem("a span of time such as 30m, 3h, 2d or 1w"))?,
        Kind::Bytes => amount(op, value, quantity::bytes)
            .ok_or_else(|| problem("a size such as 500MB or 10GB"))?,
        Kind::Either => match amount(op, value, quantity::number) {
            Some(test @ (Test::Order(..) | Test::Between(..))) => test,
            None if op.is_order() => return Err(problem("compared with a number here")),
            _ => Test::OneOf(alternatives(value, quantity::number), op != Op::Has),
        },
    };
    check_states(&field, &test, value)?;
    Ok(negate(Filter::Test(Box::new(field), test)))
}

/// A state that there is not is a slip, not a run that is hard to find.
fn check_states(field: &Field, test: &Test, value: &Text) -> Result<(), QueryProblem> {
    let (Field::Fact(fact), Test::OneOf(wanted, _)) = (field, test) else {
        return Ok(());
    };
    let exists = |wanted: &str| State::ALL.iter().any(|state| state.name().contains(wanted));
    match wanted.iter().find(|(text, _)| !exists(text)) {
        Some((wrong, _)) if fact.name == "state" => {
            let names: Vec<_> = State::ALL.iter().map(|state| state.name()).collect();
            let message = format!("the states are {}, not {wrong:?}", names.join(", "));
            Err(QueryProblem::new(value.span.clone(), message))
        }
        _ => Ok(()),
    }
}

fn alternatives(value: &Text, number: impl Fn(&str) -> Option<f64>) -> Vec<(String, Option<f64>)> {
    let one = |text: &str| (text.to_lowercase(), number(text));
    if value.is_quoted {
        return vec![one(&value.text)];
    }
    let parts = value.text.split(',').filter(|part| !part.is_empty());
    parts.map(one).collect()
}

fn amount(op: Op, value: &Text, read: impl Fn(&str) -> Option<f64>) -> Option<Test> {
    if op.is_order() {
        return Some(Test::Order(op, read(&value.text)?));
    }
    if let Some((low, high)) = value.text.split_once("..") {
        let limit = |text: &str, open: f64| {
            if text.is_empty() {
                Some(open)
            } else {
                read(text)
            }
        };
        let (low, high) = (limit(low, f64::NEG_INFINITY)?, limit(high, f64::INFINITY)?);
        return Some(Test::Between(low, high));
    }
    let wanted = alternatives(value, &read);
    let all_read = !wanted.is_empty() && wanted.iter().all(|(_, number)| number.is_some());
    all_read.then_some(Test::OneOf(wanted, true))
}

fn during(op: Op, value: &Text, clock: &Clock) -> Option<Test> {
    let moment = |text: &str| quantity::moment(text, clock.now, &clock.zone);
    let seconds = |time: Timestamp| time.as_duration().as_secs_f64();
    if let Some((from, to)) = value.text.split_once("..") {
        return Some(Test::During(
            seconds(moment(from)?.0),
            seconds(moment(to)?.1),
        ));
    }
    let (from, to) = moment(&value.text)?;
    let (from, to) = (seconds(from), seconds(to));
    Some(match op {
        // After a day is after its end.
        Op::Above => Test::Order(Op::AtLeast, to),
        Op::AtLeast => Test::Order(Op::AtLeast, from),
        Op::Below => Test::Order(Op::Below, from),
        Op::AtMost => Test::Order(Op::Below, to),
        Op::Has | Op::Is | Op::IsNot => Test::During(from, to),
    })
}

/// Whether a run holds a word in its name, folder, network, recipe, state, tags or note; a star is
/// the word `starred`, a baseline the word `baseline`, an archived run the word `archived`.
fn holds(subject: &Subject, word: &str) -> bool {
    let folder = subject.dir.path().file_name().unwrap_or_default();
    if holds_ignoring_case(&folder.to_string_lossy(), word) {
        return true;
    }
    subject.summary.is_some_and(|summary| {
        let notes = &summary.notes;
        let job = summary.job.as_ref().and_then(|job| job.name.as_ref());
        [&summary.name, &summary.model, &summary.recipe, &notes.note]
            .into_iter()
            .chain(&notes.tags)
            .any(|text| holds_ignoring_case(text, word))
            || summary.observed.state.name().contains(word)
            || job.is_some_and(|job| job.contains(word))
            || notes.star && "starred".contains(word)
            || notes.baseline && "baseline".contains(word)
            || summary.archived.is_some() && "archived".contains(word)
    })
}

/// Whether `text` holds `word`, which is in small letters.
fn holds_ignoring_case(text: &str, word: &str) -> bool {
    let Some((first, rest)) = word.as_bytes().split_first() else {
        return true;
    };
    if !text.is_ascii() {
        return text.to_lowercase().contains(word);
    }
    let text = text.as_bytes();
    memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text).any(|at| {
        let after = text[at + 1..].get(..rest.len());
        after.is_some_and(|after| after.eq_ignore_ascii_case(rest))
    })
}
