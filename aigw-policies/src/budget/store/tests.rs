use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Instant, SystemTime},
};

use aigw_core::rt::Clock;

use super::{super::Rate, *};

/// A clock that is set by hand.
#[derive(Clone)]
struct Hand(Arc<Mutex<Instant>>);

impl Hand {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for Hand {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }
}

fn per_minute(amount: u64) -> Limit {
    Rate::try_new(amount, Duration::from_secs(60))
        .unwrap()
        .into()
}

fn claim(budget: &str, value: &str, limit: Limit, amount: u64) -> Claim {
    Claim {
        key: Key::new(budget, [Some(value)]),
        limit,
        amount,
    }
}

fn admitted(verdict: Verdict) -> Vec<Hold> {
    match verdict {
        Verdict::Admitted(holds) => holds,
        other => panic!("{other:?}"),
    }
}

fn refused(verdict: Verdict) -> Refused {
    match verdict {
        Verdict::Refused(refused) => refused,
        other => panic!("{other:?}"),
    }
}

/// Whether the store was full, so that the key shares a level with all that came too late.
fn is_folded(hold: &Hold) -> bool {
    hold.kept.home().is_some_and(|home| home.shared)
}

#[test]
fn a_refusal_consumes_nothing_of_any_budget() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    let (wide, narrow) = (per_minute(1000), per_minute(10));
    let ask = |amount| {
        store.reserve_now(vec![
            claim("wide", "a", wide, amount),
            claim("narrow", "a", narrow, amount),
        ])
    };
    let holds = admitted(ask(10));
    assert_eq!(
        holds
            .iter()
            .map(|hold| hold.left().unwrap().remaining)
            .collect::<Vec<_>>(),
        [990, 0]
    );
    let why = refused(ask(5));
    assert_eq!((why.claim, why.wait), (1, Some(Duration::from_secs(30))));
    assert_eq!(
        store.left(&holds[0].claim().key, &wide).unwrap().remaining,
        990
    );
}

#[test]
fn what_never_fits_decides_over_what_fits_later_and_the_longest_wait_over_the_others() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    let ask = |amounts: [u64; 3]| {
        store.reserve_now(vec![
            claim("a", "x", per_minute(100), amounts[0]),
            claim("b", "x", per_minute(100), amounts[1]),
            claim("c", "x", per_minute(100), amounts[2]),
        ])
    };
    store.settle(admitted(ask([100, 100, 100])), &[100, 100, 100]);
    let why = refused(ask([10, 50, 20]));
    assert_eq!((why.claim, why.wait), (1, Some(Duration::from_secs(30))));
    let why = refused(ask([10, 50, 101]));
    assert_eq!((why.claim, why.wait), (2, None));
}

#[test]
fn settled_once_it_stands_at_what_was_used() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    let limit = per_minute(1000);
    let ask = |amount| admitted(store.reserve_now(vec![claim("rate", "a", limit, amount)]));
    for (asked, used, remaining) in [(300, 100, 900), (100, 250, 650), (50, 0, 650), (0, 0, 650)] {
        let holds = ask(asked);
        let key = holds[0].claim().key.clone();
        store.settle(holds, &[used]);
        assert_eq!(store.left(&key, &limit).unwrap().remaining, remaining);
    }
}

#[test]
fn what_is_used_beyond_the_hold_is_taken_from_every_budget() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    let (wide, narrow) = (per_minute(1000), per_minute(10));
    let claims = |amount| {
        vec![
            claim("wide", "a", wide, amount),
            claim("narrow", "a", narrow, amount),
        ]
    };
    let mut holds = admitted(store.reserve_now(claims(10)));
    store.extend(&mut holds, &[5, 5]);
    store.settle(holds, &[40, 40]);
    let key = Key::new("wide", [Some("a")]);
    assert_eq!(store.left(&key, &wide).unwrap().remaining, 960);
    // The narrow one is 30 short, and waits for 31.
    let why = refused(store.reserve_now(claims(1)));
    assert_eq!(
        (why.claim, why.wait),
        (1, Some(Duration::from_secs(31 * 6)))
    );
}

#[test]
fn parallel_calls_never_hold_more_than_the_limit() {
    let store = MemoryStore::with_clock(Hand::new(), 1000);
    let limit = per_minute(100_000);
    let (held, used) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (store, held, used) = (&store, &held, &used);
            scope.spawn(move || {
                for call in 0..2_000 {
                    let amount = 1 + (call * 7919 + thread * 104_729) % 997;
                    let own = thread.to_string();
                    let claims = vec![
                        claim("shared", "all", limit, amount),
                        claim("own", &own, limit, amount),
                    ];
                    if let Verdict::Admitted(holds) = store.reserve_now(claims) {
                        held.fetch_add(amount, Ordering::SeqCst);
                        let actual = amount / 3;
                        // Before it is given back, for another may hold it then.
                        held.fetch_sub(amount - actual, Ordering::SeqCst);
                        used.fetch_add(actual, Ordering::SeqCst);
                        store.settle(holds, &[actual, actual]);
                        assert!(held.load(Ordering::SeqCst) <= 100_000);
                    }
                }
            });
        }
    });
    let left = store
        .left(&Key::new("shared", [Some("all")]), &limit)
        .unwrap();
    assert_eq!(100_000 - left.remaining, used.into_inner());
    assert!(left.remaining < 1_000, "the limit was reached");
}

