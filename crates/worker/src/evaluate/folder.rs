//! The folder of an evaluation while it is filled: under a temporary name until it is whole, and
//! gone if it never becomes that.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::ioctl_ficlone;
use traintop_analysis::predictions::answer;
use traintop_disk::write::{
    beside, create_new, link_open_file, make_folder, make_folders, remove_file, remove_tree,
    rename, replace_file,
};
use traintop_run::evaluation::{
    EVALUATIONS, Evaluated, EvaluationDir, Logits, Progress, Results, unfinished,
};
use traintop_run::layout::refuse_link;
use traintop_run::process::Process;

use super::gallery;
use super::inputs::Inputs;
use super::predictions::Predictions;
use super::subject::{Subject, copies};
use crate::console::{Console, Evaluating, Stream};
use crate::error::WorkerError;

/// Between two words about how far it is.
const WRITE_EVERY: Duration = Duration::from_millis(500);

/// A folder that is being filled.
#[derive(Debug)]
pub struct Filling {
    dir: EvaluationDir,
    /// `evaluations/` of the output tree.
    parent: PathBuf,
    progress: Progress,
    console: Console,
    began: Instant,
    written_at: Option<Instant>,
    is_done: bool,
}

impl Filling {
    /// Makes the temporary folder, passes its path to `known`, and removes those of evaluations
    /// that were killed.
    pub fn begin(
        tree: &Path,
        name: &str,
        checkpoints: Vec<Evaluated>,
        passes: u64,
        known: &OnceLock<PathBuf>,
    ) -> Result<Self, WorkerError> {
        let parent = tree.join(EVALUATIONS);
        refuse_link(&parent).map_err(|source| io_error(&parent, source))?;
        make_folders(&parent).map_err(|source| io_error(&parent, source))?;
        let parent = parent
            .canonicalize()
            .map_err(|source| io_error(&parent, source))?;
        for left in unfinished(tree).iter().filter(|left| left.is_abandoned()) {
            // One that cannot be removed is only untidy.
            let _ = remove_tree(left.dir.path());
        }
        let dir = EvaluationDir::new(beside(&parent.join(name)));
        make_folder(dir.path()).map_err(|source| io_error(dir.path(), source))?;
        let _ = known.set(dir.path().to_owned());
        let now = Timestamp::now();
        let mut filling = Self {
            dir,
            parent,
            progress: Progress {
                name: name.to_owned(),
                process: Process::current(),
                checkpoints,
                started_at: now,
                updated_at: now,
                images_done: 0,
                images_total: passes,
                images_per_s: 0.0,
            },
            console: Console::new(Stream::Errors),
            began: Instant::now(),
            written_at: None,
            is_done: false,
        };
        filling.write_progress()?;
        Ok(filling)
    }

    /// Progress: the images that have passed through a network.
    pub fn passed(&mut self, images: i64) -> Result<(), WorkerError> {
        let progress = &mut self.progress;
        progress.images_done += images as u64;
        progress.images_per_s =
            progress.images_done as f64 / self.began.elapsed().as_secs_f64().max(1e-9);
        self.console.step(&Evaluating {
            done: progress.images_done,
            of: progress.images_total,
            images_per_s: progress.images_per_s,
        });
        if self.written_at.is_none_or(|at| at.elapsed() >= WRITE_EVERY) {
            self.write_progress()?;
        }
        Ok(())
    }

    fn write_progress(&mut self) -> Result<(), WorkerError> {
        self.progress.updated_at = Timestamp::now();
        self.written_at = Some(Instant::now());
        let path = self.dir.progress_json();
        self.progress
            .save(&self.dir)
            .map_err(|source| io_error(&path, source))
    }

    /// Writes the results.
    pub fn write(
        &mut self,
        results: &Results,
        predictions: &Predictions,
        questions: &Inputs,
        subjects: &mut [Subject],
    ) -> Result<(), WorkerError> {
        self.console.clear();
        let dir = &self.dir;
        let failed = |path: PathBuf| move |source| io_error(&path, source);
        let refused = |error: &dyn std::fmt::Display| WorkerError::Refused(error.to_string());
        let rows = questions.ids.iter().zip(predictions.each());
        let rows = rows.map(|(id, logits)| format!("{id},{}\n", answer(logits)));
        let csv = std::iter::once("ID,Labels\n".to_owned())
            .chain(rows)
            .collect::<String>();
        replace_file(&dir.predictions_csv(), csv.as_bytes())
            .map_err(failed(dir.predictions_csv()))?;
        let logits = Logits {
            ids: questions.ids.clone(),
            classes: predictions.classes,
            logits: predictions.logits.clone(),
            labels: questions.labels().map(<[i64]>::to_vec),
        };
        logits.save(dir).map_err(|error| refused(&error))?;
        let shown = gallery::shown_images(predictions, questions);
        shown.save(dir).map_err(|error| refused(&error))?;
        let picture = gallery::picture(results, predictions, questions);
        let picture = picture.map_err(|what| {
            WorkerError::Refused(format!("predictions.png cannot be drawn: {what}"))
        })?;
        replace_file(&dir.predictions_png(), &picture).map_err(failed(dir.predictions_png()))?;
        for (name, subject) in copies(subjects).into_iter().zip(subjects) {
            let path = dir.path().join(name);
            keep(&mut subject.file, &subject.path, &path).map_err(failed(path))?;
        }
        results.save(dir).map_err(|error| refused(&error))
    }

