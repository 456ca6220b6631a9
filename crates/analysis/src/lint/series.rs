//! What looks wrong along one run.

use super::Finding;
use crate::grouping::identity;
use traintop_recipe::{LrSchedule, Recipe, Schedule};
use traintop_run::best_and_trend::is_placed_by_epoch;
use traintop_run::metric_names::{ACCURACY, LOSS, Split};
use traintop_run::metrics::{Column, Metrics};
use traintop_run::settings::Settings;

/// This number of epochs in a row with the same validation loss is no chance.
const FROZEN: usize = 5;
/// Of the highest rate: so far from its schedule a rate may be, for what rounding and partial
/// epochs do.
const RATE_TOLERANCE: f64 = 0.03;
/// Longer schedules are not computed: a configuration may claim any number of epochs.
const MAX_EPOCHS: u32 = 100_000;
/// A jump of the clock is this many times longer than an epoch takes, and at least an hour.
const JUMP: f64 = 50.0;

fn accuracies(metrics: &Metrics) -> impl Iterator<Item = &Column> {
    let is = |column: &&Column| identity(&column.name).1 == ACCURACY;
    metrics.columns.iter().filter(is)
}

/// A validation that gives the same loss again and again is one that does not see the network
/// change.
pub fn frozen_validation(metrics: &Metrics) -> Option<Finding> {
    let is = |column: &&Column| {
        let (split, title) = identity(&column.name);
        split == Some(Split::Validation) && title == LOSS
    };
    let loss = metrics.columns.iter().find(is)?;
    let mut start = 0;
    for at in 1..=loss.y.len() {
        let same = loss.y.get(at).is_some_and(|value| *value == loss.y[start]);
        if !same && at - start >= FROZEN {
            let (name, from, to) = (&loss.name, loss.x[start], loss.x[at - 1]);
            let text = format!(
                "{name} is exactly the same from {from} to {to}: is it measured on the network that trains?"
            );
            return Some(Finding::new("frozen_validation", text));
        }
        start = if same { start } else { at };
    }
    None
}

/// Epochs that are not there, where nearly all are.
pub fn missing_epochs(metrics: &Metrics) -> Option<Finding> {
    let column = metrics.columns.iter().max_by_key(|column| column.x.len())?;
    let gaps: Vec<(f64, f64)> = column.x.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let is_epoch = is_placed_by_epoch(metrics);
    let regular = gaps.iter().filter(|(from, to)| to - from == 1.0).count();
    if !is_epoch || gaps.len() < 5 || regular * 10 < gaps.len() * 9 {
        return None;
    }
    let (from, to) = gaps.iter().find(|(from, to)| to - from >= 2.0)?;
    let text = match to - from {
        2.0 => format!("epoch {} is missing", from + 1.0),
        _ => format!("epochs {} to {} are missing", from + 1.0, to - 1.0),
    };
    Some(Finding::new("missing_epochs", text))
}

/// Epochs that are there more than once and do not say the same, where most are there once.
pub fn duplicate_epochs(metrics: &Metrics) -> Option<Finding> {
    let (first, more) = metrics.repeated.split_first()?;
    let most = metrics.columns.iter().map(|column| column.x.len()).max();
    let is_epoch = is_placed_by_epoch(metrics);
    if !is_epoch || metrics.repeated.len() * 2 > most.unwrap_or(0) {
        return None;
    }
    let which = match more {
        [] => format!("epoch {first} is"),
        [second] => format!("epochs {first} and {second} are"),
        [.., last] => format!("{} epochs from {first} to {last} are", more.len() + 1),
    };
    let text = format!("{which} there more than once, with other values; the later row counts");
    Some(Finding::new("duplicate_epochs", text))
}

