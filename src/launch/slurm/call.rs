//! Calling Slurm's programs: away from the terminal, never for long, and with one sentence where they refuse.

use std::env;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::text::clean;

/// A controller that takes longer is not waited for.
const LONGEST: Duration = Duration::from_secs(20);
const UNHEARD: &str = "did not answer within";
/// How often it is looked whether a program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// Whether jobs can be handed to Slurm from this machine.
pub fn is_here() -> bool {
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).any(|folder| {
        let metadata = folder.join("sbatch").metadata();
        metadata.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

/// Whether [`call`] complains that the program was ended unheard: what it was to do may have been done.
pub fn is_unheard(said: &str) -> bool {
    said.contains(UNHEARD)
}

/// What a program of Slurm's prints.
///
/// # Errors
/// In a sentence: its own last line, or why it could not be called.
pub fn call(program: &str, arguments: &[&str]) -> Result<String, String> {
    let problem = |cause: io::Error| format!("{program}: cannot be called ({cause})");
    let mut command = Command::new(program);
    command
        .args(arguments)
        // Times come in the form that is read here.
        .env_remove("SLURM_TIME_FORMAT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(problem)?;
    let (output, complaint) = (
        read(child.stdout.take(), program),
        read(child.stderr.take(), program),
    );
    let is_well = wait(&mut child).map_err(problem)?;
    let Some(is_well) = is_well else {
        return Err(format!("{program}: {UNHEARD} {} s", LONGEST.as_secs()));
    };
    let output = output.join().unwrap_or_default();
    if is_well {
        return Ok(output);
    }
    let complaint = complaint.join().unwrap_or_default();
    let said = complaint
        .lines()
        .chain(output.lines())
        .filter(|line| !line.trim().is_empty())
        // What follows is what was given up because of it.
        .find(|line| line.contains("error:"))
        .or_else(|| complaint.lines().last());
    let said = said.map_or_else(
        || format!("{program} failed"),
        |line| clean(line.trim()).into_owned(),
    );
    Err(said)
}

fn read(pipe: Option<impl Read + Send + 'static>, program: &str) -> thread::JoinHandle<String> {
    let program = program.to_owned();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(Err(error)) = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes)) {
            log::warn!("{program}: {error}");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whether it ended well; `None` if it took too long and was ended.
fn wait(child: &mut Child) -> io::Result<Option<bool>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if begun.elapsed() > LONGEST {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}
