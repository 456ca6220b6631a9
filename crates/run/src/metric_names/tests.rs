use super::*;

/// A name, its split, what it is and which way is better: as real trainers and people write them.
const NAMES: &str = "
val_acc                          val   accuracy  higher
val_accuracy                     val   accuracy  higher
valid_acc                        val   accuracy  higher
validation/accuracy              val   accuracy  higher
eval_accuracy                    val   accuracy  higher
eval/acc                         val   accuracy  higher
dev_acc                          val   accuracy  higher
acc/val                          val   accuracy  higher
Accuracy/val                     val   accuracy  higher
acc.dev                          val   accuracy  higher
valAcc                           val   accuracy  higher
ValAccuracy                      val   accuracy  higher
valacc                           val   accuracy  higher
Val Acc (%)                      val   accuracy  higher
VAL_ACC                          val   accuracy  higher
accuracy                         none  accuracy  higher
acc                              none  accuracy  higher
train_acc                        train accuracy  higher
Train Acc (%)                    train accuracy  higher
test_accuracy                    test  accuracy  higher
test_acc1                        test  accuracy  higher
eval_top1                        val   accuracy  higher
val_top_1                        val   accuracy  higher
val_acc@1                        val   accuracy  higher
prec@1                           none  accuracy  higher
metrics/accuracy_top1            none  accuracy  higher
val_sparse_categorical_accuracy  val   accuracy  higher
val_binary_accuracy              val   accuracy  higher
sparse_categorical_accuracy      none  accuracy  higher
val_balanced_accuracy            val   accuracy  higher
val_acc_epoch                    val   accuracy  higher
epoch_val_acc                    val   accuracy  higher
time_acc                         none  accuracy  higher
loss_acc                         none  accuracy  higher
best_val_acc                     val   accuracy  higher
val_acc_1                        val   accuracy  higher
tr_acc                           train accuracy  higher
te_acc                           test  accuracy  higher
aAcc                             none  accuracy  higher
test_1-acc                       test  error     lower
1 - accuracy                     none  error     lower
neg_elbo                         none  score     lower?
neg_mean_squared_error           none  error     higher
negative_log_likelihood          none  error     lower
eprewmean                        none  reward    higher
eval_top5                        val   score     higher
metrics/accuracy_top5            none  score     higher
val_top_k_categorical_accuracy   val   score     higher
metrics/mAP50-95(B)              none  score     higher
metrics/mAP50(B)                 none  score     higher
metrics/mAP50(M)                 none  score     higher
metrics/mAP_0.5                  none  score     higher
metrics/mAP_0.5:0.95             none  score     higher
metrics/precision(B)             none  score     higher
metrics/recall(B)                none  score     higher
coco/bbox_mAP                    none  score     higher
coco/bbox_mAP_50                 none  score     higher
coco/bbox_mAP_s                  none  score     higher
segm/AP                          none  score     higher
bbox/AP50                        none  score     higher
bbox/AP-person                   none  score     higher
val_mAP                          val   score     higher
val_dice                         val   score     higher
val_dice_score                   val   score     higher
dice_coefficient                 none  score     higher
val_mIoU                         val   score     higher
val_iou                          val   score     higher
mIoU                             none  score     higher
mDice                            none  score     higher
val_mean_io_u_3                  val   score     higher
val/IoU                          val   score     higher
jaccard_index                    none  score     higher
eval_f1                          val   score     higher
val_f1_macro                     val   score     higher
macro_f1                         none  score     higher
F1Score                          none  score     higher
auc                              none  score     higher
val_auc_1                        val   score     higher
test/AUC                         test  score     higher
val_roc_auc                      val   score     higher
val_AUROC                        val   score     higher
average_precision                none  score     higher
val_precision_2                  val   score     higher
val_recall_at_5                  val   score     higher
recall@10                        none  score     higher
ndcg@10                          none  score     higher
val_hits@10                      val   score     higher
mrr                              none  score     higher
eval_bleu                        val   score     higher
BLEU-4                           none  score     higher
sacreBLEU                        none  score     higher
eval_rougeL                      val   score     higher
eval_rouge1                      val   score     higher
eval_rougeLsum                   val   score     higher
meteor                           none  score     higher
CIDEr                            none  score     higher
val_PSNR                         val   score     higher
val/ssim                         val   score     higher
ms_ssim                          none  score     higher
val_MS-SSIM                      val   score     higher
val_r2                           val   score     higher
R2_score                         none  score     higher
eval_matthews_correlation        val   score     higher
eval_pearson                     val   score     higher
eval_spearmanr                   val   score     higher
mcc                              none  score     higher
cohen_kappa                      none  score     higher
sensitivity                      none  score     higher
specificity                      none  score     higher
rollout/success_rate             none  score     higher
eval/success_rate                val   score     higher
train/explained_variance         train score     higher
exact_match                      none  score     higher
val_score                        val   score     higher?
fitness                          none  score     higher?
rollout/ep_rew_mean              none  reward    higher
eval/mean_reward                 val   reward    higher
episode_reward_mean              none  reward    higher
env_runners/episode_return_mean  none  reward    higher
norm_reward                      none  reward    higher
AverageEpRet                     none  reward    higher
AverageTestEpRet                 test  reward    higher
MaxEpRet                         none  reward    higher
charts/episodic_return           none  reward    higher
avg_return                       none  reward    higher
StdEpRet                         none  spread    none
reward_std                       none  spread    none
val_acc_std                      val   spread    none
acc_std_dev                      none  spread    none
val_loss                         val   loss      lower
valLoss                          val   loss      lower
valloss                          val   loss      lower
Val Loss                         val   loss      lower
valid_loss                       val   loss      lower
loss/val                         val   loss      lower
Loss/validation                  val   loss      lower
dev.loss                         val   loss      lower
eval_loss                        val   loss      lower
test_loss                        test  loss      lower
train_loss                       train loss      lower
train/box_loss                   train loss      lower
val/box_loss                     val   loss      lower
val/cls_loss                     val   loss      lower
loss                             none  loss      lower
total_loss                       none  loss      lower
loss_step                        none  loss      lower
loss_epoch                       none  loss      lower
gen_loss                         none  loss      lower
LossPi                           none  loss      lower
loss_rpn_cls                     none  loss      lower
loss_dice                        none  loss      lower
loss_ce                          none  loss      lower
dice_loss                        none  loss      lower
kl_loss                          none  loss      lower
acc_loss                         none  loss      lower
learn/Logloss                    train error     lower
test/Logloss                     test  error     lower
val_log_loss                     val   error     lower
val_cross_entropy                val   error     lower
val_crossentropy                 val   error     lower
valCrossEntropy                  val   error     lower
val_ce                           val   error     lower
val_bce                          val   error     lower
val_nll                          val   error     lower
val_ppl                          val   error     lower
eval_perplexity                  val   error     lower
val_bpb                          val   error     lower
val_bpc                          val   error     lower
bits_per_dim                     none  error     lower
val/bits_per_byte                val   error     lower
val_mae                          val   error     lower
val_mean_absolute_error          val   error     lower
val_mse                          val   error     lower
root_mean_squared_error          none  error     lower
test_RMSE                        test  error     lower
val_mape                         val   error     lower
val_smape                        val   error     lower
val_msle                         val   error     lower
KL                               none  error     lower
approx_kl                        none  error     lower
brier_score                      none  error     lower
val_ece                          val   error     lower
hinge                            none  error     lower
val_distance                     val   error     lower?
eval_wer                         val   score     lower
val_cer                          val   score     lower
eer                              none  score     lower
error_rate                       none  score     lower
val_err                          val   score     lower
test_err1                        test  score     lower
top5_err                         none  score     lower
Top-1 Error                      none  score     lower
fid                              none  score     lower
val/FID                          val   score     lower
kid                              none  score     lower
val_lpips                        val   score     lower
hd95                             none  score     lower
val_HD                           val   score     lower
asd                              none  score     lower
lr                               none  rate      none
learning_rate                    none  rate      none
lr-SGD                           none  rate      none
lr/pg0                           none  rate      none
x/lr0                            none  rate      none
train_lr                         train rate      none
epoch                            none  place     none
step                             none  place     none
iteration                        none  place     none
training_iteration               train place     none
time/total_timesteps             none  place     none
train/global_step                train place     none
TotalEnvInteracts                none  place     none
best_epoch                       none  place     none
grad_norm                        none  setting   lower
gradient_norm                    none  setting   lower
momentum                         none  setting   none
rollout/ep_len_mean              none  setting   none
EpLen                            none  setting   none
num_tokens                       none  setting   none
loss_scale                       none  setting   none
total_flos                       none  setting   none
policy/entropy                   none  setting   none
time                             none  resource  lower
time_elapsed                     none  resource  lower
epoch_time_s                     none  resource  lower
batch_time_ms                    none  resource  lower
eta_hours                        none  resource  lower
eta_seconds                      none  resource  lower
data_time                        none  resource  lower
eval_runtime                     val   resource  lower
latency                          none  resource  lower
memory_used_mb                   none  resource  lower
seconds_per_epoch                none  resource  lower
images_per_s                     none  resource  higher
eval_samples_per_second          val   resource  higher
tokens/s                         none  resource  higher
time/fps                         none  resource  higher
throughput                       none  resource  higher
mfu                              none  resource  higher
my_own                           none  unknown   none
val_my_own                       val   unknown   none
train                            none  unknown   none
value                            none  unknown   none
";

