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

#[test]
fn the_scheduler_says_what_the_run_could_not() {
    use State::{Failed, Finished, Lost, Queued, Running, Stopped};
    let (now, old) = (Duration::from_secs(1), Duration::from_secs(500));
    let over = |end| Some(Phase::Over(end));
    let ended = |state, end| Verdict::Ended(state, Why::Said(end));
    let cancelled = End::Cancelled(Some(0));
    let cases = [
        (Queued, Some(Phase::Waiting), old, false, Verdict::Open),
        (Running, Some(Phase::Working), old, false, Verdict::Open),
        // Its node failed, and Slurm has put it back.
        (Running, Some(Phase::Waiting), old, false, Verdict::Waits),
        (Running, Some(Phase::Waiting), now, false, Verdict::Open),
        (Stopped, Some(Phase::Waiting), old, false, Verdict::Waits),
        (Stopped, Some(Phase::Waiting), old, true, Verdict::Open),
        (Finished, over(End::Completed), now, false, Verdict::Over),
        (Running, over(End::Completed), now, false, Verdict::Open),
        (
            Running,
            over(End::Completed),
            old,
            false,
            ended(Lost, End::Completed),
        ),
        (
            Running,
            over(End::TimeLimit),
            now,
            false,
            ended(Failed, End::TimeLimit),
        ),
        (
            Running,
            over(End::OutOfMemory),
            now,
            false,
            ended(Failed, End::OutOfMemory),
        ),
        (
            Running,
            over(cancelled),
            now,
            false,
            ended(Stopped, cancelled),
        ),
        (
            Queued,
            over(cancelled),
            now,
            false,
            ended(Stopped, cancelled),
        ),
        (
            Stopped,
            over(cancelled),
            now,
            false,
            ended(Stopped, cancelled),
        ),
        (Stopped, over(cancelled), now, true, Verdict::Over),
        (
            Stopped,
            over(End::Preempted),
            now,
            false,
            ended(Stopped, End::Preempted),
        ),
        (Finished, over(End::TimeLimit), now, false, Verdict::Over),
        (Running, None, now, false, Verdict::Open),
        (
            Running,
            None,
            old,
            false,
            Verdict::Ended(Lost, Why::Forgotten),
        ),
        (
            Queued,
            None,
            old,
            false,
            Verdict::Ended(Lost, Why::Forgotten),
        ),
        (Finished, None, old, false, Verdict::Over),
    ];
    for (state, phase, heard, stop_asked, expected) in cases {
        let record = record(state);
        assert_eq!(
            verdict(&record, phase, heard, stop_asked),
            expected,
            "{state} {phase:?} {heard:?} {stop_asked}"
        );
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
    // What killed it nobody knew but the scheduler.
    failed.exit = exit(Some(9), "SIGKILL ended the worker: by a user");
    assert_eq!(
        verdict(&failed, over, Duration::ZERO, false),
        Verdict::Ended(State::Failed, Why::Said(End::OutOfMemory))
    );
}

#[test]
fn a_command_that_ended_well_because_its_job_was_ended_has_not_finished() {
    let mut finished = record(State::Finished);
    finished.launcher = Some("mine".to_owned());
    let verdict = |end| verdict(&finished, Some(Phase::Over(end)), Duration::ZERO, false);
    for end in [End::Preempted, End::TimeLimit, End::Cancelled(None)] {
        assert_eq!(verdict(end), Verdict::Ended(State::Stopped, Why::Said(end)));
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
        Verdict::Ended(State::Failed, Why::NeverTaken)
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
    let row = super::super::parse::squeue_row("12|PENDING|Resources|N/A|N/A|traintop:a").unwrap();
    assert!(settle(&dir, &job, Some(&row), now).unwrap());
    let noted = Record::load(&dir).unwrap().unwrap();
    let job = noted.slurm.clone().unwrap();
    assert_eq!((job.id, noted.state), (Some(12), State::Queued));
    let seen = traintop_run::slurm::Seen::of(&dir, &noted, now.into()).unwrap();
    assert_eq!(seen.waits.as_deref(), Some("Slurm job 12: Resources"));
    assert!(!settle(&dir, &job, Some(&row), now).unwrap());
    let row = super::super::parse::squeue_row("12|CANCELLED|None|N/A|N/A|traintop:a").unwrap();
    assert!(settle(&dir, &job, Some(&row), now).unwrap());
    let ended = Record::load(&dir).unwrap().unwrap();
    assert_eq!(ended.state, State::Stopped);
    let reason = ended.exit.unwrap().reason.unwrap();
    assert_eq!(reason, "job 12 was cancelled in Slurm");
    assert!(Said::load(&dir, &job).is_over);
}
