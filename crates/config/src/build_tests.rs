use super::*;
use traintop_ops::clean::Protection;

fn build(text: &str) -> (Config, Vec<String>) {
    Config::build(&Files {
        name: "config.toml".to_owned(),
        config: text.to_owned(),
        home: Some(PathBuf::from("/home/ada")),
        ..Files::default()
    })
}

fn placed<T>(line: u32, value: T) -> Placed<T> {
    Placed {
        place: format!("config.toml:{line}"),
        value,
    }
}

#[test]
fn every_setting_is_taken() {
    let text = "roots = ['runs', '~/old', '~']\ntheme = 'nord'\ncolumns = [\n  'state',\n  'name',\n]\nthreads = 2\nslots = 3\ngpu_memory = 8\nimages = 'kitty'\nmarkers = 'ascii'\nmouse = false\n\
                [keys]\nquit = 'Q'\nhelp = ['f1', 'h']\nrefresh = []\n";
    let (config, problems) = build(text);
    assert_eq!(problems, Vec::<String>::new());
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(
        config,
        Config {
            roots: ["runs", "/home/ada/old", "/home/ada"]
                .map(PathBuf::from)
                .to_vec(),
            theme: Some(placed(2, "nord".to_owned())),
            columns: Some(vec![
                placed(4, "state".to_owned()),
                placed(5, "name".to_owned())
            ]),
            threads: Some(2),
            slots: Some(3),
            gpu_memory: Some(8),
            images: Some(placed(10, "kitty".to_owned())),
            markers: Some(placed(11, "ascii".to_owned())),
            mouse: Some(false),
            keys: vec![
                placed(14, ("quit".to_owned(), owned(&["Q"]))),
                placed(15, ("help".to_owned(), owned(&["f1", "h"]))),
                placed(16, ("refresh".to_owned(), owned(&[]))),
            ],
            launchers: Vec::new(),
            retention: Policy::default(),
            alerts: Alerts::default(),
            metrics: UserSettings::default(),
            search: Limits::default(),
            place: Place::default(),
            slurm: Slurm::default(),
            themes: Vec::new(),
        }
    );
    assert_eq!(build(""), (Config::default(), Vec::new()));
}

