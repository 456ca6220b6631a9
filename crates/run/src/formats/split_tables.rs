//! A table for each part of the data, as `train_log.csv` beside `val_log.csv`: their names are a
//! word for the part and the same rest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Listing;
use super::splits::of_data;
use super::table::{Course, ENDINGS};
use crate::metric_names::{self, Split};
use crate::metrics;

/// With more of such files a folder is one of data.
const MAX_TABLES: usize = 24;

/// What separates the words of a name.
const SEPARATORS: [char; 4] = ['_', '-', '.', ' '];

/// The tables of a folder that are the course of one run together: those that come with one of
/// another part, and what the same parts have beside these, placed by the same column; and those
/// that have the same columns of the same part once more, as a table for each fold does.
pub fn find(listing: &Listing) -> Option<(Course, Vec<Course>)> {
    let named = listing.files.iter().filter_map(|file| {
        let (split, rest) = read(file)?;
        Some((rest.to_ascii_lowercase(), split, file))
    });
    let mut named: Vec<_> = named.collect();
    named.sort();
    let has_pair = |(rest, split, _): &(String, Split, &String)| {
        named.iter().any(|it| it.0 == *rest && it.1 != *split)
    };
    if named.len() > MAX_TABLES || !named.iter().any(has_pair) {
        return None;
    }
    let course = |path: PathBuf| Course::look(&path).filter(Course::is_placed_by_count);
    let in_listing = |file: &String| listing.path.join(file);
    let mut pairs: Vec<Course> = Vec::new();
    let mut others: Vec<Course> = Vec::new();
    for it in &named {
        let list = if has_pair(it) {
            &mut pairs
        } else {
            &mut others
        };
        list.extend(course(in_listing(it.2)));
    }
    // The tables of validation and test determine how the rows of all are placed.
    let split = |course: &Course| read_path(&course.paths[0]).map(|(split, _)| split);
    let first = pairs.iter().max_by_key(|course| split(course))?;
    let x_name = first.x_name.clone();
    let mut tables: Vec<Course> = pairs.into_iter().chain(others).collect();
    tables.retain(|course| course.x_name == x_name);
    tables.sort_by_key(&split);
    let mut taken = BTreeSet::new();
    let is_once_more = |course: &mut Course| {
        let columns = course
            .names
            .iter()
            .filter(|name| !metrics::only_places(name));
        let columns: Vec<_> = columns.map(|name| (split(course), name.clone())).collect();
        let is_new = columns.iter().all(|column| !taken.contains(column));
        taken.extend(columns.into_iter().filter(|_| is_new));
        !is_new
    };
    let again: Vec<Course> = tables.extract_if(.., is_once_more).collect();
    let count = |wanted| tables.iter().filter(|it| split(it) == Some(wanted)).count();
    let parts = [Split::Train, Split::Validation, Split::Test].map(count);
    let is_judged = tables.iter().any(Course::is_judged);
    if parts.iter().filter(|count| **count > 0).count() < 2 || !is_judged {
        return None;
    }
    let course = Course {
        has_validation: true,
        names: tables.iter().flat_map(|it| it.names.clone()).collect(),
        paths: tables.into_iter().flat_map(|it| it.paths).collect(),
        x_name,
    };
    Some((course, again))
}

/// What a column of a table is called in the run: one that says its part already, and one that
/// places rows, as it is.
pub fn naming(file: &str, column: &str) -> String {
    let is_place = metrics::only_places(column) || metrics::is_placed_by_date(column);
    match read(file) {
        Some((split, _)) if !is_place && metric_names::read(column).split.is_none() => {
            of_data(split.prefix(), column)
        }
        _ => column.to_owned(),
    }
}

fn read_path(path: &Path) -> Option<(Split, String)> {
    read(path.file_name()?.to_str()?)
}

