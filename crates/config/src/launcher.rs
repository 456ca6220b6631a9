//! Commands of the user's own that can be started as runs.

/// A launcher: `[launcher.mine]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Launcher {
    /// What it is called.
    pub name: String,
    /// Its command, in words.
    pub command: Vec<String>,
    /// How many GPUs a run of it gets, where there are any; nobody has said: one.
    pub gpus: Option<u32>,
}
