//! The user's configuration, put to use: themes, keys and columns are known here, so here their
//! names are checked.

use super::graphics;
use super::keymap::Keymap;
use super::state::State;
use super::theme::{self, Depth};
use super::view::columns::Column;
use super::view::sort_key::SortKey;
use super::widget::chart::Markers;
use traintop_analysis::query::field::FACTS;
use traintop_config::Config;
use traintop_recipe as recipe;

/// Applies a configuration to a new state. Returns all mistakes as sentences: those that reading it
/// found, and the names that nothing bears.
pub fn apply(
    state: &mut State,
    config: &Config,
    depth: Depth,
    mut problems: Vec<String>,
) -> Vec<String> {
    state.retention = config.retention.clone();
    state.context.alerts.config = config.alerts.clone();
    let (themes, bad_themes) = theme::load_all(&config.themes);
    problems.extend(bad_themes.iter().map(ToString::to_string));
    state.context.themes = themes.iter().map(|theme| theme.fitted(depth)).collect();
    let named = config.theme.as_ref();
    let chosen = named.and_then(|theme| {
        state
            .context
            .themes
            .iter()
            .find(|known| known.name == theme.value)
    });
    if let (Some(theme), None) = (named, chosen) {
        problems.push(format!(
            "{}: theme {:?} is not known; `t` shows the themes",
            theme.place, theme.value
        ));
    }
    state.context.theme = chosen
        .or(state.context.themes.first())
        .cloned()
        .unwrap_or_default();

    let own: Vec<_> = config.keys.iter().map(|keys| keys.value.clone()).collect();
    let (keymap, bad_keys) = Keymap::with(&own);
    let place = |problem: &String| {
        let of = config
            .keys
            .iter()
            .find(|keys| problem.starts_with(&format!("keys.{}", keys.value.0)));
        of.map_or_else(
            || problem.clone(),
            |keys| format!("{}: {problem}", keys.place),
        )
    };
    problems.extend(bad_keys.iter().map(place));
    state.context.keymap = keymap;

    let named = config.images.as_ref();
    if let Some(images) = named.filter(|images| !graphics::NAMES.contains(&images.value.as_str())) {
        problems.push(format!(
            "{}: images must be one of {}, got {:?}",
            images.place,
            graphics::NAMES.join(", "),
            images.value
        ));
    }

    state.mouse = config.mouse.unwrap_or(true);
    if let Some(markers) = &config.markers {
        state.named_markers = Markers::named(&markers.value);
        if state.named_markers.is_none() {
            problems.push(format!(
                "{}: markers must be one of {}, got {:?}",
                markers.place,
                Markers::ALL.map(Markers::name).join(", "),
                markers.value
            ));
        }
    }
    state.context.charts.markers = state.named_markers.unwrap_or_default();

    if let Some(wanted) = &config.columns {
        let mut columns: Vec<SortKey> = Vec::new();
        for name in wanted {
            match column(&name.value) {
                Some(column) if !columns.contains(&column) => columns.push(column),
                Some(_) => {}
                None => {
                    let known: Vec<_> = Column::ALL.iter().map(|column| column.name()).collect();
                    problems.push(format!(
                        "{}: column {:?} is not known; the columns are {}, the keys of a recipe, and `last.`, `best.` or `config.` before any name",
                        name.place,
                        name.value,
                        known.join(", ")
                    ));
                }
            }
        }
        // A table without names would be no table.
        let has_name = columns.iter().any(|column| *column == Column::Name);
        if !columns.is_empty() {
            let name = (!has_name).then(|| Column::Name.into());
            state
                .context
                .runs
                .set_columns(name.into_iter().chain(columns));
        }
    }
    problems
}

/// The column that a name in the configuration means. There no run is known yet whose settings and
/// metrics could tell: a bare name must be one of ours, a fact, or a recipe's key.
fn column(name: &str) -> Option<SortKey> {
    let is_prefixed = ["last.", "best.", "config."].iter().any(|prefix| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| !rest.is_empty())
    });
    let is_fact = FACTS.iter().any(|fact| fact.name == name);
    let is_column = Column::ALL.iter().any(|column| column.name() == name);
    let is_known = is_prefixed || is_fact || is_column || recipe::field(name).is_some();
    is_known.then(|| SortKey::named(name)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use traintop_config::Files;

    fn applied(text: &str) -> (State, Vec<String>) {
        let files = Files {
            name: "config.toml".to_owned(),
            config: text.to_owned(),
            themes: Vec::new(),
            home: None,
            problems: Vec::new(),
        };
        let (config, problems) = Config::build(&files);
        let mut state = State::new(vec!["runs".into()], (80, 24), Timestamp::UNIX_EPOCH);
        let problems = apply(&mut state, &config, Depth::True, problems);
        (state, problems)
    }

    #[test]
    fn theme_keys_and_columns_are_put_to_use() {
        let (state, problems) = applied(
            "theme = \"nord\"\ncolumns = [\"best\", \"seed\", \"best.val_f1\"]\n[keys]\nquit = [\"Q\"]\n",
        );
        assert_eq!(problems, Vec::<String>::new());
        let shown = state
            .context
            .runs
            .columns()
            .iter()
            .map(|shown| shown.key.name());
        assert_eq!(
            shown.collect::<Vec<_>>(),
            ["name", "best", "seed", "best.val_f1"]
        );
        assert_eq!(state.context.theme.name, "nord");
        let keys = state.context.keymap.reachable(crate::command::Scope::Runs);
        assert!(
            keys.into_iter()
                .any(|(_, command, keys)| command.name == "quit" && keys == ["Q", "Ctrl-c"])
        );
    }

    #[test]
    fn each_mistake_is_told_with_its_place_and_the_rest_holds() {
        let (state, problems) = applied(
            "theme = \"plaid\"\ncolumns = [\"name\", \"colour\"]\nimages = \"paint\"\nmarkers = \"dots\"\n[keys]\nfly = \"f\"\nhelp = \"hyper-x\"\n",
        );
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(
            problems[0].starts_with("config.toml:1: theme \"plaid\" is not known"),
            "{problems:?}"
        );
        for (problem, place) in problems[1..].iter().zip([
            "config.toml:6: keys.fly",
            "config.toml:7: keys.help",
            "config.toml:3: images must be one of auto, kitty",
            "config.toml:4: markers must be one of braille, blocks, ascii",
            "config.toml:2: column",
        ]) {
            assert!(problem.starts_with(place), "{problem}");
        }
        assert_eq!(state.context.theme.name, state.context.themes[0].name);
    }
}
