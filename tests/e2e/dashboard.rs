//! The dashboard as a person uses it: keys in, screens out.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::fake_worker::{UNTIL_STOPPED, Workplace};
use crate::pty::Dashboard;

/// A run of another trainer, as the reference leaves it.
pub fn foreign_run(place: &Path, name: &str, accuracies: &[f64]) {
    let mut text = String::from("epoch,train_loss,train_acc,val_loss,val_acc,learning_rate\n");
    for (epoch, accuracy) in (1..).zip(accuracies) {
        text += &row(epoch, *accuracy);
    }
    foreign_files(place, name, &text, 9);
}

/// Its table, and a configuration that plans this many epochs.
pub fn foreign_files(place: &Path, name: &str, metrics: &str, epochs: u32) {
    let logs = place.join("runs").join(name).join("logs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(logs.join("metrics.csv"), metrics.replace('\n', "\r\n")).unwrap();
    let config = format!("{{\"model_name\": \"resnet_small\", \"num_epochs\": {epochs}}}");
    fs::write(logs.join("config.json"), config).unwrap();
}

fn row(epoch: u32, accuracy: f64) -> String {
    format!("{epoch},1.5,{},1.25,{accuracy},0.1\n", accuracy - 5.0)
}

/// Lets a run's files be an hour old, so that it does not seem to train.
pub fn age(place: &Path, name: &str) {
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for file in ["metrics.csv", "config.json"] {
        let path = place.join("runs").join(name).join("logs").join(file);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(before).unwrap();
    }
}

/// Whether anything is drawn in Braille dots.
fn has_curve(screen: &str) -> bool {
    screen
        .chars()
        .any(|glyph| ('\u{2801}'..='\u{28ff}').contains(&glyph))
}

/// Sends a signal, by its name or number.
pub fn signal(name: &str, pid: u64) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

pub fn two_runs() -> Workplace {
    let place = Workplace::new(UNTIL_STOPPED);
    foreign_run(place.path(), "alpha", &[40.0, 61.5]);
    foreign_run(place.path(), "beta", &[30.0, 20.25]);
    place
}

/// The dashboard on [`two_runs`] as soon as both are shown.
pub fn open_on_both(place: &Workplace, columns: u16) -> Dashboard {
    let mut dashboard = Dashboard::open(place, &[], columns, 24);
    dashboard.wait("both runs", |screen| {
        screen.contains("61.50 @2") && screen.contains("30.00 @1")
    });
    dashboard
}

#[test]
fn runs_are_listed_sorted_filtered_opened_and_left() {
    let place = two_runs();
    let mut dashboard = open_on_both(&place, 80);
    dashboard.press("/alp");
    dashboard.wait("the filter", |screen| {
        screen.contains("1 of 2 runs") && !screen.contains("beta")
    });
    dashboard.press("\r\r");
    dashboard.wait("the curves", |screen| {
        screen.contains("1 Charts") && screen.contains("val_loss")
    });
    dashboard.press("2");
    dashboard.wait("the epochs", |screen| screen.contains("61.5"));
    dashboard.press("\x1b");
    dashboard.wait("the list again", |screen| screen.contains("1 of 2 runs"));
    dashboard.press("q");
    assert!(dashboard.end().success());
    assert!(dashboard.left_a_sane_terminal());
}

#[test]
fn star_tags_and_note_are_given_by_keys_and_stay() {
    let place = two_runs();
    let mut dashboard = open_on_both(&place, 120);
    dashboard.press("/alpha\r*");
    dashboard.wait("the star", |screen| screen.contains("★ alpha"));
    dashboard.press("Tpaper\r");
    dashboard.wait("the tag", |screen| {
        screen.contains("TAGS") && screen.contains("paper")
    });
    dashboard.press("m");
    dashboard.wait("the question", |screen| screen.contains("Note of alpha"));
    dashboard.press("seed 3\r猫\x13");
    let notes = place.path().join("runs/alpha/notes.toml");
    crate::fake_worker::wait_for("the note", || {
        fs::read_to_string(&notes).is_ok_and(|text| text.contains("seed 3\n猫"))
    });
    dashboard.press("q");
    assert!(dashboard.end().success());
    let mut dashboard = Dashboard::open(&place, &[], 120, 24);
    dashboard.wait("them again", |screen| {
        screen.contains("★ alpha") && screen.contains("paper")
    });
}

#[test]
fn marks_stay_for_the_next_start_and_many_runs_are_tagged_and_back() {
    let place = two_runs();
    foreign_run(place.path(), "gamma", &[10.0]);
    let mut dashboard = Dashboard::open(&place, &[], 120, 24);
    dashboard.wait("the runs", |screen| {
        screen.contains("10.00 @1") && screen.contains("61.50 @2")
    });
    dashboard.press("/a\rA");
    dashboard.wait("the marks", |screen| screen.contains("◆ 3 marked"));
    dashboard.press("\x1b/gam\r \x1b");
    dashboard.wait("one less", |screen| {
        screen.contains("◆ 2 marked") && screen.contains("gamma")
    });
    dashboard.press("q");
    assert!(dashboard.end().success());
    let mut dashboard = Dashboard::open(&place, &[], 120, 24);
    dashboard.wait("the marks again", |screen| screen.contains("◆ 2 marked"));
    dashboard.press("Tpaper\r");
    dashboard.wait("the tags", |screen| {
        screen.contains("2 runs were changed") && screen.matches("paper").count() == 2
    });
    dashboard.press("u");
    dashboard.wait("no tags", |screen| {
        screen.contains("2 runs have their notes of before again") && !screen.contains("paper")
    });
}

#[test]
fn marked_runs_are_renamed_by_a_template_that_is_kept_and_back() {
    let place = two_runs();
    for name in ["alpha", "beta"] {
        age(place.path(), name);
    }
    let mut dashboard = open_on_both(&place, 100);
    dashboard.press("Ar");
    dashboard.wait("the first template", |screen| {
        screen.contains("{model}_acc{best.val_acc:.2f}") && screen.contains("it has no started")
    });
    dashboard.press("\x15{sta\t");
    dashboard.wait("the collision", |screen| {
        screen.contains("{state}") && screen.contains("2 of 2 cannot be renamed")
    });
    dashboard.press("-{n:02d}");
    dashboard.wait("the names", |screen| screen.contains("2 can be renamed"));
    dashboard.press("\r");
    dashboard.wait("the new names", |screen| {
        screen.contains("2 runs were renamed") && screen.contains("◆ 2 marked")
    });
    let runs = place.path().join("runs");
    assert!(runs.join("stopped-01/logs/metrics.csv").exists());
    assert!(!runs.join("alpha").exists() && !runs.join("beta").exists());
    dashboard.press("u");
    dashboard.wait("the old names", |screen| {
        screen.contains("2 runs have their old names again") && screen.contains("◆ 2 marked")
    });
    assert!(runs.join("alpha/logs/metrics.csv").exists());
    let kept = place.json(&["rename", "--templates", "--json"]);
    assert_eq!(kept[0], "{state}-{n:02d}");
}

#[test]
fn run_is_renamed_in_place_and_back() {
    let place = two_runs();
    age(place.path(), "alpha");
    let mut dashboard = open_on_both(&place, 100);
    dashboard.press("/alpha\r");
    dashboard.press("r");
    dashboard.wait("the question", |screen| screen.contains("Name of alpha"));
    dashboard.press("\x15beta");
    dashboard.press("\r");
    dashboard.wait("the refusal", |screen| {
        screen.contains("there is a file or folder of this name already")
    });
    dashboard.press("r");
    dashboard.wait("the question", |screen| screen.contains("Name of alpha"));
    dashboard.press("\x15alpha-best\r");
    dashboard.wait("the new name", |screen| {
        screen.contains("it is called alpha-best now")
    });
    assert!(
        place
            .path()
            .join("runs/alpha-best/logs/metrics.csv")
            .exists()
    );
    dashboard.press("u");
    dashboard.wait("the old name", |screen| {
        screen.contains("it is called alpha again")
    });
    assert!(place.path().join("runs/alpha/logs/metrics.csv").exists());
}

#[test]
fn appended_row_appears_by_itself() {
    let place = two_runs();
    let mut dashboard = open_on_both(&place, 80);
    let metrics = place.path().join("runs/beta/logs/metrics.csv");
    let mut file = fs::OpenOptions::new().append(true).open(metrics).unwrap();
    file.write_all(row(3, 77.75).as_bytes()).unwrap();
    dashboard.wait("the new row", |screen| screen.contains("77.75 @3"));
}

#[test]
fn runs_that_come_and_go_do_so_on_the_screen() {
    let place = two_runs();
    let mut dashboard = Dashboard::open(&place, &[], 80, 24);
    dashboard.wait("both runs", |screen| screen.contains("2 runs"));
    foreign_run(place.path(), "gamma", &[99.5]);
    dashboard.wait("the third run", |screen| {
        screen.contains("3 runs") && screen.contains("99.50 @1")
    });
    fs::remove_dir_all(place.path().join("runs/alpha")).unwrap();
    dashboard.wait("two runs again", |screen| {
        screen.contains("2 runs") && !screen.contains("alpha")
    });
}

#[test]
fn an_empty_root_tells_what_to_do_and_a_missing_one_is_named() {
    let place = Workplace::new(UNTIL_STOPPED);
    fs::create_dir(place.path().join("empty")).unwrap();
    let mut dashboard = Dashboard::open(&place, &["empty", "nowhere"], 80, 24);
    dashboard.wait("what to do", |screen| {
        screen.contains("start a training run") && screen.contains("nowhere: cannot be searched")
    });
    // Ctrl-C leaves too.
    dashboard.press("\x03");
    assert!(dashboard.end().success());
    assert!(dashboard.left_a_sane_terminal());
}

#[test]
fn a_run_whose_process_is_killed_is_shown_as_failed_and_with_its_supervisor_as_lost() {
    let place = Workplace::new(UNTIL_STOPPED);
    let run = place.start_detached();
    run.wait_for_state("running");
    let mut dashboard = Dashboard::open(&place, &[], 80, 24);
    dashboard.wait("the run", |screen| screen.contains("● running"));
    signal("KILL", run.record()["pid"].as_u64().unwrap());
    dashboard.wait("its end", |screen| {
        screen.contains("✗ SIGKILL") && !screen.contains("1 running")
    });
    let other = place.start_detached();
    other.wait_for_state("running");
    dashboard.wait("the other", |screen| screen.contains("● running"));
    let pid = other.record()["pid"].as_u64().unwrap();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let supervisor = stat.rsplit(')').next().unwrap().split(' ').nth(2).unwrap();
    signal("KILL", supervisor.parse().unwrap());
    signal("KILL", pid);
    dashboard.wait("its loss", |screen| {
        screen.contains("? lost") && !screen.contains("1 running")
    });
}

#[test]
fn a_first_epoch_shows_the_curves_of_its_steps() {
    let place = Workplace::new(UNTIL_STOPPED);
    let logs = place.path().join("runs/young/logs");
    fs::create_dir_all(&logs).unwrap();
    fs::write(logs.join("config.json"), "{\"num_epochs\": 9}").unwrap();
    let header =
        "epoch,step,steps_per_epoch,train_loss,train_acc,learning_rate,images_per_s,time_elapsed\n";
    fs::write(
        logs.join("steps.csv"),
        format!("{header}1,10,63,2.30,11.5,0.01,900,1.5\n1,20,63,2.25,12.5,0.02,900,3.0\n"),
    )
    .unwrap();
    let mut dashboard = Dashboard::open(&place, &[], 80, 24);
    dashboard.wait("the run", |screen| screen.contains("0/9"));
    dashboard.press("\r");
    dashboard.wait("curves over steps", |screen| {
        screen.contains("Loss") && screen.contains("2.250") && has_curve(screen)
    });
    let metrics = "epoch,train_loss,val_acc\n1,1.75,40\n";
    fs::write(logs.join("metrics.csv"), metrics).unwrap();
    dashboard.wait("curves over epochs", |screen| {
        screen.contains("epochs 1/9") && screen.contains("1.750")
    });
}

#[test]
fn run_is_launched_outlives_the_dashboard_is_found_again_and_stopped() {
    let place = Workplace::new(UNTIL_STOPPED);
    let mut dashboard = Dashboard::open(&place, &[], 80, 24);
    dashboard.wait_for_no_runs();
    dashboard.open_recipes();
    dashboard.press("\r");
    dashboard.wait("the values", |screen| screen.contains("experiment_name"));
    dashboard.press("s");
    dashboard.wait("the summary", |screen| screen.contains("Start this run?"));
    dashboard.press("y");
    dashboard.wait("the run", |screen| {
        screen.contains("● running") && screen.contains("61.25 @1")
    });
    dashboard.press("q");
    assert!(dashboard.end().success());

    let mut dashboard = Dashboard::open(&place, &[], 200, 50);
    dashboard.wait("the run found again", |screen| {
        screen.contains("● running") && screen.contains("1 running")
    });
    dashboard.press("K");
    dashboard.wait("the question", |screen| screen.contains("Stop this run?"));
    dashboard.press("y");
    dashboard.wait("the stopped run", |screen| {
        screen.contains("■ stopped") && !screen.contains("1 running")
    });
}

#[test]
fn worker_that_cannot_start_leaves_its_reason_on_its_row() {
    let place = Workplace::new(
        "echo 'worker: error while loading shared libraries: libtorch_cpu.so' >&2; exit 127",
    );
    let mut dashboard = Dashboard::open(&place, &[], 200, 50);
    dashboard.wait_for_no_runs();
    dashboard.open_recipes();
    dashboard.press("s");
    dashboard.wait("the summary", |screen| screen.contains("Start this run?"));
    dashboard.press("y");
    dashboard.wait("the reason", |screen| {
        screen.contains("✗ failed")
            && screen.contains("loading shared libraries")
            && screen.contains("make setup")
    });
}

#[test]
fn hostile_names_do_not_reach_the_terminal() {
    let place = Workplace::new(UNTIL_STOPPED);
    foreign_run(place.path(), "evil\u{1b}]0;owned\u{7}name", &[50.0]);
    let mut dashboard = Dashboard::open(&place, &[], 80, 24);
    dashboard.wait("the run", |screen| screen.contains("evilname"));
    assert!(!dashboard.written.windows(5).any(|bytes| bytes == b"owned"));
}

#[test]
fn resize_draws_anew_and_sigterm_gives_the_terminal_back() {
    let place = two_runs();
    let mut dashboard = open_on_both(&place, 80);
    dashboard.resize(200, 50);
    dashboard.wait("the wide table and the preview", |screen| {
        screen.contains("TRAIN LOSS") && screen.contains("Accuracy")
    });
    dashboard.resize(60, 15);
    dashboard.wait("the narrow table", |screen| {
        !screen.contains("TRAIN LOSS") && screen.contains("alpha")
    });
    signal("TERM", dashboard.process_id().into());
    dashboard.end();
    assert!(dashboard.left_a_sane_terminal());
}

#[test]
fn ctrl_c_leaves_when_the_configuration_takes_every_other_way() {
    let place = two_runs();
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    for (keys, problem) in [
        ("quit = []", "config.toml:2: keys.quit: no key is left"),
        ("quit = \"hyper-x\"", "\"hyper-x\" is no key"),
        ("star = \"ctrl-c\"", "keys.star: Ctrl-c always leaves"),
    ] {
        fs::write(folder.join("config.toml"), format!("[keys]\n{keys}\n")).unwrap();
        let mut dashboard = Dashboard::open(&place, &[], 120, 24);
        dashboard.wait("the problem", |screen| screen.contains(problem));
        // Also out of a text that is being typed.
        dashboard.press("/al\x03");
        assert!(dashboard.end().success());
        assert!(dashboard.left_a_sane_terminal());
    }
}

#[test]
fn problem_in_the_configuration_is_reported_and_the_rest_holds() {
    let place = two_runs();
    let folder = place.path().join("config/traintop");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("config.toml"),
        "theme = \"plaid\"\ncolumns = [\"name\", \"best\"]\n",
    )
    .unwrap();
    let mut dashboard = Dashboard::open(&place, &[], 80, 24);
    dashboard.wait("the problem", |screen| {
        screen.contains("theme \"plaid\" is not known")
    });
    dashboard.wait("the columns", |screen| {
        screen.contains("BEST %") && !screen.contains("EPOCHS")
    });
}