/// Accuracies of which some are percent and some parts of one.
pub fn mixed_scales(metrics: &Metrics) -> Option<Finding> {
    let is_hundredfold =
        |small: f64, large: f64| small <= 1.0 && (50.0..200.0).contains(&(large / small));
    for column in accuracies(metrics) {
        let mut pairs = column.y.windows(2);
        let is_jump = |pair: &[f64]| {
            is_hundredfold(pair[0], pair[1]) && pair[0] > 0.2
                || is_hundredfold(pair[1], pair[0]) && pair[1] > 0.2
        };
        if let Some(at) = pairs.position(is_jump) {
            let (name, x) = (&column.name, column.x[at + 1]);
            let text = format!("{name} changes between percent and parts of one at {x}");
            return Some(Finding::new("mixed_scales", text));
        }
    }
    let highest = |column: &Column| {
        let finite = column.y.iter().copied().filter(|value| value.is_finite());
        finite.reduce(f64::max).filter(|_| column.y.len() > 2)
    };
    let small = accuracies(metrics).filter_map(|column| Some((column, highest(column)?)));
    for (small, low) in small.filter(|(_, low)| (0.2..=1.0).contains(low)) {
        let is = |column: &&Column| highest(column).is_some_and(|high| is_hundredfold(low, high));
        if let Some(large) = accuracies(metrics).find(is) {
            let text = format!(
                "{} is in parts of one and {} in percent",
                small.name, large.name
            );
            return Some(Finding::new("mixed_scales", text));
        }
    }
    None
}

/// A clock that goes back, or stops for hours while no epoch ends.
pub fn clock_jump(metrics: &Metrics) -> Option<Finding> {
    let clock = metrics.column("time_elapsed")?;
    let mut steps: Vec<f64> = clock.y.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let is_seam = |at: usize| metrics.seams.contains(&clock.x[at + 1]);
    let odd = |usual: f64| {
        clock.y.windows(2).enumerate().find_map(|(at, pair)| {
            let step = pair[1] - pair[0];
            let is_odd = step < 0.0 || step > JUMP * usual && step > 3600.0;
            (is_odd && !is_seam(at)).then_some((clock.x[at + 1], step))
        })
    };
    steps.sort_by(f64::total_cmp);
    let (x, step) = odd(*steps.get(steps.len() / 2)?)?;
    let text = if step < 0.0 {
        format!("the clock goes back by {:.0} s at {x}", -step)
    } else {
        format!(
            "{:.1} h passed before {x}: was the machine asleep, or the clock set?",
            step / 3600.0
        )
    };
    Some(Finding::new("clock_jump", text))
}

/// A learning rate that is not the one its settings ask for.
pub fn off_schedule(metrics: &Metrics, settings: &Settings) -> Option<Finding> {
    let rates = metrics.column("learning_rate")?;
    if metrics.x_name != "epoch" || rates.x.first() != Some(&1.0) {
        return None;
    }
    let text = |key: &str| {
        let mut pairs = settings.pairs();
        pairs
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value)
    };
    let number = |key: &str| text(key)?.parse::<f64>().ok();
    let count = |key: &str| text(key)?.parse::<u32>().ok();
    let lr_schedule: LrSchedule = text("lr_schedule")?.parse().ok()?;
    let is_one_cycle = lr_schedule == LrSchedule::OneCycle;
    let recipe = Recipe {
        num_epochs: count("num_epochs").filter(|epochs| (1..=MAX_EPOCHS).contains(epochs))?,
        warmup_epochs: count("warmup_epochs").unwrap_or(0),
        learning_rate: number("learning_rate")?,
        max_lr: number("max_lr").or_else(|| (!is_one_cycle).then_some(1.0))?,
        lr_schedule,
        ..Recipe::default()
    };
    // How many steps an epoch has is not known; it moves the rates by less than a step's worth.
    let possible = [1, 2, 3, 4, 4000].map(|steps| Schedule::new(&recipe, steps).after_each_epoch());
    let highest = if is_one_cycle {
        recipe.max_lr
    } else {
        recipe.learning_rate
    };
    let room = RATE_TOLERANCE * highest;
    let [.., few, many] = &possible;
    let steepest = few
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .fold(0.0, f64::max);
    let (x, rate, asked) = rates.x.iter().zip(&rates.y).find_map(|(x, rate)| {
        let at = (*x as usize).checked_sub(1)?;
        let asked = *many.get(at)?;
        let at_epoch = possible.iter().map(|rates| rates[at]);
        let (lowest, highest) = at_epoch.fold((asked, asked), |(low, high), rate| {
            (low.min(rate), high.max(rate))
        });
        // Some write the rate of an epoch's first step, others that of its last.
        let (low, high) = (lowest - room - steepest, highest + room + steepest);
        (!(low..=high).contains(rate)).then_some((*x, *rate, asked))
    })?;
    let (rate, asked) = (
        traintop_text::number(rate, 3),
        traintop_text::number(asked, 3),
    );
    let text = format!(
        "learning_rate is {rate} at epoch {x}, where {lr_schedule} with these settings is at {asked}"
    );
    Some(Finding::new("off_schedule", text))
}
