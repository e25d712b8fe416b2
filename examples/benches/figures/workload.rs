//! Work without a network: the layers, or nothing, over a provider in memory.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    str::FromStr,
    task::{Context, Poll, Waker},
    time::Duration,
};

use aigw_core::{BoxError, call::CallLayer, key::Dimension, meter::MeterLayer};
use aigw_policies::{
    access::{self, AuthenticateLayer},
    budget::{MemoryStore, Rate},
    token_limit::{Budget, OnOpaque, TokenLimitLayer},
    tokens::Fast,
};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame};
use http_body_util::Full;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{
    Result,
    payload::{self, Answer},
};

/// What is done over and over, and behind what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) work: Work,
    pub(crate) behind: Behind,
}

/// What stands before the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Nothing,
    /// Call and meter.
    Layers,
    /// The same with keys and a token limit whose prompts are estimated.
    Limited,
}

impl Behind {
    pub(crate) const ALL: [Self; 3] = [Self::Nothing, Self::Layers, Self::Limited];

    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Layers => "layers",
            Self::Limited => "limited",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A call with a prompt of 2 KB and a whole answer.
    ShortCall,
    /// A call with a prompt of 32 KB and a whole answer.
    LongCall,
    /// A chunk of a stream whose usage the caller asked for.
    Chunk,
    /// A chunk of a stream whose usage is hidden from the caller.
    HidingChunk,
}

impl Work {
    pub(crate) const ALL: [Self; 4] = [
        Self::ShortCall,
        Self::LongCall,
        Self::Chunk,
        Self::HidingChunk,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ShortCall => "call-2k",
            Self::LongCall => "call-32k",
            Self::Chunk => "chunk",
            Self::HidingChunk => "chunk-hiding-usage",
        }
    }
}

impl Workload {
    pub(crate) fn name(self) -> String {
        format!("{}/{}", self.work.name(), self.behind.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let all = Work::ALL
            .into_iter()
            .flat_map(|work| Behind::ALL.map(|behind| Self { work, behind }));
        let mut all = all;
        all.find(|workload| workload.name() == name)
            .ok_or_else(|| format!("no workload `{name}`"))
    }
}

/// Does it so many times.
pub(crate) fn run(workload: Workload, times: usize) -> Result {
    let (prompts, answer, calls) = match workload.work {
        Work::ShortCall => (payload::prompts(2 << 10, false), None, times),
        Work::LongCall => (payload::prompts(32 << 10, false), None, times),
        Work::Chunk => (vec![asking(payload::prompt(2 << 10, true))], Some(times), 1),
        Work::HidingChunk => (vec![payload::prompt(2 << 10, true)], Some(times), 1),
    };
    let answer = match answer {
        None => Answer::Whole(payload::completion()),
        Some(chunks) => Answer::Events(vec![payload::event(); chunks]),
    };
    match workload.behind {
        Behind::Nothing => repeat(&nothing(answer), &prompts, calls),
        Behind::Layers => repeat(&layers(answer), &prompts, calls),
        Behind::Limited => repeat(&limited(answer)?, &prompts, calls),
    }
}

fn repeat<S, B>(stack: &S, prompts: &[Bytes], calls: usize) -> Result
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body<Data = Bytes>,
{
    let mut prompts = prompts.iter().cycle().take(calls);
    prompts.try_for_each(|prompt| call(stack, prompt.clone()).map(drop))
}

/// The prompt of a caller that wants to know the usage.
pub(crate) fn asking(prompt: Bytes) -> Bytes {
    let mut asking = prompt.strip_suffix(b"}").unwrap_or(&prompt).to_vec();
    asking.extend_from_slice(br#","stream_options":{"include_usage":true}}"#);
    asking.into()
}

/// Call and meter over a provider in memory.
pub(crate) fn layers(
    answer: Answer,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<impl Body<Data = Bytes, Error = BoxError>>,
    Error = Infallible,
> + Clone {
    ServiceBuilder::new()
        .layer(CallLayer::new())
        .layer(MeterLayer::new())
        .service(provider(answer))
}

/// The same behind keys and far from a limit.
fn limited(
    answer: Answer,
) -> Result<
    impl Service<
        Request<Full<Bytes>>,
        Response = Response<impl Body<Data = Bytes, Error = BoxError>>,
        Error = Infallible,
    > + Clone,
> {
    let caller = access::ConsumerConfig::new("caller").key(KEY);
    let authenticate = AuthenticateLayer::try_new(access::Config::default().consumer(caller))?;
    let rate = Rate::try_new(1_000_000_000_000, Duration::from_secs(60))?;
    let budget = Budget::new("rate", rate).key([Dimension::Consumer, Dimension::Model]);
    let limit = TokenLimitLayer::try_new([budget], MemoryStore::new(), OnOpaque::Pass)?;
    Ok(ServiceBuilder::new()
        .layer(authenticate)
        .layer(CallLayer::new())
        .layer(limit.estimator(Fast::new()))
        .layer(MeterLayer::new())
        .service(provider(answer)))
}

/// What callers show.
const KEY: &str = "sk-0123456789abcdef";

/// The provider alone.
pub(crate) fn nothing(
    answer: Answer,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<impl Body<Data = Bytes, Error = Infallible>>,
    Error = Infallible,
> + Clone {
    provider(answer)
}

fn provider<B>(
    answer: Answer,
) -> impl Service<Request<B>, Response = Response<Canned>, Error = Infallible> + Clone {
    service_fn(move |_| {
        let (media, chunks) = answer.parts();
        let mut response = Response::new(Canned(chunks.into_iter()));
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        std::future::ready(Ok(response))
    })
}

/// An answer's chunks.
pub(crate) struct Canned(std::vec::IntoIter<Bytes>);

impl Body for Canned {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(Frame::data).map(Ok))
    }
}

/// Makes one call and reads its answer to the end; answers how many bytes it had.
pub(crate) fn call<S, B>(stack: &S, prompt: Bytes) -> Result<usize>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
    B: Body<Data = Bytes>,
{
    read(open(stack, "/v1/chat/completions", prompt)?)
}

/// Makes one call; answers the body, unread.
pub(crate) fn open<S, B>(stack: &S, path: &str, prompt: Bytes) -> Result<B>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible> + Clone,
{
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("api-key", KEY)
        .body(Full::new(prompt))?;
    let answer = at_once(stack.clone().oneshot(request))??;
    if !answer.status().is_success() {
        return Err(format!("answered {}", answer.status()).into());
    }
    Ok(answer.into_body())
}

/// Reads a body to its end; answers how many bytes it had.
pub(crate) fn read<B: Body<Data = Bytes>>(body: B) -> Result<usize> {
    let mut body = pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    let mut bytes = 0;
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
        let frame = frame.map_err(|_| "the answer broke")?;
        bytes += frame
            .data_ref()
            .map_or(0, |data| std::hint::black_box(data).len());
    }
    Ok(bytes)
}

fn at_once<F: Future>(future: F) -> Result<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Ok(output),
        Poll::Pending => Err("work without a network waited".into()),
    }
}
