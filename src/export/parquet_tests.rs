//! A reader of what the writer needs, written from the format's description and sharing nothing with it.

use proptest::prelude::*;

use super::super::{Cell, Format, Table};

/// A value of Thrift's compact protocol.
#[derive(Debug, Clone)]
enum Value {
    Integer(i64),
    Text(String),
    List(Vec<Value>),
    Fields(Vec<(u8, Value)>),
}

impl Value {
    fn at(&self, number: u8) -> Option<&Value> {
        let Self::Fields(fields) = self else {
            panic!("{self:?} has no fields");
        };
        fields
            .iter()
            .find(|(known, _)| *known == number)
            .map(|(_, value)| value)
    }

    fn integer(&self, number: u8) -> i64 {
        match self.at(number) {
            Some(Self::Integer(value)) => *value,
            other => panic!("field {number} is {other:?}"),
        }
    }

    fn list(&self, number: u8) -> &[Value] {
        match self.at(number) {
            Some(Self::List(values)) => values,
            other => panic!("field {number} is {other:?}"),
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap();
        self.0 = rest;
        *first
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes.to_vec()
    }

    fn varint(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    fn value(&mut self, kind: u8) -> Value {
        match kind {
            5 | 6 => {
                let value = self.varint();
                Value::Integer((value >> 1) as i64 ^ -((value & 1) as i64))
            }
            8 => {
                let length = self.varint() as usize;
                Value::Text(String::from_utf8(self.take(length)).unwrap())
            }
            9 => {
                let header = self.byte();
                let count = match header >> 4 {
                    15 => self.varint(),
                    count => count.into(),
                };
                Value::List((0..count).map(|_| self.value(header & 15)).collect())
            }
            12 => {
                let (mut fields, mut number) = (Vec::new(), 0);
                loop {
                    let header = self.byte();
                    if header == 0 {
                        return Value::Fields(fields);
                    }
                    assert_ne!(header >> 4, 0, "long field headers are not written");
                    number += header >> 4;
                    fields.push((number, self.value(header & 15)));
                }
            }
            other => panic!("type {other}"),
        }
    }

    fn u32(&mut self) -> usize {
        u32::from_le_bytes(self.take(4).try_into().unwrap()) as usize
    }
}

fn read(file: &[u8]) -> Table {
    assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
    let end = file.len() - 8;
    let length = u32::from_le_bytes(file[end..end + 4].try_into().unwrap()) as usize;
    let footer = Reader(&file[end - length..end]).value(12);
    let schema = footer.list(2);
    assert_eq!(schema[0].integer(5) as usize, schema.len() - 1);
    let name = |element: &Value| match element.at(4) {
        Some(Value::Text(name)) => name.clone(),
        other => panic!("{other:?}"),
    };
    let columns: Vec<String> = schema[1..].iter().map(name).collect();
    let mut rows = Vec::new();
    for group in footer.list(4) {
        let from = rows.len();
        rows.resize(from + group.integer(3) as usize, Vec::new());
        assert_eq!(group.list(1).len(), columns.len());
        for (chunk, element) in group.list(1).iter().zip(&schema[1..]) {
            let chunk = chunk.at(3).unwrap();
            assert_eq!(chunk.integer(1), element.integer(1));
            let start = chunk.integer(9) as usize;
            let bytes = &file[start..start + chunk.integer(7) as usize];
            let cells = page(bytes, chunk, chunk.integer(1) == 6);
            for (row, cell) in rows[from..].iter_mut().zip(cells) {
                row.push(cell);
            }
        }
    }
    assert_eq!(rows.len() as i64, footer.integer(3));
    Table { columns, rows }
}

fn page(bytes: &[u8], chunk: &Value, is_text: bool) -> Vec<Cell> {
    let mut reader = Reader(bytes);
    let header = reader.value(12);
    let plain = header.integer(2) as usize;
    assert_eq!(header.integer(3) as usize, reader.0.len());
    assert_eq!(
        chunk.integer(6) as usize,
        bytes.len() - reader.0.len() + plain
    );
    let values = zstd::bulk::decompress(reader.0, plain).unwrap();
    assert_eq!(values.len(), plain);
    let rows = header.at(5).unwrap().integer(1) as usize;
    assert_eq!(rows as i64, chunk.integer(5));
    let mut reader = Reader(&values);
    let length = reader.u32();
    let levels = reader.take(length);
    let mut levels = Reader(&levels);
    let mut present = Vec::new();
    while !levels.0.is_empty() {
        let run = levels.varint();
        assert_eq!(run & 1, 0, "bit-packed runs are not written");
        let level = levels.byte();
        present.resize(present.len() + (run >> 1) as usize, level == 1);
    }
    assert_eq!(present.len(), rows);
    let mut cell = |is_there| match (is_there, is_text) {
        (false, _) => Cell::Missing,
        (true, false) => Cell::Number(f64::from_le_bytes(reader.take(8).try_into().unwrap())),
        (true, true) => {
            let length = reader.u32();
            Cell::Text(String::from_utf8(reader.take(length)).unwrap())
        }
    };
    let cells = present.into_iter().map(&mut cell).collect();
    assert!(reader.0.is_empty());
    cells
}

/// What is read of a table: in a column that has words, numbers are words.
fn expected(table: &Table) -> Table {
    let mut table = table.clone();
    for column in 0..table.columns.len() {
        let is_text = |row: &Vec<Cell>| matches!(row[column], Cell::Text(_));
        if table.rows.iter().any(is_text) {
            for row in &mut table.rows {
                if let Cell::Number(value) = row[column] {
                    row[column] = Cell::Text(value.to_string());
                }
            }
        }
    }
    table
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        2 => Just(Cell::Missing),
        5 => any::<f64>().prop_map(Cell::Number),
        1 => "[a-zü,\"]{0,300}".prop_map(Cell::Text),
    ]
}

fn table() -> impl Strategy<Value = Table> {
    (0usize..20, 0usize..40).prop_flat_map(|(columns, rows)| {
        let numbers = prop_oneof![Just(Cell::Missing), any::<f64>().prop_map(Cell::Number)];
        let row = (
            proptest::collection::vec(numbers, columns / 2),
            proptest::collection::vec(cell(), columns - columns / 2),
        );
        let row = row.prop_map(|(numbers, cells)| [numbers, cells].concat());
        let names = (0..columns)
            .map(|column| format!("columnü {column}"))
            .collect();
        (Just(names), proptest::collection::vec(row, rows))
            .prop_map(|(columns, rows)| Table { columns, rows })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(table in table()) {
        let mut file = Vec::new();
        table.write(Format::Parquet, &mut file).unwrap();
        // NaN is not equal to itself.
        prop_assert_eq!(format!("{:?}", read(&file)), format!("{:?}", expected(&table)));
    }
}
