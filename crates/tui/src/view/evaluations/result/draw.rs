//! How one evaluation is drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::super::gallery::Tile;
use super::{Part, ResultView};
use crate::graphics::{Placed, Protocol};
use crate::jobs::evaluations::opened::{Answer, Choice, Opened};
use crate::theme::{Role, Theme};
use crate::widget::bars::{Bar, Bars};
use crate::widget::heat_map::{Fit, HeatMap};
use crate::widget::reliability::Reliability;
use traintop_run::evaluation::{Accuracy, Results};
use traintop_text::{count, fitted, number};

/// A diagram larger than this shows no more.
const LARGEST_DIAGRAM: (u16, u16) = (94, 24);

impl ResultView {
    /// Draws the screen.
    ///
    /// ```text
    /// quick 11-24, best   test of synthetic, 2,000 images, 8 views
    /// 1,868 of 2,000 are right: 93.40 %, with 95 % confidence between 92.23 and 94.41 %
    /// loss 0.231  top-3 99.1 %  top-5 99.8 %  calibration error 0.031
    /// ```
    pub fn draw(&self, (theme, by): (&Theme, Protocol), area: Rect, buf: &mut Buffer) {
        let panes = self.panes(area);
        self.draw_header(theme, area, buf);
        let note = |at: usize| self.note(Part::ALL[at], panes.content[at]);
        let names = Part::ALL.map(Part::title);
        panes.draw_titles(names, self.part as usize, note, theme, buf);
        let pane = |part: Part| panes.content[part as usize];
        self.draw_classes(theme, pane(Part::Classes), buf);
        self.draw_confusion(theme, pane(Part::Confusion), buf);
        self.draw_calibration(theme, pane(Part::Calibration), buf);
        self.draw_images((theme, by), pane(Part::Images), buf);
    }

    /// The pictures for the terminal's own graphics.
    pub fn pictures(&self, area: Rect) -> Vec<Placed> {
        let chosen = self.opened.chosen(self.choice);
        let picture = |index: usize| self.opened.pictures.get(&chosen.get(index)?.id);
        let pane = self.panes(area).content[Part::Images as usize];
        self.gallery.pictures(chosen.len(), &picture, pane)
    }

    fn note(&self, part: Part, pane: Rect) -> String {
        let opened = &self.opened;
        match part {
            Part::Classes if opened.card.accuracy.is_some() => "right answers".to_owned(),
            Part::Classes => String::new(),
            Part::Confusion if opened.results.confusion.is_empty() => String::new(),
            Part::Confusion => "rows true, columns predicted".to_owned(),
            Part::Calibration => opened
                .card
                .calibration_error
                .map(|error| format!("expected calibration error {error:.3}"))
                .unwrap_or_default(),
            Part::Images => {
                let shown = opened.chosen(self.choice);
                let what = match self.choice {
                    Choice::Mistakes => "mistakes".to_owned(),
                    Choice::All => "images".to_owned(),
                    Choice::Cell(label, class) => {
                        format!("{} → {}", opened.class(label), opened.class(class))
                    }
                };
                let room = usize::from(pane.width / 2);
                let note = self.gallery.note(shown.len(), pane);
                format!("{} {note}", fitted(&what, room))
                    .trim_end()
                    .to_owned()
            }
        }
    }

    fn draw_header(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let (card, results) = (&self.opened.card, &self.opened.results);
        let views = match card.views {
            1 => "1 view".to_owned(),
            views => format!("{views} views"),
        };
        let of = format!(
            "{} of {}, {} images, {views}",
            card.split,
            card.data,
            count(card.images)
        );
        let rows = [
            Line::from(vec![
                Span::styled(
                    fitted(&card.name, usize::from(area.width / 2)),
                    theme.style(Role::Title),
                ),
                Span::raw("  "),
                Span::styled(of, theme.style(Role::Muted)),
            ]),
            match &card.accuracy {
                Some(accuracy) => Line::styled(in_words(accuracy), theme.style(Role::Good)),
                None => Line::styled(
                    "the images have no labels: nobody knows what is right",
                    theme.style(Role::Text),
                ),
            },
            match self.opened.problems.first() {
                Some(problem) => Line::styled(problem.as_str(), theme.style(Role::Warn)),
                None => Line::styled(measures(results, area.width), theme.style(Role::Text)),
            },
        ];
        for (y, row) in (area.y..area.bottom()).zip(rows) {
            row.render(
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                buf,
            );
        }
    }

