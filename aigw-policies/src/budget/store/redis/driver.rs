use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use aigw_core::rt::Timer;
use redis::{RedisResult, Value};

use super::{
    dispatch::{BATCH, Dispatch, is_a_fault_of_ours},
    flight::PATIENCE,
    leases::Change,
    line::Answer,
    shared::Shared,
    wire::{self, LEASE, Living},
};
use crate::boxed::Boxed;

/// Asks Redis for decisions, those that come at once together; tells it what was settled, and what
/// became of decisions that nobody waited for; asks whether it is there again while it does not
/// answer; says that this process lives; and renews the leases of its calls and gives them back.
///
/// Completes when the last handle of its store is gone, with their reserving futures and leases, and
/// Redis knows everything. While Redis does not answer it does not.
///
/// # Cancel safety
///
/// Dropping it loses what Redis was not told, and Redis is not asked any more: as while it does not
/// answer, [`OnError`](super::OnError) decides. Leases end fifteen seconds after they were renewed.
#[must_use = "without its driver a store decides and settles nothing"]
pub struct Driver(Boxed<()>);

/// How often a process says that it lives: three times while it is believed.
const BEAT: Duration = Duration::from_secs(5);

/// How long after a failure it is asked again: the first time, and at most.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

impl Driver {
    pub(super) fn new<T: Timer>(shared: Arc<Shared<T>>) -> Self {
        let now = shared.timer.now();
        Self(Boxed::new(Running {
            sleep: None,
            shared,
            dispatch: Dispatch::default(),
            changes: Vec::new(),
            owed: 0,
            work: None,
            phase: Phase::Up,
            beat: now,
            since: None,
            pause: FIRST_RETRY,
        }))
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

struct Running<T: Timer> {
    shared: Arc<Shared<T>>,
    dispatch: Dispatch,
    /// Leases that are renewed or given back, as they were last told.
    changes: Vec<Change>,
    /// How many changes Redis must know of before it decides again.
    owed: usize,
    work: Option<Work>,
    phase: Phase,
    /// When Redis is to be told next that this process lives.
    beat: Instant,
    /// Since when Redis has known what it knew when it was last told.
    since: Option<u64>,
    /// How long after the next failure Redis is asked again.
    pause: Duration,
    /// Until when it sleeps. Made where it is polled: a timer may need a runtime.
    sleep: Option<(Instant, Pin<Box<T::Sleep>>)>,
}

/// What Redis is being asked.
struct Work {
    task: Task,
    answer: Answer,
    begun: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Lease,
    Beat,
    /// The last beat, which says that this process ends.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Up,
    /// Redis does not answer, and is asked again then.
    Down(Instant),
    /// It answers, and must know what was kept for it before it decides again.
    Recovering,
}

/// What comes next.
enum Next {
    Do(Task),
    Wait(Instant),
}

// What is polled inside is pinned by itself.
impl<T: Timer> Unpin for Running<T> {}

impl<T: Timer> Future for Running<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = self.shared.timer.now();
            let is_closed = self.take(cx, now);
            if self.take_off(now) {
                continue;
            }
            let until = if let Some(mut work) = self.work.take() {
                let until = work.begun + PATIENCE;
                match Pin::new(&mut work.answer).poll(cx) {
                    Poll::Ready(answer) => {
                        self.finish(work.task, work.begun, answer, now);
                        if work.task == Task::End {
                            return Poll::Ready(());
                        }
                        continue;
                    }
                    // It may still be done, and can be done twice.
                    Poll::Pending if now >= until => {
                        self.fail(now);
                        continue;
                    }
                    Poll::Pending => self.work = Some(work),
                }
                until
            } else {
                match self.next(is_closed, now) {
                    Next::Wait(until) => until,
                    Next::Do(task) => {
                        self.begin(task, now);
                        continue;
                    }
                }
            };
            let until = self.dispatch.patience().fold(until, Instant::min);
            if !self.has_slept_until(until, cx) {
                self.shared.tell_flushers();
                return Poll::Pending;
            }
        }
    }
}

impl<T: Timer> Running<T> {
    /// Hears what Redis has answered, and takes what was left to the driver; answers whether nobody
    /// is left who could add to it.
    fn take(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        {
            let mut inbox = self.shared.inbox();
            inbox.driver = Some(cx.waker().clone());
            self.dispatch.take_asked(&mut inbox);
        }
        if self.dispatch.land(&self.shared, cx, now) {
            self.fail(now);
        }
        let mut inbox = self.shared.inbox();
        self.dispatch.take_batch(&mut inbox);
        inbox.in_hand = self.dispatch.corrections() + self.changes.len();
        inbox.is_closed
    }