    /// Gives the folder its own name: the evaluation is there, whole.
    pub fn finish(mut self) -> Result<EvaluationDir, WorkerError> {
        let path = self.dir.progress_json();
        remove_file(&path).map_err(|source| io_error(&path, source))?;
        for number in 1_u32.. {
            let name = match number {
                1 => self.progress.name.clone(),
                number => format!("{}-{number}", self.progress.name),
            };
            let path = self.parent.join(name);
            match rename(self.dir.path(), &path) {
                Ok(()) => {
                    self.is_done = true;
                    return Ok(EvaluationDir::new(path));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(io_error(&path, source)),
            }
        }
        Err(WorkerError::Refused(format!(
            "{}: every folder name of this second is taken",
            self.parent.display()
        )))
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        self.console.clear();
        if !self.is_done {
            // The reason for which it is dropped is what is reported.
            let _ = remove_tree(self.dir.path());
        }
    }
}

/// Keeps the very file that was read beside what it answered: as a reflink where the file system
/// has them, else as another name of a file that is only ever replaced as a whole (a safetensors of
/// ours), else as a copy.
fn keep(file: &mut File, original: &Path, copy: &Path) -> io::Result<()> {
    let kept = create_new(copy)?;
    if ioctl_ficlone(&kept, &*file).is_ok() {
        return Ok(());
    }
    drop(kept);
    remove_file(copy)?;
    let is_replaced_whole = original
        .extension()
        .is_some_and(|extension| extension == "safetensors");
    if is_replaced_whole && link_open_file(file, copy).is_ok() {
        return Ok(());
    }
    let mut kept = create_new(copy)?;
    io::Seek::rewind(file)?;
    io::copy(file, &mut kept)?;
    kept.sync_all()
}

fn io_error(path: &Path, source: io::Error) -> WorkerError {
    WorkerError::Io {
        what: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn filling(tree: &Path) -> Filling {
        Filling::begin(tree, "a_model_best", Vec::new(), 0, &OnceLock::new()).unwrap()
    }

    #[test]
    fn evaluations_of_one_second_get_folders_of_their_own() {
        let tree = tempfile::tempdir().unwrap();
        let both = [filling(tree.path()), filling(tree.path())];
        let names = both.map(|filling| {
            fs::write(filling.dir.predictions_csv(), "").unwrap();
            filling.finish().unwrap().name()
        });
        assert_eq!(names, ["a_model_best", "a_model_best-2"]);
        drop(filling(tree.path()));
        let left = fs::read_dir(tree.path().join(EVALUATIONS)).unwrap();
        assert_eq!(left.count(), 2, "one that is given up leaves nothing");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let place = tempfile::tempdir().unwrap();
        let [tree, outside] = ["tree", "outside"].map(|name| place.path().join(name));
        fs::create_dir(&tree).unwrap();
        fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, tree.join(EVALUATIONS)).unwrap();
        let begun = Filling::begin(&tree, "a_model_best", Vec::new(), 0, &OnceLock::new());
        let error = begun.unwrap_err().to_string();
        assert!(error.contains("is a link"), "{error}");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }

    #[test]
    fn what_is_kept_is_the_file_that_was_read_also_if_another_took_its_place() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["best.safetensors", "best.pth"] {
            let original = folder.path().join(name);
            fs::write(&original, "read").unwrap();
            let mut file = File::open(&original).unwrap();
            replace_file(&original, b"replaced").unwrap();
            let copy = folder.path().join(format!("copy of {name}"));
            keep(&mut file, &original, &copy).unwrap();
            assert_eq!(fs::read(&copy).unwrap(), b"read");
            // A trainer that writes into its file must not reach the copy.
            let writes_in_place = name.ends_with("pth");
            let mut again = File::open(&original).unwrap();
            let other = folder.path().join(format!("other of {name}"));
            keep(&mut again, &original, &other).unwrap();
            if writes_in_place {
                fs::write(&original, "overwritten").unwrap();
            }
            assert_eq!(fs::read(&other).unwrap(), b"replaced");
        }
    }
}
