use std::{fmt, ops::Range, sync::Arc};

use bytes::Bytes;
use http::Extensions;
use http_body::Body;

use super::{CallBody, LongString, Record, budget::Hold};
use crate::dialect::{Dialect, Operation, Target};

/// What a caller asks, read once from head and body.
///
/// The view is always that of the original request: an [`Edit`](super::Edit) changes what is sent,
/// not what was asked.
pub struct Call {
    summary: Arc<Summary>,
    layout: Layout,
    body: Option<Bytes>,
    _hold: Option<Hold>,
}

/// What is known of a call, which outlives its body: many answers stream for minutes, and a prompt
/// can be large.
pub(crate) struct Summary {
    target: Target,
    record: Arc<Record>,
    view: View,
    opaque: bool,
}

/// What the body says.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) model: Option<Box<str>>,
    pub(super) stream: bool,
    pub(super) asks_usage: Option<bool>,
    pub(super) output_cap: Option<u64>,
    pub(super) choices: Option<u64>,
    pub(super) best_of: Option<u64>,
    pub(super) user: Option<Box<str>>,
    pub(super) previous_response: Option<Box<str>>,
}

/// Where in the body what stands.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) parts: Vec<Part>,
    pub(super) long_strings: Vec<LongString>,
    pub(super) anchors: Anchors,
}

/// Where edits attach.
#[derive(Debug, Default, Clone)]
pub(super) struct Anchors {
    /// Just after the opening brace of the document.
    pub(super) start: usize,
    /// Whether the document has no member.
    pub(super) empty: bool,
    pub(super) model: Option<Range<usize>>,
    pub(super) stream_options: Option<Options>,
    pub(super) include_usage: Option<Range<usize>>,
}

/// The value of `stream_options`.
#[derive(Debug, Clone)]
pub(super) enum Options {
    Null(Range<usize>),
    Object {
        start: usize,
        empty: bool,
    },
    /// It, or its `include_usage`, has a type that is not its own: the provider's to refuse.
    Foreign,
}

/// A piece of the prompt, as raw JSON in the request body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// What the piece is.
    pub kind: PartKind,
    /// Where its JSON value stands in [`Call::body`].
    pub span: Range<usize>,
}

/// What a [`Part`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartKind {
    /// Instructions that stand outside the messages: Anthropic `system`, Responses `instructions`,
    /// Gemini `systemInstruction`.
    System,
    /// One message of a conversation.
    Message,
    /// The input of an operation without messages: `input`, `prompt`, `content`.
    Input,
    /// The list of tools or functions.
    Tools,
    /// The form that the answer must have: `response_format`, `text`, `responseSchema`.
    Format,
}

// What the caller wrote, prompt and user, is not for logs that print the call in passing.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("target", &self.summary.target)
            .field("model", &self.summary.view.model)
            .field("stream", &self.summary.view.stream)
            .field("record", &self.summary.record)
            .field("bytes", &self.body.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

/// A call in the extensions of its own request.
#[derive(Clone, Debug)]
pub(super) struct Carried(Arc<Call>);

impl<B: Body> From<&CallBody<B>> for Carried {
    fn from(body: &CallBody<B>) -> Self {
        Self(Arc::clone(body.carried()))
    }
}

impl Call {
    /// The call that a [`CallLayer`](super::CallLayer) further out has read from this request. For
    /// layers that stand where the typed body cannot reach; a policy asks
    /// [`HasCall`](super::HasCall).
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get::<Carried>().map(|carried| &carried.0)
    }

    pub(super) fn buffered(
        target: Target,
        record: Arc<Record>,
        view: View,
        layout: Layout,
        body: Bytes,
        hold: Option<Hold>,
    ) -> Self {
        let summary = Summary {
            target,
            record,
            view,
            opaque: false,
        };
        Self {
            summary: Arc::new(summary),
            layout,
            body: Some(body),
            _hold: hold,
        }
    }

    /// A call whose body is passed through unread, with the model if its form fields named one.
    pub(super) fn opaque(target: Target, record: Arc<Record>, model: Option<Box<str>>) -> Self {
        let view = View {
            model,
            ..View::default()
        };
        Self::over(Arc::new(Summary {
            target,
            record,
            view,
            opaque: true,
        }))
    }

    /// The same call without its body and without the room that it holds: to keep while its answer
    /// streams, which may take minutes.
    #[must_use]
    pub fn without_body(&self) -> Self {
        Self::over(Arc::clone(&self.summary))
    }

    /// A call that has no body any more, or never had one that was read.
    pub(crate) fn over(summary: Arc<Summary>) -> Self {
        Self {
            summary,
            layout: Layout::default(),
            body: None,
            _hold: None,
        }
    }

    /// What is known of it without its body.
    pub(crate) fn summary(&self) -> &Arc<Summary> {
        &self.summary
    }

    /// What the head of the request said.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.summary.target
    }

    /// Whose words the caller speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.summary.target.dialect()
    }

    /// What is asked.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.summary.target.operation()
    }

    /// The model that is asked: the one in the path, else the one in the body.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.summary
            .target
            .path_model()
            .or(self.summary.view.model.as_deref())
    }

    /// Whether the answer is asked for as a stream.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.summary.view.stream || self.summary.target.streams()
    }

    /// `stream_options.include_usage`, if the caller wrote it.
    #[must_use]
    pub fn asks_usage(&self) -> Option<bool> {
        self.summary.view.asks_usage
    }

    /// The greatest number of output tokens that the caller allows for each choice.
    #[must_use]
    pub fn output_cap(&self) -> Option<u64> {
        self.summary.view.output_cap
    }

    /// How many answers the caller asks for at once (`n`, `candidateCount`); 1 if unsaid.
    #[must_use]
    pub fn choices(&self) -> u64 {
        self.summary.view.choices.unwrap_or(1)
    }

    /// How many answers the model writes, of which the caller is given as many as it
    /// [asks for](Self::choices): `best_of` of the older completions; else as many.
    #[must_use]
    pub fn drafts(&self) -> u64 {
        let best_of = self.summary.view.best_of.unwrap_or(1);
        best_of.max(self.choices())
    }

    /// The end user that the caller names (`user`, `safety_identifier`, `metadata.user_id`).
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.summary.view.user.as_deref()
    }

    /// The stored response that this one continues (`previous_response_id`).
    #[must_use]
    pub fn previous_response(&self) -> Option<&str> {
        self.summary.view.previous_response.as_deref()
    }

    /// The request body as the caller sent it; empty for a request without one. `None` for an
    /// opaque call, and for [one that is over](crate::meter::Ended::call).
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// Whether the body passes through unread.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        self.summary.opaque
    }

    /// The pieces of the prompt, in the order in which they stand in the body; none where the call has
    /// no [`body`](Self::body).
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.layout.parts
    }

    /// The raw JSON of a piece.
    #[must_use]
    pub fn json(&self, part: &Part) -> &[u8] {
        self.body
            .as_ref()
            .and_then(|body| body.get(part.span.clone()))
            .unwrap_or_default()
    }

    /// The strings of the body of 256 bytes and more, but for keys, in the order in which they stand
    /// there: whoever reads a piece need not look for where they end.
    #[must_use]
    pub fn long_strings(&self) -> &[LongString] {
        &self.layout.long_strings
    }

    /// What the layers have learnt about this call.
    #[must_use]
    pub fn record(&self) -> &Arc<Record> {
        &self.summary.record
    }

    pub(super) fn anchors(&self) -> &Anchors {
        &self.layout.anchors
    }
}
