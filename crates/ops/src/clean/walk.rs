//! One walk through the folder of a run: its weights, its temporary files, what it takes on the
//! disk, and what forbids that it goes as a whole. Nothing is opened; only
//! [`Walked::keep_pointed_at`] reads small files that say which checkpoint is the best or the last.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::contents::{self, Known, MAX_BYTES};
use super::obstacle::Obstacle;
use super::pointers::{Named, is_pointer, is_state};
use super::survey::{Role, Weights};
use super::weights::{LAST, is_weights_name};
use traintop_disk::FileStat;
use traintop_disk::write::is_temporary;
use traintop_run::formats::{self, Listing};
use traintop_run::size::Taken;
use traintop_run::{RunDir, checkpoints};

/// A temporary file unchanged for this long is abandoned.
const STALE: Duration = Duration::from_secs(3600);
/// What files of weights and of a trainer's state in the folder of a checkpoint end in. Archives
/// and arrays may be what somebody made of it.
const STATES: [&str; 9] = [
    ".safetensors",
    ".safetensors.index.json",
    ".bin",
    ".bin.index.json",
    ".pt",
    ".pth",
    ".distcp",
    ".ckpt",
    ".model",
];

/// What trainers write beside weights into the folder of a checkpoint. A folder with anything else
/// in it stays.
const COMPANIONS: [&str; 26] = [
    // Hugging Face, PEFT, LLaMA-Factory
    "config.json",
    "generation_config.json",
    "adapter_config.json",
    "trainer_state.json",
    "trainer_log.jsonl",
    "README.md",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "image_processor_config.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    // DeepSpeed
    "latest",
    "zero_to_fp32.py",
    "ds_config.json",
    // FSDP, accelerate
    ".metadata",
];

/// A temporary file of no known name is nothing if it is no larger than this, in bytes.
const SMALL_LEFTOVER: u64 = 4096;

#[derive(Debug, Clone, PartialEq)]
pub struct WalkedFile {
    /// Below the run's folder.
    pub below: PathBuf,
    pub stat: FileStat,
    taken: Taken,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TemporaryFile {
    pub path: PathBuf,
    pub taken: Taken,
    pub stat: FileStat,
}

/// What a walk has found.
#[derive(Default)]
pub struct Walked {
    pub weights: Vec<Weights>,
    pub temporary: Vec<TemporaryFile>,
    pub sizes: Sizes,
    /// The worst that forbids that the folder goes as a whole, as far as that is known without
    /// opening anything. Once it is a project, nothing else is checked.
    pub obstacle: Option<Obstacle>,
    /// Files that may be worth nothing, below the run's folder.
    pub known: Vec<(PathBuf, Known)>,
    /// Links, below the run's folder.
    links: Vec<PathBuf>,
    /// Every file, below the run's folder.
    pub files: Vec<WalkedFile>,
    /// Every folder in it.
    folders: Vec<(PathBuf, FileStat)>,
    /// How many things in it are neither, or cannot be read.
    odd: usize,
    /// When anything in it last changed; `None` if that is unknown.
    pub newest: Option<SystemTime>,
    /// Changes if anything in it does.
    pub fingerprint: u64,
}

/// Sizes, those of files with one name taken together.
#[derive(Debug, Default)]
pub struct Sizes {
    plain: u64,
    linked: Vec<Taken>,
}

impl Sizes {
    fn add(&mut self, taken: Taken) {
        if taken.linked.is_none() {
            self.plain += taken.bytes;
        } else {
            self.linked.push(taken);
        }
    }

    /// What all of it takes.
    pub fn compact(self) -> Vec<Taken> {
        let mut taken = vec![Taken::plain(self.plain)];
        taken.extend(self.linked);
        taken
    }
}

/// Walks through a run's folder; links are not followed.
pub fn walk(run: &Path, now: SystemTime) -> Walked {
    let mut walked = Walked {
        newest: Some(SystemTime::UNIX_EPOCH),
        ..Walked::default()
    };
    match fs::symlink_metadata(run) {
        Ok(metadata) => walked.note(&metadata, Path::new("")),
        Err(_) => walked.forbid(Obstacle::Unread(PathBuf::new())),
    }
    walked.folder(run, Path::new(""), now);
    walked
}

impl Walked {
    fn is_project(&self) -> bool {
        self.obstacle.as_ref().is_some_and(Obstacle::is_project)
    }

    /// The first obstacle counts, unless a later one makes the folder a project.
    fn forbid(&mut self, obstacle: Obstacle) {
        if self.obstacle.is_none() || (obstacle.is_project() && !self.is_project()) {
            self.obstacle = Some(obstacle);
        }
    }

