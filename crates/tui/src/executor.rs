//! Carries out jobs on the pool's threads, and answers with messages. Everything slow happens
//! here.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::{Duration, Instant, SystemTime};
use std::{fs, thread};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::coalesced_write::{CoalescedWrite, lock};
use super::effect::Effect;
use super::message::{Message, ValuesAtEpoch};
use super::pool::{Class, Kind, Limits, Pool};
use super::remembered::{self, Remembered};
use super::run_reader::RunReader;
use super::scheduling::Key;
use super::update::standing;
use super::view::run::detail::Reading;
use crate::jobs::best_so_far_cache::BestSoFarCache;
use crate::jobs::choice::Choice;
use crate::jobs::form::wait_for;
use crate::jobs::machine::UsageSampler;
use crate::long_job::LongJobEvent;
use crate::notice::Notice;
use crate::{chart_settings, jobs};
use traintop_analysis::lint;
use traintop_disk::Progress;
use traintop_launch as launch;
use traintop_run::cache::Cache;
use traintop_run::discover::{self, discover_with_others};
use traintop_run::formats;
use traintop_run::found::{Found, Looks};
use traintop_run::state::SILENCE;
use traintop_run::summary::Summary;
use traintop_run::summing::Summing;
use traintop_run::watch::{Watcher, when_ended};
use traintop_run::{RunDir, last_visit, marks, size, value_at_epoch};

/// Login nodes are shared: no more threads than these unless the user says so, however many cores
/// there are.
const THREADS: usize = 4;
/// Long jobs at the same time: an export need not wait for an archive.
const LONG: usize = 2;
/// How long the end of the program waits for jobs that change runs. One that is killed is finished,
/// or undone, by the next start.
const UNTIL_CLOSED: Duration = Duration::from_secs(10);
/// Runs that one thread summarises at a time.
const BATCH: usize = 64;
/// Runs in the first message of a search, about a screenful; then four times as many each time, so
/// that the table is not arranged over and over.
const FIRST_FOUND: usize = 32;
/// Summaries are first sent after this time, then after twice as long each time, up to the longest:
/// those on the screen come first, and the table is put in order each time.
const HAND_OVER: Duration = Duration::from_millis(8);
const LONGEST_HAND_OVER: Duration = Duration::from_millis(128);

/// How long a folder that is no run yet is watched after its last change.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// At most this many of them.
const MOST_FRESH: usize = 64;

/// Remembers a theme by its name, or says why not.
pub type SaveTheme = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// The cache, read when it is first asked for: not by the thread that draws.
type LazyCache = LazyLock<Mutex<Cache>, Box<dyn FnOnce() -> Mutex<Cache> + Send>>;

/// What the threads share.
struct Shared {
    roots: Vec<PathBuf>,
    cache: LazyCache,
    /// Tails of active runs' metrics, so that a new row is not a new read of the whole file.
    active: Mutex<HashMap<RunDir, Summing>>,
    /// When the entries of folders with databases changed last.
    databases: Mutex<HashMap<PathBuf, SystemTime>>,
    /// What was seen last of each run's files.
    looks: Mutex<Looks>,
    opened: Mutex<HashMap<RunDir, Arc<Mutex<RunReader>>>>,
    watcher: Mutex<Watcher>,
    /// What earlier runs had come to, for those that train.
    courses: Arc<BestSoFarCache>,
    /// Runs that are jobs which Slurm may have more to say of.
    jobs: jobs::slurm::Jobs,
    save_theme: SaveTheme,
    /// Marks that are not written yet: of several in a row only the last are.
    marks: CoalescedWrite<Vec<RunDir>>,
    /// The same of how the table is left.
    table: CoalescedWrite<Remembered>,
    messages: Sender<Message>,
}

/// The pool.
pub struct Executor {
    pool: Pool<Key>,
    /// Into how many jobs the reading of many runs is divided.
    parts: usize,
    /// The long jobs that wait or are under way.
    long: Vec<Weak<Progress>>,
    usage_sampler: UsageSampler,
    shared: Arc<Shared>,
}

