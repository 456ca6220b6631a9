//! Names of columns that place a row, and words that say which part of the data a row is about.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::metric_names::Split;

/// Longer names, in bytes, are none of those here.
const MAX_LENGTH: usize = 64;

/// What kind of position a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Counts steps, updates, samples or episodes.
    #[default]
    Step,
    Epoch,
    /// Counts batches: by its name a count within an epoch, but some count on.
    Batch,
    /// When the row was written.
    Date,
}

/// Names of columns that place rows, folded (see [`folded`]); of those that a file has the first
/// here is x. Counts over the whole run come before a bare `step`, which may restart with each
/// epoch; steps are finer than epochs, and what trainers of agents count as iterations is finer
/// than their epochs too; a logger's own count (`_step`) comes after what the trainer counts;
/// `batch` is often a size and not a count; a date is a place only where nothing else is.
const NAMES: &[(&str, Kind)] = &[
    ("globalstep", Kind::Step),
    ("trainer/globalstep", Kind::Step),
    ("train/globalstep", Kind::Step),
    ("step", Kind::Step),
    ("steps", Kind::Step),
    ("iteration", Kind::Step),
    ("iterations", Kind::Step),
    ("iter", Kind::Step),
    ("iters", Kind::Step),
    ("currentsteps", Kind::Step),
    ("currentstep", Kind::Step),
    ("trainstep", Kind::Step),
    ("time/totaltimesteps", Kind::Step),
    ("misc/totaltimesteps", Kind::Step),
    ("totaltimesteps", Kind::Step),
    ("time/iterations", Kind::Step),
    ("timestepstotal", Kind::Step),
    ("numtimesteps", Kind::Step),
    ("timesteps", Kind::Step),
    ("timestep", Kind::Step),
    ("totalenvinteracts", Kind::Step),
    ("totalenvsteps", Kind::Step),
    ("trainingiteration", Kind::Step),
    ("numupdates", Kind::Step),
    ("nupdates", Kind::Step),
    ("updates", Kind::Step),
    ("update", Kind::Step),
    ("episode", Kind::Step),
    ("episodes", Kind::Step),
    ("epoch", Kind::Epoch),
    ("epochs", Kind::Epoch),
    ("round", Kind::Epoch),
    ("batch", Kind::Batch),
    ("batchidx", Kind::Batch),
    ("batchindex", Kind::Batch),
    ("minibatch", Kind::Batch),
    ("timestamp", Kind::Date),
    ("datetime", Kind::Date),
    ("date", Kind::Date),
    ("walltime", Kind::Date),
    ("unixtime", Kind::Date),
    ("createdat", Kind::Date),
    ("loggedat", Kind::Date),
    ("time", Kind::Date),
];

/// The prefix of [`super::Metrics::x_name`] where a counter that restarts each epoch was made
/// cumulative.
pub const RUNNING: &str = "running ";

/// Numbers of a column of dates are more than this, and seconds since a start never are.
pub const FIRST_DATE: f64 = 1e9;

/// A name in lower case and without the separators of words; `/` stays.
pub fn folded(name: &str) -> String {
    if name.is_ascii() {
        let bytes = name.bytes();
        let letters = bytes.filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'/');
        return letters
            .map(|byte| char::from(byte.to_ascii_lowercase()))
            .collect();
    }
    let letters = name
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '/');
    let mut folded = String::with_capacity(name.len());
    folded.extend(letters.flat_map(char::to_lowercase));
    folded
}

/// The rank of a name among those that place rows, the lowest first, and what it counts.
pub fn place(name: &str) -> Option<(usize, Kind)> {
    // A table of thousands of runs has tens of thousands of names.
    static RANKS: LazyLock<HashMap<&str, (usize, Kind)>> = LazyLock::new(|| {
        let ranks = NAMES.iter().enumerate();
        ranks
            .map(|(rank, (name, kind))| (*name, (rank, *kind)))
            .collect()
    });
    if name.len() > MAX_LENGTH {
        return None;
    }
    RANKS.get(folded(name).as_str()).copied()
}

