//! What a clean-up keeps. Rules join as a union: what any rule keeps, stays.

use std::fmt;

use traintop_run::notes::Notes;

/// What protects a whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// It has a star.
    Starred,
    /// It has tags.
    Tagged,
    /// It has a note.
    Noted,
    /// It has been evaluated.
    Evaluated,
    /// Others are measured by it.
    Baseline,
}

impl Protection {
    pub const ALL: [Self; 5] = [
        Self::Starred,
        Self::Tagged,
        Self::Noted,
        Self::Evaluated,
        Self::Baseline,
    ];

    /// Its name in configurations, and as people read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starred => "starred",
            Self::Tagged => "tagged",
            Self::Noted => "noted",
            Self::Evaluated => "evaluated",
            Self::Baseline => "baseline",
        }
    }

    /// The one of this name.
    ///
    /// # Errors
    /// Half a sentence that lists the names.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("{name:?} is none of {names}")
        })
    }

    /// Whether a run has it.
    pub fn holds(self, notes: &Notes, is_evaluated: bool) -> bool {
        match self {
            Self::Starred => notes.star,
            Self::Tagged => !notes.tags.is_empty(),
            Self::Noted => !notes.note.is_empty(),
            Self::Evaluated => is_evaluated,
            Self::Baseline => notes.baseline,
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The retention policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Checkpoints of this many of a run's best epochs stay. The best itself always does.
    pub keep_best: u32,
    /// How many of a run's last checkpoints stay.
    pub keep_last: u32,
    /// Every checkpoint of an epoch that is a multiple of this stays; 0 is none.
    pub keep_every: u32,
    /// Runs that ended with fewer epochs may go.
    pub min_epochs: u32,
    /// Runs whose files have not changed for this many days, and that are not marked, may go; 0 is
    /// never.
    pub max_age: u32,
    /// Runs with any of these are left alone.
    pub protect: Vec<Protection>,
    /// What is in the trash for this many days is removed for good; 0 is never.
    pub purge_after: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            keep_best: 1,
            keep_last: 1,
            keep_every: 0,
            min_epochs: 1,
            max_age: 0,
            protect: Protection::ALL.to_vec(),
            purge_after: 0,
        }
    }
}

/// The policy's numbers, by name: configuration, flags and the view all go by this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// [`Policy::keep_best`]
    KeepBest,
    /// [`Policy::keep_last`]
    KeepLast,
    /// [`Policy::keep_every`]
    KeepEvery,
    /// [`Policy::min_epochs`]
    MinEpochs,
    /// [`Policy::max_age`]
    MaxAge,
    /// [`Policy::purge_after`]
    PurgeAfter,
}

impl Rule {
    pub const ALL: [Self; 6] = [
        Self::KeepBest,
        Self::KeepLast,
        Self::KeepEvery,
        Self::MinEpochs,
        Self::MaxAge,
        Self::PurgeAfter,
    ];

    /// Its name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::KeepBest => "keep_best",
            Self::KeepLast => "keep_last",
            Self::KeepEvery => "keep_every",
            Self::MinEpochs => "min_epochs",
            Self::MaxAge => "max_age",
            Self::PurgeAfter => "purge_after",
        }
    }

    /// The number in a policy.
    pub fn of(self, policy: &mut Policy) -> &mut u32 {
        match self {
            Self::KeepBest => &mut policy.keep_best,
            Self::KeepLast => &mut policy.keep_last,
            Self::KeepEvery => &mut policy.keep_every,
            Self::MinEpochs => &mut policy.min_epochs,
            Self::MaxAge => &mut policy.max_age,
            Self::PurgeAfter => &mut policy.purge_after,
        }
    }
}
