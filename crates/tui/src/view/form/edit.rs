//! What is being filled in: the rows, what each holds, what is wrong with it, and what is asked for
//! in the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::super::widget::prompt::Prompt;
use crate::jobs::choice::{Choice, Subject};
use traintop_config::{Launcher, Place};
use traintop_launch::recent::Recent;
use traintop_launch::{Launch, Request, SweepRequest, time_limit, words};
use traintop_recipe::{Axis, FIELDS, Field, Kind, REQUEUE, Recipe, Value};

const TIME_LIMIT: Field = Field {
    key: "time_limit",
    kind: Kind::Text,
    group: "this start",
    description: "Ask it to save and end after this time of training: 90m, 4h, 2d (empty: no limit)",
};
const SAMPLE: Field = Field {
    key: "sample",
    kind: Kind::Int {
        min: 0,
        max: 10_000,
    },
    group: "this start",
    description: "Take this many of a sweep's points at random (0: all)",
};
const SAMPLE_SEED: Field = Field {
    key: "sample_seed",
    kind: Kind::Int {
        min: 0,
        max: i64::MAX,
    },
    group: "this start",
    description: "Seed of that sample: one seed, one sample",
};
const SKIP_DONE: Field = Field {
    key: "skip_done",
    kind: Kind::Bool,
    group: "this start",
    description: "Of a sweep, leave out what a finished run has already: the same recipe on the same data",
};
const PLACE: Field = Field {
    key: "where",
    kind: Kind::Choice(&["local", "slurm"]),
    group: "this start",
    description: "Train on this machine, or as a job of Slurm",
};
const ARGUMENTS: Field = Field {
    key: "arguments",
    kind: Kind::Text,
    group: "command",
    description: "What follows the launcher's command: words apart by spaces, quotes hold words together",
};
const OUTPUT_DIR: Field = Field {
    key: "output_dir",
    kind: Kind::Text,
    group: "command",
    description: "Folder below which the run is made",
};

/// The rows of a recipe behind its own values.
static OF_RECIPE: [Field; 4] = [TIME_LIMIT, SAMPLE, SAMPLE_SEED, SKIP_DONE];
/// The same where there is Slurm.
static OF_RECIPE_WITH_SLURM: [Field; 5] = [PLACE, TIME_LIMIT, SAMPLE, SAMPLE_SEED, SKIP_DONE];
/// The rows of a launcher.
static OF_LAUNCHER: [Field; 3] = [ARGUMENTS, OUTPUT_DIR, TIME_LIMIT];
/// The same where there is Slurm.
static OF_LAUNCHER_WITH_SLURM: [Field; 4] = [ARGUMENTS, OUTPUT_DIR, PLACE, TIME_LIMIT];

/// What a row that belongs to the start, not to the recipe, holds at first.
fn default_of(field: &Field) -> Value {
    match field.kind {
        Kind::Bool => Value::Bool(false),
        Kind::Int { .. } => Value::Int(0),
        _ if field.key == OUTPUT_DIR.key => Value::Text("runs".to_owned()),
        _ => Value::Text(String::new()),
    }
}

fn word(place: Place) -> String {
    match place {
        Place::Local => "local",
        Place::Slurm => "slurm",
    }
    .to_owned()
}

/// A recipe whose values are being changed, or a launcher's command that is being completed.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// The recipe's file or name, or the launcher's name.
    pub source: PathBuf,
    /// The launcher, where it is one's command.
    pub launcher: Option<Launcher>,
    pub base: Recipe,
    pub values: Recipe,
    /// Values that are varied, as they were typed, by their keys.
    swept: BTreeMap<&'static str, String>,
    /// What belongs to this start alone, by its key.
    own: BTreeMap<&'static str, Value>,
    /// Where it trains if nobody says otherwise; `None` where that is no question.
    place: Option<Place>,
    /// The row of the cursor.
    pub row: usize,
    /// The text that is typed into it.
    pub typing: Option<Prompt>,
}

impl Edit {
    /// A choice, as it is; `None` if there is something wrong with it.
    pub fn of(choice: &Choice) -> Option<Self> {
        let (base, launcher) = match choice.subject.as_ref().ok()? {
            Subject::Recipe(recipe) => ((**recipe).clone(), None),
            Subject::Launcher(launcher) => (Recipe::default(), Some(launcher.clone())),
        };
        let rows = launcher
            .as_ref()
            .map_or(&OF_RECIPE[..], |_| &OF_LAUNCHER[..]);
        let mut edit = Self {
            source: choice.source.clone(),
            launcher,
            values: base.clone(),
            base,
            swept: BTreeMap::new(),
            own: rows.iter().map(|row| (row.key, default_of(row))).collect(),
            place: None,
            row: 0,
            typing: None,
        };
        // What was right once; a row that has changed since keeps what it has.
        let _ = edit.fill(&choice.given);
        Some(edit)
    }

    /// Lets one choose where it trains; `place` is where it does if nobody says otherwise.
    pub fn offer_slurm(&mut self, place: Place) {
        if self.place.replace(place).is_none() {
            self.own.insert(PLACE.key, Value::Text(word(place)));
        }
    }

