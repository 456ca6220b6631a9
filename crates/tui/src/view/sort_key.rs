//! What a column of the table shows, and what runs can be sorted by: a column of ours, or any value
//! that a query can ask for.

use std::cmp::Ordering;

use jiff::Timestamp;

use super::columns::Column;
use traintop_analysis::query::field::{FACTS, Kind};
use traintop_analysis::query::{Field, Names, Samples, Subject};
use traintop_run::summary::Summary;
use traintop_text as text;

/// The width of a column of a value, in cells, where nobody has said another.
const VALUE_WIDTH: u16 = 10;
/// The narrowest and the widest that a column can be made.
const WIDTHS: std::ops::RangeInclusive<u16> = 3..=60;

/// What stands in a column.
#[derive(Debug, Clone, PartialEq)]
pub enum SortKey {
    /// A column of ours.
    Built(Column),
    /// A fact, a key of the configuration or a metric.
    Value(Field),
}

/// A column that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    /// What stands in it.
    pub key: SortKey,
    /// The width that the user chose.
    pub width: Option<u16>,
}

impl PartialEq<Column> for SortKey {
    fn eq(&self, other: &Column) -> bool {
        matches!(self, Self::Built(column) if column == other)
    }
}

impl From<Column> for SortKey {
    fn from(column: Column) -> Self {
        Self::Built(column)
    }
}

impl SortKey {
    /// What bears this name. Any name may be that of a key or a metric that some run will have.
    pub fn named(name: &str) -> Option<Self> {
        if let Some(column) = Column::ALL.iter().find(|column| column.name() == name) {
            return Some(Self::Built(*column));
        }
        let field = Field::named(name, &Names::default())?;
        // A table does not read every run's metrics.
        field.epoch().is_none().then_some(Self::Value(field))
    }

    pub fn name(&self) -> String {
        match self {
            Self::Built(column) => column.name().to_owned(),
            Self::Value(field) => field.name(),
        }
    }

    pub fn title(&self) -> String {
        match self {
            Self::Built(column) => column.title().to_owned(),
            Self::Value(field) => {
                let name = field.name();
                let name = name.strip_prefix("config.").unwrap_or(&name);
                text::clean(name).into_owned()
            }
        }
    }

