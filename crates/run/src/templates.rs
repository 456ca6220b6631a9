//! Templates for names that were used, kept for the next time: a line each in `templates` in the
//! user's state folder, the last used first.

use std::io;

use super::state_file::StateFile;

/// Older ones are let go.
const MAX_TEMPLATES: usize = 20;

/// The reference's form, offered where nothing was used yet.
pub const FIRST: &str = "{model}_acc{best.val_acc:.2f}_epoch{best.epoch}_{started:%Y%m%d_%H%M%S}";

fn file() -> StateFile {
    StateFile::of_user("templates")
}

/// The kept templates, the last used first; [`FIRST`] if there are none.
pub fn load() -> Vec<String> {
    known(&file().text())
}

/// Keeps a template as the last used.
///
/// # Errors
/// If it cannot be written.
pub fn keep(template: &str) -> io::Result<()> {
    let file = file();
    file.write(&with(&file.text(), template))
}

fn known(text: &str) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in text.lines().chain([FIRST]) {
        if !line.is_empty() && !kept.iter().any(|known| known == line) {
            kept.push(line.to_owned());
        }
    }
    kept.truncate(MAX_TEMPLATES);
    kept
}

fn with(text: &str, template: &str) -> String {
    // A name holds no line end, and so no template that was used.
    let first = template.lines().next().unwrap_or_default().to_owned();
    let others = known(text).into_iter().filter(|known| *known != first);
    std::iter::once(first.clone())
        .chain(others)
        .take(MAX_TEMPLATES)
        .map(|line| line + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_used_comes_first_and_each_once() {
        let mut text = String::new();
        assert_eq!(known(&text), [FIRST]);
        for template in ["{n}", "{model}", "{n}"] {
            text = with(&text, template);
        }
        assert_eq!(known(&text), ["{n}", "{model}", FIRST]);
        for number in 0..30 {
            text = with(&text, &format!("run-{number}"));
        }
        assert_eq!(known(&text).len(), MAX_TEMPLATES);
        assert_eq!(known(&text)[0], "run-29");
    }
}
