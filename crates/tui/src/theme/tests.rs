use ratatui::style::{Color, Modifier, Style};

use super::colour::{Rgb, distance, oklab, times};
use super::depth::rgb_of;
use super::load::BUILT_IN;
use super::*;

fn shipped() -> Vec<Theme> {
    load_all(&[]).0
}

fn own(text: &str) -> (Theme, Vec<String>) {
    let (themes, warnings) = load_all(&[("own".to_owned(), text.to_owned())]);
    let own = themes.into_iter().find(|theme| theme.name == "own");
    (own.unwrap(), warnings)
}

/// What a role's text and the ground below it look like; `None` if the terminal decides.
fn pair(theme: &Theme, role: Role, ground: Role) -> Option<(Rgb, Rgb)> {
    let style = theme.style(ground).patch(theme.style(role));
    Some((rgb_of(style.fg?)?, rgb_of(style.bg?)?))
}

#[test]
fn every_shipped_theme_loads_without_a_word() {
    let (themes, warnings) = load_all(&[]);
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(themes.len(), BUILT_IN.len());
    assert_eq!(themes[0], Theme::default());
}

#[test]
fn every_theme_file_is_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../themes");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            BUILT_IN.iter().any(|(known, _)| *known == name),
            "{name} is not compiled in"
        );
    }
}

#[test]
fn the_default_theme_names_every_role() {
    let text = include_str!("../../../../themes/dark.toml");
    for role in Role::ALL {
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{} = ", role.name())));
        let line = line.unwrap_or_else(|| panic!("{} is missing", role.name()));
        if let Some(parent) = role.parent() {
            assert!(line.ends_with(&format!("# ({})", parent.name())), "{line}");
        }
    }
}

/// The contrast that a role's text must have to be read.
fn least_contrast(role: Role) -> Option<f64> {
    match role {
        Role::Background | Role::Overlay => None,
        // Lines, not letters.
        Role::Border | Role::BarRest | Role::Axis => Some(1.4),
        Role::Muted | Role::Header | Role::AxisLabel | Role::StateQueued | Role::StateStopped => {
            Some(3.0)
        }
        Role::Text | Role::Selection | Role::Prompt | Role::PromptCursor => Some(4.5),
        _ => Some(3.0),
    }
}

#[test]
fn what_is_read_stands_out_from_its_background() {
    let mut poor = Vec::new();
    for theme in shipped() {
        for role in Role::ALL {
            let Some(least) = least_contrast(role) else {
                continue;
            };
            for ground in [Role::Background, Role::Overlay] {
                let Some((fg, bg)) = pair(&theme, role, ground) else {
                    continue;
                };
                let contrast = fg.contrast(bg);
                if contrast < least {
                    poor.push(format!(
                        "{} {} on {}: {contrast:.2} < {least}",
                        theme.name,
                        role.name(),
                        ground.name()
                    ));
                }
            }
        }
    }
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}

#[test]
fn sixteen_colours_stay_readable() {
    for theme in shipped() {
        let (name, theme) = (&theme.name, theme.fitted(Depth::Sixteen));
        for role in Role::ALL
            .into_iter()
            .filter(|role| least_contrast(*role).is_some())
        {
            if let Some((fg, bg)) = pair(&theme, role, Role::Background) {
                let contrast = fg.contrast(bg);
                assert!(contrast >= 3.0, "{name} {}: {contrast:.2}", role.name());
            }
        }
    }
}

/// How colours look without the long-wave or the middle-wave cones: Machado, Oliveira and Fernandes
/// (2009), severity 1, on linear light.
const COLOUR_BLIND: [[[f64; 3]; 3]; 2] = [
    [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ],
    [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ],
];

