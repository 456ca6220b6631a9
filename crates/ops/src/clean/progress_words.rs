//! The words by which a line or a name shows progress, or a result, once a number is beside one.

/// What a training counts, in lower case.
const COUNTED: [&str; 12] = [
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
    "episode",
    "episodes",
];

/// What is measured of a network, and never set, in lower case.
pub const MEASURED: [&str; 21] = [
    "acc",
    "accuracy",
    "reward",
    "rewards",
    "score",
    "scores",
    "f1",
    "auc",
    "auroc",
    "iou",
    "miou",
    "dice",
    "ppl",
    "perplexity",
    "bleu",
    "rmse",
    "wer",
    "psnr",
    "fid",
    "elbo",
    "nll",
];

/// What is measured, or which measure is meant, in lower case.
pub const LOSSES: [&str; 3] = ["loss", "mse", "mae"];

/// Whether a line that may hold any number has one beside a word of progress.
pub fn mentions_progress(text: &str) -> bool {
    let has_number = |word: &str| word.contains(char::is_numeric) || is_no_number(word);
    let mut words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
    is_progress(text) && words.any(has_number)
}

/// Whether one of the words of a text or name is about progress: `val_loss`, `epoch3`.
pub fn is_progress(text: &str) -> bool {
    let mut words = text.split(|char: char| !char.is_alphanumeric());
    words.any(|word| {
        let word = word.to_lowercase();
        let letters = word.trim_end_matches(char::is_numeric);
        let mut known = [&COUNTED[..], &MEASURED, &LOSSES].into_iter().flatten();
        known.any(|known| *known == letters || *known == word)
    })
}

/// Whether a word is what a value becomes that went wrong.
pub fn is_no_number(word: &str) -> bool {
    ["nan", "inf", "infinity"]
        .iter()
        .any(|name| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beside_a_word_of_progress_tells_progress() {
        for text in ["epoch 3", "val_loss: 0.3", "ended after epoch3", "loss nan"] {
            assert!(mentions_progress(text), "{text}");
        }
        for text in ["epoch", "expected 3, got 4", "lossless 3"] {
            assert!(!mentions_progress(text), "{text}");
        }
    }
}
