//! The columns of the table of runs: each knows its title, its width, what it sorts by and what its
//! cells say. The table only loops over them.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use super::attention;
use super::state_glyph::glyph;
use traintop_run::evaluation::Best;
use traintop_run::notes::Notes;
use traintop_run::summary::Summary;
use traintop_text as text;

macro_rules! columns {
    ($($variant:ident $name:literal $title:literal $width:literal $rank:literal $side:ident;)+) => {
        /// A column.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Column {
            $(#[doc = concat!("`", $name, "` in the configuration.")] $variant,)+
        }

        impl Column {
            /// All, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name in the configuration.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Its heading, with the unit where cells do not carry one.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// Its width in cells; of the name the least.
            pub fn width(self) -> u16 {
                match self { $(Self::$variant => $width),+ }
            }

            /// In little room the columns with the highest rank go first.
            pub fn rank(self) -> u8 {
                match self { $(Self::$variant => $rank),+ }
            }

            /// Whether its cells stand to the right, as numbers do.
            pub fn is_right(self) -> bool {
                match self { $(Self::$variant => columns!(@ $side)),+ }
            }
        }
    };
    (@ left) => { false };
    (@ right) => { true };
}

columns! {
    State     "state"      "STATE"      11 0 left;
    Name      "name"       "NAME"       14 0 left;
    Differs   "differs"    "DIFFERS IN" 18 1 left;
    Tags      "tags"       "TAGS"       14 5 left;
    Model     "model"      "MODEL"      14 8 left;
    Epochs    "epochs"     "EPOCHS"      7 1 left;
    Best      "best"       "BEST %"     12 1 right;
    Test      "test"       "TEST %"     10 2 right;
    TrainLoss "train_loss" "TRAIN LOSS" 10 4 right;
    ValLoss   "val_loss"   "VAL LOSS"    8 3 right;
    Rate      "rate"       "LR"          8 7 right;
    Trend     "trend"      "TREND"      10 6 left;
    Age       "age"        "AGE"         4 3 right;
    Duration  "duration"   "TIME"        7 9 right;
    Size      "size"       "SIZE"        7 10 right;
}

/// The best evaluation on test images; what validation images give is another column's.
fn tested(summary: &Summary) -> Option<&Best> {
    summary.evaluated.as_ref().filter(|best| best.is_test())
}

/// How long ago a run began.
pub fn age(summary: &Summary, now: Timestamp) -> Duration {
    let since = summary.started_at.unwrap_or(summary.modified_at);
    Duration::try_from(now - since).unwrap_or_default()
}

/// Parts of the planned epochs that are done, the running one included, or of the planned steps;
/// `None` if no number is planned.
pub fn done(summary: &Summary) -> Option<f64> {
    if let Some((done, planned)) = summary.steps() {
        let part = planned.map(|planned| done as f64 / planned.max(1) as f64);
        return part.map(|part| part.min(1.0));
    }
    let planned = f64::from(summary.epochs_planned.filter(|planned| *planned > 0)?);
    let inside = summary
        .progress
        .filter(|progress| progress.epoch > summary.epochs_done)
        .map_or(0.0, |progress| progress.part());
    Some(((f64::from(summary.epochs_done) + inside) / planned).clamp(0.0, 1.0))
}

/// Stands before the name of a run of which something looks wrong, or that warns of something:
/// plain ASCII, which every font has.
const ODD: &str = "!";
const STAR: &str = "★";
const BASELINE: &str = "⊥";
const ARCHIVED: &str = "▣";
/// Stands behind a state that was deduced.
const DEDUCED: &str = "?";

/// The signs in the table, with what they say.
pub const SIGNS: [(&str, &str); 7] = [
    (ODD, "looks wrong or was not understood: open it"),
    (STAR, "starred"),
    (BASELINE, "baseline: others are measured by it"),
    (ARCHIVED, "archived"),
    (DEDUCED, "after a state: deduced from its files"),
    ("~", "before a best: what it is judged by is a guess"),
    ("@", "after a best: in this epoch"),
];

/// Whether something looks wrong in a run's numbers, not all of them were understood, or it warns
/// of something while it trains.
pub fn is_odd(summary: &Summary) -> bool {
    summary
        .findings
        .as_ref()
        .is_some_and(|findings| !findings.is_empty())
        || attention::warns(summary)
        || summary.problems > 0
        || !summary.unread.is_empty()
}

/// A star and a baseline, as signs before a name.
fn marks_of(notes: &Notes) -> String {
    let star = if notes.star { STAR } else { "" };
    let baseline = if notes.baseline { BASELINE } else { "" };
    match (star, baseline) {
        ("", "") => String::new(),
        (star, baseline) => format!("{star}{baseline} "),
    }
}