    /// No rule may name the weights that a link of the run, or a file in it, points at. A walk that
    /// only detects changes does not need them.
    pub fn keep_pointed_at(&mut self, run: &Path) {
        self.keep_targets(run);
        self.keep_named(run);
    }

    /// Weights that a file of the run names, such as `last_checkpoint`. Only periodic checkpoints
    /// are in danger.
    fn keep_named(&mut self, run: &Path) {
        if !self
            .weights
            .iter()
            .any(|weights| weights.role.is_periodic())
        {
            return;
        }
        let files = self.files.iter();
        let pointers = files.filter(|file| {
            let name = file.below.file_name().and_then(OsStr::to_str);
            name.is_some_and(is_pointer)
        });
        let (states, pointers): (Vec<_>, Vec<_>) = pointers.partition(|file| is_state(&file.below));
        // Each checkpoint holds a state that names the best until then: only the last one counts.
        // Times alone say little: a tree that was copied has them in any order.
        let step = |file: &&&WalkedFile| {
            let folder = file.below.parent().and_then(Path::file_name);
            let step = checkpoints::step_of_folder(folder?.to_str()?);
            step.map(|(step, _)| step)
        };
        let newest = states.iter().max_by_key(|file| file.stat.modified_ns);
        let highest = states.iter().max_by_key(step);
        let top = states.iter().find(|file| step(file).is_none());
        let last = [newest, highest, top].into_iter().flatten().copied();
        let pointers = pointers.into_iter().chain(last);
        let named = Named::read(run, pointers.map(|file| file.below.as_path()));
        for weights in &mut self.weights {
            let below = weights.path.strip_prefix(run);
            weights.is_named |= below.is_ok_and(|below| named.holds(below));
        }
    }

    /// Weights that a link of the run leads to are worth what its name says, such as `best.pth`.
    fn keep_targets(&mut self, run: &Path) {
        let targets: Vec<PathBuf> = self
            .links
            .iter()
            .filter_map(|link| run.join(link).canonicalize().ok())
            .collect();
        if targets.is_empty() {
            return;
        }
        for weights in &mut self.weights {
            let path = weights.path.canonicalize();
            // A link may lead into the folder of a checkpoint.
            let leads_to = |path: PathBuf| targets.iter().any(|target| target.starts_with(&path));
            weights.is_named |= path.is_ok_and(leads_to);
        }
    }

    fn note(&mut self, metadata: &Metadata, below: &Path) {
        self.sizes.add(Taken::of(metadata));
        let newest = self.newest.zip(metadata.modified().ok());
        self.newest = newest.map(|(newest, modified)| newest.max(modified));
        // A sum, so that the order in which the system lists a folder does not count.
        let stat = FileStat::of(metadata);
        let mut hasher = DefaultHasher::new();
        below.as_os_str().as_bytes().hash(&mut hasher);
        (stat.inode, stat.length, stat.modified_ns).hash(&mut hasher);
        self.fingerprint = self.fingerprint.wrapping_add(hasher.finish());
    }

    fn folder(&mut self, run: &Path, below: &Path, now: SystemTime) {
        let entries = fs::read_dir(run.join(below)).and_then(Iterator::collect);
        let entries: Vec<DirEntry> = match entries {
            Ok(entries) => entries,
            Err(_) => return self.forbid_odd(Obstacle::Unread(below.to_owned())),
        };
        let is_own = below == Path::new("") || below == Path::new("logs");
        let has = |wanted: fn(&str) -> bool| {
            entries
                .iter()
                .any(|entry| wanted(&entry.file_name().to_string_lossy()))
        };
        for entry in &entries {
            let name = entry.file_name();
            self.forbid_by_name(run, &below.join(name), is_own);
        }
        if self.is_project() {
            return;
        }
        // Weights beside metrics of their own are another training's.
        let is_other = || has(contents::is_metrics) || is_run(run.join(below), &entries);
        let may_own = below.components().count() <= 1 && (is_own || !is_other());
        for entry in entries {
            let below = below.join(entry.file_name());
            let Ok(metadata) = entry.metadata() else {
                self.forbid_odd(Obstacle::Unread(below));
                continue;
            };
            self.note(&metadata, &below);
            if metadata.is_dir() {
                let before = self.seen_so_far();
                self.folders.push((below.clone(), FileStat::of(&metadata)));
                self.folder(run, &below, now);
                if self.is_project() {
                    return;
                }
                if may_own {
                    self.checkpoint_folder(run, &below, &before);
                }
            } else if metadata.is_file() {
                self.file(&entry, below, &metadata, may_own, now);
            } else {
                if metadata.is_symlink() {
                    self.links.push(below.clone());
                }
                self.forbid_odd(Obstacle::Special(below));
            }
        }
    }

    fn forbid_odd(&mut self, obstacle: Obstacle) {
        self.odd += 1;
        self.forbid(obstacle);
    }

