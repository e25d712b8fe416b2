use std::{
    future::ready,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::rt::Timer;
use redis::{RedisResult, Value};

use super::{
    OnError, RedisStore,
    line::Answer,
    outage::RETRY,
    shared::{Handle, Shared},
    wire,
};
use crate::{
    boxed::Boxed,
    budget::{Key, refusal},
    concurrency_limit::{Lease, Leased, Leasing, Lessor},
};

impl<T: Timer> Lessor for RedisStore<T> {
    fn lease(&self, key: &Key, calls: usize) -> Leasing {
        let shared = self.shared();
        let key = shared.keys.calls(key.as_str());
        let handle = Arc::clone(&self.handle);
        if shared.is_lost() {
            let number = shared.inbox().leases.number();
            return Boxed::new(ready(Held::new(handle, number, key).unasked()));
        }
        let (number, released) = {
            let leases = &mut shared.inbox().leases;
            (leases.number(), leases.released(&key))
        };
        let call = wire::enter(shared, &key, number, calls, &released);
        let answer = shared.line.send(call);
        let sleep = Box::pin(shared.timer.sleep_for(shared.config.deadline));
        Boxed::new(Entering {
            held: Some(Held::new(handle, number, key)),
            answer,
            sleep,
        })
    }
}

/// Redis is being asked for a lease.
struct Entering<T: Timer> {
    /// `None` once there was an answer.
    held: Option<Held<T>>,
    answer: Answer,
    sleep: Pin<Box<T::Sleep>>,
}

impl<T: Timer> Future for Entering<T> {
    type Output = Leased;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Leased> {
        let answer = match Pin::new(&mut self.answer).poll(cx) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending if self.sleep.as_mut().poll(cx).is_ready() => None,
            Poll::Pending => return Poll::Pending,
        };
        match self.held.take() {
            Some(held) => Poll::Ready(held.conclude(answer)),
            None => Poll::Pending,
        }
    }
}

/// A lease that Redis may know of, given back when dropped.
struct Held<T: Timer> {
    handle: Arc<Handle<T>>,
    number: u64,
    /// `None` where Redis has not given it.
    key: Option<String>,
}

impl<T: Timer> Held<T> {
    fn new(handle: Arc<Handle<T>>, number: u64, key: String) -> Self {
        Self {
            handle,
            number,
            key: Some(key),
        }
    }

    fn conclude(mut self, answer: Option<RedisResult<Value>>) -> Leased {
        match answer.map(|answer| RedisResult::<u64>::Ok(redis::from_redis_value(answer?)?)) {
            Some(Ok(1)) => {
                self.shared().decided.count();
                Leased::Held(self.keep())
            }
            Some(Ok(_)) => {
                self.shared().decided.count();
                self.key = None;
                Leased::Full
            }
            Some(Err(_)) | None => {
                self.shared().lose();
                self.unasked()
            }
        }
    }

    /// What is decided without Redis. It learns of the lease when it is there again.
    fn unasked(self) -> Leased {
        let shared = self.shared();
        shared.undecided.count();
        match shared.config.on_error {
            OnError::Allow => Leased::Held(self.keep()),
            OnError::Deny => Leased::Refused(refusal::unavailable(RETRY)),
            OnError::Local => {
                let processes = shared.processes();
                Leased::OfShare(self.keep(), processes)
            }
        }
    }

    fn keep(self) -> Lease {
        if let Some(key) = self.key.clone() {
            self.shared().inbox().leases.hold(self.number, key);
        }
        Lease::new(self)
    }

    fn shared(&self) -> &Shared<T> {
        &self.handle.0
    }
}

impl<T: Timer> Drop for Held<T> {
    fn drop(&mut self) {
        let number = self.number;
        if let Some(key) = self.key.take() {
            let shared = self.shared();
            shared.leave(|inbox| inbox.leases.release(number, key));
        }
    }
}
