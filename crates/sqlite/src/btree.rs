//! The trees of pages in which rows and the entries of indexes stand, in order.
//!
//! A damaged tree may have loops: no path down is deeper than [`DEEPEST`], and no reading looks at
//! a page twice. Nothing here recurses.

use std::borrow::Cow;
use std::collections::HashSet;

use super::pages::{HEADER, Page, Pages};
use super::record::{Record, varint};
use super::{Error, damaged};

/// A tree of the largest database is not as deep.
const DEEPEST: usize = 24;
/// A row that is longer is none that anybody logged.
const LONGEST: u64 = 16 << 20;

/// A page of a tree.
struct Node {
    number: u32,
    page: Page,
    /// Where its header begins.
    base: usize,
    is_leaf: bool,
    is_index: bool,
    cells: usize,
}

/// A node, and what of it comes next.
struct Level {
    node: Node,
    next: usize,
}

impl Node {
    fn read(pages: &Pages, number: u32) -> Result<Self, Error> {
        let page = pages.page(number)?;
        let base = if number == 1 { HEADER } else { 0 };
        let (is_leaf, is_index) = match page.get(base) {
            Some(2) => (false, true),
            Some(5) => (false, false),
            Some(10) => (true, true),
            Some(13) => (true, false),
            _ => return damaged(format!("page {number} is no page of a table or an index")),
        };
        let cells = usize::from(u16::from_be_bytes([page[base + 3], page[base + 4]]));
        let node = Self {
            number,
            page,
            base,
            is_leaf,
            is_index,
            cells,
        };
        if node.pointers() + 2 * cells > node.page.len() {
            return node.damaged();
        }
        Ok(node)
    }

    fn damaged<T>(&self) -> Result<T, Error> {
        damaged(format!("page {} holds what it cannot hold", self.number))
    }

    /// Where the places of its cells stand.
    fn pointers(&self) -> usize {
        self.base + if self.is_leaf { 8 } else { 12 }
    }

    /// What begins where a cell does.
    fn cell(&self, at: usize) -> Result<&[u8], Error> {
        let place = self.pointers() + 2 * at;
        let start = usize::from(u16::from_be_bytes([self.page[place], self.page[place + 1]]));
        match self.page.get(start..) {
            Some(cell) if cell.len() >= 4 && at < self.cells => Ok(cell),
            _ => self.damaged(),
        }
    }

