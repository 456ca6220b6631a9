//! The run that a removed thing was in. If the run is renamed while the thing is in the trash, the
//! thing is restored into the run, and not into a new folder of the old name.

use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_with::{FromInto, serde_as};

use super::entry::{Entry, Written};
use super::{Trash, TrashError};
use traintop_disk::Kind;

/// One of these in a folder makes it the folder of a run.
const SIGNS: [&str; 3] = ["run.json", "metrics.csv", "logs"];

/// A run, by which a renamed folder is known again.
#[serde_as]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Below the root, when something of it was removed.
    #[serde_as(as = "FromInto<Written>")]
    pub path: PathBuf,
    /// What its record says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The folder's number on its file system, for runs without a record.
    pub inode: u64,
}

/// What of a record is needed here.
#[derive(Deserialize)]
struct Identity {
    id: String,
}

impl Trash {
    /// The run that a path below the root is in; `None` if it is in none.
    pub(super) fn owner(&self, below: &Path) -> Result<Option<Owner>, TrashError> {
        for folder in below.ancestors().skip(1) {
            if folder.as_os_str().is_empty() {
                break;
            }
            let whole = self.root.join(folder);
            for sign in SIGNS {
                if self.stat(&whole.join(sign))?.is_some() {
                    let stat = self.stat(&whole)?;
                    return Ok(stat.map(|stat| Owner {
                        path: folder.to_owned(),
                        id: self.id_at(folder),
                        inode: stat.inode,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Where the runs of an entry have been renamed, changes its paths to what they are now.
    ///
    /// # Errors
    /// If another run has the place of one, or it is unknown which of several copies is the
    /// run.
    pub(super) fn follow_owners(&self, entry: &mut Entry) -> Result<(), TrashError> {
        let mut siblings: HashMap<PathBuf, Vec<Candidate>> = HashMap::new();
        for at in 0..entry.owners.len() {
            let owner = entry.owners[at].clone();
            if self
                .candidate(&owner.path)?
                .is_some_and(|here| here.is(&owner))
            {
                continue;
            }
            let parent = owner.path.parent().unwrap_or(Path::new(""));
            let siblings = match siblings.entry(parent.to_owned()) {
                Occupied(known) => known.into_mut(),
                Vacant(unknown) => unknown.insert(self.candidates(parent)?),
            };
            let Some(now) = self.place_among(siblings, &owner)? else {
                continue;
            };
            let moved = |path: &mut PathBuf| {
                if let Ok(inside) = path.strip_prefix(&owner.path) {
                    *path = now.join(inside);
                }
            };
            entry
                .items
                .iter_mut()
                .for_each(|item| moved(&mut item.path));
            let folders = entry.folders.iter_mut();
            folders.for_each(|folder| moved(&mut folder.path));
            entry.owners[at].path = now;
        }
        Ok(())
    }

    /// Which of these folders a run is that is not where it was; `None` if it is none of them.
    fn place_among(
        &self,
        siblings: &[Candidate],
        owner: &Owner,
    ) -> Result<Option<PathBuf>, TrashError> {
        let found: Vec<_> = siblings.iter().filter(|one| one.is(owner)).collect();
        // A copy of the run has its id; the folder itself has its number too.
        let by_inode = found.iter().find(|one| one.inode == owner.inode);
        match (by_inode, &found[..]) {
            (Some(same), _) => Ok(Some(same.path.clone())),
            (None, [only]) => Ok(Some(only.path.clone())),
            (None, [first, second, ..]) => Err(TrashError::Ambiguous {
                path: self.root.join(&owner.path),
                first: self.root.join(&first.path),
                second: self.root.join(&second.path),
            }),
            (None, []) => match self.candidate(&owner.path)? {
                // Its things do not belong to another run.
                Some(other) if owner.id.is_some() && other.id.is_some() => {
                    let path = self.root.join(&owner.path);
                    Err(TrashError::Taken { path })
                }
                _ => Ok(None),
            },
        }
    }

    /// The folders in a folder; none if it is gone.
    fn candidates(&self, parent: &Path) -> Result<Vec<Candidate>, TrashError> {
        let folder = self.root.join(parent);
        let names = match self.disk.names(&folder) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => Vec::new(),
            names => names.map_err(TrashError::io(&folder, "searched"))?,
        };
        let mut found = Vec::new();
        for name in names {
            found.extend(self.candidate(&parent.join(name))?);
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// What identifies the run in the folder at a path; `None` if there is no folder.
    fn candidate(&self, below: &Path) -> Result<Option<Candidate>, TrashError> {
        let stat = self.stat(&self.root.join(below))?;
        let folder = stat.filter(|stat| stat.kind == Kind::Folder);
        Ok(folder.map(|stat| Candidate {
            path: below.to_owned(),
            id: self.id_at(below),
            inode: stat.inode,
        }))
    }

    /// The id in the record of a folder; `None` if there is none that can be read.
    fn id_at(&self, below: &Path) -> Option<String> {
        let bytes = self
            .disk
            .read(&self.root.join(below).join("run.json"))
            .ok()?;
        let identity: Identity = serde_json::from_slice(&bytes).ok()?;
        Some(identity.id)
    }
}

/// A folder that may be a run.
struct Candidate {
    /// Below the root.
    path: PathBuf,
    id: Option<String>,
    inode: u64,
}

impl Candidate {
    fn is(&self, owner: &Owner) -> bool {
        match (&self.id, &owner.id) {
            (Some(here), Some(id)) => here == id,
            _ => self.inode == owner.inode,
        }
    }
}
