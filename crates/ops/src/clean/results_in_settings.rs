//! Whether a file of settings, or a record, holds results as well: people and trainers write the
//! best value, or a whole history, beside what a run was started with.

use std::path::Path;

use serde_json::{Map, Value};

use super::progress_words::{self, mentions_progress};

/// Settings hold lists of means, milestones and anchors; a longer list of numbers is a curve.
const MAX_LIST_LENGTH: usize = 64;
/// Limit for all numbers together.
const MAX_NUMBERS: usize = 1000;
/// Deeper nesting is not searched; the file then counts as holding results.
const MAX_DEPTH: usize = 64;

/// Names of keys that hold results, with any value.
const RESULTS: [&str; 13] = [
    "result",
    "results",
    "history",
    "metrics",
    "scores",
    "summary",
    "wandb_summary",
    "final_metrics",
    "log_history",
    "evaluation",
    "evaluations",
    "confusion_matrix",
    "leaderboard",
];

/// Words of a key that make a number in it a result, beside [`progress_words::MEASURED`]:
/// `best_val_acc`, `elapsed_s`.
const OF_RESULTS: [&str; 7] = ["best", "acc1", "acc5", "top1", "top5", "map", "elapsed"];

/// Words that make a number a result together with one of [`OF_A_PART`], as
/// [`progress_words::LOSSES`] do: `final_loss`.
const QUANTITIES: [&str; 2] = ["error", "metric"];
/// What was measured on a part of the data, or at some time.
const OF_A_PART: [&str; 9] = [
    "val",
    "valid",
    "validation",
    "test",
    "dev",
    "eval",
    "train",
    "final",
    "last",
];

/// Words of a key that make it a setting of a measure: `val_batch_size`, `best_metric_weight`.
const OF_SETTINGS: [&str; 35] = [
    "weight",
    "weights",
    "scale",
    "coef",
    "coefficient",
    "lambda",
    "threshold",
    "target",
    "goal",
    "size",
    "batch",
    "fraction",
    "split",
    "ratio",
    "every",
    "interval",
    "freq",
    "frequency",
    "patience",
    "steps",
    "epochs",
    "workers",
    "seed",
    "percent",
    "keep",
    "k",
    "smoothing",
    "max",
    "min",
    "clip",
    "init",
    "alpha",
    "beta",
    "gamma",
    "t",
];

/// Whether a file at the top of a run, or of its `logs`, holds more than settings.
pub fn in_text(name: &Path, text: &str) -> bool {
    let mut reader = Reader::default();
    let is_json = name.extension().is_some_and(|ending| ending == "json");
    match serde_json::from_str::<Value>(text) {
        Ok(value) => reader.value("", &value, 0),
        // One that is no JSON, or too deep to be read, is not what its name says.
        Err(_) if is_json => true,
        Err(_) => reader.lines(text),
    }
}

/// Whether the parts of a record that traintop did not write hold results.
pub fn in_unknown(other: &Map<String, Value>) -> bool {
    let mut reader = Reader::default();
    let mut other = other.iter();
    other.any(|(key, value)| reader.value(key, value, 0))
}

#[derive(Default)]
struct Reader {
    numbers: usize,
}

impl Reader {
    /// Whether a value, or anything in it, is a result.
    fn value(&mut self, key: &str, value: &Value, depth: usize) -> bool {
        if depth > MAX_DEPTH || (!is_empty(value) && names_results(key)) {
            return true;
        }
        match value {
            Value::Number(number) => {
                self.numbers += 1;
                let is_zero = number.as_f64() == Some(0.0);
                self.numbers > MAX_NUMBERS || (!is_zero && names_measure(key))
            }
            Value::String(text) => {
                let is_measure = text.parse::<f64>().is_ok() && names_measure(key);
                is_measure || is_list(text) || is_report(text)
            }
            Value::Array(values) => {
                let numbers = values.iter().filter(|value| value.is_number());
                // One value of an epoch each.
                let is_course = numbers.clone().count() > 1 && names_measure(key);
                numbers.count() > MAX_LIST_LENGTH
                    || is_course
                    || values.iter().any(|value| self.value(key, value, depth + 1))
            }
            Value::Object(fields) => fields.iter().any(|(inner, value)| {
                self.value(&format!("{}.{inner}", last_part(key)), value, depth + 1)
            }),
            Value::Null | Value::Bool(_) => false,
        }
    }

