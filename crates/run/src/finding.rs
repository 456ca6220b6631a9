//! What looks wrong in a run's numbers, as lists keep it. The rules are in the crate `analysis`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Something that looks wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind it is, for scripts.
    pub kind: Cow<'static, str>,
    /// One sentence, clean for a terminal.
    pub text: String,
}

impl Finding {
    /// A finding of a kind, with its sentence.
    pub fn new(kind: &'static str, text: impl Into<String>) -> Self {
        let (kind, text) = (Cow::Borrowed(kind), text.into());
        Self { kind, text }
    }
}
