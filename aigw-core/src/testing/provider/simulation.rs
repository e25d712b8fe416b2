//! Where a call carries its script, whom the script addresses, and which step it has come to.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use http::HeaderMap;
use serde_json::{Map, Value};

use super::script::Script;

/// The header that carries a script on any call, JSON or not.
const HEADER: &str = "x-simulation";

/// Where the dialects' bodies carry one. The first is the labs' mock server's place.
const PLACES: [&str; 8] = [
    "/messages/0/content",
    "/messages/0/content/0/text",
    "/contents/0/parts/0/text",
    "/input/0/content",
    "/input/0/content/0/text",
    "/input",
    "/input/0",
    "/prompt",
];

/// The names under which a script may address this provider, best first.
#[derive(Debug)]
pub(super) struct Names<'n> {
    pub(super) authority: &'n str,
    pub(super) host: &'n str,
    pub(super) id: &'n str,
}

/// The script of a call, at the step that this attempt has come to; `None` for an ordinary call.
pub(super) fn find(
    headers: &HeaderMap,
    body: &Value,
    names: &Names<'_>,
    attempts: &mut Attempts,
) -> Result<Option<Script>, String> {
    let Some(simulation) = from_header(headers)?.or_else(|| from_body(body)) else {
        return Ok(None);
    };
    let entry = |name: &str| simulation.get(name).and_then(Value::as_object);
    let own = [names.authority, names.host, names.id]
        .into_iter()
        .find_map(|name| Some((name, entry(name)?)));
    // Each field on its own: the host's entry, else the default's.
    let mut fields = entry("default").cloned().unwrap_or_default();
    fields.extend(own.iter().flat_map(|(_, fields)| (*fields).clone()));
    if let Some(sequence) = fields.remove("sequence") {
        let steps = sequence
            .as_array()
            .ok_or("simulation: `sequence` is no array")?;
        let mut script = DefaultHasher::new();
        (
            &Value::from(simulation.clone()).to_string(),
            own.map(|(name, _)| name),
        )
            .hash(&mut script);
        let attempt = attempts.next(script.finish());
        if let Some(step) = steps.get(attempt).or_else(|| steps.last()) {
            let step = step.as_object().ok_or("simulation: a step is no object")?;
            fields.extend(step.clone());
        }
    }
    Script::read(&fields).map(Some)
}

fn from_header(headers: &HeaderMap) -> Result<Option<Map<String, Value>>, String> {
    let Some(header) = headers.get(HEADER) else {
        return Ok(None);
    };
    match serde_json::from_slice(header.as_bytes()) {
        Ok(Value::Object(script)) => Ok(Some(match script.get("simulation") {
            Some(Value::Object(inner)) => inner.clone(),
            _ => script,
        })),
        _ => Err(format!("{HEADER} is no JSON object")),
    }
}

/// A script in a body is an object where a text belongs, or a text that is such an object written
/// out, because typed SDKs let nothing else through.
fn from_body(body: &Value) -> Option<Map<String, Value>> {
    PLACES.into_iter().find_map(|place| {
        let written: Value;
        let content = match body.pointer(place)? {
            Value::String(text) if text.trim_start().starts_with('{') => {
                written = serde_json::from_str(text).ok()?;
                &written
            }
            content => content,
        };
        content.get("simulation")?.as_object().cloned()
    })
}

/// How often each script was met: the latest 4096 of them.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    counts: HashMap<u64, usize>,
    order: VecDeque<u64>,
}

const REMEMBERED: usize = 4096;

impl Attempts {
    /// The number of this meeting, from zero.
    fn next(&mut self, script: u64) -> usize {
        if !self.counts.contains_key(&script) {
            self.order.push_back(script);
            if self.order.len() > REMEMBERED
                && let Some(oldest) = self.order.pop_front()
            {
                self.counts.remove(&oldest);
            }
        }
        let count = self.counts.entry(script).or_default();
        let attempt = *count;
        *count = count.saturating_add(1);
        attempt
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: Names<'_> = Names {
        authority: "east.test:81",
        host: "east.test",
        id: "ptu",
    };

    fn status(body: &Value, attempts: &mut Attempts) -> Option<u16> {
        find(&HeaderMap::new(), body, &NAMES, attempts)
            .unwrap()
            .unwrap()
            .status
    }

    fn chat(simulation: &Value) -> Value {
        json!({"messages": [{"role": "system", "content": {"simulation": simulation}}]})
    }

    #[test]
    fn the_narrowest_name_wins_and_each_field_falls_back_to_the_default() {
        let mut attempts = Attempts::default();
        let mut simulation = json!({"default": {"response_status_code": 500, "wait_time_ms": 7}});
        for (name, code) in [("ptu", 501), ("east.test", 502), ("east.test:81", 503)] {
            simulation[name] = json!({"response_status_code": code});
            assert_eq!(status(&chat(&simulation), &mut attempts), Some(code));
        }
        let script = find(&HeaderMap::new(), &chat(&simulation), &NAMES, &mut attempts);
        assert_eq!(script.unwrap().unwrap().wait.as_millis(), 7);
    }

    #[test]
    fn a_sequence_advances_and_stays_at_its_last_step() {
        let mut attempts = Attempts::default();
        let body = chat(&json!({"default": {"sequence": [
            {"response_status_code": 429}, {"response_status_code": 503}, {}
        ]}}));
        let seen: Vec<_> = (0..4).map(|_| status(&body, &mut attempts)).collect();
        assert_eq!(seen, [Some(429), Some(503), None, None]);
    }

    #[test]
    fn every_dialect_has_a_place_for_it() {
        let script = json!({"simulation": {"default": {"response_status_code": 418}}});
        let bodies = [
            json!({"contents": [{"parts": [{"text": script.to_string()}]}]}),
            json!({"input": script}),
            json!({"input": [{"role": "user", "content": script}]}),
            json!({"prompt": script.to_string()}),
        ];
        for body in bodies {
            assert_eq!(status(&body, &mut Attempts::default()), Some(418), "{body}");
        }
    }

    #[test]
    fn ordinary_prompts_are_no_script_and_unknown_words_are_refused() {
        let mut attempts = Attempts::default();
        let ordinary = json!({"messages": [{"content": "{not json"}]});
        let none = HeaderMap::new();
        assert!(matches!(
            find(&none, &ordinary, &NAMES, &mut attempts),
            Ok(None)
        ));
        let typo = chat(&json!({"default": {"respnse_status_code": 500}}));
        assert!(find(&none, &typo, &NAMES, &mut attempts).is_err());
    }

    #[test]
    fn forgets_the_oldest_scripts() {
        let mut attempts = Attempts::default();
        for script in 0..10_000 {
            assert_eq!(attempts.next(script), 0);
        }
        assert_eq!(attempts.counts.len(), REMEMBERED);
    }
}
