use std::{borrow::Cow, error::Error, fmt, str::FromStr};

use http::{HeaderMap, HeaderName};

use super::{ClientAddr, Consumer};
use crate::call::Call;

/// A property by which calls are told apart.
///
/// Parsed from its text form, which [the module](super) lists, and displayed as such.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dimension {
    /// The consumer's id.
    Consumer,
    /// The end user whom the request names.
    User,
    /// The model that is asked.
    Model,
    /// The operation.
    Operation,
    /// The caller's address, where the server states it as [`ClientAddr`]; an IPv4 address inside
    /// IPv6 counts as IPv4.
    Ip,
    /// The first value of a request header, if it is text.
    Header(HeaderName),
    /// A label of the consumer.
    Label(Box<str>),
}

impl Dimension {
    /// A label of the consumer.
    pub fn label(name: impl Into<Box<str>>) -> Self {
        Self::Label(name.into())
    }

    /// The value for a call, or `None` where it is not known. `headers` are those of the request.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use aigw_core::{
    ///     call::{Call, Record},
    ///     dialect::Target,
    ///     key::{Consumer, Dimension},
    /// };
    /// use bytes::Bytes;
    ///
    /// let request = http::Request::post("/v1/chat/completions").body(()).unwrap();
    /// let target = Target::recognize(request.method(), request.uri(), request.headers());
    /// let record = Arc::new(Record::default());
    /// record.state(Consumer::new("team-a").label("tier", "gold"));
    /// let body = Bytes::from_static(br#"{"model":"gpt-4o","messages":[]}"#);
    /// let call = Call::parse(target, body, record).unwrap();
    ///
    /// let value = |dimension: Dimension| dimension.value(&call, request.headers());
    /// assert_eq!(value(Dimension::Model).as_deref(), Some("gpt-4o"));
    /// assert_eq!(value(Dimension::Label("tier".into())).as_deref(), Some("gold"));
    /// assert_eq!(value(Dimension::User), None);
    /// ```
    #[must_use]
    pub fn value<'a>(&self, call: &'a Call, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
        let consumer = || call.record().latest::<Consumer>();
        match self {
            Self::Consumer => Some(consumer()?.id.to_string().into()),
            Self::User => call.user().map(Cow::Borrowed),
            Self::Model => call.model().map(Cow::Borrowed),
            Self::Operation => Some(call.operation().as_str().into()),
            Self::Ip => {
                let ClientAddr(ip) = *call.record().latest()?;
                Some(ip.to_canonical().to_string().into())
            }
            Self::Header(name) => headers.get(name)?.to_str().ok().map(Cow::Borrowed),
            Self::Label(name) => Some(consumer()?.labels.get(name)?.to_string().into()),
        }
    }
}

impl FromStr for Dimension {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = |flaw| ParseError {
            text: text.into(),
            flaw,
        };
        Ok(match text {
            "consumer" => Self::Consumer,
            "user" => Self::User,
            "model" => Self::Model,
            "operation" => Self::Operation,
            "ip" => Self::Ip,
            _ => match text.split_once(':') {
                Some(("header" | "label", "")) => return Err(error(Flaw::NoName)),
                Some(("header", name)) => {
                    let name = HeaderName::try_from(name);
                    Self::Header(name.map_err(|_| error(Flaw::NotAHeader))?)
                }
                Some(("label", name)) => Self::Label(name.into()),
                _ => return Err(error(Flaw::Unknown)),
            },
        })
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consumer => f.write_str("consumer"),
            Self::User => f.write_str("user"),
            Self::Model => f.write_str("model"),
            Self::Operation => f.write_str("operation"),
            Self::Ip => f.write_str("ip"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Label(name) => write!(f, "label:{name}"),
        }
    }
}

/// A text that is no [`Dimension`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    text: Box<str>,
    flaw: Flaw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Unknown,
    NoName,
    NotAHeader,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no key: ", self.text)?;
        f.write_str(match self.flaw {
            Flaw::Unknown => {
                "expected consumer, user, model, operation, ip, header:NAME or label:NAME"
            }
            Flaw::NoName => "a name must follow the colon",
            Flaw::NotAHeader => "what follows the colon is not a header name",
        })
    }
}

impl Error for ParseError {}