    /// Sends the next call, if there is anything to be sent and it may be.
    fn take_off(&mut self, now: Instant) -> bool {
        if self.phase != Phase::Up || self.shared.is_lost() {
            // Whoever asked before that was known is not to wait.
            self.dispatch.refuse(&self.shared);
        }
        let may_carry = !matches!(self.phase, Phase::Down(_));
        self.dispatch.take_off(&self.shared, may_carry, now)
    }

    /// Takes the changes that are to be sent now. Until then, who asks for a lease of the same key
    /// may give back what is given back.
    fn take_changes(&mut self) {
        if self.changes.is_empty() {
            let mut inbox = self.shared.inbox();
            self.changes = inbox.leases.batch(BATCH);
            inbox.in_hand = self.dispatch.corrections() + self.changes.len();
        }
    }

    fn next(&mut self, is_closed: bool, now: Instant) -> Next {
        if self.phase == Phase::Up && self.shared.is_lost() {
            self.retry(now);
        }
        match self.phase {
            Phase::Down(retry) if now < retry => return Next::Wait(retry),
            Phase::Down(_) => return Next::Do(Task::Beat),
            Phase::Up | Phase::Recovering => {}
        }
        // First of all: there may be no end to what is given back.
        if now >= self.beat {
            return Next::Do(Task::Beat);
        }
        if self.phase == Phase::Recovering && self.owed + self.dispatch.owed() == 0 {
            self.phase = Phase::Up;
            self.shared.find();
        }
        if !self.changes.is_empty() || !self.shared.inbox().leases.is_empty() {
            return Next::Do(Task::Lease);
        }
        if is_closed && self.dispatch.is_idle() {
            Next::Do(Task::End)
        } else {
            Next::Wait(self.beat)
        }
    }

    fn begin(&mut self, task: Task, now: Instant) {
        let Shared { keys, process, .. } = &*self.shared;
        let call = match task {
            Task::Lease => {
                self.take_changes();
                wire::lease(&self.shared, &self.changes)
            }
            Task::Beat => wire::beat(keys, process, LEASE),
            Task::End => wire::beat(keys, process, Duration::ZERO),
        };
        self.work = Some(Work {
            task,
            answer: self.shared.line.send(call),
            begun: now,
        });
    }

    fn finish(&mut self, task: Task, begun: Instant, answer: RedisResult<Value>, now: Instant) {
        match (task, answer) {
            (Task::Lease, Ok(_)) => self.changed(),
            // It ends by itself, or is renewed with the next beat.
            (Task::Lease, Err(error)) if is_a_fault_of_ours(&error) => self.changed(),
            (Task::Beat, Ok(answer)) => match wire::living(answer) {
                Ok(living) => self.live(living, begun),
                Err(_) => self.fail(now),
            },
            (Task::End, _) => {}
            (_, Err(_)) => self.fail(now),
        }
    }

    fn changed(&mut self) {
        self.owed = self.owed.saturating_sub(self.changes.len());
        self.changes.clear();
    }

    /// Redis knows that this process lives.
    fn live(&mut self, living: Living, begun: Instant) {
        let Living { processes, since } = living;
        if self
            .since
            .replace(since)
            .is_some_and(|known| known != since)
        {
            self.shared.forget();
        }
        self.shared.set_processes(processes);
        let mut inbox = self.shared.inbox();
        inbox.leases.renew();
        self.beat = begun + BEAT;
        match self.phase {
            Phase::Down(_) => {
                // What comes meanwhile does not hold up the end of the outage.
                self.dispatch.seal(&mut inbox);
                self.owed = self.changes.len() + inbox.leases.len();
                self.phase = Phase::Recovering;
            }
            // It has been there for a while.
            Phase::Up => self.pause = FIRST_RETRY,
            Phase::Recovering => {}
        }
    }

    fn fail(&mut self, now: Instant) {
        self.shared.lose();
        self.retry(now);
    }

    fn retry(&mut self, now: Instant) {
        self.phase = Phase::Down(now + self.pause);
        self.pause = (self.pause * 2).min(LAST_RETRY);
    }

    fn has_slept_until(&mut self, until: Instant, cx: &mut Context<'_>) -> bool {
        let timer = &self.shared.timer;
        let (at, sleep) = self
            .sleep
            .get_or_insert_with(|| (until, Box::pin(timer.sleep_until(until))));
        if *at != until {
            timer.reset(sleep.as_mut(), until);
            *at = until;
        }
        let has_slept = sleep.as_mut().poll(cx).is_ready();
        if has_slept {
            self.sleep = None;
        }
        has_slept
    }
}

impl<T: Timer> Drop for Running<T> {
    fn drop(&mut self) {
        let is_closed = {
            let mut inbox = self.shared.inbox();
            self.dispatch.take_asked(&mut inbox);
            inbox.is_closed
        };
        if !is_closed {
            // Nobody asks Redis any more, so nobody is to wait for it.
            self.shared.lose();
            self.dispatch.abandon(&self.shared);
        }
    }
}
