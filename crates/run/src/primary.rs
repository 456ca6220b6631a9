//! The metric by which a run is judged: the one that somebody says counts, else a guess.

use super::judging::Judging;
use super::metric_names::{self, Direction, Kind, MetricName, Split};
use super::metrics::{Column, Metrics};

/// What a run is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Primary {
    /// Its place among the columns.
    pub column: usize,
    pub direction: Direction,
    /// Whether it was guessed rather than configured.
    pub guessed: bool,
}

/// The metrics with what their names say.
#[derive(Debug)]
pub struct Judged<'a> {
    pub metrics: &'a Metrics,
    names: Vec<MetricName>,
    /// What it is judged by, if by anything.
    pub primary: Option<Primary>,
    /// Whose course is shown: the primary metric's, else that of what it was trained with. The
    /// lowest training loss is never called the best.
    pub trend: Option<Primary>,
}

impl<'a> Judged<'a> {
    pub fn of(metrics: &'a Metrics) -> Self {
        let names = metrics.columns.iter();
        let mut judged = Self {
            names: names
                .map(|column| metric_names::read(&column.name))
                .collect(),
            metrics,
            primary: None,
            trend: None,
        };
        judged.primary = judged.named().or_else(|| judged.guess(Self::standing));
        let trained = |judged: &Self| judged.guess(Self::standing_in_training);
        judged.trend = judged.primary.clone().or_else(|| trained(&judged));
        judged
    }

    pub fn column(&self, primary: &Primary) -> &'a Column {
        &self.metrics.columns[primary.column]
    }

    pub fn name(&self, primary: &Primary) -> &MetricName {
        &self.names[primary.column]
    }

    /// The columns with what their names say.
    pub fn columns(&self) -> impl Iterator<Item = (&'a Column, &MetricName)> {
        self.metrics.columns.iter().zip(&self.names)
    }

    /// The one that the user, the project or the trainer names, if the run has it.
    fn named(&self) -> Option<Primary> {
        let judging = &self.metrics.judging;
        let column = judging.primaries().find_map(|wanted| self.find(wanted))?;
        let spelled = &self.metrics.columns[column].name;
        let (direction, guessed) = direction(judging, spelled, &self.names[column]);
        Some(Primary {
            column,
            direction,
            guessed,
        })
    }

    /// The column that `wanted` names: by its own name, as another trainer may spell it, or without
    /// its split (`accuracy` for `eval_accuracy`).
    fn find(&self, wanted: &str) -> Option<usize> {
        let columns = || (0..self.names.len()).filter(|at| self.has_value(*at));
        let exact = columns().find(|at| self.metrics.columns[*at].name == wanted);
        let wish = metric_names::read(wanted);
        let same = |at: &usize| self.names[*at].quantity == wish.quantity;
        let of =
            |split: Option<Split>| columns().find(|at| same(at) && self.names[*at].split == split);
        exact.or_else(|| of(wish.split)).or_else(|| {
            let splits = [Split::Validation, Split::Test, Split::Train].into_iter();
            splits
                .filter(|_| wish.split.is_none())
                .find_map(|split| of(Some(split)))
        })
    }

    fn guess<Standing: Ord>(
        &self,
        standing: impl Fn(&Self, usize) -> Option<Standing>,
    ) -> Option<Primary> {
        let rated = (0..self.names.len()).filter_map(|at| Some((standing(self, at)?, at)));
        let (_, column) = rated.min()?;
        Some(Primary {
            column,
            direction: self.direction(column)?,
            guessed: true,
        })
    }

    fn direction(&self, column: usize) -> Option<Direction> {
        let stated = self
            .metrics
            .judging
            .direction(&self.metrics.columns[column].name);
        stated.or(self.names[column].direction)
    }

    /// Validation before test, quality before reward before loss, and never what was measured in
    /// training, except rewards. A name without a split is validation's for a measure of quality
    /// (`bleu`), training's where another split has the same (`accuracy` beside `val_accuracy`),
    /// and comes last for a loss.
    fn standing(&self, column: usize) -> Option<impl Ord + use<>> {
        let name = &self.names[column];
        let class = self.class(column)?;
        let is_reward = name.kind == Kind::Reward;
        let has_sibling = || {
            let is = |other: &MetricName| {
                other.quantity == name.quantity
                    && matches!(other.split, Some(Split::Validation | Split::Test))
            };
            // Also where it has no value: it may be missing, but must not count as training.
            self.names.iter().any(is)
        };
        let (tier, is_unnamed) = match name.split {
            Some(Split::Validation) => (0, false),
            None if has_sibling() => (3, true),
            None if class < LOSS => (0, true),
            Some(Split::Test) => (1, false),
            None => (2, true),
            Some(Split::Train) => (3, false),
        };
        // The best until then comes after all that has a course.
        let tier = if name.is_record { tier.max(2) } else { tier };
        let class = if name.is_record { class + 3 } else { class };
        (tier < 3 || is_reward).then_some((tier, class, is_unnamed, name.rank, name.qualifiers))
    }

    fn standing_in_training(&self, column: usize) -> Option<impl Ord + use<>> {
        let name = &self.names[column];
        let class = self.class(column)?;
        Some((std::cmp::Reverse(class), name.rank, name.qualifiers))
    }

    /// Quality, reward or loss; `None` for metrics that never judge a run.
    fn class(&self, column: usize) -> Option<u8> {
        let name = &self.names[column];
        let class = match name.kind {
            Kind::Accuracy | Kind::Score => 0,
            Kind::Reward => 1,
            Kind::Loss | Kind::Error => LOSS,
            // The user says which way is better, so it is worth something.
            _ => {
                let own = &self.metrics.columns[column].name;
                self.metrics.judging.direction(own).map(|_| 0)?
            }
        };
        self.has_value(column).then_some(class)
    }

    fn has_value(&self, column: usize) -> bool {
        let column = &self.metrics.columns[column];
        column.name != self.metrics.x_name && column.y.iter().any(|value| value.is_finite())
    }
}

