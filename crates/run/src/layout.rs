//! Where everything is in a run folder, and how a new one is made.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use traintop_disk::write::{make_folder, make_folders, remove_tree};
use traintop_text::clean;

/// The folder of one run. Compared by its text, at a fraction of what comparing paths part by part
/// costs: a table sorts and looks up thousands with each key. So one folder must never get two
/// different texts: [`super::discover`] gives real paths only. A copy shares the text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "PathBuf", into = "PathBuf")]
pub struct RunDir {
    path: Arc<Path>,
    hash: u64,
}

impl fmt::Debug for RunDir {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_tuple("RunDir").field(&self.path).finish()
    }
}

impl From<PathBuf> for RunDir {
    fn from(path: PathBuf) -> Self {
        Self::new(path)
    }
}

impl From<RunDir> for PathBuf {
    fn from(dir: RunDir) -> Self {
        dir.path.to_path_buf()
    }
}

impl PartialEq for RunDir {
    fn eq(&self, other: &Self) -> bool {
        let is_same = || self.path.as_os_str() == other.path.as_os_str();
        self.hash == other.hash && (Arc::ptr_eq(&self.path, &other.path) || is_same())
    }
}

impl Eq for RunDir {}

impl Hash for RunDir {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialOrd for RunDir {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RunDir {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path.as_os_str().cmp(other.path.as_os_str())
    }
}

impl RunDir {
    /// Refuses a run if a folder that is written to is a link: another user's tree could redirect
    /// writes out of itself. So is one that has no folder.
    ///
    /// # Errors
    /// If `logs`, `logs/figures` or `checkpoints` is a link, or the run lies in a database.
    pub fn refuse_links(&self) -> io::Result<()> {
        if let Some(why) = self.only_read() {
            return Err(io::Error::other(format!("{}: {why}", clean(&self.name()))));
        }
        let mut folders = [self.logs(), self.figures(), self.checkpoints()].into_iter();
        folders.try_for_each(|folder| refuse_link(&folder))
    }

