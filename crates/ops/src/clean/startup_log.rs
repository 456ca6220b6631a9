//! Whether a log holds nothing but what programs say while they start, or fail to. Trainings tell
//! of their progress in endless forms, so these are not looked for: every number must be of a known
//! harmless kind, or stand in a line of a known kind. Any other number may be a user's result.

use super::weights::is_weights_name;
use traintop_run::log_line::{Kind, Teller, body};

/// Words that tell of progress or results wherever a number is beside them, in lower case.
const PROGRESS: [&str; 34] = [
    "epoch",
    "epochs",
    "ep",
    "step",
    "steps",
    "timesteps",
    "iter",
    "iters",
    "iteration",
    "iterations",
    "loss",
    "nll",
    "acc",
    "accuracy",
    "reward",
    "rewards",
    "episode",
    "episodes",
    "score",
    "scores",
    "f1",
    "auc",
    "iou",
    "dice",
    "mse",
    "mae",
    "rmse",
    "ppl",
    "perplexity",
    "bleu",
    "wer",
    "psnr",
    "fid",
    "elbo",
];

/// Words that tell of it with a number glued to them.
const GLUED: [&str; 8] = [
    "batch",
    "round",
    "trial",
    "gen",
    "generation",
    "val",
    "best",
    "top",
];

/// What a whole number after it belongs to: settings of a start, places, ids. In lower case,
/// without what is not a letter.
const HARMLESS_KEYS: [&str; 34] = [
    "seed",
    "batchsize",
    "rank",
    "localrank",
    "globalrank",
    "grouprank",
    "noderank",
    "worldsize",
    "member",
    "pid",
    "port",
    "masterport",
    "job",
    "jobid",
    "node",
    "gpu",
    "gpus",
    "device",
    "devices",
    "cudavisibledevices",
    "numworkers",
    "workers",
    "nproc",
    "nprocpernode",
    "numnodes",
    "ompnumthreads",
    "threads",
    "numthreads",
    "line",
    "errno",
    "exitcode",
    "code",
    "signal",
    "cudalaunchblocking",
];

/// What a version after it belongs to, in the same form.
const VERSIONED: [&str; 13] = [
    "version",
    "driver",
    "python",
    "pytorch",
    "torch",
    "torchvision",
    "tensorflow",
    "numpy",
    "jax",
    "cuda",
    "cudnn",
    "nccl",
    "capability",
];

/// What a number before it counts or measures: sizes of the machine.
const UNITS: [&str; 30] = [
    "b",
    "kb",
    "mb",
    "gb",
    "tb",
    "kib",
    "mib",
    "gib",
    "tib",
    "bytes",
    "core",
    "cores",
    "cpu",
    "cpus",
    "gpu",
    "gpus",
    "tpu",
    "ipus",
    "hpus",
    "thread",
    "threads",
    "worker",
    "workers",
    "node",
    "nodes",
    "process",
    "processes",
    "parameters",
    "params",
    "mhz",
];

/// Names with digits that are too short to be distinguished from a number with a letter before it.
const NAMES: [&str; 28] = [
    "fp8", "fp16", "fp32", "fp64", "bf16", "tf32", "int8", "a10", "a40", "a100", "h100", "h200",
    "b200", "l4", "l40", "l40s", "t4", "p100", "v100", "k80", "x86", "x86_64", "i686", "amd64",
    "h5", "s3", "py3", "u8",
];

/// Lines of known programs, by how they begin, in lower case.
const BEGINNINGS: [&str; 14] = [
    "gpu available: ",
    "tpu available: ",
    "ipu available: ",
    "hpu available: ",
    "local_rank: ",
    "seed set to ",
    "global seed set to ",
    "initializing distributed: ",
    "all distributed processes registered. ",
    "setting omp_num_threads ",
    "using 16bit ",
    "size mismatch for ",
    "slurmstepd: error: ",
    "srun: error: ",
];

