//! What becomes of calls while Redis does not answer, and after.

use super::*;

/// A connection that can be cut, before a command is sent or before it is answered.
#[derive(Clone)]
pub(super) struct Cut(MultiplexedConnection, Arc<Mutex<Cable>>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cable {
    Whole,
    Cut,
    /// What is sent arrives, and no answer does.
    Deaf,
}

impl ConnectionLike for Cut {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let cable = *self.1.lock().unwrap();
            if cable == Cable::Whole {
                return self.0.req_packed_command(cmd).await;
            }
            if cable == Cable::Deaf {
                self.0.req_packed_command(cmd).await?;
            }
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into())
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.0.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}

/// A store that has been asked once and is cut off, and what it tells.
pub(super) struct Outage {
    pub(super) store: RedisStore<Tokio>,
    cable: Arc<Mutex<Cable>>,
    events: Arc<Mutex<Vec<&'static str>>>,
}

impl Outage {
    pub(super) async fn begin(on_error: OnError) -> Self {
        let cable = Arc::new(Mutex::new(Cable::Whole));
        let events = Arc::<Mutex<Vec<_>>>::default();
        let seen = Arc::clone(&events);
        let observe = move |event: &Event<'_>| seen.lock().unwrap().push(event.as_str());
        let cut = Cut(connection().await, Arc::clone(&cable));
        let (store, driver) = RedisStore::with_observe(cut, Tokio, config(on_error), observe);
        tokio::spawn(driver);
        let outage = Self {
            store,
            cable,
            events,
        };
        assert!(matches!(outage.ask(1).await, Verdict::Admitted(_)));
        outage.turn(Cable::Cut);
        outage
    }

    pub(super) fn turn(&self, cable: Cable) {
        *self.cable.lock().unwrap() = cable;
    }

    async fn ask(&self, amount: u64) -> Verdict {
        let quota = Quota::try_new(100, Period::Year, Align::Utc).unwrap();
        let claims = vec![claim("q", "k", quota, amount)];
        self.store.reserve(claims).await
    }

    /// Until Redis decides again.
    pub(super) async fn end(&self) {
        self.turn(Cable::Whole);
        while self.store.stats().is_lost {
            tokio::task::yield_now().await;
        }
    }

    fn events(&self) -> Vec<&'static str> {
        self.events.lock().unwrap().clone()
    }
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn while_redis_does_not_answer_calls_are_refused_where_so_chosen() {
    let outage = Outage::begin(OnError::Deny).await;
    for _ in 0..2 {
        assert!(matches!(outage.ask(1).await, Verdict::Unavailable(_)));
    }
    assert_eq!(outage.events(), ["store_lost"]);
    outage.end().await;
    assert!(matches!(outage.ask(1).await, Verdict::Admitted(_)));
    assert_eq!(outage.events(), ["store_lost", "store_found"]);
    let stats = outage.store.stats();
    assert_eq!((stats.decided, stats.undecided), (2, 2));
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn what_is_used_of_a_quota_in_an_outage_counts_when_it_is_over() {
    let outage = Outage::begin(OnError::Allow).await;
    for _ in 0..3 {
        // More than there is: nobody knows.
        let Verdict::Admitted(holds) = outage.ask(1000).await else {
            panic!("everything is allowed");
        };
        assert_eq!(holds[0].left(), None);
        outage.store.settle(holds, &[20]);
    }
    outage.end().await;
    // Of 100, 1 is held since before.
    let Verdict::Refused(refused) = outage.ask(40).await else {
        panic!("60 were used");
    };
    assert_eq!(refused.left.remaining, 39);
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn in_an_outage_each_process_has_its_share() {
    let outage = Outage::begin(OnError::Local).await;
    // As if three others had been seen.
    outage.store.shared().set_processes(4);
    assert!(matches!(outage.ask(26).await, Verdict::Unavailable(_)));
    assert!(matches!(outage.ask(101).await, Verdict::Refused(_)));
    let Verdict::Admitted(holds) = outage.ask(25).await else {
        panic!("a fourth of 100");
    };
    assert_eq!(holds[0].claim().limit.amount(), 100);
    assert!(matches!(outage.ask(1).await, Verdict::Refused(_)));
    outage.store.settle(holds, &[5]);
    assert!(matches!(outage.ask(20).await, Verdict::Admitted(_)));
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn a_server_that_forgot_gives_nothing_back_that_was_taken_before() {
    let (redis, _driver) = store(OnError::Deny).await;
    let limit = rate(100, 3600);
    let ask = |amount| redis.reserve(vec![claim("r", "k", limit, amount)]);
    let Verdict::Admitted(before) = ask(60).await else {
        panic!("60 of 100");
    };
    let key = redis.shared().keys.level(before[0].claim().key.as_str());
    let mut connection = connection().await;
    ::redis::cmd("DEL")
        .arg(key)
        .exec_async(&mut connection)
        .await
        .unwrap();
    let Verdict::Admitted(_after) = ask(100).await else {
        panic!("one further bucket");
    };
    redis.settle(before, &[0]);
    redis.flush().await;
    assert!(matches!(ask(1).await, Verdict::Refused(_)));
}

#[tokio::test]
#[ignore = "needs a Redis"]
async fn what_was_done_and_not_answered_is_not_done_again() {
    let outage = Outage::begin(OnError::Deny).await;
    outage.turn(Cable::Whole);
    let Verdict::Admitted(holds) = outage.ask(50).await else {
        panic!("1 of 100 is held");
    };
    outage.turn(Cable::Deaf);
    outage.store.settle(holds, &[20]);
    while !outage.store.stats().is_lost {
        tokio::task::yield_now().await;
    }
    outage.end().await;
    outage.store.flush().await;
    let Verdict::Refused(refused) = outage.ask(100).await else {
        panic!("21 are taken");
    };
    assert_eq!(refused.left.remaining, 79);
}
