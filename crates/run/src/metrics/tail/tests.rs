//! Every file that other trainers leave, read whole and in pieces.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;

use proptest::prelude::*;

use super::*;

mod decoded;
mod places;
mod tables;

/// A tail for which small files are large.
fn small(path: &Path) -> Tail {
    Tail::with_limits(path, Limits::small())
}

/// Reads a whole file through a tail.
fn read(text: impl AsRef<[u8]>) -> Metrics {
    read_within(text, Limits::small())
}

fn read_within(text: impl AsRef<[u8]>, limits: Limits) -> Metrics {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, text).unwrap();
    let mut tail = Tail::with_limits(&path, limits);
    tail.poll().unwrap();
    tail.metrics().clone()
}

/// Reads a whole file line by line.
fn by_rows(text: &[u8]) -> Metrics {
    let push_all = |mut reader: Reader| {
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            reader.push(line);
        }
        reader
    };
    let mut reader = push_all(Reader::new(Limits::small()));
    if let Some(corrected) = reader.corrected() {
        reader = push_all(corrected);
    }
    reader.take()
}

fn points(metrics: &Metrics, name: &str) -> Vec<(f64, f64)> {
    let column = metrics.column(name).unwrap();
    column
        .x
        .iter()
        .copied()
        .zip(column.y.iter().copied())
        .collect()
}

fn problems(metrics: &Metrics) -> Vec<String> {
    metrics
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.line, problem.what))
        .collect()
}

#[test]
fn carriage_returns_and_unknown_columns_are_read() {
    let metrics = read("epoch,val_acc,my_own\r\n1,29.33,7\r\n2,34.69,8\r\n");
    assert_eq!(points(&metrics, "val_acc"), [(1.0, 29.33), (2.0, 34.69)]);
    assert_eq!(points(&metrics, "my_own"), [(1.0, 7.0), (2.0, 8.0)]);
    assert!(metrics.problems.is_empty());
}

#[test]
fn a_row_that_comes_again_with_other_values_is_remembered_and_sparse_rows_are_not() {
    let metrics = read("epoch,loss,lr\n1,3,0.1\n2,2,0.1\n2,1.5,0.1\n3,1,0.1\n3,1,0.1\n");
    assert_eq!(metrics.repeated, [2.0]);
    assert_eq!(
        points(&metrics, "loss"),
        [(1.0, 3.0), (2.0, 1.5), (3.0, 1.0)]
    );
    let sparse = read("step,epoch,train_loss,val_loss\n9,0,2,\n9,0,,3\n19,1,1,\n19,1,,2\n");
    assert_eq!(sparse.repeated, [0.0; 0]);
    let resumed = read("epoch,loss\n1,3\n2,2\n2,1\n1,3\n2,2\n");
    assert_eq!((resumed.repeated, resumed.seams), (Vec::new(), vec![1.0]));
}

#[test]
fn half_written_row_is_not_read_until_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, "epoch,loss\n1,2.5\n2,1.").unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    assert_eq!(tail.metrics().rows, 1);
    OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"75\n")
        .unwrap();
    assert_eq!(tail.poll().unwrap(), Change::Grew(1));
    assert_eq!(points(tail.metrics(), "loss"), [(1.0, 2.5), (2.0, 1.75)]);
}

#[test]
fn last_row_without_line_end_is_taken_when_settled_and_taken_back_when_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, "epoch,loss\n1,2.5\n2,1.7").unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    tail.settle().unwrap();
    assert_eq!(points(tail.metrics(), "loss"), [(1.0, 2.5), (2.0, 1.7)]);
    OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"5\n3,1.5\n")
        .unwrap();
    tail.poll().unwrap();
    assert_eq!(
        points(tail.metrics(), "loss"),
        [(1.0, 2.5), (2.0, 1.75), (3.0, 1.5)]
    );
}

#[test]
fn sparse_rows_fill_only_their_own_columns() {
    let metrics = read("epoch,step,train_loss,val_loss\n0,10,2.0,\n0,10,,1.9\n0,20,1.5,\n");
    assert_eq!(metrics.x_name, "step");
    assert_eq!(points(&metrics, "train_loss"), [(10.0, 2.0), (20.0, 1.5)]);
    assert_eq!(points(&metrics, "val_loss"), [(10.0, 1.9)]);
    assert!(metrics.seams.is_empty());
}

