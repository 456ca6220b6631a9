//! What a metric's name says: on what data it was measured, what kind of thing it is, and which way
//! is better. Trainers spell the same thing in many ways, so names are compared by their words.

mod meaning;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

use meaning::{Meaning, Strength, meaning_of};
use words::Words;

/// The part of the data that a metric was measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// What the network learns from.
    Train,
    /// What decides which epoch is best.
    Validation,
    /// What is kept for the end.
    Test,
}

/// Words for each part of the data, in lower case.
const SPLITS: [(&str, Split); 17] = [
    ("tr", Split::Train),
    ("te", Split::Test),
    ("train", Split::Train),
    ("training", Split::Train),
    ("trn", Split::Train),
    ("val", Split::Validation),
    ("valid", Split::Validation),
    ("validation", Split::Validation),
    ("validate", Split::Validation),
    ("vali", Split::Validation),
    ("dev", Split::Validation),
    ("eval", Split::Validation),
    ("evaluation", Split::Validation),
    ("holdout", Split::Validation),
    ("test", Split::Test),
    ("testing", Split::Test),
    ("tst", Split::Test),
];

impl Split {
    pub const COUNT: usize = 3;

    /// The one that a word names, in any case.
    pub fn named(word: &str) -> Option<Self> {
        let mut known = SPLITS.iter();
        let (_, split) = known.find(|(known, _)| known.eq_ignore_ascii_case(word))?;
        Some(*split)
    }

    /// What is written before the names of its columns.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "val",
            Self::Test => "test",
        }
    }

    /// Its letter.
    pub fn letter(self) -> char {
        match self {
            Self::Train => 't',
            Self::Validation => 'v',
            Self::Test => 'e',
        }
    }
}

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Higher,
    Lower,
}

impl Direction {
    /// Whether `a` is better than `b`.
    pub fn than(self, a: f64, b: f64) -> bool {
        match self {
            Self::Higher => a > b,
            Self::Lower => a < b,
        }
    }

    /// Whether a value has reached a threshold.
    pub fn reaches(self, value: f64, threshold: f64) -> bool {
        value == threshold || self.than(value, threshold)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
        }
    }
}

impl Direction {
    fn turned_round(self) -> Self {
        match self {
            Self::Higher => Self::Lower,
            Self::Lower => Self::Higher,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// What kind of thing a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The share of right answers.
    Accuracy,
    /// Another measure of quality, of which more or less is better: F1, mAP, word error rate.
    Score,
    /// What an agent earns.
    Reward,
    /// What is minimised.
    Loss,
    /// A measure like a loss: squared error, perplexity.
    Error,
    /// The spread of values, not their quality.
    Spread,
    LearningRate,
    /// Another setting, or a count of things: momentum, gradient norm, tokens.
    Setting,
    /// Time, memory and speed.
    Resource,
    /// A position: epoch, step.
    Place,
    /// The words say nothing that is known.
    Unknown,
}

impl Kind {
    /// Whether a run can be judged by it without anybody saying so.
    pub fn is_judged(self) -> bool {
        matches!(
            self,
            Self::Accuracy | Self::Score | Self::Reward | Self::Loss | Self::Error
        )
    }
}

/// The unit that a name states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Percent,
    Seconds,
}

/// What a name says.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricName {
    /// What it was measured on; `None` where the name does not say.
    pub split: Option<Split>,
    pub kind: Kind,
    /// Which way is better; `None` if no word shows it.
    pub direction: Option<Direction>,
    /// Whether the direction comes from a weak word, such as `score`.
    pub is_guess: bool,
    pub unit: Option<Unit>,
    /// Whether its values are shares, which people read in percent.
    pub is_share: bool,
    /// What is measured, the same for the names that different trainers give it; the split, an
    /// average and a counter are left out.
    pub quantity: String,
    /// Among metrics of a kind the lower one comes first.
    pub rank: u8,
    /// Words that narrow it down (`box` in `box_loss`), and a counter: a plain metric goes first.
    pub qualifiers: u8,
    /// Whether it is the best until then, as `best_acc` is: no course to judge by.
    pub is_record: bool,
}

/// [`MetricName::quantity`] of a plain loss.
pub const LOSS: &str = "loss";
/// [`MetricName::quantity`] of a plain accuracy.
pub const ACCURACY: &str = "accuracy";

