//! When a run is reported as hopeless, and when not.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;
use std::time::SystemTime;
use traintop_run::found::Found;
use traintop_run::metric_names::Direction;
use traintop_run::metrics::{Column, Metrics};

/// A run of 40 epochs that has done `epochs` of them and whose accuracy nears this value, with
/// these settings.
fn run(name: &str, epochs: u32, nears: f64, settings: &[(&str, &str)]) -> (Summary, BestSoFar) {
    let x: Vec<f64> = (1..=epochs).map(f64::from).collect();
    let y: Vec<f64> = x
        .iter()
        .map(|epoch| nears * (1.0 - (-epoch / 10.0).exp()))
        .collect();
    let metrics = Metrics {
        x_name: "epoch".to_owned(),
        columns: [("epoch", x.clone()), ("val_acc", y)]
            .map(|(name, y)| Column {
                name: name.to_owned(),
                x: x.clone(),
                y,
            })
            .to_vec(),
        rows: epochs as usize,
        ..Metrics::default()
    };
    let found = Found::look(RunDir::new(format!("/runs/{name}")));
    let mut summary = Summary::of(&found, &metrics, None, SystemTime::UNIX_EPOCH);
    summary.epochs_planned = Some(40);
    summary.observed.state = if epochs == 40 {
        State::Finished
    } else {
        State::Running
    };
    let pairs = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    summary.settings = pairs.collect();
    (summary, BestSoFar::of(&metrics).unwrap())
}

/// Twelve runs of one recipe that ended between 80 and 91, and one that trains.
fn among_twelve(nears: f64, epochs: u32, lr: &str) -> Option<String> {
    let mut all: Vec<(Summary, BestSoFar)> = (0..12)
        .map(|seed| {
            let text = seed.to_string();
            run(
                &text,
                40,
                80.0 + f64::from(seed),
                &[
                    ("max_lr", "0.1"),
                    ("seed", &text),
                    ("data_dir", "cifar"),
                    ("num_epochs", "40"),
                ],
            )
        })
        .collect();
    all.push(run(
        "now",
        epochs,
        nears,
        &[
            ("max_lr", lr),
            ("seed", "99"),
            ("data_dir", "cifar"),
            ("num_epochs", "40"),
        ],
    ));
    let question = Question::of(&all[12].0, all.iter().map(|(summary, _)| summary))?;
    let curves: HashMap<RunDir, BestSoFar> = all
        .into_iter()
        .map(|(summary, course)| (summary.dir, course))
        .collect();
    question
        .answer(|dir| curves.get(dir).cloned())
        .map(|finding| finding.text)
}

#[test]
fn a_run_far_behind_says_so_with_what_that_rests_on() {
    assert_eq!(
        among_twelve(60.0, 12, "0.1").unwrap(),
        "hopeless: behind 12 of 12 earlier runs of its recipe at epoch 12 (best so far 41.93, theirs in the middle 59.75); of the 4 that were \
         furthest behind then none ended above their middle: odds about 1 in 6 (rank correlation 1.00)"
    );
    assert_eq!(among_twelve(85.0, 12, "0.1"), None);
    assert_eq!(
        among_twelve(81.5, 12, "0.1"),
        None,
        "behind most is not behind nearly all"
    );
    let wider = among_twelve(60.0, 12, "0.7").unwrap();
    assert!(
        wider.contains("earlier runs of the same data, network and length at epoch 12"),
        "{wider}"
    );
}

#[test]
fn milestones_are_twentieths_between_a_tenth_and_three_quarters() {
    let at = |epochs| milestone(&run("a", epochs, 80.0, &[]).0);
    assert_eq!(
        [1, 3, 4, 5, 6, 30, 31, 40].map(at),
        [None, None, Some(2), Some(2), Some(3), Some(15), None, None]
    );
}

#[test]
fn few_runs_and_ends_that_nothing_foretold_say_nothing() {
    let pairs =
        |count: usize| -> Vec<(f64, f64)> { (0..count).map(|at| (at as f64, at as f64)).collect() };
    assert_eq!(prognosis(-1.0, &pairs(7), Direction::Higher), None);
    assert!(
        prognosis(-1.0, &pairs(8), Direction::Higher)
            .unwrap()
            .is_hopeless()
    );
    // Those that were behind then came out ahead.
    let crossed: Vec<(f64, f64)> = (0..12).map(|at| (f64::from(at), -f64::from(at))).collect();
    assert!(
        !prognosis(-1.0, &crossed, Direction::Higher)
            .unwrap()
            .is_hopeless()
    );
    // Of a loss less is better.
    let losses: Vec<(f64, f64)> = (1..=12)
        .map(|at| (f64::from(at), f64::from(at) / 2.0))
        .collect();
    assert!(
        prognosis(20.0, &losses, Direction::Lower)
            .unwrap()
            .is_hopeless()
    );
    assert!(
        !prognosis(0.5, &losses, Direction::Lower)
            .unwrap()
            .is_hopeless()
    );
}

proptest! {
    /// Against plain loops.
    #[test]
    fn counts_are_those_of_plain_loops(earlier in proptest::collection::vec((0u8..40, 0u8..40), 8..40), standing in 0u8..40, rises in any::<bool>()) {
        let standing = f64::from(standing);
        let earlier: Vec<(f64, f64)> = earlier.iter().map(|(a, b)| (f64::from(*a), f64::from(*b))).collect();
        let beats = |a: f64, b: f64| if rises { a > b } else { a < b };
        let Some(found) = prognosis(standing, &earlier, if rises { Direction::Higher } else { Direction::Lower }) else {
            return Ok(());
        };
        let mut behind = 0;
        for (then, _) in &earlier {
            behind += usize::from(beats(*then, standing));
        }
        prop_assert_eq!((found.behind, found.of), (behind, earlier.len()));
        let mut ends: Vec<f64> = earlier.iter().map(|(_, end)| *end).collect();
        ends.sort_by(f64::total_cmp);
        let middle = f64::midpoint(ends[(ends.len() - 1) / 2], ends[ends.len() / 2]);
        // Of runs that stood alike any may be among the furthest: between the fewest and the most
        // that came back.
        let mut order = earlier.clone();
        let key = |then: f64| if rises { then } else { -then };
        order.sort_by(|a, b| key(a.0).total_cmp(&key(b.0)));
        let (edge, furthest) = (order[found.furthest - 1].0, found.furthest);
        prop_assert_eq!(furthest, earlier.len().div_ceil(3).max(4));
        let came_back = |it: &&(f64, f64)| beats(it.1, middle);
        let surely = order.iter().filter(|it| beats(edge, it.0)).filter(came_back).count();
        let perhaps = order.iter().filter(|it| it.0 == edge).filter(came_back).count();
        prop_assert!((surely..=surely + perhaps).contains(&found.recovered));
        prop_assert!(found.chance() > 0.0 && found.chance() < 1.0);
    }

    /// A run drawn like all others is seldom called hopeless, though it is looked at all along.
    #[test]
    fn of_equals_hardly_any_is_called_hopeless(seed in 0u64..1) {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ seed;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut called = 0;
        for _ in 0..1000 {
            // A run's quality is half of its rank now and half of its end; the rest is chance.
            let mut one = || {
                let kind = random();
                (kind + random(), kind + random())
            };
            let earlier: Vec<(f64, f64)> = (0..12).map(|_| one()).collect();
            let found = prognosis(one().0, &earlier, Direction::Higher).unwrap();
            called += u32::from(found.is_hopeless());
        }
        prop_assert!(called < 50, "{called} of 1000");
    }
}