/// The class of losses.
const LOSS: u8 = 2;

/// Which way is better, of a metric of any run that is judged so: as somebody says, else as its
/// name does, else more; and whether that is a guess.
pub fn direction(judging: &Judging, spelled: &str, read: &MetricName) -> (Direction, bool) {
    if let Some(stated) = judging.direction(spelled) {
        return (stated, false);
    }
    let is_guess = read.is_guess || read.direction.is_none();
    (read.direction.unwrap_or(Direction::Higher), is_guess)
}

#[cfg(test)]
mod tests {
    use super::super::judging::{MetricSettings, TrainerMetric};
    use super::*;
    use std::sync::Arc;

    fn metrics(names: &str) -> Metrics {
        let columns = names.split(", ").map(|name| Column {
            name: name.trim_end_matches("_nan").to_owned(),
            x: vec![1.0, 2.0],
            // A header may name what no row has.
            y: vec![
                if name.ends_with("_nan") {
                    f64::NAN
                } else {
                    1.0
                };
                2
            ],
        });
        Metrics {
            x_name: "epoch".to_owned(),
            columns: columns.collect(),
            ..Metrics::default()
        }
    }

    fn primary(metrics: &Metrics) -> Option<(&str, Direction, bool)> {
        let judged = Judged::of(metrics);
        let primary = judged.primary.as_ref()?;
        let name = judged.column(primary).name.as_str();
        Some((name, primary.direction, primary.guessed))
    }

