//! What a model says, in no vendor's words.

use serde_json::{Map, Value};

use super::{
    conversation::{Conversation, Last, Tool, ToolChoice},
    script::{Script, UsageWord},
    tokens,
};

#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
    /// Whether the caller's cap cut the text.
    pub(super) cut: bool,
    pub(super) usage: Counts,
}

#[derive(Debug, PartialEq)]
pub(super) struct ToolCall {
    pub(super) name: String,
    pub(super) arguments: Map<String, Value>,
}

/// Tokens as [`Usage`](crate::usage::Usage) has them: input and output are the whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) output: u64,
    pub(super) reasoning: u64,
}

impl Counts {
    pub(super) fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// The counts with those of a script in their place.
    pub(super) fn overruled(mut self, usage: &UsageWord) -> Self {
        let UsageWord::Given(fields) = usage else {
            return self;
        };
        let given = |name| fields.get(name).and_then(Value::as_u64);
        self.input = given("input").unwrap_or(self.input);
        self.cached = given("cached_input").unwrap_or(self.cached);
        self.output = given("output").unwrap_or(self.output);
        self.reasoning = given("reasoning").unwrap_or(self.reasoning);
        self
    }
}

/// The names of [`Counts`] in a script; every other name is a vendor's and is stated as it stands.
const NEUTRAL: [&str; 4] = ["input", "cached_input", "output", "reasoning"];

/// The usage as the answer states it: the vendor's shape of the counts, with the fields that a
/// script gives in the vendor's own words; `None` where the script wants none.
pub(super) fn stated(usage: &UsageWord, mut shaped: Value) -> Option<Value> {
    match usage {
        UsageWord::Absent => return None,
        UsageWord::Counted => {}
        UsageWord::Given(fields) => {
            let own = fields
                .iter()
                .filter(|(name, _)| !NEUTRAL.contains(&name.as_str()));
            if let Some(shaped) = shaped.as_object_mut() {
                shaped.extend(own.map(|(name, value)| (name.clone(), value.clone())));
            }
        }
    }
    Some(shaped)
}

impl Answer {
    /// The answer to a conversation: the script's text; else calls of the tools that the last words
    /// name; else words about what was said last.
    pub(super) fn to(conversation: &Conversation, script: &Script, name: &str) -> Self {
        let mut answer = Self::default();
        match (&script.text, &conversation.last) {
            (Some(text), _) => answer.text.clone_from(text),
            (None, _) if script.present => answer.text = format!("Mock response from {name}"),
            (None, Last::ToolResult(result)) => {
                answer.text = format!("The tool says: {}", opening(result));
            }
            (None, Last::Said(said)) => {
                answer.calls = calls(conversation, said);
                if answer.calls.is_empty() {
                    answer.text = format!("You said: {}", opening(said));
                }
            }
        }
        answer.count(conversation);
        answer.usage = answer.usage.overruled(&script.usage);
        answer
    }

    /// Cuts the text at the caller's cap and counts what is left.
    fn count(&mut self, conversation: &Conversation) {
        let pieces = tokens::pieces(&self.text);
        let cap = conversation.cap.unwrap_or(u64::MAX);
        let mut output = pieces.len() as u64;
        if output > cap {
            let kept = pieces
                .into_iter()
                .take(usize::try_from(cap).unwrap_or(usize::MAX));
            self.text = kept.collect();
            self.cut = true;
            output = cap;
        }
        let call = |call: &ToolCall| tokens::count(&call.name) + tokens::count(&call.json());
        output += self.calls.iter().map(call).sum::<u64>();
        self.usage = Counts {
            input: conversation.tokens,
            output,
            ..Counts::default()
        };
    }
}

impl ToolCall {
    pub(super) fn json(&self) -> String {
        Value::from(self.arguments.clone()).to_string()
    }
}

/// Tokens of the caller's text that an answer repeats.
const REPEATED: usize = 64;

