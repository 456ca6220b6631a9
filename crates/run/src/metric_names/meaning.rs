//! The terms that are known, as one table.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Direction::{Higher, Lower};
use super::{Direction, Kind};

/// Whether a term decides beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    Strong,
    /// Only where no strong term is there; the direction is then a guess.
    Weak,
    /// Only where no other term is there: `loss_epoch` is a loss.
    Place,
}

/// What a term means.
#[derive(Debug, PartialEq)]
pub struct Meaning {
    /// The canonical name of all synonyms.
    pub canonical: &'static str,
    pub kind: Kind,
    pub direction: Option<Direction>,
    pub strength: Strength,
    /// Among metrics of a kind the lower one comes first.
    pub rank: u8,
    /// Whether its values are shares, which people read in percent.
    pub is_share: bool,
}

/// What a term means, its words in lower case with nothing between them.
pub fn meaning_of(term: &str) -> Option<&'static Meaning> {
    static BY_TERM: LazyLock<HashMap<&str, Meaning>> = LazyLock::new(|| {
        let meanings = TABLE.iter().flat_map(|row| {
            row.terms.split_whitespace().map(|term| {
                let canonical = row.terms.split_whitespace().next().unwrap_or(term);
                (term, row.meaning(if row.is_one { canonical } else { term }))
            })
        });
        meanings.collect()
    });
    BY_TERM.get(term)
}

struct Row {
    kind: Kind,
    direction: Option<Direction>,
    rank: u8,
    /// Whether all terms mean the first one.
    is_one: bool,
    terms: &'static str,
}

impl Row {
    fn meaning(&self, canonical: &'static str) -> Meaning {
        Meaning {
            canonical,
            kind: self.kind,
            direction: self.direction,
            strength: match (self.kind, self.rank) {
                (Kind::Place, WEAK) => Strength::Place,
                (_, WEAK) => Strength::Weak,
                _ => Strength::Strong,
            },
            rank: self.rank,
            is_share: self.kind == Kind::Accuracy || canonical == "top5",
        }
    }
}

/// The rank of terms that only guess.
const WEAK: u8 = 99;

/// Terms that mean the first of them.
const fn one(kind: Kind, direction: Direction, rank: u8, terms: &'static str) -> Row {
    Row {
        kind,
        direction: Some(direction),
        rank,
        is_one: true,
        terms,
    }
}

/// Terms of which each means itself.
const fn each(kind: Kind, direction: Option<Direction>, rank: u8, terms: &'static str) -> Row {
    Row {
        kind,
        direction,
        rank,
        is_one: false,
        terms,
    }
}

