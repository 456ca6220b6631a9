//! `traintop recipe FILE`: every value that a recipe resolves to, and what follows from them. As
//! text it is itself a recipe.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::summary_json;
use traintop_recipe as recipe;
use traintop_recipe::{FIELDS, Recipe, Schedule, Value, network};
use traintop_text::{clean, count, number, pretty_json};

/// Beyond any data set, and so low that steps and parameters can be counted.
const MAX_IMAGES: u64 = 1_000_000_000_000;
const MAX_CLASSES: u64 = 1_000_000_000;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A recipe's file, or the name of one that comes with the program, such as quick
    recipe: PathBuf,
    /// Replace a value of the recipe; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = recipe::parse_override)]
    set: Vec<(String, String)>,
    /// Training images of the data set, from which the steps of an epoch follow [default: the
    /// synthetic set's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_IMAGES))]
    images: Option<u64>,
    /// Classes of the data set
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=MAX_CLASSES))]
    classes: u64,
    /// Print everything as JSON, with the learning rate after each epoch
    #[arg(long)]
    json: bool,
}

/// What follows from a recipe's values and the data set's size.
struct Derived {
    parameters: u64,
    /// Training images and steps of an epoch, where the number of images is known.
    epoch: Option<(u64, u64)>,
    /// After each epoch's last step; empty where the steps are not known.
    learning_rate: Vec<f64>,
}

impl Derived {
    fn of(recipe: &Recipe, arguments: &Arguments) -> Self {
        let images = arguments.images.or_else(|| recipe.known_train_images());
        let images = images.map(|images| recipe.used_train_images(images));
        let epoch = images.map(|images| (images, recipe.steps_per_epoch(images)));
        let rates = |steps| Schedule::new(recipe, steps).after_each_epoch();
        Self {
            parameters: network::parameters(recipe, arguments.classes),
            epoch,
            learning_rate: epoch.map_or_else(Vec::new, |(_, steps)| rates(steps)),
        }
    }
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let recipe = recipe::load(&arguments.recipe)?.with_overrides(&arguments.set)?;
    let derived = Derived::of(&recipe, arguments);
    if arguments.json {
        let (images, steps) = derived.epoch.unzip();
        let rates = derived
            .learning_rate
            .iter()
            .copied()
            .map(summary_json::number);
        let json = json!({
            "recipe": Json::Object(recipe.to_json()),
            "classes": arguments.classes,
            "parameters": derived.parameters,
            "train_images": images,
            "steps_per_epoch": steps,
            "learning_rate": steps.map(|_| rates.collect::<Vec<_>>()),
        });
        writeln!(out, "{}", pretty_json(&json)?)?;
    } else {
        print(&recipe, out)?;
        explain(&recipe, &derived, arguments.classes, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The values as a recipe's file holds them, each with what it means.
fn print(recipe: &Recipe, out: &mut dyn Write) -> Result<()> {
    let mut group = "";
    for field in FIELDS {
        if field.group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            group = field.group;
            writeln!(out, "{gap}# {group}")?;
        }
        let value = match recipe.get(field.key) {
            // The text passed the schema's check, so it holds no control characters but may hold
            // others that mislead.
            Some(Value::Text(text)) => toml::Value::String(clean(&text).into_owned()).to_string(),
            Some(value) => value.to_string(),
            None => continue,
        };
        let setting = format!("{} = {value}", field.key);
        writeln!(out, "{setting:<36} # {}", field.description)?;
    }
    Ok(())
}

/// What follows from the values, as comments.
fn explain(recipe: &Recipe, derived: &Derived, classes: u64, out: &mut dyn Write) -> Result<()> {
    writeln!(
        out,
        "\n# {} parameters for {classes} classes",
        count(derived.parameters)
    )?;
    let Some((images, steps)) = derived.epoch else {
        writeln!(
            out,
            "# --images N shows the steps of an epoch and the learning rates"
        )?;
        return Ok(());
    };
    let (images, all) = (count(images), count(steps * u64::from(recipe.num_epochs)));
    writeln!(
        out,
        "# {} steps an epoch over {images} images, {all} in all",
        count(steps)
    )?;
    let highest = derived.learning_rate.iter().copied().fold(0.0, f64::max);
    if let (Some(first), Some(last)) = (derived.learning_rate.first(), derived.learning_rate.last())
    {
        let [first, highest, last] = [*first, highest, *last].map(|rate| number(rate, 4));
        writeln!(
            out,
            "# learning rate after the first epoch {first}, at most {highest}, after the last {last}"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_at_its_extremes_is_refused_or_explained() {
        let (mut accepted, mut refused) = (0, 0);
        let numbers = [
            "0",
            "1",
            "-1",
            "2",
            "100000",
            "1000000",
            "2147483648",
            "4294967295",
            "4294967296",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551616",
            "0.5",
            "1e-320",
            "1e-9",
            "1e300",
            "-1e300",
            "1e999",
            "NaN",
            "inf",
            "",
        ];
        for (field, value) in FIELDS
            .iter()
            .flat_map(|field| numbers.map(|value| (field, value)))
        {
            for (images, json) in [(None, true), (Some(MAX_IMAGES), false)] {
                let mut set = vec![(field.key.to_owned(), value.to_owned())];
                if images.is_some() && field.key != "batch_size" {
                    set.push(("batch_size".to_owned(), "1".to_owned()));
                }
                let arguments = Arguments {
                    recipe: "quick".into(),
                    set,
                    images,
                    classes: MAX_CLASSES,
                    json,
                };
                match run(&arguments, &mut Vec::new()) {
                    Ok(_) => accepted += 1,
                    Err(error) => {
                        refused += 1;
                        assert!(!error.to_string().is_empty());
                    }
                }
            }
        }
        assert!(accepted > 100 && refused > 500, "{accepted} {refused}");
    }
}