#[test]
fn curves_are_told_apart_also_by_colour_blind_eyes() {
    let mut close = Vec::new();
    for name in ["dark", "light", "high-contrast"] {
        let theme = shipped()
            .into_iter()
            .find(|theme| theme.name == name)
            .unwrap();
        let colours: Vec<Rgb> = (0..8)
            .map(|number| rgb_of(theme.style(Role::series(number)).fg.unwrap()).unwrap())
            .collect();
        for (one, first) in colours.iter().enumerate() {
            for (two, second) in colours.iter().enumerate().skip(one + 1) {
                for matrix in COLOUR_BLIND {
                    let see = |rgb: &Rgb| {
                        oklab(times(matrix, rgb.linear()).map(|light| light.clamp(0.0, 1.0)))
                    };
                    let apart = distance(see(first), see(second));
                    // The first four are what a chart shows most.
                    let least = if two < 4 { 0.1 } else { 0.06 };
                    if apart < least {
                        close.push(format!("{name}: series.{one} and series.{two}: {apart:.3}"));
                    }
                }
            }
        }
    }
    assert!(close.is_empty(), "{}", close.join("\n"));
}

#[test]
fn a_role_that_a_theme_leaves_out_looks_like_its_parent() {
    let (theme, warnings) =
        own("[roles]\naccent = 'red'\nstate.running = { fg = 'blue', modifiers = ['bold'] }");
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(theme.style(Role::HeaderSorted).fg, Some(Color::Red));
    assert_eq!(theme.style(Role::Text), Style::new());
    assert_eq!(
        theme.style(Role::StateRunning),
        Style::new().fg(Color::Blue).add_modifier(Modifier::BOLD)
    );
}

#[test]
fn a_theme_inherits_roles_and_may_change_their_palette() {
    let (theme, warnings) =
        own("inherits = 'dark'\n[palette]\nsky = '#010203'\n[roles]\n'series.0' = 'sky'");
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(theme.style(Role::Accent).fg, Some(Color::Rgb(1, 2, 3)));
    assert_eq!(theme.style(Role::Series0).fg, Some(Color::Rgb(1, 2, 3)));
    assert_eq!(theme.style(Role::Text), Theme::default().style(Role::Text));
}

#[test]
fn a_mistake_is_one_sentence_and_the_rest_holds() {
    let cases = [
        (
            "[roles]\nacent = 'red'",
            "2: unknown role \"acent\"; did you mean accent?",
        ),
        (
            "[roles]\nseries.8 = 'red'",
            "2: unknown role \"series.8\"; did you mean series.0?",
        ),
        (
            "[roles]\nfurniture = 'red'",
            "2: unknown role \"furniture\"; themes/dark.toml has them all",
        ),
        (
            "[palette]\nsky = '#12'",
            "2: sky must be #rrggbb, one of the 16 names (red, bright_red, ...), default, got '#12'",
        ),
        (
            "[roles]\nbad = 'rde'",
            "2: bad must be #rrggbb, one of the 16 names (red, bright_red, ...), default or a name of the palette, got \"rde\"",
        ),
        (
            "[roles]\nbad = 3",
            "2: bad must be a colour or { fg, bg, modifiers }, got 3",
        ),
        (
            "[roles]\nbad = { fg = 3 }",
            "2: bad must be a colour in quotes, got 3",
        ),
        (
            "[roles]\nbad = { colour = 'red' }",
            "2: bad must have fg, bg or modifiers, got \"colour\"",
        ),
        (
            "[roles]\nbad = { modifiers = ['blink'] }",
            "2: modifiers of bad must be a list of bold, dim, italic, underlined, reversed, got 'blink'",
        ),
        (
            "colours = 1",
            "1: unknown key \"colours\"; a theme has inherits, [palette] and [roles]",
        ),
        ("palette = 1", "1: palette must be a table, got 1"),
        (
            "inherits = 'own'",
            "1: inherits must not lead back to the theme itself, got \"own\"",
        ),
        ("[roles]\nbad = ", "2: is not valid TOML: "),
    ];
    for (text, sentence) in cases {
        let (theme, warnings) = own(&format!("{text}\n[roles.state]\nlost = 'magenta'"));
        assert_eq!(warnings.len(), 1, "{text}: {warnings:?}");
        let expected = format!("themes/own.toml:{sentence}");
        assert!(
            warnings[0].starts_with(&expected),
            "{} is not {expected}",
            warnings[0]
        );
        assert_eq!(theme.name, "own");
        if !text.contains("[roles]") {
            assert_eq!(
                theme.style(Role::StateLost).fg,
                Some(Color::Magenta),
                "{text}"
            );
        }
    }
}

