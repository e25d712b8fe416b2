//! What a file says in vain.

use aigw_backends::routing::RouteConfig;

use super::{Config, Error, reach::reaches};

impl Config {
    /// What a file that passes [`check`](Self::check) says in vain: it does no harm, but may be
    /// meant otherwise.
    #[must_use]
    pub fn remarks(&self) -> Vec<Error> {
        let labels = labels_of_nobody(self);
        let rest = dead_routes(self).chain(idle_backends(self));
        labels.chain(idle_prices(self)).chain(rest).collect()
    }
}

fn labels_of_nobody(config: &Config) -> impl Iterator<Item = Error> {
    let access = config.access.iter();
    let limits = access.flat_map(|access| reaches(config).into_iter().map(move |it| (it, access)));
    limits.filter_map(|(limit, access)| {
        let nobodys = limit.nobodys_label(access)?;
        Some(Error::new(limit.key, nobodys))
    })
}

fn idle_prices(config: &Config) -> Option<Error> {
    let limit = config.token_limit.as_ref()?;
    let is_priced = limit.budget.iter().any(|budget| budget.cost.is_some());
    let idle = "no budget has a `cost`, so that nothing is priced";
    (limit.prices.is_some() && !is_priced).then(|| Error::new("token_limit.prices", idle))
}

fn dead_routes(config: &Config) -> impl Iterator<Item = Error> {
    let takes_all = |route: &RouteConfig| route.model.is_empty() && route.operation.is_empty();
    let routes = &config.route;
    let last = routes.iter().position(takes_all);
    last.into_iter().flat_map(|last| {
        (last + 1..routes.len()).map(move |later| {
            let dead = format!("no call comes here: route[{last}] takes all there are");
            Error::new(format!("route[{later}]"), dead)
        })
    })
}

fn idle_backends(config: &Config) -> impl Iterator<Item = Error> {
    let backends = config.backend.iter().enumerate();
    backends.filter_map(|(index, backend)| {
        let mut routes = config.route.iter();
        let is_named = routes.any(|route| match &route.backends {
            Some(backends) => backends.contains(&backend.id),
            None => route.reply.is_none(),
        });
        let idle = || format!("no route leads to `{}`", backend.id);
        (!is_named).then(|| Error::new(format!("backend[{index}]"), idle()))
    })
}
