//! Where the time of a training step goes (`--profile`). On a GPU every part then waits for the
//! device, which makes the whole slower than it is without.

use std::fmt;
use std::time::{Duration, Instant};

use tch::{Cuda, Device};

/// Times of the parts of a step.
#[derive(Debug)]
pub struct Profile {
    /// `None` takes no times.
    device: Option<Device>,
    since: Instant,
    steps: u32,
    /// In the order in which they come.
    parts: Vec<(&'static str, Duration)>,
}

impl Profile {
    /// Measures what runs on `device`, if wanted.
    pub fn new(is_wanted: bool, device: Device) -> Self {
        Self {
            device: is_wanted.then_some(device),
            since: Instant::now(),
            steps: 0,
            parts: Vec::new(),
        }
    }

    /// A step begins.
    pub fn step(&mut self) {
        self.since = Instant::now();
        self.steps += 1;
    }

    /// What was done since the last mark, or since the step began, was this part of it.
    pub fn mark(&mut self, part: &'static str) {
        let Some(device) = self.device else {
            return;
        };
        if let Device::Cuda(number) = device {
            Cuda::synchronize(number as i64);
        }
        let now = Instant::now();
        let time = now - self.since;
        self.since = now;
        match self.parts.iter_mut().find(|(name, _)| *name == part) {
            Some((_, sum)) => *sum += time,
            None => self.parts.push((part, time)),
        }
    }

    /// Whether there is anything to report.
    pub fn is_wanted(&self) -> bool {
        self.device.is_some() && self.steps > 0
    }
}

/// A table of the parts, milliseconds a step and percent.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let total: Duration = self.parts.iter().map(|(_, time)| *time).sum();
        let of_step = |time: Duration| 1e3 * time.as_secs_f64() / f64::from(self.steps.max(1));
        writeln!(f, "time of a step, mean of {} steps:", self.steps)?;
        for (name, time) in &self.parts {
            let percent = 100.0 * time.as_secs_f64() / total.as_secs_f64().max(f64::MIN_POSITIVE);
            writeln!(
                f,
                "  {name:<22} {:>9.2} ms {percent:>5.1} %",
                of_step(*time)
            )?;
        }
        write!(f, "  {:<22} {:>9.2} ms", "together", of_step(total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_in_their_order() {
        let mut profile = Profile::new(true, Device::Cpu);
        for _ in 0..3 {
            profile.step();
            profile.mark("gather");
            profile.mark("forward");
        }
        let table = profile.to_string();
        let lines: Vec<_> = table.lines().map(str::trim_start).collect();
        assert_eq!(lines[0], "time of a step, mean of 3 steps:");
        assert!(
            lines[1].starts_with("gather") && lines[2].starts_with("forward"),
            "{table}"
        );
        assert!(lines[3].starts_with("together"), "{table}");
        let mut silent = Profile::new(false, Device::Cpu);
        silent.step();
        silent.mark("gather");
        assert!(!silent.is_wanted() && silent.parts.is_empty());
    }
}
