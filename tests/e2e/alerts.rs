//! Alerts while runs train: shown, rung, and sent by a command, each once.

use std::fs;
use std::path::PathBuf;

use crate::fake_worker::{Workplace, wait_for};
use crate::pty::Dashboard;

/// Trains until there is a file `go` beside the run's, and then breaks off.
const BREAKS_OFF: &str = r#"
state running
printf 'epoch,train_loss,val_acc\n1,0.5,61.25\n' > "$dir/logs/metrics.csv"
while keeps_running && [ ! -e "$dir/go" ]; do sleep 0.02; done
echo 'ValueError: shapes do not match' >&2
exit 1
"#;

/// Ten seconds an epoch, as its rows say, and three of them done.
const SLOW: &str = r#"
trap 'state stopping; state stopped; exit 0' TERM
state running
printf 'epoch,train_loss,val_acc,time_elapsed\n1,0.5,61.25,10\n2,0.4,65.5,20\n3,0.3,66.5,30\n' > "$dir/logs/metrics.csv"
echo weights > "$dir/last.safetensors"
while keeps_running; do sleep 0.02; done
"#;

/// Settings by which every alert is written down in the file that is returned.
fn with_alerts(place: &Workplace, more: &str) -> PathBuf {
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    let script = place.path().join("tell.sh");
    let sent = place.path().join("sent");
    let text = format!("cat > /dev/null\necho \"$1|$2|$3\" >> {}\n", sent.display());
    fs::write(&script, text).unwrap();
    let words = format!(
        "[\"sh\", \"{}\", \"{{run}}\", \"{{alert}}\", \"{{message}}\"]",
        script.display()
    );
    fs::write(
        folder.join("config.toml"),
        format!("[alerts]\nnotify = {words}\n{more}"),
    )
    .unwrap();
    sent
}

#[test]
fn a_failure_is_shown_rung_and_sent_once_though_two_dashboards_see_it() {
    let place = Workplace::new(BREAKS_OFF);
    let sent = with_alerts(&place, "bell = true\nosc9 = true\nosc777 = true\n");
    let run = place.start_detached();
    run.wait_for_state("running");
    let mut both = [0, 1].map(|_| Dashboard::open(&place, &[], 110, 30));
    for dashboard in &mut both {
        dashboard.wait("the run", |screen| screen.contains("● running"));
    }
    fs::write(run.0.join("go"), "").unwrap();
    for dashboard in &mut both {
        dashboard.wait("its end", |screen| screen.contains("failed"));
        dashboard.press("!");
        dashboard.wait("the alert in the list", |screen| {
            screen.contains("╭ Alerts") && screen.contains("failed: ")
        });
        dashboard.press("\r");
        dashboard.wait("the table", |screen| !screen.contains("╭ Alerts"));
    }
    wait_for("the command", || sent.exists());
    for dashboard in &mut both {
        dashboard.press("q");
        assert!(dashboard.end().success());
    }
    let rang = |dashboard: &&Dashboard| {
        let written = String::from_utf8_lossy(&dashboard.written);
        let title = format!(
            "\x1b]777;notify;{};failed: ",
            run.record()["name"].as_str().unwrap()
        );
        let rings = written.contains(&title);
        assert_eq!(rings, written.contains("\x1b]9;"), "both ways or none");
        rings
    };
    assert_eq!(both.iter().filter(rang).count(), 1);
    let text = fs::read_to_string(&sent).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(
        text.contains("|failed|failed: ") && text.contains("shapes do not match"),
        "{text}"
    );
    // Neither a script nor the next dashboard reports it again.
    assert_eq!(place.stdout(&["alerts", "--notify"]), "nothing to report\n");
    let listed = place.json(&["alerts", "--json"]);
    assert_eq!(listed[0]["kind"], "failed");
    let mut again = Dashboard::open(&place, &[], 110, 30);
    again.wait("the run", |screen| screen.contains("failed"));
    again.press("!");
    again.wait("the earlier alert", |screen| {
        screen.contains("shapes do not match")
    });
    assert_eq!(fs::read_to_string(&sent).unwrap(), text);
}

#[test]
fn a_run_that_will_not_finish_says_so_and_is_saved_by_a_key() {
    let place = Workplace::new(SLOW);
    let sent = with_alerts(&place, "send = [\"late\"]\n");
    let asked = [
        "train",
        "--config",
        "quick",
        "--set",
        "num_epochs=100",
        "--time-limit",
        "5m",
        "--detach",
        "--json",
    ];
    let started = place.json(&asked);
    let run = crate::fake_worker::Run(PathBuf::from(started["path"].as_str().unwrap()));
    run.wait_for_state("running");
    wait_for("its rows", || {
        run.text("logs/metrics.csv").lines().count() == 4
    });
    let mut dashboard = Dashboard::open(&place, &[], 200, 40);
    dashboard.wait("the mark in the row, and the alert", |screen| {
        screen.contains("! quick")
            && screen.contains("ends 11 min late")
            && screen.contains("! 1 alert")
    });
    // The alert gives the bottom line back with the next key.
    dashboard.press("j");
    dashboard.wait("the key", |screen| screen.contains("Ctrl-s save now"));
    dashboard.press("\r");
    dashboard.wait("the sentence", |screen| {
        screen.contains("ends 11 min after its limit, which comes in epoch 3")
            && screen.contains("last checkpoint: epoch 3")
            && screen.contains("Ctrl-s save now")
    });
    dashboard.press("\x13");
    wait_for("the wish", || {
        run.text("control.json").contains("\"save\": 1")
    });
    wait_for("the command", || sent.exists());
    assert!(
        fs::read_to_string(&sent)
            .unwrap()
            .contains("|late|ends 11 min after its limit")
    );
    dashboard.press("\x03");
    assert!(dashboard.end().success());
    place.stdout(&["stop", "quick"]);
    run.wait_for_state("stopped");
}

#[test]
fn a_script_reports_what_is_so_and_what_is_unknown() {
    let place = Workplace::new(BREAKS_OFF);
    assert_eq!(place.stdout(&["alerts"]), "nothing to report\n");
    let refused = place.refusal(&["alerts", "--notify"], 1);
    assert!(
        refused.contains("there is no command to notify with"),
        "{refused}"
    );
    let run = place.start_detached();
    fs::write(run.0.join("go"), "").unwrap();
    run.wait_for_state("failed");
    let printed = place.stdout(&["alerts"]);
    assert!(
        printed.contains("failed") && printed.contains("shapes do not match"),
        "{printed}"
    );
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("config.toml"),
        "[alerts]\nnotify = [\"/no/such/program\"]\n",
    )
    .unwrap();
    let refused = place.refusal(&["alerts", "--notify"], 1);
    assert!(
        refused.contains("notify: /no/such/program: cannot be started"),
        "{refused}"
    );
}
