//! Makes a plan from what is on the disk: decides, looks for duplicates among what would stay, and decides again.

use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;

use super::plan::Plan;
use super::policy::Policy;
use super::survey::{Survey, survey};
use super::twins::{self, Twins};
use crate::run::discover::Found;

/// Surveys these runs and makes a plan. `each` hears how many are surveyed.
pub fn make(found: &[Found], policy: Policy, now: SystemTime, each: impl Fn(usize) + Sync) -> Plan {
    remake(&Arc::new(survey(found, now, each)), policy, now)
}

/// A plan without a look at the disk, and so without duplicates.
#[cfg(test)]
pub fn plan_of(survey: &Arc<Survey>, policy: Policy, now: Timestamp) -> Plan {
    Plan::new(survey, policy, &Twins::default(), now)
}

/// Makes another plan from what is surveyed already.
pub fn remake(survey: &Arc<Survey>, policy: Policy, now: SystemTime) -> Plan {
    let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut first = Plan::decide(survey, policy.clone(), &Twins::default(), now);
    let mut twins = Twins::default();
    // Protected runs are never the ones to go, but may be those that stay.
    twins.runs = twins::runs(survey, |run| first.protection(run).is_some());
    twins.files = twins::files(first.staying());
    if twins.runs.is_empty() && twins.files.is_empty() {
        first.sort();
        return first;
    }
    Plan::new(survey, policy, &twins, now)
}
