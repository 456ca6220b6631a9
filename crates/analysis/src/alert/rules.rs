//! The rules by their names, and the numbers in them that a person may change.

macro_rules! kinds {
    ($($variant:ident $name:literal $what:literal;)+) => {
        /// A rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $what] $variant,)+
        }

        impl Kind {
            /// All, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the configuration, in files and in lists.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Its description, in one line.
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what),+ }
            }
        }
    };
}

kinds! {
    Finished    "finished"    "a run has trained all its epochs";
    Failed      "failed"      "a run has failed or is lost";
    NotANumber  "nan"         "a loss is NaN or infinite";
    Diverging   "diverging"   "the training loss has lost a good part of what it had gained";
    NoProgress  "no_progress" "no better epoch for a quarter of the planned ones (at least 10), or for the number set";
    Stalled     "stalled"     "no row in five times the usual time, or in the number of times set";
    Overfitting "overfitting" "the validation loss rises while the training loss falls and nothing gets better";
    Disk        "disk"        "less than 2 GB, or than the size set, are free on a run's disk";
    Late        "late"        "a run will not finish before its limit, or did not";
    Hopeless    "hopeless"    "a run is clearly behind earlier ones like it";
}

impl Kind {
    /// The rule of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Which rules are wanted, with their numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Those that are notified.
    pub on: Vec<Kind>,
    /// After this number of epochs without a better one there is no progress; by default a part of
    /// the planned ones. 0 is never.
    pub no_progress: Option<u32>,
    /// A run stalls after this multiple of the usual time without a row.
    pub stalled: f64,
    /// With fewer free bytes a disk is nearly full.
    pub disk_free: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            on: Kind::ALL.to_vec(),
            no_progress: None,
            stalled: 5.0,
            disk_free: 2_000_000_000,
        }
    }
}

impl Rules {
    /// Whether a rule is wanted.
    pub fn has(&self, kind: Kind) -> bool {
        self.on.contains(&kind)
    }
}
