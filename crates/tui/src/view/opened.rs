//! The run that is looked at closely, by the preview or on a screen of its own: one at a time, read
//! in full and followed.

use super::super::effect::Effect;
use super::run::detail::{Detail, Reading};
use traintop_run::RunDir;

/// A reading that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// None.
    Idle,
    Running,
    /// One, and the files have changed since it began.
    Again,
}

/// The opened run.
#[derive(Debug)]
pub struct Opened {
    pub dir: RunDir,
    /// What was read of it; `None` until the first reading is there.
    pub detail: Option<Detail>,
    /// Whether what its charts need beyond the rows is being made.
    pub deriving: bool,
    reads: Reads,
}

impl Opened {
    /// Opens a run: the order is to read it.
    pub fn new(dir: RunDir) -> (Self, Effect) {
        let effect = Effect::Read(dir.clone());
        (
            Self {
                dir,
                detail: None,
                deriving: false,
                reads: Reads::Running,
            },
            effect,
        )
    }

    /// Its files changed. Readings do not pile up: while one is under way, at most one more is due.
    pub fn changed(&mut self) -> Option<Effect> {
        if self.reads != Reads::Idle {
            self.reads = Reads::Again;
            return None;
        }
        self.reads = Reads::Running;
        Some(Effect::Read(self.dir.clone()))
    }

    /// Takes in what was read.
    pub fn take(&mut self, reading: Reading) -> Option<Effect> {
        let again = std::mem::replace(&mut self.reads, Reads::Idle) == Reads::Again;
        self.detail.get_or_insert_default().take(reading);
        if again { self.changed() } else { None }
    }
}