    /// Takes a folder for a run; whether it is one, [`super::discover`] says.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path: PathBuf = path.into();
        let mut hasher = DefaultHasher::new();
        path.as_os_str().hash(&mut hasher);
        Self {
            path: path.into(),
            hash: hasher.finish(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or(self.path.as_os_str())
            .to_string_lossy()
            .into_owned()
    }

    /// The database that the run lies in, with others, where it is no folder: its path is made of
    /// the file and a name, so nothing can be written at it.
    pub fn database(&self) -> Option<&Path> {
        let database = self.path.parent().filter(|path| is_database(path))?;
        database.is_file().then_some(database)
    }

    /// Why nothing but the notes of the run can be changed, as half a sentence; `None` if it can.
    pub fn only_read(&self) -> Option<String> {
        let name = self.database()?.file_name()?.to_string_lossy();
        Some(format!(
            "it is one of the runs in the database {}, which traintop only reads; use the trackio package to rename or remove it",
            clean(&name)
        ))
    }

    /// Identity and state.
    pub fn run_json(&self) -> PathBuf {
        self.path.join("run.json")
    }

    /// The folder of everything that is written as text.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// One row an epoch; of a foreign run the `metrics.csv` at the folder's top.
    pub fn metrics_csv(&self) -> PathBuf {
        self.either("metrics.csv")
    }

    /// One row every few steps.
    pub fn steps_csv(&self) -> PathBuf {
        self.logs().join("steps.csv")
    }

    /// What happened, for people.
    pub fn training_log(&self) -> PathBuf {
        self.either("training.log")
    }

    /// What the worker wrote to its standard streams.
    pub fn worker_out(&self) -> PathBuf {
        self.logs().join("worker.out")
    }

    /// The resolved recipe.
    pub fn config_json(&self) -> PathBuf {
        self.either("config.json")
    }

    /// The folder that holds `training_runs` and, beside it, `best_models` and the like; `None` if
    /// the run is elsewhere.
    pub fn output_tree(&self) -> Option<&Path> {
        let runs = self.path().parent()?;
        runs.file_name()
            .is_some_and(|name| name == TRAINING_RUNS)
            .then(|| runs.parent())?
    }

    /// Pictures of its curves.
    pub fn figures(&self) -> PathBuf {
        self.logs().join("figures")
    }

    /// The weights with the best validation accuracy.
    pub fn best(&self) -> PathBuf {
        self.path.join("best.safetensors")
    }

    /// The last weights, with what a resume needs.
    pub fn last(&self) -> PathBuf {
        self.path.join("last.safetensors")
    }

    /// Everything of an archived run, packed by `traintop_ops::archive`.
    pub fn archive(&self) -> PathBuf {
        self.path.join("archive.tar.zst")
    }

    /// The folder of periodic checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The periodic checkpoint of an epoch (1-based).
    pub fn checkpoint(&self, epoch: u32) -> PathBuf {
        self.checkpoints()
            .join(format!("epoch_{epoch}.safetensors"))
    }

    /// The file in `logs/`, or the one at the top where only that exists (other trainers' runs).
    fn either(&self, file: &str) -> PathBuf {
        let ours = self.logs().join(file);
        let top = self.path.join(file);
        if !ours.exists() && top.exists() {
            top
        } else {
            ours
        }
    }
}

/// Refuses a folder to write in that is a link: see [`RunDir::refuse_links`].
///
/// # Errors
/// If it is one.
pub fn refuse_link(folder: &Path) -> io::Result<()> {
    if std::fs::symlink_metadata(folder).is_ok_and(|it| it.is_symlink()) {
        return Err(io::Error::other(format!(
            "{} is a link, which is not followed; put the folder in its place",
            folder.display()
        )));
    }
    Ok(())
}

/// Whether a file's name is that of a database that may hold runs.
pub fn is_database(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "db")
}

/// The output tree where none is named: where recipes put runs.
pub const DEFAULT_ROOT: &str = "runs";
/// Where an output tree keeps its runs.
pub const TRAINING_RUNS: &str = "training_runs";

/// What a list calls a new run: its experiment and when it began (`quick 11-24 02:26:37`), which
/// distinguishes runs of one recipe in few columns; without an experiment, the folder's name.
pub fn display_name(experiment: &str, dir: &RunDir) -> String {
    let folder = dir.name();
    let parts: Vec<&str> = folder.splitn(6, '_').collect();
    match parts[..] {
        [_, month, day, hour, minute, second] if !experiment.is_empty() => {
            format!("{experiment} {month}-{day} {hour}:{minute}:{second}")
        }
        _ => folder,
    }
}

/// Makes `output_dir/training_runs/{YYYY_MM_DD_HH_MM_SS[-n]}` with its `logs` and `checkpoints`.
/// Making a folder is atomic, so two runs that start in the same second get two folders.
///
/// # Errors
/// If a folder cannot be made.
pub fn create(output_dir: &Path, now: &Zoned) -> io::Result<RunDir> {
    let parent = output_dir.join(TRAINING_RUNS);
    make_folders(&parent)?;
    // Absolute, since readers of the run may have another working folder.
    let parent = parent.canonicalize()?;
    let stamp = now.strftime("%Y_%m_%d_%H_%M_%S").to_string();
    for number in 1_u32.. {
        let name = if number == 1 {
            stamp.clone()
        } else {
            format!("{stamp}-{number}")
        };
        match make_folder(&parent.join(&name)) {
            Ok(()) => {
                let dir = RunDir::new(parent.join(name));
                let made = make_folder(&dir.logs()).and_then(|()| make_folder(&dir.checkpoints()));
                // Half a run folder would be listed as a run.
                made.inspect_err(|_| drop(remove_tree(dir.path())))?;
                return Ok(dir);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(
        "every folder name of this second is taken",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_experiment_and_when_it_began() {
        let dir = RunDir::new("/runs/2026_11_24_02_26_37-2");
        assert_eq!(display_name("quick", &dir), "quick 11-24 02:26:37-2");
        assert_eq!(display_name("", &dir), "2026_11_24_02_26_37-2");
        assert_eq!(display_name("quick", &RunDir::new("/runs/mine")), "mine");
    }

    #[test]
    fn runs_of_one_second_get_folders_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let now: Zoned = "2026-03-10T14:29:05[UTC]".parse().unwrap();
        let names: Vec<_> = (0..3)
            .map(|_| create(folder.path(), &now).unwrap().name())
            .collect();
        assert_eq!(
            names,
            [
                "2026_03_10_14_29_05",
                "2026_03_10_14_29_05-2",
                "2026_03_10_14_29_05-3"
            ]
        );
    }
}
