//! Polls Slurm for the jobs of runs: all at once, seldom, and only while some job is not known to
//! have ended.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::command::{CommandError, call, is_here};
use super::parse::{FORMAT, Row, sacct_row, squeue_row};
use super::settle::settle;
use super::turn::Turn;
use traintop_disk::read;
use traintop_disk::write::replace_file;
use traintop_run::slurm::{Job, SchedulerReport};
use traintop_run::state_dir::state_dir;
use traintop_run::trust::Commands;
use traintop_run::{Record, RunDir};
use traintop_text::clean;

/// The file in the state folder with the last answer.
const ANSWER: &str = "slurm_answer.json";
/// Limit of jobs in one call of `sacct`.
const MAX_SACCT_IDS: usize = 500;

/// The outcome of a poll.
#[derive(Debug, Default)]
pub struct PollOutcome {
    /// The runs with news.
    pub changed: Vec<RunDir>,
    /// A sentence, while the scheduler does not answer.
    pub silence: Option<String>,
}

/// Polls the jobs of these runs if it is due, and writes the reports into the runs.
pub fn learn(dirs: &[RunDir]) -> PollOutcome {
    if dirs.is_empty() || !is_here() {
        return PollOutcome::default();
    }
    let commands = Commands::of_user();
    let open: Vec<(RunDir, Job)> = dirs
        .iter()
        .filter_map(|dir| {
            // Other users' programs poll their own jobs; another user's record may name any job.
            let record = Record::load(dir).ok()??;
            let job = record.slurm.clone()?;
            if !commands.allows(dir, &record) {
                return None;
            }
            (!SchedulerReport::load(dir, &job).is_over).then(|| (dir.clone(), job))
        })
        .collect();
    let Some(folder) = state_dir().filter(|_| !open.is_empty()) else {
        return PollOutcome::default();
    };
    let logged = |error: io::Error| log::warn!("{}: {error}", folder.display());
    let turn = Turn::take(&folder, Timestamp::now()).unwrap_or_else(|error| {
        logged(error);
        None
    });
    let Some(turn) = turn else {
        // The last poll covered these runs as well.
        let answer = Answer::load(&folder);
        let silence = Turn::problem(&folder).map(|error| silence(&error, answer.as_ref()));
        let changed = answer.map_or_else(Vec::new, |answer| answer.settle(&open));
        return PollOutcome { changed, silence };
    };
    let asked = Instant::now();
    let answer = ask();
    let took = asked.elapsed();
    let went = answer.as_ref().map(|_| took).map_err(ToString::to_string);
    if let Err(error) = turn.done(Timestamp::now(), went) {
        logged(error);
    }
    match answer {
        Ok(answer) => {
            if let Err(error) = answer.save(&folder) {
                logged(error);
            }
            let mut changed = answer.settle(&open);
            changed.extend(answer.settle_forgotten(&open));
            PollOutcome {
                changed,
                silence: None,
            }
        }
        Err(error) => {
            log::warn!("{error}");
            let silence = silence(&error.to_string(), Answer::load(&folder).as_ref());
            PollOutcome {
                changed: Vec::new(),
                silence: Some(silence),
            }
        }
    }
}

/// The sentence while there is no answer, which changes no run.
fn silence(error: &str, last: Option<&Answer>) -> String {
    let since = last.map_or_else(String::new, |answer| {
        let at = answer.at.to_zoned(TimeZone::system());
        format!(
            "; what is known of its jobs is of {}",
            at.strftime("%Y-%m-%d %H:%M")
        )
    });
    format!("Slurm does not answer{since} ({})", clean(error))
}

/// The scheduler's answer, cached for all programs of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    at: Timestamp,
    /// The lines of `squeue`.
    lines: String,
}

