use std::time::{Duration, Instant};

use aigw_core::outcome::FaultKind;

use super::Timeouts;

/// When a call has taken too long: the decision logic of this module, without a clock.
///
/// Told what happens, it names the instant at which the next deadline passes. Deadlines beyond the
/// range of [`Instant`] never do.
#[derive(Clone, Debug)]
pub(super) struct Deadlines {
    timeouts: Timeouts,
    start: Instant,
    /// Whether content has been seen.
    begun: bool,
    /// Time spent waiting for the provider since its last progress.
    waited: Duration,
    /// Since when it is being waited for.
    waiting: Option<Instant>,
}

/// A deadline: when, and what has then taken too long.
pub(super) type Deadline = (Instant, FaultKind);

impl Deadlines {
    pub(super) fn new(timeouts: Timeouts, now: Instant) -> Self {
        Self {
            timeouts,
            start: now,
            begun: false,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// The next deadline while the head is waited for.
    pub(super) fn for_head(&self) -> Option<Deadline> {
        first([
            self.after_start(self.timeouts.headers, FaultKind::HeadersTimeout),
            self.after_start(self.timeouts.first_token, FaultKind::FirstTokenTimeout),
            self.total(),
        ])
    }

    /// The next deadline while the provider has nothing to read.
    pub(super) fn while_waiting(&mut self, now: Instant) -> Option<Deadline> {
        let waiting = *self.waiting.get_or_insert(now);
        let idle = self.timeouts.idle.and_then(|idle| {
            let left = idle.saturating_sub(self.waited);
            Some((waiting.checked_add(left)?, FaultKind::IdleTimeout))
        });
        let first_token = (!self.begun)
            .then(|| self.after_start(self.timeouts.first_token, FaultKind::FirstTokenTimeout))
            .flatten();
        first([first_token, idle, self.total()])
    }

    /// Something came that is no progress: what was waited so far still counts.
    pub(super) fn arrived(&mut self, now: Instant) {
        if let Some(since) = self.waiting.take() {
            self.waited = self
                .waited
                .saturating_add(now.saturating_duration_since(since));
        }
    }

    /// Content came.
    pub(super) fn progressed(&mut self) {
        self.begun = true;
        self.waiting = None;
        self.waited = Duration::ZERO;
    }

    /// The deadline of the call as a whole.
    pub(super) fn total(&self) -> Option<Deadline> {
        self.after_start(self.timeouts.total, FaultKind::TotalTimeout)
    }

    fn after_start(&self, timeout: Option<Duration>, kind: FaultKind) -> Option<Deadline> {
        Some((self.start.checked_add(timeout?)?, kind))
    }
}

/// The earliest; of two at the same instant, the one named first.
fn first(deadlines: [Option<Deadline>; 3]) -> Option<Deadline> {
    deadlines.into_iter().flatten().min_by_key(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn deadlines() -> (Instant, Deadlines) {
        let start = Instant::now();
        let timeouts = Timeouts::default()
            .headers(SECOND * 5)
            .first_token(SECOND * 8)
            .idle(SECOND * 3)
            .total(SECOND * 60);
        (start, Deadlines::new(timeouts, start))
    }

    #[test]
    fn the_head_is_due_first() {
        let (start, deadlines) = deadlines();
        assert_eq!(
            deadlines.for_head(),
            Some((start + SECOND * 5, FaultKind::HeadersTimeout))
        );
    }

    #[test]
    fn silence_counts_only_while_the_provider_is_waited_for() {
        let (start, mut deadlines) = deadlines();
        deadlines.progressed();
        // The reader paused for ten seconds before it asked again.
        let asked = start + SECOND * 10;
        assert_eq!(
            deadlines.while_waiting(asked),
            Some((asked + SECOND * 3, FaultKind::IdleTimeout))
        );
    }

    #[test]
    fn an_event_without_content_does_not_start_silence_anew() {
        let (start, mut deadlines) = deadlines();
        deadlines.progressed();
        deadlines.while_waiting(start);
        deadlines.arrived(start + SECOND * 2);
        assert_eq!(
            deadlines.while_waiting(start + SECOND * 2),
            Some((start + SECOND * 3, FaultKind::IdleTimeout))
        );
        deadlines.progressed();
        assert_eq!(
            deadlines.while_waiting(start + SECOND * 2),
            Some((start + SECOND * 5, FaultKind::IdleTimeout))
        );
    }

    #[test]
    fn the_first_token_is_due_until_it_comes() {
        let start = Instant::now();
        let timeouts = Timeouts::default().first_token(SECOND);
        let mut deadlines = Deadlines::new(timeouts, start);
        assert_eq!(
            deadlines.while_waiting(start),
            Some((start + SECOND, FaultKind::FirstTokenTimeout))
        );
        deadlines.progressed();
        assert_eq!(deadlines.while_waiting(start), None);
    }

    #[test]
    fn a_deadline_beyond_time_never_passes() {
        let timeouts = Timeouts::default().total(Duration::MAX);
        assert_eq!(Deadlines::new(timeouts, Instant::now()).for_head(), None);
    }
}
