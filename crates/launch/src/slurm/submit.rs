//! Handing runs to Slurm. The folders come first, as queued runs with a job that has no id yet; the
//! job carries a comment by which it is found again if this program ends before it could note the
//! id.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::slice;

use jiff::{Timestamp, Zoned};

use super::super::queue::{Entry, by_tree, make};
use super::super::resume::resumable;
use super::super::run_lock::hold;
use super::super::spawn::LaunchError;
use super::super::trust::{must_be_trusted, trust};
use super::command::{call, is_here};
use super::parse::submitted;
use super::script::{JobRun, Runs, Script};
use traintop_config as config;
use traintop_config::Slurm;
use traintop_disk::write::{remove_tree, replace_file};
use traintop_disk::{Disk, System};
use traintop_recipe as recipe;
use traintop_run::slurm::Job;
use traintop_run::trust::digest;
use traintop_run::{Record, RunDir, State};

/// What comments of our jobs begin with.
const OURS: &str = "traintop:";

/// Hands these runs to Slurm, those of one output tree as one array; their folders.
///
/// # Errors
/// If Slurm is not here or refuses, or a folder cannot be made. Then the runs that were not
/// submitted are removed again.
pub fn submit(entries: &[Entry], slurm: &Slurm, now: &Zoned) -> Result<Vec<RunDir>, LaunchError> {
    must_be_here()?;
    let mut dirs = Vec::new();
    for (tree, entries) in by_tree(entries) {
        let is_array = entries.len() > 1;
        let job = new_job(now.timestamp());
        let token = job.token.clone();
        let made = make(&entries, tree, now, &|record, number| {
            record.queue_position = None;
            // sbatch takes the environment along itself, and Slurm gives the GPUs.
            record.environment.clear();
            let task = is_array.then_some(number as u32);
            record.slurm = Some(Job {
                task,
                ..job.clone()
            });
        })?;
        let name = match (is_array, entries.first()) {
            (true, Some(entry)) => entry.sweep.clone(),
            _ => None,
        };
        let name = name.unwrap_or_else(|| entries[0].recipe.experiment_name.clone());
        let slurm = with_requeue(slurm, entries.iter().any(|entry| entry.recipe.requeue));
        if let Err(error) = hand_over(&made, tree, &token, &name, &slurm) {
            // They were visible only for a moment: they were never runs.
            for dir in &made {
                let _ = remove_tree(dir.path());
            }
            return Err(error);
        }
        dirs.extend(made);
    }
    Ok(dirs)
}

/// Hands the command of a run to Slurm whose folder was just made, with this record.
///
/// # Errors
/// As [`submit`]; then the folder is gone again.
pub fn submit_command(dir: &RunDir, mut record: Record, slurm: &Slurm) -> Result<(), LaunchError> {
    let job = new_job(Timestamp::now());
    let token = job.token.clone();
    record.state = State::Queued;
    record.slurm = Some(job);
    trust(dir, &record)?;
    record.save(dir)?;
    let tree = dir.output_tree().unwrap_or(dir.path());
    let handed = hand_over(slice::from_ref(dir), tree, &token, &record.name, slurm);
    if handed.is_err() {
        let _ = remove_tree(dir.path());
    }
    handed
}

/// Hands a run to Slurm again that was a job of it and has ended.
///
/// # Errors
/// As [`submit`], or if it cannot be resumed; then it stays as it was.
pub fn again(dir: &RunDir) -> Result<(), LaunchError> {
    must_be_here()?;
    // Two who resume it at once: the second finds it waiting.
    let held = hold(dir);
    let before = Record::load(dir)?;
    let mut record = resumable(dir)?;
    let job = new_job(Timestamp::now());
    let token = job.token.clone();
    record.state = State::Queued;
    record.deadline = None;
    record.slurm = Some(job);
    trust(dir, &record)?;
    record.save(dir)?;
    drop(held);
    let tree = dir.output_tree().unwrap_or(dir.path()).to_owned();
    let recipe = recipe::load(&dir.config_json());
    let slurm = with_requeue(
        &config::load().0.slurm,
        recipe.is_ok_and(|recipe| recipe.requeue),
    );
    let handed = hand_over(slice::from_ref(dir), &tree, &token, &record.name, &slurm);
    if let (Err(_), Some(before)) = (&handed, before) {
        before.save(dir)?;
    }
    handed
}

/// A job that has no id yet.
fn new_job(submitted_at: Timestamp) -> Job {
    let number = submitted_at.as_microsecond();
    Job {
        token: format!("{OURS}{}-{number}", std::process::id()),
        submitted_at,
        id: None,
        task: None,
        cluster: None,
    }
}

