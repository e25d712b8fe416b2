use tower_layer::Layer;

use crate::{
    call::{CallLayer, CallService},
    meter::{MeterLayer, MeterService},
};

/// Brackets a policy with a [`CallLayer`] above it and a [`MeterLayer`] below it, both with their
/// defaults.
///
/// For whoever needs a single policy; several policies share one call and one meter.
///
/// # Examples
///
/// ```
/// use aigw_core::{around, meter::{Ended, ReportLayer}};
/// use http::{Request, Response, StatusCode};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let (told, reports) = std::sync::mpsc::channel();
/// let service = around(ReportLayer::new(move |ended: &Ended<'_>| {
///     let _ = told.send(ended.status);
/// }))
/// .layer(service_fn(async |_| Ok::<_, http::Error>(Response::new(String::new()))));
///
/// // An empty answer is over as soon as it is there.
/// service.oneshot(Request::get("/v1/models").body(String::new())?).await?;
/// assert_eq!(reports.recv()?, Some(StatusCode::OK));
/// # Ok(())
/// # }
/// ```
pub fn around<L>(policy: L) -> Around<L> {
    Around { policy }
}

/// A policy between a call and a meter; made by [`around`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Around<L> {
    policy: L,
}

impl<S, L> Layer<S> for Around<L>
where
    L: Layer<MeterService<S>>,
{
    type Service = CallService<L::Service>;

    fn layer(&self, inner: S) -> Self::Service {
        CallLayer::new().layer(self.policy.layer(MeterLayer::new().layer(inner)))
    }
}