/// Lines of known programs, by how they end, in lower case.
const ENDS: [&str; 5] = [
    "trainable params",
    "total params",
    "total estimated model params size (mb)",
    "modules in train mode",
    "modules in eval mode",
];

/// Progress bars are made of these.
const BARS: [char; 12] = ['█', '▉', '▊', '▋', '▌', '▍', '▎', '▏', '━', '╸', '╺', '■'];

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// What the lines before leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    #[default]
    Nothing,
    /// Frames of Python: their sources hold any numbers.
    Traceback,
    /// A panic of Rust: a message, then perhaps frames.
    Panic,
    /// The source that Python shows below a warning.
    Warning,
    /// The settings that our worker lists as it begins.
    Recipe,
}

/// Whether every line of a log is one of a start, or of its failure.
pub fn holds_nothing(log: &str) -> bool {
    let mut reader = Reader::default();
    let log = without_escapes(log);
    log.split(['\n', '\r']).all(|line| reader.is_harmless(line))
}

#[derive(Default)]
struct Reader {
    within: Within,
    teller: Teller,
}

impl Reader {
    fn is_harmless(&mut self, line: &str) -> bool {
        let kind = self.teller.tell(line.to_owned()).kind;
        let text = body(line);
        // Times and ranks in brackets; `[3/100]` is neither.
        if !has_only_harmless_numbers(&line[..line.len() - text.len()]) {
            return false;
        }
        let text = text.trim_end();
        if text.contains(BARS) || text.contains("it/s") || text.contains("s/it") {
            return false;
        }
        let is_indented = text.starts_with([' ', '\t']);
        let was = self.within;
        self.within = Within::Nothing;
        if text.starts_with("Traceback (most recent call last)") {
            self.within = Within::Traceback;
            return true;
        }
        if text.starts_with("thread '") && text.contains("panicked at ") {
            self.within = Within::Panic;
            return !tells_progress(text);
        }
        match was {
            // Frames, their sources, and marks below these.
            Within::Traceback if text.is_empty() || is_indented => {
                self.within = Within::Traceback;
                return true;
            }
            Within::Panic if is_frame(text) => {
                self.within = Within::Panic;
                return true;
            }
            Within::Traceback | Within::Panic => return !tells_progress(text),
            Within::Warning if is_indented && !tells_progress(text) => return true,
            Within::Recipe => {
                if let Some((key, _)) = text.strip_prefix("  ").and_then(|it| it.split_once(" = "))
                {
                    self.within = Within::Recipe;
                    return !is_progress(key);
                }
            }
            Within::Warning | Within::Nothing => {}
        }
        if is_frame_of_python(text) {
            self.within = Within::Traceback;
            return true;
        }
        if text == "stack backtrace:" {
            self.within = Within::Panic;
            return true;
        }
        if kind == Kind::Error || is_known(text) {
            let is_about_arguments = text.contains("error: ") && text.contains("argument");
            let is_bare = kind == Kind::Error && !is_about_arguments && has_bare_decimal(text);
            let is_failure = text.starts_with("failed: ") && has_bare_decimal(text);
            return !(tells_progress(text) || is_bare || is_failure);
        }
        if let Some(warning) = python_warning(text) {
            self.within = Within::Warning;
            return has_only_harmless_numbers(warning);
        }
        if let Some(is_recipe) = header_of_worker(text) {
            if is_recipe {
                self.within = Within::Recipe;
            }
            return true;
        }
        has_only_harmless_numbers(text)
    }
}

/// A text without the sequences that set colours in terminals.
fn without_escapes(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|char: char| char.is_ascii_digit() || char == ';');
        let mut rest = rest.chars();
        rest.next();
        kept.push_str(rest.as_str());
    }
    kept
}

fn is_frame_of_python(text: &str) -> bool {
    text.trim_start().starts_with("File \"") && text.contains("\", line ")
}

/// Whether a line is a frame of Rust: `  12: std::panicking`, `      at src/main.rs:3:5`.
fn is_frame(text: &str) -> bool {
    let inner = text.trim_start();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with(' ')
        && (inner.starts_with("at ")
            || inner
                .split_once(": ")
                .is_some_and(|(number, _)| is_number(number)))
}

