//! What is wrong with a file that can be read.

use std::net::SocketAddr;

use aigw_core::key::Dimension;
use aigw_policies::{access, budget::Condition};
use bytes::Bytes;
use http_body_util::Empty;

use super::{
    Config, Error,
    config::Server,
    limits::Limits,
    stack::{self, Simulators},
};

impl Config {
    /// Checks what can be known without listening: names, keys, URLs, globs, certificates,
    /// deadlines, and that each limit can hold.
    ///
    /// # Errors
    ///
    /// Names the key of the first setting that cannot take effect.
    pub fn check(&self) -> Result<(), Error> {
        server(&self.server)?;
        stack::authenticate(self)?;
        Limits::new(self)?;
        for limit in limited(self) {
            let fault = limit.fault(self.access.as_ref());
            if let Some(fault) = fault {
                return Err(Error::new(limit.key, fault));
            }
        }
        let simulators = simulators(self)?;
        stack::router::<Empty<Bytes>>(self, &simulators)?;
        if self.route.is_empty() {
            let none = "there is none, so that every call would be refused";
            return Err(Error::new("route", none));
        }
        Ok(())
    }

    /// What a file that passes [`check`](Self::check) says in vain: it does no harm, but may be
    /// meant otherwise.
    #[must_use]
    pub fn remarks(&self) -> Vec<Error> {
        let mut remarks = Vec::new();
        if let Some(access) = &self.access {
            for limit in limited(self) {
                let nobodys = limit.nobodys_label(access);
                remarks.extend(nobodys.map(|fault| Error::new(limit.key, fault)));
            }
        }
        if let Some(limit) = &self.token_limit
            && limit.prices.is_some()
            && limit.budget.iter().all(|budget| budget.cost.is_none())
        {
            let idle = "no budget has a `cost`, so that nothing is priced";
            remarks.push(Error::new("token_limit.prices", idle));
        }
        let all = |route: &aigw_backends::routing::RouteConfig| {
            route.model.is_empty() && route.operation.is_empty()
        };
        if let Some(last) = self.route.iter().position(all) {
            for later in last + 1..self.route.len() {
                let dead = format!("no call comes here: route[{last}] takes all there are");
                remarks.push(Error::new(format!("route[{later}]"), dead));
            }
        }
        for (index, backend) in self.backend.iter().enumerate() {
            let mut routes = self.route.iter();
            let is_named = routes.any(|route| match &route.backends {
                Some(backends) => backends.contains(&backend.id),
                None => route.reply.is_none(),
            });
            if !is_named {
                let idle = format!("no route leads to `{}`", backend.id);
                remarks.push(Error::new(format!("backend[{index}]"), idle));
            }
        }
        remarks
    }
}

fn server(server: &Server) -> Result<(), Error> {
    if server.max_body_bytes == 0 {
        return Err(Error::new(
            "server.max_body_bytes",
            "must be greater than 0",
        ));
    }
    if server.write_timeout.is_zero() {
        return Err(Error::new("server.write_timeout", "must be longer than 0"));
    }
    Ok(())
}

/// The simulators, each at an address that nobody listens on.
fn simulators(config: &Config) -> Result<Simulators, Error> {
    let Server {
        listen,
        admin_listen,
        ..
    } = config.server;
    let mut taken = vec![("server.listen".to_owned(), listen)];
    taken.extend(admin_listen.map(|address| ("server.admin_listen".to_owned(), address)));
    let mut simulators = Simulators::new();
    for (index, simulator) in config.simulator.iter().enumerate() {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        if simulators.insert(simulator.id.clone(), nowhere).is_some() {
            let key = format!("simulator[{index}].id");
            return Err(Error::new(key, format!("duplicate id `{}`", simulator.id)));
        }
        taken.push((format!("simulator[{index}].listen"), simulator.listen));
    }
    for (index, (key, address)) in taken.iter().enumerate() {
        let mut before = taken.iter().take(index);
        // Port 0 is another one each time.
        if address.port() != 0
            && let Some((other, _)) = before.find(|(_, taken)| taken == address)
        {
            let twice = format!("{address} is the address of `{other}` too");
            return Err(Error::new(key, twice));
        }
    }
    Ok(simulators)
}

/// A limit, and what it reads of a call.
struct Limited<'a> {
    key: String,
    dimensions: &'a [Dimension],
    conditions: Vec<&'a Condition>,
}

fn limited(config: &Config) -> Vec<Limited<'_>> {
    let requests = config.request_limit.iter().enumerate();
    let requests = requests.map(|(index, limit)| Limited {
        key: format!("request_limit[{index}]"),
        dimensions: limit.dimensions(),
        conditions: limit.condition().into_iter().collect(),
    });
    let calls = config.concurrency_limit.iter().enumerate();
    let calls = calls.map(|(index, limit)| Limited {
        key: format!("concurrency_limit[{index}]"),
        dimensions: limit.dimensions(),
        conditions: limit.conditions().collect(),
    });
    let budgets = config.token_limit.iter().flat_map(|limit| &limit.budget);
    let budgets = budgets.enumerate().map(|(index, budget)| Limited {
        key: format!("token_limit.budget[{index}]"),
        dimensions: &budget.key,
        conditions: budget.when.iter().collect(),
    });
    requests.chain(calls).chain(budgets).collect()
}

impl Limited<'_> {
    /// What it reads of a call that no call has: it would hold for nobody, or for all together.
    fn fault(&self, access: Option<&access::Config>) -> Option<String> {
        let values = self.values().map(|(dimension, _)| dimension);
        let mut read = self.dimensions.iter().chain(values);
        let unknown = read.find_map(|dimension| match (dimension, access) {
            (Dimension::Consumer | Dimension::Label(_), None) => Some(format!(
                "`{dimension}` is known of nobody without `[access]`"
            )),
            (Dimension::Label(label), Some(access)) => {
                let mut consumers = access.consumers().iter();
                let is_known = consumers.any(|known| known.labels().contains_key(&**label));
                (!is_known).then(|| format!("no consumer has a label `{label}`"))
            }
            _ => None,
        });
        unknown.or_else(|| {
            let mut consumers = self
                .values()
                .filter(|(dimension, _)| **dimension == Dimension::Consumer);
            let known = |id: &str| access.is_some_and(|access| has_consumer(access, id));
            let (_, id) = consumers.find(|(_, id)| !known(id))?;
            Some(format!("there is no consumer `{id}`"))
        })
    }

    /// The value of a label that a condition names and no consumer has.
    fn nobodys_label(&self, access: &access::Config) -> Option<String> {
        self.values().find_map(|(dimension, value)| {
            let Dimension::Label(label) = dimension else {
                return None;
            };
            let mut consumers = access.consumers().iter();
            let is_known =
                consumers.any(|known| known.labels().get(&**label).is_some_and(|it| it == value));
            (!is_known).then(|| format!("holds for nobody: no consumer has {label} = `{value}`"))
        })
    }

    fn values(&self) -> impl Iterator<Item = (&Dimension, &str)> {
        self.conditions
            .iter()
            .flat_map(|condition| condition.values())
    }
}

fn has_consumer(access: &access::Config, id: &str) -> bool {
    let mut consumers = access.consumers().iter();
    id == access::Config::ANONYMOUS || consumers.any(|consumer| consumer.id() == id)
}