/// Words beside a metric's own that do not narrow it down.
const NEUTRAL: [&str; 34] = [
    "avg",
    "average",
    "mean",
    "running",
    "total",
    "overall",
    "global",
    "epoch",
    "step",
    "batch",
    "iter",
    "metric",
    "metrics",
    "chart",
    "charts",
    "rollout",
    "episode",
    "episodic",
    "ep",
    "score",
    "rate",
    "value",
    "coef",
    "coefficient",
    "index",
    "percent",
    "pct",
    "logger",
    "log",
    "result",
    "results",
    "summary",
    "env",
    "runners",
];

/// Words for spreads.
const SPREADS: [&str; 11] = [
    "std",
    "stdev",
    "stddev",
    "sd",
    "var",
    "variance",
    "stderr",
    "sem",
    "ci",
    "deviation",
    "iqr",
];

/// Reads a name. **The last word that is known decides**, of several words that make one term the
/// longest term: `loss_acc` is an accuracy, `norm_reward` a reward, `ms_ssim` a similarity. Only a
/// score or an error behind the word `loss` is a part of that loss (`loss_dice`). Before that the
/// split word is removed from any position (`val_loss`, `Loss/val`, `AverageTestEpRet`), and what
/// follows `per` is ignored. Averages, counters (`auc_1`) and units are skipped because they are no
/// terms. A weak word (`score`, `distance`) decides only where no other does.
pub fn read(name: &str) -> MetricName {
    let all = Words::of(name);
    let (split, words) = without_split(&all);
    let percent = name.contains('%') || words.has(&["percent", "pct"]);
    let (until_per, per) = words.before_per();
    let speed = per.as_deref().is_some_and(is_time_unit) || until_per.counts_a_second();
    let term = if speed { None } else { last_term(&until_per) };
    let is_spread = until_per.has(&SPREADS);
    let mut read = match &term {
        _ if speed => named(Kind::Resource, Some(Direction::Higher)),
        Some(term) if is_spread && term.meaning.canonical != "explained_variance" => {
            named(Kind::Spread, None)
        }
        Some(term) if term.is_part_of_loss(&until_per) => named(Kind::Loss, Some(Direction::Lower)),
        Some(Term { meaning, .. }) => MetricName {
            is_guess: meaning.strength == Strength::Weak,
            rank: meaning.rank,
            is_share: meaning.is_share,
            ..named(meaning.kind, meaning.direction)
        },
        None if is_spread => named(Kind::Spread, None),
        None if until_per.last().is_some_and(is_time_unit) => {
            named(Kind::Resource, Some(Direction::Lower))
        }
        None => named(Kind::Unknown, None),
    };
    let is_time = matches!(read.kind, Kind::Resource | Kind::Unknown) && !speed;
    read.unit = if percent {
        Some(Unit::Percent)
    } else {
        let seconds = ["s", "sec", "secs", "second", "seconds"];
        let stated = words.last().is_some_and(|last| seconds.contains(&last));
        (is_time && stated).then_some(Unit::Seconds)
    };
    read.is_share |= percent && read.kind.is_judged();
    read.split = split;
    read.is_record = until_per.has(&["best"]);
    (read.quantity, read.qualifiers) = quantity(&until_per, term.as_ref());
    if is_turned_round(name, &until_per, term.as_ref()) {
        read.direction = read.direction.map(Direction::turned_round);
        if read.kind == Kind::Accuracy {
            (read.kind, read.is_share) = (Kind::Error, percent);
        }
        read.quantity.insert_str(0, "negative_");
    }
    if speed || per.is_some() && term.is_none() {
        read.quantity = words.joined("_");
    }
    read
}

/// A name as it is spelled, without the split word that it begins or ends with.
pub fn without_split_word(name: &str) -> &str {
    let is_separator = |letter: char| "_/.- ".contains(letter);
    let is_split = |word: &str| Split::named(word).is_some();
    if let Some((first, rest)) = name.split_once(is_separator)
        && is_split(first)
        && !rest.is_empty()
    {
        return rest;
    }
    match name.rsplit_once(is_separator) {
        Some((rest, last)) if is_split(last) && !rest.is_empty() => rest,
        _ => name,
    }
}

/// Whether two names mean the same column, in any spelling of trainers.
pub fn are_same(a: &str, b: &str) -> bool {
    a == b || Words::of(a).joined("_") == Words::of(b).joined("_") || {
        let (a, b) = (read(a), read(b));
        a.split == b.split && a.quantity == b.quantity
    }
}

fn named(kind: Kind, direction: Option<Direction>) -> MetricName {
    MetricName {
        split: None,
        kind,
        direction,
        is_guess: false,
        unit: None,
        is_share: false,
        quantity: String::new(),
        rank: 0,
        qualifiers: 0,
        is_record: false,
    }
}