    /// In little room the columns with the highest rank go first.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Built(column) => column.rank(),
            // Who has chosen it wants to see it.
            Self::Value(_) => 1,
        }
    }

    /// Its width where nobody has said another.
    pub fn width(&self) -> u16 {
        match self {
            Self::Built(column) => column.width(),
            Self::Value(_) => {
                let title = self.title().chars().count() as u16 + 1;
                title.clamp(VALUE_WIDTH, 2 * VALUE_WIDTH)
            }
        }
    }

    /// Whether its cells stand to the right, as numbers do.
    pub fn is_right(&self) -> bool {
        match self {
            Self::Built(column) => column.is_right(),
            Self::Value(field) => !matches!(field.kind(), Kind::Text | Kind::Flag),
        }
    }

    /// Whether the largest are asked for first, as accuracies are.
    pub fn is_descending(&self) -> bool {
        match self {
            Self::Built(column) => matches!(
                column,
                Column::Best | Column::Test | Column::Trend | Column::Size
            ),
            Self::Value(field) => field.name().to_ascii_lowercase().contains("acc"),
        }
    }

    /// Its value as a number, in the unit in which it is shown; `None` where it is none.
    pub fn number(&self, summary: &Summary, now: Timestamp) -> Option<f64> {
        match self {
            Self::Built(column) => column.number(summary),
            Self::Value(field) => field.number(&Subject::new(summary, now, &Samples::default())),
        }
    }

    /// What a cell says.
    pub fn text(&self, summary: &Summary, now: Timestamp) -> String {
        let field = match self {
            Self::Built(column) => return column.text(summary, now),
            Self::Value(field) => field,
        };
        let samples = Samples::default();
        let subject = Subject::new(summary, now, &samples);
        // A setting stands there as it was written.
        let texts = field.texts(&subject);
        if !texts.is_empty() {
            let texts: Vec<_> = texts
                .iter()
                .map(|text| text.lines().next().unwrap_or_default())
                .collect();
            return text::clean(&texts.join(" ")).into_owned();
        }
        let number = field.number(&subject);
        number.map_or_else(|| "-".to_owned(), |number| self.written(number))
    }

    /// A number of it, as cells write it.
    pub fn written(&self, number: f64) -> String {
        let kind = match self {
            Self::Built(Column::Size) => Kind::Bytes,
            Self::Built(Column::Duration | Column::Age) => Kind::Span,
            Self::Built(Column::Best | Column::Test) => return format!("{number:.2}"),
            Self::Built(_) => Kind::Number,
            Self::Value(field) => field.kind(),
        };
        let span = std::time::Duration::try_from_secs_f64(number).unwrap_or_default();
        match kind {
            Kind::Bytes => text::bytes(number.max(0.0) as u64),
            Kind::Span => text::duration(span),
            Kind::Moment => {
                let time = Timestamp::from_second(number as i64).unwrap_or(Timestamp::UNIX_EPOCH);
                time.strftime("%Y-%m-%d").to_string()
            }
            _ => text::number(number, 4),
        }
    }

    /// Puts runs in order, smallest first; what is unknown comes last either way. Of a value each
    /// run is read once.
    pub fn sort(&self, runs: &mut [&Summary], now: Timestamp, descending: bool) {
        let field = match self {
            Self::Built(column) => return runs.sort_by(|a, b| column.order(a, b, descending)),
            Self::Value(field) => field,
        };
        let samples = Samples::default();
        let turn = |order: Ordering| if descending { order.reverse() } else { order };
        let mut keyed: Vec<_> = runs
            .iter()
            .map(|run| {
                let subject = Subject::new(run, now, &samples);
                let number = field.number(&subject).filter(|number| !number.is_nan());
                let texts = || field.texts(&subject).join(" ").to_lowercase();
                let text = number.is_none().then(texts).filter(|text| !text.is_empty());
                (number, text, *run)
            })
            .collect();
        keyed.sort_by(|(number, text, run), (other_number, other_text, other)| {
            let order = match (number, other_number) {
                (Some(a), Some(b)) => turn(a.total_cmp(b)),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => match (text, other_text) {
                    (Some(a), Some(b)) => turn(a.cmp(b)),
                    (Some(_), None) => Ordering::Less,
                    (None, Some(_)) => Ordering::Greater,
                    (None, None) => Ordering::Equal,
                },
            };
            // Newest first among equals, as everywhere.
            order.then_with(|| Column::Age.order(run, other, false))
        });
        for (place, (_, _, run)) in runs.iter_mut().zip(keyed) {
            *place = run;
        }
    }
}

impl TableColumn {
    /// A column in its own width.
    pub fn new(key: impl Into<SortKey>) -> Self {
        let key = key.into();
        Self { key, width: None }
    }

    /// All columns of ours, in their order.
    pub fn all() -> Vec<Self> {
        Column::ALL.iter().copied().map(Self::new).collect()
    }

    /// Its width in cells; of the name the least.
    pub fn width(&self) -> u16 {
        self.width.unwrap_or_else(|| self.key.width())
    }

    /// Makes it wider or narrower.
    pub fn widen(&mut self, by: i16) {
        let width = self.width().saturating_add_signed(by);
        self.width = Some(width.clamp(*WIDTHS.start(), *WIDTHS.end()));
    }
}

/// Columns from this rank on are decoration: names get room before them.
const DECORATION: u8 = 5;
/// The room that names get before decoration: each column grows to this width before the next does.
const FIRST_GROWTH: [(Column, u16); 2] = [(Column::Name, 22), (Column::Differs, 28)];
/// The same for what is left in the end.
const LAST_GROWTH: [(Column, u16); 6] = [
    (Column::Epochs, 14),
    (Column::Name, 36),
    (Column::Best, 18),
    (Column::Trend, 20),
    (Column::Differs, 44),
    (Column::Name, 60),
];

