use tower_layer::Layer;

use super::ReportService;

/// Tells a [`Report`](super::Report) what each call used, once it is over. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct ReportLayer<R> {
    report: R,
}

impl<R> ReportLayer<R> {
    /// Tells `report`, of which each call takes a clone.
    pub fn new(report: R) -> Self {
        Self { report }
    }
}

impl<S, R: Clone> Layer<S> for ReportLayer<R> {
    type Service = ReportService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        ReportService {
            inner,
            report: self.report.clone(),
        }
    }
}
