//! A moving average of the network, which often does better than the weights themselves: validated,
//! kept and tested in their place.

use tch::{Tensor, no_grad};

use super::model::{Role, StateDict};

/// Steps between two updates. The average fades by the decay of as many steps at once, which is as
/// good and costs a fifth.
const EVERY: u64 = 5;

/// Exponential moving average of parameters and batch norm statistics (Polyak and Juditsky 1992;
/// Tarvainen and Valpola 2017, arXiv:1703.01780).
#[derive(Debug)]
pub struct Average {
    decay: f64,
    /// All parameters in one tensor, and the average of them.
    parameters: Pair,
    /// The running statistics.
    buffers: Vec<Pair>,
    /// Name and shape of each parameter, in the order of storage.
    names: Vec<(String, Vec<i64>)>,
}

/// A tensor of the network, and the average of it.
#[derive(Debug)]
struct Pair {
    name: String,
    live: Tensor,
    average: Tensor,
}

impl Pair {
    fn new(name: &str, live: &Tensor) -> Self {
        let live = live.detach();
        Self {
            name: name.to_owned(),
            average: live.copy(),
            live,
        }
    }

    fn fade(&mut self, keep: f64) {
        let _ = self.average.lerp_(&self.live, 1.0 - keep);
    }

    fn swap(&mut self) {
        let kept = self.live.copy();
        self.live.copy_(&self.average);
        self.average.copy_(&kept);
    }
}

impl Average {
    /// Begins at the weights as they are. `flat` are all parameters of `state`, one after another,
    /// in its order.
    pub fn new(decay: f64, state: &StateDict, flat: &Tensor) -> Self {
        let buffers = state.entries().iter().filter(|entry| {
            // Counts are not averaged.
            entry.role == Role::Buffer && entry.tensor.is_floating_point()
        });
        Self {
            decay,
            parameters: Pair::new("", flat),
            buffers: buffers
                .map(|entry| Pair::new(&entry.name, &entry.tensor))
                .collect(),
            names: state
                .parameters()
                .map(|entry| (entry.name.clone(), entry.tensor.size()))
                .collect(),
        }
    }

    /// Takes the weights in after `steps` steps of the whole run. The first steps, far from where
    /// the run is going, fade sooner.
    pub fn update(&mut self, steps: u64) {
        if !steps.is_multiple_of(EVERY) {
            return;
        }
        let decay = self.decay.min((1 + steps) as f64 / (10 + steps) as f64);
        let keep = decay.powi(EVERY as i32);
        no_grad(|| {
            self.parameters.fade(keep);
            self.buffers.iter_mut().for_each(|pair| pair.fade(keep));
        });
    }

    /// Puts the average in the network's place and the network in the average's; a second time
    /// undoes it.
    pub fn swap(&mut self) {
        no_grad(|| {
            self.parameters.swap();
            self.buffers.iter_mut().for_each(Pair::swap);
        });
    }

    /// The average of each tensor under the tensor's name, for checkpoints.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Tensor)> {
        let mut offset = 0;
        let parameters = self.names.iter().map(move |(name, size)| {
            let count: i64 = size.iter().product();
            let view = self
                .parameters
                .average
                .narrow(0, offset, count)
                .view(size.as_slice());
            offset += count;
            (name.as_str(), view)
        });
        let buffers = self.buffers.iter();
        parameters.chain(buffers.map(|pair| (pair.name.as_str(), pair.average.shallow_clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimiser::{Settings, Sgd};
    use tch::{Device, Kind};

    /// A network of two weights and a statistic.
    fn network() -> (StateDict, Sgd) {
        let mut state = StateDict::new(Device::Cpu);
        let _ = state.parameter("a".to_owned(), &Tensor::from_slice(&[1.0_f32, 2.0]));
        let _ = state.buffer("mean".to_owned(), &Tensor::from_slice(&[4.0_f32]));
        let _ = state.counter("count".to_owned());
        let settings = Settings {
            weight_decay: 0.0,
            decay_norm_and_bias: true,
            nesterov: false,
            grad_clip: None,
            skip_nonfinite: false,
        };
        let sgd = Sgd::new(&state, settings);
        (state, sgd)
    }

    fn values(state: &StateDict) -> Vec<f64> {
        let of = |entry: &crate::model::Entry| -> Vec<f64> {
            Vec::try_from(entry.tensor.detach().to_kind(Kind::Double).view(-1)).unwrap()
        };
        state.entries().iter().flat_map(of).collect()
    }

    fn set(state: &StateDict, value: f64) {
        for entry in state.entries() {
            no_grad(|| drop(entry.tensor.shallow_clone().fill_(value)));
        }
    }

    #[test]
    fn the_average_follows_the_weights_at_its_own_pace() {
        let _turn = crate::random::one_at_a_time();
        let (state, sgd) = network();
        let mut average = Average::new(0.9, &state, sgd.flat());
        set(&state, 0.0);
        average.update(3);
        let first = |average: &Average| average.entries().next().unwrap().1.double_value(&[1]);
        assert!(
            (first(&average) - 2.0).abs() < 1e-6,
            "between updates nothing changes"
        );
        average.update(1000);
        assert!((first(&average) - 2.0 * 0.9_f64.powi(5)).abs() < 1e-5);
    }

    #[test]
    fn early_weights_fade_soon() {
        let _turn = crate::random::one_at_a_time();
        let (state, sgd) = network();
        let mut average = Average::new(0.999, &state, sgd.flat());
        set(&state, 0.0);
        average.update(5);
        let (_, a) = average.entries().next().unwrap();
        assert!((a.double_value(&[0]) - 0.4_f64.powi(5)).abs() < 1e-5);
    }

    #[test]
    fn swapping_twice_changes_nothing_and_once_shows_the_average() {
        let _turn = crate::random::one_at_a_time();
        let (state, sgd) = network();
        let mut average = Average::new(0.9, &state, sgd.flat());
        set(&state, 7.0);
        average.swap();
        assert_eq!(values(&state), [1.0, 2.0, 4.0, 7.0]);
        average.swap();
        assert_eq!(values(&state), [7.0, 7.0, 7.0, 7.0]);
        let names: Vec<_> = average.entries().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(names, ["a", "mean"]);
    }
}
