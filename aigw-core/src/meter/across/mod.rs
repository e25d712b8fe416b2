//! Carries the meter past a layer that does not know it.
//!
//! A tracing or timeout layer of another crate wraps the response body in a type of its own, which
//! is not [`Metered`](super::Metered). [`Across`] takes the meter off the body inside that layer
//! and puts it on again outside:
//!
//! ```text
//! policy ──► [ AcrossBody ◄── foreign layer ◄── CarryBody ] ◄── MeterLayer
//!                   └────────── meter ◄────────────┘
//! ```
//!
//! The meter outside is that of the last frame that came through. A foreign layer that answers by
//! itself has a body without a meter; it counts as an answer that nobody gave.
//!
//! # Examples
//!
//! ```
//! use std::convert::Infallible;
//!
//! use aigw_core::{call::CallLayer, meter::{Across, MeterLayer, Metered}};
//! use http::{Request, Response};
//! use http_body_util::BodyExt;
//! use tower::{ServiceBuilder, ServiceExt, util::MapResponseLayer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! // A box knows nothing of meters, as the body of any foreign layer.
//! let foreign = MapResponseLayer::new(|answer: Response<_>| answer.map(BodyExt::boxed_unsync));
//! let service = ServiceBuilder::new()
//!     .layer(CallLayer::new())
//!     .layer(Across::new(foreign))
//!     .layer(MeterLayer::new())
//!     .service_fn(async |_| {
//!         let answer = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
//!         let head = Response::builder().header("content-type", "application/json");
//!         Ok::<_, Infallible>(head.body(answer.to_owned()).unwrap())
//!     });
//!
//! let body = r#"{"model":"m","messages":[]}"#.to_owned();
//! let request = Request::post("/v1/chat/completions").body(body)?;
//! let mut answer = service.oneshot(request).await?.into_body();
//! while let Some(frame) = answer.frame().await {
//!     frame?;
//! }
//! assert_eq!(answer.meter().usage().total(), Some(7));
//! # Ok(())
//! # }
//! ```

mod body;
mod layer;
mod service;

pub use self::{
    body::{AcrossBody, CarryBody},
    layer::Across,
    service::{AcrossFuture, AcrossService, Carry, CarryFuture},
};
