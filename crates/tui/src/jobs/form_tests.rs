//! Keeping recipes.

use super::*;
use crate::jobs::form::{Saving, builds_on, save};
use traintop_recipe::parse_shipped;

#[test]
fn a_kept_recipe_builds_on_its_own_and_never_replaces_another_unasked() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("configs");
    let base = parse_shipped(&SHIPPED[0]).unwrap();
    let mut saving = Saving {
        name: "mine".to_owned(),
        description: "quick with seed=7".to_owned(),
        source: "quick".into(),
        recipe: Recipe {
            seed: 7,
            ..base.clone()
        },
        base,
        replaces: false,
    };
    let path = save(&saving, &folder).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text, "# quick with seed=7\nextends = \"quick\"\nseed = 7\n");
    saving.recipe.seed = 8;
    let refused = save(&saving, &folder).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    saving.replaces = true;
    save(&saving, &folder).unwrap();
    assert_eq!(recipe::load(&path).unwrap().seed, 8);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

    let next = Saving {
        name: "next".to_owned(),
        source: path.clone(),
        base: recipe::load(&path).unwrap(),
        ..saving.clone()
    };
    let next = save(&next, &folder).unwrap();
    let text = fs::read_to_string(&next).unwrap();
    assert!(text.contains("extends = \"mine.toml\""), "{text}");
    let of_run = builds_on(Path::new("/runs/a/logs/config.json"), &folder).unwrap();
    assert_eq!(of_run, None);
}
