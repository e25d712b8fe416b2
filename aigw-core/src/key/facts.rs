use std::{collections::BTreeMap, net::IpAddr};

/// Who calls: a fact of the call's [`Record`](crate::call::Record), stated by the layer that
/// checked the key or the token.
///
/// # Examples
///
/// ```
/// use aigw_core::{call::Record, key::Consumer};
///
/// let record = Record::default();
/// record.state(Consumer::new("team-a").label("tier", "gold"));
/// let consumer = record.latest::<Consumer>().unwrap();
/// assert_eq!(&*consumer.id, "team-a");
/// assert_eq!(&*consumer.labels["tier"], "gold");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Consumer {
    /// The name that limits, metrics and logs use. Never the key itself.
    pub id: Box<str>,
    /// What else is known, such as a tier or a department.
    pub labels: BTreeMap<Box<str>, Box<str>>,
}

impl Consumer {
    /// A consumer without labels.
    #[must_use]
    pub fn new(id: impl Into<Box<str>>) -> Self {
        Self {
            id: id.into(),
            labels: BTreeMap::new(),
        }
    }

    /// Adds a label, replacing one of the same name.
    #[must_use]
    pub fn label(mut self, name: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }
}

/// Where the call comes from: a fact of the call's [`Record`](crate::call::Record), stated by the
/// layer that knows the connection and which proxies in front of it to believe.
///
/// # Examples
///
/// ```
/// use aigw_core::{call::Record, key::ClientAddr};
///
/// let record = Record::default();
/// record.state(ClientAddr([192, 0, 2, 7].into()));
/// assert_eq!(record.latest::<ClientAddr>().unwrap().0.to_string(), "192.0.2.7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddr(pub IpAddr);
