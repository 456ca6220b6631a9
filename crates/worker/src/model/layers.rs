//! The layers a `ResNet` is made of. Weights are float32 and are cast to the kind of the input on
//! the way through, so that the precision of a forward pass is that of the images it is given;
//! gradients come back in float32.

use tch::{Device, Kind, Tensor, no_grad};

use super::{Mode, StateDict};

/// Batch norm's share of a new batch in its running statistics, and what keeps its division finite
/// (`PyTorch`'s values).
const BATCH_NORM_MOMENTUM: f64 = 0.1;
const BATCH_NORM_EPSILON: f64 = 1e-5;

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// A square convolution without bias, padded so that stride 1 keeps the image's size.
#[derive(Debug)]
pub struct Conv2d {
    weight: Tensor,
    stride: i64,
    padding: i64,
}

impl Conv2d {
    /// Adds `{path}.weight`, initialised as Kaiming normal by fan-out (He et al. 2015,
    /// arXiv:1502.01852) for a `ReLU`.
    pub fn new(
        state: &mut StateDict,
        path: &str,
        inputs: i64,
        outputs: i64,
        kernel: i64,
        stride: i64,
    ) -> Self {
        let fan_out = (outputs * kernel * kernel) as f64;
        let weight =
            Tensor::randn([outputs, inputs, kernel, kernel], FLOAT) * (2.0 / fan_out).sqrt();
        Self {
            weight: state.parameter(format!("{path}.weight"), &weight),
            stride,
            padding: kernel / 2,
        }
    }

    /// N x inputs x H x W to N x outputs x H/stride x W/stride.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        self.forward_by(&self.weight, None, x)
    }

    /// The same, followed by a batch norm. Where that only scales and shifts, the convolution does
    /// so itself, which saves two passes over memory: an evaluation of `quick` ran 1.16 times as
    /// fast.
    pub fn forward_normalised(&self, norm: &BatchNorm2d, x: &Tensor, mode: Mode) -> Tensor {
        match mode {
            Mode::Train => norm.forward_training(&self.forward(x)),
            Mode::Evaluate => {
                let (scale, shift) = norm.scale_and_shift();
                let weight = &self.weight * scale.view([-1, 1, 1, 1]);
                self.forward_by(&weight, Some(&shift), x)
            }
        }
    }

    fn forward_by(&self, weight: &Tensor, bias: Option<&Tensor>, x: &Tensor) -> Tensor {
        let weight = weight.to_kind(x.kind());
        let bias = bias.map(|bias| bias.to_kind(x.kind()));
        let is_channels_last = x.stride()[1] == 1;
        if self.padding == 0 && is_channels_last {
            return self.pointwise(x, &weight, bias);
        }
        x.conv2d(&weight, bias, [self.stride], [self.padding], [1], 1)
    }
}

impl Conv2d {
    /// A 1x1 convolution as the product of matrices that it is. oneDNN's own, as libtorch 2.11 has
    /// it, writes past its memory in the backward pass on a CPU where channels last are fewer than
    /// 16 and the images odd in number.
    fn pointwise(&self, x: &Tensor, weight: &Tensor, bias: Option<Tensor>) -> Tensor {
        let size = weight.size();
        let kept = x
            .slice(2, None, None, self.stride)
            .slice(3, None, None, self.stride);
        let by_pixel = kept.permute([0, 2, 3, 1]);
        let out = by_pixel.linear(&weight.view([size[0], size[1]]), bias);
        out.permute([0, 3, 1, 2])
    }
}

/// Batch normalisation over the images and pixels of each channel (Ioffe and Szegedy 2015,
/// arXiv:1502.03167).
#[derive(Debug)]
pub struct BatchNorm2d {
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    num_batches_tracked: Tensor,
}

impl BatchNorm2d {
    /// Adds `{path}.{weight,bias,running_mean,running_var,num_batches_tracked}`: the identity at
    /// first.
    pub fn new(state: &mut StateDict, path: &str, channels: i64) -> Self {
        let (zeros, ones) = (
            Tensor::zeros([channels], FLOAT),
            Tensor::ones([channels], FLOAT),
        );
        Self {
            weight: state.parameter(format!("{path}.weight"), &ones),
            bias: state.parameter(format!("{path}.bias"), &zeros),
            running_mean: state.buffer(format!("{path}.running_mean"), &zeros),
            running_var: state.buffer(format!("{path}.running_var"), &ones),
            num_batches_tracked: state.counter(format!("{path}.num_batches_tracked")),
        }
    }

    /// Lets nothing through at first: the weight is 0 (Goyal et al. 2017, arXiv:1706.02677).
    pub fn begin_at_zero(&self) {
        no_grad(|| drop(self.weight.shallow_clone().zero_()));
    }

    /// Same shape out. The batch's own statistics are used, and flow into the running ones.
    fn forward_training(&self, x: &Tensor) -> Tensor {
        let _ = self.num_batches_tracked.shallow_clone().g_add_scalar_(1);
        x.batch_norm(
            Some(&self.weight),
            Some(&self.bias),
            Some(&self.running_mean),
            Some(&self.running_var),
            true,
            BATCH_NORM_MOMENTUM,
            BATCH_NORM_EPSILON,
            true,
        )
    }

