//! Evaluations on the screen, from folders that are made here and from a script as the worker.

use std::fs;
use std::path::{Path, PathBuf};

use traintop_run::evaluation::{
    Accuracy, Class, Data, Evaluated, EvaluationDir, Images, Logits, Results, RunReference,
};

use crate::dashboard::{age, foreign_run};
use crate::fake_worker::{Workplace, script};
use crate::pty::Dashboard;

/// What a class is called that wants to steer the terminal.
const HOSTILE: &str = "cat\u{1b}]0;owned\u{7}\u{1b}[2J";

/// An evaluation of a run of two classes and four images, of which the second is taken for the
/// other class.
fn evaluation(place: &Path, run: &str, name: &str, views: u32, wrong: &[usize]) -> PathBuf {
    let root = place.canonicalize().unwrap().join("runs");
    let dir = EvaluationDir::new(root.join("evaluations").join(name));
    fs::create_dir_all(dir.path()).unwrap();
    let labels = [0_usize, 1, 0, 1];
    let predicted: Vec<usize> = (0..4)
        .map(|at| {
            if wrong.contains(&at) {
                1 - labels[at]
            } else {
                labels[at]
            }
        })
        .collect();
    let correct = (4 - wrong.len()) as u64;
    let mut confusion = vec![vec![0; 2]; 2];
    for (label, predicted) in labels.iter().zip(&predicted) {
        confusion[*label][*predicted] += 1;
    }
    let percent = 25.0 * correct as f64;
    let class = |(class, name): (usize, &str)| Class {
        name: name.to_owned(),
        images: 2,
        correct: confusion[class][class],
        recall: Some(confusion[class][class] as f64 / 2.0),
        ..Class::default()
    };
    let names = [HOSTILE, "dog"];
    let results = Results {
        id: name.to_owned(),
        started_at: Some(jiff::Timestamp::now()),
        data: Data {
            path: "made here".to_owned(),
            split: "test".to_owned(),
            sha256: "5a".repeat(32),
            images: 4,
            ..Data::default()
        },
        checkpoints: vec![Evaluated {
            path: Some(root.join(run).join("best.pth")),
            which: "best".to_owned(),
            run: Some(RunReference {
                id: None,
                path: Some(root.join(run)),
                name: Some(run.to_owned()),
            }),
            ..Evaluated::default()
        }],
        views,
        accuracy: Some(Accuracy {
            percent,
            correct,
            total: 4,
            low: percent / 2.0,
            high: 99.0,
        }),
        per_class: names.into_iter().enumerate().map(class).collect(),
        classes: names.map(str::to_owned).to_vec(),
        confusion,
        ..Results::default()
    };
    let logits = Logits {
        ids: vec![0, 1, 2, 3],
        classes: 2,
        logits: predicted
            .iter()
            .flat_map(|predicted| [2.0 - *predicted as f32, 2.0 * *predicted as f32])
            .collect(),
        labels: Some(labels.map(|label| label as i64).to_vec()),
    };
    let images = Images {
        ids: wrong.iter().map(|at| *at as i64).collect(),
        height: 2,
        width: 2,
        pixels: vec![200; 12 * wrong.len()],
    };
    logits.save(&dir).unwrap();
    images.save(&dir).unwrap();
    results.save(&dir).unwrap();
    dir.path().to_owned()
}

fn two_runs() -> Workplace {
    let place = Workplace::new("");
    for (name, accuracy) in [("alpha", 61.5), ("beta", 30.0)] {
        foreign_run(place.path(), name, &[accuracy]);
        age(place.path(), name);
        fs::write(
            place.path().join("runs").join(name).join("best.pth"),
            "weights",
        )
        .unwrap();
    }
    place
}

