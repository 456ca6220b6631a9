//! Random trees of what twenty trainers leave on the disk, under random policies: whatever is
//! selected, nothing goes that must stay. What must stay is known from how each tree was made, not
//! from the code under test.

use std::collections::BTreeSet;

use super::held::settle;
use super::*;

/// How many trees are made.
const TREES: u64 = 300;

/// A small generator of numbers, so that a tree can be made again by its seed.
struct Dice(u64);

impl Dice {
    /// From 0 to below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64, by Steele, Lea and Flood.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn is(&mut self, one_in: u64) -> bool {
        self.roll(one_in) == 0
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len() as u64) as usize]
    }
}

/// What was made of one run.
struct Made {
    folder: PathBuf,
    /// Checkpoints that a rule may name; all else stays unless the whole folder may go.
    may_go: BTreeSet<PathBuf>,
    /// Whether it holds no row, no weights and nothing unknown.
    is_hollow: bool,
    /// Epochs of a run with rows that are understood, but without weights or anything unknown.
    is_light: Option<u32>,
}

/// What a trainer leaves beside `metrics.csv`: settings, which nobody would miss, and results and
/// weights, of which each stays.
struct Layout {
    name: &'static str,
    settings: &'static [&'static str],
    stays: &'static [&'static str],
    /// The name of an epoch's checkpoint, with its number in place of `#`.
    epoch: &'static str,
}

