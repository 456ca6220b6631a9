//! Names made from what is known of a run:
//! `{model}_acc{best.val_acc:.2f}_epoch{best.epoch}_{started:%Y%m%d_%H%M%S}`.
//!
//! | field | value |
//! | --- | --- |
//! | `folder`, `name`, `model`, `recipe`, `state`, `id` | as lists show them |
//! | `tag`, `tags` | the first tag; all, joined by `-` |
//! | `epochs`, `n` | epochs done; a counter over the runs named, from 1 |
//! | `started` | when it began; after the colon a time's form (`%Y%m%d`) |
//! | `best` | the best value of what the run is judged by; shares in percent |
//! | `best.val_acc`, `best.epoch`, `best.COLUMN` | of the best epoch |
//! | a key of the configuration, a column of the metrics | its value; its last value |
//!
//! After a colon numbers take `.2f` (digits after the point) or `03d` (width, filled up with
//! zeros). `{{` and `}}` are braces.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::best_and_trend::is_placed_by_epoch;
use super::config_file::Config;
use super::formats;
use super::summary::Summary;
use traintop_text::number;

/// How a time is written where the template does not say.
const TIME: &str = "%Y%m%d_%H%M%S";

/// A template that can be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field { key: String, form: String },
}

/// A value that a field can have.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Number(f64),
    /// A moment.
    Time(Timestamp),
}

/// What is known of a run, by field; of fields of one name the first counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(Vec<(String, Value)>);

impl FromIterator<(String, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '{' | '}' if chars.peek() == Some(&char) => {
                    plain.push(char);
                    chars.next();
                }
                '}' => {
                    return Err(format!(
                        "{text:?}: a }} stands alone; write }}}} for the sign itself"
                    ));
                }
                '{' => {
                    let field: String = chars.by_ref().take_while(|char| *char != '}').collect();
                    // Whether the field was closed shows in what is left: `take_while` takes the
                    // brace too.
                    let (key, form) = field.split_once(':').unwrap_or((&field, ""));
                    if key.is_empty() || field.contains('{') {
                        return Err(format!("{text:?}: a field is {{name}} or {{name:form}}"));
                    }
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Field {
                        key: key.to_owned(),
                        form: form.to_owned(),
                    });
                }
                char => plain.push(char),
            }
        }
        let (opened, closed) = (text.matches('{').count(), text.matches('}').count());
        if opened != closed {
            return Err(format!(
                "{text:?}: a field is not closed; write }} after it"
            ));
        }
        parts.push(Part::Text(plain));
        Ok(Self(parts))
    }

    /// The name for a run.
    ///
    /// # Errors
    /// A sentence, if the run lacks a value or its form does not fit.
    pub fn fill(&self, values: &Values) -> Result<String, String> {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name += text,
                Part::Field { key, form } => {
                    let value = values.0.iter().find(|(known, _)| known == key);
                    let (_, value) = value.ok_or_else(|| format!("it has no {key}"))?;
                    name += &value
                        .written(form)
                        .map_err(|problem| format!("{{{key}:{form}}}: {problem}"))?;
                }
            }
        }
        Ok(name)
    }
}

impl Value {
    fn written(&self, form: &str) -> Result<String, String> {
        let number_of = |text: &str| {
            text.parse::<f64>()
                .map_err(|_| format!("{text:?} is no number"))
        };
        match self {
            Self::Time(time) => {
                let form = if form.is_empty() { TIME } else { form };
                let zoned = time.to_zoned(TimeZone::system());
                strtime::format(form, &zoned).map_err(|error| error.to_string())
            }
            Self::Text(text) if form.is_empty() => Ok(text.clone()),
            Self::Text(text) => with_form(number_of(text)?, form),
            Self::Number(value) if form.is_empty() => {
                Ok(if value.fract() == 0.0 && value.abs() < 1e15 {
                    format!("{value:.0}")
                } else {
                    number(*value, 6)
                })
            }
            Self::Number(value) => with_form(*value, form),
        }
    }
}

fn with_form(value: f64, form: &str) -> Result<String, String> {
    const MAX_DIGITS: usize = 32;
    let digits = |text: &str| text.parse().ok().filter(|digits| *digits <= MAX_DIGITS);
    if let Some(digits) = form
        .strip_prefix('.')
        .and_then(|form| digits(form.strip_suffix('f')?))
    {
        return Ok(format!("{value:.digits$}"));
    }
    if let Some(width) = form
        .strip_suffix('d')
        .and_then(|form| digits(if form.is_empty() { "0" } else { form }))
    {
        return Ok(format!("{value:0width$.0}"));
    }
    Err("the form is .2f, 03d, or, of a time, %Y%m%d".to_owned())
}

