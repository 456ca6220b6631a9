//! Every file that the programs read, damaged at random: no command panics, hangs, takes much
//! memory, prints an escape byte or touches anything outside of the tree and the user's own
//! folders. `make fuzz` tries more inputs than the tests do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::fake_worker::{ONE_EPOCH, Workplace};
use crate::odd_files::bounded;

/// Inputs in an ordinary test run.
const INPUTS: u64 = 40;
/// What is put into files: numbers at their ends, control characters, paths that lead out, deep
/// nesting.
const TOKENS: [&str; 20] = [
    "\x1b[31m\x07\u{9b}\u{202e}",
    "1e999",
    "-1",
    "18446744073709551616",
    "99999999999999999999999999",
    "NaN",
    "null",
    "\"\"",
    "[]",
    "{}",
    "\0",
    "\n\n",
    ",,,,",
    "../../../../outside/kept",
    "/",
    "..",
    "\u{feff}",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "=cmd()",
];

/// The file that each command may never change, beside the tree.
const OUTSIDE: &str = "outside/kept";

/// A number below `end`.
fn below(random: &mut ChaCha8Rng, end: usize) -> usize {
    (random.next_u64() % end.max(1) as u64) as usize
}

/// All files below a folder with their bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.insert(entry.path(), fs::read(entry.path()).unwrap());
            }
        }
    }
    found
}

/// A tree with one of everything, made by the programs themselves: what each writes is what it
/// reads.
fn everything(place: &Workplace) {
    let run = |name: &str| {
        let run = place.path().join("runs/training_runs").join(name);
        fs::create_dir_all(run.join("logs")).unwrap();
        fs::create_dir_all(run.join("checkpoints")).unwrap();
        let metrics =
            "epoch,train_loss,val_acc,time_elapsed\n1,0.5,61.25,2\n2,0.4,70.5,4\n3,0.3,nan,6\n";
        fs::write(run.join("logs/metrics.csv"), metrics).unwrap();
        fs::write(
            run.join("logs/steps.csv"),
            "step,loss,lr\n1,0.5,0.1\n2,0.4,0.1\n",
        )
        .unwrap();
        fs::write(
            run.join("logs/config.json"),
            "{\"num_epochs\": 3, \"model_name\": \"resnet\", \"optimizer\": {\"lr\": 0.1}}",
        )
        .unwrap();
        fs::write(
            run.join("logs/training.log"),
            "[2026-11-20 10:00:00] Epoch 1/3: loss 0.5\nTraceback\nValueError: bad\n",
        )
        .unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoint");
        fs::copy(fixtures.join("plain.pth"), run.join("best.pth")).unwrap();
        fs::copy(
            fixtures.join("plain.safetensors"),
            run.join("checkpoints/epoch_1.safetensors"),
        )
        .unwrap();
        run
    };
    let foreign = run("foreign");
    let removed = run("removed");
    let packed = run("packed");
    let ours = place.start_detached();
    ours.wait_for_state("finished");
    fs::write(
        ours.0.join("control.json"),
        "{\"save\": 1, \"paused\": false}",
    )
    .unwrap();
    let say = |arguments: &[&str]| drop(place.stdout(arguments));
    say(&["tag", "+good", "foreign"]);
    say(&["note", "foreign", "a note"]);
    say(&["archive", "--yes", "packed"]);
    say(&["rename", "--yes", "--to", "{name}x", "foreign"]);
    drop((foreign, removed, packed));
    let mut retention = place.traintop(&["clean", "--yes", "--only", "superseded"]);
    drop(retention.output().unwrap());
    let evaluation = place
        .path()
        .join("runs/evaluations/e_val_acc_61.25_2026_11_30_10_00_00_model_best");
    fs::create_dir_all(&evaluation).unwrap();
    fs::write(
        evaluation.join("summary.json"),
        "{\"schema_version\": 1, \"checkpoints\": [], \"views\": 1, \"total\": 3, \"correct\": 2}",
    )
    .unwrap();
    fs::write(
        evaluation.join("progress.json"),
        "{\"images_done\": 1, \"images\": 3}",
    )
    .unwrap();
    fs::write(evaluation.join("predictions.csv"), "ID,Labels\n0,1\n1,2\n").unwrap();
    fs::copy(packed_weights(), evaluation.join("logits.safetensors")).unwrap();
    let entry = place.path().join("runs/.trash/20261120-000003");
    fs::create_dir_all(&entry).unwrap();
    let journal = r#"{"id":"20261120-000003","removed_at":"2026-11-20T00:00:00Z","by":"clean","why":"x","stage":"kept","bytes":5,"items":[{"path":"training_runs/gone","kind":"file","slot":0}],"folders":[]}"#;
    fs::write(entry.join("entry.json"), journal).unwrap();
    fs::write(entry.join("0"), "12345").unwrap();
    let config = place.path().join("config/traintop");
    fs::create_dir_all(config.join("themes")).unwrap();
    fs::write(config.join("config.toml"), "slots = 2\nroots = ['runs']\n[keys]\nquit = ['q']\n[launcher.mine]\ncommand = ['true']\n[retention]\npurge_after = 30\n").unwrap();
    fs::write(
        config.join("themes/mine.toml"),
        "inherits = 'dark'\n[palette]\nred = '#ff0000'\n",
    )
    .unwrap();
    fs::write(
        place.path().join("mine.toml"),
        "num_epochs = 3\nmodel_name = 'resnet_se'\nmax_lr = 0.1\n",
    )
    .unwrap();
    let outside = place.path().join(OUTSIDE);
    fs::create_dir_all(outside.parent().unwrap()).unwrap();
    fs::write(outside, "kept").unwrap();
    let trackio = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trainers/trackio");
    for name in ["digits.db", "digits.db-wal", "earlier.db"] {
        fs::copy(trackio.join(name), place.path().join("runs").join(name)).unwrap();
    }
}