const LAYOUTS: [Layout; 24] = [
    Layout {
        name: "own",
        settings: &["logs/config.json", "logs/worker.out"],
        stays: &["best.safetensors", "last.safetensors"],
        epoch: "checkpoints/epoch_#.safetensors",
    },
    Layout {
        name: "lightning",
        settings: &["hparams.yaml"],
        stays: &["checkpoints/last.ckpt"],
        epoch: "checkpoints/epoch=#-step=9.ckpt",
    },
    Layout {
        name: "hydra",
        settings: &[
            ".hydra/config.yaml",
            ".hydra/hydra.yaml",
            ".hydra/overrides.yaml",
        ],
        stays: &["tags.log", "checkpoints/last.ckpt"],
        epoch: "checkpoints/epoch_#.ckpt",
    },
    Layout {
        name: "huggingface",
        settings: &[],
        stays: &[
            "checkpoint-500/trainer_state.json",
            "checkpoint-500/model.safetensors",
            "checkpoint-500/optimizer.pt",
            "training_args.bin",
        ],
        epoch: "",
    },
    Layout {
        name: "llama-factory",
        settings: &[],
        stays: &["trainer_log.jsonl", "adapter_model.safetensors"],
        epoch: "",
    },
    Layout {
        name: "ultralytics",
        settings: &["args.yaml"],
        stays: &["results.csv", "weights/best.pt", "weights/last.pt"],
        epoch: "weights/epoch#.pt",
    },
    Layout {
        name: "yolov5",
        settings: &["opt.yaml", "hyp.yaml"],
        stays: &[
            "results.csv",
            "weights/best.pt",
            "weights/last.pt",
            "events.out.tfevents.17.h",
        ],
        epoch: "",
    },
    Layout {
        name: "timm",
        settings: &["args.yaml"],
        stays: &[
            "summary.csv",
            "model_best.pth.tar",
            "last.pth.tar",
            "checkpoint-12.pth.tar",
        ],
        epoch: "",
    },
    Layout {
        name: "detectron2",
        settings: &["config.yaml"],
        stays: &[
            "metrics.json",
            "last_checkpoint",
            "model_final.pth",
            "model_0004999.pth",
        ],
        epoch: "",
    },
    Layout {
        name: "openmmlab",
        settings: &[],
        stays: &[
            "last_checkpoint",
            "best_acc_epoch_3.pth",
            "20261124_010203/vis_data/scalars.json",
        ],
        epoch: "epoch_#.pth",
    },
    Layout {
        name: "keras",
        settings: &[],
        stays: &[
            "model.h5",
            "best.keras",
            "ckpt-0003.index",
            "ckpt-0003.data-00000-of-00001",
            "saved_model/saved_model.pb",
        ],
        epoch: "",
    },
    Layout {
        name: "fastai",
        settings: &[],
        stays: &["history.csv", "models/stage-1.pth", "export.pkl"],
        epoch: "",
    },
    Layout {
        name: "stable-baselines",
        settings: &[],
        stays: &[
            "progress.csv",
            "policy.zip",
            "evaluations.npz",
            "rl_model_1000_steps.zip",
            "vecnormalize.pkl",
        ],
        epoch: "",
    },
    Layout {
        name: "monitor",
        settings: &[],
        stays: &["0.monitor.csv", "best_model.zip"],
        epoch: "",
    },
    Layout {
        name: "rllib",
        settings: &["params.json"],
        stays: &[
            "result.json",
            "progress.csv",
            "params.pkl",
            "checkpoint_000001/algorithm_state.pkl",
        ],
        epoch: "",
    },
    Layout {
        name: "spinning-up",
        settings: &["config.json"],
        stays: &["progress.txt", "vars.pkl", "pyt_save/model.pt"],
        epoch: "",
    },
    Layout {
        name: "rlkit",
        settings: &["variant.json"],
        stays: &["progress.csv", "params.pkl"],
        epoch: "",
    },
    Layout {
        name: "dvclive",
        settings: &[],
        stays: &[
            "dvclive/metrics.json",
            "dvclive/params.yaml",
            "dvclive/plots/metrics/loss.tsv",
        ],
        epoch: "",
    },
    Layout {
        name: "tensorboard",
        settings: &[],
        stays: &[
            "tb/train/events.out.tfevents.17.h",
            "tb/validation/events.out.tfevents.18.h",
        ],
        epoch: "checkpoints/model_epoch_#.pt",
    },
    Layout {
        name: "wandb",
        settings: &[],
        stays: &[
            "wandb/run-1-a/run-a.wandb",
            "wandb/run-1-a/files/output.log",
        ],
        epoch: "model-epoch-#.pth",
    },
    Layout {
        name: "mlflow",
        settings: &[],
        stays: &[
            "mlruns/0/meta.yaml",
            "mlruns/0/ab/metrics/loss",
            "mlruns/0/ab/artifacts/model.onnx",
        ],
        epoch: "",
    },
    Layout {
        name: "sacred",
        settings: &["config.json"],
        stays: &["run.json", "metrics.json", "cout.txt", "info.json"],
        epoch: "",
    },
    Layout {
        name: "catboost",
        settings: &[],
        stays: &[
            "catboost_info/learn_error.tsv",
            "catboost_info/time_left.tsv",
            "model.cbm",
        ],
        epoch: "",
    },
    Layout {
        name: "text log",
        settings: &[],
        stays: &["log.txt", "ckpt.bin"],
        epoch: "",
    },
];

/// What makes a folder a project, of which nothing is offered.
const PROJECT: [&str; 5] = [
    ".git/HEAD",
    "train.py",
    "Makefile",
    "old/metrics.csv",
    "a/b/run.json",
];
/// What makes a folder one that stays as a whole.
const WORK: [&str; 6] = [
    "thesis.txt",
    "code/model.py",
    "data/x.csv",
    "net.onnx",
    "deep/er/last.msgpack",
    "cout.txt",
];
/// Metrics that hold something though no epoch is seen in them.
const CONTENTS: [&str; 7] = [
    // These two are courses by steps.
    "step,train_loss\n50,0.5\n100,0.4\n",
    "time/total_timesteps,rollout/ep_rew_mean\n163000,20\n",
    "epoch;loss\n1;0.5\n",
    "1,0.5\n2,0.4\n",
    "Model,Accuracy\nresnet,high\n",
    "epoch,loss\n1,0.5,9\n",
    "epoch,loss\n1,0.",
];

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let beginning: &[u8] = match path.extension().and_then(|ending| ending.to_str()) {
        Some("pt" | "pth" | "ckpt" | "zip" | "keras" | "npz" | "bin" | "tar") => b"PK\x03\x04",
        Some("pkl") => b"\x80\x04}.",
        Some("h5") => b"\x89HDF\r\n\x1a\n",
        Some("json") => b"{}",
        Some("yaml" | "csv" | "txt" | "log" | "out" | "py") => b"x: 1\n",
        _ => b"\x08\x07\x12\x07",
    };
    // Each is different, so that none is a duplicate.
    let name = path.display().to_string();
    fs::write(path, [beginning, name.as_bytes()].concat()).unwrap();
}

