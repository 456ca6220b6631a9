//! A process and all that it has started, such as the loaders of a `DataLoader`.

use std::fs;

/// Processes are followed no further than so many: what starts more is no training.
const MOST: usize = 4096;

/// `pid` and its descendants. Where the kernel does not tell children (`CONFIG_PROC_CHILDREN`), `pid` alone.
pub(super) fn with_descendants(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while next < family.len() && family.len() < MOST {
        family.extend(children(family[next]));
        next += 1;
    }
    family
}

fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"));
    let lists = threads.into_iter().flatten().flatten();
    let lists = lists.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            let pids = list.split_whitespace().map(str::parse);
            pids.filter_map(Result::ok).collect::<Vec<u32>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_comes_with_what_it_started() {
        let mut shell = Command::new("sh")
            .args(["-c", "cat & echo started; wait"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(shell.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let family = with_descendants(shell.id());
        assert_eq!(family.len(), 2, "{family:?}");
        assert!(with_descendants(std::process::id()).contains(&family[1]));
        shell.kill().unwrap();
        shell.wait().unwrap();
        assert_eq!(with_descendants(shell.id()), [shell.id()]);
        let _ = Command::new("kill").arg(family[1].to_string()).status();
    }
}
