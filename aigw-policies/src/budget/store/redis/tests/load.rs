//! A Redis by hand, under more load than it takes.

use std::{
    pin::Pin,
    task::{Context, Waker},
};

use tokio::task::JoinSet;

use super::*;

/// Answers each script after a second, and says which they were.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    scripts: Vec<Script>,
    /// What is settled whenever something was: the queue is never empty.
    next: Option<(RedisStore<Tokio>, u64)>,
    since: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Script {
    Reserve,
    Settle,
    Beat,
}

impl Script {
    fn of(command: &[u8]) -> Self {
        if is_beat(command) {
            return Self::Beat;
        }
        // Behind how long the batch is remembered stands how many corrections there are.
        let day: f64 = 24.0 * 3600.0 * 1000.0;
        let corrections = behind(command, &day.to_le_bytes()).and_then(<[u8]>::first_chunk);
        match f64::from_le_bytes(*corrections.expect("numbers")) {
            0.0 => Self::Reserve,
            _ => Self::Settle,
        }
    }
}

impl Fake {
    fn connection(&self) -> impl ConnectionLike + Clone + Send + Sync + use<> {
        let fake = self.clone();
        ByHand(move |command: Vec<u8>| {
            let (fake, script) = (fake.clone(), Script::of(&command));
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                fake.answer(script)
            }
        })
    }

    fn open(&self, config: Config) -> RedisStore<Tokio> {
        let (store, driver) = RedisStore::new(self.connection(), Tokio, config);
        tokio::spawn(driver);
        store
    }

    fn scripts(&self) -> Vec<Script> {
        self.0.lock().unwrap().scripts.clone()
    }

    fn answer(&self, script: Script) -> Value {
        let mut said = self.0.lock().unwrap();
        said.scripts.push(script);
        match script {
            Script::Reserve => all_admitted(),
            Script::Settle => {
                let next = said.next.take().and_then(|(store, more)| {
                    settle_something(&store);
                    more.checked_sub(1).map(|more| (store, more))
                });
                said.next = next;
                Value::BulkString(Vec::new())
            }
            Script::Beat => alone(said.since),
        }
    }
}

fn settle_something(store: &RedisStore<Tokio>) {
    let now = Timestamp::from_micros(0);
    let claim = claim("r", "k", rate(100, 60), 10);
    let hold = Hold {
        taken: Taken::of(&claim.limit, claim.amount, now),
        claim,
        kept: Kept::Redis,
        left: None,
    };
    store.settle(vec![hold], &[5]);
}

#[tokio::test(start_paused = true)]
async fn a_process_says_that_it_lives_however_much_there_is_to_settle() {
    let fake = Fake::default();
    let store = fake.open(config(OnError::Deny));
    fake.0.lock().unwrap().next = Some((store.clone(), 20));
    settle_something(&store);
    store.flush().await;
    let scripts = fake.scripts();
    let settled = scripts.split(|script| *script == Script::Beat);
    let between: Vec<_> = settled.map(<[_]>::len).collect();
    // 22 batches of a second each, and beside them a beat every five seconds.
    assert_eq!(between, [1, 5, 5, 5, 5, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forgets_is_noticed_each_time() {
    let fake = Fake::default();
    let store = fake.open(config(OnError::Deny));
    for (since, forgotten) in [(7, 0), (7, 0), (9, 1), (9, 1), (8, 2)] {
        fake.0.lock().unwrap().since = since;
        let beats = fake.scripts().len();
        while fake.scripts().len() == beats {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(store.stats().forgotten, forgotten);
    }
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_to_be_taken_is_not_given_back() {
    let fake = Fake::default();
    let store = fake.open(config(OnError::Deny).max_corrections(0));
    let claims = vec![claim("r", "k", rate(100, 60), 10)];
    let Verdict::Admitted(mut holds) = store.reserve(claims).await else {
        panic!("it admits everything");
    };
    store.extend(&mut holds, &[30]);
    assert_eq!((holds[0].amount(), store.stats().dropped), (10, 1));
    store.settle(holds, &[10]);
    assert_eq!(store.stats().dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_while_calls_are_on_their_way_goes_together() {
    let fake = Fake::default();
    let store = fake.open(config(OnError::Deny));
    let ask = || store.reserve(vec![claim("r", "k", rate(100, 60), 1)]);
    let callers: JoinSet<_> = (0..300).map(|_| ask()).collect();
    let verdicts = callers.join_all().await;
    assert!(verdicts.iter().all(|it| matches!(it, Verdict::Admitted(_))));
    let asked = |scripts: Vec<Script>| scripts.iter().filter(|it| **it == Script::Reserve).count();
    // 128 at once, and the rest.
    assert_eq!(asked(fake.scripts()), 3);
    // One by one they go at once, up to as many calls as may be on their way; the others wait for
    // the first that is back.
    let began = tokio::time::Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..10 {
        callers.spawn(ask());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    callers.join_all().await;
    assert_eq!(asked(fake.scripts()), 3 + 5);
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(store.stats().decided, 310);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_is_not_asked_if_it_was_not_sent() {
    let fake = Fake::default();
    let store = fake.open(config(OnError::Deny));
    let mut asking = store.reserve(vec![claim("r", "k", rate(100, 60), 1)]);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut asking).poll(&mut cx).is_pending());
    drop(asking);
    store.flush().await;
    assert!(!fake.scripts().contains(&Script::Reserve));
}

#[tokio::test(start_paused = true)]
async fn when_the_driver_is_gone_nobody_waits_for_it() {
    let fake = Fake::default();
    let (store, driver) = RedisStore::new(fake.connection(), Tokio, config(OnError::Deny));
    let driver = tokio::spawn(driver);
    let ask = || store.reserve(vec![claim("r", "k", rate(100, 60), 1)]);
    let sent = tokio::spawn(ask());
    tokio::time::sleep(Duration::from_millis(1)).await;
    let began = tokio::time::Instant::now();
    driver.abort();
    for verdict in [sent.await.unwrap(), ask().await] {
        assert!(matches!(verdict, Verdict::Unavailable(_)));
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    let stats = store.stats();
    assert!(stats.is_lost);
    assert_eq!((stats.undecided, stats.in_doubt), (2, 1));
}