impl Executor {
    /// Starts the pool. `save_theme` remembers a theme by name.
    pub fn start(
        roots: Vec<PathBuf>,
        cache_dir: PathBuf,
        threads: Option<usize>,
        save_theme: SaveTheme,
        messages: Sender<Message>,
    ) -> Self {
        let samples = messages.clone();
        let usage_sampler = UsageSampler::start(roots.clone(), move |usage| {
            samples.send(Message::UsageSampled(Box::new(usage))).is_ok()
        });
        let changes = messages.clone();
        let watcher = Watcher::new(move |folder| {
            drop(changes.send(Message::FolderChanged(folder.to_owned())))
        });
        let shared = Arc::new(Shared {
            roots,
            cache: LazyLock::new(Box::new(move || Mutex::new(Cache::open(&cache_dir)))),
            active: Mutex::default(),
            databases: Mutex::default(),
            looks: Mutex::default(),
            opened: Mutex::default(),
            watcher: Mutex::new(watcher),
            jobs: jobs::slurm::Jobs::default(),
            courses: Arc::default(),
            save_theme,
            marks: CoalescedWrite::default(),
            table: CoalescedWrite::default(),
            messages,
        });
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let limits = Limits {
            bulk: threads.unwrap_or(cores.min(THREADS)).max(1),
            long: LONG,
        };
        let messages = shared.messages.clone();
        let pool = Pool::start(limits, move |job| {
            log::error!("{job}: this job failed badly");
            let text = format!("{job}: something went wrong inside traintop; its log says what");
            let _ = messages.send(Message::Noticed(Notice::bad(text)));
        });
        let of_job = Arc::clone(&shared);
        let read_cache = Kind {
            name: "read cache",
            class: Class::Quick,
            is_change: false,
            keys: Vec::new(),
        };
        // While another thread finds the first runs.
        pool.submit(read_cache, move || {
            LazyLock::force(&of_job.cache);
        });
        Self {
            pool,
            parts: limits.bulk,
            long: Vec::new(),
            usage_sampler,
            shared,
        }
    }

    /// Runs a job on the pool.
    pub fn submit(&mut self, effect: Effect) {
        match effect {
            Effect::Summarise(dirs) if dirs.len() > BATCH => {
                // Dealt out in turn, so that those on the screen, which come first, come first.
                for part in 0..self.parts {
                    let dirs = dirs.iter().skip(part).step_by(self.parts).cloned();
                    self.send(Effect::Summarise(dirs.collect()), Some(Class::Bulk));
                }
            }
            Effect::SampleUsage(dirs) => self.usage_sampler.submit(dirs),
            Effect::CancelJobs => self.cancel_jobs(),
            effect => {
                if let Effect::SaveMarks(marks) = &effect {
                    self.shared.marks.put(marks.clone());
                }
                if let Effect::Remember(left) = &effect {
                    self.shared.table.put((**left).clone());
                }
                self.send(effect, None);
            }
        }
    }

    fn send(&mut self, effect: Effect, class: Option<Class>) {
        let mut kind = effect.kind();
        kind.class = class.unwrap_or(kind.class);
        let (shared, progress) = (Arc::clone(&self.shared), Arc::<Progress>::default());
        if kind.class != Class::Long {
            return self
                .pool
                .submit(kind, move || carry_out(&shared, effect, &progress));
        }
        self.long.retain(|known| known.strong_count() > 0);
        self.long.push(Arc::downgrade(&progress));
        let name = kind.name;
        self.pool.submit(kind, move || {
            let send = |message| drop(shared.messages.send(message));
            send(Message::LongJob(LongJobEvent::Began(
                name,
                Arc::clone(&progress),
            )));
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                carry_out(&shared, effect, &progress);
            }));
            send(Message::LongJob(LongJobEvent::Ended(progress)));
            if let Err(panic) = done {
                std::panic::resume_unwind(panic);
            }
        });
    }

    /// Asks all long jobs to stop; each undoes what it has begun.
    fn cancel_jobs(&self) {
        for progress in self.long.iter().filter_map(Weak::upgrade) {
            progress.cancel();
        }
    }

    /// Ends what changes runs, and keeps summaries and marks for the next start; called once at the
    /// end, on the caller's thread.
    pub fn finish(&self) {
        self.cancel_jobs();
        self.pool.close(UNTIL_CLOSED);
        save_marks(&self.shared);
        save_table(&self.shared);
        if let Err(error) = last_visit::save(&self.shared.roots, Timestamp::now()) {
            log::warn!("the time of this visit is not kept: {error}");
        }
        flush(&self.shared);
    }
}

fn flush(shared: &Shared) {
    if let Err(error) = lock(&shared.cache).flush() {
        log::warn!("the summaries were not cached: {error}");
    }
}

fn save_marks(shared: &Shared) {
    let saved = shared.marks.write(|dirs| marks::save(&shared.roots, &dirs));
    if let Some(Err(error)) = saved {
        let text = format!("the marks are not kept for the next start: {error}");
        let _ = shared.messages.send(Message::Noticed(Notice::bad(text)));
    }
}