#[test]
fn a_path_is_copied_through_the_terminal_and_the_table_is_written_to_a_file() {
    let place = two_runs();
    let mut dashboard = open_on_both(&place, 80);
    dashboard.press("y");
    dashboard.wait("what can be copied", |screen| {
        screen.contains("Markdown row") && screen.contains("command: figures")
    });
    dashboard.press("\r");
    dashboard.wait("what was copied", |screen| {
        screen.contains("sent to the clipboard")
    });
    let written = String::from_utf8_lossy(&dashboard.written).into_owned();
    assert!(written.contains("\x1b]52;c;"), "no sequence was sent");
    dashboard.press("W");
    dashboard.wait("what can be written", |screen| {
        screen.contains("curves, latex")
    });
    dashboard.press("\r");
    dashboard.wait("where it is", |screen| screen.contains("2 rows are in"));
    let files = fs::read_dir(place.path()).unwrap().flatten();
    let names: Vec<_> = files
        .map(|file| file.file_name().into_string().unwrap())
        .collect();
    let name = names
        .iter()
        .find(|name| name.starts_with("traintop-runs-"))
        .unwrap();
    let text = fs::read_to_string(place.path().join(name)).unwrap();
    assert!(
        text.starts_with("name,path,state") && text.lines().count() == 3,
        "{text}"
    );
}

