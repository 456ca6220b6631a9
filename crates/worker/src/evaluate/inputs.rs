//! The images of an evaluation: a split of a data set, or a file of unlabelled images.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use traintop_recipe::{Recipe, SYNTHETIC};
use traintop_run::evaluation::Data;

use super::Request;
use super::subject::{Subject, hex};
use crate::checkpoint::TrainedOn;
use crate::data::{self, DataError, Dataset, Split};
use crate::error::WorkerError;
use crate::views::{PADDING, Views};

/// Images, and what is known of them.
#[derive(Debug)]
pub struct Inputs {
    /// By ascending number; of unlabelled images the labels mean nothing.
    pub split: Split,
    /// The images' numbers.
    pub ids: Vec<i64>,
    /// The classes' names, by label.
    pub classes: Vec<String>,
    pub data: Data,
    is_labelled: bool,
}

impl Inputs {
    /// The images that the command names, or that the recipe does.
    pub fn load(
        request: &Request,
        recipe: &Recipe,
        subjects: &[Subject],
    ) -> Result<Self, WorkerError> {
        let file = request
            .data
            .as_deref()
            .filter(|path| path.is_file() && !data::is_archive(path));
        match file {
            Some(file) => Self::unlabelled(file, request, recipe, subjects),
            None => Self::labelled(request, recipe.clone(), &subjects[0]),
        }
    }

    fn labelled(
        request: &Request,
        mut recipe: Recipe,
        first: &Subject,
    ) -> Result<Self, WorkerError> {
        if let Some(named) = &request.data {
            recipe.data_dir = absolute(named).to_string_lossy().into_owned();
        }
        if recipe.data_dir.is_empty() {
            return Err(WorkerError::Refused(format!(
                "{}: does not say what data it was trained on; name them with --data",
                first.path.display()
            )));
        }
        let Dataset {
            train,
            val,
            test,
            classes,
        } = data::load(&recipe).map_err(not_there)?;
        drop(train);
        let (name, split) = match (request.split.as_deref(), test) {
            (Some("val"), _) | (None, None) => ("val", val),
            (_, Some(test)) => ("test", test),
            (Some(_), None) => {
                return Err(WorkerError::Refused(format!(
                    "{}: has no test images; take --split val",
                    recipe.data_dir
                )));
            }
        };
        Ok(Self {
            ids: (0..split.labels.len() as i64).collect(),
            data: describe(&split, &recipe.data_dir, name, true),
            split,
            classes,
            is_labelled: true,
        })
    }

    fn unlabelled(
        file: &Path,
        request: &Request,
        recipe: &Recipe,
        subjects: &[Subject],
    ) -> Result<Self, WorkerError> {
        if let Some(split) = &request.split {
            return Err(WorkerError::Refused(format!(
                "{}: holds images without labels, of which there is no {split} split; leave --split out",
                file.display()
            )));
        }
        let mut found = data::load_unlabelled(file)?;
        let ids = found.ids.take();
        let mut split = found.into_split();
        let mut ids = ids.unwrap_or_else(|| (0..split.labels.len() as i64).collect());
        if !ids.is_sorted() {
            let mut order: Vec<usize> = (0..ids.len()).collect();
            order.sort_by_key(|at| ids[*at]);
            split = split.pick(&order);
            ids = order.iter().map(|at| ids[*at]).collect();
        }
        let path = absolute(file).to_string_lossy().into_owned();
        Ok(Self {
            ids,
            data: describe(&split, &path, "unlabelled", false),
            split,
            classes: names(subjects, recipe),
            is_labelled: false,
        })
    }

    /// The true classes, where they are known.
    pub fn labels(&self) -> Option<&[i64]> {
        self.is_labelled.then_some(&self.split.labels)
    }

    /// Refuses images that the networks were not made for.
    pub fn check(&self, subjects: &[Subject], views: Views) -> Result<(), WorkerError> {
        let data = &self.data.path;
        let (height, width) = (self.split.height as i64, self.split.width as i64);
        let refused = |what: String| Err(WorkerError::Refused(what));
        if self.split.labels.is_empty() {
            return refused(format!(
                "{data}: its {} split has no images",
                self.data.split
            ));
        }
        for subject in subjects {
            let (path, known) = (subject.path.display(), subject.trained_on());
            let classes = subject.classes() as usize;
            if classes != self.classes.len() {
                return refused(format!(
                    "{path}: has {classes} classes, but {data} has {}; name the data that it was trained on with --data",
                    self.classes.len()
                ));
            }
            if let Some(TrainedOn { size, .. }) = known
                && size != (height, width)
            {
                return refused(format!(
                    "{path}: was trained on images of {} x {}, and those of {data} have {width} x {height}; name other data with --data",
                    size.1, size.0
                ));
            }
        }
        if views.crop() && height.min(width) <= PADDING {
            return refused(format!(
                "{data}: images of {width} x {height} are too small for crops; take --views 1 or 2"
            ));
        }
        Ok(())
    }
}

/// The classes' names in the checkpoint, or in the data that it was trained on; numbers if neither
/// is available.
fn names(subjects: &[Subject], recipe: &Recipe) -> Vec<String> {
    let trained_on = subjects.iter().find_map(Subject::trained_on);
    if let Some(trained_on) = trained_on.filter(|trained_on| !trained_on.classes.is_empty()) {
        return trained_on.classes;
    }
    let classes = subjects[0].classes() as usize;
    let of_data = (!recipe.data_dir.is_empty()).then(|| data::load(recipe));
    of_data
        .and_then(Result::ok)
        .map(|data| data.classes)
        .filter(|names| names.len() == classes)
        .unwrap_or_else(|| (0..classes).map(|class| class.to_string()).collect())
}

fn describe(split: &Split, path: &str, name: &str, is_labelled: bool) -> Data {
    let mut hash = Sha256::new();
    hash.update(format!("{} x {} x 3\n", split.height, split.width));
    hash.update(&split.images);
    if is_labelled {
        for label in &split.labels {
            hash.update(label.to_le_bytes());
        }
    }
    Data {
        path: path.to_owned(),
        split: name.to_owned(),
        sha256: hex(&hash.finalize()),
        images: split.labels.len() as u64,
        height: split.height as u32,
        width: split.width as u32,
        ..Data::default()
    }
}

/// An evaluation has an option to change, and no recipe.
fn not_there(error: DataError) -> WorkerError {
    match error {
        DataError::Missing(path) => WorkerError::Refused(format!(
            "{}: there is no such folder of data; name where they are now with --data",
            path.display()
        )),
        error => error.into(),
    }
}

fn absolute(path: &Path) -> PathBuf {
    if path == Path::new(SYNTHETIC) {
        return path.to_owned();
    }
    let path = data::from_home(&path.to_string_lossy());
    path.canonicalize().unwrap_or(path)
}
