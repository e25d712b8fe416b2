use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
};

use aigw_core::{
    observe::{Event, Observe},
    rt::Timer,
};

use super::{
    Config, Stats, asked::Asked, leases::Leases, line::Line, outbox::Outbox, stats::Counter,
    wire::Keys,
};
use crate::budget::{MemoryStore, Timestamp};

/// What the handles of a store and its driver share.
pub(super) struct Shared<T> {
    pub(super) config: Config,
    pub(super) keys: Keys,
    /// The name of this process.
    pub(super) process: String,
    pub(super) timer: T,
    pub(super) line: Line,
    /// Where the shares of this process are kept while Redis does not answer.
    pub(super) local: MemoryStore<T>,
    pub(super) decided: Counter,
    pub(super) undecided: Counter,
    pub(super) in_doubt: Counter,
    pub(super) forgotten: Counter,
    observe: Arc<dyn Observe + Send + Sync>,
    // Relaxed, as the number of processes: each is a hint by itself.
    is_lost: AtomicBool,
    processes: AtomicUsize,
    inbox: Mutex<Inbox>,
    #[cfg(test)]
    pub(super) time: Mutex<Option<Timestamp>>,
}

/// What is left to the driver.
pub(super) struct Inbox {
    pub(super) outbox: Outbox,
    pub(super) leases: Leases,
    /// Decisions that are to be asked for.
    pub(super) asked: Vec<Arc<Asked>>,
    /// How many decisions nobody waits for any more, and that are not given back yet.
    pub(super) left: usize,
    /// What else the driver has taken out and not finished.
    pub(super) in_hand: usize,
    /// The last handle is gone.
    pub(super) is_closed: bool,
    pub(super) driver: Option<Waker>,
    flushers: Vec<Waker>,
}

impl Inbox {
    /// Whether everything that was left to the driver is done.
    pub(super) fn is_done(&self) -> bool {
        let is_empty = self.outbox.is_empty() && self.leases.is_empty();
        is_empty && self.left == 0 && self.in_hand == 0
    }
}

impl<T: Timer> Shared<T> {
    pub(super) fn new(
        config: Config,
        process: String,
        timer: T,
        line: Line,
        observe: Arc<dyn Observe + Send + Sync>,
    ) -> Self {
        let inbox = Inbox {
            outbox: Outbox::new(config.max_corrections),
            leases: Leases::new(config.max_corrections),
            asked: Vec::new(),
            left: 0,
            in_hand: 0,
            is_closed: false,
            driver: None,
            flushers: Vec::new(),
        };
        Self {
            keys: Keys::new(config.namespace(), &process),
            local: MemoryStore::with_clock(timer.clone(), config.max_corrections),
            config,
            process,
            timer,
            line,
            observe,
            decided: Counter::default(),
            undecided: Counter::default(),
            in_doubt: Counter::default(),
            forgotten: Counter::default(),
            is_lost: AtomicBool::new(false),
            processes: AtomicUsize::new(1),
            inbox: Mutex::new(inbox),
            #[cfg(test)]
            time: Mutex::default(),
        }
    }

    /// This process's own time.
    pub(super) fn wall(&self) -> Timestamp {
        self.timer.wall().into()
    }
}

impl<T> Shared<T> {
    /// The time that Redis is to take for its own; only tests name one.
    pub(super) fn named_time(&self) -> Option<Timestamp> {
        #[cfg(test)]
        return *self.time.lock().unwrap();
        #[cfg(not(test))]
        return None;
    }

    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Redis has not answered.
    pub(super) fn lose(&self) {
        if !self.is_lost.swap(true, Ordering::Relaxed) {
            self.tell(&Event::store_lost(self.config.namespace()));
            self.leave(|_| ());
        }
    }

    /// Redis answers again, and knows all that was kept for it.
    pub(super) fn find(&self) {
        if self.is_lost.swap(false, Ordering::Relaxed) {
            self.tell(&Event::store_found(self.config.namespace()));
        }
    }

    /// Redis does not know any more what it knew.
    pub(super) fn forget(&self) {
        self.forgotten.count();
        self.tell(&Event::store_forgot(self.config.namespace()));
    }

    fn tell(&self, event: &Event<'_>) {
        self.observe.observe(event);
    }

    pub(super) fn processes(&self) -> usize {
        self.processes.load(Ordering::Relaxed)
    }

    pub(super) fn set_processes(&self, processes: usize) {
        self.processes.store(processes.max(1), Ordering::Relaxed);
    }

    /// Leaves something to the driver.
    pub(super) fn leave<R>(&self, what: impl FnOnce(&mut Inbox) -> R) -> R {
        let mut inbox = self.inbox();
        let answer = what(&mut inbox);
        let driver = inbox.driver.take();
        drop(inbox);
        if let Some(driver) = driver {
            driver.wake();
        }
        answer
    }

    /// Wakes those who wait until all is done, if it is.
    pub(super) fn tell_flushers(&self) {
        let mut inbox = self.inbox();
        if inbox.is_done() {
            let flushers = mem::take(&mut inbox.flushers);
            drop(inbox);
            flushers.into_iter().for_each(Waker::wake);
        }
    }

    /// Whether all is done; if not, `waker` is woken when it is.
    pub(super) fn is_done(&self, waker: &Waker) -> bool {
        let mut inbox = self.inbox();
        if inbox.is_done() {
            return true;
        }
        if !inbox.flushers.iter().any(|known| known.will_wake(waker)) {
            inbox.flushers.push(waker.clone());
        }
        false
    }

    /// No code behind the lock panics.
    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> Stats {
        let inbox = self.inbox();
        Stats {
            decided: self.decided.get(),
            undecided: self.undecided.get(),
            in_doubt: self.in_doubt.get(),
            dropped: inbox.outbox.dropped(),
            leases: inbox.leases.held() as u64,
            waiting: (inbox.outbox.len() + inbox.left + inbox.in_hand) as u64,
            forgotten: self.forgotten.get(),
            processes: self.processes() as u64,
            is_lost: self.is_lost(),
        }
    }
}

/// A handle of the store; the driver ends when the last is gone.
pub(super) struct Handle<T>(pub(super) Arc<Shared<T>>);

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        self.0.leave(|inbox| inbox.is_closed = true);
    }
}
