//! A process and all that it has started, such as the loaders of a `DataLoader`. They are found by
//! the parent that each process has: the kernel's lists of children (`/proc/PID/task/*/children`)
//! miss some while others start or end.

use std::collections::HashMap;

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

/// Processes are followed up to this number: what starts more is no training.
const MAX_PROCESSES: usize = 4096;

/// Each of `pids` with its descendants, itself first. Scans all processes of the machine once.
pub(super) fn families(pids: &[u32]) -> Vec<Vec<u32>> {
    if pids.is_empty() {
        return Vec::new();
    }
    let mut system = System::new();
    let nothing = ProcessRefreshKind::nothing().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, nothing);
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, process) in system.processes() {
        if let Some(parent) = process.parent() {
            let children = children.entry(parent.as_u32()).or_default();
            children.push(pid.as_u32());
        }
    }
    let family = |pid: &u32| {
        let mut family = vec![*pid];
        let mut next = 0;
        while next < family.len() && family.len() < MAX_PROCESSES {
            family.extend(children.get(&family[next]).into_iter().flatten());
            next += 1;
        }
        family
    };
    pids.iter().map(family).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_comes_with_what_it_started() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 1000 & echo started; wait"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = std::io::BufReader::new(shell.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut output, &mut line).unwrap();
        let both = families(&[shell.id(), std::process::id()]);
        let [family, ours] = &both[..] else {
            panic!("{both:?}");
        };
        assert_eq!(family.len(), 2, "{family:?}");
        assert!(family.iter().all(|pid| ours.contains(pid)), "{both:?}");
        shell.kill().unwrap();
        shell.wait().unwrap();
        assert_eq!(families(&[shell.id()]), [[shell.id()]]);
        let _ = Command::new("kill").arg(family[1].to_string()).status();
    }
}
