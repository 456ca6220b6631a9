//! Adding runs to the queue, many at once. The folders are filled under hidden names, synced
//! together, and only then become runs: one sync for a hundred runs, not two for each.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Zoned;

use super::super::environment;
use super::super::spawn::{LaunchError, new_record};
use super::super::trust::trust;
use super::Queue;
use traintop_disk::write;
use traintop_recipe::Recipe;
use traintop_run::{Record, RunDir, State, layout};

/// A run to be queued.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What to train; every value, so that later changes of a file change nothing.
    pub recipe: Recipe,
    /// Its values in the sweep: `max_lr=0.1 seed=3`.
    pub label: Option<String>,
    /// The sweep's name.
    pub sweep: Option<String>,
    /// How long it may train, in seconds.
    pub time_limit_s: Option<u64>,
}

/// A run whose files are written but which is not visible yet.
struct Prepared {
    dir: RunDir,
    record: Record,
    files: [(PathBuf, PathBuf); 2],
}

/// Queues these runs, in this order, and starts a keeper if needed. Returns their folders.
///
/// # Errors
/// If a folder cannot be made or filled; those runs that were not queued by then are not.
pub fn add(entries: &[Entry], now: &Zoned) -> Result<Vec<RunDir>, LaunchError> {
    let mut dirs = Vec::new();
    for (tree, entries) in by_tree(entries) {
        dirs.extend(make(&entries, tree, now, &|_, _| ())?);
        Queue::of(tree).tend();
    }
    Ok(dirs)
}

/// Those of each output tree.
pub(in super::super) fn by_tree(entries: &[Entry]) -> BTreeMap<&Path, Vec<&Entry>> {
    let mut trees: BTreeMap<&Path, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let tree = Path::new(&entry.recipe.output_dir);
        trees.entry(tree).or_default().push(entry);
    }
    trees
}

/// Makes the folders of runs of one tree, which then wait; `change` is given each record and its
/// number before it is written.
///
/// # Errors
/// As [`add`].
pub(in super::super) fn make(
    entries: &[&Entry],
    tree: &Path,
    now: &Zoned,
    change: &dyn Fn(&mut Record, usize),
) -> Result<Vec<RunDir>, LaunchError> {
    let no_folder = |cause| LaunchError::NoFolder {
        path: tree.to_owned(),
        cause,
    };
    write::make_folders(tree).map_err(no_folder)?;
    let mut dirs = Vec::new();
    let made = fill(entries, tree, now, change, &mut dirs);
    if made.is_err() {
        // On a full disk, not half a run is left.
        for dir in &dirs {
            let _ = write::remove_tree(dir.path());
        }
    }
    made.map(|()| dirs)
}

/// Makes the folders, which are added to `dirs` as they are there, and then makes them runs.
fn fill(
    entries: &[&Entry],
    tree: &Path,
    now: &Zoned,
    change: &dyn Fn(&mut Record, usize),
    dirs: &mut Vec<RunDir>,
) -> Result<(), LaunchError> {
    let no_folder = |cause| LaunchError::NoFolder {
        path: tree.to_owned(),
        cause,
    };
    let mut prepared = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let output_dir = Path::new(&entry.recipe.output_dir);
        dirs.push(layout::create(output_dir, now).map_err(no_folder)?);
        let dir = dirs[number].clone();
        prepared.push(prepare(dir, entry, number, now, change)?);
    }
    for run in &prepared {
        trust(&run.dir, &run.record)?;
    }
    let synced = write::sync_file_system(tree);
    synced.map_err(no_folder)?;
    // A keeper that finds nothing to do holds this lock while it ends.
    let _lock = Queue::of(tree).lock()?;
    for (written, place) in prepared.into_iter().flat_map(|run| run.files) {
        write::rename(&written, &place).map_err(no_folder)?;
    }
    Ok(())
}

fn prepare(
    dir: RunDir,
    entry: &Entry,
    number: usize,
    now: &Zoned,
    change: &dyn Fn(&mut Record, usize),
) -> Result<Prepared, LaunchError> {
    let output_dir = Path::new(&entry.recipe.output_dir);
    let no_folder = |cause| LaunchError::NoFolder {
        path: output_dir.to_owned(),
        cause,
    };
    let mut record = new_record(&dir, &entry.recipe);
    record.state = State::Queued;
    record.environment = environment::own();
    record.queue_position = Some(now.timestamp().as_microsecond() + number as i64);
    record.sweep.clone_from(&entry.sweep);
    record.time_limit_s = entry.time_limit_s;
    if let Some(label) = &entry.label {
        let name = format!("{} {label}", entry.recipe.experiment_name);
        name.trim_start().clone_into(&mut record.name);
    }
    change(&mut record, number);
    let config = serde_json::Value::from(entry.recipe.to_json());
    // The record comes last: with it the folder is a run.
    let contents = [
        (dir.logs().join("config.json"), format!("{config:#}\n")),
        (dir.run_json(), text_of(&record).map_err(no_folder)?),
    ];
    let written = |(place, text): (PathBuf, String)| {
        let written = write::beside(&place);
        let mut file = write::create_new(&written).map_err(no_folder)?;
        file.write_all(text.as_bytes()).map_err(no_folder)?;
        Ok::<_, LaunchError>((written, place))
    };
    let [config, text] = contents;
    Ok(Prepared {
        files: [written(config)?, written(text)?],
        dir,
        record,
    })
}

fn text_of(record: &Record) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(record)? + "\n")
}