    /// What each channel is multiplied by, and what is then added, by the running statistics.
    fn scale_and_shift(&self) -> (Tensor, Tensor) {
        let scale = &self.weight / (&self.running_var + BATCH_NORM_EPSILON).sqrt();
        let shift = &self.bias - &self.running_mean * &scale;
        (scale, shift)
    }
}

/// A fully connected layer.
#[derive(Debug)]
pub struct Linear {
    weight: Tensor,
    bias: Option<Tensor>,
}

impl Linear {
    /// Adds `{path}.weight` and `{path}.bias`, uniform in +-1/sqrt(inputs) as `PyTorch` initialises
    /// them.
    pub fn new(state: &mut StateDict, path: &str, inputs: i64, outputs: i64) -> Self {
        let mut linear = Self::without_bias(state, path, inputs, outputs);
        linear.bias = Some(state.parameter(format!("{path}.bias"), &uniform(inputs, &[outputs])));
        linear
    }

    /// Adds `{path}.weight` alone.
    pub fn without_bias(state: &mut StateDict, path: &str, inputs: i64, outputs: i64) -> Self {
        let weight = state.parameter(
            format!("{path}.weight"),
            &uniform(inputs, &[outputs, inputs]),
        );
        Self { weight, bias: None }
    }

    /// N x inputs to N x outputs.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let bias = self.bias.as_ref().map(|bias| bias.to_kind(x.kind()));
        x.linear(&self.weight.to_kind(x.kind()), bias)
    }
}

fn uniform(fan_in: i64, size: &[i64]) -> Tensor {
    let bound = 1.0 / (fan_in as f64).sqrt();
    Tensor::empty(size, FLOAT).uniform_(-bound, bound)
}

/// N x C x H x W to N x C: the mean of each channel, written as a sum times a constant because
/// libtorch's average pools have no fast bfloat16 channels-last path on a CPU (a training step of
/// `resnet_se` ran 1.15 times as fast).
pub fn global_average_pool(x: &Tensor) -> Tensor {
    let size = x.size();
    let pixels = (size[2] * size[3]) as f64;
    x.sum_dim_intlist([2_i64, 3].as_slice(), false, None) * (1.0 / pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::one_at_a_time;

    fn channels_last(x: &Tensor) -> Tensor {
        x.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
    }

    #[test]
    fn a_pointwise_convolution_is_the_same_in_either_memory_order() {
        let _guard = one_at_a_time();
        tch::manual_seed(6);
        let mut state = StateDict::new(Device::Cpu);
        let conv = Conv2d::new(&mut state, "conv", 5, 7, 1, 2);
        let x = Tensor::randn([3, 5, 9, 8], FLOAT);
        let (plain, last) = (conv.forward(&x), conv.forward(&channels_last(&x)));
        assert_eq!(last.size(), [3, 7, 5, 4]);
        assert!((plain - last).abs().max().double_value(&[]) < 1e-5);
    }

    #[test]
    fn a_batch_norm_that_a_convolution_does_itself_is_libtorchs() {
        let _guard = one_at_a_time();
        tch::manual_seed(8);
        let mut state = StateDict::new(Device::Cpu);
        for (kernel, order) in [(3, false), (1, false), (1, true)] {
            let conv = Conv2d::new(&mut state, "conv", 5, 7, kernel, 2);
            let norm = BatchNorm2d::new(&mut state, "bn", 7);
            let x = Tensor::randn([6, 5, 9, 8], FLOAT);
            let x = if order { channels_last(&x) } else { x };
            no_grad(|| {
                let _ = norm.weight.shallow_clone().uniform_(0.5, 2.0);
                let _ = norm.bias.shallow_clone().uniform_(-1.0, 1.0);
                let _ = conv.forward_normalised(&norm, &x, Mode::Train);
                let expected = conv.forward(&x).batch_norm(
                    Some(&norm.weight),
                    Some(&norm.bias),
                    Some(&norm.running_mean),
                    Some(&norm.running_var),
                    false,
                    BATCH_NORM_MOMENTUM,
                    BATCH_NORM_EPSILON,
                    true,
                );
                let found = conv.forward_normalised(&norm, &x, Mode::Evaluate);
                let difference = (found - expected).abs().max().double_value(&[]);
                assert!(difference < 1e-5, "{kernel} {order}: {difference}");
            });
        }
    }

    /// oneDNN's 1x1 convolution broke the process here.
    #[test]
    fn few_channels_and_an_odd_number_of_images_pass_backwards() {
        let _guard = one_at_a_time();
        let threads = tch::get_num_threads();
        tch::set_num_threads(2);
        let mut state = StateDict::new(Device::Cpu);
        let conv = Conv2d::new(&mut state, "conv", 4, 8, 1, 2);
        for images in [3, 5, 7, 5, 3] {
            let x = channels_last(&Tensor::randn([images, 4, 32, 32], FLOAT));
            let loss = conv.forward(&x).square().mean(Kind::Float);
            let weight = state.parameters().next().unwrap().tensor.shallow_clone();
            let gradients = Tensor::run_backward(&[&loss], &[&weight], false, false);
            assert!(gradients[0].isfinite().all().int64_value(&[]) == 1);
        }
        tch::set_num_threads(threads);
    }
}