fn packed_weights() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoint/plain.safetensors")
}

/// What is done to a file.
fn damage(random: &mut ChaCha8Rng, path: &Path, all: &[PathBuf], outside: &Path) {
    let mut bytes = fs::read(path).unwrap_or_default();
    let at = below(random, bytes.len() + 1);
    match below(random, 12) {
        0 => bytes.truncate(at),
        1 | 2 => {
            for _ in 0..=below(random, 8) {
                let at = below(random, bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next_u32() as u8;
                }
            }
        }
        3..=5 => {
            let token = TOKENS[below(random, TOKENS.len())].as_bytes();
            let end = (at + below(random, 12)).min(bytes.len());
            bytes.splice(at..end, token.iter().copied());
        }
        6 => {
            let open = [b"[".as_slice(), b"{\"a\":", b"(", b"a.\""][below(random, 4)];
            bytes.splice(at..at, open.repeat(1 + below(random, 50_000)));
        }
        7 => {
            let end = (at + below(random, 400)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece.repeat(1 + below(random, 200)));
        }
        8 => {
            // It may be a link to a device by now, which has no end.
            let other = &all[below(random, all.len())];
            let is_file = other.symlink_metadata().is_ok_and(|kind| kind.is_file());
            let read = is_file.then(|| fs::read(other).unwrap_or_default());
            bytes = read.unwrap_or_default();
        }
        9 => {
            // A path that leads out, in the place of a text.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let quotes: Vec<usize> = text.match_indices('"').map(|(at, _)| at).collect();
            if quotes.len() > 1 {
                let first = below(random, quotes.len() - 1);
                let out = if random.next_u32().is_multiple_of(2) {
                    outside.display().to_string()
                } else {
                    "../".repeat(8) + OUTSIDE
                };
                bytes = format!(
                    "{}\"{out}{}",
                    &text[..quotes[first]],
                    &text[quotes[first + 1]..]
                )
                .into_bytes();
            }
        }
        10 => {
            let _ = fs::remove_file(path);
            let target = if random.next_u32().is_multiple_of(2) {
                outside
            } else {
                Path::new("/dev/zero")
            };
            symlink(target, path).unwrap();
            return;
        }
        _ => {
            let _ = fs::remove_file(path);
            fs::create_dir(path).unwrap();
            return;
        }
    }
    fs::write(path, bytes).unwrap();
}