fn opening(text: &str) -> String {
    tokens::pieces(text).into_iter().take(REPEATED).collect()
}

fn calls(conversation: &Conversation, said: &str) -> Vec<ToolCall> {
    let tools = conversation.tools.iter();
    let named: Vec<&Tool> = match &conversation.choice {
        ToolChoice::Never => Vec::new(),
        ToolChoice::Auto => tools.filter(|tool| said.contains(&tool.name)).collect(),
        ToolChoice::Must(Some(name)) => tools.filter(|tool| tool.name == *name).collect(),
        ToolChoice::Must(None) => {
            let named = tools.clone().find(|tool| said.contains(&tool.name));
            named.or_else(|| tools.clone().next()).into_iter().collect()
        }
    };
    let call = |tool: &Tool| ToolCall {
        name: tool.name.clone(),
        arguments: arguments(&tool.schema, said),
    };
    named.into_iter().map(call).collect()
}

/// A value for each property: the texts that the user put in double quotes and the numbers of the
/// sentence, in turn; else the first of an enumeration; else a value of the property's type.
fn arguments(schema: &Value, said: &str) -> Map<String, Value> {
    let mut quoted = said.split('"').skip(1).step_by(2);
    let mut numbers = said
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter_map(|word| word.parse::<serde_json::Number>().ok());
    let properties = schema.get("properties").and_then(Value::as_object);
    let value = |property: &Value| {
        let first = property.pointer("/enum/0").cloned();
        let kind = property
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match kind.to_ascii_lowercase().as_str() {
            "integer" | "number" => numbers.next().map_or_else(|| 1.into(), Value::Number),
            "boolean" => true.into(),
            "array" => Value::Array(Vec::new()),
            "object" => Map::new().into(),
            _ => first
                .or_else(|| Some(quoted.next()?.into()))
                .unwrap_or_else(|| "example".into()),
        }
    };
    let named = properties.into_iter().flatten();
    let mut value = value;
    named
        .map(|(name, property)| (name.clone(), value(property)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn weather(said: &str, choice: &Value) -> Answer {
        let body = json!({
            "messages": [{"role": "user", "content": said}],
            "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}
            }}}],
            "tool_choice": choice,
        });
        let conversation = Conversation::of_chat_completions(&body);
        Answer::to(&conversation, &Script::default(), "sim")
    }

    #[test]
    fn calls_the_tool_that_the_user_names() {
        let answer = weather(r#"get_weather for "Oslo", 3 days"#, &Value::Null);
        let call = &answer.calls[0];
        assert_eq!(call.name, "get_weather");
        assert_eq!(call.json(), r#"{"city":"Oslo","days":3}"#);
        assert!(answer.text.is_empty() && answer.usage.output > 0);
    }

    #[test]
    fn tool_choice_overrules_the_words() {
        assert_eq!(weather("get_weather", &json!("none")).calls, []);
        assert_eq!(weather("Good morning", &json!("auto")).calls, []);
        assert_eq!(weather("Good morning", &json!("required")).calls.len(), 1);
    }

    #[test]
    fn a_tool_result_becomes_text() {
        let body = json!({"messages": [{"role": "tool", "tool_call_id": "c", "content": "12 °C"}]});
        let conversation = Conversation::of_chat_completions(&body);
        let answer = Answer::to(&conversation, &Script::default(), "sim");
        assert_eq!(answer.text, "The tool says: 12 °C");
    }

    #[test]
    fn the_cap_cuts_text_and_usage_alike() {
        let body = json!({"messages": [{"content": "one two three four"}], "max_tokens": 3});
        let conversation = Conversation::of_chat_completions(&body);
        let answer = Answer::to(&conversation, &Script::default(), "sim");
        assert_eq!(
            (answer.text.as_str(), answer.usage.output),
            ("You said:", 3)
        );
        assert!(answer.cut);
    }
}
