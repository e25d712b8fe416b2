//! What was used, added up.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aigw_backends::routing::Routed;
use aigw_core::{
    meter::{Ended, Report},
    usage::Source,
};
use serde_json::{Value, json};

/// The sums over all calls that are over, by backend.
#[derive(Debug, Default)]
pub struct Ledger {
    accounts: Mutex<BTreeMap<String, Account>>,
}

/// Where calls stand that reached no backend.
const REFUSED: &str = "refused";

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
    /// The sums, with the calls that reached no backend as `refused`.
    pub fn to_json(&self) -> Value {
        let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let accounts = accounts.iter().map(|(backend, account)| {
            let Account {
                calls,
                input,
                output,
                counted,
                counted_output,
                unmeasured,
                endings,
            } = account;
            let account = json!({
                "calls": calls,
                "input_tokens": input,
                "output_tokens": output,
                "counted_calls": counted,
                "counted_output_tokens": counted_output,
                "unmeasured_calls": unmeasured,
                "endings": endings,
            });
            (backend.clone(), account)
        });
        Value::Object(accounts.collect())
    }
}

impl Report for Ledger {
    fn report(&self, ended: &Ended<'_>) {
        let routed = ended.call.record().latest::<Routed>();
        let backend = routed.as_ref().map_or(REFUSED, |routed| &routed.backend);
        let usage = ended.meter.usage();
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if !accounts.contains_key(backend) {
            accounts.insert(backend.to_owned(), Account::default());
        }
        let Some(account) = accounts.get_mut(backend) else {
            return;
        };
        let output = usage.output().unwrap_or(0);
        account.calls += 1;
        // What a provider states is kept apart from what the content of an answer stands for.
        match ended.meter.source() {
            Source::Reported => {
                account.input += usage.input().unwrap_or(0);
                account.output += output;
            }
            Source::Counted => {
                account.counted += 1;
                account.counted_output += output;
            }
            _ => account.unmeasured += 1,
        }
        *account.endings.entry(ended.ending.as_str()).or_default() += 1;
    }
}
