//! Which metric Lightning chooses the best checkpoint by: from the names of checkpoints
//! (`epoch=3-val_loss=0.12.ckpt`), else the state of the callback in one of them.

use std::io::BufReader;
use std::path::Path;

use super::Listing;
use crate::judging::TrainerMetric;
use crate::metric_names::Direction;
use crate::pth::PthFile;
use traintop_disk::read;
use traintop_pickle as pickle;

/// The folder of a run in which they are.
const FOLDER: &str = "checkpoints";

/// Names of positions, which say nothing about quality.
const PLACES: [&str; 3] = ["epoch", "step", "global_step"];

/// Limit of the pickle of a checkpoint; its tensors are elsewhere in the file.
const MAX_BYTES: u64 = 4 << 20;

/// The key of the callback's state: its class and arguments, as `ModelCheckpoint{'monitor':
/// 'val_acc', 'mode': 'max', ...}`.
const CALLBACK: &str = "ModelCheckpoint{'monitor': '";

/// The metric by which a run's checkpoints were chosen.
pub fn metric(dir: &Path) -> Option<TrainerMetric> {
    let listing = Listing::read(&dir.join(FOLDER)).ok()?;
    let stems = listing.files.iter();
    let stems = stems.filter_map(|name| name.strip_suffix(".ckpt"));
    let mut named = stems.clone().filter_map(single);
    if let Some(metric) = named.next() {
        return named.all(|other| other == metric).then(|| TrainerMetric {
            metric: metric.to_owned(),
            direction: None,
        });
    }
    let stem = stems.min()?;
    kept(&listing.path.join(format!("{stem}.ckpt")))
}

/// The metric that a checkpoint's callback kept.
fn kept(path: &Path) -> Option<TrainerMetric> {
    let file = BufReader::new(read::open(path).ok()?);
    let bytes = PthFile::open(file).ok()?.pickle(MAX_BYTES).ok()?;
    let pickle = pickle::parse(&bytes).ok()?;
    let mut callbacks = pickle.value().get("callbacks")?.as_dict()?;
    callbacks.find_map(|(name, _)| of_callback(name.as_text()?))
}

fn of_callback(name: &str) -> Option<TrainerMetric> {
    let (metric, rest) = name.strip_prefix(CALLBACK)?.split_once('\'')?;
    let is = |mode: &str| rest.contains(&format!("'mode': '{mode}'"));
    let direction = match (is("max"), is("min")) {
        (true, false) => Some(Direction::Higher),
        (false, true) => Some(Direction::Lower),
        _ => None,
    };
    Some(TrainerMetric {
        metric: metric.to_owned(),
        direction,
    })
}

/// The only metric in a name; `None` where there are several, since it is unknown which counts.
fn single(stem: &str) -> Option<&str> {
    let mut metrics = stem.match_indices('=').filter_map(|(at, _)| {
        let value = &stem[at + 1..];
        let is_number = value
            .trim_start_matches('-')
            .starts_with(|char: char| char.is_ascii_digit());
        let is_of_name = |char: char| char.is_alphanumeric() || "_./".contains(char);
        let name = stem[..at].rsplit(|char| !is_of_name(char)).next()?;
        (is_number && !name.is_empty() && !PLACES.contains(&name)).then_some(name)
    });
    let metric = metrics.next()?;
    metrics.next().is_none().then_some(metric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write as _;

    #[test]
    fn where_names_say_nothing_the_callback_in_a_checkpoint_does() {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = folder.path().join(FOLDER);
        fs::create_dir(&checkpoints).unwrap();
        assert_eq!(metric(folder.path()), None);
        let file = fs::File::create(checkpoints.join("epoch=3-step=32.ckpt")).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        let stored = zip::write::FileOptions::default();
        zip.start_file(
            "x/data.pkl",
            stored.compression_method(zip::CompressionMethod::Stored),
        )
        .unwrap();
        let name = "ModelCheckpoint{'monitor': 'val_score', 'mode': 'min', 'every_n_epochs': 1}";
        let pickle = format!("(dVcallbacks\n(dVEarlyStopping\n(dsV{name}\n(dss.");
        zip.write_all(pickle.as_bytes()).unwrap();
        zip.finish().unwrap();
        assert_eq!(
            metric(folder.path()),
            Some(TrainerMetric {
                metric: "val_score".to_owned(),
                direction: Some(Direction::Lower),
            })
        );
        // Nothing states it, and nothing is guessed.
        assert_eq!(
            of_callback("ModelCheckpoint{'monitor': None, 'mode': 'min'}"),
            None
        );
    }

    #[test]
    fn the_metric_is_what_stands_in_a_name_beside_epoch_and_step() {
        for (name, metric) in [
            ("epoch=3-val_loss=0.1234", Some("val_loss")),
            ("best-epoch=03-val_acc=0.938-v1", Some("val_acc")),
            ("model-val/dice=0.9", Some("val/dice")),
            ("epoch=3-step=32", None),
            ("epoch=1-train_loss=0.1-val_loss=0.2", None),
            ("last", None),
            ("a=b", None),
        ] {
            assert_eq!(single(name), metric, "{name}");
        }
    }
}