    /// As [`Reader::value`] of a text that is YAML, TOML or alike: by its lines, since only the
    /// keys and the amount of numbers count.
    fn lines(&mut self, text: &str) -> bool {
        let mut in_list = 0;
        let mut parent = "";
        for line in text.lines() {
            let is_below = line.starts_with([' ', '\t', '-']);
            // Comments may hold results.
            let line = line.trim().trim_start_matches('#').trim_start();
            if line.is_empty() {
                continue;
            }
            if is_report(line) {
                return true;
            }
            let item = line.strip_prefix("- ").unwrap_or(line).trim();
            let (key, value) = item
                .split_once(':')
                .or_else(|| item.split_once('='))
                .unwrap_or(("", item));
            let key = key.trim().trim_matches(|char| "\"'[]{".contains(char));
            let value = value.split(" #").next().unwrap_or_default().trim();
            let numbers = value
                .split(|char: char| char.is_whitespace() || ",[]{}:".contains(char))
                .filter(|word| word.parse::<f64>().is_ok())
                .count();
            self.numbers += numbers;
            in_list = if line.starts_with('-') && numbers > 0 {
                in_list + numbers
            } else {
                numbers
            };
            if in_list > MAX_LIST_LENGTH || self.numbers > MAX_NUMBERS {
                return true;
            }
            if !key.is_empty() {
                // What is written within a line: `{best_val_acc: 0.93}`.
                let has_inner = value.contains('{')
                    && value
                        .split(['{', ',', '}'])
                        .filter_map(|pair| pair.split_once(':'))
                        .any(|(key, value)| holds_result(key.trim(), value.trim()));
                let nested = format!("{parent}.{key}");
                let key_in_block = if is_below { &nested } else { key };
                if has_inner || holds_result(key_in_block, value) {
                    return true;
                }
                if value.is_empty() || !is_below {
                    parent = key;
                }
            } else if numbers > 0 && (names_measure(parent) || names_results(parent)) {
                return true;
            }
        }
        false
    }
}

/// Whether a key of one line, and the value behind it, are a result.
fn holds_result(key: &str, value: &str) -> bool {
    let key = key.trim_matches(['"', '\'']);
    let value = value.trim_matches(['"', '\'']);
    let is_nothing = ["", "null", "~", "{}", "[]", "false", "true"].contains(&value);
    // A key with nothing behind it may have a block below.
    let opens_block = value.is_empty() && names_results(key);
    let number = value.trim_start_matches('[').split([',', ' ', ']']).next();
    let number = number.and_then(|number| number.parse::<f64>().ok());
    opens_block
        || (!is_nothing && names_results(key))
        || (number.is_some_and(|number| number != 0.0) && names_measure(key))
}

/// Whether a text is a long list of numbers.
fn is_list(text: &str) -> bool {
    let words = text.split(|char: char| char.is_whitespace() || ",;[]()".contains(char));
    words.filter(|word| word.parse::<f64>().is_ok()).count() > MAX_LIST_LENGTH
}

/// Whether a text says in words how far it came: `reached 93.1 % at epoch 300`.
fn is_report(text: &str) -> bool {
    let words = text.split_whitespace().count();
    let has_percentage = text.match_indices('%').any(|(at, _)| {
        let before = text[..at].trim_end();
        before.ends_with(|char: char| char.is_ascii_digit())
    });
    words > 2 && (has_percentage || (!text.contains([':', '=']) && mentions_progress(text)))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(_) => false,
    }
}

/// The last part of a key, in lower case: `train.best_val_acc` is `best_val_acc`.
fn last_part(key: &str) -> String {
    let last = key.rsplit(['.', '/']).next().unwrap_or(key);
    last.trim().to_ascii_lowercase()
}

/// Whether a key holds results, with any value.
fn names_results(key: &str) -> bool {
    let key = last_part(key);
    RESULTS.contains(&key.as_str()) || key.ends_with("_history") || key.ends_with("_results")
}