impl Answer {
    fn load(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&read::bytes(&folder.join(ANSWER), read::RECORD_LIMIT).ok()?).ok()
    }

    fn save(&self, folder: &Path) -> io::Result<()> {
        replace_file(&folder.join(ANSWER), &serde_json::to_vec(self)?)
    }

    fn rows(&self) -> Vec<Row> {
        self.lines.lines().filter_map(squeue_row).collect()
    }

    /// Applies it to the jobs in it that have no younger report; returns the runs with news.
    fn settle(&self, open: &[(RunDir, Job)]) -> Vec<RunDir> {
        let rows = self.rows();
        let is_news = |(dir, job): &&(RunDir, Job)| {
            SchedulerReport::load(dir, job)
                .at
                .is_none_or(|at| at < self.at)
        };
        let jobs = open.iter().filter(is_news);
        let jobs = jobs.filter_map(|(dir, job)| Some((dir, job, Some(row_of(&rows, job)?))));
        settled(jobs, self.at)
    }

    /// Applies the accounting's report on jobs that are missing in it, or that they are unknown.
    fn settle_forgotten(&self, open: &[(RunDir, Job)]) -> Vec<RunDir> {
        let rows = self.rows();
        let is_forgotten = |(_, job): &&(RunDir, Job)| row_of(&rows, job).is_none();
        let forgotten: Vec<&(RunDir, Job)> = open.iter().filter(is_forgotten).collect();
        // Of an array that was cancelled while it waited there is one line, which no task's own
        // number finds.
        let ids: BTreeSet<u64> = forgotten.iter().filter_map(|(_, job)| job.id).collect();
        let ids = ids.iter().rev().take(MAX_SACCT_IDS);
        let kept = accounts(&ids.map(u64::to_string).collect::<Vec<String>>());
        let jobs = forgotten.into_iter();
        let jobs = jobs.map(|(dir, job)| (dir, job, row_of(&kept, job)));
        settled(jobs, self.at)
    }
}

fn settled<'a>(
    jobs: impl Iterator<Item = (&'a RunDir, &'a Job, Option<&'a Row>)>,
    at: Timestamp,
) -> Vec<RunDir> {
    let is_new = |dir: &RunDir, job: &Job, row: Option<&Row>| {
        settle(dir, job, row, at).unwrap_or_else(|error| {
            log::warn!("{}: {error}", dir.path().display());
            false
        })
    };
    jobs.filter(|(dir, job, row)| is_new(dir, job, *row))
        .map(|(dir, ..)| dir.clone())
        .collect()
}

fn ask() -> Result<Answer, CommandError> {
    // What a run says from now on is younger.
    let at = Timestamp::now();
    let user = format!("--user={}", rustix::process::getuid().as_raw());
    let format = format!("--format={FORMAT}");
    let lines = call(
        "squeue",
        &["--noheader", "--array", "--states=all", &user, &format],
    )?;
    Ok(Answer { at, lines })
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

/// The accounting's rows of jobs that the scheduler has forgotten; none if there is no accounting.
/// `scontrol show job` is not called: it reads the same memory of the controller as `squeue
/// --states=all`, and all users' jobs; the cause of a failure is in the job's output.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use traintop_run::State;
    use traintop_run::process::Process;

    #[test]
    fn what_one_program_has_heard_the_others_take_in_once_and_never_what_is_older() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::new(folder.path());
        fs::create_dir(dir.logs()).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let job = Job {
            token: "traintop:a".to_owned(),
            submitted_at: at(0),
            id: Some(12),
            task: None,
            cluster: None,
        };
        let mut record = Record::new(&dir, "a".to_owned(), Process::current(), Vec::new(), at(0));
        record.process = None;
        record.state = State::Queued;
        record.slurm = Some(job.clone());
        record.save(&dir).unwrap();
        let open = [(dir.clone(), job.clone())];
        let answer = |second, lines: &str| Answer {
            at: at(second),
            lines: lines.to_owned(),
        };
        let pending = |reason: &str| format!("12|PENDING|{reason}|N/A|N/A|traintop:a\n");

        assert_eq!(Answer::load(folder.path()), None);
        answer(60, &pending("Resources"))
            .save(folder.path())
            .unwrap();
        let kept = Answer::load(folder.path()).unwrap();
        assert_eq!(kept.settle(&open), std::slice::from_ref(&dir));
        assert_eq!(kept.settle(&open), []);
        assert_eq!(answer(50, &pending("Priority")).settle(&open), []);
        // A job that is missing in it changes nothing for a program that has not polled.
        assert_eq!(answer(900, "13|RUNNING|None|N/A|N/A|\n").settle(&open), []);
        let known = SchedulerReport::load(&dir, &job);
        assert_eq!(known.reason.as_deref(), Some("Resources"));
        assert!(!known.is_over);
    }
}
