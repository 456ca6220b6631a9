//! What an evaluation is on disk: the predictions of one or several checkpoints for many images, in
//! a folder of its own below `evaluations/` of the output tree. The worker fills it; all others
//! only read.

mod best;
mod discover;
mod layout;
mod owner;
mod progress;
mod results;
mod tensors;

pub use best::{Best, BestByRun, RunKey};
pub use discover::{Unfinished, list, trees, unfinished};
pub use layout::{EVALUATIONS, EvaluationDir, Named, folder_name};
pub use owner::{by_run, evaluates};
pub use progress::Progress;
pub use results::{
    Accuracy, Averages, CalibrationBin, Class, Compute, Data, Evaluated, LoadError, Results,
    RunReference, SCHEMA_VERSION, Versions,
};
pub use tensors::{Images, Logits, TensorsError};
