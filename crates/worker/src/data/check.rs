//! `data check`: what a data set is, in numbers, and everything that is wrong with it.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde_json::{Value as Json, json};
use traintop_text as text;

use super::damage::Damage;
use super::unlabelled::load_unlabelled;
use super::{DataError, Found, Split, form};

/// Up to this many classes each count is printed; beyond, the smallest and the largest.
const FEW_CLASSES: usize = 20;

/// What was found.
#[derive(Debug)]
pub struct Report {
    form: &'static str,
    classes: Vec<String>,
    splits: Vec<Part>,
    damage: Vec<Problem>,
}

/// Images of one purpose.
#[derive(Debug, PartialEq)]
struct Part {
    name: &'static str,
    images: usize,
    height: usize,
    width: usize,
    /// Images of each class; `None` of images without labels.
    per_class: Option<Vec<u64>>,
    /// Of each channel, on pixels in 0 to 1.
    mean: [f64; 3],
    deviation: [f64; 3],
    /// How many of the images are, byte for byte, also in the training split.
    also_trained: usize,
}

/// A damaged file.
#[derive(Debug)]
struct Problem {
    file: String,
    sentence: String,
}

/// Reads all of a data set, a folder or a file of unlabelled images, and makes a report. Damage is
/// part of the report.
///
/// # Errors
/// If there is nothing of a known form.
pub fn check(path: &Path) -> Result<Report, DataError> {
    if path.is_file() && !is_archive(path) {
        let part = Part::of("unlabelled", &load_unlabelled(path)?.into_split(), &[]);
        return Ok(Report {
            form: "unlabelled images, pickled",
            classes: Vec::new(),
            splits: vec![Part {
                per_class: None,
                ..part
            }],
            damage: Vec::new(),
        });
    }
    let (form, place) = form::find(path)?;
    let mut damage = Damage::default();
    // What was decoded earlier says nothing about the files of today.
    let found = form.read(&place, None, &mut damage);
    let problems = damage.all().iter().map(|error| Problem {
        file: error.path().display().to_string(),
        sentence: error.to_string(),
    });
    Ok(Report {
        form: form.name,
        damage: problems.collect(),
        splits: parts(&found),
        classes: found.classes,
    })
}

/// Whether a file has the name of an archive, which must be unpacked first.
pub fn is_archive(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ["gz", "tgz", "tar", "zip", "xz", "zst"]
        .iter()
        .any(|archive| ending.eq_ignore_ascii_case(archive))
}

fn parts(found: &Found) -> Vec<Part> {
    let mut parts = vec![Part::of("train", &found.train, &[])];
    let mut trained = vec![&found.train];
    if let Some(val) = &found.val {
        parts.push(Part::of("val", val, &trained));
        trained.push(val);
    }
    if let Some(test) = &found.test {
        parts.push(Part::of("test", test, &trained));
    }
    for part in &mut parts {
        // A class that has no image in a split is still one of the classes.
        if let Some(counts) = &mut part.per_class {
            counts.resize(counts.len().max(found.classes.len()), 0);
        }
    }
    parts
}

impl Part {
    fn of(name: &'static str, split: &Split, trained: &[&Split]) -> Self {
        let (mean, deviation) = channels(split);
        Self {
            name,
            images: split.labels.len(),
            height: split.height,
            width: split.width,
            per_class: Some(split.statistics().per_class().to_vec()),
            mean,
            deviation,
            also_trained: also_in(split, trained),
        }
    }

    fn to_json(&self) -> Json {
        json!({
            "name": self.name,
            "images": self.images,
            "channels": 3,
            "height": self.height,
            "width": self.width,
            "per_class": self.per_class,
            "mean": self.mean,
            "deviation": self.deviation,
            "also_trained": self.also_trained,
        })
    }
}

/// Mean and standard deviation of each channel, exactly: bytes have few values, and counts of them
/// do not round.
fn channels(split: &Split) -> ([f64; 3], [f64; 3]) {
    let mut counts = [[0_u64; 256]; 3];
    let plane = (split.height * split.width).max(1);
    for (number, plane) in split.images.chunks_exact(plane).enumerate() {
        let counts = &mut counts[number % 3];
        for byte in plane {
            counts[usize::from(*byte)] += 1;
        }
    }
    let moment = |counts: &[u64; 256], of: &dyn Fn(f64) -> f64| {
        let total: u64 = counts.iter().sum();
        let values = (0..256).map(|value| f64::from(value) / 255.0);
        let sum: f64 = values
            .zip(counts)
            .map(|(value, count)| of(value) * *count as f64)
            .sum();
        sum / (total.max(1)) as f64
    };
    let mean = counts.map(|counts| moment(&counts, &|value| value));
    let mut deviation = [0.0; 3];
    for ((counts, mean), deviation) in counts.iter().zip(mean).zip(&mut deviation) {
        *deviation = moment(counts, &|value| (value - mean).powi(2)).sqrt();
    }
    (mean, deviation)
}

/// How many images of a split are also among the others, byte for byte.
fn also_in(split: &Split, others: &[&Split]) -> usize {
    let images = |split: &Split| split.image_len().max(1);
    let known: HashSet<&[u8]> = others
        .iter()
        .filter(|other| (other.height, other.width) == (split.height, split.width))
        .flat_map(|other| other.images.chunks_exact(images(other)))
        .collect();
    split
        .images
        .chunks_exact(images(split))
        .filter(|image| known.contains(image))
        .count()
}