#[test]
fn later_part_of_a_resumed_run_replaces_the_overlap() {
    let metrics = read("epoch,loss\n1,3\n2,2\n3,1\nepoch,loss,lr\n2,2.5,0.1\n3,1.5,0.1\n");
    assert_eq!(
        points(&metrics, "loss"),
        [(1.0, 3.0), (2.0, 2.5), (3.0, 1.5)]
    );
    assert_eq!(points(&metrics, "lr"), [(2.0, 0.1), (3.0, 0.1)]);
    assert_eq!(metrics.seams, [2.0]);
}

#[test]
fn not_a_number_and_infinities_are_kept() {
    let metrics = read("epoch,loss\n1,nan\n2,inf\n3,-Infinity\n4,NaN\n5,1e400\n");
    let values = &metrics.column("loss").unwrap().y;
    assert!(values[0].is_nan() && values[3].is_nan());
    assert_eq!(
        (values[1], values[2], values[4]),
        (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY)
    );
    assert!(metrics.problems.is_empty());
}

#[test]
fn damaged_lines_are_named_and_the_rest_is_kept() {
    let metrics = read(b"epoch,loss\n1,3\n2,oops\n3\nx,1\n\xff\xfe,1\n4,2\n");
    assert_eq!(points(&metrics, "loss"), [(1.0, 3.0), (4.0, 2.0)]);
    assert_eq!(
        problems(&metrics),
        [
            "3: has \"oops\" as its loss",
            "4: has 1 cells where the header has 2",
            "5: has \"x\" as its epoch",
            "6: has \"ÿþ\" as its epoch"
        ]
    );
    let unread: Vec<_> = metrics.unread.into_iter().collect();
    assert_eq!(unread, [("epoch".to_owned(), 2), ("loss".to_owned(), 1)]);
}

#[test]
fn text_columns_are_no_series() {
    let metrics = read("epoch,saved,loss\n1,a.pt,2\n2,b.pt,1\n");
    assert_eq!(metrics.text_columns, ["saved"]);
    assert!(metrics.column("saved").is_none() && metrics.problems.is_empty());
    assert!(metrics.unread.is_empty());
}

#[test]
fn file_without_x_is_placed_by_row() {
    let metrics = read("loss\n3\n2\n");
    assert_eq!(
        (metrics.x_name.as_str(), points(&metrics, "loss")),
        ("row", vec![(1.0, 3.0), (2.0, 2.0)])
    );
}

#[test]
fn words_for_nothing_are_missing_cells() {
    let metrics = read("epoch,acc,val_acc\n1,NA,None\n2,0.5,N/A\n3,null,0.25\n");
    assert_eq!(points(&metrics, "acc"), [(2.0, 0.5)]);
    assert_eq!(points(&metrics, "val_acc"), [(3.0, 0.25)]);
    assert!(metrics.problems.is_empty() && metrics.text_columns.is_empty());
}

#[test]
fn header_that_begins_otherwise_is_known_by_its_x_which_stays() {
    let metrics = read("epoch,loss\n1,3\n2,2\nstep,epoch,loss\n100,2,2.5\n200,3,1.5\n");
    assert_eq!(metrics.x_name, "epoch");
    assert_eq!(
        points(&metrics, "loss"),
        [(1.0, 3.0), (2.0, 2.5), (3.0, 1.5)]
    );
    assert_eq!(points(&metrics, "step"), [(2.0, 100.0), (3.0, 200.0)]);
}

#[test]
fn columns_of_one_name_stay_apart() {
    let metrics = read("epoch,loss,loss\n1,3,4\nepoch,loss,loss\n2,5,6\n");
    assert_eq!(points(&metrics, "loss"), [(1.0, 3.0), (2.0, 5.0)]);
    assert_eq!(points(&metrics, "loss (3)"), [(1.0, 4.0), (2.0, 6.0)]);
}

#[test]
fn zeros_after_a_power_failure_are_one_damaged_line_at_any_moment() {
    for limits in [Limits::small(), Limits::default()] {
        zeros_are_one_damaged_line(limits);
    }
}

