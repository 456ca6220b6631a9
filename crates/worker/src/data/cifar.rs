//! What CIFAR-10 and CIFAR-100 have in common, pickled or binary: which files there are, and what
//! each is for.

use std::path::Path;

use super::damage::Damage;
use super::{DataError, Found, Split, cifar_binary, cifar_pickle};

/// Rows and columns of a CIFAR image.
pub const SIDE: usize = 32;
/// Bytes of a CIFAR image.
pub const IMAGE: usize = 3 * SIDE * SIDE;

/// One of the two data sets.
#[derive(Debug)]
pub struct Cifar {
    pub name: &'static str,
    pub classes: usize,
    /// Files of training images; of several, the last validates, as in the reference.
    pub train: &'static [&'static str],
    pub test: &'static str,
    /// Key of the labels in a pickled batch.
    pub labels: &'static str,
    /// Bytes before each image of a binary batch, the last of which is the label.
    pub label_bytes: usize,
    /// The pickle with the classes' names, and its key for them.
    pub meta: (&'static str, &'static str),
    /// The binary form's text with the classes' names.
    pub meta_text: &'static str,
}

pub const CIFAR_10: Cifar = Cifar {
    name: "CIFAR-10",
    classes: 10,
    train: &[
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
    ],
    test: "test_batch",
    labels: "labels",
    label_bytes: 1,
    meta: ("batches.meta", "label_names"),
    meta_text: "batches.meta.txt",
};

/// With its 100 fine labels; a binary image has the coarse one, of 20, before it.
pub const CIFAR_100: Cifar = Cifar {
    name: "CIFAR-100",
    classes: 100,
    train: &["train"],
    test: "test",
    labels: "fine_labels",
    label_bytes: 2,
    meta: ("meta", "fine_label_names"),
    meta_text: "fine_label_names.txt",
};

/// How the files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Pickle,
    Binary,
}

impl Encoding {
    /// What the names of files with images end in.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Pickle => "",
            Self::Binary => ".bin",
        }
    }
}

impl Cifar {
    /// Reads all files of a folder. The test file may be absent, and the names too: then the
    /// classes are numbered.
    pub fn read(&self, folder: &Path, encoding: Encoding, damage: &mut Damage) -> Found {
        let path = |name: &str| folder.join(format!("{name}{}", encoding.ending()));
        let read = |name: &str| match encoding {
            Encoding::Pickle => cifar_pickle::batch(&path(name), self),
            Encoding::Binary => cifar_binary::batch(&path(name), self),
        };
        let batches: Vec<Option<Split>> = self
            .train
            .iter()
            .map(|name| damage.sift(read(name)))
            .collect();
        self.note_cut_batches(&batches, path, damage);
        let (train, val) = match batches.len() {
            0 | 1 => (batches, None),
            count => {
                let mut train = batches;
                (train.drain(..count - 1).collect(), train.pop().flatten())
            }
        };
        let test = if path(self.test).exists() {
            damage.sift(read(self.test))
        } else {
            None
        };
        let names = match encoding {
            Encoding::Pickle => cifar_pickle::names(folder, self),
            Encoding::Binary => cifar_binary::names(folder, self),
        };
        let mut joined = Split::empty(SIDE, SIDE);
        for batch in train.into_iter().flatten() {
            joined.extend(batch);
        }
        Found {
            train: joined,
            val,
            test,
            classes: damage
                .sift(names)
                .flatten()
                .unwrap_or_else(|| (0..self.classes).map(|class| class.to_string()).collect()),
        }
    }

    /// A file cut between two images looks whole, but has fewer than the others.
    fn note_cut_batches(
        &self,
        batches: &[Option<Split>],
        path: impl Fn(&str) -> std::path::PathBuf,
        damage: &mut Damage,
    ) {
        let counts = batches.iter().flatten().map(|batch| batch.labels.len());
        let most = counts.max().unwrap_or(0);
        for (name, batch) in self.train.iter().zip(batches) {
            let count = batch.as_ref().map_or(most, |batch| batch.labels.len());
            if count < most {
                let what =
                    format!("has {count} images where another batch has {most}; fetch it again");
                damage.note(DataError::wrong(&path(name), what));
            }
        }
    }

    /// That a label is one of a class.
    pub fn check_label(&self, path: &Path, image: usize, label: i64) -> Result<(), DataError> {
        if (0..self.classes as i64).contains(&label) {
            return Ok(());
        }
        let what = format!(
            "image {image} has the label {label}, beyond the {} classes; fetch the file again",
            self.classes
        );
        Err(DataError::wrong(path, what))
    }
}
