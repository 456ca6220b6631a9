//! A run's curves, and a network's answers, as PNG pictures, for papers, mails and whoever has no terminal at hand.

pub mod gallery;
mod plot;

use std::io;
use std::path::{Path, PathBuf};

use crate::analysis::best::best;
use crate::analysis::grouping::{Group, Split, groups};
use crate::run::metrics::Metrics;
use crate::run::write::replace_file;
use plot::{Curve, Panel, Picture};

/// Pixels of a panel.
const PANEL: (u32, u32) = (900, 560);

/// A figure: its file, and the titles of the groups of columns that it shows, a panel each.
struct Figure {
    file: &'static str,
    panels: &'static [&'static str],
}

/// The figures of a run, under the names that the reference gives them.
const FIGURES: [Figure; 4] = [
    Figure {
        file: "loss_plot.png",
        panels: &["Loss"],
    },
    Figure {
        file: "validation_plot.png",
        panels: &["Accuracy"],
    },
    Figure {
        file: "learning_rate_plot.png",
        panels: &["Learning rate"],
    },
    Figure {
        file: "combined_plot.png",
        panels: &["Loss", "Accuracy", "Learning rate"],
    },
];

/// What was drawn of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// The pictures.
    pub files: Vec<PathBuf>,
    /// Figures for which the run has no column, by their file's name.
    pub left_out: Vec<&'static str>,
}

/// A figure that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// Its file cannot be written.
    #[error("{path}: {cause}")]
    Io {
        /// The picture.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It cannot be drawn.
    #[error("{path}: cannot be drawn: {cause}")]
    Draw {
        /// The picture.
        path: PathBuf,
        /// What the drawing library said.
        cause: String,
    },
}

/// Draws the figures of a run into `folder`, which is made if need be; each file is whole or absent. What the metrics lack is
/// left out, and named.
///
/// # Errors
/// If a picture cannot be drawn or written.
pub fn draw(metrics: &Metrics, name: &str, folder: &Path) -> Result<Drawn, FigureError> {
    let groups = groups(metrics);
    let mut drawn = Drawn::default();
    for figure in &FIGURES {
        let panels: Vec<Panel> = figure
            .panels
            .iter()
            .filter_map(|title| groups.iter().find(|group| group.title == *title))
            .filter_map(|group| panel(metrics, &groups, group))
            .collect();
        if panels.is_empty() {
            drawn.left_out.push(figure.file);
            continue;
        }
        let path = folder.join(figure.file);
        let picture = Picture {
            title: name,
            panels: &panels,
            panel: PANEL,
        };
        let png = picture.to_png().map_err(|cause| FigureError::Draw {
            path: path.clone(),
            cause,
        })?;
        std::fs::create_dir_all(folder)
            .and_then(|()| replace_file(&path, &png))
            .map_err(|cause| FigureError::Io {
                path: path.clone(),
                cause,
            })?;
        drawn.files.push(path);
    }
    Ok(drawn)
}

/// `None` if there is no finite value to show.
fn panel<'a>(metrics: &'a Metrics, groups: &[Group], group: &'a Group) -> Option<Panel<'a>> {
    let curves: Vec<Curve> = group
        .members
        .iter()
        .map(|member| {
            let column = &metrics.columns[member.column];
            Curve {
                name: &column.name,
                x: &column.x,
                y: &column.y,
                is_main: member.split != Some(Split::Train),
            }
        })
        .collect();
    let best = best(metrics, groups).filter(|best| {
        let is_its = |column| group.members.iter().any(|member| member.column == column);
        is_its(best.column)
    });
    let has_values = curves
        .iter()
        .any(|curve| curve.y.iter().any(|value| value.is_finite()));
    has_values.then(|| Panel {
        title: &group.title,
        x_name: &metrics.x_name,
        scale: group.scale,
        curves,
        best: best.map(|best| (best.x, best.value)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::metrics::Column;

    fn metrics(names: &[&str]) -> Metrics {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            x: vec![1.0, 2.0, 3.0, 4.0],
            y: vec![60.0, f64::NAN, 80.0, 75.0],
        };
        Metrics {
            x_name: "epoch".to_owned(),
            columns: names.iter().map(column).collect(),
            rows: 4,
            ..Metrics::default()
        }
    }

    fn size(path: &Path) -> (u32, u32) {
        let file = std::io::BufReader::new(std::fs::File::open(path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let (width, height) = (reader.info().width, reader.info().height);
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        // Something else than background was drawn, in more than one colour.
        let colours: std::collections::HashSet<_> = pixels.chunks(3).collect();
        assert!(colours.len() > 3, "{} is blank", path.display());
        (width, height)
    }

    #[test]
    fn four_figures_of_a_whole_run() {
        let folder = tempfile::tempdir().unwrap();
        let figures = folder.path().join("figures");
        let names = [
            "epoch",
            "train_loss",
            "val_loss",
            "train_acc",
            "val_acc",
            "learning_rate",
        ];
        let drawn = draw(&metrics(&names), "a run", &figures).unwrap();
        let files = FIGURES.map(|figure| figures.join(figure.file));
        assert_eq!(drawn.files, files);
        assert_eq!(drawn.left_out, Vec::<&str>::new());
        for file in &files[..3] {
            assert_eq!(size(file), PANEL);
        }
        assert_eq!(size(&files[3]), (3 * PANEL.0, PANEL.1));
    }

    #[test]
    fn a_missing_column_leaves_out_its_figure_only() {
        let folder = tempfile::tempdir().unwrap();
        let drawn = draw(&metrics(&["epoch", "val_loss"]), "a run", folder.path()).unwrap();
        assert_eq!(
            drawn.left_out,
            ["validation_plot.png", "learning_rate_plot.png"]
        );
        assert_eq!(drawn.files.len(), 2);
        assert_eq!(size(&drawn.files[1]), PANEL);
    }

    #[test]
    fn a_run_without_a_number_has_no_figures() {
        let folder = tempfile::tempdir().unwrap();
        let mut empty = metrics(&["epoch", "val_loss"]);
        empty.columns[1].y.fill(f64::NAN);
        let drawn = draw(&empty, "a run", folder.path()).unwrap();
        assert_eq!(drawn.files, Vec::<PathBuf>::new());
        assert_eq!(drawn.left_out.len(), 4);
    }
}