/// What is asked of a damaged tree.
const COMMANDS: [&[&str]; 33] = [
    &["list"],
    &["list", "--json"],
    &["list", "--where", "val_acc>50 -tag:old age<900d"],
    &["show", "foreignx"],
    &["show", "packed", "--json"],
    &["digest"],
    &["digest", "--since", "900d", "--json"],
    &["alerts"],
    &["alerts", "--since", "900d", "--json"],
    &["best"],
    &["best", "--json"],
    &["clean"],
    &["clean", "--json"],
    &["clean", "--yes", "--only", "superseded"],
    &["organize"],
    &["organize", "--json"],
    &["organize", "--yes"],
    &["queue"],
    &["queue", "--json"],
    &["trash", "list"],
    &["trash", "list", "--json"],
    &["trash", "restore", "--yes"],
    &["export", "table", "--format", "csv"],
    &["unarchive", "packed"],
    &["unarchive", "--yes", "packed"],
    &["compare", "foreignx", "packed"],
    &["compare", "foreignx", "packed", "--json"],
    &["recipe", "mine.toml"],
    &["recipe", "mine.toml", "--json"],
    &["tag", "+x", "foreignx"],
    &["tag", "--json", "foreignx"],
    &["show", "foreignx", "--json"],
    &["rename", "--yes", "--to", "{name}y", "foreignx"],
];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// What of a command's output no terminal may get.
fn is_escape(char: char) -> bool {
    char != '\n' && char != '\t' && char.is_control()
}

#[test]
fn no_damage_to_any_file_makes_a_command_panic_hang_or_reach_outside() {
    let (inputs, seconds) = (number("FUZZ_INPUTS", INPUTS), number("FUZZ_SECONDS", 3600));
    let first = number("FUZZ_SEED", 1);
    let until = Instant::now() + Duration::from_secs(seconds);
    let place = Workplace::new(ONE_EPOCH);
    everything(&place);
    let pristine = place.path().join("pristine");
    let kept = ["runs", "config", "state", "cache", "outside", "mine.toml"];
    let restore = |from: &Path, to: &Path| {
        for name in kept {
            let _ = Command::new("rm").arg("-rf").arg(to.join(name)).status();
            if from.join(name).exists() {
                let copied = Command::new("cp")
                    .arg("-a")
                    .arg(from.join(name))
                    .arg(to)
                    .status();
                assert!(copied.unwrap().success());
            }
        }
    };
    fs::create_dir(&pristine).unwrap();
    restore(place.path(), &pristine);
    let outside = place.path().join("outside");
    let (mut tried, mut commands) = (0, 0);
    for seed in first..first + inputs {
        if Instant::now() > until {
            break;
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        restore(&pristine, place.path());
        let all: Vec<PathBuf> = ["runs", "config", "state", "cache", "mine.toml"]
            .iter()
            .map(|name| place.path().join(name))
            .flat_map(|path| {
                if path.is_dir() {
                    files(&path).into_keys().collect()
                } else {
                    vec![path]
                }
            })
            .filter(|path| path.exists())
            .collect();
        let mut damaged = Vec::new();
        for _ in 0..=below(&mut random, 3) {
            let path = &all[below(&mut random, all.len())];
            if !damaged.contains(path) && path.is_file() {
                damage(&mut random, path, &all, &place.path().join(OUTSIDE));
                damaged.push(path.clone());
            }
        }
        for _ in 0..4 {
            let command = COMMANDS[below(&mut random, COMMANDS.len())];
            let output = bounded(&place, command);
            commands += 1;
            let context = || {
                format!(
                    "FUZZ_SEED={seed} FUZZ_INPUTS=1, {command:?}, damaged: {damaged:?}: {output:?}"
                )
            };
            assert!(matches!(output.status.code(), Some(0..=3)), "{}", context());
            let printed = [&output.stdout[..], &output.stderr].concat();
            let printed = String::from_utf8_lossy(&printed);
            assert!(!printed.contains("panicked at"), "{}", context());
            assert!(!printed.contains(is_escape), "{}", context());
            let after = files(&outside);
            assert_eq!(
                after,
                BTreeMap::from([(place.path().join(OUTSIDE), b"kept".to_vec())]),
                "{}",
                context()
            );
        }
        tried += 1;
    }
    println!("{tried} damaged trees, {commands} commands");
}
