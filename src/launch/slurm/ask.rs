//! Asking the scheduler how the jobs of runs stand: all at once, seldom, and only while there are jobs that are not known to be over.

use std::time::Instant;

use jiff::Timestamp;

use super::call::{call, is_here};
use super::parse::{FORMAT, Row, sacct_row, squeue_row};
use super::settle::settle;
use super::turn::Turn;
use crate::run::own::state_folder;
use crate::run::slurm::{Job, Said};
use crate::run::{Record, RunDir};

/// What `sacct` is asked about at once at the most.
const MOST_OF_SACCT: usize = 500;

/// Asks after the jobs of these runs, if it is time to, and says in the runs what was learnt. Those of which something is new.
pub fn learn(dirs: &[RunDir]) -> Vec<RunDir> {
    if dirs.is_empty() || !is_here() {
        return Vec::new();
    }
    let open: Vec<(RunDir, Job)> = dirs
        .iter()
        .filter_map(|dir| {
            let job = Record::load(dir).ok()??.slurm?;
            (!Said::load(dir, &job).is_over).then(|| (dir.clone(), job))
        })
        .collect();
    if open.is_empty() {
        return Vec::new();
    }
    let Some(folder) = state_folder() else {
        return Vec::new();
    };
    match Turn::take(&folder, Timestamp::now()) {
        Ok(Some(turn)) => {
            let asked = Instant::now();
            let answer = ask(open);
            let took = answer.is_ok().then(|| asked.elapsed());
            if let Err(error) = turn.done(Timestamp::now(), took) {
                log::warn!("{}: {error}", folder.display());
            }
            answer.unwrap_or_else(|problem| {
                log::warn!("{problem}");
                Vec::new()
            })
        }
        Ok(None) => Vec::new(),
        Err(error) => {
            log::warn!("{}: {error}", folder.display());
            Vec::new()
        }
    }
}

fn ask(open: Vec<(RunDir, Job)>) -> Result<Vec<RunDir>, String> {
    let user = format!("--user={}", rustix::process::getuid().as_raw());
    let format = format!("--format={FORMAT}");
    let printed = call(
        "squeue",
        &["--noheader", "--array", "--states=all", &user, &format],
    )?;
    let rows: Vec<Row> = printed.lines().filter_map(squeue_row).collect();
    let forgotten: Vec<String> = open
        .iter()
        .filter(|(_, job)| row_of(&rows, job).is_none())
        .filter_map(|(_, job)| job.name())
        .take(MOST_OF_SACCT)
        .collect();
    let kept = accounts(&forgotten);
    let now = Timestamp::now();
    let mut changed = Vec::new();
    for (dir, job) in open {
        let row = row_of(&rows, &job).or_else(|| row_of(&kept, &job));
        match settle(&dir, &job, row, now) {
            Ok(true) => changed.push(dir),
            Ok(false) => {}
            Err(error) => log::warn!("{}: {error}", dir.path().display()),
        }
    }
    Ok(changed)
}

/// The line about a job. One about this very task comes before one about all that were not listed.
fn row_of<'a>(rows: &'a [Row], job: &Job) -> Option<&'a Row> {
    let about = |row: &&Row| row.is_about(job.id, &job.token, job.task);
    let rest = |row: &&Row| row.tasks == super::parse::Tasks::Rest;
    let mut found = rows.iter().filter(about);
    found
        .clone()
        .find(|row| !rest(row))
        .or_else(|| found.next())
}

/// What the accounting has kept of jobs that the scheduler has forgotten; nothing where there is none.
fn accounts(jobs: &[String]) -> Vec<Row> {
    if jobs.is_empty() {
        return Vec::new();
    }
    let jobs = format!("--jobs={}", jobs.join(","));
    let arguments = [
        "--noheader",
        "--parsable2",
        "--allocations",
        "--format=JobID,State,End",
        &jobs,
    ];
    match call("sacct", &arguments) {
        Ok(printed) => printed.lines().filter_map(sacct_row).collect(),
        Err(problem) => {
            log::info!("{problem}");
            Vec::new()
        }
    }
}
