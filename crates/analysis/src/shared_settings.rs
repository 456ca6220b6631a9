//! What runs of a group have in common that most others do not: of fourteen that ran out of memory,
//! that all have batches of 512.

use super::compare::repetitions::is_name;
use traintop_run::settings::Settings;

/// Limit of the settings named: more would no longer be a hint.
const MAX_SETTINGS: usize = 2;
/// Sample of the other runs, taken evenly, for comparison.
const OTHERS: usize = 50;

/// The keys of which all runs of a group have one value, and fewer than half of the others have it;
/// what is rarest among the others first. Nothing of a group of one run, and nothing where there
/// are no others.
pub fn shared_settings<'a>(
    group: &[&'a Settings],
    others: &[&Settings],
) -> Vec<(&'a str, &'a str)> {
    let [first, rest @ ..] = group else {
        return Vec::new();
    };
    if rest.is_empty() || others.is_empty() {
        return Vec::new();
    }
    let looked_at = others.iter().step_by(others.len().div_ceil(OTHERS));
    let looked_at: Vec<&Settings> = looked_at.copied().collect();
    let having = |pair: (&str, &str)| looked_at.iter().filter(|other| other.has(pair)).count();
    let pairs = first.pairs().filter(|(key, _)| !is_name(key));
    let rare = pairs.map(|pair| (having(pair), pair));
    let mut special: Vec<_> = rare
        .filter(|(having, pair)| {
            2 * having < looked_at.len() && rest.iter().all(|other| other.has(*pair))
        })
        .collect();
    special.sort_by_key(|(having, _)| *having);
    special.truncate(MAX_SETTINGS);
    special.into_iter().map(|(_, pair)| pair).collect()
}

/// As a phrase: `all batch_size 512`; `None` if there is nothing.
pub fn sentence(group: &[&Settings], others: &[&Settings]) -> Option<String> {
    let pairs = shared_settings(group, others).into_iter();
    let pairs: Vec<String> = pairs.map(|(key, value)| format!("{key} {value}")).collect();
    (!pairs.is_empty()).then(|| format!("all {}", pairs.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let pairs = pairs.iter();
        pairs
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn run(name: &str, batch_size: &str, seed: &str) -> Settings {
        settings(&[
            ("experiment_name", name),
            ("batch_size", batch_size),
            ("momentum", "0.9"),
            ("seed", seed),
        ])
    }

    #[test]
    fn what_all_of_a_group_have_and_few_others_is_reported() {
        let failed = [
            run("a", "512", "1"),
            run("a", "512", "2"),
            run("a", "512", "3"),
        ];
        let others = [
            run("b", "64", "1"),
            run("b", "128", "2"),
            run("b", "512", "3"),
        ];
        let (failed, others): (Vec<_>, Vec<_>) = (failed.iter().collect(), others.iter().collect());
        let alike = Some("all batch_size 512");
        assert_eq!(sentence(&failed, &others).as_deref(), alike);
        // What one of them has otherwise is none of it, nor what most others have too.
        assert_eq!(sentence(&failed[..1], &others), None);
        assert_eq!(sentence(&failed, &[]), None);
        assert_eq!(sentence(&others, &failed), None);
        // A value that begins like another is another.
        let longer = run("b", "5120", "9");
        assert_eq!(sentence(&failed, &[&longer]).as_deref(), alike);
    }
}
