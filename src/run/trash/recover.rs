//! What a process that was killed left unfinished is finished, or taken back, by the next one to start.

use std::path::PathBuf;

use super::entry::{Entry, Item, Stage};
use super::{PURGING, Trash, TrashError};

/// What was found unfinished and done, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The root.
    pub root: PathBuf,
    /// The entry.
    pub id: String,
    /// A sentence.
    pub said: String,
}

impl Trash {
    /// Finishes what was left unfinished, waiting for whoever is at work in this trash: a removal that was cut off is taken back, a
    /// restoration and a purge are finished. What cannot be is told and left for the next time.
    pub fn recover(&self) -> (Vec<Finished>, Vec<TrashError>) {
        let (mut finished, mut errors) = (Vec::new(), Vec::new());
        // Most trashes hold nothing unfinished, and then nothing is locked or written.
        let is_unfinished = |trash: &Self| -> Result<bool, TrashError> {
            let purging = !trash.being_purged()?.is_empty();
            let mut names = trash.names()?.into_iter();
            Ok(purging || names.any(|id| trash.is_unfinished(&id)))
        };
        match is_unfinished(self) {
            Ok(false) => return (finished, errors),
            Ok(true) => {}
            Err(error) => return (finished, vec![error]),
        }
        match self.lock() {
            Ok(_lock) => {
                let names = self.names().unwrap_or_default();
                for id in names.iter().filter(|id| self.is_unfinished(id)) {
                    match self.recover_one(id) {
                        Ok(said) => finished.extend(said.map(|said| self.finished(id, said))),
                        Err(error) => errors.push(error),
                    }
                }
            }
            Err(error) => errors.push(error),
        }
        for name in self.being_purged().unwrap_or_default() {
            let id = name.trim_start_matches(PURGING).to_owned();
            match self.delete(&self.folder().join(&name)) {
                Ok(()) => {
                    let said = "freed the rest of what an interrupted purge had begun to remove";
                    finished.push(self.finished(&id, said.to_owned()));
                }
                Err(error) => errors.push(error),
            }
        }
        (finished, errors)
    }

    fn finished(&self, id: &str, said: String) -> Finished {
        Finished {
            root: self.root.clone(),
            id: id.to_owned(),
            said,
        }
    }

    /// Whether an entry's folder has no journal, or one that says that it has not come to its end.
    fn is_unfinished(&self, id: &str) -> bool {
        match Entry::read(&*self.disk, &self.entry_folder(id)) {
            Ok(Some(entry)) => entry.stage != Stage::Kept,
            Ok(None) => true,
            // Lists tell of it.
            Err(_) => false,
        }
    }

    fn recover_one(&self, id: &str) -> Result<Option<String>, TrashError> {
        let folder = self.entry_folder(id);
        let Some(mut entry) = Entry::read(&*self.disk, &folder)? else {
            // Nothing moves before there is a journal.
            self.drop_folder(id)?;
            return Ok(None);
        };
        match entry.stage {
            Stage::Kept => Ok(None),
            Stage::Moving => {
                let by = entry.by.clone();
                let put_back = self.put_back(entry)?;
                Ok(Some(format!(
                    "an interrupted {by} was taken back: {put_back}"
                )))
            }
            Stage::Restoring => {
                let stuck = self.go_on_restoring(&entry)?;
                if stuck.is_empty() {
                    self.conclude(&entry)?;
                    let count = entry.count();
                    return Ok(Some(format!(
                        "an interrupted restoration of {count} was finished"
                    )));
                }
                let said = stuck_sentence(&stuck);
                self.keep_only(&mut entry, stuck)?;
                Ok(Some(format!(
                    "an interrupted restoration was finished, but {said}"
                )))
            }
        }
    }

    /// Puts back what a removal has moved so far, and says what it did. An item whose place is taken stays in the trash.
    pub(super) fn put_back(&self, mut entry: Entry) -> Result<String, TrashError> {
        let (mut count, mut stuck) = (0, Vec::new());
        for item in entry.items.iter().rev() {
            if self.look(&self.slot(&entry.id, item))?.is_none() {
                continue;
            }
            match self.move_one_out(&entry, item) {
                Ok(()) => count += 1,
                Err(TrashError::Taken { .. }) => stuck.push(item.clone()),
                Err(error) => return Err(error),
            }
        }
        self.sync(&entry)?;
        // Also if all were back already: a recovery before this one may have been cut off here.
        for folder in &entry.folders {
            self.give_time(&folder.path, folder.before_ns)?;
        }
        if stuck.is_empty() {
            self.drop_folder(&entry.id)?;
            return Ok(match count {
                0 => "nothing had been moved yet".to_owned(),
                1 => "one thing was put back to its place".to_owned(),
                _ => format!("{count} things were put back to their places"),
            });
        }
        let said = stuck_sentence(&stuck);
        self.keep_only(&mut entry, stuck)?;
        Ok(said)
    }

    /// The entry goes on to be one of these items alone.
    fn keep_only(&self, entry: &mut Entry, items: Vec<Item>) -> Result<(), TrashError> {
        entry.items = items;
        entry.items.sort_by_key(|item| item.slot);
        entry.stage = Stage::Kept;
        entry.made.clear();
        entry.write(&*self.disk, &self.entry_folder(&entry.id))
    }
}

fn stuck_sentence(stuck: &[Item]) -> String {
    let first = stuck.first().map(|item| item.path.display().to_string());
    let first = first.unwrap_or_default();
    match stuck.len() {
        1 => format!("{first} stays in the trash, since something else has its place"),
        count => format!(
            "{first} and {} more stay in the trash, since something else has their places",
            count - 1
        ),
    }
}
