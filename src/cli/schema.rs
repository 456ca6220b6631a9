//! `traintop schema [COMMAND]`: what each command prints with `--json`, as a JSON Schema (draft
//! 2020-12). The files in `schemas/` are part of the program.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use color_eyre::eyre::Result;
use serde_json::{Value, json};

use traintop_text::pretty_json;

/// A table of commands, each with its file.
macro_rules! schemas {
    ($($command:literal)*) => {
        /// Every command that prints JSON, then those of the worker.
        const SCHEMAS: &[(&str, &str)] = &[$(
            ($command, include_str!(concat!("../../schemas/", $command, ".schema.json"))),
        )*];
        const COMMANDS: &[&str] = &[$($command),*];
    };
}

schemas! {
    "list" "digest" "alerts" "show" "compare" "best" "train" "queue" "tag" "note" "rename"
    "evaluate" "organize" "archive" "unarchive" "clean" "trash" "recipe"
    "data-check" "inspect"
}

/// What the others refer to.
const SHARED: &str = include_str!("../../schemas/run.schema.json");

#[derive(Debug, Args)]
pub struct Arguments {
    /// A command that has `--json`; `data-check` and `inspect` are the worker's
    #[arg(value_parser = PossibleValuesParser::new(COMMANDS))]
    command: Option<String>,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    match &arguments.command {
        Some(command) => {
            if let Some(schema) = of(command) {
                writeln!(out, "{}", pretty_json(&schema?)?)?;
            }
        }
        None => {
            let width = COMMANDS.iter().map(|name| name.len()).max().unwrap_or(0);
            for (command, text) in SCHEMAS {
                let schema: Value = serde_json::from_str(text)?;
                let title = schema["title"].as_str().unwrap_or_default();
                writeln!(out, "{command:<width$}  {title}")?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The schema of what a command prints, with all that it refers to; `None` if the command prints no
/// JSON.
pub fn of(command: &str) -> Option<serde_json::Result<Value>> {
    let (_, text) = SCHEMAS.iter().find(|(name, _)| *name == command)?;
    Some(bundled(text))
}

/// A schema with the shared one among its definitions, where a validator finds it by its `$id`.
fn bundled(text: &str) -> serde_json::Result<Value> {
    let mut schema: Value = serde_json::from_str(text)?;
    let shared: Value = serde_json::from_str(SHARED)?;
    let Some(id) = shared["$id"].as_str().map(str::to_owned) else {
        return Ok(schema);
    };
    if text.contains(&id) {
        if schema.get("$defs").is_none() {
            schema["$defs"] = json!({});
        }
        schema["$defs"][id] = shared;
    }
    Ok(schema)
}