    #[test]
    fn what_counts_is_guessed_from_all_names_together() {
        for (names, expected) in [
            (
                "epoch, train_loss, train_acc, val_loss, val_acc",
                "val_acc higher",
            ),
            (
                "Epoch, Train Loss, Train Acc (%), Val Loss, Val Acc (%)",
                "Val Acc (%) higher",
            ),
            (
                "epoch, train_loss, val_loss, val_dice, val_mIoU",
                "val_dice higher",
            ),
            ("epoch, tr_acc, te_acc", "te_acc higher"),
            ("epoch, train_loss, test_acc, best_acc", "test_acc higher"),
            ("epoch, val_loss, val_acc_best", "val_loss lower"),
            ("epoch, train_loss, val_acc_best", "val_acc_best higher"),
            ("step, aAcc, mIoU, mAcc", "mIoU higher"),
            ("epoch, val_pixel_acc, val_mIoU", "val_mIoU higher"),
            ("epoch, train_loss, test_1-acc", "test_1-acc lower"),
            ("step, gen_loss, val_PSNR", "val_PSNR higher"),
            (
                "epoch, train_loss, eval_loss, eval_top1, eval_top5, lr",
                "eval_top1 higher",
            ),
            (
                "epoch, time, train/box_loss, metrics/precision(B), metrics/mAP50(B), metrics/mAP50-95(B), val/box_loss, lr/pg0",
                "metrics/mAP50-95(B) higher",
            ),
            (
                "loss, sparse_categorical_accuracy, val_loss, val_sparse_categorical_accuracy",
                "val_sparse_categorical_accuracy higher",
            ),
            (
                "lr, loss, time, memory, coco/bbox_mAP, coco/bbox_mAP_s",
                "coco/bbox_mAP higher",
            ),
            (
                "time/total_timesteps, rollout/ep_rew_mean, rollout/ep_len_mean, train/loss, time/time_elapsed",
                "rollout/ep_rew_mean higher",
            ),
            (
                "Epoch, AverageEpRet, StdEpRet, AverageTestEpRet, EpLen, LossPi, KL, Time",
                "AverageTestEpRet higher",
            ),
            (
                "epoch, train_loss, valid_loss, accuracy, error_rate, time",
                "accuracy higher",
            ),
            (
                "epoch, loss, accuracy, val_loss, test_accuracy",
                "val_loss lower",
            ),
            ("epoch, train_loss, test_loss, test_acc", "test_acc higher"),
            ("epoch, val_loss, test_acc", "val_loss lower"),
            ("step, eval_loss, eval_wer, loss", "eval_wer lower"),
            ("step, val_loss, val_mae", "val_loss lower"),
            (
                "iteration, total_loss, loss_box_reg, lr",
                "total_loss lower",
            ),
            ("step, loss, grad_norm, lr", "loss lower"),
            ("epoch, val_acc_nan, val_loss", "val_loss lower"),
            ("epoch, accuracy, loss, val_accuracy_nan, val_loss_nan", ""),
            ("epoch, train_loss, train_acc", ""),
            ("epoch, lr, time, grad_norm, val_my_own", ""),
        ] {
            let metrics = metrics(names);
            let found = primary(&metrics).map_or_else(String::new, |(name, direction, guessed)| {
                assert!(guessed);
                format!("{name} {direction}")
            });
            assert_eq!(found, expected, "{names}");
        }
    }

    #[test]
    fn training_values_alone_have_a_trend_and_no_best() {
        let metrics = metrics("epoch, train_acc, train_loss");
        let judged = Judged::of(&metrics);
        assert_eq!(judged.primary, None);
        let trend = judged.trend.as_ref().unwrap();
        assert_eq!(judged.column(trend).name, "train_loss");
    }

    #[test]
    fn what_somebody_says_counts_first() {
        let names = "epoch, train_loss, eval_loss, eval_accuracy, my_score, val_dice";
        let judged = |stated: &[MetricSettings], logged: Option<TrainerMetric>| {
            let judging = Judging {
                settings: stated.iter().cloned().map(Arc::new).collect(),
                trainer: logged.map(Arc::new),
            };
            Metrics {
                judging,
                ..metrics(names)
            }
        };
        let primary_is = |name: &str| MetricSettings {
            primary: Some(name.to_owned()),
            ..MetricSettings::default()
        };
        let logged = |name: &str, direction| {
            Some(TrainerMetric {
                metric: name.to_owned(),
                direction,
            })
        };
        let (higher, lower) = (Direction::Higher, Direction::Lower);
        for (stated, logged, expected) in [
            (vec![], logged("loss", None), ("eval_loss", lower, false)),
            (
                vec![],
                logged("accuracy", None),
                ("eval_accuracy", higher, false),
            ),
            (
                vec![],
                logged("my_score", Some(lower)),
                ("my_score", lower, false),
            ),
            (
                vec![],
                logged("absent", None),
                ("eval_accuracy", higher, true),
            ),
            (
                vec![primary_is("val/dice")],
                logged("loss", None),
                ("val_dice", higher, false),
            ),
            (
                vec![primary_is("absent"), primary_is("train_loss")],
                None,
                ("train_loss", lower, false),
            ),
            (
                vec![primary_is("my_score")],
                None,
                ("my_score", higher, true),
            ),
            (
                vec![
                    primary_is("my_score"),
                    MetricSettings {
                        lower: vec!["my_score".to_owned()],
                        ..MetricSettings::default()
                    },
                ],
                None,
                ("my_score", lower, false),
            ),
        ] {
            assert_eq!(
                primary(&judged(&stated, logged)),
                Some(expected),
                "{stated:?}"
            );
        }
    }
}