#[test]
fn charts_are_smoothed_and_looked_closer_at_and_the_settings_are_found_again() {
    let place = two_runs();
    let rising: Vec<f64> = (0..40).map(|epoch| 40.0 + f64::from(epoch)).collect();
    foreign_run(place.path(), "gamma", &rising);
    let open = |dashboard: &mut Dashboard| {
        dashboard.wait("the runs", |screen| screen.contains("gamma"));
        // The query of before is still there: the line is emptied first.
        dashboard.press("/\x15gamma\r\r");
        dashboard.wait("the curves", |screen| {
            screen.contains("1 Charts") && screen.contains("val_loss")
        });
    };
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    open(&mut dashboard);
    dashboard.press("sso");
    dashboard.wait("the settings", |screen| {
        screen.contains("log y, smooth 0.6")
    });
    dashboard.press("+");
    dashboard.wait("a part", |screen| screen.contains("zoomed"));
    // The wheel over a chart shows more again, twice as much each time and around the pointer.
    dashboard.press("\x1b[<65;40;8M\x1b[<65;40;8M");
    dashboard.wait("the whole", |screen| !screen.contains("zoomed"));
    dashboard.press("\x1bq");
    drop(dashboard);
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    open(&mut dashboard);
    dashboard.wait("the settings again", |screen| {
        screen.contains("log y, smooth 0.6")
    });
}
