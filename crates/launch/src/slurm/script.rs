//! The script that `sbatch` is given: options from the user's configuration, modules, lines, and at
//! its end traintop itself, which does the rest where the job runs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::job::JOB;
use traintop_config::Slurm;

/// The content of a script.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// The configuration.
    pub slurm: &'a Slurm,
    /// What `squeue` lists the job as.
    pub name: &'a str,
    /// The comment by which it is found again.
    pub token: &'a str,
    pub program: &'a Path,
    /// Where its output goes; `%a` is the index in an array.
    pub output: &'a str,
    pub runs: Runs<'a>,
}

/// The runs of a script.
#[derive(Debug, Clone, Copy)]
pub enum Runs<'a> {
    One(&'a JobRun),
    /// An array with a task for each.
    Array(&'a [JobRun]),
}

/// A run as a script names it.
#[derive(Debug, Clone)]
pub struct JobRun {
    pub folder: PathBuf,
    /// The digest of its command, as [`trust::digest`](traintop_run::trust::digest) makes it: the
    /// job executes no other.
    pub digest: String,
}

impl Script<'_> {
    pub fn text(&self) -> String {
        let mut text = "#!/bin/bash\n".to_owned();
        let mut option = |name: &str, value: &str| {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "#SBATCH --{name}=\"{value}\"");
        };
        option("job-name", self.name);
        option("comment", self.token);
        option("output", self.output);
        option("open-mode", "append");
        if self.slurm.signal_s > 0 {
            option("signal", &format!("B:USR1@{}", self.slurm.signal_s));
        }
        if let Runs::Array(runs) = self.runs {
            let last = runs.len().saturating_sub(1);
            let at_once = self.slurm.at_once.map(|jobs| format!("%{jobs}"));
            option("array", &format!("0-{last}{}", at_once.unwrap_or_default()));
        }
        for (name, value) in &self.slurm.options {
            option(name, value);
        }
        if self.slurm.requeue {
            text.push_str("#SBATCH --requeue\n");
        }
        // Slurm reads no options behind the first command.
        let (options, commands): (Vec<_>, Vec<_>) = self
            .slurm
            .lines
            .iter()
            .partition(|line| line.starts_with("#SBATCH"));
        for line in options {
            text.push_str(line);
            text.push('\n');
        }
        for module in &self.slurm.modules {
            let _ = writeln!(text, "module load {}", quoted(module));
        }
        for line in commands {
            text.push_str(line);
            text.push('\n');
        }
        let requeue = if self.slurm.requeue { " --requeue" } else { "" };
        let (digest, run) = match self.runs {
            Runs::One(run) => (run.digest.clone(), quoted(&run.folder.to_string_lossy())),
            Runs::Array(runs) => {
                // The list is in the script, of which Slurm keeps a copy, so that it cannot change
                // any more.
                let _ = writeln!(text, "runs=(");
                for run in runs {
                    let folder = quoted(&run.folder.to_string_lossy());
                    let _ = writeln!(text, "{} {folder}", run.digest);
                }
                let _ = writeln!(text, ")");
                let word = |add: usize| format!("\"${{runs[2 * SLURM_ARRAY_TASK_ID + {add}]}}\"");
                (word(0), word(1))
            }
        };
        // The signal before the limit goes to this very process: it has to become the program.
        let program = quoted(&self.program.to_string_lossy());
        let _ = writeln!(
            text,
            "exec {program} {JOB}{requeue} --digest {digest} {run}"
        );
        text
    }
}

/// As one word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(folder: &str, digest: &str) -> JobRun {
        JobRun {
            folder: folder.into(),
            digest: digest.to_owned(),
        }
    }

    fn script(slurm: &Slurm, runs: Runs) -> String {
        let script = Script {
            slurm,
            name: "quick",
            token: "traintop:a",
            program: Path::new("/opt/it's/traintop"),
            output: "/runs/a/logs/worker.out",
            runs,
        };
        script.text()
    }

    #[test]
    fn options_come_before_commands_and_the_program_last() {
        let slurm = Slurm {
            options: vec![("partition", "gpu".to_owned())],
            modules: vec!["cuda/12".to_owned()],
            lines: ["source env", "#SBATCH --exclusive"]
                .map(str::to_owned)
                .to_vec(),
            requeue: true,
            ..Slurm::default()
        };
        let text = script(&slurm, Runs::One(&run("/runs/a", "12ab")));
        let expected = "#!/bin/bash\n#SBATCH --job-name=\"quick\"\n#SBATCH --comment=\"traintop:a\"\n\
             #SBATCH --output=\"/runs/a/logs/worker.out\"\n#SBATCH --open-mode=\"append\"\n#SBATCH --signal=\"B:USR1@120\"\n\
             #SBATCH --partition=\"gpu\"\n#SBATCH --requeue\n#SBATCH --exclusive\nmodule load 'cuda/12'\nsource env\n\
             exec '/opt/it'\\''s/traintop' __slurm-job --requeue --digest 12ab '/runs/a'\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_sweep_is_an_array_whose_tasks_find_their_runs_in_the_script() {
        let slurm = Slurm {
            at_once: Some(4),
            signal_s: 0,
            ..Slurm::default()
        };
        let runs = [run("/runs/a", "12ab"), run("/runs/it's", "34cd")];
        let text = script(&slurm, Runs::Array(&runs));
        assert!(text.contains("#SBATCH --array=\"0-1%4\"\n"), "{text}");
        assert!(!text.contains("--signal"), "{text}");
        assert!(
            text.ends_with(
                "runs=(\n12ab '/runs/a'\n34cd '/runs/it'\\''s'\n)\nexec '/opt/it'\\''s/traintop' __slurm-job \
                 --digest \"${runs[2 * SLURM_ARRAY_TASK_ID + 0]}\" \"${runs[2 * SLURM_ARRAY_TASK_ID + 1]}\"\n"
            ),
            "{text}"
        );
    }
}