fn zeros_are_one_damaged_line(limits: Limits) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    let mut text = b"epoch,loss\n1,3\n".to_vec();
    text.resize(text.len() + 3 * limits.line, 0);
    fs::write(&path, &text).unwrap();
    let mut tail = Tail::with_limits(&path, limits);
    tail.poll().unwrap();
    tail.settle().unwrap();
    assert_eq!(problems(tail.metrics()), ["3: is far too long to be a row"]);
    text.extend(b"\n2,2\n3,");
    fs::write(&path, &text).unwrap();
    assert_eq!(tail.poll().unwrap(), Change::Grew(1));
    assert_eq!(*tail.metrics(), read_within(&text, limits));
    assert_eq!(points(tail.metrics(), "loss"), [(1.0, 3.0), (2.0, 2.0)]);
    assert_eq!(tail.metrics().problem_count, 1);
}

#[test]
fn long_header_that_changed_beyond_its_beginning_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    let names: Vec<_> = (0..100).map(|name| format!("column_{name}")).collect();
    let rows = format!("1{}\n", ",2".repeat(100)).repeat(50);
    fs::write(&path, format!("epoch,{}\n{rows}", names.join(","))).unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    let renamed = names.join(",").replace("column_99", "colour_99");
    fs::write(&path, format!("epoch,{renamed}\n{rows}{rows}")).unwrap();
    assert_eq!(tail.poll().unwrap(), Change::Reread);
    assert!(tail.metrics().column("colour_99").is_some());
}

#[test]
fn file_rewritten_in_place_with_more_columns_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, "step,loss\n1,2.5\n").unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    fs::write(&path, "step,loss,val_loss\n1,2.5,\n2,1.5,1.75\n").unwrap();
    assert_eq!(tail.poll().unwrap(), Change::Reread);
    assert_eq!(points(tail.metrics(), "val_loss"), [(2.0, 1.75)]);
}

#[test]
fn unchanged_and_vanished_files_keep_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    fs::write(&path, "epoch,loss\n1,2\n").unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    assert_eq!(tail.poll().unwrap(), Change::Unchanged);
    fs::remove_file(&path).unwrap();
    assert!(tail.poll().is_err());
    assert_eq!(tail.metrics().rows, 1);
}

#[test]
fn header_names_cannot_steer_the_terminal() {
    let metrics = read("epoch,\u{1b}]0;owned\u{7}loss\n1,2\n");
    assert_eq!(metrics.columns[1].name, "loss");
}

/// A cell as trainers and damage write them.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => any::<f64>().prop_map(|number| number.to_string()),
        4 => (0..1000).prop_map(|number| (f64::from(number) / 8.0).to_string()),
        1 => Just(String::new()),
        1 => prop::sample::select(vec!["nan", "NaN", "inf", "-Infinity", "1e400", " 3 ", "+5", "1.", ".5", "-", "e5", "1e", "oops", "\"7\"", "\"a,b\"", "in", "-nan", "fee"])
            .prop_map(str::to_owned),
        1 => "[-+.0-9eEinfaNtyIA \t\r\"]{0,6}",
        1 => prop::sample::select(vec!["NA", "null", "infinity", "+inf", "12%", "3s", "n/a", "\"1", "tensor(1", "2/3", "-0", "1_000", "0x10", "1e-400", "١", "\u{a0}5"]).prop_map(str::to_owned),
    ]
}

/// The x of a row: mostly after the last one, at times equal, before it, or absent.
fn step() -> impl Strategy<Value = Option<i32>> {
    prop_oneof![
        30 => Just(Some(1)),
        4 => Just(Some(0)),
        1 => (-3..0).prop_map(Some),
        1 => Just(None),
    ]
}

/// A file, its cells separated by commas, semicolons or tabs.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let separator = prop::sample::select(vec![b',', b';', b'\t']);
    (file_of_commas(), separator).prop_map(|(mut text, separator)| {
        for byte in &mut text {
            *byte = if *byte == b',' { separator } else { *byte };
        }
        text
    })
}

