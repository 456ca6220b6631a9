//! Runs of the user's own commands: a launcher of the configuration gives a command, and traintop
//! its folder, record, log, stop and end.

use std::io;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, Zoned};

use super::environment;
use super::gpus;
use super::queue::Queue;
use super::slurm;
use super::spawn::{LaunchError, Started, begin_new};
use traintop_config::{Launcher, Slurm};
use traintop_disk::write::{beside, create_new, remove_file, remove_tree, replace_file};
use traintop_recipe::{Sweep, label};
use traintop_run::process::Process;
use traintop_run::{Record, RunDir, State, layout};

/// A start of a launcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The launcher; in its command `{run_dir}` is replaced by the run's folder and `{run_name}` by
    /// that folder's name.
    pub launcher: Launcher,
    /// What follows the command.
    pub arguments: Vec<String>,
    /// The output tree.
    pub output_dir: PathBuf,
    /// How long it may train, in seconds.
    pub time_limit_s: Option<u64>,
    /// The sweep that it is a point of.
    pub point: Option<SweepPoint>,
}

/// A point of a sweep of a launcher's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPoint {
    /// The sweep's name.
    pub sweep: String,
    /// What it has: each key with its value.
    pub values: Vec<(String, String)>,
}

impl SweepPoint {
    /// Its values: `lr=0.1 seed=3`.
    pub fn label(&self) -> String {
        label(&self.values)
    }

    /// Its values as a configuration, by which runs are found, sorted and compared; numbers are
    /// numbers.
    fn config(&self) -> String {
        let value = |text: &String| match serde_json::from_str(text) {
            Ok(number @ serde_json::Value::Number(_)) => number,
            _ => serde_json::Value::from(text.as_str()),
        };
        let values = self.values.iter();
        let config: serde_json::Map<_, _> = values
            .map(|(key, text)| (key.clone(), value(text)))
            .collect();
        format!("{:#}\n", serde_json::Value::from(config))
    }
}

impl Launch {
    /// Makes the run's folder and starts the command in it, under the same supervision as our own
    /// worker.
    ///
    /// # Errors
    /// If the folder or the process cannot be made.
    pub fn start(&self) -> Result<Started, LaunchError> {
        let (dir, mut record, _unfinished) = self.prepare()?;
        gpus::give_now(&dir, &mut record);
        let child = begin_new(&dir, &record)?;
        Ok(Started {
            dir,
            child: Some(child),
        })
    }

    /// Makes the run's folder and queues the command.
    ///
    /// # Errors
    /// If the folder cannot be made, or the queue not be changed.
    pub fn queue(&self) -> Result<RunDir, LaunchError> {
        let (dir, mut record, _unfinished) = self.prepare()?;
        record.state = State::Queued;
        record.environment = environment::own();
        record.queue_position = Some(Timestamp::now().as_microsecond());
        Queue::around(&dir)?.enter(&dir, &record)?;
        Ok(dir)
    }

    /// Makes the run's folder and submits the command to Slurm.
    ///
    /// # Errors
    /// If the folder cannot be made, or Slurm is not here or refuses; then nothing is left of it.
    pub fn submit(&self, slurm: &Slurm) -> Result<RunDir, LaunchError> {
        slurm::must_be_here()?;
        let (dir, record, _unfinished) = self.prepare()?;
        slurm::submit_command(&dir, record, slurm)?;
        Ok(dir)
    }

    /// The same at each point of a sweep of this name: `{key}` in the command or the arguments is
    /// what the point has there. With each, the finished run of its tree that had the same command.
    ///
    /// # Errors
    /// A sentence, if a key does not occur, or there are too many points.
    pub fn vary(
        &self,
        sweep: &Sweep,
        sample: Option<(u64, u64)>,
        name: &str,
    ) -> Result<Vec<(Self, Option<RunDir>)>, String> {
        let all = sweep
            .all_changes(sample)
            .map_err(|error| error.to_string())?;
        for (key, _) in all.first().into_iter().flatten() {
            let place = format!("{{{key}}}");
            let mut words = self.launcher.command.iter().chain(&self.arguments);
            if !words.any(|word| word.contains(&place)) {
                return Err(format!(
                    "--sweep {key}: {place} stands neither in the command of launcher {} nor in its arguments",
                    self.launcher.name
                ));
            }
        }
        let finished = self.finished();
        let at = |changes: Vec<(String, String)>| {
            let fill = |word: &String| {
                let changes = changes.iter();
                changes.fold(word.clone(), |word, (key, value)| {
                    word.replace(&format!("{{{key}}}"), value)
                })
            };
            let launch = Self {
                launcher: Launcher {
                    command: self.launcher.command.iter().map(fill).collect(),
                    ..self.launcher.clone()
                },
                arguments: self.arguments.iter().map(fill).collect(),
                point: Some(SweepPoint {
                    sweep: name.to_owned(),
                    values: changes,
                }),
                ..self.clone()
            };
            let done = finished
                .iter()
                .find(|(dir, command)| launch.command_in(dir) == *command);
            let done = done.map(|(dir, _)| dir.clone());
            (launch, done)
        };
        Ok(all.into_iter().map(at).collect())
    }

