use std::io::Cursor;

use polars::prelude::AnyValue;
use polars_io::SerReader;
use polars_io::parquet::read::ParquetReader;
use proptest::prelude::*;

use super::super::{Cell, Format, Table, Texts};
use super::unlike;

fn read(file: Vec<u8>) -> Table {
    let frame = ParquetReader::new(Cursor::new(file)).finish().unwrap();
    let cell = |value: AnyValue| match value {
        AnyValue::Null => Cell::Missing,
        AnyValue::Float64(value) => Cell::Number(value),
        AnyValue::String(text) => Cell::Text(text.to_owned()),
        AnyValue::StringOwned(text) => Cell::Text(text.to_string()),
        other => panic!("{other:?}"),
    };
    let columns = frame.columns();
    let row = |at: usize| {
        let cells = columns.iter().map(|column| cell(column.get(at).unwrap()));
        cells.collect()
    };
    Table {
        columns: columns
            .iter()
            .map(|column| column.name().to_string())
            .collect(),
        rows: (0..frame.height()).map(row).collect(),
    }
}

/// What is read of a table, by plain loops: in a column that has words, numbers are words.
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
    (1usize..20, 0usize..40).prop_flat_map(|(columns, rows)| {
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
        table.write(Format::Parquet, Texts::Safe, &mut file).unwrap();
        // NaN is not equal to itself.
        prop_assert_eq!(format!("{:?}", read(file)), format!("{:?}", expected(&table)));
    }
}

#[test]
fn columns_of_one_name_are_distinguished() {
    let names = ["lr", "lr", "a", "lr 2", "lr"].map(str::to_owned);
    assert_eq!(unlike(&names), ["lr", "lr 2", "a", "lr 2 2", "lr 3"]);
    let table = Table {
        columns: names.to_vec(),
        rows: vec![(0..5).map(|at| Cell::Number(f64::from(at))).collect()],
    };
    let mut file = Vec::new();
    table
        .write(Format::Parquet, Texts::Safe, &mut file)
        .unwrap();
    assert_eq!(read(file).rows, table.rows);
}
