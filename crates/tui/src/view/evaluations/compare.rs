//! Evaluations side by side: how far each is from the first, in which classes, about which images,
//! and whether that is more than chance.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};
use unicode_width::UnicodeWidthStr;

use super::gallery::{Gallery, Tile};
use super::result::{probabilities, verdict};
use crate::command::Action;
use crate::component::Response;
use crate::graphics::{Placed, Protocol};
use crate::jobs::evaluations::compared::{Changed, ClassChange, Compared, Pair};
use crate::jobs::evaluations::opened::{Answer, Opened};
use crate::theme::{Role, Theme};
use crate::view::motion::Motion;
use crate::view::parts::Panes;
use crate::widget::clipped::Clipped as _;
use crate::widget::picture::Picture;
use traintop_run::evaluation::EvaluationDir;
use traintop_text::{count, fitted};

/// Where one is in the comparison.
#[derive(Debug)]
pub struct CompareView {
    pub compared: Compared,
    part: Part,
    /// The evaluation that is compared with the first.
    cursor: usize,
    classes_top: usize,
    gallery: Gallery,
}

/// A part of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Table,
    Classes,
    Images,
}

impl Part {
    const ALL: [Self; 3] = [Self::Table, Self::Classes, Self::Images];

    fn title(self) -> &'static str {
        match self {
            Self::Table => "Side by side",
            Self::Classes => "Classes",
            Self::Images => "Images",
        }
    }
}

/// The letter that an evaluation is called by.
fn letter(number: usize) -> char {
    // More than 26 cannot differ in one letter.
    (b'A'..=b'Z').nth(number).map_or('?', char::from)
}

impl CompareView {
    /// The comparison as it opens: the second with the first.
    pub fn new(compared: Compared) -> Self {
        Self {
            cursor: 1.min(compared.evaluations.len().saturating_sub(1)),
            compared,
            part: Part::Table,
            classes_top: 0,
            gallery: Gallery::default(),
        }
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action, area: Rect) -> Response {
        let part = |by: isize| {
            let at = (self.part as isize + by).rem_euclid(Part::ALL.len() as isize);
            Part::ALL[at as usize]
        };
        match action {
            Action::NextPane => self.part = part(1),
            Action::PreviousPane => self.part = part(-1),
            Action::Pane1 => self.part = Part::Table,
            Action::Pane2 => self.part = Part::Classes,
            Action::Pane3 => self.part = Part::Images,
            Action::Open if self.part == Part::Table => self.part = Part::Images,
            Action::Open if self.part == Part::Images => {
                self.gallery.is_alone = !self.gallery.is_alone;
            }
            _ => {
                let Some(motion) = Motion::of(action) else {
                    return Response::ignored();
                };
                self.step(motion, area);
            }
        }
        Response::handled()
    }

    /// Leaves an image alone; says whether there was one.
    pub fn back(&mut self) -> bool {
        let was_alone = self.part == Part::Images && self.gallery.is_alone;
        self.gallery.is_alone &= !was_alone;
        was_alone
    }

    /// The evaluations in another order: the one under the cursor first.
    pub fn with_other_base(&self) -> Vec<EvaluationDir> {
        let dirs = self.compared.evaluations.iter();
        let mut dirs: Vec<_> = dirs.map(|opened| opened.card.dir.clone()).collect();
        dirs[..=self.cursor].rotate_right(1);
        dirs
    }

    fn step(&mut self, motion: Motion, area: Rect) {
        let pane = self.panes(area).content[self.part as usize];
        let screenful = usize::from(pane.height);
        match self.part {
            Part::Table => {
                let all = self.compared.evaluations.len();
                let to = motion.along(self.cursor, all, screenful);
                if to != self.cursor {
                    self.cursor = to;
                    self.classes_top = 0;
                    self.gallery = Gallery::default();
                }
            }
            Part::Classes => {
                let all = self.pair().map_or(0, |pair| pair.classes.len());
                let last = all.saturating_sub(screenful.saturating_sub(1));
                self.classes_top = motion.along(self.classes_top, last + 1, screenful);
            }
            Part::Images => {
                let all = self.pair().map_or(0, |pair| pair.changed.len());
                self.gallery.act(motion, all, pane);
            }
        }
    }

    fn pair(&self) -> Option<&Pair> {
        self.compared.pair(self.cursor)
    }

    fn second(&self) -> Option<&Opened> {
        self.compared.evaluations.get(self.cursor)
    }

    fn panes(&self, area: Rect) -> Panes<3> {
        Panes::of(area, area, self.part as usize, || {
            // Evaluations with their heading, two rows of words each, and some air.
            let rows = self.compared.evaluations.len().min(12) as u16;
            let upper = (rows + 8).min(area.height / 2);
            let left = area.width * 2 / 5;
            let below = Rect {
                y: area.y + upper,
                height: area.height - upper,
                ..area
            };
            [
                Rect {
                    height: upper,
                    ..area
                },
                Rect {
                    width: left,
                    ..below
                },
                Rect {
                    x: below.x + left + 2,
                    width: below.width - left - 2,
                    ..below
                },
            ]
        })
    }