/// Whether a number in a key is a measure.
fn names_measure(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let words = key.split(|char: char| !char.is_ascii_alphanumeric());
    let words: Vec<&str> = words.collect();
    let has = |all: &[&str]| words.iter().any(|word| all.contains(word));
    let is_measure = has(&OF_RESULTS) || has(&progress_words::MEASURED);
    let is_of_a_part = has(&OF_A_PART) && (has(&QUANTITIES) || has(&progress_words::LOSSES));
    let is_done = has(&["done"]) || key.ends_with("current_epoch") || key.ends_with("global_step");
    is_done || (!has(&OF_SETTINGS) && (is_measure || is_of_a_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_in_settings_are_doubt() {
        let floats = |count: usize| {
            let floats: Vec<String> = (0..count).map(|at| format!("0.{at}")).collect();
            floats.join(", ")
        };
        let lists = format!("{{\"curve\": [{}]}}", floats(2000));
        let strings = format!("{{\"x\": \"{}\"}}", floats(100));
        let block = format!("curve:\n- {}\n", floats(100).replace(", ", "\n- "));
        for (name, text) in [
            ("hparams.yaml", "lr: 0.1\nbest_val_acc: 0.93\n"),
            ("hparams.yaml", "train: {lr: 0.1, best_val_acc: 0.93}\n"),
            ("hparams.yaml", "history:\n- 1\n"),
            ("hparams.yaml", "test:\n  loss: 0.3\n"),
            ("hparams.yaml", "val_acc:\n- 0.5\n- 0.6\n"),
            ("hparams.yaml", &block),
            ("config.json", &lists),
            ("config.json", "[1, 2"),
            ("config.json", "{\"a\": {\"b\": {\"test_acc\": \"0.93\"}}}"),
            ("params.json", "{\"history\": [{\"loss\": 1.0}]}"),
            ("params.json", "{\"loss_history\": [1.0]}"),
            ("params.json", "{\"metrics\": {\"x\": 1}}"),
            ("params.json", "{\"wandb_summary\": {\"x\": 1}}"),
            ("hparams.yaml", "psnr: 31.2\n"),
            ("variant.json", "{\"epochs_done\": 30}"),
            ("variant.json", "{\"val_loss\": [0.5, 0.4]}"),
            ("notes.toml", "test_loss = 0.31\n"),
            ("opt.yaml", "final.loss: 0.3\n"),
            ("opt.yaml", "# best_val_acc: 0.93\nlr: 1\n"),
            ("args.yaml", "accuracy was 0.93 after 300 epochs\n"),
            ("params.json", "{\"note\": \"reached 93.1 % at epoch 300\"}"),
            ("params.json", &strings),
            ("config.json", "{\"val\": {\"loss\": 0.3}}"),
        ] {
            assert!(in_text(Path::new(name), text), "{name}: {text:.60}");
        }
    }

    #[test]
    fn settings_are_none() {
        for (name, text) in [
            ("hparams.yaml", "{}\n"),
            (
                "hparams.yaml",
                "lr: 0.1\nval_batch_size: 128\nbest_metric: val_acc\n",
            ),
            (
                "args.yaml",
                "save_best: true\nval_fraction: 0.1\nloss_weight: 0.5\n",
            ),
            ("hyp.yaml", "box: 0.05\nanchors:\n- 10\n- 13\niou_t: 0.2\n"),
            ("config.json", "{\"seed\": 1, \"mean\": [0.49, 0.48, 0.44]}"),
            (
                "config.json",
                "{\"metrics\": [], \"epochs_done\": 0, \"best\": null}",
            ),
            ("params.json", "{\"metric_weights\": {\"acc_weight\": 1.0}}"),
            ("notes.toml", "tags = [\"paper\"]\nstar = true\n"),
            ("logs/config.json", "{\"train_loss\": \"cross_entropy\"}"),
            ("overrides.yaml", "- lr=0.1\n- seed=3\n"),
            (
                "config.json",
                "{\"init\": \"runs/epoch_3.pt\", \"about\": \"a small network\"}",
            ),
            ("config.yaml", "# the learning rate\nlr: 0.1  # per step\n"),
        ] {
            assert!(!in_text(Path::new(name), text), "{name}: {text}");
        }
    }
}
