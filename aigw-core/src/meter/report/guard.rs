use std::sync::Arc;

use http::StatusCode;

use crate::{
    call::{Call, Summary},
    meter::{Ending, Meter},
};

/// A call that is over.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ended<'a> {
    /// What was asked, and what the layers learnt about it ([`Call::record`]). Its body is gone: a
    /// report that needs more of the prompt than the call says takes it from the request.
    pub call: &'a Call,
    /// The status of the answer; `None` if the call ended before there was one.
    pub status: Option<StatusCode>,
    /// What the answer used.
    pub meter: &'a Meter,
    /// How the answer ended.
    pub ending: Ending,
}

/// Takes note of calls that are over. Implemented for every `Fn(&Ended<'_>)`, and for every [`Arc`]
/// of one.
///
/// Called from `poll` or `Drop`, in the task of the call: it must neither block nor panic.
pub trait Report {
    /// A call is over.
    fn report(&self, ended: &Ended<'_>);
}

impl<F: Fn(&Ended<'_>)> Report for F {
    fn report(&self, ended: &Ended<'_>) {
        self(ended);
    }
}

impl<R: Report + ?Sized> Report for Arc<R> {
    fn report(&self, ended: &Ended<'_>) {
        (**self).report(ended);
    }
}

/// Reports once: it moves from the future into the body, and whoever holds it at the end spends it.
#[must_use]
pub(super) struct Guard<R> {
    pending: Option<Pending<R>>,
}

struct Pending<R> {
    summary: Arc<Summary>,
    status: Option<StatusCode>,
    report: R,
}

impl<R: Report> Guard<R> {
    pub(super) fn new(call: &Call, report: R) -> Self {
        Self {
            pending: Some(Pending {
                summary: Arc::clone(call.summary()),
                status: None,
                report,
            }),
        }
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        if let Some(pending) = &mut self.pending {
            pending.status = Some(status);
        }
    }

    /// Moves the duty to report, and leaves nothing behind.
    pub(super) fn take(&mut self) -> Self {
        Self {
            pending: self.pending.take(),
        }
    }

    /// Reports, unless that is done.
    pub(super) fn end(&mut self, meter: &Meter, ending: Ending) {
        if let Some(Pending {
            summary,
            status,
            report,
        }) = self.pending.take()
        {
            report.report(&Ended {
                call: &Call::over(summary),
                status,
                meter,
                ending,
            });
        }
    }
}
