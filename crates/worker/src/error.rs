//! Everything that ends a training before its time, each as one sentence.

use std::io;

use traintop_recipe::RecipeError;
use traintop_run::record::RecordError;

use super::checkpoint::CheckpointError;
use super::data::DataError;
use super::device::NoCuda;
use super::run_files::FilesError;

/// Why there is no training.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Device(#[from] NoCuda),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    /// The request cannot be done to this run: a whole sentence.
    #[error("{0}")]
    Refused(String),
    #[error(
        "the {what} became {value} in epoch {epoch}, step {step}; try a smaller learning rate, or grad_clip = 1.0 \
         (resume continues from the last checkpoint, which is good)"
    )]
    Diverged {
        what: &'static str,
        value: f64,
        epoch: u32,
        step: u32,
    },
    /// The program itself is wrong, or libtorch ran out of something.
    #[error("the worker broke off: {0}")]
    Panic(String),
}