#[test]
fn whoever_learns_at_once_that_less_is_left_takes_the_difference_once() {
    let store = MemoryStore::with_clock(Hand::new(), 10);
    let limit = per_minute(1_000_000);
    let hold = |amount| admitted(store.reserve_now(vec![claim("account", "k", limit, amount)]));
    thread::scope(|scope| {
        for _ in 0..8 {
            let holds = hold(0);
            let store = &store;
            scope.spawn(move || {
                for less in 0..1_000 {
                    store.lower(&holds[0], 900_000 - less);
                }
                store.settle(holds, &[0]);
            });
        }
    });
    let left = || store.left(&Key::new("account", [Some("k")]), &limit);
    assert_eq!(left().unwrap().remaining, 899_001);
    // More than there is, is nothing to learn.
    store.lower(&hold(0)[0], 1_000_000);
    assert_eq!(left().unwrap().remaining, 899_001);
}

#[test]
fn made_up_keys_do_not_grow_the_store_and_get_no_more_than_one_key() {
    let store = MemoryStore::with_clock(Hand::new(), 64 * 4);
    let limit = per_minute(10);
    let mut admitted = 0;
    for key in 0..10_000 {
        let claims = vec![claim("rate", &key.to_string(), limit, 10)];
        if let Verdict::Admitted(holds) = store.reserve_now(claims) {
            admitted += 1;
            store.settle(holds, &[10]);
        }
    }
    assert!(store.keys() <= 256, "{}", store.keys());
    // Those that found room, and one shared level for each shard.
    assert!(admitted <= 256 + 64, "{admitted}");
}

#[test]
fn a_key_that_has_its_whole_limit_again_makes_room() {
    let hand = Hand::new();
    let store = MemoryStore::with_clock(hand.clone(), 1);
    let limit = per_minute(60);
    let ask = |key: &str| admitted(store.reserve_now(vec![claim("rate", key, limit, 30)]));
    assert!(!is_folded(&ask("first")[0]));
    assert!(is_folded(&ask("second")[0]));
    hand.pass(Duration::from_secs(30));
    assert!(!is_folded(&ask("third")[0]));
    assert_eq!(store.keys(), 1);
}

#[test]
fn what_was_used_beyond_the_hold_is_charged_to_a_key_that_was_forgotten() {
    let hand = Hand::new();
    let store = MemoryStore::with_clock(hand.clone(), 1);
    let limit = per_minute(60);
    let ask = |key: &str| admitted(store.reserve_now(vec![claim("rate", key, limit, 30)]));
    let long = ask("long");
    let key = long[0].claim().key.clone();
    hand.pass(Duration::from_secs(60));
    store.settle(ask("other"), &[30]);
    assert_eq!(store.left(&key, &limit).unwrap().remaining, 60);
    store.settle(long, &[50]);
    assert_eq!(store.left(&key, &limit).unwrap().remaining, 40);
}

#[test]
fn a_key_that_finds_room_later_begins_with_what_it_had_used() {
    let hand = Hand::new();
    let store = MemoryStore::with_clock(hand.clone(), 1);
    let (limit, brief) = (per_minute(100), per_minute(100));
    store.settle(
        admitted(store.reserve_now(vec![claim("brief", "a", brief, 5)])),
        &[5],
    );
    let spend = || store.reserve_now(vec![claim("rate", "k", limit, 90)]);
    let holds = admitted(spend());
    assert!(is_folded(&holds[0]));
    store.settle(holds, &[90]);
    // The other key is forgotten, for it has its whole limit again.
    hand.pass(Duration::from_secs(4));
    assert_eq!(refused(spend()).claim, 0);
    hand.pass(Duration::from_secs(44));
    assert!(!is_folded(&admitted(spend())[0]));
}

#[test]
fn a_key_that_is_asked_twice_is_asked_the_sum() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    let limit = per_minute(100);
    let twice = |amount| {
        let claim = claim("rate", "a", limit, amount);
        store.reserve_now(vec![claim.clone(), claim])
    };
    assert_eq!(refused(twice(80)).wait, None);
    let holds = admitted(twice(50));
    assert_eq!(holds.iter().map(Hold::amount).sum::<u64>(), 100);
}

#[test]
fn what_is_settled_behind_a_change_of_the_limit_is_settled_under_the_new_one() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    let (before, after) = (per_minute(100), per_minute(10_000));
    let ask = |limit, amount| admitted(store.reserve_now(vec![claim("rate", "a", limit, amount)]));
    let early = ask(before, 100);
    let key = early[0].claim().key.clone();
    store.settle(ask(after, 0), &[0]);
    assert_eq!(store.left(&key, &after).unwrap().remaining, 0);
    store.settle(early, &[40]);
    assert_eq!(store.left(&key, &after).unwrap().remaining, 60);
}

#[tokio::test]
async fn a_verdict_that_nobody_waits_for_takes_nothing() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    let limit = per_minute(100);
    drop(store.reserve(vec![claim("rate", "a", limit, 100)]));
    let verdict = store.reserve(vec![claim("rate", "a", limit, 100)]).await;
    assert_eq!(admitted(verdict)[0].left().unwrap().remaining, 0);
}

#[test]
fn a_refused_key_takes_no_room() {
    let store = MemoryStore::with_clock(Hand::new(), 100);
    refused(store.reserve_now(vec![claim("rate", "a", per_minute(10), 11)]));
    assert_eq!(store.keys(), 0);
}