fn save_table(shared: &Shared) {
    let saved = shared
        .table
        .write(|left| remembered::save(&shared.roots, &left));
    if let Some(Err(error)) = saved {
        let text = format!("how the table is left is not kept for the next start: {error}");
        let _ = shared.messages.send(Message::Noticed(Notice::bad(text)));
    }
}

/// Handed over a few at a time: the table fills as they come.
fn sample_all(shared: &Shared, epochs: &[u32], dirs: &[RunDir]) {
    for dirs in dirs.chunks(BATCH) {
        let of_run = |dir: &RunDir| {
            let at = |epoch: &u32| ValuesAtEpoch {
                dir: dir.clone(),
                epoch: *epoch,
                values: value_at_epoch::values_at_epoch(dir, *epoch),
            };
            epochs.iter().map(at).collect::<Vec<_>>()
        };
        let samples = dirs.iter().flat_map(of_run).collect();
        let _ = shared.messages.send(Message::ValuesRead(samples));
    }
}

/// Sends outcomes of a job as messages. One that nobody hears any more is the end of the program.
fn answer<O>(
    shared: &Shared,
    message: fn(O) -> Message,
) -> impl Fn(O) + Clone + Send + Sync + use<O> {
    let messages = shared.messages.clone();
    move |outcome| drop(messages.send(message(outcome)))
}

fn carry_out(shared: &Arc<Shared>, effect: Effect, progress: &Arc<Progress>) {
    // A message that nobody hears any more is the end of the program.
    let send = |message| drop(shared.messages.send(message));
    match effect {
        Effect::Discover => search(shared),
        Effect::LookIntoDatabases(folder) => look_into_databases(shared, &folder),
        Effect::Summarise(dirs) => summarise(shared, dirs),
        Effect::Read(dir) => {
            let reading = Box::new(read(shared, &dir));
            send(Message::RunRead(dir, reading));
        }
        Effect::Close(dir) => drop(lock(&shared.opened).remove(&dir)),
        Effect::Watch(folders) => lock(&shared.watcher).set(&folders),
        Effect::WatchThen(folders, then) => {
            lock(&shared.watcher).set(&folders);
            carry_out(shared, *then, progress);
        }
        Effect::AwaitEnd(dir) => await_end(shared, dir),
        Effect::Measure(dirs) => {
            let measured = dirs.into_iter().map(|dir| {
                let bytes = size::on_disk(dir.path());
                (dir, bytes)
            });
            send(Message::SizesMeasured(measured.collect()));
        }
        Effect::FindZone => send(Message::ZoneFound(TimeZone::system())),
        Effect::ListRecipes => send(Message::RecipesListed(jobs::form::choices())),
        Effect::ReadRecipe(dir) => {
            let (config, _) = traintop_config::load();
            let choice = Choice::of_run(&dir, &config.launchers);
            send(Message::RecipeRead(Box::new(choice)));
        }
        Effect::Launch(request) => match launch::start(&request) {
            Ok(started) => {
                let dir = started.dir.clone();
                wait_for(started);
                send(Message::Launched(Ok(dir)));
            }
            Err(error) => send(Message::Launched(Err(error.to_string()))),
        },
        Effect::Form(job) => jobs::form::carry_out(job, answer(shared, Message::FormDone)),
        Effect::Stop(dir) => send(Message::StopAsked(
            launch::stop(&dir)
                .map(|done| done.to_string())
                .map_err(|error| error.to_string()),
        )),
        Effect::Steer(job) => send(Message::Steered(jobs::steering::carry_out(job))),
        Effect::StopAll(dirs) => send(Message::StopAsked(stop_all(&dirs))),
        Effect::LoadMarks => send(Message::MarksLoaded(marks::load(&shared.roots))),
        Effect::SaveMarks(_) => save_marks(shared),
        Effect::Alert(job) => {
            jobs::alerts::carry_out(job, &shared.courses, answer(shared, Message::Alert));
        }
        Effect::Compare(job) => jobs::compare::carry_out(job, answer(shared, Message::Compared)),
        Effect::Remember(_) => save_table(shared),
        Effect::ValuesAtEpoch(epochs, dirs) => sample_all(shared, &epochs, &dirs),
        Effect::Evaluate(job) => {
            jobs::evaluations::carry_out(job, answer(shared, Message::Evaluation))
        }
        Effect::TransformCharts(job) => {
            send(Message::ChartsTransformed(jobs::charts::carry_out(job)));
        }
        Effect::LoadCharts => send(Message::ChartsLoaded(chart_settings::load())),
        Effect::SaveCharts(options) => {
            if let Err(error) = chart_settings::save(options) {
                let text = format!("the charts' settings are not kept: {error}");
                send(Message::Noticed(Notice::bad(text)));
            }
        }
        Effect::Export(job) => {
            send(Message::Noticed(jobs::export::carry_out(job, progress)));
        }
        Effect::Edit(job) => send(Message::Edited(jobs::edits::carry_out(
            &shared.roots,
            job,
            progress,
        ))),
        Effect::Clean(job) => jobs::cleanup::carry_out(job, &shared.roots, progress, &|outcome| {
            send(Message::Cleaned(outcome));
        }),
        Effect::SaveTheme(name) => {
            if let Err(problem) = (shared.save_theme)(&name) {
                send(Message::Noticed(Notice::bad(problem)));
            }
        }
        Effect::JudgeBy { run, metric } => send(judge_by(shared, &run, &metric)),
        Effect::FlushCache => flush(shared),
        // The loop's own, or the usage sampler's.
        Effect::CancelJobs
        | Effect::Suspend
        | Effect::TakeTerminal
        | Effect::Quit
        | Effect::Copy(_)
        | Effect::Ring(_)
        | Effect::SampleUsage(_) => {}
    }
}

