//! A user's quotas, from the program `quota`: the system call for them wants a device, which
//! network file systems, where quotas matter most, do not have, and `quota` asks their servers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use traintop_run::subprocess::run;

/// Timeout of an answer from a file server.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// `quota` counts in these.
const BLOCK: u64 = 1024;

/// What a user has and may have on a file system, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// What is taken.
    pub used: u64,
    /// What may be taken: the soft limit, or the hard one where there is no other.
    pub limit: u64,
}

/// The user's quotas by the places where their file systems are mounted; none where the system has
/// no `quota`, or it does not answer.
pub fn all() -> Vec<(PathBuf, Quota)> {
    let mut command = Command::new("quota");
    command.args(["--no-wrap", "--raw-grace", "--show-mntpoint"]);
    command.args(["--hide-device", "--quiet-refuse"]);
    command.env("LC_ALL", "C");
    // Its exit code shows only whether a quota is exceeded.
    run(&mut command, "", TIMEOUT).map_or_else(|_| Vec::new(), |called| read(&called.output))
}

/// The quota of a folder, given without links: that of the file system that is mounted nearest
/// above it.
pub fn around(folder: &Path, quotas: &[(PathBuf, Quota)]) -> Option<Quota> {
    let above = quotas.iter().filter(|(mount, _)| folder.starts_with(mount));
    let nearest = above.max_by_key(|(mount, _)| mount.components().count());
    nearest.map(|(_, quota)| *quota)
}

/// Reads the rows of `quota`: the mount point, then of blocks and of files what is taken (with a
/// `*` if that is too much), the soft limit, the hard limit and the time of grace. Zero is no
/// limit; any other line is not a row.
fn read(text: &str) -> Vec<(PathBuf, Quota)> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(PathBuf, Quota)> {
    let mut mount = line.trim();
    let mut numbers = [0; 8];
    // From behind: a mount point may hold spaces.
    for number in numbers.iter_mut().rev() {
        let (before, word) = mount.rsplit_once(char::is_whitespace)?;
        *number = word.trim_end_matches('*').parse().ok()?;
        mount = before.trim_end();
    }
    let [used, soft, hard, ..]: [u64; 8] = numbers;
    let limit = if soft > 0 { soft } else { hard };
    let quota = Quota {
        used: used.saturating_mul(BLOCK),
        limit: limit.saturating_mul(BLOCK),
    };
    (limit > 0).then(|| (PathBuf::from(mount), quota))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_read_and_found_by_the_nearest_mount() {
        let text = "Disk quotas for user ada (uid 1000):\n     \
            Filesystem   blocks   quota   limit   grace   files   quota   limit   grace\n          \
            /  100 0 0 0 5 0 0 0\n      \
            /home   2048*   1024    4096  1795000000     12       0       0       0\n\
            /data/my runs 3 0 9 0 1 2 3 0\n";
        let quotas = read(text);
        let quota = |used, limit| Quota { used, limit };
        let (storage, runs) = (quota(2 << 20, 1 << 20), quota(3072, 9216));
        let expected = [("/home".into(), storage), ("/data/my runs".into(), runs)];
        assert_eq!(quotas, expected);
        let of = |folder: &str| around(Path::new(folder), &quotas);
        assert_eq!(of("/home/ada/runs"), Some(storage));
        assert_eq!(of("/data/my runs"), Some(runs));
        assert_eq!((of("/homes"), of("/data")), (None, None));
    }

    #[test]
    fn what_is_no_row_is_passed_over() {
        for text in [
            "",
            "none",
            "/home 1 2 3",
            "/home x 1 2 0 1 1 1 1",
            "1 1 2 0 1 1 1 1",
        ] {
            assert_eq!(read(text), [], "{text:?}");
        }
    }
}
