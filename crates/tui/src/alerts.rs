//! What is known of alerts.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use traintop_config as config;
use traintop_run::RunDir;
use traintop_run::alerts::Alert;
use traintop_run::finding::Finding;

/// How many of the last are kept to be shown.
const SHOWN: usize = 200;

/// What is known of alerts.
#[derive(Debug)]
pub struct Alerts {
    /// Which alerts are shown, and how.
    pub config: config::Alerts,
    /// The last ones, the newest first.
    pub recent: Vec<Alert>,
    /// How many of them nobody has looked at.
    pub unseen: usize,
    /// What ended before this is left to the digest.
    pub since: Timestamp,
    /// What was asked for in this session, by what it is about and its kind.
    pub asked: HashSet<(String, String)>,
    /// The runs that were seen at work in this session.
    pub watched: HashSet<RunDir>,
    /// When runs are looked at again though nothing changed.
    pub due: HashMap<RunDir, Timestamp>,
    /// In which twentieth of its epochs each run was last weighed against earlier ones.
    pub weighed: HashMap<RunDir, u32>,
    /// The finding, where a run is hopeless.
    pub hopeless: HashMap<RunDir, Finding>,
    /// Whether it was shown that the user's command fails.
    pub has_failed: bool,
}

impl Alerts {
    /// None yet, of a dashboard that was opened at this time.
    pub fn new(since: Timestamp) -> Self {
        Self {
            config: config::Alerts::default(),
            recent: Vec::new(),
            unseen: 0,
            since,
            asked: HashSet::new(),
            watched: HashSet::new(),
            due: HashMap::new(),
            weighed: HashMap::new(),
            hopeless: HashMap::new(),
            has_failed: false,
        }
    }

    /// When a run is to be looked at again, if nothing happens before.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// Takes alerts into the list.
    pub fn list(&mut self, alerts: Vec<Alert>) {
        let is_new = |alert: &Alert| !self.recent.contains(alert);
        let new: Vec<Alert> = alerts.into_iter().filter(is_new).collect();
        self.recent.extend(new);
        self.recent.sort_by_key(|alert| std::cmp::Reverse(alert.at));
        self.recent.truncate(SHOWN);
    }
}
