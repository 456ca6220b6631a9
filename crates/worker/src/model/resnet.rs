//! A `ResNet` for 32x32 images with squeeze-and-excitation: He et al. 2015 (arXiv:1512.03385) for
//! the residual blocks, Hu et al. 2017 (arXiv:1709.01507) for the channel weights.
//!
//! ```text
//! images ─ conv3x3 ─ BN ─ ReLU ─ layer1 ─ layer2 ─ layer3 ─ layer4 ─ average pool ─ dropout ─ linear ─ logits
//!   3x32x32      width x 32x32    width   2 width  4 width  8 width
//!                                 32x32    16x16     8x8      4x4
//! ```

use tch::{Kind, Tensor};
use traintop_recipe::Recipe;
use traintop_recipe::network::STAGES;

use super::layers::{BatchNorm2d, Conv2d, Linear, global_average_pool};
use super::{Mode, StateDict};

/// What is chosen about the network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Channels of the first stage.
    pub width: i64,
    /// Residual blocks in a stage.
    pub blocks: i64,
    /// The channels of a block over those of its squeeze; `None` leaves squeeze-and-excitation out.
    pub se_reduction: Option<i64>,
    /// The share of the pooled features that training drops.
    pub dropout_rate: f64,
    /// The chance of an image to skip the last block in training.
    pub stochastic_depth_rate: f64,
    /// Whether each block begins as the identity.
    pub zero_init_residual: bool,
    /// The number of logits.
    pub classes: i64,
}

impl Shape {
    /// The network of a recipe.
    pub fn of(recipe: &Recipe, classes: usize) -> Self {
        Self {
            width: i64::from(recipe.width),
            blocks: i64::from(recipe.blocks),
            se_reduction: recipe.use_se.then_some(i64::from(recipe.se_reduction)),
            dropout_rate: recipe.dropout_rate,
            stochastic_depth_rate: recipe.stochastic_depth_rate,
            zero_init_residual: recipe.zero_init_residual,
            classes: classes as i64,
        }
    }
}

/// The network; its tensors are named in the `StateDict` it was made with.
#[derive(Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    blocks: Vec<BasicBlock>,
    dropout_rate: f64,
    fc: Linear,
}

impl ResNet {
    /// The chance to skip each block: from 0 at the first evenly up to the rate at the last.
    fn skip_chances(shape: &Shape) -> impl Iterator<Item = f64> {
        let last = i64::from(STAGES) * shape.blocks - 1;
        (0..=last).map(move |block| shape.stochastic_depth_rate * block as f64 / last.max(1) as f64)
    }

    /// Makes the network and draws its initial weights from libtorch's current generator.
    pub fn new(state: &mut StateDict, shape: &Shape) -> Self {
        let conv1 = Conv2d::new(state, "conv1", 3, shape.width, 3, 1);
        let bn1 = BatchNorm2d::new(state, "bn1", shape.width);
        let mut blocks = Vec::new();
        let mut inputs = shape.width;
        let mut skip_chances = Self::skip_chances(shape);
        for stage in 0..STAGES {
            let outputs = shape.width << stage;
            for block in 0..shape.blocks {
                let path = format!("layer{}.{block}", stage + 1);
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push(BasicBlock::new(
                    state,
                    &path,
                    inputs,
                    outputs,
                    stride,
                    shape,
                    skip_chances.next().unwrap_or_default(),
                ));
                inputs = outputs;
            }
        }
        let fc = Linear::new(state, "fc", inputs, shape.classes);
        Self {
            conv1,
            bn1,
            blocks,
            dropout_rate: shape.dropout_rate,
            fc,
        }
    }

    /// N x 3 x H x W normalised images, float32 or bfloat16, to N x classes logits in float32.
    pub fn forward(&self, images: &Tensor, mode: Mode) -> Tensor {
        let stem = relu(self.conv1.forward_normalised(&self.bn1, images, mode));
        let features = self
            .blocks
            .iter()
            .fold(stem, |x, block| block.forward(&x, mode));
        let pooled = global_average_pool(&features).dropout(self.dropout_rate, mode == Mode::Train);
        self.fc.forward(&pooled).to_kind(Kind::Float)
    }
}

/// Two convolutions around which the input passes unchanged, or through a 1x1 convolution where the
/// shape changes.
#[derive(Debug)]
struct BasicBlock {
    conv1: Conv2d,
    bn1: BatchNorm2d,
    conv2: Conv2d,
    bn2: BatchNorm2d,
    downsample: Option<(Conv2d, BatchNorm2d)>,
    se: Option<SqueezeExcitation>,
    skip_chance: f64,
}

