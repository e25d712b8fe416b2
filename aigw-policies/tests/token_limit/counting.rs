//! Prompts are counted where that can change what is decided, and nowhere else.

use std::{
    future::{Pending, pending},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use aigw_core::{
    call::Call,
    rt::{Offload, OffloadError, Tokio},
};
use aigw_policies::{
    budget::{Claim, Key, Verdict},
    token_limit::{Budget, OnOpaque, Output, TokenLimitLayer},
    tokens::{Basis, Count, Counting, Estimate, Estimator, Work},
};
use http::StatusCode;

use crate::house::{House, chat, per_minute, usage};

/// Expects 100 of every prompt, from 1 to 400, and counts so many.
#[derive(Clone, Debug)]
struct Counts {
    tokens: u64,
    long: bool,
    counted: Arc<AtomicUsize>,
}

impl Estimator for Counts {
    fn estimate(&self, _: &Call) -> Estimate {
        Estimate::new(100, 1, 400)
    }

    fn count(&self, _: &Arc<Call>) -> Counting {
        self.counted.fetch_add(1, Ordering::Relaxed);
        let count = Count::new(self.tokens, Basis::Counted);
        if self.long {
            Counting::Long(Work::new(move || count))
        } else {
            Counting::Counted(count)
        }
    }
}

fn house(tokens: u64, long: bool) -> (House, Arc<AtomicUsize>) {
    let counted = Arc::<AtomicUsize>::default();
    let counts = Counts {
        tokens,
        long,
        counted: Arc::clone(&counted),
    };
    let house = House::new([Budget::new("rate", per_minute(1000))])
        .limit(|limit| {
            limit
                .output(Output::Tokens(0))
                .estimator(counts)
                .offload(Tokio)
        })
        .answering(|_| usage(0, 0));
    (house, counted)
}

#[tokio::test(start_paused = true)]
async fn far_from_the_limit_nothing_is_counted() {
    let (house, counted) = house(400, false);
    for _ in 0..5 {
        assert_eq!(house.call(chat(0)).await.status(), StatusCode::OK);
    }
    assert_eq!(counted.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn near_the_limit_the_count_decides() {
    const OK: StatusCode = StatusCode::OK;
    const REFUSED: StatusCode = StatusCode::TOO_MANY_REQUESTS;
    for long in [false, true] {
        for (left, tokens, status) in [
            // What is expected fits, and what was counted does or does not.
            (150, 150, OK),
            (150, 151, REFUSED),
            // What is expected does not fit, and what was counted does or does not.
            (50, 50, OK),
            (50, 51, REFUSED),
        ] {
            let (house, counted) = house(tokens, long);
            let held = house.store.reserve_now(vec![claim(1000 - left)]);
            assert!(matches!(held, Verdict::Admitted(_)));
            let answer = house.call(chat(0)).await;
            assert_eq!(answer.status(), status, "{tokens} of {left}, long: {long}");
            assert_eq!(counted.load(Ordering::Relaxed), 1, "{tokens} of {left}");
            // Nothing was used, and nothing is held.
            assert_eq!(house.left("rate", per_minute(1000)), left);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_fits_by_its_count_is_refused_for_good_though_its_estimate_fits() {
    let (house, counted) = house(1001, false);
    let house = house.limit(|limit| limit.estimator(Wide(Arc::clone(&counted))));
    assert_eq!(house.call(chat(0)).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(counted.load(Ordering::Relaxed), 1);
}

/// Expects 1000 of every prompt, and counts one more.
#[derive(Clone, Debug)]
struct Wide(Arc<AtomicUsize>);

impl Estimator for Wide {
    fn estimate(&self, _: &Call) -> Estimate {
        Estimate::new(1000, 1, 2000)
    }

    fn count(&self, _: &Arc<Call>) -> Counting {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counting::Counted(Count::new(1001, Basis::Counted))
    }
}

#[tokio::test(start_paused = true)]
async fn a_count_that_takes_long_is_nobody_s_where_there_is_nowhere_to_count() {
    let (house, _) = house(400, true);
    // A limiter of its own that has nowhere to go.
    let counts = Counts {
        tokens: 400,
        long: true,
        counted: Arc::default(),
    };
    let limit = TokenLimitLayer::try_new(
        [Budget::new("rate", per_minute(1000))],
        house.store.clone(),
        OnOpaque::Pass,
    );
    let house = house.limit(|_| limit.unwrap().output(Output::Tokens(0)).estimator(counts));
    let held = house.store.reserve_now(vec![claim(900)]);
    assert!(matches!(held, Verdict::Admitted(_)));
    assert_eq!(house.call(chat(0)).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_its_prompt_is_counted_holds_nothing() {
    let (house, counted) = house(150, true);
    let house = house.limit(|limit| limit.offload(Busy));
    let held = house.store.reserve_now(vec![claim(850)]);
    assert!(matches!(held, Verdict::Admitted(_)));
    {
        let call = pin!(house.send(chat(0)));
        assert!(poll_once(call).is_pending());
    }
    assert_eq!(counted.load(Ordering::Relaxed), 1);
    assert_eq!(house.left("rate", per_minute(1000)), 150);
}

/// Comes to nothing that it is given.
#[derive(Clone, Copy, Debug)]
struct Busy;

impl Offload for Busy {
    type Offloaded<T: Send + 'static> = Pending<Result<T, OffloadError>>;

    fn offload<F, T>(&self, _: F) -> Self::Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        pending()
    }
}

/// Polls once.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn claim(amount: u64) -> Claim {
    Claim {
        key: Key::new("rate", [None::<&str>; 0]),
        limit: per_minute(1000),
        amount,
    }
}
