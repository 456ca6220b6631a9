//! Whether a number in a line of a log is of a known harmless kind: a date, a time, a place, a
//! version, an id, a name, the value of a setting, or a size of the machine. Any other number may
//! be a user's result.

use super::progress_words::{is_no_number, is_progress};
use super::weights::is_weights_name;

/// Words that show progress only with a number glued to them: `val3`, `best0`.
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

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Whether each number of a line is a date, a version, a place, a name, or the value of a setting.
pub fn has_only_harmless_numbers(line: &str) -> bool {
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

/// Whether a line has a decimal number without a unit, and so perhaps a result.
pub fn has_bare_decimal(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.iter().enumerate().any(|(at, word)| {
        let word = word.trim_matches(|char: char| "()[]{}<>\"'`,;:|!?".contains(char));
        let is_decimal = word.contains('.') && word.parse::<f64>().is_ok();
        let next = words.get(at + 1).copied().unwrap_or_default();
        is_decimal && !is_measured(word, &letters(next)) && !letters(next).starts_with("total")
    })
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
    // A line may hold a hundred thousand words, of which few are checked.
    let has_month = (1..5).any(|back| is_month(before(back)));
    let is_year = (1970..2100).contains(&number) && has_time && has_month;
    let is_thread_of_glog = at == 2
        && words[0].starts_with(['I', 'W', 'E', 'F'])
        && form(words[0]).ends_with("0000")
        && is_time(words[1]);
    is_day || is_year || is_thread_of_glog
}

/// Whether a word is a file, a folder or an address: `/data/7`, `runs/run3`, `train.py:30`,
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
#[path = "harmless_number_tests.rs"]
mod tests;
