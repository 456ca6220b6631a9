//! A table as an Apache Parquet file: <https://parquet.apache.org/docs/file-format/>. Of that format only what a table of numbers and
//! words needs is written: optional columns of doubles or UTF-8, plain values in pages that zstd packs, many rows to a group. A library
//! for all of it would be compiled for minutes with every cold build.

use std::io::{self, Write};

use super::{Cell, Table};

const MAGIC: &[u8] = b"PAR1";
/// Rows of a group: what is held packed at a time.
const GROUP: usize = if cfg!(test) { 7 } else { 500_000 };
const PACKING_LEVEL: i32 = 3;

// Numbers out of parquet.thrift.
const DOUBLE: i64 = 5;
const BYTE_ARRAY: i64 = 6;
const OPTIONAL: i64 = 1;
const UTF8: i64 = 0;
const ZSTD: i64 = 6;
const PLAIN: i64 = 0;
const RLE: i64 = 3;
const DATA_PAGE: i64 = 0;

/// Writes the table.
pub fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(MAGIC)?;
    let mut offset = MAGIC.len();
    let is_text: Vec<bool> = (0..table.columns.len())
        .map(|column| {
            let mut cells = table.rows.iter().map(|row| &row[column]);
            cells.any(|cell| matches!(cell, Cell::Text(_)))
        })
        .collect();
    let mut groups = Vec::new();
    for rows in table.rows.chunks(GROUP) {
        let mut chunks = Vec::new();
        for (column, is_text) in is_text.iter().enumerate() {
            let plain = page(rows, column, *is_text);
            let packed = zstd::bulk::compress(&plain, PACKING_LEVEL)?;
            let header = page_header(plain.len(), packed.len(), rows.len());
            out.write_all(&header)?;
            out.write_all(&packed)?;
            chunks.push(Chunk {
                offset,
                plain: header.len() + plain.len(),
                packed: header.len() + packed.len(),
            });
            offset += header.len() + packed.len();
        }
        groups.push((rows.len(), chunks));
    }
    let footer = footer(table, &is_text, &groups);
    out.write_all(&footer)?;
    let length = u32::try_from(footer.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(MAGIC)
}

/// One column of one group in the file: where it begins, and its bytes with its header, before and after packing.
struct Chunk {
    offset: usize,
    plain: usize,
    packed: usize,
}

/// Which rows have a value, as runs of equal ones; then the values.
fn page(rows: &[Vec<Cell>], column: usize, is_text: bool) -> Vec<u8> {
    let cells = || rows.iter().map(|row| &row[column]);
    let mut levels = Vec::new();
    let mut present = cells().map(|cell| *cell != Cell::Missing).peekable();
    while let Some(first) = present.next() {
        let mut run = 1;
        while present.next_if_eq(&first).is_some() {
            run += 1;
        }
        varint(&mut levels, run << 1);
        levels.push(u8::from(first));
    }
    let mut page = (levels.len() as u32).to_le_bytes().to_vec();
    page.append(&mut levels);
    let put_text = |page: &mut Vec<u8>, text: &str| {
        page.extend((text.len() as u32).to_le_bytes());
        page.extend(text.as_bytes());
    };
    for cell in cells() {
        match cell {
            Cell::Missing => {}
            Cell::Text(text) => put_text(&mut page, text),
            Cell::Number(value) if is_text => put_text(&mut page, &value.to_string()),
            Cell::Number(value) => page.extend(value.to_le_bytes()),
        }
    }
    page
}

fn page_header(plain: usize, packed: usize, rows: usize) -> Vec<u8> {
    let mut header = Struct::default();
    header.integer(1, DATA_PAGE);
    header.integer(2, plain as i64);
    header.integer(3, packed as i64);
    header.inner(5, |page| {
        page.integer(1, rows as i64);
        page.integer(2, PLAIN);
        page.integer(3, RLE);
        page.integer(4, RLE);
    });
    header.end()
}

fn footer(table: &Table, is_text: &[bool], groups: &[(usize, Vec<Chunk>)]) -> Vec<u8> {
    let kind = |column: usize| if is_text[column] { BYTE_ARRAY } else { DOUBLE };
    let mut file = Struct::default();
    file.integer(1, 1);
    let mut root = Struct::default();
    root.text(4, "schema");
    root.integer(5, table.columns.len() as i64);
    let mut schema = vec![root.end()];
    for (column, name) in table.columns.iter().enumerate() {
        let mut element = Struct::default();
        element.integer(1, kind(column));
        element.integer(3, OPTIONAL);
        element.text(4, name);
        if is_text[column] {
            element.integer(6, UTF8);
        }
        schema.push(element.end());
    }
    file.list(2, STRUCT, &schema);
    file.long(3, table.rows.len() as i64);
    let groups: Vec<Vec<u8>> = groups
        .iter()
        .map(|(rows, chunks)| {
            let columns: Vec<Vec<u8>> = chunks
                .iter()
                .enumerate()
                .map(|(column, chunk)| {
                    let mut outer = Struct::default();
                    outer.long(2, chunk.offset as i64);
                    outer.inner(3, |inner| {
                        inner.integer(1, kind(column));
                        let encodings = [PLAIN, RLE].map(zigzag);
                        inner.list(2, INTEGER, &encodings);
                        inner.list(3, BINARY, &[binary(&table.columns[column])]);
                        inner.integer(4, ZSTD);
                        inner.long(5, *rows as i64);
                        inner.long(6, chunk.plain as i64);
                        inner.long(7, chunk.packed as i64);
                        inner.long(9, chunk.offset as i64);
                    });
                    outer.end()
                })
                .collect();
            let mut group = Struct::default();
            group.list(1, STRUCT, &columns);
            let bytes: usize = chunks.iter().map(|chunk| chunk.plain).sum();
            group.long(2, bytes as i64);
            group.long(3, *rows as i64);
            group.end()
        })
        .collect();
    file.list(4, STRUCT, &groups);
    file.text(6, concat!("traintop ", env!("CARGO_PKG_VERSION")));
    file.end()
}

// Thrift's compact protocol: <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.
const INTEGER: u8 = 5;
const LONG: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure that is being written, its fields in the order of their numbers.
#[derive(Default)]
struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    fn field(&mut self, number: u8, kind: u8) {
        self.bytes.push((number - self.last) << 4 | kind);
        self.last = number;
    }

    fn integer(&mut self, number: u8, value: i64) {
        self.field(number, INTEGER);
        self.bytes.extend(zigzag(value));
    }

    fn long(&mut self, number: u8, value: i64) {
        self.field(number, LONG);
        self.bytes.extend(zigzag(value));
    }

    fn text(&mut self, number: u8, text: &str) {
        self.field(number, BINARY);
        self.bytes.extend(binary(text));
    }

    fn list(&mut self, number: u8, kind: u8, items: &[Vec<u8>]) {
        self.field(number, LIST);
        if items.len() < 15 {
            self.bytes.push((items.len() as u8) << 4 | kind);
        } else {
            self.bytes.push(0xf0 | kind);
            varint(&mut self.bytes, items.len() as u64);
        }
        self.bytes.extend(items.iter().flatten());
    }

    fn inner(&mut self, number: u8, fill: impl FnOnce(&mut Self)) {
        self.field(number, STRUCT);
        let mut inner = Self::default();
        fill(&mut inner);
        self.bytes.extend(inner.end());
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn zigzag(value: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, (value << 1 ^ value >> 63) as u64);
    bytes
}

fn binary(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(&mut bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
    bytes
}

#[cfg(test)]
#[path = "parquet_tests.rs"]
mod tests;
