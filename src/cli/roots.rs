//! Which folders are searched, and which run a word on the command line means.

use std::path::{Path, PathBuf};

use color_eyre::eyre::{Result, bail};

use traintop_config as config;
use traintop_launch::slurm::PollOutcome;
use traintop_run::Record;
use traintop_run::discover::{Unsearched, discover};
use traintop_run::formats;
use traintop_run::found::Found;
use traintop_run::judging;
use traintop_run::layout::{DEFAULT_ROOT, RunDir};
use traintop_run::run_names::{OURS, shortest_ends};
use traintop_run::slurm::Job;
use traintop_text::clean;
use traintop_text::terminal::error_line;

/// Candidates that a problem lists.
const LISTED: usize = 8;

/// The folders named, else those of the user's configuration, else the default one. Problems of the
/// configuration are printed to standard error.
pub fn or_default(named: &[PathBuf]) -> Vec<PathBuf> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let (config, problems) = config::load();
    for problem in problems {
        error_line(&problem);
    }
    configured(config.roots)
}

/// The configuration's folders, else the default one.
pub fn configured(roots: Vec<PathBuf>) -> Vec<PathBuf> {
    if roots.is_empty() {
        vec![PathBuf::from(DEFAULT_ROOT)]
    } else {
        roots
    }
}

/// Says on standard error that the scheduler does not answer, if so: what is listed may be old.
pub fn report_silence(outcome: &PollOutcome) {
    if let Some(silence) = &outcome.silence {
        error_line(silence);
    }
}

/// Every run below `roots`. A root that was named but cannot be searched is an error; the default
/// one may be missing. A folder further down is only reported on standard error.
pub fn runs_below(named: &[PathBuf]) -> Result<Vec<Found>> {
    let mut runs = Vec::new();
    let roots = or_default(named);
    for problem in judging::project_problems(&roots) {
        error_line(problem);
    }
    let unsearched = discover(&roots, |found| runs.push(found));
    tell_unsearched(unsearched, named)?;
    Ok(runs)
}

/// Fails for a root that was named, and says on standard error, in one line, that folders below the
/// roots could not be searched, such as other users' or `lost+found`.
pub fn tell_unsearched(unsearched: Vec<Unsearched>, named: &[PathBuf]) -> Result<()> {
    let (roots, below): (Vec<_>, Vec<_>) = unsearched.into_iter().partition(|it| it.is_root);
    if let Some(root) = roots.first().filter(|_| !named.is_empty()) {
        bail!("{}", clean(&root.to_string()));
    }
    if let Some(first) = below.first() {
        let more = match below.len() - 1 {
            0 => String::new(),
            more => format!("; nor can {more} more folders"),
        };
        error_line(format!("{first}{more}"));
    }
    Ok(())
}

/// The run that `word` means: a run's folder, else the one below `roots` whose folder or name is
/// `word`, else the only one whose folder or name begins with it. A job's number of Slurm's means
/// its run.
pub fn run_named(word: &str, roots: &[PathBuf]) -> Result<Found> {
    if let Some(found) = at_path(Path::new(word)) {
        return Ok(found);
    }
    let mut exact = Vec::new();
    let mut beginning = Vec::new();
    let mut others = Vec::new();
    for found in runs_below(roots)? {
        let record = Record::load(&found.dir).ok().flatten();
        let job = record.as_ref().and_then(|record| record.slurm.as_ref());
        let is_job = job.and_then(Job::name).is_some_and(|job| job == word);
        let name = record.map(|record| record.name).unwrap_or_default();
        let names = [found.dir.name(), name];
        // Longer ends of the path are what lists call runs of one name.
        let is_end = word.contains('/') && found.dir.path().ends_with(word);
        if is_job || is_end || names.iter().any(|name| name == word) {
            exact.push(found);
        } else if names.iter().any(|name| name.starts_with(word)) {
            beginning.push(found);
        } else if found.trainer() != OURS {
            others.push(found);
        }
    }
    if exact.is_empty() && beginning.is_empty() {
        // Other trainers' own names are in files of many kinds: they are read only now.
        for found in others {
            match found.facts().name {
                Some(name) if name == word => exact.push(found),
                Some(name) if name.starts_with(word) => beginning.push(found),
                _ => {}
            }
        }
    }
    let mut candidates = if exact.is_empty() { beginning } else { exact };
    match candidates.len() {
        1 => Ok(candidates.remove(0)),
        0 => bail!(
            "{word:?} is neither a run's folder nor the name of a run; `traintop list` lists them"
        ),
        count => {
            candidates.sort_by_key(|found| std::cmp::Reverse(found.modified));
            let listed = candidates.iter().take(LISTED);
            let paths: Vec<&Path> = listed.map(|found| found.dir.path()).collect();
            let names = shortest_ends(&paths);
            let more = if count > LISTED {
                format!(" and {} more", count - LISTED)
            } else {
                String::new()
            };
            bail!(
                "{word:?} may be any of {}{more}; name one of these folders",
                names.join(", ")
            )
        }
    }
}

fn at_path(path: &Path) -> Option<Found> {
    if let Some(found) = in_database(path) {
        return Some(found);
    }
    let path = path.canonicalize().ok().filter(|path| path.is_dir())?;
    let mut found = Vec::new();
    discover(std::slice::from_ref(&path), |run| found.push(run));
    let mut found = found.into_iter();
    found.find(|run| run.dir.path() == path || run.dir.logs() == path)
}

/// The run of which this is the path, if it lies in a database.
fn in_database(path: &Path) -> Option<Found> {
    let database = RunDir::new(path).database()?.canonicalize().ok()?;
    let dir = RunDir::new(database.join(path.file_name()?));
    formats::is_there(&dir).then(|| Found::look(dir))
}
