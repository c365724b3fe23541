//! A stream of chat's chunks as the events of a response.

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{Echo, call_item, message_item, named, reasoning_item, status_of, text_part, usage_of};
use crate::providers::dialect::{Events, bytes_of};
use crate::providers::openai::{self, EventKind, Facts};

/// What a response consists of, as it grows.
#[derive(Debug)]
enum Item {
    Reasoning {
        id: String,
        text: String,
    },
    Message {
        id: String,
        text: String,
    },
    /// `at`: its index in chat.
    Call {
        at: u64,
        id: String,
        name: String,
        arguments: String,
    },
}

#[derive(Debug)]
pub(super) struct ResponseEvents {
    chat: Option<Box<dyn Events>>,
    echo: Echo,
    begun: bool,
    id: String,
    created: Value,
    model: Value,
    items: Vec<Item>,
    finish_reason: Option<String>,
    usage: Value,
    sequence: u64,
}

impl ResponseEvents {
    pub(super) fn new(chat: Option<Box<dyn Events>>, echo: Echo) -> Self {
        Self {
            chat,
            echo,
            begun: false,
            id: named("resp"),
            created: Value::Null,
            model: Value::Null,
            items: Vec::new(),
            finish_reason: None,
            usage: Value::Null,
            sequence: 0,
        }
    }

    fn say(&mut self, kind: &str, mut event: Value, out: &mut Vec<Bytes>) {
        event["type"] = kind.into();
        event["sequence_number"] = self.sequence.into();
        self.sequence += 1;
        out.push(bytes_of(&event));
    }

    /// A chunk of chat's, as the provider's dialect makes it.
    fn chunk(&mut self, chunk: &[u8], out: &mut Vec<Bytes>) {
        let Ok(chunk) = serde_json::from_slice::<Value>(chunk) else {
            return;
        };
        if !self.begun {
            self.begun = true;
            if let Some(id) = chunk["id"].as_str().filter(|id| !id.is_empty()) {
                id.clone_into(&mut self.id);
            }
            self.created = chunk["created"].clone();
            self.model = chunk["model"].clone();
            let response = self
                .echo
                .response(&self.id, &self.created, &self.model, "in_progress", Vec::new());
            self.say("response.created", json!({"response": response}), out);
            self.say("response.in_progress", json!({"response": response}), out);
        }
        if chunk["usage"].is_object() {
            self.usage = chunk["usage"].clone();
        }
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            if choice["index"].as_u64().unwrap_or_default() == 0 {
                self.delta(&choice["delta"], out);
                if let Some(reason) = choice["finish_reason"].as_str() {
                    self.finish_reason = Some(reason.to_owned());
                }
            }
        }
    }

    fn delta(&mut self, delta: &Value, out: &mut Vec<Bytes>) {
        let text = |name: &str| delta[name].as_str().filter(|text| !text.is_empty());
        if let Some(thought) = text("reasoning_content").or_else(|| text("reasoning")) {
            self.thought(thought, out);
        }
        if let Some(said) = text("content") {
            self.said(said, out);
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.called(call, out);
        }
    }

    fn thought(&mut self, more: &str, out: &mut Vec<Bytes>) {
        let known = self
            .items
            .iter()
            .rposition(|item| matches!(item, Item::Reasoning { .. }));
        let at = known.unwrap_or_else(|| {
            let id = named("rs");
            let item = json!({"type": "reasoning", "id": id, "summary": []});
            self.add(
                Item::Reasoning {
                    id,
                    text: String::new(),
                },
                item,
                out,
            )
        });
        if let Item::Reasoning { id, text } = &mut self.items[at] {
            text.push_str(more);
            let event = json!({"item_id": id, "output_index": at, "summary_index": 0, "delta": more});
            self.say("response.reasoning_summary_text.delta", event, out);
        }
    }

    fn said(&mut self, more: &str, out: &mut Vec<Bytes>) {
        let known = self.items.iter().rposition(|item| matches!(item, Item::Message { .. }));
        let at = known.unwrap_or_else(|| {
            let id = named("msg");
            let (item, part) = (message_item(&id, "in_progress", Vec::new()), text_part("", Vec::new()));
            let begun = json!({"item_id": id, "content_index": 0, "part": part});
            let at = self.add(
                Item::Message {
                    id,
                    text: String::new(),
                },
                item,
                out,
            );
            let mut begun = begun;
            begun["output_index"] = at.into();
            self.say("response.content_part.added", begun, out);
            at
        });
        if let Item::Message { id, text } = &mut self.items[at] {
            text.push_str(more);
            let event = json!({"item_id": id, "output_index": at, "content_index": 0, "delta": more});
            self.say("response.output_text.delta", event, out);
        }
    }

    fn called(&mut self, call: &Value, out: &mut Vec<Bytes>) {
        let index = call["index"].as_u64().unwrap_or_default();
        let is_it = |item: &Item| matches!(item, Item::Call { at, .. } if *at == index);
        let known = self.items.iter().position(is_it);
        let function = &call["function"];
        let at = known.unwrap_or_else(|| {
            let id = call["id"].as_str().map_or_else(|| named("call"), str::to_owned);
            let name = function["name"].as_str().unwrap_or_default().to_owned();
            let item = call_item(&id, &name, "", "in_progress");
            let call = Item::Call {
                at: index,
                id,
                name,
                arguments: String::new(),
            };
            self.add(call, item, out)
        });
        let more = function["arguments"].as_str().filter(|more| !more.is_empty());
        if let (Some(more), Item::Call { id, arguments, .. }) = (more, &mut self.items[at]) {
            arguments.push_str(more);
            let event = json!({"item_id": format!("fc_{id}"), "output_index": at, "delta": more});
            self.say("response.function_call_arguments.delta", event, out);
        }
    }

    fn add(&mut self, item: Item, shown: Value, out: &mut Vec<Bytes>) -> usize {
        self.items.push(item);
        let at = self.items.len() - 1;
        self.say(
            "response.output_item.added",
            json!({"output_index": at, "item": shown}),
            out,
        );
        at
    }

    /// The events that tell that an item is whole; the item.
    fn finished(&mut self, at: usize, item: &Item, out: &mut Vec<Bytes>) -> Value {
        let whole = match item {
            Item::Reasoning { id, text } => {
                let event = json!({"item_id": id, "output_index": at, "summary_index": 0, "text": text});
                self.say("response.reasoning_summary_text.done", event, out);
                reasoning_item(id, text)
            }
            Item::Message { id, text } => {
                let place = json!({"item_id": id, "output_index": at, "content_index": 0});
                let with = |name: &str, value: Value| {
                    let mut event = place.clone();
                    event[name] = value;
                    event
                };
                self.say("response.output_text.done", with("text", text.as_str().into()), out);
                let part = text_part(text, Vec::new());
                self.say("response.content_part.done", with("part", part.clone()), out);
                message_item(id, "completed", vec![part])
            }
            Item::Call {
                id, name, arguments, ..
            } => {
                let event = json!({"item_id": format!("fc_{id}"), "output_index": at, "arguments": arguments});
                self.say("response.function_call_arguments.done", event, out);
                call_item(id, name, arguments, "completed")
            }
        };
        self.say(
            "response.output_item.done",
            json!({"output_index": at, "item": whole}),
            out,
        );
        whole
    }
}

