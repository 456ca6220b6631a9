//! What curves and axes are drawn with: Braille dots where the font has them, quarters of blocks,
//! or plain ASCII.

/// A set of characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markers {
    /// Eight dots to a cell.
    #[default]
    Braille,
    /// Four quarters to a cell.
    Blocks,
    /// Three heights to a cell, and nothing beyond ASCII in the whole chart.
    Ascii,
}

/// The bit of each Braille dot, by row and column.
const BRAILLE: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// The quarters by the bits 1 (upper left), 2 (upper right), 4 (lower left), 8 (lower right).
const QUARTERS: [char; 16] = [
    ' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█',
];
/// By the bits 1 (upper), 2 (middle), 4 (lower).
const HEIGHTS: [char; 8] = [' ', '\'', '-', '"', '.', ':', '=', '|'];

/// Dots of a cell from left to right, whatever they are drawn with.
pub(super) const ACROSS: usize = 2;

/// What stands in a chart beside its curves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub vertical: char,
    pub vertical_tick: char,
    pub horizontal: char,
    pub horizontal_tick: char,
    pub corner: char,
    pub cursor: char,
    pub seam: char,
    pub point: char,
    pub above: char,
    pub below: char,
    pub not_a_number: char,
}

impl Markers {
    /// In the order in which a key goes through them.
    pub const ALL: [Self; 3] = [Self::Braille, Self::Blocks, Self::Ascii];

    /// As settings call them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Braille => "braille",
            Self::Blocks => "blocks",
            Self::Ascii => "ascii",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|markers| markers.name() == name)
    }

    /// The next ones, the first after the last.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// Dots of a cell from top to bottom.
    pub(super) fn down(self) -> usize {
        match self {
            Self::Braille => 4,
            Self::Blocks => 2,
            Self::Ascii => 3,
        }
    }

    /// The bit of a dot within its cell.
    pub(super) fn bit(self, column: usize, row: usize) -> u8 {
        match self {
            Self::Braille => BRAILLE[row][column],
            Self::Blocks => 1 << (2 * row + column),
            Self::Ascii => 1 << row,
        }
    }

    /// The character of a cell with these bits.
    pub(super) fn symbol(self, bits: u8) -> char {
        match self {
            Self::Braille => char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' '),
            Self::Blocks => QUARTERS[usize::from(bits & 15)],
            Self::Ascii => HEIGHTS[usize::from(bits & 7)],
        }
    }

    pub(super) fn frame(self) -> Frame {
        if self == Self::Ascii {
            return Frame {
                vertical: '|',
                vertical_tick: '+',
                horizontal: '-',
                horizontal_tick: '+',
                corner: '+',
                cursor: '|',
                seam: ':',
                point: 'o',
                above: '^',
                below: 'v',
                not_a_number: 'x',
            };
        }
        Frame {
            vertical: '│',
            vertical_tick: '┤',
            horizontal: '─',
            horizontal_tick: '┬',
            corner: '└',
            cursor: '│',
            seam: '┊',
            point: '●',
            above: '▲',
            below: '▼',
            not_a_number: '×',
        }
    }
}

/// Which parts of a curve are drawn, so that curves differ without colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pattern {
    #[default]
    Solid,
    /// One cell of two.
    Dashed,
    /// Every other column of dots.
    Dotted,
    /// Three cells of four.
    Long,
    /// A cell, and half of the next but one.
    DashDot,
}

impl Pattern {
    /// All of them, the plainest first: curve after curve takes the next.
    pub const ALL: [Self; 5] = [
        Self::Solid,
        Self::Dashed,
        Self::Dotted,
        Self::Long,
        Self::DashDot,
    ];

    /// The pattern of the curve with this number.
    pub fn of(number: usize) -> Self {
        Self::ALL[number % Self::ALL.len()]
    }

    /// Whether a column of dots is drawn.
    pub(super) fn is_on(self, dot: usize) -> bool {
        let cell = dot / ACROSS;
        match self {
            Self::Solid => true,
            Self::Dashed => cell.is_multiple_of(2),
            Self::Dotted => dot.is_multiple_of(2),
            Self::Long => !cell.is_multiple_of(4),
            Self::DashDot => cell.is_multiple_of(3) || dot % (3 * ACROSS) == 2 * ACROSS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dot_of_a_cell_is_seen() {
        for markers in Markers::ALL {
            for row in 0..markers.down() {
                for column in 0..ACROSS {
                    let bit = markers.bit(column, row);
                    assert_ne!(markers.symbol(bit), ' ', "{markers:?} {column} {row}");
                }
            }
            assert_eq!(Markers::named(markers.name()), Some(markers));
        }
        assert!((0..8).all(|bits| Markers::Ascii.symbol(bits).is_ascii()));
    }

    #[test]
    fn patterns_differ() {
        let drawn =
            Pattern::ALL.map(|pattern| (0..24).map(|dot| pattern.is_on(dot)).collect::<Vec<_>>());
        for (at, one) in drawn.iter().enumerate() {
            assert!(one.contains(&true) && drawn[at + 1..].iter().all(|other| other != one));
        }
    }
}
