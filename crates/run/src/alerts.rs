//! Which alerts were notified: the file `alerts` in the user's state folder, a JSON object a line,
//! the last at the end. The process that writes an alert there first notifies it, so that of
//! several dashboards, and over restarts, each is notified once.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::layout::RunDir;
use traintop_disk::read;
use traintop_disk::write::{lock, make_folders, open_append, replace_file};

const FILE: &str = "alerts";
/// Held by the process that changes the file.
const LOCK: &str = "alerts.lock";

/// Alerts are dropped after this many days, when the file has become large.
const KEPT_DAYS: i64 = 60;
/// The file is large from this many bytes on: some thousand alerts.
const LARGE: u64 = 1 << 20;

/// An alert about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What it is about: there is one alert of a kind about each.
    pub about: String,
    /// Which rule it is of.
    pub kind: String,
    pub dir: RunDir,
    /// What lists call the run.
    pub name: String,
    /// What is so, without the run's name.
    pub message: String,
    /// When it was seen.
    pub at: Timestamp,
}

impl Alert {
    fn key(&self) -> (&str, &str) {
        (&self.about, &self.kind)
    }
}

/// Alerts, by whether they were notified before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claimed {
    /// Not yet: the caller notifies them.
    pub new: Vec<Alert>,
    pub known: Vec<Alert>,
}

/// Takes over those of these alerts that were not notified yet.
///
/// # Errors
/// If the file cannot be read or written; then nothing is taken over.
pub fn claim(folder: &Path, alerts: &[Alert]) -> io::Result<Claimed> {
    make_folders(folder)?;
    let _lock = lock(&folder.join(LOCK))?;
    let known = load(folder)?;
    let mut claimed = Claimed::default();
    let mut taken: HashSet<(&str, &str)> = HashSet::new();
    for alert in alerts {
        match known.iter().find(|known| known.key() == alert.key()) {
            Some(known) => claimed.known.push(known.clone()),
            None if taken.insert(alert.key()) => claimed.new.push(alert.clone()),
            None => {}
        }
    }
    if !claimed.new.is_empty() {
        append(folder, &known, &claimed.new)?;
    }
    Ok(claimed)
}

/// All that were notified, the last at the end; lines that make no sense are skipped.
///
/// # Errors
/// If the file is there and cannot be read.
pub fn load(folder: &Path) -> io::Result<Vec<Alert>> {
    let text = match read::text(&folder.join(FILE), read::RECORD_LIMIT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let alerts = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    Ok(alerts.collect())
}

fn append(folder: &Path, known: &[Alert], new: &[Alert]) -> io::Result<()> {
    let path = folder.join(FILE);
    let mut text = String::new();
    for alert in new {
        text += &serde_json::to_string(alert)?;
        text.push('\n');
    }
    let length = fs::metadata(&path).map_or(0, |file| file.len());
    let Some(newest) = new
        .iter()
        .map(|alert| alert.at)
        .max()
        .filter(|_| length > LARGE)
    else {
        // A line that was cut off must not take this one with it.
        let begin = if length > 0 { "\n" } else { "" };
        let mut file = open_append(&path)?;
        return file.write_all(format!("{begin}{text}").as_bytes());
    };
    let oldest = newest - (KEPT_DAYS * 24).hours();
    let mut kept = String::new();
    for alert in known.iter().filter(|alert| alert.at >= oldest) {
        kept += &serde_json::to_string(alert)?;
        kept.push('\n');
    }
    replace_file(&path, (kept + &text).as_bytes())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use std::sync::Barrier;
    use std::thread;

    fn alert(about: &str, kind: &str, hours: i64) -> Alert {
        Alert {
            about: about.to_owned(),
            kind: kind.to_owned(),
            dir: RunDir::new("/runs/a"),
            name: about.to_owned(),
            message: format!("{kind}: it is so"),
            at: Timestamp::UNIX_EPOCH + hours.hours(),
        }
    }

    #[test]
    fn of_many_at_once_one_tells_each_alert() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("state");
        let begin = Barrier::new(8);
        let alerts: Vec<Alert> = (0..20)
            .map(|run| alert(&format!("r{run}"), "nan", 1))
            .collect();
        let claimed: Vec<Alert> = thread::scope(|scope| {
            let one = || {
                begin.wait();
                claim(&place, &alerts).unwrap().new
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            all.into_iter()
                .flat_map(|one| one.join().unwrap())
                .collect()
        });
        let mut claimed: Vec<String> = claimed.into_iter().map(|alert| alert.about).collect();
        claimed.sort();
        let mut expected: Vec<String> = alerts.into_iter().map(|alert| alert.about).collect();
        expected.sort();
        assert_eq!(claimed, expected);
    }

    #[test]
    fn each_kind_is_reported_once_about_a_run_and_a_cut_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        let twice = vec![
            alert("a", "nan", 1),
            alert("a", "nan", 2),
            alert("a", "late", 2),
        ];
        assert_eq!(claim(place, &twice).unwrap().new.len(), 2);
        let mut file = OpenOptions::new()
            .append(true)
            .open(place.join(FILE))
            .unwrap();
        file.write_all(b"{\"about\": \"b\", \"ki").unwrap();
        let claimed = claim(place, &[alert("a", "nan", 9), alert("b", "nan", 9)]).unwrap();
        assert_eq!(claimed.new, [alert("b", "nan", 9)]);
        assert_eq!(claimed.known, [alert("a", "nan", 1)]);
        assert_eq!(load(place).unwrap().len(), 3);
        assert!(
            claim(place, &[alert("b", "nan", 10)])
                .unwrap()
                .new
                .is_empty()
        );
    }

    #[test]
    fn old_ones_are_forgotten_when_the_file_is_large() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path();
        let line = serde_json::to_string(&alert("r0000", "nan", 1))
            .unwrap()
            .len() as u64
            + 1;
        let count = LARGE / line;
        let old: Vec<Alert> = (0..count)
            .map(|run| alert(&format!("r{run:04}"), "nan", 1))
            .collect();
        claim(place, &old).unwrap();
        // Just below the border all are kept.
        claim(place, &[alert("middle", "nan", 24 * 61)]).unwrap();
        assert_eq!(load(place).unwrap().len() as u64, count + 1);
        claim(place, &[alert("young", "nan", 24 * 50)]).unwrap();
        claim(place, &[alert("new", "nan", 24 * 61)]).unwrap();
        let left: Vec<String> = load(place)
            .unwrap()
            .into_iter()
            .map(|alert| alert.about)
            .collect();
        assert_eq!(left, ["middle", "young", "new"]);
    }
}