/// Every term, written together (`cross_entropy` is `crossentropy`).
#[rustfmt::skip]
static TABLE: &[Row] = &[
    one(Kind::Accuracy, Higher, 0, "accuracy acc top1 acc1 prec1 top1acc top1accuracy acctop1 accuracytop1 categoricalaccuracy sparsecategoricalaccuracy binaryaccuracy multiclassaccuracy multilabelaccuracy"),
    one(Kind::Accuracy, Higher, 1, "balanced_accuracy balancedaccuracy balancedacc bacc"),
    // In segmentation, overlap says more than the share of right pixels.
    one(Kind::Accuracy, Higher, 4, "pixel_accuracy pixelaccuracy pixelacc pixacc aacc overallaccuracy"),
    one(Kind::Score, Higher, 1, "exact_match exactmatch em"),
    one(Kind::Score, Higher, 1, "success successrate winrate solved"),
    one(Kind::Score, Higher, 2, "map map5095 map05095 map595 meanaverageprecision"),
    each(Kind::Score, Some(Higher), 2, "ap pq"),
    one(Kind::Score, Higher, 3, "miou meaniou mjaccard"),
    one(Kind::Score, Higher, 3, "iou jaccard"),
    one(Kind::Score, Higher, 3, "dice dsc mdice meandice dicecoef"),
    one(Kind::Score, Higher, 4, "map50 map05 map5"),
    each(Kind::Score, Some(Higher), 4, "ap50"),
    one(Kind::Score, Higher, 5, "f1 fscore f1score fmeasure fbeta"),
    one(Kind::Score, Higher, 6, "auc auroc rocauc aucroc"),
    one(Kind::Score, Higher, 6, "auprc prauc aucpr averageprecision"),
    each(Kind::Score, Some(Higher), 7, "bleu bleu1 bleu2 bleu3 bleu4 sacrebleu rouge rouge1 rouge2 rougel rougelsum meteor cider spice chrf bertscore comet pass1"),
    each(Kind::Score, Some(Higher), 8, "psnr ssim inceptionscore clipscore"),
    one(Kind::Score, Higher, 8, "ms_ssim msssim"),
    one(Kind::Score, Higher, 9, "r2 rsquared r2score"),
    one(Kind::Score, Higher, 9, "explained_variance explainedvariance"),
    one(Kind::Score, Higher, 9, "mcc matthews matthewscorrelation matthewscorrcoef"),
    one(Kind::Score, Higher, 9, "kappa cohenkappa qwk"),
    each(Kind::Score, Some(Higher), 9, "pearson pearsonr spearman spearmanr kendall correlation corr ndcg mrr hits hit hitrate loglikelihood likelihood ari nmi silhouette stoi pesq sisdr sisnr sdr"),
    each(Kind::Score, Some(Higher), 10, "precision recall sensitivity specificity tpr tnr ppv npv map75 ap75 macc macroaccuracy"),
    one(Kind::Score, Higher, 10, "top5 acc5 prec5 top5acc top5accuracy acctop5 accuracytop5 topkcategoricalaccuracy sparsetopkcategoricalaccuracy"),

    one(Kind::Score, Lower, 5, "error_rate errorrate error err errors top1err top1error err1 error1"),
    one(Kind::Score, Lower, 10, "top5_error top5err top5error err5 error5"),
    each(Kind::Score, Some(Lower), 4, "wer cer ter mer eer worderrorrate charactererrorrate fpr fnr"),
    each(Kind::Score, Some(Lower), 7, "fid kid fvd fad lpips mcd niqe chamfer"),
    one(Kind::Score, Lower, 7, "hd hausdorff hausdorffdistance"),
    each(Kind::Score, Some(Lower), 7, "hd95 asd assd msd ade fde epe ate rpe"),

    one(Kind::Reward, Higher, 0, "return ret epret returns"),
    one(Kind::Reward, Higher, 0, "reward rew rewards eprew eprewmean"),

    one(Kind::Loss, Lower, 0, "loss losses cost"),
    one(Kind::Error, Lower, 1, "cross_entropy crossentropy ce xent xentropy categoricalcrossentropy sparsecategoricalcrossentropy softmaxloss"),
    one(Kind::Error, Lower, 1, "log_loss logloss multilogloss binarylogloss mlogloss multiclass"),
    one(Kind::Error, Lower, 1, "bce binarycrossentropy"),
    one(Kind::Error, Lower, 1, "nll negativeloglikelihood"),
    one(Kind::Error, Lower, 1, "perplexity ppl"),
    one(Kind::Error, Lower, 1, "bpb bitsperbyte"),
    one(Kind::Error, Lower, 1, "bpc bitsperchar bitspercharacter"),
    one(Kind::Error, Lower, 1, "bpd bitsperdim"),
    one(Kind::Error, Lower, 2, "mae meanabsoluteerror absoluteerror"),
    one(Kind::Error, Lower, 2, "mse meansquarederror squarederror"),
    one(Kind::Error, Lower, 2, "rmse rootmeansquarederror rootmeansquared"),
    one(Kind::Error, Lower, 2, "mape meanabsolutepercentageerror"),
    one(Kind::Error, Lower, 2, "smape symmetricmeanabsolutepercentageerror"),
    one(Kind::Error, Lower, 2, "msle meansquaredlogarithmicerror"),
    each(Kind::Error, Some(Lower), 2, "rmsle nrmse mase wmape wape crps medae huber quantile pinball deviance poisson logcosh"),
    one(Kind::Error, Lower, 3, "kl kld kldiv kldivergence kullbackleibler"),
    one(Kind::Error, Lower, 3, "brier brierscore"),
    one(Kind::Error, Lower, 3, "ece calibrationerror expectedcalibrationerror"),
    each(Kind::Error, Some(Lower), 3, "hinge squaredhinge regret divergence js jsd wasserstein mmd focal sdlogerr"),

    each(Kind::Score, Some(Higher), WEAK, "score fitness similarity agreement elbo coverage"),
    each(Kind::Error, Some(Lower), WEAK, "distance dist l1 l2 residual penalty violation violations disagreement"),

    Row { kind: Kind::LearningRate, direction: None, rank: 0, is_one: true, terms: "learning_rate lr learningrate baselr" },
    each(Kind::Setting, None, 0, "momentum weightdecay wd temperature temp beta beta1 beta2 gamma alpha tau epsilon eps entropy entropycoef clipfrac clipfraction clip scale lossscale gradscale weight weights seed dropout"),
    each(Kind::Setting, None, 0, "params parameters count counts num number nparameters len length eplen size batchsize tokens samples examples images frames flos flops macs sparsity rank pid vram power util"),
    each(Kind::Setting, None, WEAK, "progress percentage"),
    // A norm is watched, and less of it is calmer.
    each(Kind::Setting, Some(Lower), 0, "norm gradnorm gradientnorm"),
    each(Kind::Resource, Some(Lower), 0, "time runtime duration elapsed eta latency timeelapsed walltime traintime passed remaining timestamp timeleft memory mem memoryused maxmemory gpumem"),
    each(Kind::Resource, Some(Higher), 0, "throughput fps mfu hfu speed ips tps qps"),
    each(Kind::Place, None, 0, "globalstep iterations nupdates updates timesteps timestep interacts"),
    each(Kind::Place, None, WEAK, "epoch epochs step steps iter iters iteration row episodes episode round batch"),
];