/// What Python warns of, without the source and the line where.
fn python_warning(text: &str) -> Option<&str> {
    let (place, rest) = text.split_once(": ")?;
    let (file, line) = place.rsplit_once(':')?;
    let is_place = file.contains(".py") && line.bytes().all(|byte| byte.is_ascii_digit());
    (is_place && rest.contains("Warning")).then_some(rest)
}

fn is_known(text: &str) -> bool {
    let lower = text.trim_start().to_ascii_lowercase();
    BEGINNINGS
        .iter()
        .any(|beginning| lower.starts_with(beginning))
        || ENDS.iter().any(|end| lower.ends_with(end))
        || lower.starts_with("failed: ")
}

/// Whether a line is one that our worker writes before it trains, and if so whether its recipe
/// follows.
fn header_of_worker(text: &str) -> Option<bool> {
    if text.starts_with("model ") && text.contains(", width ") && text.ends_with(" parameters") {
        return Some(false);
    }
    if text.starts_with("data ") && text.contains(" training, ") && text.ends_with(" classes") {
        return Some(false);
    }
    let planned = text.strip_suffix(" steps; recipe:")?;
    let (epochs, steps) = planned.split_once(" epochs of ")?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(epochs) && is_number(steps)).then_some(true)
}

/// Whether a line that may hold any number has one beside a word of progress.
pub fn tells_progress(text: &str) -> bool {
    let has_number = |word: &str| word.contains(char::is_numeric) || is_no_number(word);
    let mut words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
    is_progress(text) && words.any(has_number)
}

/// Whether a line has a decimal number without a unit, and so perhaps a result.
fn has_bare_decimal(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.iter().enumerate().any(|(at, word)| {
        let word = word.trim_matches(|char: char| "()[]{}<>\"'`,;:|!?".contains(char));
        let is_decimal = word.contains('.') && word.parse::<f64>().is_ok();
        let next = words.get(at + 1).copied().unwrap_or_default();
        is_decimal && !is_measured(word, &letters(next)) && !letters(next).starts_with("total")
    })
}

/// Whether one of the words of a text or name tells of progress: `val_loss`, `epoch3`.
fn is_progress(text: &str) -> bool {
    let mut words = text.split(|char: char| !char.is_alphanumeric());
    words.any(|word| {
        let word = word.to_lowercase();
        let letters = word.trim_end_matches(char::is_numeric);
        PROGRESS.contains(&letters) || PROGRESS.contains(&word.as_str())
    })
}

