//! Every key of a recipe, declared once: its type, default, range and description. The struct, its
//! checks, the form, the command line and `config.json` all come from this table.

use serde_json::{Map, Value as Json};

use super::choice::{ChannelsLast, DeviceChoice, LrSchedule, OnNan, Precision, ValSplit};
use super::epoch::SYNTHETIC;
use super::field::{BadValue, Field, Kind, Typed, Value};

macro_rules! recipe {
    ($($group:literal { $($(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:expr, $kind:expr;)+ })+) => {
        /// A training recipe: every setting has a value, and every value has passed its check.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Recipe {
            $($($(#[doc = $doc])+ pub $key: $type,)+)+
        }

        /// The keys of a recipe in the order of forms, listings and `config.json`.
        pub const FIELDS: &[Field] = &[
            $($(Field {
                key: stringify!($key),
                kind: $kind,
                group: $group,
                description: concat!($($doc),+).trim_ascii(),
            },)+)+
        ];

        impl Default for Recipe {
            fn default() -> Self {
                Self { $($($key: $default.into(),)+)+ }
            }
        }

        impl Recipe {
            /// The value of a key; `None` if there is no such key.
            pub fn get(&self, key: &str) -> Option<Value> {
                match key {
                    $($(stringify!($key) => Some(self.$key.to_value()),)+)+
                    _ => None,
                }
            }

            fn assign(&mut self, key: &str, value: Value) -> Option<()> {
                match key {
                    $($(stringify!($key) => self.$key = Typed::from_value(value)?,)+)+
                    _ => return None,
                }
                Some(())
            }
        }
    };
}

const COUNT: Kind = Kind::Int {
    min: 1,
    max: 1_000_000,
};
const LIMIT: Kind = Kind::Int {
    min: 0,
    max: 1_000_000_000,
};
const POSITIVE: Kind = Kind::Float {
    min: 0.0,
    max: f64::INFINITY,
    with_max: false,
};
const CHANCE: Kind = Kind::Float {
    min: 0.0,
    max: 1.0,
    with_max: true,
};
/// Draws from Beta(alpha, alpha) with smaller values are all 0 or 1.
const ALPHA: Kind = Kind::Float {
    min: 0.01,
    max: 100.0,
    with_max: true,
};
const BELOW_ONE: Kind = Kind::Float {
    min: 0.0,
    max: 1.0,
    with_max: false,
};

recipe! {
    "run" {
        /// Name of the experiment, as lists show it
        experiment_name: String = "", Kind::Text;
        /// Folder below which the runs are made
        output_dir: String = "runs", Kind::Text;
        /// Seed of everything random: one seed, one run
        seed: u64 = 0u64, Kind::Int { min: 0, max: i64::MAX };
    }
    "data" {
        /// `synthetic`, or a folder: CIFAR-10, CIFAR-100, IDX files (Fashion-MNIST), or
        /// `train/<class>/` and `test/<class>/` images
        data_dir: String = SYNTHETIC, Kind::Text;
        /// Which images validate: `auto` the data's own set (CIFAR-10: batch 5) if it has one,
        /// `seeded` a random part of each class
        val_split: ValSplit = ValSplit::Auto, Kind::Choice(ValSplit::WORDS);
        /// Part of each class held out for validation where the data have no set of their own, or
        /// `val_split` is `seeded`
        val_fraction: f64 = 0.2, Kind::Float { min: 0.01, max: 0.9, with_max: true };
        /// Use at most this many training images, the same number of each class (0: all)
        max_train_images: u32 = 0u32, LIMIT;
        /// Use at most this many validation images, the same number of each class (0: all)
        max_val_images: u32 = 0u32, LIMIT;
    }
    "network" {
/// What lists call the network; what it is, the keys below say
        model_name: String = "resnet_se", Kind::Text;
        /// Channels of the first stage; the four stages have 1, 2, 4 and 8 times as many
        width: u32 = 32u32, Kind::Int { min: 1, max: 1024 };
        /// Residual blocks in each of the four stages
        blocks: u32 = 2u32, Kind::Int { min: 1, max: 64 };
        /// Squeeze-and-excitation in each block
        use_se: bool = true, Kind::Bool;
        /// Channels divided by this are the squeeze's hidden units
        se_reduction: u32 = 16u32, COUNT;
        /// Part of the features dropped before the last layer
        dropout_rate: f64 = 0.3, BELOW_ONE;
        /// Chance of an image to skip the last residual block while training; from 0 at the first
        /// block it rises evenly
        stochastic_depth_rate: f64 = 0.0, BELOW_ONE;
        /// Begin with each residual block as the identity: its last batch norm's weight is 0
        zero_init_residual: bool = false, Kind::Bool;
        /// Checkpoint whose weights the network starts from: .safetensors, or the .pth of `PyTorch`
        /// (empty: random weights)
        resume_from: String = "", Kind::Text;
    }
    "training" {
        /// Epochs to train
        num_epochs: u32 = 200u32, COUNT;
        /// Images in a step
        batch_size: u32 = 128u32, COUNT;
        /// Pass a batch through the network in this many parts, their gradients added up: needs
        /// less memory
        gradient_accumulation: u32 = 1u32, COUNT;
        /// Smoothing of the targets in the cross-entropy
        label_smoothing: f64 = 0.1, BELOW_ONE;
        /// Largest norm of all gradients together (0: no clipping)
        grad_clip: f64 = 1.0, POSITIVE;
        /// Validate and keep a moving average of the weights that fades by this a step (0: the
        /// weights themselves)
        ema_decay: f64 = 0.0, BELOW_ONE;
        /// When the loss is no number: `stop`, `skip` the step, or `restore` the last checkpoint
        /// and halve the learning rate
        on_nan: OnNan = OnNan::Stop, Kind::Choice(OnNan::WORDS);
    }
    "optimiser" {
        /// Learning rate of the schedules `cosine`, `warmup_cosine` and `constant`
        learning_rate: f64 = 0.05, POSITIVE;
        /// How the learning rate goes over the run
        lr_schedule: LrSchedule = LrSchedule::OneCycle, Kind::Choice(LrSchedule::WORDS);
        /// Peak learning rate of the schedule `onecycle`
        max_lr: f64 = 0.1, POSITIVE;
        /// Epochs over which `warmup_cosine` rises to its learning rate
        warmup_epochs: u32 = 5u32, LIMIT;
        /// Momentum of SGD; `onecycle` cycles it between 0.95 and 0.85 instead
        momentum: f64 = 0.9, BELOW_ONE;
        /// Nesterov's form of momentum
        nesterov: bool = false, Kind::Bool;
        /// L2 penalty, added to the gradients
        weight_decay: f64 = 1e-4, POSITIVE;
        /// Whether batch norms and biases decay too
        decay_norm_and_bias: bool = true, Kind::Bool;
    }
    "augmentation" {
        /// Random crop of the image padded by this many black pixels (0: none)
        random_crop_padding: u32 = 4u32, Kind::Int { min: 0, max: 16 };
        /// Mirror every second image, at random
        random_horizontal_flip: bool = true, Kind::Bool;
        /// Turn by up to this many degrees to either side (0: not at all)
        random_rotation: f64 = 0.0, Kind::Float { min: 0.0, max: 180.0, with_max: true };
        /// Change the brightness by a factor of up to this more or less than 1 (0: not at all)
        color_jitter_brightness: f64 = 0.0, POSITIVE;
        /// Change the contrast likewise
        color_jitter_contrast: f64 = 0.0, POSITIVE;
        /// Change the saturation likewise
        color_jitter_saturation: f64 = 0.0, POSITIVE;
        /// Turn the hue by up to this part of the whole circle (0: not at all)
        color_jitter_hue: f64 = 0.0, Kind::Float { min: 0.0, max: 0.5, with_max: true };
        /// Move the corners by up to this part of half the image (0: not at all)
        random_perspective_distortion: f64 = 0.0, Kind::Float { min: 0.0, max: 0.9, with_max: true };
        /// Chance of an image to have its corners moved
        random_perspective_prob: f64 = 0.5, CHANCE;
        /// Change each image by some operations out of fourteen
        use_randaugment: bool = false, Kind::Bool;
        /// How many operations, one after another
        randaugment_num_ops: u32 = 2u32, Kind::Int { min: 0, max: 14 };
        /// How strong they are
        randaugment_magnitude: u32 = 9u32, Kind::Int { min: 0, max: 30 };
        /// Chance of an image to lose a rectangle of 2 to 20 % of its area
        random_erasing_prob: f64 = 0.0, CHANCE;
        /// Take squares out of each image
        use_cutout: bool = false, Kind::Bool;
        /// How many
        cutout_holes: u32 = 1u32, Kind::Int { min: 1, max: 64 };
        /// Their side in pixels
        cutout_length: u32 = 16u32, COUNT;
        /// Blend images with others of their batch
        use_mixup: bool = false, Kind::Bool;
        /// Their shares come from Beta(alpha, alpha)
        mixup_alpha: f64 = 1.0, ALPHA;
        /// Paste a rectangle of another image of the batch into each
        use_cutmix: bool = false, Kind::Bool;
        /// The rectangles' areas come from Beta(alpha, alpha)
        cutmix_alpha: f64 = 1.0, ALPHA;
        /// Chance of an image to get one; of the others, `use_mixup` blends each
        cutmix_prob: f64 = 0.7, CHANCE;
    }
    "machine" {
        /// Where to train: `auto` takes a GPU if libtorch has one
        device: DeviceChoice = DeviceChoice::Auto, Kind::Choice(DeviceChoice::WORDS);
        /// Arithmetic of convolutions: `auto` takes bfloat16 where it is fast
        precision: Precision = Precision::Auto, Kind::Choice(Precision::WORDS);
        /// Memory layout with the channels last: `auto` takes it where it is fast
        channels_last: ChannelsLast = ChannelsLast::Auto, Kind::Choice(ChannelsLast::WORDS);
        /// Threads that read and decode image files (0: one for each core)
        num_workers: u32 = 0u32, Kind::Int { min: 0, max: 1024 };
        /// Copy the images to a GPU by way of memory that stays in place
        pin_memory: bool = true, Kind::Bool;
        /// Processor threads of libtorch (0: one for each core)
        num_threads: u32 = 0u32, Kind::Int { min: 0, max: 1024 };
        /// As a job of Slurm: save near its time limit, wait for another turn, and resume
        requeue: bool = false, Kind::Bool;
    }
    "records" {
        /// Steps between two rows of steps.csv
        log_interval: u32 = 10u32, COUNT;
        /// Epochs between two periodic checkpoints (0: none)
        save_interval: u32 = 10u32, LIMIT;
    }
}

/// Keys that say how a run is carried out, and change nothing of what comes out.
pub const WITHOUT_EFFECT: [&str; 7] = [
    "device",
    "num_workers",
    "pin_memory",
    "num_threads",
    REQUEUE,
    "log_interval",
    "save_interval",
];

/// The key that only means something where there is Slurm.
pub const REQUEUE: &str = "requeue";

pub fn field(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}

impl Recipe {
    /// Sets a key to a value that is then checked.
    ///
    /// # Errors
    /// If the value is not one that the key accepts.
    pub fn set(&mut self, field: &'static Field, value: Value) -> Result<(), BadValue> {
        let got = value.to_string();
        let checked = field.check(value)?;
        self.assign(field.key, checked).ok_or_else(|| BadValue {
            key: field.key,
            expected: field.kind.to_string(),
            got,
        })
    }

    /// Sets a key from text as a person types it.
    ///
    /// # Errors
    /// If the text is no value that the key accepts.
    pub fn set_text(&mut self, field: &'static Field, text: &str) -> Result<(), BadValue> {
        let value = field.parse(text)?;
        self.set(field, value)
    }

    /// What the single checks cannot see: values that do not go together.
    ///
    /// # Errors
    /// The key to change, and why.
    pub fn check_together(&self) -> Result<(), BadValue> {
        if self.use_se && self.se_reduction > self.width {
            return Err(BadValue {
                key: "se_reduction",
                expected: format!("at most width ({}) while use_se is true", self.width),
                got: self.se_reduction.to_string(),
            });
        }
        if self.gradient_accumulation > self.batch_size {
            return Err(BadValue {
                key: "gradient_accumulation",
                expected: format!("at most batch_size ({})", self.batch_size),
                got: self.gradient_accumulation.to_string(),
            });
        }
        if self.nesterov && self.momentum == 0.0 {
            return Err(BadValue {
                key: "momentum",
                expected: "above 0 while nesterov is true".to_owned(),
                got: self.momentum.to_string(),
            });
        }
        Ok(())
    }

    /// The recipe as `config.json` holds it: every key, in the schema's order.
    pub fn to_json(&self) -> Map<String, Json> {
        FIELDS
            .iter()
            .filter_map(|field| {
                let json = match self.get(field.key)? {
                    Value::Int(value) => value.into(),
                    Value::Float(value) => value.into(),
                    Value::Bool(value) => value.into(),
                    Value::Text(value) => value.into(),
                };
                Some((field.key.to_owned(), json))
            })
            .collect()
    }

    /// The keys in which this differs from another recipe, in the schema's order.
    pub fn differences(&self, other: &Self) -> Vec<&'static Field> {
        FIELDS
            .iter()
            .filter(|field| self.get(field.key) != other.get(field.key))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_passes_its_own_check() {
        let recipe = Recipe::default();
        for field in FIELDS {
            let value = recipe.get(field.key).unwrap();
            assert_eq!(field.check(value.clone()), Ok(value));
        }
        assert_eq!(recipe.check_together(), Ok(()));
    }

    #[test]
    fn typed_text_and_written_value_are_the_same() {
        let (mut typed, plain) = (Recipe::default(), Recipe::default());
        for field in FIELDS {
            typed
                .set_text(field, &plain.get(field.key).unwrap().to_string())
                .unwrap();
        }
        assert_eq!(typed, plain);
    }

    #[test]
    fn bad_values_say_what_is_expected() {
        let cases = [
            ("momentum", "1.5", "momentum must be in [0, 1), got 1.5"),
            ("momentum", "NaN", "momentum must be in [0, 1), got NaN"),
            (
                "momentum",
                "fast",
                "momentum must be in [0, 1), got \"fast\"",
            ),
            (
                "batch_size",
                "0",
                "batch_size must be a whole number from 1 to 1000000, got 0",
            ),
            (
                "batch_size",
                "1.5",
                "batch_size must be a whole number from 1 to 1000000, got \"1.5\"",
            ),
            (
                "learning_rate",
                "-1",
                "learning_rate must be a number, at least 0, got -1",
            ),
            (
                "nesterov",
                "yes",
                "nesterov must be true or false, got \"yes\"",
            ),
            (
                "device",
                "tpu",
                "device must be one of auto, cpu, cuda, got \"tpu\"",
            ),
        ];
        for (key, text, sentence) in cases {
            let error = Recipe::default()
                .set_text(field(key).unwrap(), text)
                .unwrap_err();
            assert_eq!(error.to_string(), sentence);
        }
    }
}
