//! Rows that something else places than it seemed.

use super::*;

#[test]
fn several_rows_of_an_epoch_are_placed_by_their_batch_or_counted() {
    let text = "epoch,batch,loss\n1,0,9\n1,100,8\n1,200,7\n2,0,6\n2,100,5\n2,200,4\n";
    for metrics in [read(text), by_rows(text.as_bytes())] {
        assert_eq!(metrics.x_name, "running batch");
        let loss = points(&metrics, "loss");
        let expected = [
            (0.0, 9.0),
            (100.0, 8.0),
            (200.0, 7.0),
            (300.0, 6.0),
            (400.0, 5.0),
            (500.0, 4.0),
        ];
        assert_eq!(loss, expected);
        assert!(metrics.repeated.is_empty());
    }
    let text = "epoch,loss\n1,9\n1,8\n2,7\n2,6\n";
    for metrics in [read(text), by_rows(text.as_bytes())] {
        assert_eq!(metrics.x_name, "row");
        let loss = points(&metrics, "loss");
        assert_eq!(loss, [(1.0, 9.0), (2.0, 8.0), (3.0, 7.0), (4.0, 6.0)]);
        let epochs = points(&metrics, "epoch");
        assert_eq!(epochs.last(), Some(&(4.0, 2.0)));
    }
    // A size of batches is none, and an epoch that was trained again replaces.
    let resumed = read("epoch,batch,loss\n1,32,9\n2,32,8\n3,32,7\n3,32,6\n4,32,5\n");
    assert_eq!(resumed.x_name, "epoch");
    assert_eq!(points(&resumed, "loss").len(), 4);
}

#[test]
fn folds_and_seeds_in_one_file_stand_behind_each_other() {
    let text = "fold,epoch,val_acc\n0,1,0.5\n0,2,0.7\n1,1,0.6\n1,2,0.9\n";
    for metrics in [read(text), by_rows(text.as_bytes())] {
        let accuracy = points(&metrics, "val_acc");
        assert_eq!(accuracy, [(1.0, 0.5), (2.0, 0.7), (3.0, 0.6), (4.0, 0.9)]);
        assert!(metrics.seams.is_empty());
    }
}

#[test]
fn rows_with_the_newest_first_are_counted() {
    for metrics in [
        read("epoch,val_acc\n3,0.6\n2,0.7\n1,0.5\n"),
        by_rows(b"epoch,val_acc\n3,0.6\n2,0.7\n1,0.5\n"),
    ] {
        let accuracy = points(&metrics, "val_acc");
        assert_eq!(accuracy, [(1.0, 0.6), (2.0, 0.7), (3.0, 0.5)]);
        assert_eq!(points(&metrics, "epoch")[1], (2.0, 2.0));
    }
}
