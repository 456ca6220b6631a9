//! Which symbolic links an archive may hold: those that lead to a place in the run, with any other
//! files in it.

use std::fs;
use std::path::{Component, Path};

/// Whether there is a link at a place below a run's folder that leads out of it.
pub fn leads_out(run: &Path, below: &Path) -> bool {
    let target = fs::read_link(run.join(below));
    target.is_ok_and(|target| !leads_inside(below, &target))
}

/// Whether a link leads from its place below a folder to a place in the folder. It may begin with
/// `..`, which from a real folder leads to a real folder; after a name, which may be that of
/// another link, `..` may lead anywhere.
pub fn leads_inside(below: &Path, target: &Path) -> bool {
    let depth = below.components().count().saturating_sub(1);
    let is_up = |part: &Component| matches!(part, Component::ParentDir);
    let up = target.components().take_while(is_up).count();
    let mut rest = target.components().skip(up);
    up <= depth
        && target.components().next().is_some()
        && rest.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_links_that_stay_inside_do_whatever_else_there_is() {
        for (below, target, inside) in [
            ("link", "best.safetensors", true),
            ("link", "./a/b", true),
            ("a/link", "../best", true),
            ("a/b/link", "../../best", true),
            ("link", "..", false),
            ("a/link", "..", true),
            ("a/link", "../..", false),
            ("a/link", "../../other_run/best", false),
            ("link", "/etc/passwd", false),
            ("link", "/", false),
            ("link", "a/../best", false),
            ("link", "a/a/a/../../../..", false),
            ("a/link", "./../../x", false),
            ("link", "", false),
        ] {
            assert_eq!(
                leads_inside(Path::new(below), Path::new(target)),
                inside,
                "{below} -> {target}"
            );
        }
    }
}
