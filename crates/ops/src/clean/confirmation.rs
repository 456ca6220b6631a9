//! The text of the confirmation of a plan: every whole run that would be removed, by name, with its
//! size and best value.

use super::candidate::Candidate;
use super::plan::Plan;
use traintop_text as text;

/// Limit of runs that are named; the others are counted.
const NAMED: usize = 10;

impl Plan {
    /// A line for each whole run that would be removed: the first ten and the number of the others;
    /// empty if there are none.
    pub fn whole_runs(&self) -> Vec<String> {
        let whole = |candidate: &&Candidate| candidate.is_in && candidate.is_whole;
        let all: Vec<&Candidate> = self.candidates.iter().filter(whole).collect();
        let mut lines: Vec<String> = all
            .iter()
            .take(NAMED)
            .map(|candidate| {
                let run = &self.survey.runs[candidate.run];
                let value = run.best_value.as_deref().unwrap_or("no best value");
                let (name, value) = (text::clean(&run.name), text::clean(value));
                let size = text::bytes(candidate.bytes());
                format!("{name}: {size}, {}, {value}", run.extent())
            })
            .collect();
        if all.len() > NAMED {
            let more = text::count((all.len() - NAMED) as u64);
            lines.push(format!("and {more} more whole runs"));
        }
        lines
    }
}
