//! One walk through the folder of a run: its weights, its temporary files, what it takes on the
//! disk, and what forbids that it goes as a whole. Nothing is opened; only
//! [`Walked::keep_pointed_at`] reads small files that say which checkpoint is the best or the last.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::contents::{self, Known, LARGEST};
use super::obstacle::Obstacle;
use super::pointers::{Named, is_pointer};
use super::survey::{Role, Weights};
use super::weights::{LAST, is_weights_name};
use traintop_disk::Look;
use traintop_disk::write::is_temporary;
use traintop_run::size::Taken;

/// A temporary file that has not changed for so long belongs to nobody.
const STALE: Duration = Duration::from_secs(3600);
/// What the names of weights that a retention rule may name end in.
const RETAINED: [&str; 4] = ["safetensors", "pth", "pt", "ckpt"];

/// A temporary file of no known name is nothing if it is no larger than this, in bytes.
const SMALL_LEFTOVER: u64 = 4096;

#[derive(Debug, Clone, PartialEq)]
pub struct TemporaryFile {
    pub path: PathBuf,
    pub taken: Taken,
    pub look: Look,
}

/// What a walk has found.
#[derive(Default)]
pub struct Walked {
    pub weights: Vec<Weights>,
    pub temporary: Vec<TemporaryFile>,
    pub sizes: Sizes,
    /// The worst that forbids that the folder goes as a whole, as far as that is known without
    /// opening anything. Once it is a project, nothing else is looked at.
    pub obstacle: Option<Obstacle>,
    /// Files that may be worth nothing, below the run's folder.
    pub known: Vec<(PathBuf, Known)>,
    /// Links, below the run's folder.
    links: Vec<PathBuf>,
    /// Every file, below the run's folder.
    pub files: Vec<(PathBuf, Look)>,
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
    /// only looks whether something has changed need not know them.
    pub fn keep_pointed_at(&mut self, run: &Path) {
        self.keep_targets(run);
        self.keep_named(run);
    }

    /// Weights that a file of the run names, such as `last_checkpoint`. Only checkpoints of epochs
    /// are in danger.
    fn keep_named(&mut self, run: &Path) {
        let is_of_epoch = |weights: &Weights| matches!(weights.role, Role::Epoch(_));
        if !self.weights.iter().any(is_of_epoch) {
            return;
        }
        let files = self.files.iter().map(|(below, _)| below.as_path());
        let pointers = files.filter(|below| {
            let name = below.file_name().and_then(OsStr::to_str);
            name.is_some_and(is_pointer)
        });
        let named = Named::read(run, pointers);
        for weights in &mut self.weights {
            let below = weights.path.strip_prefix(run);
            if below.is_ok_and(|below| named.holds(below)) {
                weights.role = Role::Other;
            }
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
            if path.is_ok_and(|path| targets.contains(&path)) {
                weights.role = Role::Other;
            }
        }
    }

    fn note(&mut self, metadata: &Metadata, below: &Path) {
        self.sizes.add(Taken::of(metadata));
        let newest = self.newest.zip(metadata.modified().ok());
        self.newest = newest.map(|(newest, modified)| newest.max(modified));
        // A sum, so that the order in which the system lists a folder does not count.
        let look = Look::of(metadata);
        let mut hasher = DefaultHasher::new();
        below.as_os_str().as_bytes().hash(&mut hasher);
        (look.inode, look.length, look.modified_ns).hash(&mut hasher);
        self.fingerprint = self.fingerprint.wrapping_add(hasher.finish());
    }

    fn folder(&mut self, run: &Path, below: &Path, now: SystemTime) {
        let entries = fs::read_dir(run.join(below)).and_then(Iterator::collect);
        let entries: Vec<DirEntry> = match entries {
            Ok(entries) => entries,
            Err(_) => return self.forbid(Obstacle::Unread(below.to_owned())),
        };
        let is_own = below == Path::new("") || below == Path::new("logs");
        let has = |wanted: fn(&str) -> bool| {
            entries
                .iter()
                .any(|entry| wanted(&entry.file_name().to_string_lossy()))
        };
        for entry in &entries {
            let name = entry.file_name();
            self.forbid_by_name(&name, below, is_own);
        }
        if self.is_project() {
            return;
        }
        // Weights beside metrics of their own are another training's.
        let may_own = below.components().count() <= 1 && (is_own || !has(contents::is_metrics));
        for entry in entries {
            let below = below.join(entry.file_name());
            let Ok(metadata) = entry.metadata() else {
                self.forbid(Obstacle::Unread(below));
                continue;
            };
            self.note(&metadata, &below);
            if metadata.is_dir() {
                self.folder(run, &below, now);
                if self.is_project() {
                    return;
                }
            } else if metadata.is_file() {
                self.file(&entry, below, &metadata, may_own, now);
            } else {
                if metadata.is_symlink() {
                    self.links.push(below.clone());
                }
                self.forbid(Obstacle::Special(below));
            }
        }
    }

