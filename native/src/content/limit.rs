//! Content that is too long: texts are cut, then the oldest messages go; it stays JSON of the same form.

use serde_json::{Map, Value};

const CUT: &str = "…[cut]";
/// Characters that a text may keep, tried in turn.
const LONGEST: [usize; 5] = [65_536, 16_384, 4_096, 1_024, 256];

/// The object as text of at most so many bytes.
pub(super) fn fitted(mut content: Map<String, Value>, most: usize) -> String {
    let mut text = written(&content);
    for longest in LONGEST {
        if text.len() <= most {
            return text;
        }
        content.values_mut().for_each(|value| cut(value, longest));
        text = written(&content);
    }
    while text.len() > most {
        let Some(Value::Array(messages)) = content.get_mut("input").filter(|input| input[0].is_object()) else {
            content.clear();
            return written(&content);
        };
        // A quarter at a time: there may be thousands.
        let gone = messages.len().div_ceil(4);
        messages.drain(..gone);
        text = written(&content);
    }
    text
}

fn written(content: &Map<String, Value>) -> String {
    serde_json::to_string(content).unwrap_or_default()
}

fn cut(value: &mut Value, longest: usize) {
    match value {
        Value::String(text) if text.len() > longest => {
            let end = text
                .char_indices()
                .map(|(at, _)| at)
                .take_while(|at| *at <= longest)
                .last();
            text.truncate(end.unwrap_or(0));
            text.push_str(CUT);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cut(item, longest)),
        Value::Object(members) => members.values_mut().for_each(|member| cut(member, longest)),
        _ => {}
    }
}