    /// Where it is to train.
    pub fn place(&self) -> Place {
        match self.own.get(PLACE.key) {
            Some(Value::Text(text)) if *text == word(Place::Slurm) => Place::Slurm,
            _ => Place::Local,
        }
    }

    fn default_of(&self, field: &Field) -> Value {
        match self.place {
            Some(place) if field.key == PLACE.key => Value::Text(word(place)),
            _ => default_of(field),
        }
    }

    pub fn rows(&self) -> Vec<&'static Field> {
        let has_slurm = self.place.is_some();
        let own = match (self.launcher.is_some(), has_slurm) {
            (true, true) => return OF_LAUNCHER_WITH_SLURM.iter().collect(),
            (true, false) => return OF_LAUNCHER.iter().collect(),
            (false, true) => &OF_RECIPE_WITH_SLURM[..],
            (false, false) => &OF_RECIPE[..],
        };
        let recipe = FIELDS
            .iter()
            .filter(|field| has_slurm || field.key != REQUEUE);
        recipe.chain(own).collect()
    }

    /// The row under the cursor.
    pub fn field(&self) -> &'static Field {
        let rows = self.rows();
        rows[self.row.min(rows.len() - 1)]
    }

    /// The one value of a row; of a swept one that of the recipe.
    pub fn value(&self, field: &Field) -> Value {
        let own = self.own.get(field.key).cloned();
        // Every other row is a key of the recipe.
        own.or_else(|| self.values.get(field.key))
            .unwrap_or(Value::Bool(false))
    }

    /// What a row holds, as it is typed.
    pub fn text(&self, field: &Field) -> String {
        let swept = self.swept.get(field.key).cloned();
        swept.unwrap_or_else(|| self.value(field).to_string())
    }

    /// What a row holds before it is changed.
    pub fn base_text(&self, field: &Field) -> String {
        if self.own.contains_key(field.key) {
            return self.default_of(field).to_string();
        }
        let base = self.base.get(field.key);
        base.map(|value| value.to_string()).unwrap_or_default()
    }

    /// Whether a row is another than at first.
    pub fn is_changed(&self, field: &Field) -> bool {
        self.swept.contains_key(field.key) || self.text(field) != self.base_text(field)
    }

    /// Whether a row has several values.
    pub fn is_swept(&self, field: &Field) -> bool {
        self.swept.contains_key(field.key)
    }

    /// Whether any has.
    pub fn is_sweep(&self) -> bool {
        !self.swept.is_empty()
    }

    /// The rows that were changed.
    pub fn changed(&self) -> Vec<&'static Field> {
        let rows = self.rows().into_iter();
        rows.filter(|field| self.is_changed(field)).collect()
    }

    /// Puts what was typed into a row: a value, or of a recipe's several, which make it a sweep.
    ///
    /// # Errors
    /// A sentence, if it is not what the row accepts; nothing is changed then.
    pub fn put(&mut self, field: &'static Field, text: &str) -> Result<(), String> {
        if self.own.contains_key(field.key) {
            let value = field.parse(text).map_err(|bad| bad.to_string())?;
            let empty = text.trim().is_empty();
            if field.key == TIME_LIMIT.key && !empty {
                time_limit(text.trim()).map_err(|problem| format!("{} {problem}", field.key))?;
            }
            if field.key == ARGUMENTS.key {
                words(text)?;
            }
            if field.key == OUTPUT_DIR.key && empty {
                return Err("output_dir must be a folder, such as runs".to_owned());
            }
            self.own.insert(field.key, value);
            return Ok(());
        }
        if Axis::is_meant(field, text) {
            let mut axis = Axis::of(field, text)?;
            if axis.values.len() > 1 {
                self.swept.insert(field.key, text.trim().to_owned());
                return Ok(());
            }
            let only = axis.values.pop();
            let set = only.map_or(Ok(()), |value| self.values.set(field, value));
            set.map_err(|bad| bad.to_string())?;
        } else {
            let set = self.values.set_text(field, text);
            set.map_err(|bad| bad.to_string())?;
        }
        self.swept.remove(field.key);
        Ok(())
    }

    /// What is wrong with the text that is typed, or with how the values go together.
    pub fn problem(&self) -> Option<String> {
        if let Some(typing) = &self.typing {
            let mut tried = self.clone();
            tried.typing = None;
            if let Err(problem) = tried.put(self.field(), &typing.text()) {
                return Some(problem);
            }
            return tried.problem();
        }
        // Of a sweep each point is checked when it is worked out.
        if self.is_sweep() || self.launcher.is_some() {
            return None;
        }
        let together = self.values.check_together().err();
        together.map(|error| error.to_string())
    }

    /// Steps through a choice, or turns a switch; a row with several values has none to step from.
    pub fn turn(&mut self, by: isize) {
        let field = self.field();
        if self.is_swept(field) {
            return;
        }
        let next = match (field.kind, self.value(field)) {
            (Kind::Bool, Value::Bool(value)) => Value::Bool(!value),
            (Kind::Choice(words), Value::Text(text)) => {
                let at = words.iter().position(|word| *word == text).unwrap_or(0) as isize;
                Value::Text(words[(at + by).rem_euclid(words.len() as isize) as usize].to_owned())
            }
            _ => return,
        };
        // A value out of the field's own list passes its check.
        let _ = self.put(field, &next.to_string());
    }

    /// Accepts what was typed, if it is right.
    pub fn accept(&mut self) {
        let Some(typing) = &self.typing else { return };
        let text = typing.text();
        if self.put(self.field(), &text).is_ok() {
            self.typing = None;
        }
    }

    /// Gives a row its first value again.
    pub fn reset(&mut self, field: &'static Field) {
        let base = self.base_text(field);
        self.swept.remove(field.key);
        if self.own.contains_key(field.key) {
            self.own.insert(field.key, self.default_of(field));
            return;
        }
        // The recipe's own value has passed this check before; brackets in it are not for a sweep.
        let _ = self.values.set_text(field, &base);
    }

    /// Leaves out what finished runs have, or takes it in again.
    pub fn turn_skip(&mut self) {
        if let Some(Value::Bool(skips)) = self.own.get_mut(SKIP_DONE.key) {
            *skips = !*skips;
        }
    }

    /// Makes it what was started before. The first row that no longer accepts its text is an error.
    ///
    /// # Errors
    /// A sentence.
    pub fn fill(&mut self, values: &[(String, String)]) -> Result<(), String> {
        for field in self.changed() {
            self.reset(field);
        }
        let rows = self.rows();
        let mut first = Ok(());
        for (key, text) in values {
            let row = rows.iter().find(|field| field.key == key);
            let put = match row {
                Some(field) => self.put(field, text),
                None => Err(format!("{key} is not a value any more")),
            };
            first = first.and(put);
        }
        first
    }

    fn own_text(&self, field: &Field) -> String {
        self.own
            .get(field.key)
            .map(Value::to_string)
            .unwrap_or_default()
    }

    fn own_count(&self, field: &Field) -> u64 {
        match self.own.get(field.key) {
            Some(Value::Int(number)) => (*number).unsigned_abs(),
            _ => 0,
        }
    }

    fn limit_s(&self) -> Option<u64> {
        // Checked when it was typed.
        time_limit(self.own_text(&TIME_LIMIT).trim()).ok()
    }

    /// The run that is asked for, with the values that are not varied.
    pub fn request(&self) -> Request {
        let changed = self.values.differences(&self.base).into_iter();
        let single = changed.filter(|field| !self.is_swept(field));
        let overrides = single.map(|field| (field.key.to_owned(), self.text(field)));
        Request {
            recipe: self.source.clone(),
            overrides: overrides.collect(),
            time_limit_s: self.limit_s(),
        }
    }

    /// The sweep that is asked for.
    pub fn wanted(&self) -> SweepRequest {
        let swept = FIELDS.iter().filter(|field| self.is_swept(field));
        let sample = self.own_count(&SAMPLE);
        SweepRequest {
            axes: swept
                .map(|field| format!("{}={}", field.key, self.text(field)))
                .collect(),
            sample: (sample > 0).then(|| (sample, self.own_count(&SAMPLE_SEED))),
            skip_done: self.skips(),
            name: None,
        }
    }

    /// Whether what finished runs have is left out.
    pub fn skips(&self) -> bool {
        self.own.get(SKIP_DONE.key) == Some(&Value::Bool(true))
    }

    /// The command that is asked for, of a launcher.
    ///
    /// # Errors
    /// A sentence, if its arguments are wrong.
    pub fn launch(&self, launcher: &Launcher) -> Result<Launch, String> {
        Ok(Launch {
            launcher: launcher.clone(),
            arguments: words(&self.own_text(&ARGUMENTS))?,
            output_dir: PathBuf::from(self.own_text(&OUTPUT_DIR)),
            time_limit_s: self.limit_s(),
            point: None,
        })
    }

    /// What is remembered of it once it is started.
    pub fn recent(&self, at: Timestamp) -> Recent {
        let is_launcher = self.launcher.is_some();
        let changed = self.changed().into_iter();
        Recent {
            recipe: (!is_launcher).then(|| self.source.clone()),
            launcher: is_launcher.then(|| self.source.display().to_string()),
            values: changed
                .map(|field| (field.key.to_owned(), self.text(field)))
                .collect(),
            at,
        }
    }

    /// Whether something that was started lately was this recipe or launcher.
    pub fn is_of(&self, recent: &Recent) -> bool {
        match &self.launcher {
            None => recent.recipe.as_deref() == Some(&*self.source),
            Some(_) => recent.launcher.as_deref().map(Path::new) == Some(&*self.source),
        }
    }

    /// The number of the row with a key.
    #[cfg(test)]
    pub fn row_of(&self, key: &str) -> usize {
        let rows = self.rows();
        rows.iter().position(|field| field.key == key).unwrap()
    }
}
