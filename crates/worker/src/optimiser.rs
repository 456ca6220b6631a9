//! Stochastic gradient descent with momentum, after `PyTorch`'s `SGD` and `clip_grad_norm_`. All
//! parameters are in one flat tensor of which the network's are views, so that a step is a handful
//! of operations instead of six for each of the network's tensors, and the momentum is one tensor
//! to save.

use tch::{Tensor, no_grad};

use super::model::StateDict;

/// What stays the same over a training run; learning rate and momentum come with each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub weight_decay: f64,
    /// Whether tensors of one dimension, batch norms' and biases, decay too.
    pub decay_norm_and_bias: bool,
    pub nesterov: bool,
    /// Gradients with a larger global norm are scaled down to it; `None` leaves them as they are.
    pub grad_clip: Option<f64>,
    /// Leave everything as it is where a gradient is no number.
    pub skip_nonfinite: bool,
}

/// The optimiser, with the memory that a resumed run needs again.
#[derive(Debug)]
pub struct Sgd {
    settings: Settings,
    /// Name and view of each parameter, as leaves of the autograd graph.
    parameters: Vec<(String, Tensor)>,
    /// All parameters, one after another.
    flat: Tensor,
    /// The momentum buffer, in the same order.
    velocity: Tensor,
    /// 1 where weights decay and 0 elsewhere; `None` if all do.
    decays: Option<Tensor>,
}

