//! What the table shows of the runs, and how it is left for the next start: its columns, what it is
//! sorted and grouped by, and the query.

use super::table::Runs;
use crate::remembered::Remembered;
use crate::view::columns::Column;
use crate::view::sort_key::{self, SortKey, TableColumn};
use traintop_run::differences::differing;

/// Limit of settings that become columns at once.
const MAX_DIFFERING: usize = 4;

impl Runs {
    /// Shows these columns only, in the table's order.
    pub fn set_columns(&mut self, columns: impl IntoIterator<Item = SortKey>) {
        let shown = |key| TableColumn { key, width: None };
        self.columns = columns.into_iter().map(shown).collect();
    }

    /// The table as it was left.
    pub fn restore(&mut self, left: Remembered) {
        self.query.restore(&left.query, left.queries);
        if let Some((key, descending)) = left.sort {
            self.sort =
                SortKey::named(&key).map_or((Column::Age.into(), false), |key| (key, descending));
        }
        let named = |(name, width): (String, Option<u16>)| {
            let key = SortKey::named(&name)?;
            Some(TableColumn { key, width })
        };
        let columns = left
            .columns
            .map(|columns| columns.into_iter().filter_map(named).collect());
        if let Some(columns) = columns.filter(|columns: &Vec<TableColumn>| !columns.is_empty()) {
            self.columns = columns;
            self.columns_chosen = true;
        }
        self.grouping.by = left.group.and_then(|name| SortKey::named(&name));
        self.arrange();
        self.reread_query();
    }

    /// How the table is left, if that has changed since it was last asked for.
    pub fn unsaved(&mut self) -> Option<Remembered> {
        std::mem::take(&mut self.unsaved).then(|| Remembered {
            query: self.query.text().trim().to_owned(),
            queries: self.query.queries.clone(),
            sort: Some((self.sort.0.name(), self.sort.1)),
            columns: self.columns_chosen.then(|| {
                let column = |shown: &TableColumn| (shown.key.name(), shown.width);
                self.columns.iter().map(column).collect()
            }),
            group: self.grouping.by.as_ref().map(SortKey::name),
        })
    }

    /// The columns that have something to show, in the table's order: while no run has a tag, none
    /// is evaluated, or names tell all apart, that column's room is the others'.
    pub(super) fn shown_columns(&self) -> Vec<TableColumn> {
        let (mut tagged, mut evaluated, mut differing) = (false, false, false);
        for summary in self.rows.values().filter_map(|row| row.summary.as_ref()) {
            tagged |= !summary.notes.tags.is_empty();
            evaluated |= summary.evaluated.is_some();
            differing |= !summary.differs.is_empty();
            if tagged && evaluated && differing {
                break;
            }
        }
        let shows = |shown: &&TableColumn| match shown.key {
            SortKey::Built(Column::Differs) => differing,
            SortKey::Built(Column::Tags) => tagged,
            SortKey::Built(Column::Test) => evaluated,
            _ => true,
        };
        self.columns.iter().filter(shows).cloned().collect()
    }

    /// The columns, to be chosen anew.
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// Whether the columns were chosen here, and are not the configuration's.
    pub fn has_chosen_columns(&self) -> bool {
        self.columns_chosen
    }

    /// Shows these columns; those that were not `chosen` here give way to the configuration's at
    /// the next start.
    pub fn choose_columns(&mut self, columns: Vec<TableColumn>, chosen: bool) {
        self.columns = columns;
        self.columns_chosen = chosen;
        self.unsaved = true;
        self.sift();
    }

    /// Shows the settings in which the runs that pass the query differ as columns, behind the best
    /// value, or hides these if all of them show. Whether there are any.
    pub fn toggle_differing(&mut self) -> bool {
        let rows = self.order.iter().filter_map(|dir| self.rows.get(dir));
        let summaries = rows.filter_map(|row| row.summary.as_ref());
        let settings: Vec<_> = summaries.map(|summary| &summary.settings).collect();
        let keys = differing(&settings, MAX_DIFFERING);
        let keys: Vec<SortKey> = keys
            .into_iter()
            .filter_map(|key| SortKey::named(&format!("config.{key}")))
            .collect();
        if keys.is_empty() {
            return false;
        }
        let is_shown = |key: &SortKey| self.columns.iter().any(|shown| shown.key == *key);
        let mut columns = self.columns.clone();
        if keys.iter().all(is_shown) {
            columns.retain(|shown| !keys.contains(&shown.key));
        } else {
            // In little room the best value goes before settings.
            let place = |column: Column| columns.iter().position(|shown| shown.key == column);
            let at = place(Column::Best).or_else(|| place(Column::Name));
            let at = at.map_or(0, |before| before + 1);
            let new: Vec<_> = keys.into_iter().filter(|key| !is_shown(key)).collect();
            columns.splice(at..at, new.into_iter().map(TableColumn::new));
        }
        self.choose_columns(columns, true);
        true
    }

    /// Everything that runs can be sorted and grouped by, or that can be a column, with what it is.
    pub fn choices(&mut self) -> Vec<(String, &'static str)> {
        sort_key::choices(self.query.names(&self.rows))
    }

    /// What the table is sorted and grouped by.
    pub fn arranged_by(&self) -> (String, Option<String>) {
        (
            self.sort.0.name(),
            self.grouping.by.as_ref().map(SortKey::name),
        )
    }
}
