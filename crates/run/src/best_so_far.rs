//! A run's best value up to each epoch, to compare another run with.

use std::time::SystemTime;

use super::best_and_trend;
use super::found::Found;
use super::layout::RunDir;
use super::metric_names::Direction;
use super::metrics::Metrics;
use super::primary::Judged;
use super::settled;

/// The best value of a run up to each epoch, of the column that lists judge it by.
#[derive(Debug, Clone, PartialEq)]
pub struct BestSoFar {
    pub column: String,
    pub direction: Direction,
    /// Each epoch that was the best until then, with its value.
    records: Vec<(f64, f64)>,
    /// The last epoch.
    last: f64,
}

impl BestSoFar {
    /// Reads a run's; `None` if it has no rows by epochs, or nothing to judge it by.
    pub fn read(dir: &RunDir) -> Option<Self> {
        Self::load(&Found::look(dir.clone()))
    }

    /// As [`BestSoFar::read`], of a run that was found already.
    pub fn load(found: &Found) -> Option<Self> {
        let whole = settled::read(found, SystemTime::now());
        whole.read.ok()?;
        Self::of(&whole.metrics)
    }

    /// That of metrics which are at hand.
    pub fn of(metrics: &Metrics) -> Option<Self> {
        let judged = Judged::of(metrics);
        let trend = judged.trend.as_ref();
        let trend = trend.filter(|_| best_and_trend::is_placed_by_epoch(metrics))?;
        let column = judged.column(trend);
        let records = best_and_trend::records(&judged).into_iter();
        Some(Self {
            records: records
                .filter_map(|x| Some((x, column.at_or_before(x)?)))
                .collect(),
            direction: trend.direction,
            last: column.last()?.0,
            column: column.name.clone(),
        })
    }

    /// The best by an epoch; `None` if the run did not come so far, or had nothing by then.
    pub fn by(&self, epoch: f64) -> Option<f64> {
        let known = self.records.partition_point(|(at, _)| *at <= epoch);
        let (_, best) = self.records.get(known.checked_sub(1)?)?;
        (self.last >= epoch).then_some(*best)
    }

    pub fn best(&self) -> Option<f64> {
        self.records.last().map(|(_, best)| *best)
    }

    /// The last epoch.
    pub fn last(&self) -> f64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(text: &str) -> Option<BestSoFar> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("metrics.csv"), text).unwrap();
        BestSoFar::read(&RunDir::new(folder.path()))
    }

    #[test]
    fn it_is_the_best_until_then_and_nothing_beyond_the_end() {
        let rises = course("epoch,val_acc,val_loss\n1,20,2\n2,40,1\n3,30,3\n4,50,1\n").unwrap();
        let by: Vec<_> = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
            .map(|epoch| rises.by(epoch))
            .to_vec();
        assert_eq!(
            by,
            [None, Some(20.0), Some(40.0), Some(40.0), Some(50.0), None]
        );
        assert_eq!(
            (rises.best(), rises.direction, rises.column.as_str()),
            (Some(50.0), Direction::Higher, "val_acc")
        );
        let falls = course("epoch,val_loss\n1,2\n2,1\n3,3\n").unwrap();
        assert_eq!(
            (falls.by(3.0), falls.direction),
            (Some(1.0), Direction::Lower)
        );
        let spelled = course("Epochs,val_acc\n1,20\n").unwrap();
        assert_eq!(spelled.best(), Some(20.0));
    }

    #[test]
    fn without_epochs_or_anything_to_judge_by_there_is_none() {
        assert_eq!(course("epoch,lr\n1,0.1\n"), None);
        assert_eq!(course("step,val_acc\n10,20\n20,30\n"), None);
        assert_eq!(BestSoFar::read(&RunDir::new("/nowhere")), None);
    }
}
