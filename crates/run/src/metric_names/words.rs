//! The words of a name, with any separator.

use std::ops::Range;

/// Words in lower case, with nothing between them, so that terms of several words can be looked up
/// without copying.
#[derive(Debug, Clone)]
pub struct Words {
    text: String,
    /// Where each word begins; the text's length at the end.
    begins: Vec<usize>,
}

/// What is counted where a speed is written as `tokens/s`.
const COUNTED: [&str; 18] = [
    "images", "imgs", "img", "tokens", "tok", "toks", "samples", "sample", "steps", "step",
    "iters", "iter", "it", "examples", "frames", "batches", "episodes", "files",
];

impl Words {
    /// Splits at everything that is no letter and no digit, and where `camelCase` begins a word.
    pub fn of(name: &str) -> Self {
        let mut text = String::with_capacity(name.len());
        let mut begins = Vec::with_capacity(8);
        let mut before: Option<char> = None;
        let mut letters = name.chars().peekable();
        while let Some(letter) = letters.next() {
            if !letter.is_alphanumeric() {
                before = None;
                continue;
            }
            let begins_word = match before {
                None => true,
                Some(before) if letter.is_uppercase() => {
                    // In `PSNRValue` the word begins one letter before the small ones.
                    let next_is_small = letters.peek().is_some_and(|next| next.is_lowercase());
                    !before.is_uppercase() || next_is_small
                }
                Some(_) => false,
            };
            if begins_word {
                begins.push(text.len());
            }
            text.extend(letter.to_lowercase());
            before = Some(letter);
        }
        begins.push(text.len());
        Self { text, begins }
    }

    pub fn len(&self) -> usize {
        self.begins.len() - 1
    }

    pub fn get(&self, at: usize) -> Option<&str> {
        (at < self.len()).then(|| self.run_together(at..at + 1))
    }

    pub fn last(&self) -> Option<&str> {
        self.get(self.len().checked_sub(1)?)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.begins
            .windows(2)
            .map(|word| &self.text[word[0]..word[1]])
    }

    /// These words with nothing between them.
    pub fn run_together(&self, place: Range<usize>) -> &str {
        &self.text[self.begins[place.start]..self.begins[place.end]]
    }

    pub fn joined(&self, between: &str) -> String {
        self.iter().collect::<Vec<_>>().join(between)
    }

    pub fn has(&self, any: &[&str]) -> bool {
        self.iter().any(|word| any.contains(&word))
    }

    pub fn without(&self, at: usize) -> Self {
        self.keep(|place| place != at)
    }

    /// The words before `per`, and the one after it, if both are there.
    pub fn before_per(&self) -> (Self, Option<String>) {
        let per = self.iter().position(|word| word == "per");
        match per.filter(|at| *at > 0 && at + 1 < self.len()) {
            // Bits per byte are one term.
            Some(at) if self.get(at - 1) != Some("bits") => (
                self.keep(|place| place < at),
                self.get(at + 1).map(str::to_owned),
            ),
            _ => (self.clone(), None),
        }
    }

    /// Whether the last two are a count and a second: `tokens/s`.
    pub fn counts_a_second(&self) -> bool {
        let before = self.len().checked_sub(2).and_then(|at| self.get(at));
        before.is_some_and(|word| COUNTED.contains(&word))
            && self
                .last()
                .is_some_and(|last| ["s", "sec", "second"].contains(&last))
    }

    fn keep(&self, keeps: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self {
            text: String::with_capacity(self.text.len()),
            begins: vec![0],
        };
        for (_, word) in self.iter().enumerate().filter(|(at, _)| keeps(*at)) {
            kept.text.push_str(word);
            kept.begins.push(kept.text.len());
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for (name, words) in [
            ("val_loss", "val loss"),
            ("AverageTestEpRet", "average test ep ret"),
            ("metrics/mAP50-95(B)", "metrics m ap50 95 b"),
            ("Val Acc (%)", "val acc"),
            ("PSNRValue", "psnr value"),
            ("F1Score", "f1 score"),
            ("Précision", "précision"),
            ("", ""),
        ] {
            assert_eq!(Words::of(name).joined(" "), words);
        }
    }
}
