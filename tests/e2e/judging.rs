//! Which metric runs are judged by, and which way is better.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::fake_worker::{ONE_EPOCH, Workplace};
use crate::pty::Dashboard;

fn run(place: &Workplace, name: &str, metrics: &str) {
    let folder = place.path().join("runs").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("metrics.csv"), metrics).unwrap();
}

/// `best` of each run's summary, by name.
fn best(place: &Workplace, more: &[&str]) -> Value {
    let listed = place.json(&[&["list", "--json"], more].concat());
    let runs = listed.as_array().unwrap().iter();
    runs.map(|run| {
        (
            run["name"].as_str().unwrap().to_owned(),
            run["best"].clone(),
        )
    })
    .collect()
}

#[test]
fn the_better_run_wins_whatever_its_metric_is_called() {
    let place = Workplace::new(ONE_EPOCH);
    let lower = [
        "val_mape",
        "val_logloss",
        "valLoss",
        "val_cross_entropy",
        "hd95",
        "test_err1",
        "bpb",
        "eer",
        "val_wer",
        "lpips",
        "eval_perplexity",
        "val/nll",
        "brier_score",
        "my_latency_ms",
    ];
    let higher = [
        "norm_reward",
        "ms_ssim",
        "time_acc",
        "val_dice",
        "Val Acc (%)",
        "images_per_s",
        "metrics/mAP50(B)",
        "rollout/ep_rew_mean",
    ];
    let header = [&["epoch"], &lower[..], &higher[..]].concat().join(",");
    for (name, value) in [("high", "0.9"), ("low", "0.1")] {
        let row = vec![value; lower.len() + higher.len()].join(",");
        run(&place, name, &format!("{header}\n1,{row}\n"));
    }
    for (metrics, wins, way) in [
        (&lower[..], "low", "lower"),
        (&higher[..], "high", "higher"),
    ] {
        for metric in metrics {
            let path = place.stdout(&["best", "--metric", metric, "--path"]);
            assert!(Path::new(path.trim()).ends_with(wins), "{metric}: {path}");
            let printed = place.stdout(&["best", "--metric", metric]);
            assert!(printed.contains(&format!("({way} is better)")), "{printed}");
        }
    }
    let compared = place.json(&["compare", "low", "high", "--metric", "hd95", "--json"]);
    assert_eq!(compared["metric"]["better"], "lower");
    let turned = ["best", "--metric", "hd95", "--higher", "hd95", "--path"];
    assert!(place.stdout(&turned).trim().ends_with("high"));
}

#[test]
fn each_run_is_judged_by_what_it_has() {
    let place = Workplace::new(ONE_EPOCH);
    run(
        &place,
        "cnn",
        "Epoch,Train Loss,Val Acc (%)\n1,1.9,0.25\n2,1.4,0.5\n3,1.1,0.75\n",
    );
    run(
        &place,
        "net",
        "epoch,train_loss,val_acc\n1,1.9,0.25\n2,1.4,0.5\n3,1.1,0.75\n",
    );
    run(
        &place,
        "seg",
        "epoch,train_loss,val_loss,val_dice\n1,0.9,0.8,0.5\n2,0.7,0.6,0.625\n",
    );
    run(
        &place,
        "voc",
        "step,gen_loss,val_PSNR\n100,3,21.5\n200,2,24\n300,2.2,23\n",
    );
    run(
        &place,
        "agent",
        "step,rollout/ep_rew_mean,train/loss\n10,-250.5,\n20,-90,0.4\n30,-110,0.3\n",
    );
    run(
        &place,
        "asr",
        "step,eval_wer,eval_loss\n10,0.5,2\n20,0.25,2.1\n",
    );
    run(&place, "only", "step,train_loss\n10,0.5\n20,0.25\n");
    let of = |metric: &str,
              value: f64,
              percent: Option<f64>,
              way: &str,
              at: (Option<u32>, Option<u32>)| {
        json!({
            "metric": metric, "value": value, "percent": percent, "direction": way,
            "guessed": true, "epoch": at.0, "step": at.1,
        })
    };
    let expected = json!({
        // A percent below one stays a percent.
        "cnn": of("Val Acc (%)", 0.75, Some(0.75), "higher", (Some(3), None)),
        "net": of("val_acc", 0.75, Some(75.0), "higher", (Some(3), None)),
        "seg": of("val_dice", 0.625, None, "higher", (Some(2), None)),
        "voc": of("val_PSNR", 24.0, None, "higher", (None, Some(200))),
        "agent": of("rollout/ep_rew_mean", -90.0, None, "higher", (None, Some(20))),
        "asr": of("eval_wer", 0.25, None, "lower", (None, Some(20))),
        "only": null,
    });
    assert_eq!(best(&place, &[]), expected);
    // The second time from the cache.
    assert_eq!(best(&place, &[]), expected);
    let table = place.stdout(&["list"]);
    for cell in ["BEST ", "val_dice ~0.625", "eval_wer ~0.25", "step 200"] {
        assert!(table.contains(cell), "{cell}: {table}");
    }
    let queried = place.json(&["list", "--where", "best<0", "--json"]);
    assert_eq!(queried.as_array().unwrap().len(), 1);
}