/// Whether a word is what a value becomes that went wrong.
fn is_no_number(word: &str) -> bool {
    ["nan", "inf", "infinity"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}

/// Whether each number of a line is a date, a version, a place, a name, or the value of a setting.
fn has_only_harmless_numbers(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    // What a value belongs to: the word before it.
    let mut key = String::new();
    for (at, whole) in words.iter().enumerate() {
        let word = whole.trim_matches(|char: char| "()[]{}<>\"'`,;:|!?.*".contains(char));
        let before = at.checked_sub(1).map_or("", |before| words[before]);
        let is_harmless = is_plain(word)
            || is_date(word)
            || (is_time(word) && (at == 0 || may_stand_before_time(before)))
            || is_of_date_in_words(&words, at)
            || is_place(word)
            || is_version(word)
            || is_hexadecimal(word)
            || is_name(word);
        if is_harmless {
            let letters = letters(word);
            // `seed = 3`
            if !letters.is_empty() {
                key = letters;
            }
            continue;
        }
        let unit = letters(words.get(at + 1).copied().unwrap_or_default());
        // `seed=3`, `batch_size:32,seed=3`, `device=0,1`
        for piece in word.split(|char: char| "=:,()[]{}".contains(char)) {
            let piece = piece.trim_matches(|char: char| "\"'".contains(char));
            if is_plain(piece) || is_name(piece) {
                let letters = letters(piece);
                if !letters.is_empty() {
                    key = letters;
                }
                continue;
            }
            let is_whole = piece.bytes().all(|byte| byte.is_ascii_digit());
            let is_value = (is_whole && HARMLESS_KEYS.contains(&key.as_str()))
                || VERSIONED.contains(&key.as_str());
            if !(is_value || is_version(piece) || is_measured(piece, &unit)) {
                return false;
            }
        }
        // Only a list continues: `gpus: [0, 1]`.
        if !whole.ends_with(',') {
            key.clear();
        }
    }
    true
}

/// Whether there is no number in a word.
fn is_plain(word: &str) -> bool {
    let mut parts = word.split(|char: char| !char.is_alphanumeric());
    !word.contains(char::is_numeric) && !parts.any(is_no_number)
}

/// The letters of a word, in lower case.
fn letters(word: &str) -> String {
    let letters = word.chars().filter(|char| char.is_alphabetic());
    letters.flat_map(char::to_lowercase).collect()
}

/// The form of a word: each of its digits is a `0`.
fn form(word: &str) -> String {
    let digit = |char: char| if char.is_ascii_digit() { '0' } else { char };
    word.chars().map(digit).collect()
}

/// Whether a word is a date, perhaps with a time: `2026-11-24T10:00:00Z`, `20261124_100000`.
fn is_date(word: &str) -> bool {
    let form = form(word);
    let dates = [
        "0000-00-00",
        "0000/00/00",
        "0000.00.00",
        "0000_00_00",
        "00000000-000000",
        "00000000_000000",
    ];
    let Some(date) = dates.iter().find(|date| form.starts_with(**date)) else {
        return false;
    };
    let rest = &word[date.len()..];
    let is_known_year = word.starts_with("20") || word.starts_with("19");
    let rest = rest.trim_start_matches(['T', '_', '-']);
    // Names of our runs: `2026_11_24_10_00_00-2`.
    let clock = rest.replace('_', ":");
    let numbered = clock.split_once('-').map_or(&*clock, |(clock, _)| clock);
    is_known_year && (rest.is_empty() || is_time(rest) || is_time(numbered))
}

/// Whether a word is a time of day: `10:00:00,123`, `10:00`.
fn is_time(word: &str) -> bool {
    let word = word.trim_end_matches('Z');
    let clock = word.split(['.', ',', '+']).next().unwrap_or_default();
    let rest = &word[clock.len()..];
    let parts: Vec<Option<u32>> = clock.split(':').map(|part| part.parse().ok()).collect();
    let is_clock = match parts[..] {
        [Some(hour), Some(minute)] => hour < 24 && minute < 60,
        [Some(hour), Some(minute), Some(second)] => hour < 24 && minute < 60 && second < 61,
        _ => false,
    };
    is_clock
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".,+:".contains(&byte))
}

/// Whether a time may follow a word: a date, a level, or a day of a month. Elsewhere it may be how
/// long something took.
fn may_stand_before_time(before: &str) -> bool {
    let before = before.trim_matches(|char: char| "()[]<>,:|".contains(char));
    let levels = ["info", "debug", "warning", "warn", "error", "critical"];
    let is_glog = before.len() == 5 && before.get(1..).is_some_and(|date| form(date) == "0000");
    let is_day = before.len() <= 2 && before.parse::<u32>().is_ok_and(|day| day <= 31);
    is_date(before)
        || is_glog
        || is_day
        || levels
            .iter()
            .any(|level| before.eq_ignore_ascii_case(level))
}

