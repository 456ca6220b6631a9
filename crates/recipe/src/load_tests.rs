//! Recipes read, refused and built on each other.

use super::*;

fn refusal(text: &str) -> String {
    parse_toml(text, "configs/quick.toml")
        .unwrap_err()
        .to_string()
}

#[test]
fn bad_toml_names_file_line_and_key() {
    let cases = [
        (
            "# a\n\nmomentum = 1.5\n",
            "configs/quick.toml:3: momentum must be in [0, 1), got 1.5",
        ),
        (
            "batch_size = \"many\"",
            "configs/quick.toml:1: batch_size must be a whole number from 1 to 1000000, got \"many\"",
        ),
        (
            "seed = 1\nbatch_sise = 4",
            "configs/quick.toml:2: unknown key \"batch_sise\"; did you mean batch_size?",
        ),
        (
            "colour_scheme = 4",
            "configs/quick.toml:1: unknown key \"colour_scheme\"; `traintop recipe FILE` lists the keys",
        ),
        (
            "batch_size = 0x0",
            "configs/quick.toml:1: batch_size must be a whole number from 1 to 1000000, got 0",
        ),
        (
            "max_lr = nan",
            "configs/quick.toml:1: max_lr must be a number, at least 0, got NaN",
        ),
        (
            "[training]\nseed = 1",
            "configs/quick.toml:1: unknown key \"training\"; `traintop recipe FILE` lists the keys",
        ),
        (
            "seed = [1, 2]",
            "configs/quick.toml:1: seed must be a whole number, at least 0, got [1, 2]",
        ),
        (
            "width = 8\nse_reduction = 16",
            "configs/quick.toml:2: se_reduction must be at most width (8) while use_se is true, got 16",
        ),
    ];
    for (text, sentence) in cases {
        assert_eq!(refusal(text), sentence);
    }
    assert_eq!(
        refusal("seed = 1\nmomentum = 2\nwidht = 8\nblocks = 0\n"),
        "configs/quick.toml:2: momentum must be in [0, 1), got 2 (and 2 more)"
    );
    assert!(refusal("seed = 1\nseed 2").starts_with("configs/quick.toml:2: is not valid TOML: "));
    assert!(
        refusal("seed = 1\nseed = 2")
            .starts_with("configs/quick.toml:2: is not valid TOML: duplicate")
    );
}

#[test]
fn shipped_recipe_is_found_by_its_name_and_no_other() {
    assert_eq!(load(Path::new("quick")).unwrap().experiment_name, "quick");
    let error = load(Path::new("no such recipe")).unwrap_err().to_string();
    let names = SHIPPED.iter().map(|shipped| shipped.name);
    assert!(
        names.into_iter().all(|name| error.contains(name)),
        "{error}"
    );
}

/// The reference's own `config.json`, as its published run has it.
#[test]
fn the_references_config_is_a_recipe() {
    let text = r#"{
        "model_name": "resnet_small", "num_workers": 4, "pin_memory": true, "max_lr": 0.1,
        "random_rotation": 15, "mixup_alpha": 1.0, "cutout_holes": 1, "cutout_length": 16,
        "color_jitter": {"brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "hue": 0.1},
        "use_randaugment": true, "randaugment_num_ops": 2, "randaugment_magnitude": 9,
        "use_cutmix": true, "cutmix_alpha": 1.0, "cutmix_prob": 0.7, "resume_from": null
    }"#;
    let recipe = parse_json(text, "config.json").unwrap();
    assert_eq!(
        (recipe.color_jitter_saturation, recipe.color_jitter_hue),
        (0.3, 0.1)
    );
    assert_eq!((recipe.random_rotation, recipe.num_workers), (15.0, 4));
    assert!(recipe.use_cutmix && !recipe.use_mixup && recipe.resume_from.is_empty());
    let bad = text.replace("\"hue\": 0.1", "\"hue\": 0.9");
    let sentence = parse_json(&bad, "config.json").unwrap_err().to_string();
    assert!(
        sentence.starts_with("config.json:4: color_jitter_hue must be"),
        "{sentence}"
    );

    let toml = "color_jitter = { brightness = 0.2, hue = 0.05 }\n[color_jitter2]\nx = 1\n";
    let sentence = refusal(toml);
    assert!(
        sentence.contains(":2: unknown key \"color_jitter2\""),
        "{sentence}"
    );
    let recipe = parse_toml("[color_jitter]\nhue = 0.05\n", "x").unwrap();
    assert_eq!(recipe.color_jitter_hue, 0.05);
}

