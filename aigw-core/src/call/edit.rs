use std::ops::Range;

use bytes::Bytes;
use http::{Request, header};

use super::{Call, HasCall, call::Options};
use crate::dialect::Dialect;

/// A change to what is sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// Asks for another model, in the body. Where the model stands in the path, the backend's URL
    /// rewriting reads it from [`HasCall::model`], and the body names it
    /// too, for a backend that looks there.
    Model(Box<str>),
    /// Asks for the usage of a stream: `stream_options.include_usage = true`.
    IncludeUsage,
}

impl Edit {
    /// Makes the change to a request. Answers whether it took effect, as [`HasCall::edit`] does.
    ///
    /// The length that the caller announced is then no longer that of the body, and a transport
    /// that believed it would send a part: it is taken out of the head, for the transport to say
    /// what the body has.
    #[must_use = "not every body can be edited"]
    pub fn apply<B: HasCall>(self, request: &mut Request<B>) -> bool {
        let edited = request.body_mut().edit(self);
        if edited {
            request.headers_mut().remove(header::CONTENT_LENGTH);
        }
        edited
    }
}

/// The last edit of each kind, as replaced and inserted spans over the original bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits {
    model: Option<Box<str>>,
    include_usage: bool,
    /// In the order of their places.
    splices: Vec<Splice>,
}

#[derive(Clone, Debug)]
struct Splice {
    span: Range<usize>,
    bytes: Bytes,
}

impl Edits {
    pub(super) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Adds an edit; answers whether there is a place for it.
    pub(super) fn apply(&mut self, call: &Call, edit: Edit) -> bool {
        match edit {
            Edit::Model(model) => self.model = Some(model),
            Edit::IncludeUsage => match call.anchors().stream_options {
                Some(Options::Foreign) => return false,
                _ => self.include_usage = true,
            },
        }
        self.splices = self.splices_of(call);
        true
    }

    /// All edits over again: members that two of them put at the beginning need commas by turns.
    fn splices_of(&self, call: &Call) -> Vec<Splice> {
        let anchors = call.anchors();
        let mut splices = Vec::with_capacity(2);
        let mut members = Vec::new();
        if let Some(model) = &self.model {
            let spelt = serde_json::Value::from(&**model).to_string();
            match &anchors.model {
                Some(span) => splices.push(Splice::new(span.clone(), spelt)),
                // Google refuses members that it does not know, and reads the model from the path.
                None if call.dialect() == Dialect::Gemini => {}
                // Also where the path names it: the call may go on to a backend that reads the
                // body.
                None => members.push(format!(r#""model":{spelt}"#)),
            }
        }
        if self.include_usage {
            match (&anchors.include_usage, &anchors.stream_options) {
                (Some(value), _) => splices.push(Splice::new(value.clone(), "true".into())),
                (None, Some(Options::Null(span))) => {
                    let options = r#"{"include_usage":true}"#;
                    splices.push(Splice::new(span.clone(), options.into()));
                }
                (None, Some(Options::Object { start, empty })) => {
                    let comma = if *empty { "" } else { "," };
                    let member = format!(r#""include_usage":true{comma}"#);
                    splices.push(Splice::new(*start..*start, member));
                }
                (None, Some(Options::Foreign)) => {}
                (None, None) => members.push(r#""stream_options":{"include_usage":true}"#.into()),
            }
        }
        // A call without a body, such as a GET, has no document that a member could stand in.
        let has_document = call.body().is_some_and(|body| !body.is_empty());
        if has_document && !members.is_empty() {
            let mut members = members.join(",");
            if !anchors.empty {
                members.push(',');
            }
            splices.push(Splice::new(anchors.start..anchors.start, members));
        }
        splices.sort_by_key(|splice| splice.span.start);
        splices
    }

    /// How many bytes the edited document has.
    pub(super) fn len(&self, body: &Bytes) -> usize {
        self.splices.iter().fold(body.len(), |len, splice| {
            len - splice.span.len() + splice.bytes.len()
        })
    }

    /// The piece in this place of the edited document: the original, whose memory it shares, and
    /// edits by turns. `None` behind the last. Some are empty.
    pub(super) fn piece(&self, body: &Bytes, place: usize) -> Option<Bytes> {
        let next = self.splices.get(place / 2);
        if place % 2 == 1 {
            return next.map(|splice| splice.bytes.clone());
        }
        let from = match (place / 2).checked_sub(1) {
            Some(last) => self.splices.get(last)?.span.end,
            None => 0,
        };
        Some(body.slice(from..next.map_or(body.len(), |splice| splice.span.start)))
    }
}

impl Splice {
    fn new(span: Range<usize>, bytes: String) -> Self {
        Self {
            span,
            bytes: bytes.into(),
        }
    }
}