/// Mostly good rows, long enough to pass through polars when repeated, with damage in between.
fn file_of_commas() -> impl Strategy<Value = Vec<u8>> {
    let row = (step(), prop::collection::vec(cell(), 3));
    // Without text and damage, so that polars takes it.
    let plain = prop_oneof![
        any::<f64>().prop_map(|number| number.to_string()),
        Just(String::new())
    ];
    let plain = (step(), prop::collection::vec(plain, 3));
    let odd = prop::sample::select(vec![
        b"epoch,a,b,c,d\n".to_vec(),
        b"1,2\n".to_vec(),
        b"1,2,3,4,5,6\n".to_vec(),
        b"\n".to_vec(),
        b"\xff\xfe\n".to_vec(),
        b"2,1,1,1\r\n".to_vec(),
        b"\0,1,2,3\n".to_vec(),
        b"a,epoch,c\n".to_vec(),
        [vec![b'0'; Limits::small().line + 9], b",1,2,3\n".to_vec()].concat(),
        b"# a comment, with a comma\n".to_vec(),
        b"===== begin =====\n".to_vec(),
        b"3,\"a\nb\",1,1\n".to_vec(),
    ]);
    let line = |row| prop_oneof![30 => row, 1 => Just(None)];
    let nasty = line(row.prop_map(Some).boxed());
    let plain = line(plain.prop_map(Some).boxed());
    let body = |line| prop::collection::vec((line, odd.clone(), any::<bool>()), 0..60);
    (
        prop_oneof![body(nasty.boxed()), body(plain.boxed())],
        0_u64..3,
    )
        .prop_map(|(body, repeats)| {
            let mut text = b"epoch,a,b,c\n".to_vec();
            let mut epoch = 0;
            // Repeated often enough, the same rows make a block that is large enough for polars.
            for _ in 0..=repeats * 20 {
                for (row, odd, carriage_return) in &body {
                    match row {
                        Some((step, cells)) => {
                            epoch += step.unwrap_or(0);
                            let x = step.map(|_| epoch.to_string()).unwrap_or_default();
                            let end = if *carriage_return { "\r\n" } else { "\n" };
                            text.extend(format!("{x},{}{end}", cells.join(",")).bytes());
                        }
                        None => text.extend(odd),
                    }
                }
            }
            text
        })
}

/// NaN is not equal to itself: compare what is shown.
fn shown(metrics: &Metrics) -> String {
    format!("{metrics:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn growing_in_any_steps_gives_what_one_read_gives(text in file(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        fs::write(&path, b"").unwrap();
        let mut growing = OpenOptions::new().append(true).open(&path).unwrap();
        let mut tail = small(&path);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).chain([text.len()]).collect();
        ends.sort_unstable();
        let mut taking = small(&path);
        let mut taken = Metrics::default();
        let mut start = 0;
        for end in ends {
            growing.write_all(&text[start..end]).unwrap();
            tail.poll().unwrap();
            start = end;
            let before = taken.columns.clone();
            if taking.poll().unwrap() == Change::Reread {
                taken = Metrics::default();
            }
            let kept = taken.absorb(taking.take());
            for ((kept, before), after) in kept.into_iter().zip(&before).zip(&taken.columns) {
                prop_assert_eq!(format!("{:?}", &before.y[..kept]), format!("{:?}", &after.y[..kept]));
            }
        }
        prop_assert_eq!(shown(tail.metrics()), shown(&read(&text)));
        prop_assert_eq!(shown(&taken), shown(&read(&text)));
    }

    #[test]
    fn polars_and_the_row_parser_cannot_be_distinguished(text in file()) {
        prop_assert_eq!(shown(&read(&text)), shown(&by_rows(&text)));
    }
}

#[test]
fn every_cell_counts_by_rows_and_through_polars_where_a_count_begins_anew() {
    let mut text = String::from("epoch\tstep\tloss\n");
    for row in 0..20_000 {
        let (epoch, step) = (row / 1000, row % 1000);
        writeln!(text, "{epoch}\t{step}\t{row}").unwrap();
    }
    let whole = read(&text);
    assert_eq!(whole, by_rows(text.as_bytes()));
    assert_eq!(whole.x_name, "running step");
    let expected: Vec<f64> = (0..20_000).map(f64::from).collect();
    let loss = whole.column("loss").unwrap();
    assert!(loss.x == expected && loss.y == expected);
}

