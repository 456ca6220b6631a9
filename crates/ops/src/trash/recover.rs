//! What a process that was killed left unfinished is finished or undone by the next one to start.

use std::path::PathBuf;

use super::entry::{self, Entry, Item, Stage};
use super::{Trash, TrashError, mark};
use crate::journal;

/// What was found unfinished and done, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub root: PathBuf,
    /// The entry.
    pub id: String,
    /// A sentence.
    pub sentence: String,
}

impl Trash {
    /// Finishes what this user has begun here and was cut off in: a removal is undone, a
    /// restoration and a purge are finished. What cannot be is reported and left for the next time.
    pub fn recover(&self) -> (Vec<Finished>, Vec<TrashError>) {
        mark::recover(&self.storage, std::slice::from_ref(self), journal::is_over)
    }

    /// Finishes what was begun on an entry; `None` if nothing is left to be done.
    pub(super) fn finish(&self, id: &str) -> Result<Option<String>, TrashError> {
        let is_there =
            |folder: PathBuf| -> Result<bool, TrashError> { Ok(self.stat(&folder)?.is_some()) };
        if !entry::is_id(id) || !is_there(self.folder())? {
            return Ok(None);
        }
        let _lock = self.lock()?;
        if is_there(self.purging_folder(id))? {
            self.delete(id)?;
            let sentence = "freed the rest of what an interrupted purge had begun to remove";
            return Ok(Some(sentence.to_owned()));
        }
        if !is_there(self.entry_folder(id))? {
            return Ok(None);
        }
        match self.read_entry(id)? {
            Some(entry) => self.finish_entry(entry),
            // Nothing moves before there is a journal.
            None => self
                .drop_folder(&self.entry_folder(id), None)
                .map(|()| None),
        }
    }

    pub(super) fn finish_entry(&self, mut entry: Entry) -> Result<Option<String>, TrashError> {
        match entry.stage {
            Stage::Kept => Ok(None),
            Stage::Moving => {
                let by = entry.by.clone();
                let restored = self.put_back(entry)?;
                Ok(Some(format!("an interrupted {by} was undone: {restored}")))
            }
            Stage::Restoring => {
                let stuck = self.go_on_restoring(&entry)?;
                if stuck.is_empty() {
                    self.finish_restore(&entry)?;
                    let count = entry.count();
                    return Ok(Some(format!(
                        "an interrupted restoration of {count} was finished"
                    )));
                }
                let sentence = stuck_sentence(&stuck);
                self.keep_only(&mut entry, stuck)?;
                Ok(Some(format!(
                    "an interrupted restoration was finished, but {sentence}"
                )))
            }
        }
    }

    /// Restores what a removal has moved so far, and says what it did. An item whose place is
    /// taken stays in the trash.
    pub(super) fn put_back(&self, mut entry: Entry) -> Result<String, TrashError> {
        let (mut count, mut stuck) = (0, Vec::new());
        for item in entry.items.iter().rev() {
            if self.stat(&self.slot(&entry.id, item))?.is_none() {
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
            self.drop_folder(&self.entry_folder(&entry.id), Some(&entry))?;
            return Ok(match count {
                0 => "nothing had been moved yet".to_owned(),
                1 => "one thing was restored".to_owned(),
                _ => format!("{count} things were restored"),
            });
        }
        let sentence = stuck_sentence(&stuck);
        self.keep_only(&mut entry, stuck)?;
        Ok(sentence)
    }

    /// The entry becomes one of these items alone.
    fn keep_only(&self, entry: &mut Entry, items: Vec<Item>) -> Result<(), TrashError> {
        let is_back = |item: &&Item| !items.contains(item);
        self.drop_stand_ins(&entry.id, entry.items.iter().filter(is_back))?;
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
