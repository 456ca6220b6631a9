//! Makes a plan from what is on the disk: decides, finds duplicates among what would stay, and
//! decides again.

use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;

use super::duplicates::{self, Duplicates};
use super::plan::Plan;
use super::policy::Policy;
use super::survey::{Survey, survey};
use traintop_run::found::Found;

/// Surveys these runs and makes a plan. `each` gets the number of surveyed runs.
pub fn make(found: &[Found], policy: Policy, now: SystemTime, each: impl Fn(usize) + Sync) -> Plan {
    let keeps_going = |count| {
        each(count);
        true
    };
    let survey = survey(found, now, keeps_going).unwrap_or_default();
    remake(&Arc::new(survey), policy, now)
}

/// As [`make`], but `each` also answers whether to continue; else there is no plan.
pub fn make_while(
    found: &[Found],
    policy: Policy,
    now: SystemTime,
    each: impl Fn(usize) -> bool + Sync,
) -> Option<Plan> {
    let survey = Arc::new(survey(found, now, each)?);
    Some(remake(&survey, policy, now))
}

/// A plan without disk access, and so without duplicates.
#[cfg(any(test, feature = "testing"))]
pub fn plan_of(survey: &Arc<Survey>, policy: Policy, now: Timestamp) -> Plan {
    Plan::new(survey, policy, &Duplicates::default(), now)
}

/// Makes another plan from what is surveyed already.
pub fn remake(survey: &Arc<Survey>, policy: Policy, now: SystemTime) -> Plan {
    let now = Timestamp::try_from(now).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut first = Plan::decide(survey, policy.clone(), &Duplicates::default(), now);
    let duplicates = Duplicates {
        // Protected runs are never the ones to go, but may be those that stay.
        runs: duplicates::runs(survey, |run| first.protection(run).is_some()),
        files: duplicates::files(first.staying()),
    };
    if duplicates.runs.is_empty() && duplicates.files.is_empty() {
        first.sort();
        return first;
    }
    Plan::new(survey, policy, &duplicates, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use traintop_run::RunDir;

    #[test]
    fn a_survey_that_is_cancelled_makes_no_plan() {
        let place = tempfile::tempdir().unwrap();
        let found: Vec<_> = (0..9)
            .map(|number| Found::look(RunDir::new(place.path().join(number.to_string()))))
            .collect();
        let make = |each: &(dyn Fn(usize) -> bool + Sync)| {
            make_while(&found, Policy::default(), SystemTime::now(), each)
        };
        assert!(make(&|count| count < 3).is_none());
        assert!(make(&|_| true).is_some());
    }
}
