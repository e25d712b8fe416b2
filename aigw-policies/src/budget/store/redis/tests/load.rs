//! A Redis by hand, under more load than it takes.

use super::*;

/// Answers each script at once, and says which they were.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    scripts: Vec<Script>,
    /// What is settled whenever something was: the queue is never empty.
    next: Option<(RedisStore<Fake, Tokio>, u64)>,
    since: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Script {
    Reserve,
    Settle,
    Beat,
}

impl Script {
    fn of(cmd: &Cmd) -> Self {
        let command = cmd.get_packed_command();
        let names = |key: &[u8]| command.windows(key.len()).any(|window| window == key);
        match (names(b"}:processes"), names(b"}:sent:")) {
            (true, _) => Self::Beat,
            (_, true) => Self::Settle,
            _ => Self::Reserve,
        }
    }
}

impl Fake {
    fn open(&self, config: Config) -> RedisStore<Self, Tokio> {
        let (store, driver) = RedisStore::new(self.clone(), Tokio, config);
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
            Script::Reserve => Value::Array([1, 0, 90, 0].map(Value::Int).into()),
            Script::Settle => {
                let next = said.next.take().and_then(|(store, more)| {
                    settle_something(&store);
                    more.checked_sub(1).map(|more| (store, more))
                });
                said.next = next;
                Value::Int(1)
            }
            Script::Beat => Value::Array([1, said.since].map(Value::Int).into()),
        }
    }
}

impl ConnectionLike for Fake {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let script = Script::of(cmd);
        Box::pin(async move {
            if script == Script::Settle {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(self.answer(script))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        unreachable!("no pipeline is sent")
    }

    fn get_db(&self) -> i64 {
        0
    }
}

fn settle_something(store: &RedisStore<Fake, Tokio>) {
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
    // 22 batches of a second each, and a beat every five seconds.
    assert_eq!(between, [0, 5, 5, 5, 5, 2]);
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
    assert_eq!((holds[0].amount(), store.stats().lost), (10, 1));
    store.settle(holds, &[10]);
    assert_eq!(store.stats().lost, 1);
}