    fn draw_classes(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let text = theme.style(Role::Text);
        let classes = &self.opened.results.per_class;
        let most = classes.iter().map(|class| class.images).max();
        let digits = count(most.unwrap_or(0)).len();
        let bars: Vec<Bar> = classes
            .iter()
            .zip(&self.opened.classes)
            .map(|(class, name)| Bar {
                name,
                part: class.recall.unwrap_or(0.0),
                value: match class.recall {
                    Some(recall) => format!(
                        "{:5.1} %  {:>digits$} of {:>digits$}",
                        100.0 * recall,
                        count(class.correct),
                        count(class.images)
                    ),
                    None => "no images".to_owned(),
                },
                text,
                done: theme.style(Role::BarDone),
            })
            .collect();
        if bars.is_empty() {
            return absent("nothing was measured for each class", theme, area, buf);
        }
        Bars {
            rows: &bars,
            top: self.classes_top,
            rest: theme.style(Role::BarRest),
        }
        .render(area, buf);
    }

    pub(super) fn fit(&self, pane: Rect) -> Fit {
        let plain = |_| Style::new();
        let map = HeatMap {
            rows: &self.opened.results.confusion,
            names: &self.opened.classes,
            corner: "true",
            cursor: None,
            first: (0, 0),
            name: Style::new(),
            selected: Style::new(),
            right: &plain,
            wrong: &plain,
        };
        map.fit(matrix_area(pane))
    }

    fn draw_confusion(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let confusion = &self.opened.results.confusion;
        if confusion.is_empty() {
            return absent("there is no confusion matrix", theme, area, buf);
        }
        let map = HeatMap {
            rows: confusion,
            names: &self.opened.classes,
            corner: "true",
            cursor: Some(self.cell),
            first: self.first,
            name: theme.style(Role::AxisLabel),
            selected: theme.style(Role::Accent),
            right: &|share| theme.shade(Role::Good, share),
            wrong: &|share| theme.shade(Role::Bad, share),
        };
        let matrix = matrix_area(area);
        map.render(matrix, buf);
        // Below the last row there is, rather than at the pane's end.
        let below = Rect {
            y: matrix.y + 1 + map.fit(matrix).rows as u16,
            height: 1,
            ..area
        };
        let line = Line::from(self.read_out(theme));
        line.render(below.intersection(area), buf);
    }

