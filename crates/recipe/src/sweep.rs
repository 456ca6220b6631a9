//! Sweeps: one recipe with some of its values varied, as a grid or a random sample of its points.

use std::collections::BTreeSet;

use super::field::{Field, Kind, Value};
use super::load::{RecipeError, parse_override};
use super::schema::{Recipe, field};

/// A sweep of more points than this is a mistake; a sample of such a grid is not.
const MAX_POINTS: u64 = 10_000;

/// One value of a recipe, or of a command's arguments, varied.
#[derive(Debug, Clone)]
pub struct Axis {
    pub key: String,
    /// What it becomes.
    pub values: Vec<Value>,
}

/// The values that are varied, each with every other.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    axes: Vec<Axis>,
}

/// A point of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What differs from the recipe, in the order in which the axes were given, as `--set` takes
    /// it.
    pub changes: Vec<(String, String)>,
    /// The recipe with these changes.
    pub recipe: Recipe,
}

impl Point {
    /// The changes in one line: `max_lr=0.1 seed=3`.
    pub fn label(&self) -> String {
        label(&self.changes)
    }
}

/// Changes in one line.
pub fn label(changes: &[(String, String)]) -> String {
    let changes = changes.iter();
    let changes: Vec<String> = changes
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    changes.join(" ")
}

/// What a command's arguments may be: our recipes' fields have kinds of their own.
const fn argument(kind: Kind) -> Field {
    Field {
        key: "a value",
        kind,
        group: "",
        description: "",
    }
}
static WHOLE: Field = argument(Kind::Int {
    min: i64::MIN / 4,
    max: i64::MAX / 4,
});
static NUMBER: Field = argument(Kind::Float {
    min: f64::MIN,
    max: f64::MAX,
    with_max: true,
});
static WORD: Field = argument(Kind::Text);

impl Axis {
    /// Reads `key=v1,v2`, also in brackets; `key=1..5` all whole numbers from 1 to 5;
    /// `key=0.1..0.5/5` five numbers evenly apart; `key=0.001..0.1*3` three numbers, each the same
    /// multiple of the one before.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, values) = parse_override(text)?;
        let known = field(&key);
        let field =
            known.ok_or_else(|| format!("--sweep {text}: {}", super::load::unknown(&key)))?;
        Self::of(field, &values).map_err(|problem| format!("--sweep {text}: {problem}"))
    }

    /// Reads the values of one field, written as [`Axis::parse`] takes them behind the key.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn of(field: &'static Field, values: &str) -> Result<Self, String> {
        let list = values.trim();
        let list = list
            .strip_prefix('[')
            .and_then(|list| list.strip_suffix(']'))
            .unwrap_or(list);
        let mut swept: Vec<Value> = Vec::new();
        for part in list.split(',') {
            let part = part.trim().trim_matches('"');
            let is_number = matches!(field.kind, Kind::Int { .. } | Kind::Float { .. });
            let found = match part.split_once("..").filter(|_| is_number) {
                Some((from, to)) => range(field, from, to)?,
                None => vec![field.parse(part).map_err(|bad| bad.to_string())?],
            };
            for value in found {
                if swept.contains(&value) {
                    return Err(format!("{} has {value} twice", field.key));
                }
                swept.push(value);
            }
        }
        Ok(Self {
            key: field.key.to_owned(),
            values: swept,
        })
    }

    /// Reads values as [`Axis::parse`] does, of a key that is no recipe's but a command's argument:
    /// any text, or numbers in a range.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn argument(text: &str) -> Result<Self, String> {
        let (key, values) = parse_override(text)?;
        let has_dots = values.contains("..");
        let is_float =
            |part: &str| part.contains(['e', 'E']) || part.replace("..", "").contains('.');
        let field = match has_dots {
            true if values.split(',').any(is_float) => &NUMBER,
            true => &WHOLE,
            false => &WORD,
        };
        let axis =
            Self::of(field, &values).map_err(|problem| format!("--sweep {text}: {problem}"))?;
        Ok(Self { key, ..axis })
    }

    /// Whether a text that is typed for a field means several values: a list or a range. Of a text
    /// in brackets it does; a comma in a path or a name is only a comma.
    pub fn is_meant(field: &Field, text: &str) -> bool {
        let text = text.trim();
        let is_number = matches!(field.kind, Kind::Int { .. } | Kind::Float { .. });
        let has_brackets = text.starts_with('[') && text.ends_with(']');
        let is_listed = text.contains(',') && field.kind != Kind::Text;
        has_brackets || is_listed || (is_number && text.contains(".."))
    }
}