    /// Draws the screen.
    pub fn draw(&self, (theme, by): (&Theme, Protocol), area: Rect, buf: &mut Buffer) {
        let panes = self.panes(area);
        let note = |at: usize| self.note(Part::ALL[at], panes.content[at]);
        let names = Part::ALL.map(Part::title);
        panes.draw_titles(names, self.part as usize, note, theme, buf);
        self.draw_table(theme, panes.content[0], buf);
        self.draw_classes(theme, panes.content[1], buf);
        self.draw_images((theme, by), panes.content[2], buf);
    }

    /// The pictures for the terminal's own graphics.
    pub fn pictures(&self, area: Rect) -> Vec<Placed> {
        let changed = self.pair().map_or(&[][..], |pair| &pair.changed);
        let picture = |index: usize| self.picture(changed.get(index)?);
        let pane = self.panes(area).content[Part::Images as usize];
        self.gallery.pictures(changed.len(), &picture, pane)
    }

    fn picture(&self, changed: &Changed) -> Option<&Picture> {
        let id = changed.second.id;
        // Each evaluation keeps its own mistakes: what one has not, the other may have.
        let kept = [self.second()?, self.compared.evaluations.first()?];
        kept.into_iter().find_map(|opened| opened.pictures.get(&id))
    }

    fn note(&self, part: Part, pane: Rect) -> String {
        let with = format!("{} against A", letter(self.cursor));
        let Some(pair) = self.pair() else {
            return String::new();
        };
        match part {
            Part::Table => String::new(),
            Part::Classes => with,
            Part::Images => {
                let all = pair.changed.len();
                format!("{with}, different answers {}", self.gallery.note(all, pane))
            }
        }
    }

    /// ```text
    ///     NAME                    DATA          VIEWS  ACCURACY %            MORE THAN A
    /// ▌ A quick 11-24, best       test 2,000        1  92.80 [91.6, 93.9]
    ///   B quick 11-24, best       test 2,000        8  93.40 [92.2, 94.4]          +0.60
    /// ```
    fn draw_table(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let fixed = 4 + 16 + 7 + 22 + 9;
        let name_width = usize::from(area.width.saturating_sub(fixed).min(60)).max(10);
        let heading = format!(
            "    {:name_width$} {:15} {:>6} {:>21} {:>8}",
            "NAME", "DATA", "VIEWS", "ACCURACY %", "THAN A"
        );
        let put = |y: u16, text: &str, style, buf: &mut Buffer| {
            if y < area.bottom() {
                buf.put_n(area.x, y, text, usize::from(area.width), style);
            }
        };
        put(area.y, &heading, theme.style(Role::Header), buf);
        let first = self.compared.evaluations.first();
        let base = first.and_then(|opened| opened.card.percent());
        for (number, opened) in self.compared.evaluations.iter().enumerate() {
            let card = &opened.card;
            let y = area.y + 1 + number as u16;
            let name = fitted(&card.name, name_width);
            let pad = name_width - name.width();
            let data = format!("{} {}", card.split, count(card.images));
            let accuracy = card.accuracy.as_ref().map_or_else(
                || "no labels".to_owned(),
                |accuracy| {
                    format!(
                        "{:.2} [{:.2}, {:.2}]",
                        accuracy.percent, accuracy.low, accuracy.high
                    )
                },
            );
            let same = self.compared.pair(number).is_none_or(|pair| pair.same_data);
            let difference = match (base, card.percent(), number) {
                (_, _, 0) => String::new(),
                (Some(base), Some(percent), _) if same => format!("{:+.2}", percent - base),
                _ => "-".to_owned(),
            };
            let row = format!(
                "  {} {name}{:pad$} {:15} {:>6} {accuracy:>21} {difference:>8}",
                letter(number),
                "",
                fitted(&data, 15),
                card.views,
            );
            let role = if number == self.cursor {
                Role::Selection
            } else {
                Role::Text
            };
            put(y, &row, theme.style(role), buf);
            if number == self.cursor && y < area.bottom() {
                buf.put(area.x, y, "▌", theme.style(Role::Accent));
            }
        }
        let y = area.y + self.compared.evaluations.len() as u16 + 2;
        let below = Rect {
            y,
            height: area.bottom().saturating_sub(y),
            ..area
        };
        let words: Vec<Line> = self
            .words()
            .into_iter()
            .map(|(text, role)| Line::styled(text, theme.style(role)))
            .collect();
        if !below.is_empty() {
            Paragraph::new(words)
                .wrap(Wrap { trim: true })
                .render(below, buf);
        }
    }

