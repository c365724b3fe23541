//! Chunks of OpenAI's dialect, for streams that come in another one.

use bytes::Bytes;
use serde_json::Value;

use crate::ids;

/// Writes the chunks of one stream.
#[derive(Debug)]
pub(super) struct Chunks {
    id: String,
    created: i64,
    model: String,
    /// The part that all chunks begin with, once the id is known.
    head: String,
    begun: bool,
}

impl Chunks {
    pub(super) fn new(model: &str) -> Self {
        let mut chunks = Self {
            id: ids::completion_id(),
            created: ids::wall_clock_ns() / 1_000_000_000,
            model: model.to_owned(),
            head: String::new(),
            begun: false,
        };
        chunks.write_head();
        chunks
    }

    /// The provider's own id, where it has one.
    pub(super) fn identify(&mut self, id: &str) {
        if !id.is_empty() && !self.begun {
            id.clone_into(&mut self.id);
            self.write_head();
        }
    }

    fn write_head(&mut self) {
        self.head = format!(
            "{{\"id\":{},\"created\":{},\"model\":{},\"object\":\"chat.completion.chunk\"",
            Value::from(self.id.as_str()),
            self.created,
            Value::from(self.model.as_str())
        );
    }

    /// A chunk of one choice; `delta` is the inside of its object, as JSON text.
    pub(super) fn delta(&mut self, choice: u64, delta: &str) -> Bytes {
        let role = if self.begun { "" } else { "\"role\":\"assistant\"," };
        self.begun = true;
        let delta = if delta.is_empty() {
            role.trim_end_matches(',').to_owned()
        } else {
            format!("{role}{delta}")
        };
        let head = &self.head;
        Bytes::from(format!(
            "{head},\"choices\":[{{\"index\":{choice},\"finish_reason\":null,\"delta\":{{{delta}}}}}]}}"
        ))
    }

    /// The chunk that ends a choice.
    pub(super) fn finish(&mut self, choice: u64, reason: &str) -> Bytes {
        let (head, reason) = (&self.head, Value::from(reason));
        Bytes::from(format!(
            "{head},\"choices\":[{{\"index\":{choice},\"finish_reason\":{reason},\"delta\":{{}}}}]}}"
        ))
    }

    /// The last chunk, where the caller asked for usage; litellm's has one empty choice.
    pub(super) fn usage(&self, usage: &Value) -> Bytes {
        let head = &self.head;
        Bytes::from(format!(
            "{head},\"choices\":[{{\"index\":0,\"finish_reason\":null,\"delta\":{{}}}}],\"usage\":{usage}}}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_json_and_the_first_names_the_role() {
        let mut chunks = Chunks::new("a \"model\"");
        chunks.identify("msg_1");
        let made = [
            chunks.delta(0, "\"content\":\"x\""),
            chunks.delta(0, ""),
            chunks.finish(0, "stop"),
            chunks.usage(&serde_json::json!({"total_tokens": 1})),
        ];
        let read: Vec<Value> = made
            .iter()
            .map(|bytes| serde_json::from_slice(bytes).expect("JSON"))
            .collect();
        assert_eq!(read[0]["choices"][0]["delta"]["role"], "assistant");
        assert!(read[1]["choices"][0]["delta"].get("role").is_none());
        assert!(
            read.iter()
                .all(|chunk| chunk["id"] == "msg_1" && chunk["model"] == "a \"model\"")
        );
        assert_eq!(read[3]["usage"]["total_tokens"], 1);
    }
}
