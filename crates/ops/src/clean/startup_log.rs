//! Whether a log holds nothing but messages of a start, or of its failure. Trainings report
//! progress in endless forms, so these are not searched for: every number must be of a known
//! harmless kind ([`harmless_number`](super::harmless_number)), or in a line of a known kind.

use super::harmless_number::{has_bare_decimal, has_only_harmless_numbers};
use super::progress_words::{is_progress, mentions_progress};
use traintop_run::log_line::{Kind, LineClassifier, body};

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

/// What the lines before leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum OpenBlock {
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
    within: OpenBlock,
    classifier: LineClassifier,
}

impl Reader {
    fn is_harmless(&mut self, line: &str) -> bool {
        let kind = self.classifier.classify(line.to_owned()).kind;
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
        self.within = OpenBlock::Nothing;
        if text.starts_with("Traceback (most recent call last)") {
            self.within = OpenBlock::Traceback;
            return true;
        }
        if text.starts_with("thread '") && text.contains("panicked at ") {
            self.within = OpenBlock::Panic;
            return !mentions_progress(text);
        }
        match was {
            // Frames, their sources, and marks below these.
            OpenBlock::Traceback if text.is_empty() || is_indented => {
                self.within = OpenBlock::Traceback;
                return true;
            }
            OpenBlock::Panic if is_frame(text) => {
                self.within = OpenBlock::Panic;
                return true;
            }
            OpenBlock::Traceback | OpenBlock::Panic => return !mentions_progress(text),
            OpenBlock::Warning if is_indented && !mentions_progress(text) => return true,
            OpenBlock::Recipe => {
                if let Some((key, _)) = text.strip_prefix("  ").and_then(|it| it.split_once(" = "))
                {
                    self.within = OpenBlock::Recipe;
                    return !is_progress(key);
                }
            }
            OpenBlock::Warning | OpenBlock::Nothing => {}
        }
        if is_frame_of_python(text) {
            self.within = OpenBlock::Traceback;
            return true;
        }
        if text == "stack backtrace:" {
            self.within = OpenBlock::Panic;
            return true;
        }
        if kind == Kind::Error || is_known(text) {
            let is_about_arguments = text.contains("error: ") && text.contains("argument");
            let is_bare = kind == Kind::Error && !is_about_arguments && has_bare_decimal(text);
            let is_failure = text.starts_with("failed: ") && has_bare_decimal(text);
            return !(mentions_progress(text) || is_bare || is_failure);
        }
        if let Some(warning) = python_warning(text) {
            self.within = OpenBlock::Warning;
            return has_only_harmless_numbers(warning);
        }
        if let Some(is_recipe) = header_of_worker(text) {
            if is_recipe {
                self.within = OpenBlock::Recipe;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_of_a_megabyte_is_read_though_each_of_its_words_looks_like_a_date() {
        // Each of these took minutes when every word was compared with all others.
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
            // Failures that show how far it had come.
            "RuntimeError: the loss became nan in epoch 3",
            "[2026-11-24 10:00:00] failed: the loss became NaN in epoch 3",
            "[2026-11-24 10:00:00] ended after epoch 3, as asked",
            "[2026-11-24 10:00:00] epoch 3: loss 0.3",
            // A training that continued after a failure.
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