/// Whether a number is of a date in words, `Mon Nov 30 12:35:15 UTC 2026`, or of what glog begins
/// with, `E1127 04:00:00.123456 17`.
fn is_of_date_in_words(words: &[&str], at: usize) -> bool {
    let Ok(number) = words[at].parse::<u32>() else {
        let begins = at == 0 && words[0].starts_with(['I', 'W', 'E', 'F']);
        return begins && form(&words[0][1..]) == "0000";
    };
    let is_month = |word: &str| MONTHS.contains(&word.to_ascii_lowercase().as_str());
    let before = |back: usize| at.checked_sub(back).map_or("", |at| words[at]);
    let is_day = number <= 31 && is_month(before(1));
    let has_time = is_time(before(1)) || is_time(before(2));
    // A line may hold a hundred thousand words, of which few are looked at.
    let has_month = (1..5).any(|back| is_month(before(back)));
    let is_year = (1970..2100).contains(&number) && has_time && has_month;
    let is_thread_of_glog = at == 2
        && words[0].starts_with(['I', 'W', 'E', 'F'])
        && form(words[0]).ends_with("0000")
        && is_time(words[1]);
    is_day || is_year || is_thread_of_glog
}

/// Whether a word is a file, a folder or an address: `/data/7`, `runs/a3`, `train.py:30`,
/// `https://host/1`.
fn is_place(word: &str) -> bool {
    let has_letter = |text: &str| text.contains(char::is_alphabetic);
    if word.contains("://") {
        return true;
    }
    // Where in a source: lines and columns.
    let mut path = word;
    for _ in 0..2 {
        match path.rsplit_once(':') {
            Some((before, number))
                if before.contains('.') && number.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                path = before;
            }
            _ => break,
        }
    }
    // `best-0.93.pt` was saved for its value.
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    if is_weights_name(name) && is_decimal_within(stem) {
        return false;
    }
    if path.starts_with('/') || path.starts_with("~/") || path.starts_with("./") {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        return parts.next().is_some_and(has_letter)
            && !is_progress(path)
            && path.matches('/').count() > 1
            || is_name_of_file(path);
    }
    if path.contains('/') {
        let mut parts = path.split('/');
        return parts.all(|part| {
            part.is_empty()
                || is_plain(part)
                || is_date(part)
                || is_name(part)
                || is_name_of_file(part)
        });
    }
    is_name_of_file(path)
}

/// Whether a word is called as files are: `loader2.cc`, `libcudnn.so.8`, `python3.11`.
fn is_name_of_file(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    let begins = name.starts_with(|char: char| char.is_alphabetic() || "._".contains(char));
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return false;
    };
    let has_ending = ending.starts_with(|char: char| char.is_ascii_alphabetic());
    let is_program = ["python3", "python2"].contains(&stem) || name.contains(".so.");
    begins && (has_ending && !is_decimal_within(stem) || is_program) && !is_progress(name)
}

fn is_decimal_within(text: &str) -> bool {
    let is_digit = |char: Option<char>| char.is_some_and(|char| char.is_ascii_digit());
    text.match_indices('.').any(|(at, _)| {
        is_digit(text[..at].chars().next_back()) && is_digit(text[at + 1..].chars().next())
    })
}

/// Whether a word is a version or an address of a network: `2.1.0+cu118`, `v3.11.4`,
/// `127.0.0.1:29500`.
fn is_version(word: &str) -> bool {
    let word = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let (number, rest) = match word.find(|char: char| !char.is_ascii_digit() && char != '.') {
        Some(end) => word.split_at(end),
        None => (word, ""),
    };
    let parts = number.split('.').filter(|part| !part.is_empty());
    let is_begun = number.starts_with(|char: char| char.is_ascii_digit());
    let is_rest = rest.is_empty() || rest.starts_with(|char: char| "+-:_abcdr".contains(char));
    is_begun && parts.count() > 2 && is_rest && !rest.contains('%')
}