#[test]
fn settings_and_a_project_file_say_what_counts() {
    let place = Workplace::new(ONE_EPOCH);
    run(
        &place,
        "a",
        "epoch,val_acc,my_score,val_dice\n1,0.5,3,0.1\n2,0.6,4,0.2\n3,0.4,2,0.3\n",
    );
    let judged = |more: &[&str]| {
        let best = best(&place, more)["a"].clone();
        format!(
            "{} {} {} {}",
            best["metric"], best["value"], best["direction"], best["guessed"]
        )
    };
    assert_eq!(judged(&[]), r#""val_acc" 0.6 "higher" true"#);
    let project = place.path().join("runs/traintop.toml");
    fs::write(
        &project,
        "[metrics]\nprimary = 'my_score'\nlower = ['my_score']\n",
    )
    .unwrap();
    assert_eq!(judged(&[]), r#""my_score" 2.0 "lower" false"#);
    assert!(place.stdout(&["list"]).contains("BEST my_score"));
    assert_eq!(
        judged(&["--metric", "dice"]),
        r#""val_dice" 0.3 "higher" false"#
    );
    let higher = ["--higher", "my_score"];
    assert_eq!(judged(&higher), r#""my_score" 4.0 "higher" false"#);
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    let settings = folder.join("config.toml");
    fs::write(&settings, "[metrics]\nprimary = 'val_dice'\n").unwrap();
    assert_eq!(judged(&[]), r#""val_dice" 0.3 "higher" false"#);
    let root = place.path().join("runs").canonicalize().unwrap();
    let below =
        format!("[metrics]\nprimary = 'val_dice'\n[metrics.primary_in]\n{root:?} = 'val_acc'\n");
    fs::write(&settings, below).unwrap();
    assert_eq!(judged(&[]), r#""val_acc" 0.6 "higher" false"#);
    // A project file may say nothing else.
    fs::write(&project, "[keys]\nquit = 'x'\n").unwrap();
    let printed = place.output(&["list"]);
    let printed = String::from_utf8(printed.stderr).unwrap();
    assert!(
        printed
            .contains("traintop.toml:1: unknown key \"keys\"; a project file has only [metrics]"),
        "{printed}"
    );
}

/// Opens the run under the cursor, and judges its tree by `val_loss`, or no longer.
fn choose_val_loss(dashboard: &mut Dashboard) {
    dashboard.press("\r");
    dashboard.wait("its chart", |screen| screen.contains("my_score"));
    dashboard.press("J");
    dashboard.wait("the metrics", |screen| {
        screen.contains("val_loss") && screen.contains("lower is better")
    });
    dashboard.press("val");
    dashboard.press("\r");
}

#[test]
fn a_key_judges_the_tree_by_the_chart_and_undoes_it() {
    let place = Workplace::new(ONE_EPOCH);
    run(
        &place,
        "a",
        "epoch,my_score,val_loss\n1,3,3\n2,4,2\n3,2,1\n",
    );
    let mut dashboard = Dashboard::open(&place, &["runs"], 110, 30);
    dashboard.wait("the run", |screen| {
        screen.contains("finished") || screen.contains("a ")
    });
    choose_val_loss(&mut dashboard);
    dashboard.wait("what was done", |screen| {
        screen.contains("judged by val_loss, choosing it again undoes that")
            && screen.contains("best val_loss 1.000")
    });
    let settings = place.path().join("config/traintop/config.toml");
    let printed = fs::read_to_string(&settings).unwrap();
    assert!(
        printed.contains("[metrics.primary_in]") && printed.contains("\"val_loss\""),
        "{printed}"
    );
    dashboard.press("q");
    dashboard.wait("the best in the table", |screen| {
        screen.contains("1.000 @3") && screen.contains("BEST val")
    });
    choose_val_loss(&mut dashboard);
    dashboard.wait("the way back", |screen| {
        screen.contains("no longer judged by val_loss") && screen.contains("best my_score 4.000")
    });
    assert_eq!(fs::read_to_string(&settings).unwrap(), "");
}
