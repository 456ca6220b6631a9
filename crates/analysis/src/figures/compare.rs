//! Several runs in one picture: a panel for each metric, a curve for each run.

use super::plot::{Curve, Panel, Picture};
use super::{Drawn, FigureError, Format, PANEL, write};
use crate::grouping::{Group, groups};
use crate::x_axis::{Known, XAxis, XMapping};
use std::path::Path;
use std::sync::Arc;
use traintop_run::metric_names::Split;
use traintop_run::metrics::{Column, Metrics};

/// A run to draw.
pub struct Run<'a> {
    /// Its name in the legend.
    pub name: &'a str,
    /// What it measured.
    pub metrics: &'a Metrics,
}

/// What is compared unless columns are named: by the titles of their groups.
const PANELS: [&str; 3] = ["Loss", "Accuracy", "Learning rate"];

/// The file without its ending.
const FILE: &str = "comparison_plot";

/// Draws the runs over each other into `folder`: of losses and accuracies the validation's, else
/// any that a run has; or the named columns. A metric that no run has is left out, and named.
///
/// # Errors
/// If a picture cannot be drawn or written.
pub fn draw(
    runs: &[Run],
    columns: &[String],
    x_axis: XAxis,
    folder: &Path,
    formats: &[Format],
) -> Result<Drawn, FigureError> {
    let grouped: Vec<Vec<Group>> = runs.iter().map(|run| groups(run.metrics)).collect();
    let wanted: Vec<&str> = if columns.is_empty() {
        PANELS.to_vec()
    } else {
        columns.iter().map(String::as_str).collect()
    };
    // Of each wanted metric each run's column, with the places of its points.
    let found: Vec<(&str, Vec<Found>)> = wanted
        .iter()
        .map(|metric| {
            let each = runs.iter().zip(&grouped).enumerate();
            let of_run = |(number, (run, groups)): (usize, (&Run, &Vec<Group>))| {
                let (column, group) = column(run.metrics, groups, metric, columns.is_empty())?;
                let x_mapping = XMapping::of(run.metrics, x_axis, Known::default())?;
                Some(Found {
                    number,
                    x: x_mapping.places(&column.x),
                    column: column.clone(),
                    group: group.clone(),
                    x_mapping,
                })
            };
            (*metric, each.filter_map(of_run).collect())
        })
        .collect();
    let mut drawn = Drawn::default();
    let mut panels = Vec::new();
    for (metric, found) in &found {
        match panel(runs, metric, found, columns.is_empty()) {
            Some(panel) => panels.push(panel),
            None => drawn.left_out.push((*metric).to_owned()),
        }
    }
    let title = format!("{} runs", runs.len());
    let picture = Picture {
        title: &title,
        panels: &panels,
        panel: PANEL,
    };
    if !panels.is_empty() {
        write(&picture, folder, FILE, formats, &mut drawn)?;
    }
    Ok(drawn)
}

struct Found {
    number: usize,
    x: Arc<[f64]>,
    column: Column,
    group: Group,
    x_mapping: XMapping,
}

/// A run's column of a metric: the validation's of a group's title, or the one of that name.
fn column<'a>(
    metrics: &'a Metrics,
    groups: &'a [Group],
    metric: &str,
    is_title: bool,
) -> Option<(&'a Column, &'a Group)> {
    let has = |group: &Group| {
        group
            .members
            .iter()
            .any(|member| metrics.columns[member.column].name == metric)
    };
    let group = groups.iter().find(|group| {
        if is_title {
            group.title == metric
        } else {
            has(group)
        }
    })?;
    let rank = |split: Option<Split>| match split {
        Some(Split::Validation) => 0,
        None => 1,
        Some(Split::Test) => 2,
        Some(Split::Train) => 3,
    };
    let column = if is_title {
        let member = group
            .members
            .iter()
            .min_by_key(|member| rank(member.split))?;
        &metrics.columns[member.column]
    } else {
        metrics.column(metric)?
    };
    let is_finite = column.y.iter().any(|value| value.is_finite());
    is_finite.then_some((column, group))
}

fn panel<'a>(
    runs: &[Run],
    metric: &'a str,
    found: &'a [Found],
    is_title: bool,
) -> Option<Panel<'a>> {
    let first = found.first()?;
    let curves = found
        .iter()
        .map(|found| Curve {
            name: runs[found.number].name.to_owned(),
            x: &found.x,
            y: &found.column.y,
            number: found.number,
            is_main: true,
        })
        .collect();
    Some(Panel {
        title: if is_title {
            format!("{metric} ({})", first.column.name)
        } else {
            metric.to_owned()
        },
        x_name: &first.x_mapping.name,
        x_scale: first.x_mapping.scale,
        scale: first.group.scale,
        curves,
        best: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(columns: &[(&str, &[f64])]) -> Metrics {
        let column = |&(name, values): &(&str, &[f64])| Column {
            name: name.to_owned(),
            x: (1..=values.len()).map(|x| x as f64).collect(),
            y: values.to_vec(),
        };
        Metrics {
            x_name: "epoch".to_owned(),
            columns: columns.iter().map(column).collect(),
            ..Metrics::default()
        }
    }

    #[test]
    fn runs_lie_over_each_other_and_what_none_has_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let long = metrics(&[
            ("train_loss", &[3.0, 2.0, 1.0]),
            ("val_loss", &[3.1, 2.2, 1.4]),
        ]);
        let short = metrics(&[("val_loss", &[2.9, 2.0]), ("val_acc", &[20.0, 30.0])]);
        let runs = [
            Run {
                name: "long",
                metrics: &long,
            },
            Run {
                name: "short",
                metrics: &short,
            },
        ];
        let drawn = draw(&runs, &[], XAxis::Rows, folder.path(), &Format::ALL).unwrap();
        assert_eq!(drawn.left_out, ["Learning rate"]);
        assert_eq!(drawn.files.len(), 2);
        let svg = std::fs::read_to_string(folder.path().join("comparison_plot.svg")).unwrap();
        for text in ["Loss (val_loss)", "Accuracy (val_acc)", "long", "short"] {
            assert!(svg.contains(&format!("aria-label=\"{text}\"")), "{text}");
        }
        let named = ["train_loss".to_owned(), "gone".to_owned()];
        let drawn = draw(&runs, &named, XAxis::Rows, folder.path(), &[Format::Svg]).unwrap();
        assert_eq!(
            (drawn.files.len(), drawn.left_out),
            (1, vec!["gone".to_owned()])
        );
    }
}