/// Whether a word is an address, a digest or an id: `0x7f3a`, `3f2a9c1`.
fn is_hexadecimal(word: &str) -> bool {
    if let Some(digits) = word.strip_prefix("0x") {
        return digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = word.replace('-', "");
    digits.len() >= 7 && letters >= 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a word is a name with digits in it: `resnet18`, `cuda:0`, `--seed`, but not `ep3` or
/// `loss0.3`.
fn is_name(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    if NAMES.contains(&lower.as_str()) {
        return true;
    }
    let name = lower.trim_start_matches(['-', '_', '$', '@']);
    let name = name.replacen(':', "", 1);
    let letters = name
        .chars()
        .take_while(|char| char.is_alphabetic() || *char == '_');
    let is_word = name
        .chars()
        .all(|char| char.is_alphanumeric() || "_-".contains(char));
    let of_progress = name.trim_end_matches(char::is_numeric);
    letters.count() >= 3
        && is_word
        && !is_no_number(&name)
        && !is_progress(&name)
        && !GLUED.contains(&of_progress)
}

/// Whether a number is a size of the machine, with its unit glued to it or behind it.
fn is_measured(piece: &str, unit: &str) -> bool {
    let end = piece.find(|char: char| !char.is_ascii_digit() && char != '.');
    let (number, glued) = piece.split_at(end.unwrap_or(piece.len()));
    let glued = glued.to_ascii_lowercase();
    let is_unit = if glued.is_empty() {
        UNITS.contains(&unit)
    } else {
        UNITS.contains(&glued.as_str())
            || (["k", "m", "g"].contains(&glued.as_str()) && unit.starts_with("param"))
    };
    !number.is_empty() && is_unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_a_megabyte_is_read_though_each_of_its_words_looks_like_a_date() {
        // Each of these took minutes where a word looked at all others.
        for (text, is_nothing) in [
            ("seed 2020 ".repeat(100_000), true),
            ("nov 3 10:00:00 2020 ".repeat(50_000), true),
            (
                format!("{}.{}", "a".repeat(400_000), ":1".repeat(200_000)),
                false,
            ),
            ("1:".repeat(400_000), false),
            ("\u{1b}[".repeat(300_000), true),
        ] {
            assert_eq!(holds_nothing(&text), is_nothing, "{text:.20}");
        }
    }

    #[test]
    fn a_number_that_is_not_known_to_be_harmless_is_doubt() {
        for line in [
            // Words that were known.
            "step:100/5100 val_loss:4.5",
            "iter 250: loss 2.1234, time 56.78ms",
            "Epoch [1/10]",
            "Step 1 | loss:1.23",
            "val_acc = 0.5",
            "test score 0.93",
            "reached 93.1 % on the test images",
            " 42%|####  | 21/50 [00:02<00:03, 9.31it/s]",
            "a\rtrain loss 0.3\rb",
            // Others.
            "|    total_timesteps | 163000    |",
            "| rollout/ep_rew_mean | 21.5 |",
            "nll=1.3",
            "Ep. 3 / R 0.4",
            "Loss/train --> -0.33",
            "0.25",
            "12 0.31 0.77",
            "3/100 [00:12<06:28]",
            "ep3",
            "epoch3: saved",
            "loss0.33",
            "R 0.4",
            "e12 done",
            "loss nan",
            "elbo=-inf",
            "[12:00] 17",
            "2026-11-24 10:00:00 - INFO - 17 done",
            "2026-11-24 10:00:00,123 INFO nll 1.3",
            "WARNING:root:nll=1.3",
            "elapsed 01:23:45",
            "lr 0.1",
            "1e-3",
            "3.2e4",
            "100%",
            "\u{1b}[32mnll 1.3\u{1b}[0m",
            "seed 3 gave 0.93",
            "seed: 3 0.93",
            "saved /ckpt/best-0.93.pt",
            "saved ckpt/best-0.93.pt",
            "ERROR 0.931",
            "failed: 93.1",
            "seed 0.93",
            "[3/100]",
            "[0.93] done",
            "val3",
            "batch_size: 128, top1: 0.4",
            "Epoch٣ ٠٫٥",
            "━━━━━━ done",
            "loss/0.3",
            "saved model-0.93",
            "INFO:train:[17]",
            "version 3 reached 0.93",
            "8 GB 0.5",
            // Failures that tell how far it had come.
            "RuntimeError: the loss became nan in epoch 3",
            "[2026-11-24 10:00:00] failed: the loss became NaN in epoch 3",
            "[2026-11-24 10:00:00] ended after epoch 3, as asked",
            "[2026-11-24 10:00:00] epoch 3: loss 0.3",
            // A training that went on behind a failure.
            "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    f()\nKeyError: 'x'\nnll 1.3",
            "a.py:3: UserWarning: slow\n  warnings.warn()\nnll 1.3",
        ] {
            assert!(!holds_nothing(line), "{line}");
        }
    }

    #[test]
    fn what_programs_say_as_they_start_or_fail_is_nothing() {
        for text in [
            "",
            "loading data from /data/cifar10",
            "seed: 200, batch_size: 128",
            "seed=3",
            "Seed set to 42",
            "Python 3.11.4, torch 2.1.0+cu118, CUDA 12.1, cuDNN version: 8902",
            "using device cuda:0 (NVIDIA A100, 80 GB), 16 cores, 128GiB",
            "resnet18 on cifar10 in bf16: 25.6M parameters",
            "[2026-11-24 10:00:00] run 2026_11_24_10_00_00-2",
            "2026-11-24T10:00:00Z INFO starting in /scratch/42/runs/7",
            "Mon Nov 30 12:35:15 UTC 2026",
            "commit 3f2a9c1, host node17, pid 4242",
            "GPU available: True (cuda), used: True\nTPU available: False, using: 0 TPU cores",
            "LOCAL_RANK: 0 - CUDA_VISIBLE_DEVICES: [0,1]",
            "Initializing distributed: GLOBAL_RANK: 0, MEMBER: 1/1",
            "11.2 M    Trainable params\n44.8 Total estimated model params size (MB)",
            "wandb: Tracking run with wandb version 0.16.1",
            "2026-11-24 10:00:00.123456: I tensorflow/core/platform/cpu_feature_guard.cc:182] slow",
            "W1127 04:00:00.123456   17 torch/distributed/run.py:779] Setting threads",
            "init_method tcp://127.0.0.1:29500 or 127.0.0.1:29500",
            "Traceback (most recent call last):\n  File \"train.py\", line 30, in step\n    step(3, 0.5)\n    ^^^^^^^\nValueError: expected 3, got 4",
            "[rank0]: Traceback (most recent call last):\n[rank0]:   File \"train.py\", line 3, in <module>\n[rank0]:     f(0.5)\n[rank0]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB",
            "ModuleNotFoundError: No module named 'torch2'",
            "  File \"train.py\", line 3\n    x = = 3\n        ^\nSyntaxError: invalid syntax",
            "a.py:7: UserWarning: slow\n  warnings.warn('x', 2)",
            "thread 'main' (17) panicked at src/main.rs:3:5:\nindex 3 out of 2\nstack backtrace:\n   0: std::rt\n             at /rustc/lib.rs:3:5",
            "bash: line 1: 17 Segmentation fault      (core dumped)",
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 23.69 GiB total capacity)",
            "loading /models/resnet18.pth",
            "slurmstepd: error: *** JOB 12 ON a CANCELLED AT 2026-11-24T10:00:00 ***",
            "usage: train.py [-h] [--seed SEED]\ntrain.py: error: unrecognized arguments: --lr2 0.1",
            "[2026-11-24 10:00:00] model resnet, width 64, blocks 3: 11,173,962 parameters\n[2026-11-24 10:00:00] data /d: 45,000 training, 5,000 validation, no test images of 10 classes\n[2026-11-24 10:00:00] device cuda:0\n[2026-11-24 10:00:00] 30 epochs of 391 steps; recipe:\n[2026-11-24 10:00:00]   seed = 3\n[2026-11-24 10:00:00]   learning_rate = 0.1\n[2026-11-24 10:00:00] stopped; --resume continues from here",
            "[2026-11-24 10:00:00] failed: /data/x.bin: holds 3 bytes, 3073 were expected",
        ] {
            assert!(holds_nothing(text), "{text}");
        }
    }
}