/// Searches the roots. They are watched from its end on, since that takes a while at first; if they
/// changed meanwhile, it does so again.
fn search(shared: &Shared) {
    let changed = || -> Vec<Option<SystemTime>> {
        standing(&shared.roots)
            .map(|folder| fs::metadata(folder).and_then(|metadata| metadata.modified()))
            .map(Result::ok)
            .collect()
    };
    let before = changed();
    search_once(shared);
    lock(&shared.watcher).add(&standing(&shared.roots).collect());
    if changed() != before {
        search_once(shared);
    }
}

/// What is found is handed over a few at a time, so that the first screen does not wait for the
/// last folder.
fn search_once(shared: &Shared) {
    let _ = shared.messages.send(Message::SearchBegan);
    let mut dirs = Vec::new();
    let mut batch: Vec<(Found, Option<Summary>)> = Vec::new();
    let mut enough = FIRST_FOUND;
    let mut others = Vec::new();
    let each = |found: Found| {
        dirs.push(found.dir.clone());
        let summary = lock(&shared.cache).lookup(&found);
        batch.push((found, summary));
        if batch.len() == enough {
            enough *= 4;
            let _ = shared
                .messages
                .send(Message::RunsFound(std::mem::take(&mut batch)));
        }
    };
    let unsearched =
        discover_with_others(&shared.roots, each, |other| others.push(other.to_owned()));
    let _ = shared.messages.send(Message::RunsFound(batch));
    let problems = unsearched
        .iter()
        .filter(|problem| !problem.is_absent_default())
        .map(|problem| traintop_text::clean(&problem.to_string()).into_owned())
        .collect();
    let _ = shared.messages.send(Message::SearchEnded {
        dirs,
        fresh: fresh(&shared.roots, others),
        problems,
    });
}

/// Looks for runs in the databases of a folder, and everywhere if files or folders came or went
/// beside them: what is written into a file leaves its folder's time alone.
fn look_into_databases(shared: &Shared, folder: &Path) {
    let changed = fs::metadata(folder).and_then(|metadata| metadata.modified());
    let changed = changed.unwrap_or(SystemTime::UNIX_EPOCH);
    let before = lock(&shared.databases).insert(folder.to_owned(), changed);
    if before != Some(changed) {
        return search(shared);
    }
    let found = discover::in_databases(folder).into_iter();
    let found = found.map(|found| {
        let summary = lock(&shared.cache).lookup(&found);
        (found, summary)
    });
    let _ = shared.messages.send(Message::RunsFound(found.collect()));
}

/// Of folders that are no runs, and not watched anyway, those that changed of late, with their
/// `logs`: a trainer makes its folder first, and what makes a run of it moments or minutes later.
fn fresh(roots: &[PathBuf], others: Vec<PathBuf>) -> HashSet<PathBuf> {
    let watched: HashSet<_> = standing(roots)
        .filter_map(|folder| folder.canonicalize().ok())
        .collect();
    let changed_of_late = |folder: &PathBuf| {
        let changed = fs::metadata(folder).and_then(|metadata| metadata.modified());
        // A clock that is ahead of ours, as a file server's may be, means now.
        changed.is_ok_and(|changed| changed.elapsed().unwrap_or_default() < FRESH)
    };
    others
        .into_iter()
        .filter(|folder| !watched.contains(folder) && changed_of_late(folder))
        .take(MOST_FRESH)
        .flat_map(|folder| [folder.join("logs"), folder])
        .filter(|folder| folder.is_dir())
        .collect()
}

