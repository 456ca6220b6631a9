//! What can be started: recipes, the program's and the user's own, and the launchers of the configuration.

use std::path::PathBuf;

use crate::recipe::{self, Recipe, SHIPPED, Shipped};
use crate::run::RunDir;
use crate::text::clean;

/// What a choice is.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A recipe, which our own worker trains.
    Recipe(Box<Recipe>),
    /// A command of the user's.
    Launcher(Vec<String>),
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
}

impl Choice {
    /// The recipes that the program ships, the one to begin with first.
    pub fn shipped() -> Vec<Self> {
        let choice = |shipped: &Shipped| Self {
            source: PathBuf::from(shipped.name),
            description: clean(&recipe::description(shipped.text)).into_owned(),
            subject: subject(recipe::parse_shipped(shipped)),
        };
        SHIPPED.iter().map(choice).collect()
    }

    /// The recipe with which a run was started, to start another.
    pub fn of_run(dir: &RunDir) -> Self {
        let source = dir.config_json();
        Self {
            description: format!("as {}", clean(&dir.name())),
            subject: subject(recipe::load(&source)),
            source,
        }
    }

    /// The choice that a recipe's file gives.
    pub fn of(source: PathBuf, text: &str) -> Self {
        let shown = source.display().to_string();
        Self {
            source,
            description: clean(&recipe::description(text)).into_owned(),
            subject: subject(recipe::parse_toml(text, &shown)),
        }
    }

    /// A launcher.
    pub fn launcher(name: &str, command: Vec<String>) -> Self {
        Self {
            source: PathBuf::from(name),
            description: clean(&command.join(" ")).into_owned(),
            subject: Ok(Subject::Launcher(command)),
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