/// The columns of `wanted` that fit into `width`, in order, with their widths. What tells runs
/// apart and what they are judged by comes first. Some columns grow, unless the user gave them a
/// width.
pub fn fitting(wanted: &[TableColumn], width: u16) -> Vec<(&SortKey, u16)> {
    let mut by_rank: Vec<usize> = (0..wanted.len()).collect();
    by_rank.sort_by_key(|at| wanted[*at].key.rank());
    let is_needed = |at: &usize| wanted[*at].key.rank() < DECORATION;
    let (needed, decoration): (Vec<_>, Vec<_>) = by_rank.into_iter().partition(is_needed);
    let mut room = Room {
        wanted,
        left: width.saturating_sub(2),
        widths: vec![None; wanted.len()],
    };
    room.add(&needed);
    room.grow(&FIRST_GROWTH);
    room.add(&decoration);
    room.grow(&LAST_GROWTH);
    let shown = wanted.iter().zip(room.widths);
    let shown = shown.filter_map(|(shown, width)| Some((&shown.key, width?)));
    shown.collect()
}

/// A row of cells that is shared out among columns.
struct Room<'a> {
    wanted: &'a [TableColumn],
    /// Cells that no column has yet.
    left: u16,
    /// Of each column, if it shows.
    widths: Vec<Option<u16>>,
}

impl Room<'_> {
    /// Shows those of these columns that fit, each with a blank behind it.
    fn add(&mut self, columns: &[usize]) {
        for at in columns {
            let width = self.wanted[*at].width();
            if let Some(left) = self.left.checked_sub(width + 1) {
                (self.left, self.widths[*at]) = (left, Some(width));
            }
        }
    }

    fn grow(&mut self, growth: &[(Column, u16)]) {
        for (column, most) in growth {
            let is_it = |shown: &TableColumn| shown.key == *column && shown.width.is_none();
            let at = self.wanted.iter().position(is_it);
            if let Some(width) = at.and_then(|at| self.widths[at].as_mut()) {
                let more = most.saturating_sub(*width).min(self.left);
                *width += more;
                self.left -= more;
            }
        }
    }
}

/// Everything that can be a column, or be sorted and grouped by, among runs that have these names;
/// with what it is.
pub fn choices(names: &Names) -> Vec<(String, &'static str)> {
    let mut choices: Vec<(String, &'static str)> = Column::ALL
        .iter()
        .map(|column| (column.name().to_owned(), "of the table"))
        .collect();
    let facts = FACTS.iter().filter(|fact| fact.kind != Kind::Flag);
    for fact in facts {
        if !choices.iter().any(|(name, _)| name == fact.name) {
            choices.push((fact.name.to_owned(), fact.what));
        }
    }
    let settings = names.settings.iter();
    choices.extend(settings.map(|key| {
        // A column of the same name must not stand in for a key that some runs lack.
        let is_column = names.metrics.contains(key);
        let prefix = if is_column { "config." } else { "" };
        (format!("{prefix}{key}"), "of the configuration")
    }));
    for (prefix, what) in [("last.", "last value"), ("best.", "in the best row")] {
        let metrics = names.metrics.iter();
        choices.extend(metrics.map(|metric| (format!("{prefix}{metric}"), what)));
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_keeps_what_matters() {
        let all = TableColumn::all();
        let names = |width| {
            let fitting = fitting(&all, width).into_iter();
            fitting.map(|(key, _)| key.name()).collect::<Vec<_>>()
        };
        assert_eq!(
            names(80),
            ["state", "name", "differs", "epochs", "best", "test"]
        );
        assert_eq!(
            names(120),
            [
                "state",
                "name",
                "differs",
                "epochs",
                "best",
                "test",
                "train_loss",
                "val_loss",
                "age"
            ]
        );
        let every: Vec<_> = Column::ALL.iter().map(|column| column.name()).collect();
        assert_eq!(names(200), every);
        for width in 0..250 {
            let fitting = fitting(&all, width).into_iter();
            let total: u16 = fitting.map(|(_, width)| width + 1).sum();
            assert!(total <= width.max(2), "{total} cells in {width}");
        }
    }

    #[test]
    fn widths_that_were_given_hold_and_any_name_is_a_column() {
        let mut name = TableColumn::new(Column::Name);
        name.widen(-100);
        assert_eq!(name.width(), 3);
        let value = TableColumn::new(SortKey::named("best.val_loss").unwrap());
        assert_eq!(value.width(), 14);
        let columns = [
            name,
            value,
            TableColumn::new(SortKey::named("seed").unwrap()),
        ];
        let widths: Vec<_> = fitting(&columns, 80)
            .into_iter()
            .map(|(_, width)| width)
            .collect();
        assert_eq!(widths, [3, 14, 10]);
    }
}
