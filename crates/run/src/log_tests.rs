use std::fs;
use std::path::Path;

use super::*;

fn append(path: &Path, text: &str) {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    let mut file = options.create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

struct Followed {
    _folder: tempfile::TempDir,
    dir: RunDir,
    reader: LogReader,
    log: Log,
}

impl Followed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::create_dir_all(dir.logs()).unwrap();
        Self {
            reader: LogReader::open(&dir),
            log: Log::default(),
            dir,
            _folder: folder,
        }
    }

    fn texts(&mut self) -> Vec<&str> {
        if let Some(news) = self.reader.poll() {
            self.log.take(news);
        }
        self.log.all().map(|line| line.text.as_str()).collect()
    }

    fn errors(&self) -> Vec<(&str, u64, u64)> {
        let errors = self.log.errors.iter();
        errors
            .map(|found| (found.text.as_str(), found.count, found.line))
            .collect()
    }
}

#[test]
fn what_the_worker_writes_to_both_shows_once_and_a_panic_where_it_happened() {
    let mut run = Followed::new();
    append(&run.dir.worker_out(), "run folder a\nepoch 1\n");
    append(
        &run.dir.training_log(),
        "[2026-11-27 04:00:00] begun\n[2026-11-27 04:00:01] epoch 1\n",
    );
    let stamped = [
        "run folder a",
        "[2026-11-27 04:00:00] begun",
        "[2026-11-27 04:00:01] epoch 1",
    ];
    assert_eq!(run.texts(), stamped);
    append(&run.dir.training_log(), "[2026-11-27 04:00:02] epoch 2\n");
    assert_eq!(run.texts().len(), 4);
    append(
        &run.dir.worker_out(),
        "epoch 2\nthread 'main' (7) panicked at src/a.rs:1:2:\nno such row\n",
    );
    append(
        &run.dir.training_log(),
        "[2026-11-27 04:00:03] the worker ended: no such row\n",
    );
    let expected = [
        "[2026-11-27 04:00:02] epoch 2",
        "thread 'main' (7) panicked at src/a.rs:1:2:",
        "no such row",
        "[2026-11-27 04:00:03] the worker ended: no such row",
    ];
    assert_eq!(run.texts()[3..], expected);
    assert_eq!(run.errors(), [("no such row", 1, 5)]);
    assert!(run.reader.poll().is_none());
}

#[test]
fn read_all_at_once_lines_stand_as_they_were_written() {
    let mut run = Followed::new();
    append(
        &run.dir.worker_out(),
        "epoch 1\nwarned\nepoch 1\nTraceback (most recent call last):\n  a\nKeyError: 'x'\n",
    );
    append(
        &run.dir.training_log(),
        "[t] epoch 1\n[t] resumed\n[t] epoch 1\n[t] ended\n",
    );
    let expected = [
        "[t] epoch 1",
        "warned",
        "[t] resumed",
        "[t] epoch 1",
        "Traceback (most recent call last):",
        "  a",
        "KeyError: 'x'",
        "[t] ended",
    ];
    assert_eq!(run.texts(), expected);
}

#[test]
fn all_that_a_command_prints_shows_and_its_errors_count() {
    let mut run = Followed::new();
    append(
        &run.dir.worker_out(),
        "step 1\nERROR: no shard 3\nstep 2\n10 %",
    );
    assert_eq!(
        run.texts(),
        ["step 1", "ERROR: no shard 3", "step 2", "10 %"]
    );
    append(
        &run.dir.worker_out(),
        "\r20 %\nERROR: no shard 3\nValueError: bad\n",
    );
    append(
        &run.dir.training_log(),
        "[t] the command ended with exit code 1: ValueError: bad\n",
    );
    let texts = run.texts();
    assert_eq!(texts[3], "20 %");
    assert_eq!(texts.len(), 7);
    assert_eq!(
        run.errors(),
        [("ValueError: bad", 1, 5), ("ERROR: no shard 3", 2, 4)]
    );
}

#[test]
fn the_error_of_which_a_command_ended_counts_once_and_one_that_says_more_is_another() {
    let mut run = Followed::new();
    append(
        &run.dir.worker_out(),
        "RuntimeError: CUDA out of memory\nValueError: bad\nValueError: bad shape\n",
    );
    append(
        &run.dir.training_log(),
        "[t] the command ended with exit code 1: RuntimeError: CUDA out of memory\n",
    );
    run.texts();
    let expected = [
        ("RuntimeError: CUDA out of memory", 1, 3),
        ("ValueError: bad shape", 1, 2),
        ("ValueError: bad", 1, 1),
    ];
    assert_eq!(run.errors(), expected);
}

#[test]
fn a_replaced_log_is_read_again_and_its_errors_are_forgotten() {
    let mut run = Followed::new();
    append(
        &run.dir.worker_out(),
        "ERROR: a\nlonger than what follows\n",
    );
    append(&run.dir.training_log(), "[t] b\n");
    assert_eq!(run.texts().len(), 3);
    fs::write(run.dir.worker_out(), "c\n").unwrap();
    assert_eq!(run.texts(), ["c", "[t] b"]);
    assert!(run.errors().is_empty());
}

#[test]
fn only_the_last_lines_are_kept_and_keep_their_numbers() {
    let mut run = Followed::new();
    let many = |from: usize, count: usize| {
        let lines = (from..from + count).map(|line| format!("line {line}"));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    append(&run.dir.worker_out(), &many(0, KEPT));
    run.texts();
    append(&run.dir.worker_out(), &many(KEPT, 5));
    assert_eq!(run.texts()[0], "line 5");
    assert_eq!(run.log.before, 5);
    assert_eq!(run.log.lines.len(), KEPT);
}
