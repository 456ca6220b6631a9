//! The machine's overlay, a run's own line, and when anything is measured at all.

use super::super::run::tests::summary;
use super::super::runs::tests::{dir, listed};
use super::super::test_driver::{press, screen};
use super::*;
use crate::effect::Effect;
use crate::message::Message;
use crate::state::State;
use crate::update::update;
use traintop_run::health::Disk;

const GB: u64 = 1_000_000_000;

fn sampled_usage(dirs: Vec<RunDir>, step: u32) -> SampledUsage {
    let gpu = |index: u32, used: u64, load: Option<u32>| Gpu {
        index,
        uuid: format!("GPU-{index}"),
        name: "NVIDIA H100 80GB HBM3".to_owned(),
        memory: 85 * GB,
        memory_used: used * GB,
        load,
        temperature: Some(61),
        power: Some(402.4),
        ..Gpu::default()
    };
    let usage = |number: usize| Usage {
        cpu: 50.0 * step as f32,
        memory: (number as u64 + 1) * GB + GB / 5,
        gpus: vec![GpuShare {
            index: 0,
            load: Some(20 * step),
            memory: Some(12 * GB),
            of: 85 * GB,
        }],
    };
    let processes = (0..dirs.len()).map(|number| (number < 2).then(|| usage(number)));
    SampledUsage {
        host: "node7\x1b[31m".to_owned(),
        reading: Reading {
            cores: 64,
            cpu: 20.0 * step as f32,
            memory: 540 * GB,
            memory_used: 100 * u64::from(step) * GB,
            gpus: vec![gpu(0, 13, Some(20 * step)), gpu(1, 83, None)],
            processes: processes.collect(),
        },
        dirs,
        disks: vec![(
            "/home/ada/experiments/cifar/runs".into(),
            Disk {
                id: 1,
                free: 9 * GB,
                total: 252 * GB,
            },
        )],
    }
}

pub(in crate::view) fn feed(state: &mut State, steps: std::ops::Range<u32>) {
    for step in steps {
        let dirs = state.sampled_usage.clone().unwrap();
        let now = state.context.now;
        let message = Message::UsageSampled(Box::new(sampled_usage(dirs, step)));
        assert_eq!(update(state, now, message), []);
    }
}

fn orders(effects: Vec<Effect>) -> Vec<Option<Vec<RunDir>>> {
    let orders = effects.into_iter().filter_map(|effect| match effect {
        Effect::SampleUsage(dirs) => Some(dirs),
        _ => None,
    });
    orders.collect()
}

#[test]
fn the_machine_and_its_runs_are_shown() {
    let all = [(80, 24), (200, 50)].map(|(width, height)| {
        let mut state = listed(width, height);
        let ordered = orders(press(&mut state, "i"));
        assert_eq!(ordered, [Some(vec![dir("lively")])]);
        assert!(screen(&state).contains("measuring"));
        feed(&mut state, 1..5);
        screen(&state)
    });
    insta::assert_snapshot!(all.join("\n=====\n"));
}

#[test]
fn nothing_is_measured_unless_it_is_looked_at() {
    let mut state = listed(80, 24);
    press(&mut state, "i");
    assert_eq!(orders(press(&mut state, "j")), []);
    assert_eq!(orders(press(&mut state, "i")), [None]);
    assert_eq!(state.sampled_usage, None);
    // A run that has ended uses nothing.
    assert_eq!(orders(press(&mut state, "j\n")), []);
    press(&mut state, "q");
    press(&mut state, "k");
    assert_eq!(orders(press(&mut state, "\n")), [Some(vec![dir("lively")])]);
    assert_eq!(orders(press(&mut state, "q")), [None]);
}

#[test]
fn a_run_at_work_says_what_it_uses_until_it_ends() {
    let mut state = listed(80, 24);
    press(&mut state, "\n");
    feed(&mut state, 1..5);
    let row = |state: &State| {
        let screen = screen(state);
        screen
            .lines()
            .find(|line| line.starts_with("CPU "))
            .map(str::to_owned)
    };
    insta::assert_snapshot!(row(&state).unwrap(), @"CPU ▃▅▇█ 200 %  memory ████ 1.20 GB  GPU 0 ▂▄▅▇ 80 %, 12.0 of 85.0 GB");
    let found = state
        .context
        .runs
        .row(&dir("lively"))
        .unwrap()
        .found
        .clone();
    let mut ended = summary(traintop_run::state::State::Finished);
    ended.dir = dir("lively");
    let now = state.context.now;
    let effects = update(&mut state, now, Message::Summarised(vec![(found, ended)]));
    assert_eq!(orders(effects), [None]);
    assert_eq!(row(&state), None);
}

#[test]
fn it_fits_any_screen() {
    for (width, height) in [(1, 1), (10, 3), (30, 8), (40, 12), (60, 2)] {
        let mut state = listed(width, height);
        press(&mut state, "i");
        feed(&mut state, 1..3);
        screen(&state);
        press(&mut state, "jjkGg");
        screen(&state);
    }
}