    fn forbid_by_name(&mut self, name: &OsStr, folder: &Path, is_own: bool) {
        let below = folder.join(name);
        let name = name.to_string_lossy();
        let is_record = matches!(&*name, "run.json" | "metrics.csv")
            || (name == "config.json" && folder.ends_with("logs"));
        if contents::is_version_control(&name) {
            self.forbid(Obstacle::VersionControl(below));
        } else if is_record && !is_own {
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
        let (taken, look) = (Taken::of(metadata), Look::of(metadata));
        self.files.push((below.clone(), look));
        if is_temporary(&name) {
            let modified = metadata.modified().ok();
            let age = modified.and_then(|modified| now.duration_since(modified).ok());
            if age.is_some_and(|age| age > STALE) {
                let path = entry.path();
                self.temporary.push(TemporaryFile { path, taken, look });
            }
        } else if let Some(role) = role(&name).filter(|_| may_own) {
            self.weights.push(Weights {
                path: entry.path(),
                role,
                taken,
                look,
                score: None,
                score_beside: [None; 2],
                optimiser_bytes: 0,
            });
        }
        let is_large = metadata.len() > SMALL_LEFTOVER;
        match contents::known(&below) {
            Some(Known::Temporary) if is_large && !contents::is_leftover(&below) => {
                self.forbid(Obstacle::Unknown(below));
            }
            _ if is_weights_name(&name) => self.forbid(Obstacle::Weights(below)),
            _ if metadata.len() > LARGEST => self.forbid(Obstacle::Large(below)),
            Some(known) => self.known.push((below, known)),
            None => self.forbid(Obstacle::Unknown(below)),
        }
    }
}

/// The part that a file plays, by its name; `None` if no rule may name it.
fn role(name: &str) -> Option<Role> {
    let (stem, extension) = name.rsplit_once('.')?;
    if !RETAINED.contains(&extension) {
        return None;
    }
    let stem = stem.to_ascii_lowercase();
    if stem.contains("best") {
        return Some(Role::Best);
    }
    if LAST.iter().any(|word| stem.contains(word)) {
        return Some(Role::Last);
    }
    let epoch = number_after_epoch(&stem).and_then(|range| stem[range].parse().ok());
    Some(epoch.map_or(Role::Other, Role::Epoch))
}

/// Where the number of an epoch stands in a name in lower case.
fn number_after_epoch(stem: &str) -> Option<std::ops::Range<usize>> {
    let word = stem.find("epoch")? + "epoch".len();
    let rest = &stem[word..];
    let start = word + rest.len() - rest.trim_start_matches(['_', '=', '-']).len();
    let digits = stem[start..].bytes().take_while(u8::is_ascii_digit);
    let end = start + digits.count();
    (end > start).then_some(start..end)
}

/// What checkpoints of one network of a run have in common: folder and name without the epoch, and
/// without steps and values behind it. Checkpoints of a generator and of a discriminator, or of two
/// folds, are two series, each with a best and a last.
pub fn series(path: &Path) -> (PathBuf, String) {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let Some(number) = number_after_epoch(&name) else {
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
            ("epoch_3.h5", None),
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
        ] {
            assert_eq!(key(a), key(b));
        }
        for (a, b) in [
            ("a/epoch_1.pt", "b/epoch_1.pt"),
            ("generator_epoch_1.pth", "discriminator_epoch_1.pth"),
            ("fold1_epoch_3.pt", "fold2_epoch_3.pt"),
            ("epoch_3_fold_1.pt", "epoch_3_fold_2.pt"),
            ("epoch_3.pt", "epoch_3.ckpt"),
        ] {
            assert_ne!(key(a), key(b));
        }
    }
}
