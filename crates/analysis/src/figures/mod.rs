//! A run's curves, several runs' curves, and a network's answers as pictures, for papers, mails and
//! readers without a terminal.

mod canvas;
pub mod compare;
pub mod gallery;
mod plot;
mod svg;

pub use canvas::rgb_png;

use std::io;
use std::path::{Path, PathBuf};

use crate::best::best;
use crate::grouping::{Group, groups};
use crate::x_axis::XMapping;
use plot::{Curve, Panel, Picture};
use traintop_disk::write::{make_folders, replace_file};
use traintop_disk::{Disk, System};
use traintop_run::metric_names::Split;
use traintop_run::metrics::Metrics;

/// How large a panel is shown.
const PANEL: (u32, u32) = (900, 560);

/// What a picture is kept as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Pixels, twice as fine as the picture is large.
    Png,
    /// Lines and the outlines of letters: sharp at any size, and no font is needed to show it.
    Svg,
}

impl Format {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Png, Self::Svg];

    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
        }
    }
}

/// A figure: its file without the ending, and the titles of the groups of columns that it shows, a
/// panel each.
struct Figure {
    file: &'static str,
    panels: &'static [&'static str],
}

/// The figures of a run, under the names that the reference gives them.
const FIGURES: [Figure; 4] = [
    Figure {
        file: "loss_plot",
        panels: &["Loss"],
    },
    Figure {
        file: "validation_plot",
        panels: &["Accuracy"],
    },
    Figure {
        file: "learning_rate_plot",
        panels: &["Learning rate"],
    },
    Figure {
        file: "combined_plot",
        panels: &["Loss", "Accuracy", "Learning rate"],
    },
];

/// What was drawn of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// The pictures.
    pub files: Vec<PathBuf>,
    /// What there are no numbers for: whole figures by their file's name, and panels of others.
    pub left_out: Vec<String>,
}

/// A figure that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// Its file cannot be written.
    #[error("{path}: {cause}")]
    Io {
        /// The picture.
        path: PathBuf,
        cause: io::Error,
    },
    /// It cannot be drawn.
    #[error("{path}: cannot be drawn: {cause}")]
    Draw {
        /// The picture.
        path: PathBuf,
        /// The drawing library's message.
        cause: String,
    },
}

/// Draws the figures of a run into `folder`, which is made if need be; each file is whole or
/// absent. What the metrics lack is left out, and named.
///
/// # Errors
/// If a picture cannot be drawn or written.
pub fn draw(
    metrics: &Metrics,
    name: &str,
    folder: &Path,
    formats: &[Format],
) -> Result<Drawn, FigureError> {
    let groups = groups(metrics);
    let mut drawn = Drawn::default();
    for figure in &FIGURES {
        let mut panels: Vec<Panel> = Vec::new();
        let mut missing = Vec::new();
        for title in figure.panels {
            let group = groups.iter().find(|group| group.title == *title);
            match group.and_then(|group| panel(metrics, group)) {
                Some(panel) => panels.push(panel),
                None => missing.push(format!("{title} in {}", figure.file)),
            }
        }
        if panels.is_empty() {
            drawn.left_out.push(figure.file.to_owned());
            continue;
        }
        drawn.left_out.extend(missing);
        let picture = Picture {
            title: name,
            panels: &panels,
            panel: PANEL,
        };
        write(&picture, folder, figure.file, formats, &mut drawn)?;
    }
    Ok(drawn)
}

/// Writes a picture in each format.
fn write(
    picture: &Picture,
    folder: &Path,
    file: &str,
    formats: &[Format],
    drawn: &mut Drawn,
) -> Result<(), FigureError> {
    let is_new = !folder.exists();
    for format in formats {
        let path = folder.join(format!("{file}.{}", format.ending()));
        let bytes = match format {
            Format::Png => picture.to_png(),
            Format::Svg => picture.to_svg().map(String::into_bytes),
        };
        let bytes = bytes.map_err(|cause| FigureError::Draw {
            path: path.clone(),
            cause,
        })?;
        make_folders(folder)
            .and_then(|()| replace_file(&path, &bytes))
            .map_err(|cause| {
                // Made for nothing, as on a full disk; not removed if a picture is in it.
                if is_new {
                    let _ = System.remove_folder(folder);
                }
                let path = path.clone();
                FigureError::Io { path, cause }
            })?;
        drawn.files.push(path);
    }
    Ok(())
}

/// `None` if there is no finite value to show.
fn panel<'a>(metrics: &'a Metrics, group: &'a Group) -> Option<Panel<'a>> {
    let curves: Vec<Curve> = group
        .members
        .iter()
        .enumerate()
        .map(|(number, member)| {
            let column = &metrics.columns[member.column];
            Curve {
                name: column.name.clone(),
                number,
                x: &column.x,
                y: &column.y,
                is_main: member.split != Some(Split::Train),
            }
        })
        .collect();
    let best = best(metrics).filter(|best| {
        let is_its = |column| group.members.iter().any(|member| member.column == column);
        is_its(best.column)
    });
    let has_values = curves
        .iter()
        .any(|curve| curve.y.iter().any(|value| value.is_finite()));
    has_values.then(|| Panel {
        title: group.title.clone(),
        x_name: &metrics.x_name,
        x_scale: XMapping::rows(metrics).scale,
        scale: group.scale,
        curves,
        best: best.map(|best| (best.x, best.value)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use traintop_run::metrics::Column;

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
        let drawn = draw(&metrics(&names), "a run", &figures, &Format::ALL).unwrap();
        let files: Vec<PathBuf> = FIGURES
            .iter()
            .flat_map(|figure| {
                Format::ALL
                    .map(|format| figures.join(format!("{}.{}", figure.file, format.ending())))
            })
            .collect();
        assert_eq!(drawn.files, files);
        assert_eq!(drawn.left_out, Vec::<String>::new());
        for file in [
            "loss_plot.png",
            "validation_plot.png",
            "learning_rate_plot.png",
        ] {
            assert_eq!(size(&figures.join(file)), (2 * PANEL.0, 2 * PANEL.1));
        }
        let combined = size(&figures.join("combined_plot.png"));
        assert_eq!(combined, (6 * PANEL.0, 2 * PANEL.1));
    }

    #[test]
    fn a_missing_column_leaves_out_its_figure_only() {
        let folder = tempfile::tempdir().unwrap();
        let drawn = draw(
            &metrics(&["epoch", "val_loss"]),
            "a run",
            folder.path(),
            &Format::ALL,
        )
        .unwrap();
        assert_eq!(
            drawn.left_out,
            [
                "validation_plot",
                "learning_rate_plot",
                "Accuracy in combined_plot",
                "Learning rate in combined_plot"
            ]
        );
        assert_eq!(drawn.files.len(), 4);
        assert_eq!(size(&drawn.files[2]), (2 * PANEL.0, 2 * PANEL.1));
    }

    #[test]
    fn a_run_without_a_number_has_no_figures() {
        let folder = tempfile::tempdir().unwrap();
        let mut empty = metrics(&["epoch", "val_loss"]);
        empty.columns[1].y.fill(f64::NAN);
        let drawn = draw(&empty, "a run", folder.path(), &Format::ALL).unwrap();
        assert_eq!(drawn.files, Vec::<PathBuf>::new());
        assert_eq!(drawn.left_out.len(), 4);
    }
}