/// The numbers of `from..to`, `from..to/count` or `from..to*count`.
fn range(field: &'static Field, from: &str, to: &str) -> Result<Vec<Value>, String> {
    let (to, count) = match to.find(['/', '*']) {
        Some(at) => (&to[..at], Some((to.as_bytes()[at], to[at + 1..].trim()))),
        None => (to, None),
    };
    let ends = [from, to].map(|end| field.parse(end).map_err(|bad| bad.to_string()));
    let [from, to] = ends;
    let (from, to) = (from?, to?);
    let Some((how, count)) = count else {
        return match (&from, &to) {
            (Value::Int(from), Value::Int(to)) if to - from >= MAX_POINTS as i64 => {
                Err(format!("{from}..{to} are more than {MAX_POINTS} values"))
            }
            (Value::Int(from), Value::Int(to)) if from <= to => {
                Ok((*from..=*to).map(Value::Int).collect())
            }
            (Value::Int(_), _) => Err(format!(
                "{from}..{to} is empty; the smaller number comes first"
            )),
            _ => Err(format!(
                "how many numbers? {from}..{to}/5 are five evenly apart, {from}..{to}*5 five that grow by the same factor"
            )),
        };
    };
    let wanted = count.parse::<u32>().ok();
    let count = wanted.filter(|count| (2..=MAX_POINTS as u32).contains(count));
    let count = count.ok_or_else(|| format!("a range has from 2 to {MAX_POINTS} numbers"))?;
    let number = |value: &Value| match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        _ => f64::NAN,
    };
    let (first, last) = (number(&from), number(&to));
    if how == b'*' && !(first > 0.0 && last > 0.0) {
        return Err(format!(
            "{from}..{to}*{count} grows by a factor, so both ends must be above 0"
        ));
    }
    let at = |index: u32| {
        let part = f64::from(index) / f64::from(count - 1);
        let value = match index {
            // The ends are what was written, not what arithmetic makes of it.
            0 => first,
            index if index == count - 1 => last,
            _ if how == b'*' => first * (last / first).powf(part),
            _ => first + (last - first) * part,
        };
        let value = match field.kind {
            Kind::Int { .. } => Value::Int(value.round() as i64),
            // Ten digits distinguish any two, and avoid 0.30000000000000004.
            _ => Value::Float(format!("{value:.9e}").parse().unwrap_or(value)),
        };
        field.check(value).map_err(|bad| bad.to_string())
    };
    let mut values: Vec<Value> = (0..count).map(at).collect::<Result<_, _>>()?;
    values.dedup();
    Ok(values)
}

impl Sweep {
    /// Of these axes.
    ///
    /// # Errors
    /// If two vary the same key.
    pub fn new(axes: Vec<Axis>) -> Result<Self, String> {
        for (at, axis) in axes.iter().enumerate() {
            let key = &axis.key;
            if axes[..at].iter().any(|other| other.key == *key) {
                return Err(format!(
                    "{key} is swept twice; give all its values in one --sweep"
                ));
            }
        }
        Ok(Self { axes })
    }

    /// Points of the whole grid.
    pub fn count(&self) -> u64 {
        let counts = self.axes.iter().map(|axis| axis.values.len() as u64);
        counts.fold(1, u64::saturating_mul)
    }

    /// The points of a recipe. Every one is checked before the first is trained.
    ///
    /// # Errors
    /// If there are too many, or a point's values do not go together.
    pub fn points(
        &self,
        base: &Recipe,
        sample: Option<(u64, u64)>,
    ) -> Result<Vec<Point>, SweepError> {
        let point = |changes: Vec<(String, String)>| {
            let recipe = base.clone().with_overrides(&changes)?;
            Ok(Point { changes, recipe })
        };
        self.all_changes(sample)?.into_iter().map(point).collect()
    }

