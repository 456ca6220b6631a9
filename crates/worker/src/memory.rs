//! How much memory the process takes, for the column `memory_used_mb`, and how much there is.

use std::io::Write;
use std::path::Path;

use traintop_disk::read;
use traintop_disk::write::open_append;

/// Begins a new peak. Where the kernel does not allow it, peaks are those since the process
/// started.
pub fn reset_peak() {
    // 5 resets the peak of the resident set: proc(5), `/proc/PID/clear_refs`.
    let clear = open_append(Path::new("/proc/self/clear_refs"));
    let _ = clear.and_then(|mut clear| clear.write_all(b"5"));
}

/// The largest resident memory since the last reset, in megabytes (of 1024 x 1024 bytes, as the
/// reference counts them); NaN if the kernel does not report it.
pub fn peak_mb() -> f64 {
    let status = read::text(Path::new("/proc/self/status"), read::RECORD_LIMIT).unwrap_or_default();
    peak_kb(&status).map_or(f64::NAN, |kb| kb as f64 / 1024.0)
}

/// Bytes that programs can still be given; `None` if the kernel does not report it.
pub fn available() -> Option<u64> {
    let memory = read::text(Path::new("/proc/meminfo"), read::RECORD_LIMIT).ok()?;
    Some(1024 * kb_of(&memory, "MemAvailable:")?)
}

fn peak_kb(status: &str) -> Option<u64> {
    kb_of(status, "VmHWM:")
}

fn kb_of(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_its_line() {
        assert_eq!(
            peak_kb("Name:\tx\nVmPeak:\t  9 kB\nVmHWM:\t  520132 kB\nVmRSS:\t 1 kB\n"),
            Some(520_132)
        );
        assert_eq!(peak_kb("Name:\tx\n"), None);
    }
}
