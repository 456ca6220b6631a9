//! Runs found by queries, as scripts and people ask.

use serde_json::Value;

use crate::dashboard::{age, foreign_run};
use crate::fake_worker::{UNTIL_STOPPED, Workplace};
use crate::pty::Dashboard;

fn place() -> Workplace {
    let place = Workplace::new(UNTIL_STOPPED);
    foreign_run(place.path(), "alpha", &[40.0, 61.5]);
    foreign_run(place.path(), "beta", &[30.0, 20.25]);
    for name in ["alpha", "beta"] {
        age(place.path(), name);
    }
    place
}

#[test]
fn list_takes_a_query_and_refuses_one_that_makes_no_sense_with_its_place() {
    let place = place();
    let names = |query: &str| {
        let runs: Value = place.json(&["list", "--json", "--where", query]);
        let names = runs.as_array().unwrap().iter();
        names
            .map(|run| run["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("val_acc>50"), ["alpha"]);
    assert_eq!(names("best.val_acc:30 model:small"), ["beta"]);
    assert_eq!(names("at1.val_acc<35 or age<1m"), ["beta"]);
    assert_eq!(names("-alph num_epochs:9"), ["beta"]);
    assert!(names("state:running").is_empty());
    let output = place.output(&["list", "--where", "val_acc>50 nubm_epochs:9"]);
    assert_eq!(output.status.code(), Some(2));
    let problem = String::from_utf8(output.stderr).unwrap();
    let expected = "val_acc>50 nubm_epochs:9\n           ^^^^^^^^^^^\n--where: no run has anything called nubm_epochs; did you mean num_epochs?\n";
    assert_eq!(problem, expected);
}

#[test]
fn a_query_is_completed_kept_and_there_again_at_the_next_start() {
    let place = place();
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    dashboard.wait("both runs", |screen| {
        screen.contains("alpha") && screen.contains("beta")
    });
    dashboard.press("/val_a\t>50");
    dashboard.wait("one run", |screen| {
        screen.contains("/val_acc>50") && screen.contains("1 of 2 runs") && !screen.contains("beta")
    });
    dashboard.press("\r");
    dashboard.wait("the keys of the table", |screen| {
        screen.contains("n new run")
    });
    dashboard.press("q");
    dashboard.end();
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    dashboard.wait("the query again", |screen| {
        screen.contains("/val_acc>50") && screen.contains("1 of 2 runs") && screen.contains("alpha")
    });
    dashboard.press("\u{1b}");
    dashboard.wait("all runs", |screen| screen.contains("beta"));
    dashboard.press("/\u{1b}[A");
    dashboard.wait("the earlier query", |screen| screen.contains("1 of 2 runs"));
    dashboard.press("\u{1b}");
    dashboard.wait("all runs", |screen| screen.contains("beta"));
    dashboard.press("q");
    dashboard.end();
}
