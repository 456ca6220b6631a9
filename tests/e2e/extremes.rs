//! Numbers and lengths of time at their extremes, on the command line and in the configuration:
//! each gives a result or one sentence.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use clap::{ArgAction, CommandFactory};
use traintop::cli::Arguments;

use crate::dashboard::{age, foreign_run};
use crate::fake_worker::{ONE_EPOCH, Workplace};

/// The placeholder of a value in an argument or a file below.
const HERE: &str = "{}";

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "7304484",
    "2147483648",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "0.5",
    "1e-320",
    "1e300",
    "-1e300",
    "1e999",
    "NaN",
    "inf",
    "-inf",
    "",
];

const TIMES: &[&str] = &[
    "0s",
    "1e3d",
    "0.0000000001s",
    "4294967296d",
    "5000000w",
    "99999999999999999999999w",
    "18446744073709551615s",
    "1w999999999999999999d",
    "9999-12-31",
    "-9999-01-01",
    "9999-12-31T23:59",
    "-009999-01-02T01:59:59Z",
    "9999-12-30T22:00:00Z",
];

/// Each argument that takes a number.
const OF_NUMBERS: &[&str] = &[
    "compare alpha beta --at-epoch={}",
    "compare alpha beta --threshold={}",
    "list --where best.val_acc>{}",
    "list --where at{}.val_acc>1",
    "train --config=quick --queue --set seed={}",
    "train --config=quick --sweep seed=1..3 --sample={}",
    "train --config=quick --sweep seed=1..3 --sample=1 --seed={}",
    "train --config=quick --sweep seed={}..3",
    "train --config=quick --sweep seed=1..{}",
    "train --config=quick --sweep seed={}..9223372036854775807",
    "train --config=quick --sweep seed=1..9/{}",
    "train --config=quick --sweep seed={}..9/3",
    "train --config=quick --sweep max_lr={}..0.1*4",
    "train --config=quick --sweep max_lr=1e-300..{}*4",
    "steer alpha --end-after-epoch={}",
    "steer alpha --lr-factor={}",
    "evaluate alpha --views={}",
    "evaluate alpha --seed={}",
    "evaluate alpha --batch-size={}",
    "clean --keep-best={}",
    "clean --keep-last={}",
    "clean --keep-every={}",
    "clean --min-epochs={}",
    "clean --max-age={}",
    "trash purge --older-than={}",
    "recipe quick --images={}",
    "recipe quick --classes={}",
];

/// Each argument that takes a length of time, a moment or a size.
const OF_TIMES: &[&str] = &[
    "digest --since={}",
    "alerts --since={}",
    "list --where age<{}",
    "list --where duration>{}",
    "list --where size>{}",
    "list --where started>{}",
    "train --config=quick --queue --time-limit={}",
];

/// Arguments that take a text, a path, one of some words, or a recipe's `KEY=VALUE`, whose extremes
/// the command `recipe` tests.
const OF_TEXTS: &[&str] = &[
    "along",
    "baseline",
    "checkpoint",
    "columns",
    "config",
    "data",
    "device",
    "format",
    "higher",
    "launcher",
    "lower",
    "metric",
    "on",
    "only",
    "out",
    "output",
    "output-dir",
    "precision",
    "protect",
    "root",
    "set",
    "split",
    "star",
    "sweep",
    "sweep-name",
    "text",
    "to",
    "weights",
    "where",
];

fn workplace() -> Workplace {
    let place = Workplace::new(ONE_EPOCH);
    for (name, accuracies) in [("alpha", [40.0, 61.5]), ("beta", [30.0, 20.25])] {
        foreign_run(place.path(), name, &accuracies);
        age(place.path(), name);
    }
    place
}

/// What went wrong, if the program did anything but answer.
fn panic_of(mut command: Command) -> Option<String> {
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    let is_answer = matches!(output.status.code(), Some(0..=3)) && !printed.contains("panicked");
    let sentence = output.status.success() || !printed.trim().is_empty();
    (!is_answer || !sentence).then(|| {
        let arguments: Vec<_> = command.get_args().collect();
        format!("{arguments:?}: {}\n{printed}", output.status)
    })
}

fn assert_none(failed: &[String], tried: usize) {
    assert!(
        failed.is_empty(),
        "{} of {tried} failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn every_number_on_the_command_line_gives_an_answer() {
    let place = workplace();
    let mut tried = 0;
    let mut failed = Vec::new();
    let numbers = OF_NUMBERS
        .iter()
        .flat_map(|line| NUMBERS.iter().map(move |value| (line, value)));
    let times = OF_TIMES.iter().flat_map(|line| {
        let values = NUMBERS.iter().chain(TIMES);
        values.map(move |value| (line, value))
    });
    for (line, value) in numbers.chain(times) {
        let filled: Vec<_> = line
            .split(' ')
            .map(|word| word.replace(HERE, value))
            .collect();
        let filled: Vec<&str> = filled.iter().map(String::as_str).collect();
        failed.extend(panic_of(place.traintop(&filled)));
        tried += 1;
    }
    assert_none(&failed, tried);
}

/// Each key of the configuration that takes a number.
const KEYS: &[&str] = &[
    "threads = {}",
    "slots = {}",
    "gpu_memory = {}",
    "[retention]\nkeep_best = {}",
    "[retention]\nkeep_last = {}",
    "[retention]\nkeep_every = {}",
    "[retention]\nmin_epochs = {}",
    "[retention]\nmax_age = {}",
    "[retention]\npurge_after = {}",
    "[alerts]\nno_progress = {}",
    "[alerts]\nstalled = {}",
    "[alerts]\ndisk_free = {}",
    "[slurm]\nsignal = {}",
    "[slurm]\nat_once = {}",
    "[slurm]\ntime = {}",
    "[launcher.mine]\ncommand = [\"true\"]\ngpus = {}",
];

/// As TOML writes them; some are the last that a key accepts.
const WRITTEN: &[&str] = &[
    "0",
    "-1",
    "64",
    "1000",
    "4096",
    "1_000_000",
    "9223372036854775807",
    "99999999999999999999",
    "1e300",
    "nan",
];

#[test]
fn every_number_in_the_configuration_gives_an_answer() {
    let place = workplace();
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    let mut failed = Vec::new();
    for key in KEYS {
        for value in WRITTEN {
            fs::write(folder.join("config.toml"), key.replace(HERE, value)).unwrap();
            for arguments in [&["clean"][..], &["alerts"], &["queue"]] {
                let found = panic_of(place.traintop(arguments));
                failed.extend(found.map(|found| format!("{key:?} with {value:?}: {found}")));
            }
        }
    }
    assert_none(&failed, 3 * KEYS.len() * WRITTEN.len());
}

#[test]
fn no_argument_is_left_out() {
    fn collect(command: &clap::Command, names: &mut BTreeSet<String>) {
        for argument in command.get_arguments() {
            if matches!(argument.get_action(), ArgAction::Set | ArgAction::Append) {
                names.extend(argument.get_long().map(str::to_owned));
            }
        }
        for command in command
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            collect(command, names);
        }
    }
    let mut names = BTreeSet::new();
    collect(&Arguments::command(), &mut names);
    let is_tried = |name: &str| {
        let option = format!(" --{name}={HERE}");
        let mut lines = OF_NUMBERS.iter().chain(OF_TIMES);
        lines.any(|line| line.contains(&option))
    };
    names.retain(|name| !is_tried(name));
    // What is left takes no number, and each of these is an argument.
    let texts: BTreeSet<_> = OF_TEXTS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names, texts);
}
