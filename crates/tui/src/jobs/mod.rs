//! What the pool's threads do: each job is plain data, and answers with its outcome. A job knows
//! nothing of the dashboard's state; what an outcome changes stands in [`crate::update`].

pub mod alerts;
pub mod archive;
pub mod best_so_far_cache;
pub mod charts;
pub mod choice;
pub mod cleanup;
pub mod compare;
pub mod edits;
pub mod evaluations;
pub mod export;
pub mod form;
pub mod judge;
pub mod machine;
pub mod ring;
pub mod slurm;
pub mod steering;