#[test]
fn names_say_split_kind_and_direction() {
    let mut wrong = Vec::new();
    let lines = NAMES.lines().filter(|line| !line.is_empty());
    for line in lines.clone() {
        let (name, expected) = line.split_at(33);
        let name = name.trim_end();
        let read = read(name);
        let split = match read.split {
            Some(Split::Train) => "train",
            Some(Split::Validation) => "val",
            Some(Split::Test) => "test",
            None => "none",
        };
        let kind = match read.kind {
            Kind::LearningRate => "rate".to_owned(),
            kind => format!("{kind:?}").to_lowercase(),
        };
        let direction = read.direction.map_or("none", Direction::word);
        let guess = if read.is_guess { "?" } else { "" };
        let found = format!("{split} {kind} {direction}{guess}");
        if found != expected.split_whitespace().collect::<Vec<_>>().join(" ") {
            wrong.push(format!("{name}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(lines.count() >= 150);
}

#[test]
fn one_quantity_has_many_names() {
    for (a, b) in [
        ("val_acc", "validation/accuracy"),
        ("val_acc", "Val Acc (%)"),
        ("valLoss", "loss/val"),
        ("val_auc", "roc_auc.val"),
        ("rollout/ep_rew_mean", "episode_reward_mean"),
        ("test_err", "error_rate/test"),
        ("my_score", "myScore"),
        ("total_loss", "loss"),
        ("val_mIoU", "val/mean_iou"),
        ("lr", "learning_rate"),
    ] {
        assert!(are_same(a, b), "{a} {b}: {:?} {:?}", read(a), read(b));
    }
    for (a, b) in [
        ("val_acc", "train_acc"),
        ("val_acc", "val_top5"),
        ("box_loss", "loss"),
        ("metrics/mAP50(B)", "metrics/mAP50(M)"),
        ("metrics/mAP50(B)", "metrics/mAP50-95(B)"),
        ("images_per_s", "tokens_per_s"),
        ("my_score", "your_score"),
    ] {
        assert!(!are_same(a, b), "{a} {b}");
    }
}

#[test]
fn plain_metrics_go_before_those_that_are_narrowed_down() {
    let rank = |name: &str| (read(name).rank, read(name).qualifiers);
    for (first, second) in [
        ("metrics/mAP50-95(B)", "metrics/mAP50(B)"),
        ("metrics/mAP50(B)", "metrics/precision(B)"),
        ("metrics/mAP_0.5:0.95", "metrics/mAP_0.5"),
        ("coco/bbox_mAP", "coco/bbox_mAP_s"),
        ("coco/bbox_mAP", "coco/bbox_mAP_50"),
        ("AverageEpRet", "MaxEpRet"),
        ("loss", "loss_rpn_cls"),
        ("val_acc", "best_val_acc"),
        ("eval_f1", "eval_roc_auc"),
        ("precision", "precision_1"),
    ] {
        assert!(rank(first) < rank(second), "{first} {second}");
    }
}

#[test]
fn names_state_their_unit() {
    for (name, unit) in [
        ("Val Acc (%)", Some(Unit::Percent)),
        ("val_acc_percent", Some(Unit::Percent)),
        ("gpu_pct", Some(Unit::Percent)),
        ("epoch_time_s", Some(Unit::Seconds)),
        ("took seconds", Some(Unit::Seconds)),
        ("images_per_s", None),
        ("coco/bbox_mAP_s", None),
        ("val_mape", None),
        ("batch_time_ms", None),
    ] {
        assert_eq!(read(name).unit, unit, "{name}");
    }
    assert!(read("val_acc").is_share && read("eval_top5").is_share);
    assert!(read("IoU (%)").is_share && !read("IoU").is_share && !read("val_loss").is_share);
}
