//! `traintop rename RUN... --to TEMPLATE`: a dry run that shows every old and new name, unless
//! `--yes` is given.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use color_eyre::eyre::{Report, Result, bail};
use serde_json::json;

use super::table::{self, Side};
use super::{roots, trash};
use traintop_ops::rename::{self, RenameRequest, Step};
use traintop_run::name_template::{Template, Values};
use traintop_run::notes::{Change, Notes};
use traintop_run::summary::Summary;
use traintop_run::templates;
use traintop_text::terminal::error_line;
use traintop_text::{clean, pretty_json};

/// The fields of a template.
const TO: &str = "\
The new name, in which fields in braces are replaced by values of the run: {model}_acc{best.val_acc:.2f}_epoch{best.epoch}. \
Fields: folder, name, model, recipe, state, id, tag, tags, epochs, n (a counter), started (with a form: {started:%Y%m%d}), \
best.COLUMN, any key of the configuration, any column of the metrics. Numbers take .2f or 03d; {{ is a brace.";

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Arguments {
    /// Runs' folders, or names of runs or their beginnings
    #[arg(required_unless_present = "templates", value_name = "RUN")]
    runs: Vec<String>,
    /// The new name; fields in braces are replaced by values of the run [default: the template used
    /// last]
    #[arg(long, value_name = "TEMPLATE", long_help = TO)]
    to: Option<String>,
    /// Show the templates that were used, the last first
    #[arg(long, conflicts_with_all = ["runs", "to"])]
    templates: bool,
    /// Change only what lists call the run; its folder stays
    #[arg(long)]
    display: bool,
    /// Do it; without this, only what would happen is shown
    #[arg(long)]
    yes: bool,
    /// Folder to search for the names [default: runs]
    #[arg(long = "root", value_name = "ROOT")]
    roots: Vec<PathBuf>,
    /// Print every old and new name as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    let kept = templates::load();
    if arguments.templates {
        return print_templates(&kept, arguments.json, out);
    }
    trash::finish_what_was_left(&roots::or_default(&arguments.roots));
    let to = arguments.to.as_ref().or(kept.first());
    let to = to.map_or(templates::FIRST, |template| template);
    let template = Template::parse(to).map_err(Report::msg)?;
    let mut wishes: Vec<RenameRequest> = Vec::new();
    for word in &arguments.runs {
        if let Some(target) = link_target(word) {
            bail!(
                "{word:?} is a link to {:?}, which would get the new name and leave the link behind; name that folder itself",
                target.display().to_string()
            );
        }
        let found = roots::run_named(word, &arguments.roots)?;
        if wishes.iter().any(|wish| wish.dir == found.dir) {
            bail!("{word:?} names a run that was named before; name each once");
        }
        let summary = Summary::load(&found, SystemTime::now());
        let values = Values::gather(&summary, wishes.len() + 1);
        wishes.push(RenameRequest {
            name: template.fill(&values),
            state: summary.observed.state,
            dir: found.dir,
        });
    }
    let steps = if arguments.display {
        wishes.into_iter().map(for_lists).collect()
    } else {
        rename::plan(wishes, |path| path.symlink_metadata().is_ok())
    };
    let is_bad = steps.iter().any(|step| step.problem.is_some());
    let does = arguments.yes && !is_bad;
    if does && arguments.display {
        for step in &steps {
            let name = step.name.clone().unwrap_or_default();
            Notes::change(&step.from, &Change::Name(name))?;
        }
    } else if does {
        let renamed = rename::apply(&steps)?;
        for problem in renamed.iter().flat_map(|renamed| &renamed.left) {
            error_line(problem);
        }
        if let Err(error) = templates::keep(to) {
            error_line(format_args!("the template is not kept: {error}"));
        }
    }
    if arguments.json {
        let rows = steps.iter().map(|step| as_json(step, arguments.display));
        let value = json!({ "done": does, "runs": rows.collect::<Vec<_>>() });
        writeln!(out, "{}", pretty_json(&value)?)?;
    } else {
        let rows: Vec<_> = steps.iter().map(row).collect();
        table::print(out, HEADINGS, &rows)?;
        let sentence = match (does, is_bad) {
            (true, _) => "done",
            (false, true) => "nothing is renamed until every row can be",
            (false, false) => "this is what would happen; --yes does it",
        };
        writeln!(out, "{sentence}")?;
    }
    Ok(if is_bad {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Where a word leads to that is the path of a link. The path of a folder may end in a slash.
fn link_target(word: &str) -> Option<PathBuf> {
    // Without it the system would follow the link.
    let path = Path::new(word.trim_end_matches('/'));
    path.is_symlink().then(|| path.read_link().ok())?
}

fn print_templates(kept: &[String], json: bool, out: &mut dyn Write) -> Result<ExitCode> {
    if json {
        writeln!(out, "{}", pretty_json(kept)?)?;
    } else {
        for template in kept {
            writeln!(out, "{}", clean(template))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Any name will do in lists, and the run may continue.
fn for_lists(wish: RenameRequest) -> Step {
    let (name, problem) = match wish.name {
        Ok(name) => (Some(name), None),
        Err(problem) => (None, Some(problem)),
    };
    Step {
        from: wish.dir,
        name,
        problem,
    }
}

fn as_json(step: &Step, display: bool) -> serde_json::Value {
    let to = step.name.as_ref().filter(|_| !display);
    let to = to.map(|name| {
        step.from
            .path()
            .with_file_name(name)
            .to_string_lossy()
            .into_owned()
    });
    json!({
        "path": step.from.path().to_string_lossy(),
        "name": step.name,
        "new_path": to,
        "problem": step.problem,
    })
}

const HEADINGS: &[(&str, Side)] = &[
    ("NOW", Side::Left),
    ("THEN", Side::Left),
    ("PROBLEM", Side::Left),
];

fn row(step: &Step) -> Vec<String> {
    let cell = |text: Option<&String>| {
        text.map_or_else(|| "-".to_owned(), |text| clean(text).into_owned())
    };
    vec![
        clean(&step.from.name()).into_owned(),
        cell(step.name.as_ref()),
        cell(step.problem.as_ref()),
    ]
}
