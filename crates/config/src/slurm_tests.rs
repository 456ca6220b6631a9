use super::*;
use crate::{Config, Files};

fn build(text: &str) -> (Config, Vec<String>) {
    Config::build(&Files {
        name: "config.toml".to_owned(),
        config: text.to_owned(),
        ..Files::default()
    })
}

#[test]
fn every_key_of_slurm_is_taken() {
    let (config, problems) = build(
        "[launch]\non = 'slurm'\n[slurm]\npartition = 'gpu'\ntime = '12:00:00'\ngpus = 2\nmodules = ['cuda/12']\n\
         lines = ['#SBATCH --exclusive', 'source env']\nrequeue = true\nsignal = 300\nat_once = 4\ncpus = 8\nmemory = '16G'\n",
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(config.place, Place::Slurm);
    let mut slurm = config.slurm;
    slurm.options.sort();
    let options = [
        ("cpus-per-task", "8"),
        ("gpus", "2"),
        ("mem", "16G"),
        ("partition", "gpu"),
        ("time", "12:00:00"),
    ];
    assert_eq!(
        slurm.options,
        options.map(|(name, value)| (name, value.to_owned()))
    );
    assert_eq!(slurm.modules, ["cuda/12"]);
    assert_eq!(slurm.lines, ["#SBATCH --exclusive", "source env"]);
    assert!(slurm.requeue);
    assert_eq!((slurm.signal_s, slurm.at_once), (300, Some(4)));
}

#[test]
fn a_mistake_is_one_sentence_and_the_rest_holds() {
    let cases = [
        (
            "launch.on = 'moon'",
            "config.toml:1: launch.on must be \"local\" or \"slurm\", got 'moon'",
        ),
        (
            "launch.at = 'moon'",
            "config.toml:1: unknown key \"at\"; did you mean on?",
        ),
        (
            "[slurm]\npartitoin = 'gpu'",
            "config.toml:2: unknown key \"partitoin\"; did you mean partition?",
        ),
        (
            "[slurm]\ntime = \"1\\n#SBATCH -A other\"",
            "config.toml:2: slurm.time must be a text as sbatch takes it, or a whole number, got ",
        ),
        (
            "[slurm]\nsignal = -1",
            "config.toml:2: slurm.signal must be a whole number from 0 to 65535, got -1",
        ),
        (
            "[slurm]\nlines = [\"a\\nb\"]",
            "config.toml:2: slurm.lines must be lines without line ends",
        ),
    ];
    for (text, sentence) in cases {
        let (config, problems) = build(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(sentence), "{}", problems[0]);
        assert_eq!(config.slurm, Slurm::default());
    }
}

#[test]
fn what_the_sample_and_the_readme_say_is_taken() {
    let sample = include_str!("../../../docs/slurm.toml");
    // What is left out in the sample is right as well.
    let whole = sample.replace("\n# ", "\n");
    let whole = whole.replace("\nAny other options", "\n# Any other options");
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```toml\n").skip(1);
    let mut settings = blocks.filter_map(|block| block.split("```").next());
    let settings = settings.find(|block| block.contains("[slurm]")).unwrap();
    for text in [sample, &whole, settings] {
        let (config, problems) = build(text);
        assert_eq!(problems, Vec::<String>::new(), "{text}");
        assert_eq!(config.place, Place::Slurm);
        assert!(config.slurm.requeue && config.slurm.options.len() >= 5);
    }
}