/// As the configuration says, or the recipe, whether a job that saved in time gets another turn.
fn with_requeue(slurm: &Slurm, requeue: bool) -> Slurm {
    Slurm {
        requeue: slurm.requeue || requeue,
        ..slurm.clone()
    }
}

/// Checked before anything is made.
pub fn must_be_here() -> Result<(), LaunchError> {
    if is_here() {
        return Ok(());
    }
    Err(LaunchError::Refused(
        "there is no sbatch on the PATH, so nothing can be submitted to Slurm from here; leave --on slurm out to train on this machine"
            .to_owned(),
    ))
}

fn hand_over(
    dirs: &[RunDir],
    tree: &Path,
    token: &str,
    name: &str,
    slurm: &Slurm,
) -> Result<(), LaunchError> {
    let no_script = |cause| LaunchError::Unusable {
        path: tree.to_owned(),
        cause,
    };
    let runs: Vec<JobRun> = dirs.iter().map(job_run).collect::<Result<_, _>>()?;
    let script = write_script(&runs, tree, token, name, slurm).map_err(no_script)?;
    let printed = match call("sbatch", &["--parsable", &script.to_string_lossy()]) {
        Ok(printed) => printed,
        // It may have been taken: then the comment finds it, and else the run says that it was not.
        Err(error) if error.timed_out() => {
            log::warn!("{error}");
            return Ok(());
        }
        Err(error) => {
            let problem = format!("Slurm did not take the job: {error}");
            return Err(LaunchError::Refused(problem));
        }
    };
    let Some((id, cluster)) = submitted(&printed) else {
        // It was taken: the comment finds it.
        log::warn!("sbatch printed no id: {printed:.200}");
        return Ok(());
    };
    for dir in dirs {
        note(dir, token, id, cluster.as_deref())?;
    }
    Ok(())
}

/// Notes the id in the record, unless the job has begun and done so itself.
pub(super) fn note(
    dir: &RunDir,
    token: &str,
    id: u64,
    cluster: Option<&str>,
) -> Result<(), LaunchError> {
    let _held = hold(dir);
    let Some(mut record) = Record::load(dir)? else {
        return Ok(());
    };
    let Some(job) = &mut record.slurm else {
        return Ok(());
    };
    if job.token == token && job.id.is_none() && record.process.is_none() {
        job.id = Some(id);
        job.cluster = cluster.map(str::to_owned);
        record.save(dir)?;
    }
    Ok(())
}

/// A run with the digest of its command.
fn job_run(dir: &RunDir) -> Result<JobRun, LaunchError> {
    let refused = |cause| LaunchError::Refused(format!("{}: {cause}", dir.path().display()));
    let record = Record::load(dir)?
        .ok_or_else(|| LaunchError::Refused(format!("{}: has no run.json", dir.name())))?;
    must_be_trusted(dir, &record)?;
    Ok(JobRun {
        folder: dir.path().canonicalize().map_err(refused)?,
        digest: digest(&record),
    })
}

/// Writes the script into the run's folder, or that of an array into one below the tree.
fn write_script(
    job_runs: &[JobRun],
    tree: &Path,
    token: &str,
    name: &str,
    slurm: &Slurm,
) -> io::Result<PathBuf> {
    let program = fs::read_link("/proc/self/exe")?;
    // An option's value is quoted, on one line.
    let plain = |text: &str| text.replace(['"', '\\', '\n', '\r'], " ");
    let name = plain(name);
    let (path, output);
    let runs = if let [run] = job_runs {
        let dir = RunDir::new(&run.folder);
        dir.refuse_links()?;
        path = dir.logs().join("slurm.sh");
        output = dir.worker_out();
        Runs::One(run)
    } else {
        let folder = tree
            .canonicalize()?
            .join(".slurm")
            .join(token.trim_start_matches(OURS));
        let disk = System.beneath(&tree.canonicalize()?)?;
        disk.make_folders(&folder)?;
        for (number, run) in job_runs.iter().enumerate() {
            let output = RunDir::new(&run.folder).worker_out();
            disk.make_link(&output, &folder.join(format!("{number}.out")))?;
        }
        path = folder.join("job.sh");
        output = folder.join("ARRAY");
        Runs::Array(job_runs)
    };
    // Slurm replaces patterns after a percent sign.
    let output = plain(&output.to_string_lossy().replace('%', "%%")).replace("/ARRAY", "/%a.out");
    let script = Script {
        slurm,
        name: &name,
        token,
        program: &program,
        output: &output,
        runs,
    };
    replace_file(&path, script.text().as_bytes())?;
    Ok(path)
}
