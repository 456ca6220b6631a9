//! Why runs failed, as lists say it.

use crate::fake_worker::{UNTIL_STOPPED, Workplace};
use crate::pty::Dashboard;

/// A Python script that breaks off.
const TRACEBACK: &str = r#"
state running
printf 'epoch,train_loss,val_acc\n1,0.5,61.25\n' > "$dir/logs/metrics.csv"
echo 'Traceback (most recent call last):' >&2
echo '  File "train.py", line 3, in <module>' >&2
echo 'ValueError: shapes do not match' >&2
exit 1
"#;

#[test]
fn the_last_traceback_is_the_cause_and_runs_are_found_by_it() {
    let place = Workplace::new(TRACEBACK);
    let run = place.start_detached();
    run.wait_for_state("failed");
    let listed = place.json(&["list", "--json", "--where", "cause:ValueError"]);
    let cause = &listed[0]["cause"];
    assert_eq!(
        (&cause["what"], &cause["detail"]),
        (
            &"ValueError".into(),
            &"ValueError: shapes do not match".into()
        )
    );
    assert_eq!(
        place.json(&["list", "--json", "--where", "cause:NaN"]),
        serde_json::json!([])
    );
    let mut dashboard = Dashboard::open(&place, &[], 200, 40);
    dashboard.wait("the cause in row and preview", |screen| {
        screen.matches("ValueError").count() >= 2
            && screen.contains("ValueError: shapes do not match")
    });
}

#[test]
fn a_time_limit_stops_a_run_gently_and_is_the_cause() {
    let place = Workplace::new(UNTIL_STOPPED);
    let limited = ["train", "--config", "quick", "--time-limit", "1s"];
    for way in ["--detach", "--queue"] {
        let printed = place.json(&[&limited[..], &[way, "--json"]].concat());
        let path = printed["path"]
            .as_str()
            .or_else(|| printed["queued"][0].as_str());
        let run = crate::fake_worker::Run(path.unwrap().into());
        run.wait_for_state("stopped");
        crate::fake_worker::wait_for("the reason", || {
            run.record()["exit"]["reason"].as_str().is_some_and(|reason| {
                reason == "stopped in time, since its time limit of 1s is over; resume continues from here"
            })
        });
        let found = place.json(&["list", "--json", "--where", "cause:limit"]);
        assert!(found.as_array().unwrap().iter().any(|found| {
            found["name"] == run.record()["name"] && found["cause"]["what"] == "time limit"
        }));
    }
    let refused = place.refusal(&[&limited[..4], &["soon"]].concat(), 2);
    assert!(refused.contains("must be a length of time"), "{refused}");
}

#[test]
fn a_run_that_was_stopped_is_gone_on_with_from_the_dashboard() {
    let place = Workplace::new(UNTIL_STOPPED);
    let queued = place.json(&["train", "--config", "quick", "--queue", "--json"]);
    let run = crate::fake_worker::Run(queued["queued"][0].as_str().unwrap().into());
    run.wait_for_state("running");
    place.stdout(&["stop", "quick"]);
    run.wait_for_state("stopped");
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    dashboard.wait("the run", |screen| screen.contains("■ stopped"));
    dashboard.press("C");
    dashboard.wait("the question", |screen| screen.contains("Resume this run?"));
    dashboard.press("y");
    dashboard.wait("the run at work", |screen| screen.contains("● running"));
    run.wait_for_state("running");
    place.stdout(&["stop", "quick"]);
    run.wait_for_state("stopped");
    let printed = place.stdout(&["resume", "quick", "--queue"]);
    assert!(
        printed.ends_with(": queued, to resume from its last checkpoint\n"),
        "{printed}"
    );
    run.wait_for_state("running");
    let refused = place.refusal(&["resume", "quick"], 1);
    assert!(
        refused.ends_with("is running; only a run that ended before its last epoch can be resumed"),
        "{refused}"
    );
    place.stdout(&["stop", "quick"]);
    run.wait_for_state("stopped");
}