#[test]
fn results_are_listed_opened_and_compared_and_no_class_steers_the_terminal() {
    let place = two_runs();
    evaluation(place.path(), "alpha", "first", 1, &[0, 1]);
    evaluation(place.path(), "alpha", "second", 8, &[1]);
    let run = &place.json(&["show", "alpha", "--json"])["evaluation"];
    assert_eq!((&run["accuracy"], &run["views"]), (&75.0.into(), &8.into()));
    let runs = place.json(&["list", "--json"]);
    let evaluated = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| !run["evaluation"].is_null());
    assert_eq!(evaluated.filter(|is_evaluated| *is_evaluated).count(), 1);
    assert!(place.stdout(&["show", "alpha"]).contains("75.00 % on test"));
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the best evaluation in the run's row", |screen| {
        screen.contains("TEST %") && screen.contains("75.00 ×8")
    });
    dashboard.press("/alpha\rE");
    dashboard.wait("the list", |screen| {
        screen.contains("of alpha  2 evaluations")
    });
    dashboard.press("sssss\r");
    dashboard.wait("the result", |screen| {
        screen.contains("3 of 4 are right: 75.00 %") && screen.contains("1 of 2")
    });
    dashboard.press("2\r");
    dashboard.wait("the images of the matrix's worst cell", |screen| {
        screen.contains("dog → cat") && screen.contains("image 1") && screen.contains('▀')
    });
    dashboard.press("\x1b");
    dashboard.wait("the matrix", |screen| screen.contains("are taken for cat"));
    dashboard.press("\x1b");
    dashboard.wait("the list", |screen| {
        screen.contains("of alpha  2 evaluations")
    });
    dashboard.press("c");
    dashboard.wait("both side by side", |screen| {
        screen.contains("+25.00") && screen.contains("only B about 1")
    });
    dashboard.press("q");
    dashboard.wait("the list", |screen| {
        screen.contains("of alpha  2 evaluations")
    });
    dashboard.press("qq");
    assert!(dashboard.end().success());
    let written = String::from_utf8_lossy(&dashboard.written).into_owned();
    assert!(
        !written.contains("owned"),
        "a class's name reached the terminal"
    );
    assert!(dashboard.left_a_sane_terminal());
}

#[test]
fn an_evaluation_that_appears_is_shown_and_can_be_renamed_and_noted() {
    let place = two_runs();
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    dashboard.wait("both runs", |screen| {
        screen.contains("61.50 @1") && screen.contains("30.00 @1")
    });
    dashboard.press("/beta\rE");
    dashboard.wait("that there is none", |screen| {
        screen.contains("No evaluations yet")
    });
    let folder = evaluation(place.path(), "beta", "third", 1, &[2]);
    dashboard.wait("it by itself", |screen| {
        screen.contains("1 evaluation") && screen.contains("75.00")
    });
    dashboard.press("r\x15kept\r");
    dashboard.wait("its new name", |screen| {
        screen.contains("it is called kept now")
    });
    assert!(!folder.exists() && folder.with_file_name("kept").join("summary.json").exists());
    dashboard.press("u");
    dashboard.wait("its old name", |screen| {
        screen.contains("it is called third again")
    });
    dashboard.press("mworth keeping\x13");
    crate::fake_worker::wait_for("the note", || {
        fs::read_to_string(folder.join("notes.toml"))
            .is_ok_and(|text| text.contains("worth keeping"))
    });
}

#[test]
fn marked_evaluations_go_to_the_trash_and_come_back() {
    let place = two_runs();
    let folders =
        ["first", "second", "third"].map(|name| evaluation(place.path(), "alpha", name, 1, &[0]));
    let mut dashboard = Dashboard::open(&place, &[], 100, 24);
    dashboard.wait("the best evaluation in the run's row", |screen| {
        screen.contains("75.00")
    });
    dashboard.press("/alpha\rE");
    dashboard.wait("the list", |screen| {
        screen.contains("of alpha  3 evaluations")
    });
    dashboard.press("  D");
    dashboard.wait("the question", |screen| {
        screen.contains("Remove 2 evaluations?") && screen.contains("the run and its")
    });
    dashboard.press("\x1b");
    dashboard.wait("the list again", |screen| !screen.contains("Remove 2"));
    assert!(folders.iter().all(|folder| folder.exists()));
    dashboard.press("Dy");
    dashboard.wait("the one that stays", |screen| {
        screen.contains("of alpha  1 evaluation ") && screen.contains("u undoes that")
    });
    assert_eq!(folders.iter().filter(|folder| folder.exists()).count(), 1);
    dashboard.press("u");
    dashboard.wait("all of them", |screen| {
        screen.contains("of alpha  3 evaluations")
    });
    assert!(
        folders
            .iter()
            .all(|folder| folder.join("summary.json").exists())
    );
}