/// Metrics of so many epochs, the most accurate of them `best` or the last; of none, a header or
/// something else.
fn course(epochs: u32, best: u32, dice: &mut Dice) -> String {
    if epochs == 0 && dice.is(2) {
        return dice.pick(&CONTENTS).to_owned();
    }
    let mut rows = "epoch,step,val_acc\n".to_owned();
    if dice.is(2) {
        rows = "epoch,seconds,val_acc\n".to_owned();
    }
    for epoch in 1..=epochs {
        let accuracy = 90 - epoch.abs_diff(best.min(epochs));
        let row = format!("{epoch},{},{accuracy}\n", epoch * 100);
        rows.push_str(&row);
    }
    rows
}

fn make(tree: &Tree, number: usize, dice: &mut Dice) -> Made {
    let layout = &LAYOUTS[dice.roll(LAYOUTS.len() as u64) as usize];
    let folder = tree.root().join(format!("{} {number}", layout.name));
    let epochs = if dice.is(3) { 0 } else { dice.roll(12) as u32 };
    let mut may_go = BTreeSet::new();
    let mut is_bare = dice.is(3);
    let metrics = if layout.name == "own" {
        "logs/metrics.csv"
    } else {
        "metrics.csv"
    };
    let metrics = folder.join(metrics);
    fs::create_dir_all(metrics.parent().unwrap()).unwrap();
    let best = 1 + dice.roll(12) as u32;
    // Names that count from 0 where the metrics count from 1: the best is called by one less.
    let from_zero = dice.is(2);
    let rows = course(epochs, best, dice);
    let has_content = epochs == 0 && CONTENTS.contains(&rows.as_str());
    let has_steps = CONTENTS[..2].contains(&rows.as_str());
    fs::write(&metrics, rows).unwrap();
    for settings in layout.settings {
        write(&folder.join(settings));
    }
    if !is_bare {
        let mut names = BTreeSet::new();
        for name in layout.stays {
            if !dice.is(4) {
                write(&folder.join(name));
                names.insert(name.rsplit('/').next().unwrap());
            }
        }
        let has = |word: &str| {
            let is_named = |name: &&str| name.contains(word) && may_have_role(name);
            names.iter().any(is_named)
        };
        let (has_best, has_last) = (has("best"), has("last") || has("final"));
        let numbers: Vec<u32> = (1..=epochs).filter(|_| !dice.is(3)).collect();
        if !layout.epoch.is_empty() {
            for &epoch in &numbers {
                let number = if from_zero { epoch - 1 } else { epoch };
                let path = folder.join(layout.epoch.replace('#', &number.to_string()));
                write(&path);
                let is_last = Some(&epoch) == numbers.last();
                // The most accurate of those that are there; of equals one at least stays.
                let distance = |epoch: u32| epoch.abs_diff(best.min(epochs));
                let nearest = numbers.iter().map(|epoch| distance(*epoch)).min();
                let mut equals = numbers
                    .iter()
                    .filter(|one| Some(distance(**one)) == nearest);
                let is_best = equals.clone().count() == 1 && equals.next() == Some(&epoch);
                if (has_best || !is_best) && (has_last || !is_last) {
                    may_go.insert(path);
                }
            }
        }
        is_bare = names.is_empty() && (numbers.is_empty() || layout.epoch.is_empty());
    }
    let mut is_project = false;
    if dice.is(6) {
        write(&folder.join(dice.pick(&PROJECT)));
        is_project = true;
    }
    if dice.is(6) {
        write(&folder.join(dice.pick(&WORK)));
        is_bare = false;
    }
    if layout.name == "own" && is_bare {
        let state = dice.pick(&[State::Stopped, State::Failed, State::Finished, State::Lost]);
        let dir = RunDir::new(&folder);
        let process = Process::current();
        let mut record = Record::new(
            &dir,
            "own".to_owned(),
            process,
            Vec::new(),
            Timestamp::UNIX_EPOCH,
        );
        record.state = state;
        record.save(&dir).unwrap();
        is_bare = state != State::Finished || epochs > 0;
    }
    if is_project {
        may_go.clear();
    }
    let is_bare = is_bare && !is_project;
    Made {
        folder,
        may_go,
        is_hollow: is_bare && epochs == 0 && !has_content,
        is_light: match (epochs, has_steps) {
            _ if !is_bare => None,
            // Never few epochs, since there are none to count.
            (0, true) => Some(u32::MAX),
            (0, false) => None,
            (epochs, _) => Some(epochs),
        },
    }
}

