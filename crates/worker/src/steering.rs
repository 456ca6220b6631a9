//! Control requests to a run that trains, through its control file: read before each step, logged,
//! and kept.

use std::thread;
use std::time::{Duration, Instant};

use traintop_run::control::{Control, Follower};
use traintop_run::{RunDir, State};
use traintop_text as text;

use super::error::WorkerError;
use super::output::Clock;
use super::train::Training;

/// How often a paused run reads its control file.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The control requests of a run, as last read.
#[derive(Debug)]
pub struct Steering {
    follower: Follower,
    requested: Control,
}

impl Steering {
    /// Begins with the earlier requests: an earlier process of the run may have been asked to end
    /// after an epoch that is still ahead. A pause does not outlast its process: starting a run
    /// again ends it.
    pub fn of(dir: &RunDir) -> Self {
        let mut follower = Follower::of(dir);
        let requested = follower.poll().and_then(Result::ok).unwrap_or_default();
        Self {
            follower,
            requested: Control {
                paused: false,
                ..requested
            },
        }
    }
}

impl Training {
    /// Applies new control requests; while paused, waits for resume or stop.
    pub fn apply_requests(&mut self) -> Result<(), WorkerError> {
        self.read_requests()?;
        if !self.steering.requested.paused {
            return Ok(());
        }
        let (since, elapsed_s) = (Instant::now(), self.output.clock.elapsed_s());
        self.output.say("waiting, as asked")?;
        self.show_state(State::Running, State::Paused)?;
        while self.steering.requested.paused && !self.stop.is_set() {
            thread::sleep(POLL_INTERVAL);
            self.read_requests()?;
        }
        // The time of a run is that in which it trains.
        self.output.clock = Clock::from(elapsed_s);
        self.tally.leave_out(since.elapsed());
        self.show_state(State::Paused, State::Running)?;
        let waited = text::duration(since.elapsed());
        self.output
            .say(&format!("continues after a wait of {waited}"))?;
        Ok(())
    }

    /// A stop in between is not undone.
    fn show_state(&self, from: State, to: State) -> Result<(), WorkerError> {
        Ok(self.output.status.update(|record| {
            if record.state == from {
                record.state = to;
            }
        })?)
    }

    fn read_requests(&mut self) -> Result<(), WorkerError> {
        let mut requested = match self.steering.follower.poll() {
            None => return Ok(()),
            Some(Ok(requested)) => requested,
            Some(Err(error)) => {
                // The training is worth more than a request.
                self.output.say(&format!("ignored the request: {error}"))?;
                return Ok(());
            }
        };
        let before = self.steering.requested.clone();
        if requested.end_after_epoch != before.end_after_epoch {
            // The epoch may have ended meanwhile.
            let next = self.progress.epochs_done + 1;
            requested.end_after_epoch = requested.end_after_epoch.map(|epoch| epoch.max(next));
            self.output.say(&match requested.end_after_epoch {
                Some(epoch) => format!("will end after epoch {epoch}, as asked"),
                None => "will continue to its last epoch, as asked".to_owned(),
            })?;
        }
        if requested.learning_rate_factor != before.learning_rate_factor {
            let factor = requested.learning_rate_factor;
            self.output.say(&format!(
                "learning rate times {factor} from the next epoch on, as asked"
            ))?;
        }
        let saves = requested.save != before.save;
        self.steering.requested = requested;
        if saves {
            self.save()?;
            let (epoch, step) = (self.progress.epochs_done + 1, self.progress.step);
            let text = format!("saved in epoch {epoch} after {step} of its steps, as asked");
            self.output.say(&text)?;
        }
        Ok(())
    }

    /// At the beginning of an epoch, applies the requested factor of the learning rate.
    pub fn take_over_learning_rate(&mut self) -> Result<(), WorkerError> {
        let factor = self.steering.requested.learning_rate_factor;
        if self.progress.step == 0 && factor != self.progress.rate_factor() {
            self.progress.rate_factor = Some(factor);
            let epoch = self.progress.epochs_done + 1;
            let text = format!("learning rate times {factor} from epoch {epoch} on");
            self.output.say(&text)?;
        }
        Ok(())
    }

    /// Whether the run was asked to end after the epoch that has just ended.
    pub fn is_to_end(&self) -> bool {
        let done = self.progress.epochs_done;
        self.steering.requested.end_after_epoch == Some(done)
    }
}
