//! A chat request in no vendor's words: how long it is, what was said last, which tools are
//! offered.

use serde_json::Value;

use super::tokens;

/// Tokens that each message costs beside its text, and that an answer's beginning costs.
const MESSAGE_TOKENS: u64 = 3;

/// Tokens of an image part, as OpenAI charges for one at low detail.
const IMAGE_TOKENS: u64 = 85;

#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// Tokens of everything that the model reads.
    pub(super) tokens: u64,
    pub(super) last: Last,
    pub(super) tools: Vec<Tool>,
    pub(super) choice: ToolChoice,
    /// The most tokens that the answer may have.
    pub(super) cap: Option<u64>,
}

/// What stands at the end of the conversation.
#[derive(Debug, PartialEq)]
pub(super) enum Last {
    Said(String),
    ToolResult(String),
}

impl Default for Last {
    fn default() -> Self {
        Self::Said(String::new())
    }
}

#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) schema: Value,
}

#[derive(Debug, Default, PartialEq)]
pub(super) enum ToolChoice {
    /// A tool is called if the user names it.
    #[default]
    Auto,
    Never,
    /// Some tool must be called: the named one, else the first.
    Must(Option<String>),
}

impl Conversation {
    /// OpenAI chat completions, and what imitates them.
    pub(super) fn of_chat_completions(body: &Value) -> Self {
        let cap = body
            .get("max_completion_tokens")
            .or_else(|| body.get("max_tokens"));
        let mut conversation = Self::with(cap, body.get("tools"));
        for message in items(body, "messages") {
            conversation.say(message.get("role") == Some(&"tool".into()), message);
            conversation.count(message.pointer("/tool_calls"));
        }
        conversation.offer(items(body, "tools").filter_map(|tool| tool.get("function")));
        conversation.choose(body.get("tool_choice"));
        conversation
    }

    /// OpenAI Responses.
    pub(super) fn of_responses(body: &Value) -> Self {
        let mut conversation = Self::with(body.get("max_output_tokens"), body.get("tools"));
        conversation.count(body.get("instructions"));
        match body.get("input") {
            Some(Value::Array(items)) => {
                for item in items {
                    let result = item.get("type") == Some(&"function_call_output".into());
                    conversation.say(result, item);
                    conversation.count(item.get("arguments"));
                }
            }
            Some(text) => conversation.say(false, text),
            None => {}
        }
        conversation.offer(items(body, "tools"));
        conversation.choose(body.get("tool_choice"));
        conversation
    }

    /// Anthropic Messages.
    pub(super) fn of_messages(body: &Value) -> Self {
        let mut conversation = Self::with(body.get("max_tokens"), body.get("tools"));
        conversation.count(body.get("system"));
        for message in items(body, "messages") {
            let is_result = |part: &Value| part.get("type") == Some(&"tool_result".into());
            conversation.say(items(message, "content").any(is_result), message);
        }
        conversation.offer(items(body, "tools"));
        conversation.choose(body.get("tool_choice"));
        conversation
    }

    /// Gemini `generateContent`.
    pub(super) fn of_contents(body: &Value) -> Self {
        let config = either(body, "generationConfig", "generation_config");
        let cap = config.and_then(|it| either(it, "maxOutputTokens", "max_output_tokens"));
        let mut conversation = Self::with(cap, body.get("tools"));
        conversation.count(either(body, "systemInstruction", "system_instruction"));
        for content in items(body, "contents") {
            let result = items(content, "parts").any(|part| part.get("functionResponse").is_some());
            conversation.say(result, content);
        }
        let tools = items(body, "tools");
        conversation.offer(tools.flat_map(|tool| {
            let functions = either(tool, "functionDeclarations", "function_declarations");
            functions.and_then(Value::as_array).into_iter().flatten()
        }));
        conversation.choose(body.pointer("/toolConfig/functionCallingConfig/mode"));
        conversation
    }

    /// A text alone, as completions have it.
    pub(super) fn of_prompt(prompt: &Value, cap: Option<&Value>) -> Self {
        let mut conversation = Self::with(cap, None);
        conversation.say(false, prompt);
        conversation
    }

    fn with(cap: Option<&Value>, tools: Option<&Value>) -> Self {
        Self {
            tokens: MESSAGE_TOKENS + tools.map_or(0, |tools| tokens::count(&tools.to_string())),
            cap: cap.and_then(Value::as_u64),
            ..Self::default()
        }
    }

    fn say(&mut self, is_result: bool, message: &Value) {
        let mut said = Said::default();
        said.hear(message);
        self.tokens += MESSAGE_TOKENS + tokens::count(&said.text) + said.images * IMAGE_TOKENS;
        self.last = if is_result {
            Last::ToolResult(said.text)
        } else {
            Last::Said(said.text)
        };
    }

    fn count(&mut self, more: Option<&Value>) {
        self.tokens += more.map_or(0, |more| match more {
            Value::String(text) => tokens::count(text),
            Value::Null => 0,
            more => tokens::count(&more.to_string()),
        });
    }

    fn offer<'v>(&mut self, tools: impl Iterator<Item = &'v Value>) {
        self.tools = tools
            .filter_map(|tool| {
                let schema = [
                    "parameters",
                    "input_schema",
                    "parametersJsonSchema",
                    "parameters_json_schema",
                ];
                Some(Tool {
                    name: tool.get("name")?.as_str()?.to_owned(),
                    schema: schema
                        .iter()
                        .find_map(|name| tool.get(name).cloned())
                        .unwrap_or_default(),
                })
            })
            .collect();
    }

    fn choose(&mut self, choice: Option<&Value>) {
        let name = ["/name", "/function/name"]
            .into_iter()
            .find_map(|place| choice?.pointer(place)?.as_str());
        let word = choice.and_then(|choice| choice.get("type").unwrap_or(choice).as_str());
        self.choice = match word {
            Some("none" | "NONE") => ToolChoice::Never,
            Some("required" | "any" | "ANY" | "tool" | "function") => {
                ToolChoice::Must(name.map(Into::into))
            }
            _ => ToolChoice::Auto,
        };
    }
}

/// The words and pictures of a message.
#[derive(Debug, Default)]
struct Said {
    text: String,
    images: u64,
}

impl Said {
    fn hear(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.text.push_str(text),
            Value::Array(parts) => parts.iter().for_each(|part| self.hear(part)),
            Value::Object(fields) => {
                if ["image_url", "source", "inlineData", "fileData", "file"]
                    .iter()
                    .any(|name| fields.contains_key(*name))
                {
                    self.images += 1;
                }
                for name in ["text", "content", "parts", "output", "transcript"] {
                    if let Some(inner) = fields.get(name) {
                        self.hear(inner);
                    }
                }
                if let Some(answer) = value.pointer("/functionResponse/response") {
                    self.text.push_str(&answer.to_string());
                }
            }
            _ => {}
        }
    }
}

/// A field of Google's, whose JSON has two spellings of each name.
fn either<'v>(value: &'v Value, camel: &str, snake: &str) -> Option<&'v Value> {
    value.get(camel).or_else(|| value.get(snake))
}

/// All texts in a value, joined.
pub(super) fn text_of(value: &Value) -> String {
    let mut said = Said::default();
    said.hear(value);
    said.text
}

/// The items of an array field; none where there is no such array.
pub(super) fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
