//! What network a checkpoint is of, deduced from the shapes of its tensors alone.

use traintop_recipe::network::STAGES;

use super::Shape;

/// Wider and deeper than any network; a file may claim anything.
const MAX_WIDTH: i64 = 1 << 16;
const MAX_BLOCKS: usize = 1 << 10;

impl Shape {
    /// The network whose tensors have these sizes; `None` if they are not those of a network that
    /// is made here. What only training needs leaves no trace in a checkpoint, and is left out.
    pub fn deduce(size_of: impl Fn(&str) -> Option<Vec<i64>>) -> Option<Self> {
        let [width, 3, 3, 3] = size_of("conv1.weight")?[..] else {
            return None;
        };
        if !(1..=MAX_WIDTH).contains(&width) {
            return None;
        }
        let [classes, _] = size_of("fc.weight")?[..] else {
            return None;
        };
        let blocks = (0..MAX_BLOCKS)
            .take_while(|block| size_of(&format!("layer1.{block}.conv1.weight")).is_some())
            .count();
        let squeezed: Vec<i64> = (1..=STAGES)
            .filter_map(|stage| size_of(&format!("layer{stage}.0.se.fc.0.weight")))
            .filter_map(|size| size.first().copied())
            .collect();
        // Rounded down in each stage, so that one stage alone may not determine it.
        let reduction = (1..=width).find(|reduction| {
            (0..STAGES)
                .zip(&squeezed)
                .all(|(stage, squeezed)| (width << stage) / reduction == *squeezed)
        });
        let se_reduction = match squeezed.len() as u32 {
            0 => None,
            STAGES => Some(reduction?),
            _ => return None,
        };
        (blocks > 0).then_some(Self {
            width,
            blocks: blocks as i64,
            se_reduction,
            dropout_rate: 0.0,
            stochastic_depth_rate: 0.0,
            zero_init_residual: false,
            classes,
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::super::{ResNet, StateDict};
    use super::*;

    #[test]
    fn the_network_of_a_state_dict_is_found_again() {
        let _turn = crate::random::one_at_a_time();
        for (width, blocks, se_reduction, classes) in [
            (4, 1, Some(2), 10),
            (6, 2, Some(4), 100),
            (4, 3, None, 2),
            (16, 1, Some(16), 10),
        ] {
            let shape = Shape {
                width,
                blocks,
                se_reduction,
                dropout_rate: 0.0,
                stochastic_depth_rate: 0.0,
                zero_init_residual: false,
                classes,
            };
            let mut state = StateDict::new(Device::Cpu);
            let _ = ResNet::new(&mut state, &shape);
            let size_of = |name: &str| {
                let entry = state.entries().iter().find(|entry| entry.name == name)?;
                Some(entry.tensor.size())
            };
            let found = Shape::deduce(size_of).unwrap();
            let mut again = StateDict::new(Device::Cpu);
            let _ = ResNet::new(&mut again, &found);
            let sizes = |state: &StateDict| -> Vec<_> {
                let entries = state.entries().iter();
                entries
                    .map(|entry| (entry.name.clone(), entry.tensor.size()))
                    .collect()
            };
            assert_eq!(sizes(&state), sizes(&again));
        }
        assert_eq!(Shape::deduce(|_| Some(vec![1])), None);
        assert_eq!(Shape::deduce(|_| None), None);
    }
}
