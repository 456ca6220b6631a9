//! What can be started: recipes, the program's and the user's own, and the launchers of the
//! configuration.

use std::path::{Path, PathBuf};

use traintop_config::Launcher;
use traintop_launch::quoted;
use traintop_launch::recent::Values;
use traintop_recipe as recipe;
use traintop_recipe::{Recipe, SHIPPED, Shipped};
use traintop_run::trust::Commands;
use traintop_run::{Record, RunDir};
use traintop_text::clean;

/// What a choice is.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A recipe, which our own worker trains.
    Recipe(Box<Recipe>),
    /// A command of the user's.
    Launcher(Launcher),
}

/// Something that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// A shipped recipe's name, a recipe's file, or a launcher's name.
    pub source: PathBuf,
    /// What it is for, as a recipe's first lines say; cleaned for a terminal.
    pub description: String,
    /// What it is, or what is wrong with it.
    pub subject: Result<Subject, String>,
    /// Rows that are filled in from the beginning.
    pub given: Values,
}

impl Choice {
    /// The recipes that the program ships, the one to begin with first.
    pub fn shipped() -> Vec<Self> {
        let choice = |shipped: &Shipped| Self {
            source: PathBuf::from(shipped.name),
            description: clean(&recipe::description(shipped.text)).into_owned(),
            subject: subject(recipe::parse_shipped(shipped)),
            given: Values::new(),
        };
        SHIPPED.iter().map(choice).collect()
    }

    /// The recipe with which a run was started, or the launcher of the configuration with what
    /// followed its command, to start another.
    pub fn of_run(dir: &RunDir, launchers: &[Launcher]) -> Self {
        let record = Record::load(dir).ok().flatten();
        let limit = record.as_ref().and_then(|record| record.time_limit_s);
        let limit = limit.map(|seconds| ("time_limit".to_owned(), format!("{seconds}s")));
        if let Some(record) = &record
            && let Some(name) = &record.launcher
        {
            return Self::again(dir, name, record, launchers, limit);
        }
        let source = dir.config_json();
        Self {
            description: format!("as {}", clean(&dir.name())),
            subject: subject(recipe::load(&source)),
            source,
            given: limit.into_iter().collect(),
        }
    }

    /// What a launcher was started with.
    fn again(
        dir: &RunDir,
        name: &str,
        record: &Record,
        launchers: &[Launcher],
        limit: Option<(String, String)>,
    ) -> Self {
        let Some(launcher) = launchers.iter().find(|known| known.name == name) else {
            let problem = format!(
                "{} was started by the launcher {}, and your configuration has none of that name",
                clean(&dir.name()),
                clean(name)
            );
            return Self {
                subject: Err(problem),
                ..Self::launcher(Launcher {
                    name: name.to_owned(),
                    ..Launcher::default()
                })
            };
        };
        // What another user wrote into the record does not get onto a command line by itself.
        let is_trusted = Commands::of_user().allows(dir, record);
        let arguments = record
            .command
            .get(launcher.command.len()..)
            .filter(|_| is_trusted)
            .unwrap_or_default();
        // As it is typed here.
        let here = std::env::current_dir().unwrap_or_default();
        let tree = dir.output_tree().map(|tree| {
            let below = tree.strip_prefix(&here).ok();
            let tree = below
                .filter(|below| *below != Path::new(""))
                .unwrap_or(tree);
            tree.display().to_string()
        });
        let rows = [
            Some(("arguments".to_owned(), quoted(arguments))),
            tree.map(|tree| ("output_dir".to_owned(), tree)),
            limit,
        ];
        let choice = Self::launcher(launcher.clone());
        let description = if is_trusted {
            choice.description
        } else {
            format!(
                "{} (without the arguments of {}, which was not started by you)",
                choice.description,
                clean(&dir.name())
            )
        };
        Self {
            given: rows.into_iter().flatten().collect(),
            description,
            ..choice
        }
    }

    /// The choice that a recipe's file gives.
    pub fn of(source: PathBuf, text: &str) -> Self {
        let shown = source.display().to_string();
        Self {
            source,
            description: clean(&recipe::description(text)).into_owned(),
            subject: subject(recipe::parse_toml(text, &shown)),
            given: Values::new(),
        }
    }

    pub fn launcher(launcher: Launcher) -> Self {
        Self {
            source: PathBuf::from(&launcher.name),
            description: clean(&launcher.command.join(" ")).into_owned(),
            subject: Ok(Subject::Launcher(launcher)),
            given: Values::new(),
        }
    }

    /// What lists call it.
    pub fn name(&self) -> String {
        let name = self.source.display().to_string();
        match &self.subject {
            Ok(Subject::Launcher(_)) => format!("launcher {}", clean(&name)),
            _ => clean(&name).into_owned(),
        }
    }
}

fn subject(recipe: Result<Recipe, recipe::RecipeError>) -> Result<Subject, String> {
    match recipe {
        Ok(recipe) => Ok(Subject::Recipe(Box::new(recipe))),
        Err(error) => Err(clean(&error.to_string()).into_owned()),
    }
}