#[test]
fn the_environment_says_how_many_colours_there_are() {
    let cases = [
        (("", "truecolor", "xterm-256color"), Depth::True),
        (("", "24bit", "screen"), Depth::True),
        (("", "", "xterm-kitty"), Depth::True),
        (("", "", "xterm-direct"), Depth::True),
        (("", "", "tmux-256color"), Depth::Indexed),
        (("", "yes", "rxvt"), Depth::Indexed),
        (("", "", "xterm"), Depth::Sixteen),
        (("", "", "linux"), Depth::Sixteen),
        (("", "", ""), Depth::Sixteen),
        (("", "truecolor", "dumb"), Depth::None),
        (("1", "truecolor", "xterm-256color"), Depth::None),
    ];
    for ((no_color, colorterm, term), depth) in cases {
        let lookup = |name: &str| {
            let value = match name {
                "NO_COLOR" => no_color,
                "COLORTERM" => colorterm,
                _ => term,
            };
            Some(value.to_owned()).filter(|value| !value.is_empty())
        };
        assert_eq!(
            Depth::detect(lookup),
            depth,
            "{no_color:?} {colorterm:?} {term:?}"
        );
    }
}

#[test]
fn colours_come_down_to_the_nearest_that_there_is() {
    let fit = |depth: Depth, colour| depth.fit(Role::Text, Style::new().fg(colour), None).fg;
    let cases = [
        (Color::Rgb(255, 0, 0), Color::Indexed(196), Color::LightRed),
        (Color::Rgb(0, 0, 0), Color::Indexed(16), Color::Black),
        (Color::Rgb(255, 255, 255), Color::Indexed(231), Color::White),
        (
            Color::Rgb(95, 135, 175),
            Color::Indexed(67),
            Color::DarkGray,
        ),
        (Color::Rgb(8, 8, 8), Color::Indexed(232), Color::Black),
        (Color::Rgb(10, 190, 20), Color::Indexed(34), Color::Green),
        (Color::Cyan, Color::Cyan, Color::Cyan),
        (Color::Reset, Color::Reset, Color::Reset),
    ];
    for (colour, indexed, ansi) in cases {
        assert_eq!(fit(Depth::True, colour), Some(colour));
        assert_eq!(fit(Depth::Indexed, colour), Some(indexed), "{colour:?}");
        assert_eq!(fit(Depth::Sixteen, colour), Some(ansi), "{colour:?}");
        assert_eq!(fit(Depth::None, colour), None);
    }
    for index in 16..=255 {
        let Rgb(red, green, blue) = Rgb::indexed(index);
        let Some(Color::Indexed(found)) = fit(Depth::Indexed, Color::Rgb(red, green, blue)) else {
            panic!("{index} lost its place");
        };
        assert_eq!(Rgb::indexed(found), Rgb::indexed(index));
    }
}

#[test]
fn without_colours_roles_are_told_by_modifiers() {
    for theme in shipped() {
        let (name, theme) = (&theme.name, theme.fitted(Depth::None));
        for role in Role::ALL {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{name} {}", role.name());
        }
        assert!(
            theme
                .style(Role::Selection)
                .add_modifier
                .contains(Modifier::REVERSED),
            "{name}"
        );
        assert!(
            theme.style(Role::Bad).add_modifier.contains(Modifier::BOLD),
            "{name}"
        );
    }
}

#[test]
fn contrast_is_that_of_the_standard() {
    let black_on_white = Rgb(0, 0, 0).contrast(Rgb(255, 255, 255));
    assert!((black_on_white - 21.0).abs() < 1e-9);
    let grey_on_white = Rgb::parse("#777777").unwrap().contrast(Rgb(255, 255, 255));
    assert!((grey_on_white - 4.48).abs() < 0.01, "{grey_on_white}");
    assert_eq!(Rgb::parse("#12345"), None);
    assert_eq!(Rgb::parse("#+12345"), None);
}
