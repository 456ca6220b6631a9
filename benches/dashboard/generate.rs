//! Run folders out of a seeded generator: the same bytes on every machine, shaped like real
//! 200-epoch runs.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use traintop_recipe::Recipe;

const HEADER: &str = "epoch,train_loss,train_acc,val_loss,val_acc,learning_rate,time_elapsed,memory_used_mb,batch_time_ms,eta_hours\n";

/// Noise in -1..1.
fn noise(random: &mut ChaCha8Rng) -> f64 {
    f64::from(random.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0
}

/// The row of `epoch` (1-based) of a run that ends near `final_acc` percent.
fn row(text: &mut String, random: &mut ChaCha8Rng, epoch: u64, epochs: u64, final_acc: f64) {
    let progress = epoch as f64 / epochs as f64;
    let learnt = 1.0 - (-6.0 * progress).exp();
    let val_acc = 10.0 + (final_acc - 10.0) * learnt + 0.6 * noise(random);
    let train_acc = val_acc - 8.0 * learnt + 0.4 * noise(random);
    let val_loss = 2.3 - 1.7 * learnt + 0.02 * noise(random);
    let train_loss = val_loss + 0.25 * learnt + 0.01 * noise(random);
    let learning_rate = 0.05 * (1.0 + (std::f64::consts::PI * progress).cos());
    let seconds = 15.87 * epoch as f64 + noise(random);
    let remaining = 15.87 * (epochs - epoch) as f64 / 3600.0;
    let batch_ms = 23.5 + noise(random);
    writeln!(
        text,
        "{epoch},{train_loss},{train_acc},{val_loss},{val_acc},{learning_rate},{seconds},413.6875,{batch_ms},{remaining}"
    )
    .expect("writing to a string cannot fail");
}

/// A whole `metrics.csv` of `epochs` rows.
pub fn metrics(seed: u64, epochs: u64) -> String {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let final_acc = 88.0 + 6.5 * (noise(&mut random) + 1.0) / 2.0;
    let mut text = String::from(HEADER);
    for epoch in 1..=epochs {
        row(&mut text, &mut random, epoch, epochs, final_acc);
    }
    text
}

/// One more row for a file of [`metrics`].
pub fn next_row(epoch: u64) -> String {
    let mut text = String::new();
    row(
        &mut text,
        &mut ChaCha8Rng::seed_from_u64(epoch),
        epoch,
        epoch,
        94.0,
    );
    text
}

/// Writes `count` finished runs of 200 epochs below `root`, as another trainer leaves them (no
/// `run.json`).
pub fn runs(root: &Path, count: u64) -> io::Result<()> {
    for number in 0..count {
        let (hour, minute) = (number / 60 % 24, number % 60);
        let day = 1 + number / 1440;
        let logs = root.join(format!(
            "training_runs/2026_03_{day:02}_{hour:02}_{minute:02}_00/logs"
        ));
        fs::create_dir_all(&logs)?;
        fs::write(logs.join("metrics.csv"), metrics(number, 200))?;
        fs::write(
            logs.join("training.log"),
            "[2026-03-01 00:00:00] Training finished\n",
        )?;
        let config = format!(
            "{{\"model_name\": \"resnet_se\", \"num_epochs\": 200, \"batch_size\": 128, \"seed\": {number}, \"experiment_name\": \"generated_{number}\"}}"
        );
        fs::write(logs.join("config.json"), config)?;
    }
    Ok(())
}

/// A run that is running for as long as this process lives; returns its folder.
pub fn running_run(root: &Path) -> io::Result<PathBuf> {
    let dir = root.join("training_runs/2026_04_01_00_00_00");
    let logs = dir.join("logs");
    fs::create_dir_all(&logs)?;
    fs::write(logs.join("metrics.csv"), metrics(1, 50))?;
    fs::write(
        logs.join("config.json"),
        "{\"model_name\": \"resnet_se\", \"num_epochs\": 200}",
    )?;
    Ok(dir)
}

/// Writes `count` finished runs of a few epochs below `root`, each with a whole recipe of its own
/// as its configuration.
pub fn recipes(root: &Path, count: u64) -> io::Result<()> {
    const RATES: [f64; 4] = [0.4, 0.1, 0.025, 0.01];
    for number in 0..count {
        let logs = root.join(format!("training_runs/run_{number:05}/logs"));
        fs::create_dir_all(&logs)?;
        fs::write(logs.join("metrics.csv"), metrics(number, 10))?;
        let recipe = Recipe {
            experiment_name: format!("recipe {}", number % 100),
            model_name: ["resnet_se", "resnet_small", "hybrid"][(number % 3) as usize].to_owned(),
            learning_rate: RATES[(number % 4) as usize],
            num_epochs: 10,
            seed: number,
            ..Recipe::default()
        };
        let config = serde_json::Value::Object(recipe.to_json()).to_string();
        fs::write(logs.join("config.json"), config)?;
    }
    Ok(())
}

/// Writes one finished run of a file of `rows` rows.
pub fn long_run(root: &Path, rows: u64) -> io::Result<()> {
    let logs = root.join("training_runs/2026_03_01_00_00_00/logs");
    fs::create_dir_all(&logs)?;
    fs::write(logs.join("metrics.csv"), metrics(7, rows))
}