impl Values {
    /// The names of its fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(field, _)| field.as_str())
    }

    /// All that is known of a run; reads its configuration and metrics. `counter` is its place
    /// among those named, from 1.
    pub fn gather(summary: &Summary, counter: usize) -> Self {
        let mut tail = formats::open(&summary.dir);
        // A run without metrics has none to be named by.
        let _ = tail.poll();
        let metrics = tail.metrics();
        let text = |text: &str| {
            Some(text.to_owned())
                .filter(|text| !text.is_empty())
                .map(Value::Text)
        };
        let tags = &summary.notes.tags;
        let known = [
            ("folder", text(&summary.dir.name())),
            ("name", text(&summary.name)),
            ("model", text(&summary.model)),
            ("recipe", text(&summary.recipe)),
            ("state", text(summary.observed.state.name())),
            ("id", text(&summary.id)),
            ("tag", tags.first().and_then(|tag| text(tag))),
            ("tags", text(&tags.join("-"))),
            ("epochs", Some(Value::Number(summary.epochs_done.into()))),
            ("n", Some(Value::Number(counter as f64))),
            ("started", summary.started_at.map(Value::Time)),
            (
                "best",
                summary
                    .best
                    .as_ref()
                    .map(|best| Value::Number(best.shown())),
            ),
            ("best.val_acc", summary.best_val_acc().map(Value::Number)),
            (
                "best.epoch",
                summary
                    .best_epoch()
                    .map(|epoch| Value::Number(epoch.into())),
            ),
        ];
        let known = known
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        let best = summary
            .best_epoch()
            .filter(|_| is_placed_by_epoch(metrics))
            .map(f64::from);
        let of_best = metrics.columns.iter().filter_map(|column| {
            let at = column.x.iter().position(|x| Some(*x) == best)?;
            Some((format!("best.{}", column.name), Value::Number(column.y[at])))
        });
        let config = Config::load(&summary.dir).lines().into_iter();
        let config = config.map(|(key, value)| (key, Value::Text(value)));
        let last = metrics
            .columns
            .iter()
            .filter_map(|column| Some((column.name.clone(), Value::Number(column.last()?.1))));
        Self(known.chain(of_best).chain(config).chain(last).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> Values {
        let value = |key: &str, value| (key.to_owned(), value);
        Values(vec![
            value("model", Value::Text("resnet".to_owned())),
            value("best.val_acc", Value::Number(94.5612)),
            value("best.epoch", Value::Number(97.0)),
            value("n", Value::Number(7.0)),
            value("lr", Value::Text("0.125".to_owned())),
            value(
                "started",
                Value::Time("2026-03-10T14:29:05Z".parse().unwrap()),
            ),
        ])
    }

    #[test]
    fn the_references_form_and_others_are_filled_in() {
        let cases = [
            (
                "{model}_acc{best.val_acc:.2f}_epoch{best.epoch}",
                "resnet_acc94.56_epoch97",
            ),
            ("{n:03d}-{lr:.1f}-{lr}", "007-0.1-0.125"),
            ("{{{model}}}", "{resnet}"),
            ("{started:%Y}", "2026"),
            ("plain", "plain"),
        ];
        for (template, name) in cases {
            assert_eq!(
                Template::parse(template)
                    .unwrap()
                    .fill(&values())
                    .as_deref(),
                Ok(name)
            );
        }
    }

    #[test]
    fn what_is_wrong_is_reported() {
        for template in ["{model", "model}", "{}", "{a{b}}", "{:x}"] {
            assert!(Template::parse(template).is_err(), "{template}");
        }
        let cases = [
            ("{seed}", "it has no seed"),
            ("{model:.2f}", "is no number"),
            ("{n:x}", "the form is"),
            ("{n:.99f}", "the form is"),
        ];
        for (template, problem) in cases {
            let error = Template::parse(template)
                .unwrap()
                .fill(&values())
                .unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_or_a_sentence(text in ".{0,30}") {
            if let Ok(template) = Template::parse(&text) {
                let _ = template.fill(&values());
            }
        }
    }
}
