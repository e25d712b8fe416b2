use aigw_core::dialect::{Operation, Target};
use http::Method;

use super::{ConfigError, Reply, Route, pattern::Pattern, route::Action};

/// The routes of a gateway, in their order. Pure: it decides, and sends nothing.
#[derive(Clone, Debug)]
#[must_use]
pub struct Table<K> {
    routes: Vec<(Pattern, Route<K>)>,
}

/// What is to be done with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision<'t, K> {
    /// Send it to a backend.
    #[non_exhaustive]
    Send {
        /// Which route said so, counted from zero.
        route: usize,
        /// The backend.
        to: &'t K,
        /// The model that the backend is asked for instead of the caller's.
        alias: Option<&'t str>,
    },
    /// Answer it.
    #[non_exhaustive]
    Reply {
        /// Which route said so, counted from zero.
        route: usize,
        /// The answer.
        reply: &'t Reply,
    },
    /// The operation is served, but not for this model.
    UnknownModel,
    /// The operation is served by model, and none is named.
    MissingModel,
    /// The operation is not served.
    UnknownOperation,
    /// The path is asked with this method, and not with the caller's.
    WrongMethod(Method),
}

impl<K> Table<K> {
    /// A table of these routes. Without a route it refuses every call.
    ///
    /// # Errors
    ///
    /// A model that is no glob, a reply that does not refuse, or an alias that is empty or stands
    /// beside a reply.
    pub fn try_new(routes: impl IntoIterator<Item = Route<K>>) -> Result<Self, ConfigError> {
        let routes = routes.into_iter().enumerate();
        let routes = routes.map(|(index, route)| {
            if let Action::Reply(reply) = &route.action
                && !(reply.status.is_client_error() || reply.status.is_server_error())
            {
                let status = reply.status;
                return Err(ConfigError::ReplyStatus {
                    route: index,
                    status,
                });
            }
            let aliased = matches!(&route.action, Action::Send(_));
            if route
                .alias
                .as_deref()
                .is_some_and(|alias| alias.is_empty() || !aliased)
            {
                return Err(ConfigError::Alias { route: index });
            }
            match Pattern::try_new(&route.models) {
                Ok(pattern) => Ok((pattern, route)),
                Err(source) => Err(ConfigError::Glob {
                    route: index,
                    source,
                }),
            }
        });
        Ok(Self {
            routes: routes.collect::<Result<_, _>>()?,
        })
    }

    /// The backends that the routes name, each with the index of its route.
    pub fn backends(&self) -> impl Iterator<Item = (usize, &K)> {
        self.routes
            .iter()
            .enumerate()
            .filter_map(|(index, (_, route))| match &route.action {
                Action::Send(backend) => Some((index, backend)),
                Action::Reply(_) => None,
            })
    }

    /// What is to be done with a call for this target and model.
    pub fn choose(&self, target: &Target, model: Option<&str>) -> Decision<'_, K> {
        let operation = target.operation();
        let chosen = self
            .routes
            .iter()
            .enumerate()
            .find(|(_, (pattern, route))| route.serves(operation) && pattern.matches(model));
        match chosen {
            Some((index, (_, route))) => match &route.action {
                Action::Send(backend) => Decision::Send {
                    route: index,
                    to: backend,
                    alias: route.alias.as_deref(),
                },
                Action::Reply(reply) => Decision::Reply {
                    route: index,
                    reply,
                },
            },
            None => self.refuse(target, model),
        }
    }

    fn refuse(&self, target: &Target, model: Option<&str>) -> Decision<'_, K> {
        let operation = target.operation();
        if let Some(method) = target.allowed_method() {
            return Decision::WrongMethod(method.clone());
        }
        let served = self.routes.iter().any(|(_, route)| route.serves(operation));
        match (operation, model) {
            _ if !served => Decision::UnknownOperation,
            (_, Some(_)) => Decision::UnknownModel,
            // Nobody could name one: it is the operation that no route is for.
            (Operation::Models | Operation::Other, None) => Decision::UnknownOperation,
            _ => Decision::MissingModel,
        }
    }
}

impl<K> Route<K> {
    fn serves(&self, operation: Operation) -> bool {
        self.operations.is_empty() || self.operations.contains(&operation)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode, Uri};

    use super::*;

    fn target(method: Method, path: &'static str) -> Target {
        Target::recognize(&method, &Uri::from_static(path), &HeaderMap::new())
    }

    fn chat() -> Target {
        target(Method::POST, "/v1/chat/completions")
    }

    fn chosen(table: &Table<u8>, target: &Target, model: &str) -> Option<u8> {
        match table.choose(target, Some(model)) {
            Decision::Send { to, .. } => Some(*to),
            _ => None,
        }
    }

    #[test]
    fn the_first_route_that_matches_decides() {
        let table = Table::try_new([
            Route::to(1).model("gpt-4o*"),
            Route::to(2).model("gpt-4o"),
            Route::to(3).operation(Operation::Embeddings),
        ])
        .unwrap();
        assert_eq!(chosen(&table, &chat(), "gpt-4o"), Some(1));
        let embeddings = target(Method::POST, "/v1/embeddings");
        assert_eq!(chosen(&table, &embeddings, "other"), Some(3));
        assert_eq!(chosen(&table, &chat(), "other"), None);
    }

    #[test]
    fn what_no_route_serves_is_refused_for_what_is_wrong_with_it() {
        let table = Table::try_new([Route::to(1).model("gpt-4o").operation(Operation::Chat)]);
        let table = table.unwrap();
        let speech = target(Method::POST, "/v1/audio/speech");
        let files = target(Method::GET, "/v1/files");
        let get = target(Method::GET, "/v1/chat/completions");
        assert_eq!(table.choose(&chat(), Some("o3")), Decision::UnknownModel);
        assert_eq!(
            table.choose(&speech, Some("gpt-4o")),
            Decision::UnknownOperation
        );
        assert_eq!(table.choose(&files, None), Decision::UnknownOperation);
        assert_eq!(
            table.choose(&get, None),
            Decision::WrongMethod(Method::POST)
        );
    }

    #[test]
    fn a_call_that_could_name_a_model_and_does_not_is_told_so() {
        let table = Table::try_new([Route::to(1).model("*")]).unwrap();
        for (path, missing) in [
            ("/v1/audio/transcriptions", Decision::MissingModel),
            ("/v1/images/generations", Decision::MissingModel),
            ("/v1/files", Decision::UnknownOperation),
        ] {
            assert_eq!(table.choose(&target(Method::POST, path), None), missing);
        }
        let models = target(Method::GET, "/v1/models");
        assert_eq!(table.choose(&models, None), Decision::UnknownOperation);
    }

    #[test]
    fn a_table_without_routes_denies_everything() {
        let table = Table::<u8>::try_new([]).unwrap();
        assert_eq!(
            table.choose(&chat(), Some("gpt-4o")),
            Decision::UnknownOperation
        );
    }

    #[test]
    fn settings_that_cannot_take_effect_are_errors_that_name_the_route() {
        let routes = [Route::to(1), Route::to(2).model("gpt-[")];
        let error = Table::try_new(routes).unwrap_err();
        assert!(matches!(error, ConfigError::Glob { route: 1, .. }));
        let reply = Reply::new(StatusCode::OK, "fine", "fine");
        let error = Table::<u8>::try_new([Route::reply(reply)]).unwrap_err();
        assert!(matches!(error, ConfigError::ReplyStatus { route: 0, .. }));
    }
}