impl Sgd {
    /// Moves the parameters of `state` into one flat tensor and begins with zero velocity.
    pub fn new(state: &StateDict, settings: Settings) -> Self {
        let entries: Vec<_> = state.parameters().collect();
        let flat = no_grad(|| {
            Tensor::cat(
                &entries
                    .iter()
                    .map(|entry| entry.tensor.flatten(0, -1))
                    .collect::<Vec<_>>(),
                0,
            )
        });
        let decays = (!settings.decay_norm_and_bias).then(|| {
            let part = |tensor: &Tensor| match tensor.dim() {
                0 | 1 => tensor.detach().zeros_like().flatten(0, -1),
                _ => tensor.detach().ones_like().flatten(0, -1),
            };
            let parts: Vec<_> = entries.iter().map(|entry| part(&entry.tensor)).collect();
            Tensor::cat(&parts, 0)
        });
        let mut offset = 0;
        let mut parameters = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut tensor = entry.tensor.shallow_clone();
            let view = flat
                .narrow(0, offset, tensor.numel() as i64)
                .view(tensor.size().as_slice());
            // The layers hold this same tensor: from here on its memory is the flat one's.
            no_grad(|| tensor.set_data(&view));
            offset += tensor.numel() as i64;
            parameters.push((entry.name.clone(), tensor));
        }
        let velocity = flat.zeros_like();
        Self {
            settings,
            parameters,
            flat,
            velocity,
            decays,
        }
    }

    /// The gradient of `loss` by every parameter, one after another.
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        let leaves: Vec<&Tensor> = self.parameters.iter().map(|(_, tensor)| tensor).collect();
        let gradients = Tensor::run_backward(&[loss], &leaves, false, false);
        no_grad(|| {
            let gradients: Vec<Tensor> = gradients
                .iter()
                .map(|gradient| gradient.contiguous().view(-1))
                .collect();
            Tensor::cat(&gradients, 0)
        })
    }

    /// Moves every parameter down a gradient of [`Sgd::gradient`]. Nothing is read back to the
    /// host.
    pub fn step(&mut self, mut gradient: Tensor, learning_rate: f64, momentum: f64) {
        no_grad(|| {
            let before = self.settings.skip_nonfinite.then(|| {
                let is_number = gradient.norm().isfinite();
                (is_number, self.flat.copy(), self.velocity.copy())
            });
            if let Some(limit) = self.settings.grad_clip {
                let mut scale = (gradient.norm() + 1e-6).reciprocal() * limit;
                let _ = gradient.g_mul_(&scale.clamp_max_(1.0));
            }
            if self.settings.weight_decay > 0.0 {
                let decay = &self.flat * self.settings.weight_decay;
                gradient += match &self.decays {
                    Some(decays) => decay * decays,
                    None => decay,
                };
            }
            self.velocity *= momentum;
            self.velocity += &gradient;
            let direction = if self.settings.nesterov {
                gradient + &self.velocity * momentum
            } else {
                self.velocity.shallow_clone()
            };
            self.flat -= direction * learning_rate;
            if let Some((is_number, flat, velocity)) = before {
                self.flat.copy_(&self.flat.where_self(&is_number, &flat));
                self.velocity
                    .copy_(&self.velocity.where_self(&is_number, &velocity));
            }
        });
    }

    /// All parameters, one after another; the network's own memory.
    pub fn flat(&self) -> &Tensor {
        &self.flat
    }

    /// The norm of all parameters together: no number if one of them is none.
    pub fn weight_norm(&self) -> f64 {
        self.flat.norm().double_value(&[])
    }

    /// The momentum buffer of each parameter, as views under the parameter's name.
    pub fn velocities(&self) -> impl Iterator<Item = (&str, Tensor)> {
        let mut offset = 0;
        self.parameters.iter().map(move |(name, tensor)| {
            let count = tensor.numel() as i64;
            let view = self
                .velocity
                .narrow(0, offset, count)
                .view(tensor.size().as_slice());
            offset += count;
            (name.as_str(), view)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    /// Two parameters, of which the loss `3a + 4b + b^2/2` has the gradient (3, 4 + b).
    struct Toy {
        optimiser: Sgd,
        a: Tensor,
        b: Tensor,
    }

    impl Toy {
        fn new(settings: Settings) -> Self {
            let mut state = StateDict::new(Device::Cpu);
            let a = state.parameter("a".to_owned(), &Tensor::from_slice(&[1.0_f64]));
            let b = state.parameter("b".to_owned(), &Tensor::from_slice(&[2.0_f64]));
            Self {
                optimiser: Sgd::new(&state, settings),
                a,
                b,
            }
        }

        fn step(&mut self, learning_rate: f64, momentum: f64) -> [f64; 2] {
            let loss = (&self.a * 3.0 + &self.b * 4.0 + &self.b * &self.b * 0.5).sum(Kind::Double);
            let gradient = self.optimiser.gradient(&loss);
            self.optimiser.step(gradient, learning_rate, momentum);
            [self.a.double_value(&[0]), self.b.double_value(&[0])]
        }
    }

    const PLAIN: Settings = Settings {
        weight_decay: 0.0,
        decay_norm_and_bias: true,
        nesterov: false,
        grad_clip: None,
        skip_nonfinite: false,
    };

    fn close(found: [f64; 2], expected: [f64; 2]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    #[test]
    fn velocity_gathers_gradients_and_fades_by_the_momentum_of_the_step() {
        let mut toy = Toy::new(PLAIN);
        // v = (3, 6)
        close(toy.step(0.1, 0.9), [0.7, 1.4]);
        // v = 0.5 (3, 6) + (3, 5.4) = (4.5, 8.4)
        close(toy.step(0.1, 0.5), [0.25, 0.56]);
    }

    #[test]
    fn nesterov_looks_one_momentum_ahead() {
        let mut toy = Toy::new(Settings {
            nesterov: true,
            ..PLAIN
        });
        // g = v = (3, 6); moved by g + 0.9 v = (5.7, 11.4)
        close(toy.step(0.1, 0.9), [0.43, 0.86]);
        // g = (3, 4.86), v = (5.7, 10.26); moved by (8.13, 14.094)
        close(toy.step(0.1, 0.9), [-0.383, -0.5494]);
    }

    #[test]
    fn weight_decay_is_added_to_the_gradient_after_clipping() {
        let mut toy = Toy::new(Settings {
            weight_decay: 0.5,
            grad_clip: Some(1.0),
            ..PLAIN
        });
        // |(3, 6)| = 6.7082; clipped to (0.447214, 0.894427) up to PyTorch's 1e-6; plus half the
        // weights (0.5, 1)
        let norm = 45.0_f64.sqrt();
        let scale = 1.0 / (norm + 1e-6);
        close(
            toy.step(0.1, 0.9),
            [
                1.0 - 0.1 * (3.0 * scale + 0.5),
                2.0 - 0.1 * (6.0 * scale + 1.0),
            ],
        );
    }

    #[test]
    fn only_weights_of_layers_decay_if_so_chosen() {
        let mut state = StateDict::new(Device::Cpu);
        let matrix = state.parameter("m".to_owned(), &Tensor::from_slice2(&[[1.0_f64, 2.0]]));
        let bias = state.parameter("b".to_owned(), &Tensor::from_slice(&[4.0_f64]));
        let settings = Settings {
            weight_decay: 0.5,
            decay_norm_and_bias: false,
            ..PLAIN
        };
        let mut optimiser = Sgd::new(&state, settings);
        let gradient = optimiser
            .gradient(&((&matrix * 0.0).sum(Kind::Double) + &bias * 0.0).sum(Kind::Double));
        optimiser.step(gradient, 0.1, 0.9);
        assert_eq!(matrix, Tensor::from_slice2(&[[0.95_f64, 1.9]]));
        assert_eq!(bias, Tensor::from_slice(&[4.0_f64]));
    }

    #[test]
    fn a_gradient_that_is_no_number_changes_nothing_where_it_is_skipped() {
        let settings = Settings {
            skip_nonfinite: true,
            ..PLAIN
        };
        let (mut skipping, mut plain) = (Toy::new(settings), Toy::new(PLAIN));
        let first = skipping.step(0.1, 0.9);
        assert_eq!(first, plain.step(0.1, 0.9));
        let bad = Tensor::from_slice(&[1.0, f64::NAN]);
        skipping.optimiser.step(bad, 0.1, 0.9);
        assert_eq!(
            [skipping.a.double_value(&[0]), skipping.b.double_value(&[0])],
            first
        );
        assert_eq!(skipping.step(0.1, 0.9), plain.step(0.1, 0.9));
    }

    #[test]
    fn gradients_within_the_limit_are_left_alone() {
        let mut toy = Toy::new(Settings {
            grad_clip: Some(100.0),
            ..PLAIN
        });
        close(toy.step(0.1, 0.9), [0.7, 1.4]);
    }

    #[test]
    fn velocities_are_views_by_the_names_of_their_parameters() {
        let mut toy = Toy::new(PLAIN);
        toy.step(0.1, 0.9);
        let found: Vec<(String, f64)> = toy
            .optimiser
            .velocities()
            .map(|(name, tensor)| (name.to_owned(), tensor.double_value(&[0])))
            .collect();
        assert_eq!(found, [("a".to_owned(), 3.0), ("b".to_owned(), 6.0)]);
    }
}
