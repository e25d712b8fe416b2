//! What was used, added up; and why calls were refused.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use aigw_backends::routing::Routed;
use aigw_core::{
    meter::{Ended, Report},
    reject::Refused,
    usage::Source,
};
use serde_json::{Map, Value, json};

/// The sums over all calls that are over.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Sums>);

#[derive(Debug, Default)]
struct Sums {
    /// By backend.
    accounts: BTreeMap<String, Account>,
    /// Calls that reached no backend, by why they did not.
    refused: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Default)]
struct Account {
    calls: u64,
    input: u64,
    output: u64,
    counted: u64,
    counted_output: u64,
    unmeasured: u64,
    endings: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// What was used, by backend, and how many calls were refused, by reason.
    pub fn to_json(&self) -> (Value, Value) {
        let sums = self.lock();
        let accounts = sums.accounts.iter();
        let accounts: Map<_, _> = accounts
            .map(|(backend, account)| (backend.clone(), account.to_json()))
            .collect();
        (accounts.into(), json!(sums.refused))
    }

    fn lock(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn to_json(&self) -> Value {
        json!({
            "calls": self.calls,
            "input_tokens": self.input,
            "output_tokens": self.output,
            "counted_calls": self.counted,
            "counted_output_tokens": self.counted_output,
            "unmeasured_calls": self.unmeasured,
            "endings": self.endings,
        })
    }

    fn add(&mut self, ended: &Ended<'_>) {
        let usage = ended.meter.usage();
        let output = usage.output().unwrap_or(0);
        self.calls += 1;
        // What a provider states is kept apart from what the content of an answer stands for.
        match ended.meter.source() {
            Source::Reported => {
                self.input += usage.input().unwrap_or(0);
                self.output += output;
            }
            Source::Counted => {
                self.counted += 1;
                self.counted_output += output;
            }
            _ => self.unmeasured += 1,
        }
        *self.endings.entry(ended.ending.as_str()).or_default() += 1;
    }
}

impl Report for Ledger {
    fn report(&self, ended: &Ended<'_>) {
        let record = ended.call.record();
        let mut sums = self.lock();
        match record.latest::<Routed>() {
            Some(routed) => {
                let account = sums.accounts.entry(routed.backend.to_string());
                account.or_default().add(ended);
            }
            None => {
                let refused = record.latest::<Refused>();
                // Whoever is not refused has gone before there was a backend.
                let why = refused.map_or(ended.ending.as_str(), |refused| refused.reason.as_str());
                *sums.refused.entry(why).or_default() += 1;
            }
        }
    }
}