/// Whether a name says that its metric was turned round, which is less where that is more:
/// `neg_elbo`, `test_1-acc`.
fn is_turned_round(name: &str, words: &Words, term: Option<&Term>) -> bool {
    const NEGATED: [&str; 4] = ["neg", "negative", "minus", "negated"];
    let before = term.and_then(|term| term.place.start.checked_sub(1));
    let word = before.and_then(|at| words.get(at));
    word.is_some_and(|word| NEGATED.contains(&word))
        || word == Some("1") && (name.contains("1-") || name.contains("1 -"))
}

fn is_time_unit(word: &str) -> bool {
    let units = [
        "s", "sec", "secs", "second", "seconds", "ms", "min", "minute", "minutes", "h", "hour",
        "hours", "gpu",
    ];
    units.contains(&word)
}

/// A term that was found in a name.
struct Term {
    meaning: &'static Meaning,
    /// Its words.
    place: std::ops::Range<usize>,
}

impl Term {
    /// Whether it says what a loss is of: `loss_dice`, but not `log_loss`.
    fn is_part_of_loss(&self, words: &Words) -> bool {
        let mut before = words.iter().take(self.place.start);
        let is_measure = matches!(self.meaning.kind, Kind::Score | Kind::Error);
        is_measure && before.any(|word| ["loss", "losses"].contains(&word))
    }
}

/// Words that a term has at most.
const MAX_TERM_LENGTH: usize = 6;

fn last_term(words: &Words) -> Option<Term> {
    let of_strength = |strength: Strength| {
        (1..=words.len()).rev().find_map(|end| {
            let begins = end.saturating_sub(MAX_TERM_LENGTH)..end;
            begins.into_iter().find_map(|begin| {
                let term = words.run_together(begin..end);
                // `lr0` and `loss2`: a number at the end of a word is no part of it.
                let bare = term.trim_end_matches(|letter: char| letter.is_ascii_digit());
                let bare = (end - begin == 1).then_some(bare);
                let found = meaning_of(term).or_else(|| meaning_of(bare?));
                let meaning = found.filter(|meaning| meaning.strength == strength)?;
                Some(Term {
                    meaning,
                    place: begin..end,
                })
            })
        })
    };
    [Strength::Strong, Strength::Weak, Strength::Place]
        .into_iter()
        .find_map(of_strength)
}

fn quantity(words: &Words, term: Option<&Term>) -> (String, u8) {
    let Some(Term { meaning, place }) = term else {
        return (words.joined("_"), 0);
    };
    let (mut parts, mut qualifiers) = (Vec::new(), 0);
    for (at, word) in words.iter().enumerate() {
        let is_counter = at >= place.end && word.bytes().all(|byte| byte.is_ascii_digit());
        if at == place.start {
            parts.push(meaning.canonical);
            let is_whole = meaning_of(words.run_together(place.clone())).is_some();
            qualifiers += u8::from(!is_whole);
        } else if is_counter {
            qualifiers += 1;
        } else if !place.contains(&at) && !NEUTRAL.contains(&word) {
            parts.push(word);
            qualifiers = qualifiers.saturating_add(1);
        }
    }
    (parts.join("_"), qualifiers)
}

/// The split, and the other words. The first and the last word count before those between them.
/// Where nothing else is left, the word is the metric.
fn without_split(words: &Words) -> (Option<Split>, Words) {
    let (first, last) = (0, words.len().saturating_sub(1));
    // CatBoost's name for training data; elsewhere it is a word like another.
    let is_learn = words.len() > 1 && words.get(0) == Some("learn");
    if is_learn {
        return (Some(Split::Train), words.without(0));
    }
    let is_deviation = words.has(&["std", "standard"]);
    let of = |at: usize| {
        let word = words
            .get(at)
            .filter(|word| *word != "dev" || !is_deviation)?;
        Some((Split::named(word)?, at))
    };
    let found = (words.len() > 1)
        .then(|| [first, last].into_iter().chain(1..last).find_map(of))
        .flatten();
    if let Some((split, at)) = found {
        return (Some(split), words.without(at));
    }
    // `valloss`: two words without anything between them.
    let glued = (words.len() == 1)
        .then(|| words.get(0))
        .flatten()
        .and_then(|word| {
            let starts = ["validation", "valid", "val", "eval", "train", "test"];
            starts.iter().find_map(|start| {
                let rest = word.strip_prefix(start)?;
                let is_judged = meaning_of(rest)?.kind.is_judged();
                is_judged.then(|| (Split::named(start), Words::of(rest)))
            })
        });
    glued.unwrap_or_else(|| (None, words.clone()))
}

#[cfg(test)]
mod tests;
