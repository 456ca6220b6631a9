//! What an evaluation is on disk: one or several checkpoints asked about many images, and all that
//! they answered, in a folder of its own below `evaluations/` of the output tree. The worker fills
//! it; everybody else only reads.

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