    /// The cell under the cursor in words.
    fn read_out(&self, theme: &Theme) -> Vec<Span<'_>> {
        let (row, column) = self.cell;
        let counts = self.opened.results.confusion.get(row);
        let images: u64 = counts.map_or(0, |counts| counts.iter().sum());
        let taken = counts.and_then(|counts| counts.get(column)).copied();
        let taken = taken.unwrap_or(0);
        let share = 100.0 * taken as f64 / images.max(1) as f64;
        let (of, is) = (self.opened.class(row), self.opened.class(column));
        let text = format!(
            "{} of {} images of {of} are taken for {is}: {share:.1} %",
            count(taken),
            count(images),
        );
        vec![Span::styled(text, theme.style(Role::Accent))]
    }

    fn draw_calibration(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        if self.opened.bins.is_empty() {
            return absent("calibration was not measured", theme, area, buf);
        }
        let diagram = Reliability {
            bins: &self.opened.bins,
            bar: theme.style(Role::Series0),
            diagonal: theme.style(Role::Muted),
            label: theme.style(Role::AxisLabel),
        };
        let words = "% right by confidence; · is ideal; n: % of the images";
        let title = Rect {
            height: 1.min(area.height),
            ..area
        };
        let below = Rect {
            y: area.y + title.height,
            height: (area.height - title.height).min(LARGEST_DIAGRAM.1),
            width: area.width.min(LARGEST_DIAGRAM.0),
            ..area
        };
        Line::styled(words, theme.style(Role::Muted)).render(title, buf);
        diagram.render(below, buf);
    }

    fn draw_images(&self, (theme, by): (&Theme, Protocol), area: Rect, buf: &mut Buffer) {
        let chosen = self.opened.chosen(self.choice);
        if chosen.is_empty() {
            let text = match self.choice {
                _ if self.opened.answers.is_empty() => "no answers are kept to be shown",
                Choice::Mistakes => "no mistakes",
                Choice::All | Choice::Cell(..) => "no images",
            };
            return absent(text, theme, area, buf);
        }
        let tile = |index: usize| self.tile(chosen[index.min(chosen.len() - 1)], theme);
        self.gallery
            .draw(chosen.len(), &tile, (theme, by), area, buf);
    }

    fn tile<'a>(&'a self, answer: &'a Answer, theme: &Theme) -> Tile<'a> {
        let opened = &self.opened;
        let (mark, role) = verdict(answer);
        let mut lines = vec![Line::from(vec![
            Span::styled(mark, theme.style(role)),
            Span::raw(format!(" image {}", answer.id)),
        ])];
        if let Some(label) = answer.label {
            lines.push(Line::styled(
                format!("is {}", opened.class(label)),
                theme.style(Role::Text),
            ));
        }
        Tile {
            picture: opened.pictures.get(&answer.id),
            lines,
            bars: probabilities(opened, answer, theme),
        }
    }
}

/// ✓ or ✗ and its colour; of an image without a label neither.
pub fn verdict(answer: &Answer) -> (&'static str, Role) {
    match answer.is_right() {
        Some(true) => ("✓", Role::Good),
        Some(false) => ("✗", Role::Bad),
        None => ("·", Role::Muted),
    }
}

/// The most probable classes as bars; the right one stands out.
pub fn probabilities<'a>(opened: &'a Opened, answer: &Answer, theme: &Theme) -> Vec<Bar<'a>> {
    let bar = |(class, probability): &(usize, f64)| {
        let role = if answer.label == Some(*class) {
            Role::Good
        } else {
            Role::Text
        };
        Bar {
            name: opened.class(*class),
            part: *probability,
            value: format!("{:.0} %", 100.0 * probability),
            text: theme.style(role),
            done: theme.style(Role::BarDone),
        }
    };
    answer.top.iter().map(bar).collect()
}

/// `1,868 of 2,000 are right: 93.40 %, with 95 % confidence between 92.23 and 94.41 %`.
fn in_words(accuracy: &Accuracy) -> String {
    format!(
        "{} of {} are right: {:.2} %, with 95 % confidence between {:.2} and {:.2} %",
        count(accuracy.correct),
        count(accuracy.total),
        accuracy.percent,
        accuracy.low,
        accuracy.high
    )
}

/// What else was measured, as much as fits.
fn measures(results: &Results, width: u16) -> String {
    let percent =
        |name: &str, value: Option<f64>| value.map(|value| format!("{name} {value:.2} %"));
    let parts = [
        results.loss.map(|loss| format!("loss {}", number(loss, 4))),
        percent("top-3", results.top_3),
        percent("top-5", results.top_5),
        results
            .expected_calibration_error
            .map(|error| format!("calibration error {error:.3}")),
        results
            .images_per_s
            .map(|speed| format!("{} images/s", count(speed.round() as u64))),
    ];
    let mut line = String::new();
    for part in parts.into_iter().flatten() {
        if line.len() + part.len() + 2 <= usize::from(width) {
            let between = if line.is_empty() { "" } else { "  " };
            line = format!("{line}{between}{part}");
        }
    }
    line
}

fn matrix_area(pane: Rect) -> Rect {
    Rect {
        height: pane.height.saturating_sub(1),
        ..pane
    }
}

fn absent(text: &str, theme: &Theme, area: Rect, buf: &mut Buffer) {
    Line::styled(text, theme.style(Role::Muted)).render(area, buf);
}