impl Report {
    /// Whether anything is wrong.
    pub fn is_damaged(&self) -> bool {
        !self.damage.is_empty()
    }

    /// For scripts.
    pub fn to_json(&self) -> Json {
        let damage = self
            .damage
            .iter()
            .map(|problem| json!({ "file": problem.file, "what": problem.sentence }));
        json!({
            "form": self.form,
            "classes": self.classes,
            "splits": self.splits.iter().map(Part::to_json).collect::<Vec<_>>(),
            "damage": damage.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    /// For people: nothing in it can steer a terminal.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "form      {}", self.form)?;
        if !self.classes.is_empty() {
            writeln!(formatter, "classes   {}", self.classes.len())?;
        }
        for part in &self.splits {
            writeln!(
                formatter,
                "{:<9} {} images of {} x {} x 3",
                part.name,
                text::count(part.images as u64),
                part.width,
                part.height
            )?;
            if part.images == 0 {
                continue;
            }
            let numbers = |values: [f64; 3]| values.map(|value| format!("{value:.4}")).join(" ");
            let (mean, deviation) = (numbers(part.mean), numbers(part.deviation));
            writeln!(formatter, "          mean {mean}, deviation {deviation}")?;
            if let Some(counts) = &part.per_class {
                writeln!(formatter, "          {}", balance(counts, &self.classes))?;
            }
            if part.also_trained > 0 {
                let count = text::count(part.also_trained as u64);
                writeln!(
                    formatter,
                    "          {count} of them are also among the training images"
                )?;
            }
        }
        for problem in &self.damage {
            writeln!(formatter, "damage    {}", text::clean(&problem.sentence))?;
        }
        if self.damage.is_empty() {
            writeln!(formatter, "damage    none")?;
        }
        Ok(())
    }
}

fn balance(counts: &[u64], names: &[String]) -> String {
    let least = counts.iter().min().copied().unwrap_or(0);
    let most = counts.iter().max().copied().unwrap_or(0);
    if least == most {
        return format!("{} of each class", text::count(most));
    }
    let range = format!("{} to {} of a class", text::count(least), text::count(most));
    if counts.len() > FEW_CLASSES {
        return range;
    }
    let each = names
        .iter()
        .zip(counts)
        .map(|(name, count)| format!("{} {}", text::clean(name), text::count(*count)));
    format!("{range}: {}", each.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::cifar::IMAGE;
    use super::*;

    /// A CIFAR-10 of which each file has an image for each of the labels, all bytes of which are
    /// the file's number.
    fn folder(labels: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=6_u8 {
            let bytes: Vec<u8> = labels
                .iter()
                .flat_map(|label| std::iter::once(*label).chain([number * 10; IMAGE]))
                .collect();
            let name = if number == 6 {
                "test_batch.bin".to_owned()
            } else {
                format!("data_batch_{number}.bin")
            };
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    #[test]
    fn counts_balance_means_and_duplicates_are_reported() {
        let folder = folder(&[0, 1, 1]);
        let report = check(folder.path()).unwrap();
        assert!(!report.is_damaged());
        let [train, val, test] = &report.splits[..] else {
            panic!("{report:?}")
        };
        assert_eq!((train.images, val.images, test.images), (12, 3, 3));
        let counts = train.per_class.as_ref().unwrap();
        assert_eq!((counts[0], counts[1], counts.len()), (4, 8, 10));
        for (mean, deviation) in train.mean.iter().zip(train.deviation) {
            // 10, 20, 30, 40 of 255.
            assert!((mean - 25.0 / 255.0).abs() < 1e-12, "{mean}");
            assert!(
                (deviation - 125_f64.sqrt() / 255.0).abs() < 1e-12,
                "{deviation}"
            );
        }
        assert_eq!((val.also_trained, test.also_trained), (0, 0));
        let shown = report.to_string();
        assert!(
            shown.contains("0 to 8 of a class: 0 4, 1 8, 2 0"),
            "{shown}"
        );

        let copy = folder.path().join("test_batch.bin");
        fs::copy(folder.path().join("data_batch_5.bin"), copy).unwrap();
        let report = check(folder.path()).unwrap();
        assert_eq!(report.splits[2].also_trained, 3);
        assert_eq!(report.to_json()["splits"][2]["also_trained"], 3);
    }

    #[test]
    fn every_damaged_file_is_one_line() {
        let folder = folder(&[0, 1]);
        fs::write(folder.path().join("data_batch_2.bin"), [0; 7]).unwrap();
        fs::remove_file(folder.path().join("data_batch_4.bin")).unwrap();
        fs::write(folder.path().join("batches.meta.txt"), "cat\x1b[2J\n").unwrap();
        let report = check(folder.path()).unwrap();
        let shown = report.to_string();
        let lines: Vec<&str> = shown
            .lines()
            .filter(|line| line.starts_with("damage"))
            .collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(
            lines[0].contains("data_batch_2.bin: has 7 bytes"),
            "{shown}"
        );
        assert!(
            lines[1].contains("data_batch_4.bin: cannot be read"),
            "{shown}"
        );
        assert!(report.is_damaged() && report.splits[0].images == 4);
    }

    #[test]
    fn archives_and_other_files_are_distinguished_from_data() {
        let folder = tempfile::tempdir().unwrap();
        let message = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            check(&path).unwrap_err().to_string()
        };
        assert!(message("cifar-10-python.tar.gz", "").contains("unpack it"));
        assert!(message("notes.txt", "hello").contains("is no whole pickle"));
    }
}
