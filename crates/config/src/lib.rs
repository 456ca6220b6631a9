//! The user's configuration: `config.toml` and the folder `themes` in traintop's config folder.
//! Reading the files is one step, making sense of their text another; a problem costs the entry
//! that it is in and becomes one sentence.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        reason = "the walls around `disk` and the terminal are for the program; tests set up what they need"
    )
)]

mod alerts;
mod build;
mod files;
mod keys;
mod launcher;
mod metrics;
mod retention;
mod save;
mod search;
mod slurm;

pub use alerts::Alerts;
pub use build::{Config, Placed};
pub use files::{Files, folder};
pub use launcher::Launcher;
pub use save::{save_primary, save_theme};
pub use slurm::{Place, Slurm};

/// What the configuration says, and a sentence for each problem in it; without a file, the
/// defaults.
pub fn load() -> (Config, Vec<String>) {
    let mut files = Files::read(folder().as_deref());
    let (mut config, mut problems) = Config::build(&files);
    problems.append(&mut files.problems);
    for (root, _) in &mut config.metrics.below {
        *root = files::resolved(std::mem::take(root));
    }
    (config, problems)
}