/// The part of the data that a file's name begins or ends with, and the rest of the name.
fn read(file: &str) -> Option<(Split, String)> {
    let ending = ENDINGS.iter().find_map(|ending| {
        let start = file.len().checked_sub(ending.len() + 1)?;
        let is_it = file.get(start..)?.strip_prefix('.')?;
        is_it.eq_ignore_ascii_case(ending).then_some(start)
    })?;
    let (stem, ending) = file.split_at(ending);
    let first = stem.split_once(SEPARATORS).unwrap_or((stem, ""));
    let last = stem
        .rsplit_once(SEPARATORS)
        .map(|(rest, word)| (word, rest));
    let (split, rest) = [Some(first), last]
        .into_iter()
        .flatten()
        .find_map(|(word, rest)| Some((Split::named(word)?, rest)))?;
    Some((split, format!("{rest}{ending}")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Tree;

    const TRAIN: &str = "epoch,loss,acc\n1,1,.5\n2,.5,.6\n";
    const VALIDATION: &str = "epoch,loss,acc\n1,1.2,.4\n2,1.3,.55\n";

    #[test]
    fn tables_of_the_parts_of_the_data_are_one_run() {
        for [train, validation] in [
            ["train_log.csv", "val_log.csv"],
            ["train.csv", "val.csv"],
            ["train_metrics.csv", "valid_metrics.csv"],
            ["log-train.tsv", "log-test.tsv"],
            ["train.log", "val.log"],
        ] {
            let of = |file: &str, text: &str| {
                let is_tabs = !file.ends_with("csv");
                text.replace(',', if is_tabs { "\t" } else { "," })
            };
            let tree = Tree::new(&[
                (&format!("r/{train}"), &of(train, TRAIN)),
                (&format!("r/{validation}"), &of(validation, VALIDATION)),
            ]);
            assert_eq!(tree.paths(), ["r"], "{train}");
            let summary = tree.summary();
            let part = if validation.contains("test") {
                "test"
            } else {
                "val"
            };
            assert_eq!((summary.rows, summary.epochs_done), (2, 2), "{train}");
            assert_eq!(summary.last("train/loss"), Some(0.5), "{train}");
            assert_eq!(summary.last(&format!("{part}/loss")), Some(1.3), "{train}");
            assert_eq!(summary.last("epoch"), Some(2.0), "{train}");
            assert_eq!(summary.last.len(), 5, "{train}: {:?}", summary.last);
            let best = summary.best.unwrap();
            assert_eq!(best.metric, format!("{part}/acc"), "{train}");
            assert_eq!(best.value, 0.55, "{train}");
        }
    }

    #[test]
    fn a_table_for_each_metric_and_part_is_no_run_of_its_own() {
        let tree = Tree::new(&[
            ("r/train_loss.csv", "epoch,train_loss\n1,1\n2,.5\n"),
            ("r/val_loss.csv", "epoch,loss\n1,1.2\n2,.9\n"),
            ("r/val_acc.csv", "epoch,acc\n1,.7\n2,.8\n3,.9"),
        ]);
        let summary = tree.summary();
        let mut names: Vec<_> = summary.last.iter().map(|it| it.0.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["epoch", "train_loss", "val/acc", "val/loss"]);
        // What is not ended counts as soon as nothing writes any more.
        assert_eq!(summary.epochs_done, 3);
        let mut source = tree.runs()[0].1.open_metrics();
        source.poll().unwrap();
        source.settle().unwrap();
        assert_eq!(
            source.metrics().column("val/acc").unwrap().y,
            [0.7, 0.8, 0.9]
        );
        assert_eq!(source.metrics().column("epoch").unwrap().y, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn tables_of_other_folds_are_named_and_not_mixed() {
        let tree = Tree::new(&[
            ("r/train_fold1.csv", TRAIN),
            ("r/val_fold1.csv", VALIDATION),
            (
                "r/train_fold2.csv",
                "epoch,loss,acc\n1,9,.1\n2,9,.1\n3,9,.1\n",
            ),
            (
                "r/val_fold2.csv",
                "epoch,loss,acc\n1,9,.9\n2,9,.9\n3,9,.9\n",
            ),
        ]);
        let summary = tree.summary();
        assert_eq!(
            (summary.best.unwrap().value, summary.epochs_done),
            (0.55, 2)
        );
        let mut others = summary.sources;
        others.sort();
        assert_eq!(others, ["train_fold2.csv", "val_fold2.csv"]);
    }

    #[test]
    fn tables_of_data_are_no_run() {
        let tree = Tree::new(&[
            ("a/train.csv", "id,label\n1,3\n2,4\n"),
            ("a/val.csv", "id,label\n1,3\n2,4\n"),
            ("b/train.csv", "step,text,loss\n1,a word,1\n2,more,2\n"),
            ("b/val.csv", "step,text,loss\n1,a word,1\n2,more,2\n"),
            (
                "c/train.csv",
                "date,loss,sales\n2020-01-01,1,2\n2020-01-02,2,3\n",
            ),
            (
                "c/test.csv",
                "date,loss,sales\n2020-02-01,1,2\n2020-02-02,2,3\n",
            ),
            ("d/train_x.csv", TRAIN),
            ("d/val_y.csv", VALIDATION),
            ("e/train.csv", "step,width,height\n1,3,4\n2,3,4\n"),
            ("e/val.csv", "step,width,height\n1,3,4\n2,3,4\n"),
            ("f/train.txt", "1 0 0 1\n2 0 0 1\n"),
            ("f/val.txt", "1 0 0 1\n2 0 0 1\n"),
        ]);
        assert_eq!(tree.paths(), [""; 0]);
    }

    #[test]
    fn tables_that_other_columns_place_do_not_mix() {
        let steps = "step,loss\n100,1\n200,.5\n300,.4\n";
        let tree = Tree::new(&[("r/train_log.csv", steps), ("r/val_log.csv", VALIDATION)]);
        let summary = tree.summary();
        assert_eq!((summary.x.as_str(), summary.rows), ("step", 3));
    }
}