impl Events for ResponseEvents {
    fn read(&mut self, facts: &mut Facts, data: &Bytes, chunks: &mut Vec<Bytes>) -> EventKind {
        let mut chat = Vec::new();
        let kind = match &mut self.chat {
            Some(events) => events.read(facts, data, &mut chat),
            None => {
                let kind = openai::read_event(facts, data);
                if matches!(kind, EventKind::Chunk | EventKind::Last | EventKind::UsageOnly) {
                    chat.push(data.clone());
                }
                kind
            }
        };
        chat.iter().for_each(|chunk| self.chunk(chunk, chunks));
        kind
    }

    fn end(&mut self, facts: &mut Facts, chunks: &mut Vec<Bytes>) {
        let mut chat = Vec::new();
        if let Some(events) = &mut self.chat {
            events.end(facts, &mut chat);
        }
        chat.iter().for_each(|chunk| self.chunk(chunk, chunks));
        let items = std::mem::take(&mut self.items);
        let output: Vec<Value> = items
            .iter()
            .enumerate()
            .map(|(at, item)| self.finished(at, item, chunks))
            .collect();
        let (status, details) = status_of(self.finish_reason.as_deref());
        let mut response = self.echo.response(&self.id, &self.created, &self.model, status, output);
        response["incomplete_details"] = details;
        response["usage"] = usage_of(&self.usage);
        self.say(&format!("response.{status}"), json!({"response": response}), chunks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(chunks: &[&'static str]) -> Vec<Value> {
        let mut events = ResponseEvents::new(None, Echo::of(&serde_json::Map::new()));
        let (mut facts, mut out) = (Facts::default(), Vec::new());
        for chunk in chunks {
            events.read(&mut facts, &Bytes::from_static(chunk.as_bytes()), &mut out);
        }
        events.end(&mut facts, &mut out);
        out.iter()
            .map(|event| serde_json::from_slice(event).expect("JSON"))
            .collect()
    }

    #[test]
    fn chunks_become_events() {
        let said = events(&[
            r#"{"id":"c","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hi"}}]}"#,
            r#"{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":"{"}}]}}]}"#,
            r#"{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
            r#"{"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
        ]);
        let kinds: Vec<&str> = said
            .iter()
            .filter_map(|event| event["type"].as_str()?.strip_prefix("response."))
            .collect();
        assert_eq!(
            kinds,
            [
                "created",
                "in_progress",
                "output_item.added",
                "content_part.added",
                "output_text.delta",
                "output_item.added",
                "function_call_arguments.delta",
                "function_call_arguments.delta",
                "output_text.done",
                "content_part.done",
                "output_item.done",
                "function_call_arguments.done",
                "output_item.done",
                "completed"
            ]
        );
        let response = &said[13]["response"];
        assert_eq!(response["output"][1]["arguments"], "{}");
        assert_eq!(response["usage"], json!({"input_tokens": 3, "output_tokens": 2}));
    }
}
