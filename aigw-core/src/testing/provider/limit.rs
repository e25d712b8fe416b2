use std::time::{Duration, Instant};

/// A token bucket that refills its size in one minute. Starts full.
#[derive(Debug)]
pub(super) struct Bucket {
    size: u64,
    level: f64,
    at: Instant,
}

const REFILL: Duration = Duration::from_secs(60);

impl Bucket {
    pub(super) fn new(size: u64, now: Instant) -> Self {
        let level = size as f64;
        Self {
            size,
            level,
            at: now,
        }
    }

    /// Takes `cost` tokens and says how many are left, or takes nothing and says how long until
    /// they are there. A cost above the size is asked of a full bucket, so that it passes now and
    /// then.
    pub(super) fn take(&mut self, now: Instant, cost: u64) -> Result<u64, Duration> {
        let size = self.size as f64;
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + elapsed / REFILL.as_secs_f64() * size).min(size);
        self.at = self.at.max(now);
        let cost = (cost as f64).min(size);
        if self.size > 0 && cost <= self.level {
            self.level -= cost;
            return Ok(self.level as u64);
        }
        let share = if self.size == 0 {
            1.0
        } else {
            (cost - self.level) / size
        };
        Err(REFILL.mul_f64(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_beyond_its_level_and_names_the_wait() {
        let start = Instant::now();
        let mut bucket = Bucket::new(600, start);
        assert_eq!(bucket.take(start, 500), Ok(100));
        assert_eq!(bucket.take(start, 200), Err(Duration::from_secs(10)));
        assert_eq!(bucket.take(start + Duration::from_secs(10), 200), Ok(0));
    }

    #[test]
    fn a_cost_above_its_size_passes_when_full() {
        let start = Instant::now();
        assert_eq!(Bucket::new(10, start).take(start, 99), Ok(0));
        assert!(Bucket::new(0, start).take(start, 0).is_err());
    }

    #[test]
    fn a_clock_that_steps_back_refills_nothing() {
        let start = Instant::now() + Duration::from_secs(60);
        let mut bucket = Bucket::new(60, start);
        assert_eq!(bucket.take(start, 60), Ok(0));
        assert!(bucket.take(start - Duration::from_secs(30), 30).is_err());
        assert!(bucket.take(start, 30).is_err());
    }
}