    /// The node below before a cell, or behind the last one.
    fn child(&self, at: usize) -> Result<u32, Error> {
        let bytes = if at < self.cells {
            self.cell(at)?
        } else {
            &self.page[self.base + 8..]
        };
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// The row id of a cell of a table: that of a row, or the largest of those below.
    fn row_id(&self, at: usize) -> Result<i64, Error> {
        let cell = self.cell(at)?;
        let read = if self.is_leaf {
            varint(cell).and_then(|(_, length)| varint(cell.get(length..)?))
        } else {
            varint(&cell[4..])
        };
        match read {
            Some((id, _)) => Ok(id as i64),
            None => self.damaged(),
        }
    }

    /// The values of a cell.
    fn payload<'a>(&'a self, pages: &Pages, at: usize) -> Result<Cow<'a, [u8]>, Error> {
        let cell = self.cell(at)?;
        let cell = if self.is_leaf { cell } else { &cell[4..] };
        let Some((length, skipped)) = varint(cell) else {
            return self.damaged();
        };
        let mut rest = &cell[skipped..];
        if !self.is_index {
            let Some((_, skipped)) = varint(rest) else {
                return self.damaged();
            };
            rest = &rest[skipped..];
        }
        let whole = u64::from(pages.count) * pages.usable as u64;
        if length > LONGEST || length > whole {
            return damaged(format!("a row on page {} has {length} bytes", self.number));
        }
        let length = length as usize;
        let local = local(pages.usable, length, self.is_index);
        let Some(here) = rest.get(..local) else {
            return self.damaged();
        };
        if local == length {
            return Ok(Cow::Borrowed(here));
        }
        pages.count_overflow(length)?;
        let mut payload = here.to_vec();
        let mut next = rest.get(local..local + 4).map(<[u8]>::to_vec);
        while payload.len() < length {
            let Some([a, b, c, d]) = next.as_deref() else {
                return self.damaged();
            };
            let page = pages.page(u32::from_be_bytes([*a, *b, *c, *d]))?;
            let take = (length - payload.len()).min(pages.usable - 4);
            payload.extend_from_slice(&page[4..4 + take]);
            next = Some(page[..4].to_vec());
        }
        Ok(Cow::Owned(payload))
    }

    /// How many of its cells come before what is looked for.
    fn cells_before(
        &self,
        is_before: &mut dyn FnMut(usize) -> Result<bool, Error>,
    ) -> Result<usize, Error> {
        let (mut low, mut high) = (0, self.cells);
        while low < high {
            let middle = usize::midpoint(low, high);
            if is_before(middle)? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}

/// How many bytes of a row stand on its page; the others are on pages of their own.
fn local(usable: usize, length: usize, is_index: bool) -> usize {
    let most = if is_index {
        (usable - 12) * 64 / 255 - 23
    } else {
        usable - 35
    };
    if length <= most {
        return length;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let some = least + (length - least) % (usable - 4);
    if some <= most { some } else { least }
}

/// The way down through a tree.
struct Walk<'a> {
    pages: &'a Pages,
    levels: Vec<Level>,
    is_index: bool,
    seen: HashSet<u32>,
}

impl<'a> Walk<'a> {
    fn new(pages: &'a Pages, is_index: bool) -> Self {
        Self {
            pages,
            levels: Vec::new(),
            is_index,
            seen: HashSet::new(),
        }
    }

    /// Goes down to a node.
    fn down(
        &mut self,
        number: u32,
        next: &dyn Fn(&Node) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        // A page has one place in one tree.
        if self.levels.len() >= DEEPEST || !self.seen.insert(number) {
            return damaged(format!("its pages lead in a circle at page {number}"));
        }
        let node = Node::read(self.pages, number)?;
        if node.is_index != self.is_index {
            return node.damaged();
        }
        let next = next(&node)?;
        self.levels.push(Level { node, next });
        Ok(())
    }
}

/// See [`super::Database::rows`].
pub fn rows(
    pages: &Pages,
    root: u32,
    from: i64,
    each: &mut dyn FnMut(i64, Record) -> bool,
) -> Result<(), Error> {
    let mut walk = Walk::new(pages, false);
    let first = |node: &Node| node.cells_before(&mut |at| Ok(node.row_id(at)? < from));
    walk.down(root, &first)?;
    let mut last = None;
    while let Some(Level { node, next }) = walk.levels.last_mut() {
        if node.is_leaf {
            for at in *next..node.cells {
                let id = node.row_id(at)?;
                if last.is_some_and(|last| last >= id) {
                    return node.damaged();
                }
                last = Some(id);
                if !each(id, Record(&node.payload(pages, at)?)) {
                    return Ok(());
                }
            }
        } else if *next <= node.cells {
            let child = node.child(*next)?;
            *next += 1;
            walk.down(child, &first)?;
            continue;
        }
        walk.levels.pop();
    }
    Ok(())
}

/// See [`super::Database::last_row_id`].
pub fn last_row_id(pages: &Pages, root: u32) -> Result<i64, Error> {
    let mut walk = Walk::new(pages, false);
    let mut number = root;
    loop {
        walk.down(number, &|node| Ok(node.cells))?;
        let Some(Level { node, next }) = walk.levels.last() else {
            return Ok(i64::MIN);
        };
        if node.is_leaf {
            return next
                .checked_sub(1)
                .map_or(Ok(i64::MIN), |at| node.row_id(at));
        }
        number = node.child(*next)?;
    }
}

/// How many entries of a node come before what is looked for.
fn entries_before(
    pages: &Pages,
    node: &Node,
    is_before: &dyn Fn(Record) -> bool,
) -> Result<usize, Error> {
    node.cells_before(&mut |at| Ok(is_before(Record(&node.payload(pages, at)?))))
}

/// See [`super::Database::entries`].
pub fn entries(
    pages: &Pages,
    root: u32,
    is_before: &dyn Fn(Record) -> bool,
    each: &mut dyn FnMut(Record) -> bool,
) -> Result<(), Error> {
    let mut walk = Walk::new(pages, true);
    // Above the leaves, the nodes below have even places, and the entries between them odd ones.
    let first = |node: &Node| {
        let before = entries_before(pages, node, is_before)?;
        Ok(if node.is_leaf { before } else { 2 * before })
    };
    walk.down(root, &first)?;
    while let Some(Level { node, next }) = walk.levels.last_mut() {
        let at = *next;
        *next += 1;
        if node.is_leaf || at % 2 == 1 {
            let cell = if node.is_leaf { at } else { at / 2 };
            if cell < node.cells {
                if !each(Record(&node.payload(pages, cell)?)) {
                    return Ok(());
                }
                continue;
            }
        } else if at / 2 <= node.cells {
            let child = node.child(at / 2)?;
            walk.down(child, &first)?;
            continue;
        }
        walk.levels.pop();
    }
    Ok(())
}

/// See [`super::Database::last_entry`].
pub fn last_entry<T>(
    pages: &Pages,
    root: u32,
    is_before: &dyn Fn(Record) -> bool,
    read: &dyn Fn(Record) -> T,
) -> Result<Option<T>, Error> {
    let mut walk = Walk::new(pages, true);
    let before = |node: &Node| entries_before(pages, node, is_before);
    let (mut number, mut last) = (root, None);
    loop {
        walk.down(number, &before)?;
        let Some(Level { node, next }) = walk.levels.last() else {
            return Ok(last);
        };
        if let Some(at) = next.checked_sub(1) {
            last = Some(read(Record(&node.payload(pages, at)?)));
        }
        if node.is_leaf {
            return Ok(last);
        }
        number = node.child(*next)?;
    }
}
