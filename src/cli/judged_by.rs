//! Options that say how runs are judged, for this command only.

use clap::Args;

use traintop_run::judging::{self, MetricSettings};

#[derive(Debug, Clone, Default, Args)]
pub struct Directions {
    /// A metric of which less is better, against what its name suggests
    #[arg(long, value_name = "METRIC")]
    lower: Vec<String>,
    /// A metric of which more is better, against what its name suggests
    #[arg(long, value_name = "METRIC")]
    higher: Vec<String>,
}

impl Directions {
    /// From now on they hold, before what the settings and the project say.
    pub fn apply(&self, primary: Option<&str>) {
        let mut says = (*judging::user()).clone();
        says.now = MetricSettings {
            primary: primary.map(str::to_owned),
            lower: self.lower.clone(),
            higher: self.higher.clone(),
        };
        judging::set_user(says);
    }
}
