//! Whom the limits of a file can hold for.

use aigw_core::key::Dimension;
use aigw_policies::{access, budget::Condition};

use super::Config;

/// What a limit reads of a call.
pub(super) struct Reach<'a> {
    pub(super) key: String,
    dimensions: &'a [Dimension],
    conditions: Vec<&'a Condition>,
}

/// That of each limit of a file.
pub(super) fn reaches(config: &Config) -> Vec<Reach<'_>> {
    let requests = config.request_limit.iter().enumerate();
    let requests = requests.map(|(index, limit)| Reach {
        key: format!("request_limit[{index}]"),
        dimensions: limit.dimensions(),
        conditions: limit.condition().into_iter().collect(),
    });
    let calls = config.concurrency_limit.iter().enumerate();
    let calls = calls.map(|(index, limit)| Reach {
        key: format!("concurrency_limit[{index}]"),
        dimensions: limit.dimensions(),
        conditions: limit.conditions().collect(),
    });
    let budgets = config.token_limit.iter().flat_map(|limit| &limit.budget);
    let budgets = budgets.enumerate().map(|(index, budget)| Reach {
        key: format!("token_limit.budget[{index}]"),
        dimensions: &budget.key,
        conditions: budget.when.iter().collect(),
    });
    requests.chain(calls).chain(budgets).collect()
}

impl Reach<'_> {
    /// What it reads of a call that no call has: it would hold for nobody, or for all together.
    pub(super) fn fault(&self, access: Option<&access::Config>) -> Option<String> {
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
            Some(match id {
                access::Config::ANONYMOUS => {
                    format!("nobody is `{id}` where `access.required` is true")
                }
                _ => format!("there is no consumer `{id}`"),
            })
        })
    }

    /// The value of a label that a condition names and no consumer has.
    pub(super) fn nobodys_label(&self, access: &access::Config) -> Option<String> {
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
    match id {
        access::Config::ANONYMOUS => !access.is_required(),
        _ => consumers.any(|consumer| consumer.id() == id),
    }
}