#[test]
fn the_metrics_that_count_are_named() {
    let (config, problems) = build(
        "[metrics]\nprimary = 'val_dice'\nlower = ['my_score']\nhigher = 'x'\n\
         primary_in = { '~/runs' = 'val_wer', '/b' = 1 }\nprimry = 'y'\n",
    );
    let metrics = config.metrics;
    let always = &metrics.always;
    assert_eq!(always.primary.as_deref(), Some("val_dice"));
    assert_eq!(
        (&always.lower[..], &always.higher[..]),
        (&["my_score".to_owned()][..], &["x".to_owned()][..])
    );
    let below = (PathBuf::from("/home/ada/runs"), "val_wer".to_owned());
    assert_eq!(metrics.below, [below]);
    let expected = [
        "config.toml:6: unknown key \"primry\" in [metrics]; did you mean primary?",
        "config.toml:5: metrics.primary_in must be a table of folders and names of metrics, got 1",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn what_a_clean_up_keeps_is_a_table_of_rules() {
    let (config, problems) = build(
        "[retention]\nkeep_best = 3\nkeep_last = 2\nkeep_every = 50\nmin_epochs = 5\nmax_age = 90\n\
         protect = ['starred', 'baseline']\npurge_after = 30\n",
    );
    assert_eq!(problems, Vec::<String>::new());
    let expected = Policy {
        keep_best: 3,
        keep_last: 2,
        keep_every: 50,
        min_epochs: 5,
        max_age: 90,
        protect: vec![Protection::Starred, Protection::Baseline],
        purge_after: 30,
    };
    assert_eq!(config.retention, expected);
}

#[test]
fn launchers_have_names_and_commands() {
    let (config, problems) = build(
        "[launcher.mine]\ncommand = ['python', 'train.py', '--out', '{run_dir}']\ngpus = 2\n[launcher.empty]\n[launcher.other]\ncommad = 3\n\
         [launcher.much]\ncommand = ['a']\ngpus = -1\n",
    );
    let words = ["python", "train.py", "--out", "{run_dir}"].map(str::to_owned);
    let launcher = |name: &str, command: &[String], gpus| Launcher {
        name: name.to_owned(),
        command: command.to_vec(),
        gpus,
    };
    let expected = [
        launcher("mine", &words, Some(2)),
        launcher("much", &["a".to_owned()], None),
    ];
    assert_eq!(config.launchers, expected);
    assert_eq!(problems.len(), 4, "{problems:?}");
    let expected = "launcher.much.gpus must be a whole number from 0 to 64, got -1";
    assert!(
        problems.iter().any(|problem| problem.contains(expected)),
        "{problems:?}"
    );
    assert!(
        problems[1].contains("did you mean command?"),
        "{problems:?}"
    );
}

#[test]
fn a_mistake_is_one_sentence_and_the_rest_holds() {
    let cases = [
        (
            "roots = 'runs'",
            "1: roots must be a list of folders, got 'runs'",
        ),
        (
            "roots = ['a', 3]",
            "1: roots must be a list of folders, got 3",
        ),
        ("\ntheme = 3", "2: theme must be the name of a theme, got 3"),
        (
            "columns = { a = 1 }",
            "1: columns must be a list of columns, got { a = 1 }",
        ),
        (
            "threads = 0",
            "1: threads must be a whole number from 1 to 64, got 0",
        ),
        (
            "threads = 'all'",
            "1: threads must be a whole number from 1 to 64, got 'all'",
        ),
        (
            "slots = 0",
            "1: slots must be a whole number from 1 to 256, got 0",
        ),
        ("mouse = 'no'", "1: mouse must be true or false, got 'no'"),
        (
            "keys = 'q'",
            "1: keys must be a table of commands and their keys, got 'q'",
        ),
        (
            "keys.quit = 3",
            "1: keys.quit must be a key or a list of keys, got 3",
        ),
        (
            "keys.quit = ['q', 3]",
            "1: keys.quit must be a key or a list of keys, got 3",
        ),
        (
            "them = 'dark'",
            "1: unknown key \"them\"; did you mean theme?",
        ),
        (
            "editor = 'vi'",
            "1: unknown key \"editor\"; the keys are roots, theme, columns, threads, slots, gpu_memory, images, markers, mouse, keys, retention, launcher, alerts, metrics, search, launch, slurm",
        ),
        (
            "retention = 3",
            "1: retention must be a table of rules, got 3",
        ),
        (
            "[retention]\nkeep_last = -1",
            "2: retention.keep_last must be a whole number from 0 to 1000000, got -1",
        ),
        (
            "[retention]\nkeep_bets = 1",
            "2: unknown key \"keep_bets\"; did you mean keep_best?",
        ),
        (
            "retention.protect = ['starred', 'sacred']",
            "1: retention.protect: \"sacred\" is none of starred, tagged, noted, evaluated, baseline",
        ),
        ("theme =", "1: is not valid TOML: "),
        (
            "threads = 4\nthreads = 5",
            "2: is not valid TOML: duplicate key",
        ),
    ];
    for (text, sentence) in cases {
        let (_, problems) = build(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        let expected = format!("config.toml:{sentence}");
        assert!(problems[0].starts_with(&expected), "{}", problems[0]);
    }
    let (config, problems) = build("roots = 3\ntheme = 'nord'\nthreads = 'x'\n[keys]\nquit = 'Q'");
    assert_eq!(problems.len(), 2);
    assert_eq!(config.theme.unwrap().value, "nord");
    assert_eq!(config.keys.len(), 1);
}

#[test]
fn how_far_roots_are_searched_is_a_setting() {
    let (config, problems) = build("[search]\ndepth = 40\nseconds = 60\n");
    let expected = Limits {
        depth: 40,
        time: std::time::Duration::from_secs(60),
        ..Limits::default()
    };
    assert_eq!((config.search, problems), (expected, Vec::new()));
    let (config, problems) = build("[search]\ndepth = 0\nentry = 3\n");
    assert_eq!(config.search, Limits::default());
    assert!(
        problems[0].contains("config.toml:2: search.depth"),
        "{problems:?}"
    );
    assert!(
        problems[1].contains("\"entry\"; the keys are depth, entries, seconds"),
        "{problems:?}"
    );
}