#[test]
fn large_clean_file_is_the_same_through_polars_and_by_rows() {
    let mut text = String::from("epoch,loss,val_acc\n");
    for epoch in 1..=20_000 {
        let value = f64::from(epoch).sqrt() / 7.0;
        let validated = if epoch % 3 == 0 {
            (value * 0.1).to_string()
        } else {
            String::new()
        };
        writeln!(text, "{epoch},{value},{validated}").unwrap();
    }
    let whole = read(&text);
    assert_eq!(whole, by_rows(text.as_bytes()));
    assert_eq!(whole.column("val_acc").unwrap().x.len(), 6666);
}

/// Files on both sides of each shipped border, with a damaged line there.
#[test]
fn shipped_limits_change_nothing_of_what_is_read() {
    let limits = Limits::default();
    let parallel = limits.parallel as usize;
    let borders = [limits.block, limits.first, limits.piece, parallel];
    for length in borders
        .into_iter()
        .flat_map(|border| [border - 40, border + 40])
    {
        let mut text = b"epoch,loss\n".to_vec();
        let mut epoch = 0;
        while text.len() < length {
            epoch += 1;
            writeln!(text, "{epoch},{}", f64::from(epoch).sqrt()).unwrap();
        }
        text.extend(b"lost\n7777777,1\n");
        let mut by_rows = Reader::new(limits);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            by_rows.push(line);
        }
        let whole = read_within(&text, limits);
        assert_eq!(whole, *by_rows.metrics(), "{length}");
        assert_eq!((whole.rows, whole.problem_count), (epoch as usize + 1, 1));
    }
}

#[test]
fn what_is_handed_over_has_no_room_beyond_its_points() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    // The densest file: a figure a cell. Just beyond a power of two, where growing has doubled.
    let rows = (1 << 15) + 1;
    let mut text = "epoch,a,b,c,d,e,f,g\n".to_owned();
    for row in 1..=rows {
        writeln!(text, "{row},1,2,3,4,5,6,7").unwrap();
    }
    fs::write(&path, &text).unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    let taken = tail.take();
    let room = |values: &Vec<f64>| values.capacity() * size_of::<f64>();
    let columns = taken.columns.iter();
    let held: usize = columns
        .map(|column| room(&column.x) + room(&column.y))
        .sum();
    // Two numbers a cell, its place and its value.
    assert_eq!(held, 8 * rows * 2 * size_of::<f64>());
    assert!(held < 8 * text.len(), "{held} for {}", text.len());
}

#[test]
fn only_a_header_or_nothing_at_all_is_blank() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    let long = format!("epoch,loss\n{}\n", "x".repeat(20 << 10));
    for (text, is_blank) in [
        ("", true),
        ("\n\n", true),
        ("epoch,loss\n", true),
        ("\u{feff}epoch,loss\r\n\r\n", true),
        ("epoch,loss\n1,0.5\n", false),
        ("step,train_loss\n50,0.5\n", false),
        // A row that is not finished, a header that is not.
        ("epoch,loss\n1,0.5", false),
        ("epoch,loss\n1,", false),
        ("epoch,loss", false),
        // No header, an unknown separator, a table of text, lines that are no rows.
        ("1,0.5\n", false),
        ("epoch;loss\n1;0.5\n", false),
        ("model,rank\nresnet,high\n", false),
        ("model,rank\nmodel,high\n", false),
        ("epoch,loss\n1,2,3\n", false),
        ("epoch,loss\nlost,high\n", false),
        ("# a comment\n", false),
        ("epoch,loss\n# a comment\n", false),
        ("# a comment\nepoch,loss\n", false),
        ("epoch,loss\n=====\n", false),
        ("epoch,loss\n\"1\n", false),
        ("epoch loss\n", false),
        ("epoch;loss\n", false),
        ("epoch,loss\nepoch,loss\n", false),
        (long.as_str(), false),
    ] {
        std::fs::write(&path, text).unwrap();
        let mut tail = small(&path);
        tail.poll().unwrap();
        assert_eq!(tail.is_blank(), is_blank, "{text:.40}");
        tail.settle().unwrap();
        assert_eq!(tail.is_blank(), is_blank, "{text:.40}");
        tail.take();
        assert_eq!(tail.is_blank(), is_blank, "{text:.40}");
    }
    std::fs::write(&path, b"epoch,loss\n\xff\xfe\n").unwrap();
    let mut tail = small(&path);
    tail.poll().unwrap();
    assert!(!tail.is_blank());
}
