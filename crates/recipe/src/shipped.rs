//! The recipes in `configs/`, compiled in, so that the programs find them wherever they are
//! started.

/// A recipe that comes with the program.
#[derive(Debug, Clone, Copy)]
pub struct Shipped {
    /// Its name: the file's, without `.toml`.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($name:literal),+) => {
        /// All of them, the one to begin with first.
        pub const SHIPPED: &[Shipped] =
            &[$(Shipped { name: $name, text: include_str!(concat!("../../../configs/", $name, ".toml")) }),+];
    };
}

shipped!(
    "quick",
    "best",
    "resnet_randaugment",
    "hybrid_se_stochastic",
    "resnet_se"
);

/// The comment that a recipe's text begins with, as one paragraph: what the recipe is for.
pub fn description(text: &str) -> String {
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    lines
        .map(|line| line.trim_start_matches('#').trim())
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::parameters;
    use crate::parse_shipped;

    #[test]
    fn every_shipped_recipe_is_right_and_described() {
        for shipped in SHIPPED {
            parse_shipped(shipped).unwrap();
            assert!(
                description(shipped.text).len() > 40,
                "{} is incomplete",
                shipped.name
            );
        }
    }

    #[test]
    fn shipped_networks_have_the_sizes_that_are_promised() {
        let recipe = |name: &str| {
            let shipped = SHIPPED.iter().find(|shipped| shipped.name == name).unwrap();
            parse_shipped(shipped).unwrap()
        };
        for (name, count) in [
            ("resnet_se", 2_819_370),
            ("resnet_randaugment", 2_819_370),
            ("hybrid_se_stochastic", 2_841_130),
            ("quick", 314_266),
            ("best", 4_436_690),
        ] {
            assert_eq!(parameters(&recipe(name), 10), count, "{name}");
        }
        assert!(recipe("hybrid_se_stochastic").use_randaugment);
    }

    #[test]
    fn every_recipe_file_is_shipped() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                SHIPPED.iter().any(|shipped| shipped.name == name),
                "{name} is not compiled in"
            );
        }
    }
}
