//! The files of trainers, and other files in a run's folder.

/// What a trainer leaves beside `metrics.csv`: settings, which are worthless, and results and
/// weights, which all stay.
pub struct Layout {
    pub name: &'static str,
    pub settings: &'static [&'static str],
    pub stays: &'static [&'static str],
    /// The name of an epoch's checkpoint, with its number in place of `#`.
    pub epoch: &'static str,
}

pub const LAYOUTS: [Layout; 24] = [
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
pub const PROJECT: [&str; 5] = [
    ".git/HEAD",
    "train.py",
    "Makefile",
    "old/metrics.csv",
    "a/b/run.json",
];
/// What makes a folder one that stays as a whole.
pub const WORK: [&str; 6] = [
    "thesis.txt",
    "code/model.py",
    "data/x.csv",
    "net.onnx",
    "deep/er/last.msgpack",
    "cout.txt",
];
/// Metrics that hold something though no epoch is seen in them.
pub const CONTENTS: [&str; 7] = [
    // These two are courses by steps.
    "step,train_loss\n50,0.5\n100,0.4\n",
    "time/total_timesteps,rollout/ep_rew_mean\n163000,20\n",
    "epoch;loss\n1;0.5\n",
    "1,0.5\n2,0.4\n",
    "Model,Accuracy\nresnet,high\n",
    "epoch,loss\n1,0.5,9\n",
    "epoch,loss\n1,0.",
];
