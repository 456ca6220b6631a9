//! What lists show of an evaluation, in little memory.

use jiff::Timestamp;

use traintop_run::RunDir;
use traintop_run::evaluation::{
    Accuracy, Best, Evaluated, EvaluationDir, Progress, Results, RunKey, evaluates,
};
use traintop_run::notes::Notes;
use traintop_text::clean;

/// An evaluation, as lists show it. All text is clean for a terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    pub dir: EvaluationDir,
    /// What lists call it: the name that a user gave it, else its run and checkpoint.
    pub name: String,
    /// Which checkpoint was asked: `best`, `epoch_40`, `3 checkpoints`.
    pub checkpoint: String,
    /// The checkpoints that were asked, and whose they are.
    pub checkpoints: Vec<Evaluated>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// The images: where they are from.
    pub data: String,
    /// Which of them: `test`, `val`.
    pub split: String,
    /// The images' hash.
    pub sha256: String,
    pub images: u64,
    pub views: u32,
    /// Right answers, if the images have labels.
    pub accuracy: Option<Accuracy>,
    /// Mean cross-entropy.
    pub loss: Option<f64>,
    /// Expected calibration error, 0 to 1.
    pub calibration_error: Option<f64>,
    /// What it is worth to its run.
    pub best: Option<(RunKey, Best)>,
    /// What people added.
    pub notes: Notes,
    /// What of it cannot be read, as a sentence.
    pub problem: Option<String>,
}

impl Card {
    /// The card of an evaluation whose results could be read, or are missing, as the reference's
    /// are.
    pub fn of(dir: EvaluationDir, results: &Results, notes: &Notes) -> Self {
        let notes = notes.shown();
        let cleaned = |text: &str| clean(text).into_owned();
        let checkpoint = checkpoint(&results.checkpoints);
        let run = results.checkpoints.first().and_then(|one| {
            let run = one.run.as_ref()?;
            let folder = run.path.as_ref()?.file_name()?;
            let name = run.name.clone();
            name.or_else(|| Some(folder.to_string_lossy().into_owned()))
        });
        // A renamed folder gives the name.
        let is_first_name = results.id.starts_with(&dir.name());
        let name = notes.name.clone().unwrap_or_else(|| match run {
            Some(run) if is_first_name => format!("{}, {checkpoint}", cleaned(&run)),
            _ => cleaned(&dir.name()),
        });
        Self {
            name,
            checkpoint,
            checkpoints: results.checkpoints.clone(),
            started_at: results.started_at,
            data: cleaned(&results.data.path),
            split: cleaned(&results.data.split),
            sha256: results.data.sha256.clone(),
            images: results.data.images,
            views: results.views.max(1),
            accuracy: results.accuracy.clone(),
            loss: results.loss,
            calibration_error: results.expected_calibration_error,
            best: Best::of(&dir, results),
            notes,
            problem: None,
            dir,
        }
    }

    /// The card of one whose results cannot be read.
    pub fn damaged(dir: EvaluationDir, problem: &str) -> Self {
        Self {
            problem: Some(clean(problem).into_owned()),
            ..Self::of(dir, &Results::default(), &Notes::default())
        }
    }

    /// Whether it is, also, of the run with this identity in this folder.
    pub fn is_of(&self, id: &str, dir: &RunDir) -> bool {
        evaluates(&self.checkpoints, id, dir)
    }

    /// Percent of right answers.
    pub fn percent(&self) -> Option<f64> {
        self.accuracy.as_ref().map(|accuracy| accuracy.percent)
    }
}

/// Checkpoints in a word or two, clean.
pub fn checkpoint(checkpoints: &[Evaluated]) -> String {
    match checkpoints {
        [] => "-".to_owned(),
        [one] => {
            let stem = one.path.as_ref().and_then(|path| path.file_stem());
            let stem = stem.map(|stem| stem.to_string_lossy().into_owned());
            let which = Some(one.which.clone()).filter(|which| !which.is_empty());
            let named = which.filter(|which| which != "file").or(stem);
            clean(&named.unwrap_or_else(|| "-".to_owned())).into_owned()
        }
        several => format!("{} checkpoints", several.len()),
    }
}

/// An evaluation that runs, or that nobody will finish.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Its temporary folder.
    pub dir: EvaluationDir,
    /// What its folder will be called; clean.
    pub name: String,
    /// The checkpoints that are asked, and whose they are.
    pub checkpoints: Vec<Evaluated>,
    /// Which checkpoint is asked.
    pub checkpoint: String,
    /// The part that is done, 0 to 1.
    pub fraction: f64,
    /// Images a second through the network.
    pub images_per_s: f64,
    /// Whether its process is gone.
    pub is_abandoned: bool,
}

impl Running {
    /// Whether it is, also, of the run with this identity in this folder.
    pub fn is_of(&self, id: &str, dir: &RunDir) -> bool {
        evaluates(&self.checkpoints, id, dir)
    }

    /// What its progress says.
    pub fn of(dir: EvaluationDir, progress: &Progress, is_abandoned: bool) -> Self {
        Self {
            dir,
            name: clean(&progress.name).into_owned(),
            checkpoints: progress.checkpoints.clone(),
            checkpoint: checkpoint(&progress.checkpoints),
            fraction: progress.fraction(),
            images_per_s: progress.images_per_s,
            is_abandoned,
        }
    }
}