    fn seen_so_far(&self) -> Seen {
        Seen {
            files: self.files.len(),
            folders: self.folders.len(),
            weights: self.weights.len(),
            odd: self.odd,
        }
    }

    /// Takes a folder, which was just walked through, as one file of weights if its name says that
    /// it is a checkpoint. If it holds anything else, no rule may name it.
    fn checkpoint_folder(&mut self, run: &Path, below: &Path, before: &Seen) {
        let name = below.file_name().unwrap_or_default().to_string_lossy();
        let Some((step, number)) = checkpoints::step_of_folder(&name) else {
            return;
        };
        let files = &self.files[before.files..];
        let names = || {
            files
                .iter()
                .filter_map(|file| file.below.file_name()?.to_str())
        };
        if !names().any(is_weights_name) {
            return;
        }
        // Ray and accelerate count their checkpoints: `checkpoint_000004`, `checkpoint_4`.
        let is_step = !name[number].starts_with('0') && !name.starts_with("checkpoint_");
        let is_plain = self.odd == before.odd && names().count() == files.len();
        let is_known = names().all(|name| {
            COMPANIONS.contains(&name) || STATES.iter().any(|ending| name.ends_with(ending))
        });
        let role = if is_step && is_plain && is_known {
            Role::Step(step)
        } else {
            Role::Other
        };
        let folders = self.folders[before.folders..].iter();
        let folders = folders.map(|(below, stat)| (run.join(below), *stat));
        let stats = folders.chain(files.iter().map(|file| (run.join(&file.below), file.stat)));
        let checkpoint = Weights {
            taken: files.iter().map(|file| file.taken).collect(),
            stats: stats.collect(),
            ..Weights::new(run.join(below), role)
        };
        self.weights.truncate(before.weights);
        self.weights.push(checkpoint);
    }

    fn forbid_by_name(&mut self, run: &Path, below: &Path, is_own: bool) {
        let name = below.file_name().unwrap_or_default().to_string_lossy();
        let in_logs = below.parent().is_some_and(|it| it.ends_with("logs"));
        let is_record =
            matches!(&*name, "run.json" | "metrics.csv") || (name == "config.json" && in_logs);
        let below = below.to_owned();
        if contents::is_version_control(&name) {
            self.forbid(Obstacle::VersionControl(below));
        } else if is_record && !is_own && !is_read(run, &below) {
            self.forbid(Obstacle::RunBelow(below));
        } else if contents::is_source(&name) {
            self.forbid(Obstacle::Source(below));
        }
    }

    fn file(
        &mut self,
        entry: &DirEntry,
        below: PathBuf,
        metadata: &Metadata,
        may_own: bool,
        now: SystemTime,
    ) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let (taken, stat) = (Taken::of(metadata), FileStat::of(metadata));
        self.files.push(WalkedFile {
            below: below.clone(),
            stat,
            taken,
        });
        if is_temporary(&name) {
            let modified = metadata.modified().ok();
            let age = modified.and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > STALE) {
                let path = entry.path();
                self.temporary.push(TemporaryFile { path, taken, stat });
            }
        } else if let Some(role) = role(&name).filter(|_| may_own) {
            self.weights.push(Weights {
                taken: vec![taken],
                stats: vec![(entry.path(), stat)],
                ..Weights::new(entry.path(), role)
            });
        }
        let is_large = metadata.len() > SMALL_LEFTOVER;
        match contents::known(&below) {
            Some(Known::Temporary) if is_large && !contents::is_leftover(&below) => {
                self.forbid(Obstacle::Unknown(below));
            }
            _ if is_weights_name(&name) => self.forbid(Obstacle::Weights(below)),
            _ if metadata.len() > MAX_BYTES => self.forbid(Obstacle::Large(below)),
            Some(known) => self.known.push((below, known)),
            None => self.forbid(Obstacle::Unknown(below)),
        }
    }
}

/// Whether a file is the metrics of the run itself, which may lie in a folder below:
/// `csv/version_0/metrics.csv`.
fn is_read(run: &Path, below: &Path) -> bool {
    let located = formats::locate(&RunDir::new(run));
    located.is_some_and(|located| located.metrics().contains(&run.join(below)))
}

/// Whether a folder is a run by itself.
pub(super) fn is_run(path: PathBuf, entries: &[DirEntry]) -> bool {
    let mut listing = Listing {
        path,
        ..Listing::default()
    };
    for entry in entries {
        // A link counts as what it leads to.
        let is_folder = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            kind => kind.is_ok_and(|kind| kind.is_dir()),
        };
        listing.add(entry.file_name().to_string_lossy().into_owned(), is_folder);
    }
    formats::recognise(&listing).is_some()
}

