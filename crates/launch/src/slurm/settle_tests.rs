use serde::Deserialize;

use super::super::parse::squeue_row;
use super::*;
use traintop_run::process::Process;

fn record(state: State) -> Record {
    let dir = RunDir::new("/runs/a");
    let now = Timestamp::UNIX_EPOCH;
    let job = Job {
        token: "traintop:a".to_owned(),
        submitted_at: now,
        id: Some(12),
        task: None,
        cluster: None,
    };
    Record {
        state,
        slurm: Some(job),
        ..Record::new(&dir, "a".to_owned(), Process::current(), Vec::new(), now)
    }
}

#[derive(Deserialize)]
struct Situations {
    situations: Vec<Situation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    run: State,
    squeue: Option<String>,
    silent_s: u64,
    #[serde(default)]
    is_stop_asked: bool,
    verdict: String,
}

#[test]
fn the_scheduler_says_what_the_run_could_not() {
    let all: Situations = toml::from_str(include_str!("settle_tests.toml")).unwrap();
    for situation in all.situations {
        let phase = situation.squeue.as_ref().map(|state| {
            let row = squeue_row(&format!("12|{state}|None|N/A|N/A|traintop:a"));
            row.unwrap().phase
        });
        let heard = Duration::from_secs(situation.silent_s);
        let found = verdict(
            &record(situation.run),
            phase,
            heard,
            situation.is_stop_asked,
        );
        assert_eq!(format!("{found:?}"), situation.verdict, "{situation:?}");
    }
}

#[test]
fn what_the_run_said_itself_stays() {
    let mut failed = record(State::Failed);
    let exit = |signal, reason: &str| {
        Some(Exit {
            code: None,
            signal,
            reason: Some(reason.to_owned()),
        })
    };
    failed.exit = exit(None, "the loss became NaN");
    let over = Some(Phase::Over(End::OutOfMemory));
    assert_eq!(verdict(&failed, over, Duration::ZERO, false), Verdict::Over);
    // Only the scheduler knew what killed it.
    failed.exit = exit(Some(9), "SIGKILL ended the worker: by a user");
    assert_eq!(
        verdict(&failed, over, Duration::ZERO, false),
        Verdict::Ended(State::Failed, EndCause::Reported(End::OutOfMemory))
    );
}

#[test]
fn a_command_that_ended_well_because_its_job_was_ended_has_not_finished() {
    let mut finished = record(State::Finished);
    finished.launcher = Some("mine".to_owned());
    let verdict = |end| verdict(&finished, Some(Phase::Over(end)), Duration::ZERO, false);
    for end in [End::Preempted, End::TimeLimit, End::Cancelled(None)] {
        assert_eq!(
            verdict(end),
            Verdict::Ended(State::Stopped, EndCause::Reported(end))
        );
    }
    assert_eq!(verdict(End::Completed), Verdict::Over);
}

#[test]
fn a_run_that_never_got_an_id_was_never_handed_over() {
    let mut queued = record(State::Queued);
    queued.slurm.as_mut().unwrap().id = None;
    let old = Duration::from_secs(500);
    assert_eq!(
        verdict(&queued, None, old, false),
        Verdict::Ended(State::Failed, EndCause::NeverTaken)
    );
    assert_eq!(verdict(&queued, None, Duration::ZERO, false), Verdict::Open);
}

#[test]
fn what_was_learnt_lies_beside_the_record_and_a_cancelled_run_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let dir = RunDir::new(folder.path());
    std::fs::create_dir(dir.logs()).unwrap();
    let mut queued = record(State::Queued);
    queued.process = None;
    queued.slurm.as_mut().unwrap().id = None;
    queued.save(&dir).unwrap();
    let job = queued.slurm.clone().unwrap();
    let now = Timestamp::from_second(60).unwrap();
    let row = squeue_row("12|PENDING|Resources|N/A|N/A|traintop:a").unwrap();
    assert!(settle(&dir, &job, Some(&row), now).unwrap());
    let noted = Record::load(&dir).unwrap().unwrap();
    let job = noted.slurm.clone().unwrap();
    assert_eq!((job.id, noted.state), (Some(12), State::Queued));
    let seen = traintop_run::slurm::Seen::of(&dir, &noted, now.into()).unwrap();
    assert_eq!(seen.waits.as_deref(), Some("Slurm job 12: Resources"));
    assert!(!settle(&dir, &job, Some(&row), now).unwrap());
    let row = squeue_row("12|CANCELLED|None|N/A|N/A|traintop:a").unwrap();
    assert!(settle(&dir, &job, Some(&row), now).unwrap());
    let ended = Record::load(&dir).unwrap().unwrap();
    assert_eq!(ended.state, State::Stopped);
    let reason = ended.exit.unwrap().reason.unwrap();
    assert_eq!(reason, "job 12 was cancelled in Slurm");
    assert!(SchedulerReport::load(&dir, &job).is_over);
}
