use std::ops::Range;

use bytes::Bytes;

use super::{Call, call::Options};
use crate::dialect::Dialect;

/// A change to what is sent on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// Asks for another model, in the body. Where the model stands in the path, the backend's URL
    /// rewriting reads it from [`HasCall::model`](super::HasCall::model), and the body names it
    /// too, for a backend that looks there.
    Model(Box<str>),
    /// Asks for the usage of a stream: `stream_options.include_usage = true`.
    IncludeUsage,
}

/// Replaced and inserted spans over the original bytes, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits {
    model: Option<Box<str>>,
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

    pub(super) fn apply(&mut self, call: &Call, edit: Edit) -> bool {
        match edit {
            Edit::Model(model) => {
                let spelt = serde_json::Value::from(&*model).to_string();
                match call.anchors().model.clone() {
                    Some(span) => self.splice(span, spelt),
                    // Google refuses members that it does not know, and reads the model from the
                    // path.
                    None if call.dialect() == Dialect::Gemini => {}
                    // Also where the path names it: the call may go on to a backend that reads the
                    // body.
                    None => self.insert(call, "model", &spelt),
                }
                self.model = Some(model);
            }
            Edit::IncludeUsage => match (
                &call.anchors().include_usage,
                &call.anchors().stream_options,
            ) {
                (Some(value), _) => self.splice(value.clone(), "true".to_owned()),
                (None, Some(Options::Null(span))) => {
                    self.splice(span.clone(), r#"{"include_usage":true}"#.to_owned());
                }
                (None, Some(Options::Object { start, empty })) => {
                    let comma = if *empty { "" } else { "," };
                    self.splice(*start..*start, format!(r#""include_usage":true{comma}"#));
                }
                (None, None) => self.insert(call, "stream_options", r#"{"include_usage":true}"#),
            },
        }
        true
    }

    /// Puts a member at the beginning of the document.
    fn insert(&mut self, call: &Call, key: &str, value: &str) {
        let anchors = call.anchors();
        // A second insertion stands before the first, which then ends the empty document.
        let alone = anchors.empty
            && !self
                .splices
                .iter()
                .any(|splice| splice.span.end == anchors.start);
        let comma = if alone { "" } else { "," };
        let place = anchors.start..anchors.start;
        self.splices.insert(
            0,
            Splice {
                span: place,
                bytes: format!("\"{key}\":{value}{comma}").into(),
            },
        );
    }

    /// Replaces a span; a later edit of the same span wins.
    fn splice(&mut self, span: Range<usize>, bytes: String) {
        let bytes = Bytes::from(bytes);
        match self
            .splices
            .iter_mut()
            .find(|splice| splice.span == span && !span.is_empty())
        {
            Some(known) => known.bytes = bytes,
            None => {
                let place = self
                    .splices
                    .partition_point(|splice| splice.span.start <= span.start);
                self.splices.insert(place, Splice { span, bytes });
            }
        }
    }

    /// How many bytes the edited document has.
    pub(super) fn len(&self, body: &Bytes) -> usize {
        self.splices.iter().fold(body.len(), |len, splice| {
            len - splice.span.len() + splice.bytes.len()
        })
    }

    /// The edited document in pieces that share the original's memory, in reverse order.
    pub(super) fn render(&self, body: &Bytes) -> Vec<Bytes> {
        let mut pieces = Vec::with_capacity(2 * self.splices.len() + 1);
        let mut at = 0;
        for splice in &self.splices {
            pieces.push(body.slice(at..splice.span.start));
            pieces.push(splice.bytes.clone());
            at = splice.span.end;
        }
        pieces.push(body.slice(at..));
        pieces.retain(|piece| !piece.is_empty());
        pieces.reverse();
        pieces
    }
}
