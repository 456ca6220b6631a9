//! Which runs of an output tree have been evaluated, looked up at once: a tree may hold thousands
//! of runs and evaluations.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use traintop_run::evaluation::{self, Results};
use traintop_run::layout::RunDir;

/// The runs that evaluations name, by their ids, and by their folders where there is no id.
#[derive(Debug, Clone, Default)]
pub struct EvaluatedRuns {
    ids: HashSet<String>,
    folders: HashSet<PathBuf>,
}

impl EvaluatedRuns {
    /// Reads the evaluations of an output tree.
    pub fn read(tree: &Path) -> Self {
        let all = evaluation::list(tree);
        let loaded = all.iter().filter_map(|dir| Results::load(dir).ok());
        let mut found = Self::default();
        for one in loaded.flatten().flat_map(|results| results.checkpoints) {
            let (id, folder) = one.run.map_or((None, None), |run| (run.id, run.path));
            match id {
                Some(id) => drop(found.ids.insert(id)),
                None => {
                    let within = one.path.iter().flat_map(|path| path.ancestors());
                    found.folders.extend(within.map(Path::to_owned));
                    found.folders.extend(folder);
                }
            }
        }
        found
    }

    /// Whether a run is one of them: as [`evaluation::evaluates`] says.
    pub fn holds(&self, id: &str, dir: &RunDir) -> bool {
        self.ids.contains(id) || self.folders.contains(dir.path())
    }
}