    /// What each point changes: all points, the first axis changing slowest, or `sample` of them
    /// that `seed` draws, in the grid's order.
    ///
    /// # Errors
    /// If there are too many.
    pub fn all_changes(
        &self,
        sample: Option<(u64, u64)>,
    ) -> Result<Vec<Vec<(String, String)>>, SweepError> {
        let count = self.count();
        let chosen: BTreeSet<u64> = match sample {
            Some((wanted, seed)) if wanted < count => {
                if wanted > MAX_POINTS {
                    return Err(SweepError::TooMany(wanted));
                }
                draw(wanted, count, seed)
            }
            _ if count > MAX_POINTS => return Err(SweepError::TooMany(count)),
            _ => (0..count).collect(),
        };
        Ok(chosen.into_iter().map(|at| self.changes(at)).collect())
    }

    fn changes(&self, mut at: u64) -> Vec<(String, String)> {
        let mut changes: Vec<(String, String)> = Vec::new();
        for axis in self.axes.iter().rev() {
            let count = axis.values.len() as u64;
            let value = &axis.values[(at % count) as usize];
            changes.push((axis.key.clone(), value.to_string()));
            at /= count;
        }
        changes.reverse();
        changes
    }
}

/// Why a sweep has no points.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// More than anyone trains.
    #[error("these are {0} runs, and a sweep has at most {MAX_POINTS}; draw some by --sample")]
    TooMany(u64),
    /// A point is no recipe.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

