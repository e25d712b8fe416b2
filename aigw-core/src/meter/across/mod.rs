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
//! use aigw_core::meter::Across;
//! use tower::{ServiceBuilder, layer::util::Identity};
//!
//! // Any layer between two of ours that changes the body's type.
//! let stack = ServiceBuilder::new().layer(Across::new(Identity::new()));
//! # let _ = stack;
//! ```

mod body;
mod layer;
mod service;

pub use self::{
    body::{AcrossBody, CarryBody},
    layer::Across,
    service::{AcrossFuture, AcrossService, Carry, CarryFuture},
};
