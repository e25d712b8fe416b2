use std::{
    fmt::Display,
    sync::Arc,
    task::{Context, Poll},
};

use aigw_core::{
    call::{Edit, HasCall},
    reject::{self, MakeRejection, Reason, Refusal, Refuser},
};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use tower_service::Service;

use super::{ConfigError, Decision, ResponseFuture, Table};

/// Which way a call went: a fact of its [`Record`](aigw_core::call::Record), stated before the
/// backend is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Routed {
    /// Which route decided, counted from zero.
    pub route: usize,
    /// The backend, as it is called in the table.
    pub backend: String,
    /// The model that the backend is asked for, where the route has an alias.
    pub alias: Option<String>,
}

/// Sends each call to the backend that a [`Table`] chooses. See the [module](super).
///
/// # Readiness
///
/// Always ready, since the backend is known only with the call. A fresh clone of the backend's
/// service is made ready then, and the call waits for it.
#[derive(Debug)]
pub struct Router<K, S> {
    table: Arc<Table<K>>,
    /// In the order of [`Table::backends`].
    services: Services<S>,
    refuser: Refuser,
}

#[derive(Debug)]
enum Services<S> {
    /// One for each route that sends, with the route's index.
    Each(Arc<[(usize, S)]>),
    One(S),
}

impl<K, S> Router<K, S>
where
    K: Display + PartialEq,
    S: Clone,
{
    /// A router over these backends.
    ///
    /// # Errors
    ///
    /// [`ConfigError::DuplicateBackend`] where two have one name, and [`ConfigError::UnknownBackend`]
    /// where a route names one that is not among them.
    pub fn try_new(
        table: Table<K>,
        backends: impl IntoIterator<Item = (K, S)>,
    ) -> Result<Self, ConfigError> {
        let backends: Vec<_> = backends.into_iter().collect();
        let mut names = backends.iter().enumerate();
        if let Some((_, (name, _))) = names
            .find(|(index, (name, _))| backends.iter().take(*index).any(|(known, _)| known == name))
        {
            let backend = name.to_string();
            return Err(ConfigError::DuplicateBackend { backend });
        }
        let services = table
            .backends()
            .map(|(route, name)| {
                let backend = backends.iter().find(|(known, _)| known == name);
                match backend {
                    Some((_, service)) => Ok((route, service.clone())),
                    None => Err(ConfigError::UnknownBackend {
                        route,
                        backend: name.to_string(),
                    }),
                }
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            table: Arc::new(table),
            services: Services::Each(services),
            refuser: Refuser::default(),
        })
    }
}

impl<K, S> Router<K, S> {
    pub(super) fn over_one(table: Arc<Table<K>>, service: S, refuser: Refuser) -> Self {
        Self {
            table,
            services: Services::One(service),
            refuser,
        }
    }

    /// Refuses with `make` in place of [`DialectJson`](aigw_core::reject::DialectJson).
    #[must_use]
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.refuser = Refuser::new(make);
        self
    }
}

impl<S: Clone> Services<S> {
    fn of(&self, route: usize) -> Option<S> {
        match self {
            Self::One(service) => Some(service.clone()),
            Self::Each(services) => {
                let at = services
                    .binary_search_by_key(&route, |(route, _)| *route)
                    .ok()?;
                services.get(at).map(|(_, service)| service.clone())
            }
        }
    }
}

impl<K, S, ReqBody, ResBody> Service<Request<ReqBody>> for Router<K, S>
where
    K: Display,
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ReqBody: HasCall,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<reject::Body<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody, ResBody>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        match self.route(&mut request) {
            Ok(service) => ResponseFuture::calling(service, request),
            Err(refusal) => {
                let call = request.body().call();
                let refuser = &self.refuser;
                ResponseFuture::refused(refuser.refuse(call.dialect(), call.record(), *refusal))
            }
        }
    }
}

impl<K: Display, S: Clone> Router<K, S> {
    fn route<B: HasCall>(&self, request: &mut Request<B>) -> Result<S, Box<Refusal>> {
        let body = request.body();
        let call = Arc::clone(body.call());
        let (route, to, alias) = match self.table.choose(call.target(), body.model()) {
            Decision::Send { route, to, alias } => (route, to, alias),
            Decision::Reply { reply, .. } => return Err(Box::new(reply.refusal())),
            Decision::UnknownModel => return Err(unknown_model(body.model())),
            Decision::MissingModel => return Err(missing_model(call.is_opaque())),
            Decision::UnknownOperation => {
                return Err(unsupported("this operation is not served here"));
            }
            Decision::WrongMethod(allowed) => return Err(wrong_method(allowed.as_str())),
        };
        let Some(service) = self.services.of(route) else {
            return Err(unsupported("this route has no backend"));
        };
        call.record().state(Routed {
            route,
            backend: to.to_string(),
            alias: alias.map(str::to_owned),
        });
        if let Some(alias) = alias
            && !Edit::Model(alias.into()).apply(request)
        {
            return Err(unsupported("an upload cannot be served under an alias"));
        }
        Ok(service)
    }
}

fn unsupported(message: &'static str) -> Box<Refusal> {
    Box::new(Refusal::new(Reason::OperationNotSupported, message))
}

fn missing_model(upload: bool) -> Box<Refusal> {
    let message = if upload {
        "the upload names no `model`: put the field `model` into its form, before the first file"
    } else {
        "the request names no `model`"
    };
    Box::new(Refusal::new(Reason::MissingModel, message).param("model"))
}

fn unknown_model(model: Option<&str>) -> Box<Refusal> {
    // The name is the caller's own, and may be as long as a request.
    let model: String = model
        .unwrap_or_default()
        .chars()
        .take(LONGEST_NAME)
        .collect();
    Box::new(Refusal::new(
        Reason::UnknownModel,
        format!("The model `{model}` does not exist or is not served here"),
    ))
}

/// Characters of a model's name that a refusal repeats.
const LONGEST_NAME: usize = 128;

fn wrong_method(allowed: &str) -> Box<Refusal> {
    let refusal = Refusal::new(
        Reason::MethodNotAllowed,
        format!("method not allowed here; use {allowed}"),
    );
    Box::new(match HeaderValue::from_str(allowed) {
        Ok(allowed) => refusal.header(header::ALLOW, allowed),
        Err(_) => refusal,
    })
}

impl<K, S: Clone> Clone for Router<K, S> {
    fn clone(&self) -> Self {
        Self {
            table: Arc::clone(&self.table),
            services: match &self.services {
                Services::Each(services) => Services::Each(Arc::clone(services)),
                Services::One(service) => Services::One(service.clone()),
            },
            refuser: self.refuser.clone(),
        }
    }
}