/// How much a walk had found.
struct Seen {
    files: usize,
    folders: usize,
    weights: usize,
    odd: usize,
}

/// The part that a file plays, by its name; `None` if no rule may name it.
fn role(name: &str) -> Option<Role> {
    let stem = checkpoints::without_ending(name)?;
    // Archives may be anything. Those of Stable-Baselines3 say how many steps were done.
    let is_archive = [".zip", ".tar"].contains(&&name[stem.len()..]);
    if is_archive && !stem.ends_with("_steps") {
        return None;
    }
    let lower = stem.to_ascii_lowercase();
    if lower.contains("best") {
        return Some(Role::Best);
    }
    if LAST.iter().any(|word| lower.contains(word)) {
        return Some(Role::Last);
    }
    let of_epoch = checkpoints::epoch_in(stem).map(|(epoch, _)| Role::Epoch(epoch));
    let of_step = || checkpoints::step_in(stem).map(|(step, _)| Role::Step(step));
    Some(of_epoch.or_else(of_step).unwrap_or(Role::Other))
}

/// The position of the number of an epoch, or else of a step, in the name of a file or folder.
fn place_in_name(name: &str) -> Option<Range<usize>> {
    let Some(stem) = checkpoints::without_ending(name) else {
        return checkpoints::step_of_folder(name).map(|(_, at)| at);
    };
    let epoch = checkpoints::epoch_in(stem).map(|(_, at)| at);
    epoch.or_else(|| checkpoints::step_in(stem).map(|(_, at)| at))
}

/// What checkpoints of one network of a run have in common: folder and name without the epoch or
/// step, and without steps and values behind it. Checkpoints of a generator and of a discriminator,
/// or of two folds, are two series, each with a best and a last.
pub fn series(path: &Path) -> (PathBuf, String) {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let Some(number) = place_in_name(&name) else {
        return (folder, name);
    };
    let mut key = format!("{}#", &name[..number.start]);
    let mut rest = &name[number.end..];
    while let Some(start) = rest.find(|char: char| char.is_ascii_digit()) {
        let digits = &rest[start..];
        let length = digits
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .count();
        let value = digits[..length].trim_end_matches('.');
        let before = rest[..start].trim_end_matches(['_', '=', '-']);
        key.push_str(&rest[..start]);
        let is_measured =
            value.contains('.') || before.ends_with("step") || before.ends_with("iter");
        key.push_str(if is_measured { "#" } else { value });
        rest = &rest[start + value.len()..];
    }
    key.push_str(rest);
    (folder, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_recognised_by_names() {
        for (name, expected) in [
            ("best.safetensors", Some(Role::Best)),
            ("epoch=3-best.ckpt", Some(Role::Best)),
            ("model_final.pth", Some(Role::Last)),
            ("epoch_40.safetensors", Some(Role::Epoch(40))),
            ("epoch=03-step=400.ckpt", Some(Role::Epoch(3))),
            ("model.pt", Some(Role::Other)),
            ("epoch_.pt", Some(Role::Other)),
            ("epoch_99999999999.pt", Some(Role::Other)),
            ("policy.zip", None),
            ("replay_buffer_1000_steps.zip", Some(Role::Step(1000))),
            ("epoch_3.tar", None),
            ("checkpoint-12.pth.tar", Some(Role::Epoch(12))),
            ("epoch_3.h5", Some(Role::Epoch(3))),
            ("iter_4000.pth", Some(Role::Step(4000))),
        ] {
            assert_eq!(role(name), expected, "{name}");
        }
    }

    #[test]
    fn checkpoints_of_different_networks_are_different_series() {
        let key = |path: &str| series(Path::new(path));
        for (a, b) in [
            ("c/epoch_1.pt", "c/epoch_20.pt"),
            ("epoch=1-step=400.ckpt", "epoch=12-step=4800.ckpt"),
            ("epoch=01-val_loss=0.25.ckpt", "epoch=02-val_loss=1.5.ckpt"),
            ("fold1_epoch_3.pt", "fold1_epoch_4.pt"),
            ("checkpoint-500", "checkpoint-1000"),
            ("ppo_500_steps.zip", "ppo_1000_steps.zip"),
            ("iter_4000.pth", "iter_8000.pth"),
        ] {
            assert_eq!(key(a), key(b));
        }
        for (a, b) in [
            ("a/epoch_1.pt", "b/epoch_1.pt"),
            ("generator_epoch_1.pth", "discriminator_epoch_1.pth"),
            ("fold1_epoch_3.pt", "fold2_epoch_3.pt"),
            ("epoch_3_fold_1.pt", "epoch_3_fold_2.pt"),
            ("epoch_3.pt", "epoch_3.ckpt"),
            ("checkpoint-500", "global_step500"),
        ] {
            assert_ne!(key(a), key(b));
        }
    }
}