/// `wanted` different numbers below `count`, each set of them as likely as any other: Robert
/// Floyd's method (Bentley and Floyd, "A sample of brilliance", Communications of the ACM 30,
/// 1987), so that no grid is ever written out.
fn draw(wanted: u64, count: u64, seed: u64) -> BTreeSet<u64> {
    let mut random = SplitMix(seed);
    let mut drawn = BTreeSet::new();
    for last in count - wanted..count {
        let number = random.below(last + 1);
        if !drawn.insert(number) {
            drawn.insert(last);
        }
    }
    drawn
}

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
/// 2014): the same numbers from a seed on every machine and in every version.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, all as likely: the high half of a product, its unfair beginning thrown away
    /// (Lemire, "Fast random integer generation in an interval", 2019).
    fn below(&mut self, bound: u64) -> u64 {
        let unfair = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.next()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Result<Vec<String>, String> {
        let axis = Axis::parse(text)?;
        Ok(axis.values.iter().map(Value::to_string).collect())
    }

    #[test]
    fn arguments_of_a_command_are_any_words_or_ranges_of_numbers() {
        let values = |text: &str| -> Result<Vec<String>, String> {
            let axis = Axis::argument(text)?;
            Ok(axis.values.iter().map(Value::to_string).collect())
        };
        assert_eq!(values("opt=sgd,adam w").unwrap(), ["sgd", "adam w"]);
        assert_eq!(values("lr=0.1,1e-3").unwrap(), ["0.1", "1e-3"]);
        assert_eq!(values("seed=1..3").unwrap(), ["1", "2", "3"]);
        assert_eq!(values("lr=0.1..0.3/3").unwrap(), ["0.1", "0.2", "0.3"]);
        assert_eq!(values("n=8..32*3").unwrap(), ["8", "16", "32"]);
        assert_eq!(Axis::argument("x.y=1").unwrap().key, "x.y");
        let twice = values("seed=1,1").unwrap_err();
        assert_eq!(twice, "--sweep seed=1,1: a value has 1 twice");
        let open = values("lr=0.1..0.3").unwrap_err();
        assert!(
            open.starts_with("--sweep lr=0.1..0.3: how many numbers?"),
            "{open}"
        );
    }

    #[test]
    fn values_are_listed_or_given_as_ranges() {
        let cases: [(&str, &[&str]); 8] = [
            ("max_lr=0.05,0.1", &["0.05", "0.1"]),
            ("max_lr = [0.05, 0.1]", &["0.05", "0.1"]),
            ("seed=1..5", &["1", "2", "3", "4", "5"]),
            ("seed=1..3,7", &["1", "2", "3", "7"]),
            ("max_lr=0.1..0.5/5", &["0.1", "0.2", "0.3", "0.4", "0.5"]),
            ("max_lr=0.001..0.1*3", &["0.001", "0.01", "0.1"]),
            ("lr_schedule=cosine,onecycle", &["cosine", "onecycle"]),
            ("batch_size=64..256*3", &["64", "128", "256"]),
        ];
        for (text, expected) in cases {
            assert_eq!(values(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_one_sentence_each() {
        let cases = [
            ("max_lr", "expected key=value, got \"max_lr\""),
            (
                "max_lr=",
                "--sweep max_lr=: max_lr must be a number, at least 0, got \"\"",
            ),
            (
                "sed=1..2",
                "--sweep sed=1..2: unknown key \"sed\"; did you mean seed?",
            ),
            (
                "seed=5..1",
                "--sweep seed=5..1: 5..1 is empty; the smaller number comes first",
            ),
            ("seed=1,1", "--sweep seed=1,1: seed has 1 twice"),
            (
                "momentum=0.9,1.5",
                "--sweep momentum=0.9,1.5: momentum must be in [0, 1), got 1.5",
            ),
            (
                "seed=0..99999",
                "--sweep seed=0..99999: 0..99999 are more than 10000 values",
            ),
            (
                "max_lr=0..1*3",
                "--sweep max_lr=0..1*3: 0..1*3 grows by a factor, so both ends must be above 0",
            ),
        ];
        for (text, sentence) in cases {
            assert_eq!(values(text).unwrap_err(), sentence);
        }
        let how_many = values("max_lr=0.1..0.5").unwrap_err();
        assert!(how_many.contains("how many numbers?"), "{how_many}");
        let twice = [Axis::parse("seed=1"), Axis::parse("seed=2")].map(Result::unwrap);
        assert!(
            Sweep::new(twice.to_vec())
                .unwrap_err()
                .contains("swept twice")
        );
    }

    fn sweep(texts: &[&str]) -> Sweep {
        Sweep::new(
            texts
                .iter()
                .map(|text| Axis::parse(text).unwrap())
                .collect(),
        )
        .unwrap()
    }

    #[test]
    fn a_grid_has_every_value_with_every_other() {
        let sweep = sweep(&["max_lr=0.05,0.1", "seed=1..3"]);
        let points = sweep.points(&Recipe::default(), None).unwrap();
        let labels: Vec<String> = points.iter().map(Point::label).collect();
        assert_eq!(labels[0], "max_lr=0.05 seed=1");
        assert_eq!((labels.len(), labels[5].as_str()), (6, "max_lr=0.1 seed=3"));
        assert_eq!((points[4].recipe.max_lr, points[4].recipe.seed), (0.1, 2));
    }

    #[test]
    fn points_that_do_not_go_together_and_too_many_are_refused() {
        let wrong = sweep(&["width=8,32", "se_reduction=16"]);
        let problem = wrong.points(&Recipe::default(), None).unwrap_err();
        assert!(
            problem
                .to_string()
                .contains("se_reduction must be at most width")
        );
        let many = sweep(&["seed=0..9999", "batch_size=1..9999"]);
        assert!(many.points(&Recipe::default(), None).is_err());
        assert_eq!(
            many.points(&Recipe::default(), Some((5, 0))).unwrap().len(),
            5
        );
    }

    proptest! {
        #[test]
        fn a_sample_is_of_different_points_and_always_the_same(wanted in 1u64..50, more in 0u64..1000, seed: u64) {
            let count = wanted + more;
            let drawn = draw(wanted, count, seed);
            prop_assert_eq!(drawn.len() as u64, wanted);
            prop_assert!(drawn.iter().all(|number| *number < count));
            prop_assert_eq!(drawn, draw(wanted, count, seed));
        }
    }

    #[test]
    fn every_point_is_as_likely_as_any_other() {
        let mut counts = [0_u32; 10];
        for seed in 0..4000 {
            for number in draw(3, 10, seed) {
                counts[number as usize] += 1;
            }
        }
        // 1200 each are expected; six standard deviations are 174.
        assert!(
            counts.iter().all(|count| count.abs_diff(1200) < 174),
            "{counts:?}"
        );
    }
}