/// Whether a file's ending is one of those that rules may name: then its name can make it the best
/// or the last.
fn may_have_role(name: &str) -> bool {
    [".safetensors", ".pth", ".pt", ".ckpt"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

#[test]
fn over_random_trees_of_all_layouts_no_policy_takes_what_must_stay() {
    let (mut checkpoints, mut hollow, mut light, mut runs) = (0, 0, 0, 0);
    for seed in 0..TREES {
        let mut dice = Dice(seed);
        let tree = Tree::new();
        let count = 1 + dice.roll(5) as usize;
        let made: Vec<Made> = (0..count)
            .map(|number| make(&tree, number, &mut dice))
            .collect();
        runs += count;
        settle(&tree.root());
        let policy = Policy {
            keep_best: dice.roll(3) as u32,
            keep_last: dice.roll(3) as u32,
            keep_every: dice.roll(5) as u32,
            min_epochs: dice.roll(9) as u32,
            max_age: dice.roll(3) as u32 * 2,
            protect: Vec::new(),
            purge_after: 0,
        };
        let plan = tree.plan(&policy);
        let context = format!("seed {seed}, {policy:?}");
        for candidate in &plan.candidates {
            let of = made
                .iter()
                .find(|made| candidate.paths[0].starts_with(&made.folder));
            let of = of.expect("it is of a run");
            if candidate.is_whole {
                assert!(!candidate.is_in, "{context}");
                let is_few = of.is_light.is_some_and(|epochs| epochs < policy.min_epochs);
                let is_old = of.is_light.is_some() && policy.max_age > 0;
                assert!(
                    of.is_hollow || is_few || is_old,
                    "{context}: {:?}",
                    of.folder
                );
                assert!(candidate.cost_s != Some(0.0), "{context}");
                hollow += usize::from(of.is_hollow);
                light += usize::from(!of.is_hollow);
            } else {
                for path in &candidate.paths {
                    assert!(of.may_go.contains(path), "{context}: {path:?}");
                }
                checkpoints += 1;
            }
        }
        let before = tree.seen();
        let plan = select_all(plan);
        let done = tree.carry_out(&plan);
        assert_eq!(done.left, Vec::new(), "{context}");
        let after = tree.seen();
        for (path, (bytes, _)) in &before {
            let mut going = plan.candidates.iter().flat_map(|one| &one.paths);
            let goes = going.any(|going| path.starts_with(going));
            let now = after.get(path).map(|(bytes, _)| bytes);
            assert_eq!(now, (!goes).then_some(bytes), "{context}: {path:?}");
        }
        trash::restore_all(&done.tickets).unwrap();
        assert_eq!(tree.seen(), before, "{context}");
    }
    // It would prove nothing if nothing ever went.
    assert!(runs > 600, "{runs}");
    assert!(
        checkpoints > 100 && hollow > 15 && light > 15,
        "{checkpoints} checkpoints, {hollow} hollow and {light} light runs went"
    );
}