fn summarise(shared: &Arc<Shared>, dirs: Vec<RunDir>) {
    let mut batch = Vec::new();
    let (mut handed_over, mut every) = (Instant::now(), HAND_OVER);
    for dir in dirs {
        if !formats::is_there(&dir) {
            let _ = shared.messages.send(Message::RunGone(dir));
            continue;
        }
        let mut found = Found::look(dir.clone());
        let now = SystemTime::now();
        lock(&shared.looks).note(&mut found, now);
        let known = lock(&shared.active).remove(&dir);
        let mut summing = known.unwrap_or_else(|| Summing::begin(&found));
        let summary = lint::sum_up(&mut summing, &found, now);
        if summary.observed.state.is_active() {
            lock(&shared.active).insert(dir, summing);
        }
        if shared.jobs.keep(&summary) {
            let weak = Arc::downgrade(shared);
            jobs::slurm::follow(move |asks| {
                let Some(shared) = weak.upgrade() else {
                    return false;
                };
                let learnt = asks(&shared.jobs.all());
                if let Some(notice) = shared.jobs.hear(learnt.silence) {
                    let _ = shared.messages.send(Message::Noticed(notice));
                }
                if !learnt.changed.is_empty() {
                    summarise(&shared, learnt.changed);
                }
                true
            });
        }
        lock(&shared.cache).store(&found, &summary);
        batch.push((found, summary));
        if handed_over.elapsed() >= every {
            let _ = shared
                .messages
                .send(Message::Summarised(std::mem::take(&mut batch)));
            (handed_over, every) = (Instant::now(), LONGEST_HAND_OVER.min(2 * every));
        }
    }
    if !batch.is_empty() {
        let _ = shared.messages.send(Message::Summarised(batch));
    }
}

/// Judges the runs of a tree by a metric, or no longer.
fn judge_by(shared: &Arc<Shared>, run: &RunDir, metric: &str) -> Message {
    let root = jobs::judge::root_of(&shared.roots, run);
    match jobs::judge::switch(&root, metric) {
        Ok(said) => {
            read_anew(shared, &root);
            Message::Judged(root, Notice::good(said))
        }
        Err(problem) => Message::Noticed(Notice::bad(problem)),
    }
}

/// Reads what is new of an opened run.
fn read(shared: &Shared, dir: &RunDir) -> Reading {
    let open = || Arc::new(Mutex::new(RunReader::open(dir.clone())));
    let follower = Arc::clone(lock(&shared.opened).entry(dir.clone()).or_insert_with(open));
    let now = SystemTime::now();
    let mut found = Found::look(dir.clone());
    lock(&shared.looks).note(&mut found, now);
    let silent_for = found.silent_for(now);
    lock(&follower).poll(silent_for > SILENCE)
}

/// Reads the opened runs below a root from their beginnings: what is said of them has changed.
fn read_anew(shared: &Shared, root: &Path) {
    let opened = lock(&shared.opened).clone();
    let below = opened
        .into_iter()
        .filter(|(dir, _)| dir.path().starts_with(root));
    for (dir, reader) in below {
        lock(&reader).begin_anew();
        let reading = Box::new(read(shared, &dir));
        drop(shared.messages.send(Message::RunRead(dir, reading)));
    }
}

/// A run that has only just begun is signed in a moment: that is waited for on a thread of its own.
fn await_end(shared: &Arc<Shared>, dir: RunDir) {
    let messages = shared.messages.clone();
    let wait = move || {
        let process = launch::signed(&dir).ok().flatten();
        if let Some(process) = process.filter(traintop_run::process::Process::is_here) {
            when_ended(process, move || {
                drop(messages.send(Message::ProcessEnded(dir)))
            });
        }
    };
    let started = thread::Builder::new()
        .name("process-signed".to_owned())
        .stack_size(256 * 1024)
        .spawn(wait);
    if let Err(error) = started {
        log::error!("the end of a run goes unseen: {error}");
    }
}

fn stop_all(dirs: &[RunDir]) -> Result<String, String> {
    let problems: Vec<_> = dirs
        .iter()
        .filter_map(|dir| launch::stop(dir).err())
        .collect();
    match problems.first() {
        None => Ok(format!("each of {} runs was asked to stop", dirs.len())),
        Some(first) => Err(format!(
            "{} of {} runs were asked to stop; {first}",
            dirs.len() - problems.len(),
            dirs.len()
        )),
    }
}