    /// What the comparison says, in sentences.
    fn words(&self) -> Vec<(String, Role)> {
        let (Some(pair), Some(second)) = (self.pair(), self.second()) else {
            return vec![(
                "A is what the others are compared with; b on another makes that one A".to_owned(),
                Role::Muted,
            )];
        };
        let name = letter(self.cursor).to_string();
        if !pair.same_data {
            return vec![(
                format!(
                    "A and {name} were asked about different images: their accuracies may differ by that alone, and no image is compared"
                ),
                Role::Warn,
            )];
        }
        let labelled = second.card.accuracy.is_some();
        let mut words = Vec::new();
        if labelled {
            words.push((pair.counts.sentence("A", &name), Role::Text));
        }
        let changed = pair.changed.len() as u64;
        words.push((
            format!(
                "{} of {} images are answered differently",
                count(changed),
                count(second.card.images)
            ),
            Role::Text,
        ));
        let class =
            |change: &ClassChange| format!("{} {:+}", second.class(change.class), change.net());
        for (label, gains) in [("gained", true), ("lost", false)] {
            let of: Vec<String> = pair
                .classes
                .iter()
                .filter(|change| change.net() != 0 && (change.net() > 0) == gains)
                .take(5)
                .map(class)
                .collect();
            if !of.is_empty() {
                let role = if gains { Role::Good } else { Role::Bad };
                words.push((format!("{label}: {}", of.join(", ")), role));
            }
        }
        words
    }

    fn draw_classes(&self, theme: &Theme, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let (Some(pair), Some(second)) = (self.pair(), self.second()) else {
            return Line::styled("this is A", theme.style(Role::Muted)).render(area, buf);
        };
        if pair.classes.is_empty() {
            let text = "no class has gained or lost";
            return Line::styled(text, theme.style(Role::Muted)).render(area, buf);
        }
        let heading = format!("{:18} {:>7} {:>7} {:>5}", "CLASS", "GAINED", "LOST", "NET");
        Line::styled(heading, theme.style(Role::Header)).render(area, buf);
        let largest = pair.classes.iter().map(|change| change.net().abs()).max();
        let largest = largest.unwrap_or(0).max(1) as f64;
        let rows = pair.classes.iter().skip(self.classes_top);
        for (y, change) in (area.y + 1..area.bottom()).zip(rows) {
            let name = fitted(second.class(change.class), 18);
            let pad = 18 - name.width();
            let text = format!(
                "{name}{:pad$} {:>7} {:>7} {:>+5} ",
                "",
                change.gained,
                change.lost,
                change.net()
            );
            let room = f64::from(area.width.saturating_sub(42).min(40));
            let bar = (change.net().abs() as f64 / largest * room).round() as usize;
            let role = if change.net() < 0 {
                Role::Bad
            } else {
                Role::Good
            };
            let line = Line::from(vec![
                Span::styled(text, theme.style(Role::Text)),
                Span::styled("━".repeat(bar), theme.style(role)),
            ]);
            line.render(
                Rect {
                    y,
                    height: 1,
                    ..area
                },
                buf,
            );
        }
    }

    fn draw_images(&self, (theme, by): (&Theme, Protocol), area: Rect, buf: &mut Buffer) {
        let (Some(pair), Some(second)) = (self.pair(), self.second()) else {
            return Line::styled("this is A", theme.style(Role::Muted)).render(area, buf);
        };
        if pair.changed.is_empty() {
            let text = if pair.same_data {
                "every image is answered alike"
            } else {
                "the images are not the same"
            };
            return Line::styled(text, theme.style(Role::Muted)).render(area, buf);
        }
        let tile = |index: usize| {
            let changed = &pair.changed[index.min(pair.changed.len() - 1)];
            self.tile(changed, second, theme)
        };
        self.gallery
            .draw(pair.changed.len(), &tile, (theme, by), area, buf);
    }

    fn tile<'a>(&'a self, changed: &'a Changed, opened: &'a Opened, theme: &Theme) -> Tile<'a> {
        let said = |name: char, answer: &Answer| {
            let (mark, role) = verdict(answer);
            Line::from(vec![
                Span::styled(format!("{mark} {name} "), theme.style(role)),
                Span::raw(format!(
                    "{} {:.0} %",
                    opened.class(answer.class()),
                    100.0 * answer.confidence()
                )),
            ])
        };
        let mut lines = vec![Line::raw(format!("image {}", changed.second.id))];
        if let Some(label) = changed.second.label {
            lines.push(Line::raw(format!("is {}", opened.class(label))));
        }
        lines.push(said('A', &changed.first));
        lines.push(said(letter(self.cursor), &changed.second));
        Tile {
            picture: self.picture(changed),
            lines,
            bars: probabilities(opened, &changed.second, theme),
        }
    }
}