impl BasicBlock {
    fn new(
        state: &mut StateDict,
        path: &str,
        inputs: i64,
        outputs: i64,
        stride: i64,
        shape: &Shape,
        skip_chance: f64,
    ) -> Self {
        let conv1 = Conv2d::new(state, &format!("{path}.conv1"), inputs, outputs, 3, stride);
        let bn1 = BatchNorm2d::new(state, &format!("{path}.bn1"), outputs);
        let conv2 = Conv2d::new(state, &format!("{path}.conv2"), outputs, outputs, 3, 1);
        let bn2 = BatchNorm2d::new(state, &format!("{path}.bn2"), outputs);
        if shape.zero_init_residual {
            bn2.begin_at_zero();
        }
        Self {
            conv1,
            bn1,
            conv2,
            bn2,
            downsample: (stride != 1 || inputs != outputs).then(|| {
                let conv = Conv2d::new(
                    state,
                    &format!("{path}.downsample.0"),
                    inputs,
                    outputs,
                    1,
                    stride,
                );
                (
                    conv,
                    BatchNorm2d::new(state, &format!("{path}.downsample.1"), outputs),
                )
            }),
            se: shape.se_reduction.map(|reduction| {
                SqueezeExcitation::new(state, &format!("{path}.se"), outputs, reduction)
            }),
            skip_chance,
        }
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Tensor {
        let out = relu(self.conv1.forward_normalised(&self.bn1, x, mode));
        let out = self.conv2.forward_normalised(&self.bn2, &out, mode);
        let out = self.se.iter().fold(out, |out, se| se.forward(&out));
        let out = stochastic_depth(out, self.skip_chance, mode);
        let identity = match &self.downsample {
            Some((conv, bn)) => conv.forward_normalised(bn, x, mode),
            None => x.shallow_clone(),
        };
        relu(out + identity)
    }
}

/// In the tensor's own memory: a layer's fresh output is not shared.
fn relu(mut x: Tensor) -> Tensor {
    x.relu_()
}

/// A block's branch, left out for some images in training and scaled by its chance to be there
/// otherwise (Huang et al. 2016, arXiv:1603.09382).
fn stochastic_depth(branch: Tensor, skip_chance: f64, mode: Mode) -> Tensor {
    if skip_chance == 0.0 {
        return branch;
    }
    match mode {
        Mode::Train => {
            let each_image = [branch.size()[0], 1, 1, 1];
            let drawn = Tensor::rand(each_image, (Kind::Float, branch.device()));
            let stays = drawn.ge(skip_chance).to_kind(branch.kind());
            branch * stays
        }
        Mode::Evaluate => branch * (1.0 - skip_chance),
    }
}

/// Scales each channel by a weight in (0, 1) that is computed from the means of all channels.
#[derive(Debug)]
struct SqueezeExcitation {
    squeeze: Linear,
    excite: Linear,
}

impl SqueezeExcitation {
    fn new(state: &mut StateDict, path: &str, channels: i64, reduction: i64) -> Self {
        let squeezed = channels / reduction;
        Self {
            squeeze: Linear::without_bias(state, &format!("{path}.fc.0"), channels, squeezed),
            excite: Linear::without_bias(state, &format!("{path}.fc.2"), squeezed, channels),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let squeezed = self.squeeze.forward(&global_average_pool(x)).relu();
        let weights = self.excite.forward(&squeezed).sigmoid();
        x * weights.unsqueeze(-1).unsqueeze(-1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tch::{Device, no_grad};
    use traintop_recipe::network::parameters;

    use super::*;
    use crate::random::one_at_a_time;

    fn network(recipe: &Recipe) -> (StateDict, ResNet) {
        let mut state = StateDict::new(Device::Cpu);
        let model = ResNet::new(&mut state, &Shape::of(recipe, 10));
        (state, model)
    }

    fn small() -> Recipe {
        Recipe {
            width: 4,
            blocks: 1,
            se_reduction: 2,
            ..Recipe::default()
        }
    }

    #[test]
    fn resnet_se_has_the_parameters_of_the_reference() {
        let _turn = crate::random::one_at_a_time();
        let (state, _) = network(&Recipe::default());
        assert_eq!(state.parameter_count(), 2_819_370);
    }

    #[test]
    fn parameters_are_as_many_as_the_recipe_promises() {
        let _turn = crate::random::one_at_a_time();
        let recipe = Recipe::default();
        let cases = [
            small(),
            Recipe {
                use_se: false,
                ..small()
            },
            Recipe {
                width: 6,
                se_reduction: 4,
                ..small()
            },
            Recipe {
                blocks: 3,
                ..small()
            },
            Recipe {
                se_reduction: 8,
                ..recipe
            },
        ];
        for recipe in cases {
            let (state, _) = network(&recipe);
            assert_eq!(
                state.parameter_count(),
                parameters(&recipe, 10),
                "{recipe:?}"
            );
        }
    }

    /// The names that the reference's `ResNet` gives, written out by hand from its module tree.
    #[test]
    fn tensors_are_named_as_in_the_reference() {
        let _turn = crate::random::one_at_a_time();
        let norm = |path: &str| {
            [
                "weight",
                "bias",
                "running_mean",
                "running_var",
                "num_batches_tracked",
            ]
            .map(|name| format!("{path}.{name}"))
        };
        let mut expected: Vec<String> = vec!["conv1.weight".to_owned()];
        expected.extend(norm("bn1"));
        for (layer, block) in [
            (1, 0),
            (1, 1),
            (2, 0),
            (2, 1),
            (3, 0),
            (3, 1),
            (4, 0),
            (4, 1),
        ] {
            let path = format!("layer{layer}.{block}");
            for half in [1, 2] {
                expected.push(format!("{path}.conv{half}.weight"));
                expected.extend(norm(&format!("{path}.bn{half}")));
            }
            if layer > 1 && block == 0 {
                expected.push(format!("{path}.downsample.0.weight"));
                expected.extend(norm(&format!("{path}.downsample.1")));
            }
            expected.push(format!("{path}.se.fc.0.weight"));
            expected.push(format!("{path}.se.fc.2.weight"));
        }
        expected.extend(["fc.weight".to_owned(), "fc.bias".to_owned()]);
        let (state, _) = network(&Recipe::default());
        let names: Vec<String> = state
            .entries()
            .iter()
            .map(|entry| entry.name.clone())
            .collect();
        assert_eq!(names, expected);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    }

    #[test]
    fn tensors_have_the_shapes_of_the_reference() {
        let _turn = crate::random::one_at_a_time();
        let (state, _) = network(&Recipe::default());
        let shape = |name: &str| {
            let entry = state.entries().iter().find(|entry| entry.name == name);
            entry
                .unwrap_or_else(|| panic!("there is no {name}"))
                .tensor
                .size()
        };
        assert_eq!(shape("conv1.weight"), [32, 3, 3, 3]);
        assert_eq!(shape("layer2.0.conv1.weight"), [64, 32, 3, 3]);
        assert_eq!(shape("layer2.0.downsample.0.weight"), [64, 32, 1, 1]);
        assert_eq!(shape("layer1.0.se.fc.0.weight"), [2, 32]);
        assert_eq!(shape("layer4.1.se.fc.2.weight"), [256, 16]);
        assert_eq!(shape("layer4.1.bn2.running_var"), [256]);
        assert_eq!(shape("bn1.num_batches_tracked"), [0; 0]);
        assert_eq!(shape("fc.weight"), [10, 256]);
        assert_eq!(shape("fc.bias"), [10]);
    }

    #[test]
    fn images_become_float32_logits_in_either_precision() {
        let _turn = crate::random::one_at_a_time();
        let (_, model) = network(&small());
        let images = Tensor::randn([5, 3, 32, 32], (Kind::Float, Device::Cpu));
        let [float32, bfloat16] = [Kind::Float, Kind::BFloat16]
            .map(|kind| no_grad(|| model.forward(&images.to_kind(kind), Mode::Evaluate)));
        assert_eq!(float32.size(), [5, 10]);
        assert_eq!(
            (float32.kind(), bfloat16.kind()),
            (Kind::Float, Kind::Float)
        );
        let difference = (&float32 - &bfloat16).abs().max().double_value(&[]);
        let scale = float32.abs().max().double_value(&[]);
        assert!(difference < 0.05 * scale, "{difference} of {scale}");
    }

    #[test]
    fn chances_to_skip_a_block_rise_evenly_from_none() {
        let _turn = crate::random::one_at_a_time();
        let of = |blocks| {
            let shape = Shape {
                stochastic_depth_rate: 0.2,
                blocks,
                ..Shape::of(&small(), 10)
            };
            ResNet::skip_chances(&shape).collect::<Vec<_>>()
        };
        let chances = of(2);
        assert_eq!(chances.len(), 8);
        for (block, chance) in chances.iter().enumerate() {
            assert!(
                (chance - 0.2 * block as f64 / 7.0).abs() < 1e-12,
                "{chances:?}"
            );
        }
        assert_eq!(of(1).len(), 4);
    }

    #[test]
    fn a_branch_stays_whole_or_goes_for_each_image_and_keeps_its_mean_in_evaluation() {
        let _guard = one_at_a_time();
        tch::manual_seed(4);
        let branch = || Tensor::full([2000, 2, 3, 3], 5.0, (Kind::Float, Device::Cpu));
        let trained = stochastic_depth(branch(), 0.3, Mode::Train);
        let (least, most) = (
            trained.amin([1, 2, 3], false),
            trained.amax([1, 2, 3], false),
        );
        assert_eq!(least, most, "an image's branch was cut in parts");
        let stayed = most.eq(5.0).sum(Kind::Int64).int64_value(&[]);
        assert_eq!(
            stayed + most.eq(0.0).sum(Kind::Int64).int64_value(&[]),
            2000
        );
        assert!((1300..1500).contains(&stayed), "{stayed} of 2000 stayed");
        let evaluated = stochastic_depth(branch(), 0.3, Mode::Evaluate);
        assert!((evaluated.double_value(&[0, 0, 0, 0]) - 3.5).abs() < 1e-6);
    }

    #[test]
    fn a_block_that_begins_at_zero_passes_its_input_on() {
        let _turn = crate::random::one_at_a_time();
        let (state, model) = network(&Recipe {
            zero_init_residual: true,
            ..small()
        });
        let named = |name: &str| {
            let entry = state.entries().iter().find(|entry| entry.name == name);
            entry
                .unwrap()
                .tensor
                .abs()
                .sum(Kind::Float)
                .double_value(&[])
        };
        assert_eq!(named("layer1.0.bn2.weight"), 0.0);
        assert!(named("layer1.0.bn1.weight") > 0.0 && named("layer2.0.downsample.1.weight") > 0.0);
        let x = Tensor::rand([2, 4, 8, 8], (Kind::Float, Device::Cpu));
        assert_eq!(model.blocks[0].forward(&x, Mode::Evaluate), x);
    }

    #[test]
    fn only_training_moves_the_running_statistics() {
        let _turn = crate::random::one_at_a_time();
        let (state, model) = network(&small());
        let batches = || {
            let entry = state
                .entries()
                .iter()
                .find(|entry| entry.name == "layer4.0.bn2.num_batches_tracked");
            entry.unwrap().tensor.int64_value(&[])
        };
        let images = Tensor::randn([4, 3, 32, 32], (Kind::Float, Device::Cpu));
        let first = no_grad(|| model.forward(&images, Mode::Evaluate));
        assert_eq!(
            (batches(), model.forward(&images, Mode::Evaluate)),
            (0, first)
        );
        let _ = model.forward(&images, Mode::Train);
        let _ = model.forward(&images, Mode::Train);
        assert_eq!(batches(), 2);
    }

    #[test]
    fn convolutions_begin_with_the_deviation_of_kaimings_fan_out() {
        let _guard = one_at_a_time();
        tch::manual_seed(1);
        let (state, _) = network(&Recipe::default());
        for (name, fan_out) in [
            ("layer3.1.conv2.weight", 128.0 * 9.0),
            ("layer4.0.downsample.0.weight", 256.0),
        ] {
            let entry = state
                .entries()
                .iter()
                .find(|entry| entry.name == name)
                .unwrap();
            let (std, expected) = (
                entry.tensor.std(true).double_value(&[]),
                (2.0_f64 / fan_out).sqrt(),
            );
            assert!(
                (std / expected - 1.0).abs() < 0.02,
                "{name}: {std}, not {expected}"
            );
        }
        let fc = state
            .entries()
            .iter()
            .find(|entry| entry.name == "fc.weight")
            .unwrap();
        let largest = fc.tensor.abs().max().double_value(&[]);
        assert!(largest <= 1.0 / 16.0 && largest > 0.06, "{largest}");
    }
}
