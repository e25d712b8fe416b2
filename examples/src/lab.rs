//! What the labs have in common: sending JSON, and reading it.
//!
//! # Examples
//!
//! ```
//! use aigw_core::{BoxError, rt::Tokio, testing::Provider};
//! use aigw_examples::lab;
//! use serde_json::json;
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello!"}]});
//! let request = lab::post("/v1/chat/completions", body.to_string())?;
//! let answer = lab::json(Provider::new(Tokio).oneshot(request).await?).await?;
//! assert_eq!(answer["choices"][0]["message"]["content"], "You said: Hello!");
//! # Ok(())
//! # }
//! ```

use aigw_core::BoxError;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use serde_json::Value;

/// A call as a client sends it.
///
/// # Errors
///
/// When `uri` is none.
pub fn post(uri: &str, body: impl Into<Bytes>) -> Result<Request<Full<Bytes>>, BoxError> {
    let request = Request::post(uri).header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(Full::new(body.into()))?)
}

/// An answer, read to its end.
///
/// # Errors
///
/// When it breaks off, or is no JSON.
pub async fn json<B>(answer: Response<B>) -> Result<Value, BoxError>
where
    B: Body<Error: Into<BoxError>>,
{
    let body = answer.into_body().collect().await.map_err(Into::into)?;
    Ok(serde_json::from_slice(&body.to_bytes())?)
}