    /// The finished runs of this launcher in its tree, with their commands.
    fn finished(&self) -> Vec<(RunDir, Vec<String>)> {
        let runs = std::fs::read_dir(self.output_dir.join(layout::TRAINING_RUNS));
        let dirs = runs
            .into_iter()
            .flatten()
            .flatten()
            .map(|run| RunDir::new(run.path()));
        let record = |dir: RunDir| {
            // As the record has it.
            let dir = RunDir::new(dir.path().canonicalize().ok()?);
            let record = Record::load(&dir).ok()??;
            let is_done = record.state == State::Finished
                && record.launcher.as_ref() == Some(&self.launcher.name);
            is_done.then_some((dir, record.command))
        };
        dirs.filter_map(record).collect()
    }

    fn command_in(&self, dir: &RunDir) -> Vec<String> {
        command_line(&self.launcher.command, &self.arguments, dir.path())
    }

    /// Makes the run's folder and its initial files. Keep the returned guard until the record is
    /// written.
    fn prepare(&self) -> Result<(RunDir, Record, Unfinished), LaunchError> {
        let no_folder = |cause| LaunchError::NoFolder {
            path: self.output_dir.clone(),
            cause,
        };
        let dir = layout::create(&self.output_dir, &Zoned::now()).map_err(no_folder)?;
        let unfinished = Unfinished::mark(&dir).map_err(no_folder)?;
        let launcher = &self.launcher.name;
        let name = match &self.point {
            Some(point) => format!("{launcher} {}", point.label()),
            None => layout::display_name(launcher, &dir),
        };
        let command = self.command_in(&dir);
        let mut record = Record::new(&dir, name, Process::current(), command, Timestamp::now());
        record.process = None;
        record.launcher = Some(self.launcher.name.clone());
        record.gpu_count = self.launcher.gpus;
        if let Some(point) = &self.point {
            record.sweep = Some(point.sweep.clone());
            // A command may replace it by its full configuration.
            replace_file(&dir.config_json(), point.config().as_bytes()).map_err(no_folder)?;
        }
        record.time_limit_s = self.time_limit_s;
        record.working_dir = std::env::current_dir()
            .ok()
            .map(|folder| folder.display().to_string());
        Ok((dir, record, unfinished))
    }
}

/// A run's folder that may have a configuration, but no record yet. A file with a temporary name of
/// the record's says so: no search takes such a folder for a run, also if this program is killed.
/// In the end the file goes, and without a record the folder with it.
struct Unfinished {
    dir: RunDir,
    mark: PathBuf,
}

impl Unfinished {
    fn mark(dir: &RunDir) -> io::Result<Self> {
        let unfinished = Self {
            mark: beside(&dir.run_json()),
            dir: dir.clone(),
        };
        create_new(&unfinished.mark)?;
        Ok(unfinished)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What is left if this fails is no run, or only untidy.
        let _ = if self.dir.run_json().exists() {
            remove_file(&self.mark)
        } else {
            remove_tree(self.dir.path())
        };
    }
}

fn command_line(command: &[String], arguments: &[String], run: &Path) -> Vec<String> {
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    let filled = command.iter().map(|word| {
        word.replace("{run_dir}", &run.display().to_string())
            .replace("{run_name}", &name)
    });
    filled.chain(arguments.iter().cloned()).collect()
}

/// Splits what a person types behind a command into words, as a shell does: apart by spaces, quotes
/// hold words together, and outside of single quotes a backslash takes the next character as it is.
/// Nothing is put in for variables or patterns.
///
/// # Errors
/// A sentence, if a quote is not closed.
pub fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote): (Vec<String>, Option<String>, Option<char>) =
        <_>::default();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            (char, Some(open)) if char == open => quote = None,
            ('\\', None | Some('"')) => match chars.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => {
                    return Err(
                        "arguments end in a backslash, which has nothing to hold".to_owned()
                    );
                }
            },
            ('"' | '\'', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (char, None) if char.is_whitespace() => words.extend(word.take()),
            (char, _) => word.get_or_insert_default().push(char),
        }
    }
    if let Some(open) = quote {
        return Err(format!("arguments have a {open} that is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// Words as a person would type them: [`words`] reads the same again.
pub fn quoted(words: &[String]) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "-_+.,:/=@%{}".contains(char);
    let quoted = words.iter().map(|word| {
        if !word.is_empty() && word.chars().all(is_plain) {
            return word.clone();
        }
        format!("'{}'", word.replace('\'', r"'\''"))
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_split_as_a_shell_does() {
        let split = |text: &str| words(text).unwrap().join("|");
        assert_eq!(
            split("  --lr 0.1  --tag 'a b'\"c\" "),
            "--lr|0.1|--tag|a bc"
        );
        assert_eq!(split(r#"a\ b "x\"y" '\n' """#), r#"a b|x"y|\n|"#);
        assert_eq!(split(""), "");
        let odd = ["a b", "", "it's", "\"\\", "--x=1"].map(str::to_owned);
        assert_eq!(words(&quoted(&odd)).unwrap(), odd);
        for wrong in ["a 'b", "a \"b", "a\\"] {
            assert!(
                words(wrong).unwrap_err().starts_with("arguments "),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_folder_and_its_name_are_put_into_the_command_and_arguments_follow_as_they_are() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let command = words(&["python", "train.py", "--out={run_dir}/x", "{run_name}"]);
        let filled = command_line(
            &command,
            &words(&["--lr", "{run_dir}"]),
            Path::new("/runs/a"),
        );
        assert_eq!(
            filled,
            [
                "python",
                "train.py",
                "--out=/runs/a/x",
                "a",
                "--lr",
                "{run_dir}"
            ]
        );
    }
}