/// A worker that evaluates: says how far it is, and leaves a folder that was made before.
const EVALUATES: &str = r#"
tree="$PWD/runs/evaluations"
mkdir -p "$tree/.made.tmp"
printf '{"name": "made", "host": "", "boot_id": "", "pid": 0, "pid_started": 0, "checkpoints": [], "started_at": "2026-11-24T10:00:00Z",
 "updated_at": "2026-11-24T10:00:00Z", "images_done": 30, "images_total": 40}' > "$tree/.made.tmp/progress.json"
[ -e fail ] && { rm -r "$tree/.made.tmp"; echo 'best.pth: holds no weights; choose another file' >&2; exit 1; }
dir=$PWD; while keeps_running && [ ! -e go ]; do sleep 0.02; done
rm -r "$tree/.made.tmp"
mv made "$tree/made"
echo "{\"path\": \"$tree/made\"}"
"#;

#[test]
fn an_evaluation_is_started_followed_and_opened_and_a_failure_says_why() {
    let place = two_runs();
    let worker = fs::read_to_string(place.path().join("worker.sh")).unwrap();
    script(
        &place.path().join("worker.sh"),
        &format!("{worker}{EVALUATES}"),
    );
    let made = evaluation(place.path(), "alpha", "made", 8, &[1]);
    fs::rename(made, place.path().join("made")).unwrap();
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("both runs", |screen| {
        screen.contains("61.50 @1") && screen.contains("30.00 @1")
    });
    fs::write(place.path().join("fail"), "").unwrap();
    dashboard.press("/alpha\re");
    dashboard.wait("the form", |screen| screen.contains("Evaluate alpha"));
    dashboard.press("\r");
    dashboard.wait("the worker's sentence", |screen| {
        screen.contains("the evaluation failed: best.pth: holds no weights")
    });
    fs::remove_file(place.path().join("fail")).unwrap();
    dashboard.press("a");
    dashboard.press("e");
    dashboard.wait("the form", |screen| screen.contains("Evaluate alpha"));
    dashboard.press("\r");
    dashboard.wait("its progress", |screen| screen.contains("75 %"));
    fs::write(place.path().join("go"), "").unwrap();
    dashboard.wait("what came out, by itself", |screen| {
        screen.contains("3 of 4 are right: 75.00 %")
    });
}

#[test]
fn pictures_in_the_terminals_own_graphics_come_and_go_with_their_screen() {
    let place = two_runs();
    evaluation(place.path(), "alpha", "first", 1, &[0, 1]);
    let config = place.path().join("config/traintop");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.toml"), "images = \"kitty\"\n").unwrap();
    let mut dashboard = Dashboard::open(&place, &[], 100, 30);
    dashboard.wait("the evaluation in the run's row", |screen| {
        screen.contains("50.00")
    });
    dashboard.press("/alpha\rE");
    dashboard.wait("the list", |screen| {
        screen.contains("of alpha  1 evaluation")
    });
    dashboard.press("\r");
    dashboard.wait("the result", |screen| screen.contains("2 of 4 are right"));
    dashboard.press("4");
    dashboard.wait("the images", |screen| {
        screen.contains("image 0") && screen.contains("image 1") && !screen.contains('▀')
    });
    dashboard.press("\x1b");
    dashboard.wait("the list", |screen| {
        screen.contains("of alpha  1 evaluation")
    });
    let written = String::from_utf8_lossy(&dashboard.written).into_owned();
    let shown = written.matches("\x1b_Ga=T,q=2,C=1,f=24,").count();
    assert_eq!(shown, 2);
    let last_shown = written.rfind("\x1b_Ga=T").unwrap();
    assert!(
        written
            .rfind("\x1b_Ga=d,d=A")
            .is_some_and(|gone| gone > last_shown)
    );
}
