use std::sync::Arc;

use aigw_core::{
    reject::{MakeRejection, Refuser},
    rt::Offload,
};
use http::StatusCode;
use tower_layer::Layer;

use super::{
    Budget, ConfigError, Handle, OnOpaque, Output, TokenLimit, budgets::Budgets,
    elsewhere::Elsewhere, limiter::Limiter,
};
use crate::{
    budget::{Headers, Store},
    tokens::{Estimator, Off},
};

/// Admits calls while every budget that holds for them has enough left. See the
/// [module](super).
#[doc(alias = "llm-token-limit")]
#[doc(alias = "azure-openai-token-limit")]
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenLimitLayer<St> {
    limiter: Arc<Limiter<St>>,
}

impl<St: Store> TokenLimitLayer<St> {
    /// A limiter with these budgets, whose levels are in `store`. What it cannot read, `opaque`
    /// decides over.
    ///
    /// Prompts are not estimated unless [an estimator](Self::estimator) is given.
    ///
    /// # Errors
    ///
    /// No budget at all, two of the same name, one whose condition is empty, one by the model that
    /// answers without a model in its key, or one whose limit is too fine for the store.
    pub fn try_new(
        budgets: impl IntoIterator<Item = Budget>,
        store: St,
        opaque: OnOpaque,
    ) -> Result<Self, ConfigError> {
        let budgets: Vec<_> = budgets.into_iter().collect();
        if budgets.is_empty() {
            return Err(ConfigError::NoBudget);
        }
        for (index, budget) in budgets.iter().enumerate() {
            let mut before = budgets.iter().take(index);
            if before.any(|before| before.name() == budget.name()) {
                return Err(ConfigError::Duplicate(budget.name().into()));
            }
            if budget.holds_for_nothing_named() {
                let fault = "`when` names no value".into();
                return Err(ConfigError::Budget(budget.name().into(), fault));
            }
            if budget.lacks_model() {
                let fault = "it is by the model that answers, and its key has no `model`".into();
                return Err(ConfigError::Budget(budget.name().into(), fault));
            }
            if let Some(fault) = budget.unit().mismatch(budget.limit()) {
                return Err(ConfigError::Budget(budget.name().into(), fault.into()));
            }
            store.check(budget.limit()).map_err(|fault| {
                ConfigError::Budget(budget.name().into(), fault.to_string().into())
            })?;
        }
        Ok(Self {
            limiter: Arc::new(Limiter {
                budgets: Arc::new(Budgets::new(budgets)),
                store,
                opaque,
                estimator: Arc::new(Off),
                output: Output::default(),
                headers: Headers::tokens(),
                quota_status: StatusCode::TOO_MANY_REQUESTS,
                refuser: Refuser::default(),
                stops_streams: false,
                learned: Arc::default(),
                served: Arc::default(),
                elsewhere: None,
            }),
        })
    }

    /// Shows its budgets, and changes them.
    #[must_use]
    pub fn handle(&self) -> Handle<St> {
        let Limiter { budgets, store, .. } = &*self.limiter;
        Handle::new(Arc::clone(budgets), store.clone())
    }

    /// Estimates prompts so, and tells the estimator what providers counted.
    ///
    /// An estimator that can [count](Estimator::count) is asked to where that can change what is
    /// decided: a prompt that might fit after all, or might not. No prompt is counted twice for one
    /// decision.
    pub fn estimator(self, estimator: impl Estimator + 'static) -> Self {
        self.changed(|limiter| limiter.estimator = Arc::new(estimator))
    }

    /// Counts there what takes too long for a reactor: a long prompt, or the first one of a
    /// vocabulary that is not loaded. Without it their estimates stand, and `Exact` counts nothing
    /// until its vocabularies are loaded (`Exact::load`).
    pub fn offload(self, offload: impl Offload) -> Self {
        self.changed(|limiter| limiter.elsewhere = Some(Elsewhere::new(offload)))
    }

    /// What output is expected of a call. Default: [`Output::Learned`].
    pub fn output(self, output: Output) -> Self {
        self.changed(|limiter| limiter.output = output)
    }

    /// Ends a stream that has written all that was held for it once a budget has nothing left, as
    /// if the model had reached its greatest length. Default: it runs on, and what it uses is a
    /// debt. See [the module](super#streams-without-a-budget).
    pub fn stop_streams(self, stop: bool) -> Self {
        self.changed(|limiter| limiter.stops_streams = stop)
    }

    /// In which headers callers are told what they have left. Default: [`Headers::tokens`].
    ///
    /// # Errors
    ///
    /// A name that stands twice, or that means something to HTTP or to clients that wait.
    pub fn headers(self, headers: Headers) -> Result<Self, ConfigError> {
        match headers.fault(None) {
            Some(name) => Err(ConfigError::Header(name.as_str().into())),
            None => Ok(self.changed(|limiter| limiter.headers = headers)),
        }
    }

    /// The status of a refusal by a quota. Default: 429; Azure API Management answers 403, which
    /// SDKs report as a missing permission.
    ///
    /// # Errors
    ///
    /// A status that is not from 400 to 499.
    pub fn quota_status(self, status: StatusCode) -> Result<Self, ConfigError> {
        if !status.is_client_error() {
            return Err(ConfigError::Status(status.as_u16()));
        }
        Ok(self.changed(|limiter| limiter.quota_status = status))
    }

    /// Answers so when a call is refused.
    pub fn rejection(self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.changed(|limiter| limiter.refuser = Refuser::new(make))
    }

    fn changed(mut self, change: impl FnOnce(&mut Limiter<St>)) -> Self {
        change(Arc::make_mut(&mut self.limiter));
        self
    }
}

impl<S, St> Layer<S> for TokenLimitLayer<St> {
    type Service = TokenLimit<S, St>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenLimit {
            inner,
            limiter: Arc::clone(&self.limiter),
        }
    }
}