/// Whether a column of this name only places rows: it is no curve beside another x. A column called
/// `time` may be a date or a duration; that is for its values to say.
pub fn only_places(name: &str) -> bool {
    let is_place = |name: &str| place(name).is_some_and(|(_, kind)| kind != Kind::Date);
    is_place(name) || name == INDEX
}

/// Whether what this column says of its rows is a date.
pub fn is_placed_by_date(x_name: &str) -> bool {
    place(x_name).is_some_and(|(_, kind)| kind == Kind::Date)
}

/// Whether a column of this name counts epochs.
pub fn counts_epochs(name: &str) -> bool {
    matches!(folded(name).as_str(), "epoch" | "epochs")
}

/// Names, folded, of columns that count within an epoch, but are often something else.
const WITHIN_EPOCHS: &[&str] = &[
    "batch",
    "batchid",
    "batchidx",
    "batchindex",
    "minibatch",
    "numbatches",
    "localstep",
    "it",
    "i",
    "niter",
    "frac",
];

/// Whether a column of this name may count what is done within an epoch.
pub fn may_count_within_epochs(name: &str) -> bool {
    name.len() <= MAX_LENGTH && WITHIN_EPOCHS.contains(&folded(name).as_str())
}

/// Names, folded, of columns of numbers that distinguish trainings in one file.
const KEY_COLUMNS: &[&str] = &[
    "fold",
    "kfold",
    "cvfold",
    "seed",
    "trial",
    "replica",
    "replicate",
    "repeat",
    "repetition",
];

/// Whether a column of this name may distinguish trainings in one file.
pub fn may_be_key(name: &str) -> bool {
    name.len() <= MAX_LENGTH && KEY_COLUMNS.contains(&folded(name).as_str())
}

/// What a nameless first column that counts rows is called beside another x.
pub const INDEX: &str = "index";

/// Names, folded, of columns that say which part of the data a row is about.
const PART_COLUMNS: &[&str] = &[
    "phase",
    "split",
    "mode",
    "set",
    "subset",
    "dataset",
    "datasplit",
    "stage",
    "partition",
    "fold",
];

/// Whether a column of this name may say which part of the data a row is about.
pub fn may_name_parts(name: &str) -> bool {
    name.len() <= MAX_LENGTH && PART_COLUMNS.contains(&folded(name).as_str())
}

/// The part that a cell names.
pub fn part(cell: &str) -> Option<Split> {
    Split::named(cell.trim())
}

/// Whether a column's name says itself what it was measured on, as in `val_loss`.
pub fn names_part(name: &str) -> bool {
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    words.clone().count() > 1 && words.any(|word| Split::named(word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_letters_only() {
        for (name, kind) in [
            ("Global Step", Some(Kind::Step)),
            ("_step", Some(Kind::Step)),
            ("TotalEnvInteracts", Some(Kind::Step)),
            ("time/total_timesteps", Some(Kind::Step)),
            ("EPOCH", Some(Kind::Epoch)),
            ("batch_idx", Some(Kind::Batch)),
            ("Wall time", Some(Kind::Date)),
            ("step_size", None),
            ("epoch_loss", None),
            ("total_steps", None),
            ("loss", None),
        ] {
            assert_eq!(place(name).map(|(_, kind)| kind), kind, "{name}");
        }
        assert!(only_places("Step") && only_places("index") && !only_places("time"));
    }

    #[test]
    fn every_known_name_is_folded() {
        let names = NAMES
            .iter()
            .map(|(name, _)| *name)
            .chain(PART_COLUMNS.iter().copied());
        for name in names {
            assert_eq!(folded(name), name);
        }
    }

    #[test]
    fn words_name_parts_of_the_data() {
        assert_eq!(part(" Valid "), Some(Split::Validation));
        assert_eq!(part("holdout"), Some(Split::Validation));
        assert_eq!(part("finetune"), None);
        assert!(may_name_parts("Phase") && !may_name_parts("model"));
        assert!(names_part("val_loss") && names_part("loss/test") && !names_part("train"));
        assert!(!names_part("validity_score"));
    }
}
