//! DVCLive: a table for each metric below `plots/metrics`, placed by `step`.

use std::io;
use std::path::{Path, PathBuf};

use super::points::Points;
use super::whole::RewrittenFiles;
use super::{Facts, Format, Listing, RunParts, Source, files_below, settings};
use traintop_disk::read;

const TABLES: &str = "plots/metrics";
const ENDING: &str = ".tsv";
const MAX_BYTES: u64 = 256 << 20;

pub struct DvcLive;

impl Format for DvcLive {
    fn find(&self, listing: &Listing) -> Option<RunParts> {
        if !listing.has_folder("plots") || !listing.path.join(TABLES).is_dir() {
            return None;
        }
        let files = files(&listing.path);
        (!files.is_empty())
            .then(|| RunParts::new("DVCLive", files).with_folders(["plots", "artifacts"]))
    }

    fn open(&self, dir: &Path, _places: &RunParts) -> Box<dyn Source> {
        Box::new(RewrittenFiles::new(dir, files, read_all))
    }

    fn facts(&self, dir: &Path, _places: &RunParts) -> Facts {
        settings::facts(settings::file(&dir.join("params.yaml")))
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let folder = dir.join(TABLES);
    let tables = files_below(&folder)
        .into_iter()
        .filter(|name| name.ends_with(ENDING));
    tables.map(|name| folder.join(name)).collect()
}

fn read_all(dir: &Path, files: &[PathBuf]) -> io::Result<Points> {
    let mut points = Points::new("step");
    let folder = dir.join(TABLES);
    let mut rows = 0;
    for path in files {
        let name = path.strip_prefix(&folder).unwrap_or(path).to_string_lossy();
        let name = name.trim_end_matches(ENDING);
        let text = read::text(path, MAX_BYTES)?;
        let mut count = 0;
        // The last line may be half written.
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let mut lines = whole.lines();
        let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
        let step = header.iter().position(|cell| *cell == "step").unwrap_or(0);
        let value = usize::from(step == 0);
        for (number, line) in lines.enumerate() {
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            let cell = |at: usize| cells.get(at)?.parse::<f64>().ok();
            match (cell(step), cell(value)) {
                (Some(x), Some(y)) if x.is_finite() => {
                    points.put(name, x, y);
                    count += 1;
                }
                _ => points.add_problem(
                    number as u64 + 2,
                    format!("of the metric {name} is no value"),
                ),
            }
        }
        rows = rows.max(count);
        points.count_rows(rows);
    }
    Ok(points)
}
