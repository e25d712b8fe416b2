//! Server-sent events, read as they pass.
//!
//! [`Lexer`] follows the [event stream grammar][html] over any chunking: lines that end in LF, CR
//! or CRLF, a leading byte order mark, comments, data of several lines. It borrows from each chunk
//! and keeps a few bytes of state, so an event of any size costs no memory.
//!
//! # Examples
//!
//! ```
//! use aigw_core::sse::{Lexer, Token};
//!
//! let mut lexer = Lexer::new();
//! let mut data = Vec::new();
//! for chunk in [&b"data: {\"a\""[..], b":1}\r", b"\n\r\n"] {
//!     let mut rest = chunk;
//!     while let Some(token) = lexer.next(&mut rest) {
//!         match token {
//!             Token::Data(piece) => data.extend_from_slice(piece),
//!             Token::Event => assert_eq!(data, b"{\"a\":1}"),
//!             _ => {}
//!         }
//!     }
//! }
//! assert_eq!(data, b"{\"a\":1}");
//! ```
//!
//! [html]: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

mod lexer;

pub use self::lexer::{Lexer, Token};