#[test]
fn a_recipe_builds_on_another() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    write(
        "base.toml",
        "extends = \"quick\"\nnum_epochs = 3\nseed = 5\n",
    );
    let top = write("top.toml", "num_epochs = 4\nextends = \"base.toml\"\n");
    let recipe = load(&top).unwrap();
    let quick = load(Path::new("quick")).unwrap();
    assert_eq!((recipe.num_epochs, recipe.seed), (4, 5));
    assert_eq!(recipe.width, quick.width);

    write("base.toml", "\nmomentum = 3");
    let sentence = load(&top).unwrap_err().to_string();
    assert!(
        sentence.contains("base.toml:2: momentum must be"),
        "{sentence}"
    );
    write("base.toml", "extends = \"top.toml\"");
    let sentence = load(&top).unwrap_err().to_string();
    assert!(
        sentence.contains("end the chain, or the circle"),
        "{sentence}"
    );
    let lost = write("lost.toml", "extends = \"nowhere.toml\"");
    let sentence = load(&lost).unwrap_err().to_string();
    assert!(
        sentence.contains("nowhere.toml: cannot be read"),
        "{sentence}"
    );
    assert_eq!(
        refusal("extends = 3"),
        "configs/quick.toml:1: extends must be the name of a recipe, got 3"
    );
}

#[test]
fn overrides_use_the_same_checks() {
    let set = |key: &str, text: &str| {
        Recipe::default().with_overrides(&[(key.to_owned(), text.to_owned())])
    };
    assert_eq!(set("num_epochs", "3").unwrap().num_epochs, 3);
    assert_eq!(
        set("num_epochs", "-3").unwrap_err().to_string(),
        "--set num_epochs=-3: num_epochs must be a whole number from 1 to 1000000, got -3"
    );
    assert_eq!(
        set("epochs", "3").unwrap_err().to_string(),
        "--set epochs=3: unknown key \"epochs\"; did you mean num_epochs?"
    );
}

#[test]
fn config_json_reads_back_as_the_same_recipe() {
    let recipe = parse_toml("num_epochs = 7\nlearning_rate = 1\ndata_dir = 'a \"b'", "x").unwrap();
    let text = serde_json::to_string_pretty(&recipe.to_json()).unwrap();
    assert_eq!(parse_json(&text, "config.json").unwrap(), recipe);
    let error = parse_json(&text.replace(": 7", ": 0"), "config.json")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("num_epochs must be a whole number from 1 to 1000000, got 0"),
        "{error}"
    );
}

#[test]
fn a_recipe_is_looked_for_beside_the_file_and_a_shipped_one_never_in_the_working_folder() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    // A file of the same name builds on the one that comes with the program, and what builds on it
    // finds the file.
    write("quick.toml", "extends = \"quick\"\nseed = 8\n");
    let top = write("top.toml", "extends = \"quick\"\n");
    let quick = load(Path::new("quick")).unwrap();
    let recipe = load(&top).unwrap();
    assert_eq!((recipe.seed, recipe.width), (8, quick.width));
    // What comes with the program builds on its own kind, wherever it is asked.
    let name = top.with_file_name("resnet_se").display().to_string();
    write("resnet_se.toml", "seed = 9\n");
    let text = "extends = \"resnet_se\"\n";
    let own = parse_chain(text, &name, Origin::Program, 1).unwrap();
    let file = parse_chain(text, &name, Origin::File, 1).unwrap();
    assert_eq!((own.seed, file.seed), (0, 9));
}
