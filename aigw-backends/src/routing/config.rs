use aigw_core::dialect::Operation;

use super::{ConfigError, Reply, Route};

/// The section `[routing]` of a gateway's file.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
#[non_exhaustive]
pub struct RoutingConfig {
    /// What becomes of a call that no route matches.
    pub default: Fallback,
}

/// What becomes of a call that no route matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Fallback {
    /// It is refused.
    #[default]
    Deny,
}

/// One `[[route]]` of a gateway's file.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields, default))]
#[non_exhaustive]
pub struct RouteConfig {
    /// Names or globs; empty for all.
    pub model: Vec<String>,
    /// Operations by name; empty for all.
    pub operation: Vec<Operation>,
    /// The backend that serves it; absent for all there are, which must then be one.
    pub backends: Option<Vec<String>>,
    /// The model that the backend is asked for.
    pub alias: Option<String>,
    /// An answer of our own, in place of a backend.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "read::reply"))]
    pub reply: Option<Reply>,
}

impl RouteConfig {
    /// The route itself, the `index`-th in its file, where `all` are the backends that there are.
    ///
    /// # Errors
    ///
    /// A route needs one backend that exists, or a reply and nothing beside it.
    pub fn resolve(&self, index: usize, all: &[String]) -> Result<Route<String>, ConfigError> {
        let Self {
            model,
            operation,
            backends,
            alias,
            reply,
        } = self;
        let mut route = match (reply, backends.as_deref()) {
            (Some(reply), None) if alias.is_none() => Route::reply(reply.clone()),
            (None, backends) => match backends.unwrap_or(all) {
                [backend] if all.contains(backend) => Route::to(backend.clone()),
                [backend] => {
                    return Err(ConfigError::UnknownBackend {
                        route: index,
                        backend: backend.clone(),
                    });
                }
                _ => return Err(ConfigError::Ambiguous { route: index }),
            },
            _ => return Err(ConfigError::Ambiguous { route: index }),
        };
        for model in model {
            route = route.model(model.as_str());
        }
        for operation in operation {
            route = route.operation(*operation);
        }
        if let Some(alias) = alias {
            route = route.alias(alias.as_str());
        }
        Ok(route)
    }
}

#[cfg(feature = "serde")]
mod read {
    use http::StatusCode;
    use serde::{Deserialize, Deserializer, de::Error};

    use super::Reply;

    pub(super) fn reply<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Reply>, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            status: u16,
            code: String,
            message: String,
        }

        let Written {
            status,
            code,
            message,
        } = Written::deserialize(source)?;
        let status = StatusCode::from_u16(status).map_err(D::Error::custom)?;
        Ok(Some(Reply::new(status, code, message)))
    }
}