impl Column {
    /// What a cell says; bars and trends are drawn by the table.
    pub fn text(self, summary: &Summary, now: Timestamp) -> String {
        let number = |value: Option<f64>| {
            value.map_or_else(|| "-".to_owned(), |value| text::number(value, 4))
        };
        match self {
            Self::State => {
                let state = summary.observed.state;
                // What was deduced is marked so.
                format!(
                    "{} {state}{}",
                    glyph(state),
                    if summary.observed.deduced {
                        DEDUCED
                    } else {
                        ""
                    }
                )
            }
            Self::Name => {
                let sign = |sign: &str, is_there: bool| {
                    if is_there {
                        format!("{sign} ")
                    } else {
                        String::new()
                    }
                };
                format!(
                    "{}{}{}{}",
                    sign(ODD, is_odd(summary)),
                    marks_of(&summary.notes),
                    sign(ARCHIVED, summary.archived.is_some()),
                    summary.name
                )
            }
            Self::Differs => summary.differs.clone(),
            Self::Tags => summary.notes.tags.join(" "),
            Self::Model => summary.model.clone(),
            Self::Epochs => summary.how_far(),
            Self::Best => summary.best.as_ref().map_or_else(
                || "-".to_owned(),
                |best| match best.epoch {
                    Some(epoch) => format!("{} @{epoch}", best.marked_text()),
                    None => best.marked_text(),
                },
            ),
            Self::Test => tested(summary).map_or_else(
                || "-".to_owned(),
                |best| match best.views {
                    0 | 1 => format!("{:.2}", best.accuracy),
                    views => format!("{:.2} ×{views}", best.accuracy),
                },
            ),
            Self::TrainLoss => number(summary.last("train_loss").or_else(|| summary.last("loss"))),
            Self::ValLoss => number(summary.last("val_loss")),
            Self::Rate => number(summary.last("learning_rate").or_else(|| summary.last("lr"))),
            Self::Trend => String::new(),
            Self::Age => text::since(age(summary, now)).0,
            Self::Duration => summary
                .duration
                .map_or_else(|| "-".to_owned(), text::duration),
            Self::Size => summary
                .size_bytes
                .map_or_else(|| "…".to_owned(), text::bytes),
        }
    }

    /// Its value, where that is a number whose mean says something.
    pub fn number(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::Best => summary.best.as_ref().map(|best| best.shown()),
            Self::Test => tested(summary).map(|best| best.accuracy),
            Self::Epochs => Some(summary.epochs_done.into()),
            Self::TrainLoss => summary.last("train_loss").or_else(|| summary.last("loss")),
            Self::ValLoss => summary.last("val_loss"),
            Self::Rate => summary.last("learning_rate").or_else(|| summary.last("lr")),
            Self::Duration => summary.duration.map(|time| time.as_secs_f64()),
            Self::Size => summary.size_bytes.map(|size| size as f64),
            Self::State
            | Self::Name
            | Self::Differs
            | Self::Tags
            | Self::Model
            | Self::Trend
            | Self::Age => None,
        }
    }

    /// The order of two runs by this column, smallest first; what is unknown comes last either way.
    pub fn order(self, a: &Summary, b: &Summary, descending: bool) -> Ordering {
        let turn = |order: Ordering| if descending { order.reverse() } else { order };
        let numbers = |a: Option<f64>, b: Option<f64>| match (
            a.filter(|a| !a.is_nan()),
            b.filter(|b| !b.is_nan()),
        ) {
            (Some(a), Some(b)) => turn(a.total_cmp(&b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        let words = |a: &str, b: &str| turn(a.to_lowercase().cmp(&b.to_lowercase()));
        let begun = |summary: &Summary| summary.started_at.unwrap_or(summary.modified_at);
        let order = match self {
            Self::State => turn(a.observed.state.cmp(&b.observed.state)),
            Self::Name => words(&a.name, &b.name),
            Self::Differs => words(&a.differs, &b.differs),
            // Starred ones first, then baselines, then those that have a tag.
            Self::Tags => {
                let key = |summary: &Summary| {
                    let notes = &summary.notes;
                    let untagged = notes.tags.is_empty();
                    (!notes.star, !notes.baseline, untagged, notes.tags.join(" "))
                };
                turn(key(a).cmp(&key(b)))
            }
            Self::Model => words(&a.model, &b.model),
            Self::Epochs => turn(a.epochs_done.cmp(&b.epochs_done)),
            Self::Best | Self::Trend => match (&a.best, &b.best) {
                (Some(a), Some(b)) if a.quantity == b.quantity => {
                    turn(a.goodness().total_cmp(&b.goodness()))
                }
                // Values of different quantities say nothing of each other.
                (Some(a), Some(b)) => a.quantity.cmp(&b.quantity),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            },
            Self::Test => {
                let accuracy = |summary| tested(summary).map(|best: &Best| best.accuracy);
                numbers(accuracy(a), accuracy(b))
            }
            Self::TrainLoss => numbers(a.last("train_loss"), b.last("train_loss")),
            Self::ValLoss => numbers(a.last("val_loss"), b.last("val_loss")),
            Self::Rate => numbers(a.last("learning_rate"), b.last("learning_rate")),
            // Young runs have small ages.
            Self::Age => turn(begun(b).cmp(&begun(a))),
            Self::Duration => numbers(
                a.duration.map(|time| time.as_secs_f64()),
                b.duration.map(|time| time.as_secs_f64()),
            ),
            Self::Size => numbers(
                a.size_bytes.map(|size| size as f64),
                b.size_bytes.map(|size| size as f64),
            ),
        };
        // Newest first among equals, and always the same order.
        order
            .then_with(|| begun(b).cmp(&begun(a)))
            .then_with(|| a.dir.cmp(&b.dir))
    }
}
