//! Choices of an answer or of a chunk: why they ended, and how much text they hold.

use super::Facts;
use crate::estimate::TextSize;
use crate::json_scan::{elements, member, members, text_of};

/// A hostile index must not make the list of reasons grow without bound.
const MOST_CHOICES: usize = 1024;

/// Reads valid JSON, a list of choices, into `facts`; how many there are.
pub(super) fn read(choices: &[u8], facts: &mut Facts) -> usize {
    let mut count = 0;
    for choice in elements(choices) {
        let mut index = count;
        let mut reason = None;
        for (name, value) in members(choice) {
            match name {
                b"index" => {
                    index = std::str::from_utf8(value)
                        .ok()
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(index)
                }
                b"finish_reason" => reason = text_of(value),
                b"delta" => facts.called_tools |= read_delta(value, &mut facts.written),
                // Text completions have no delta.
                b"text" => add(value, &mut facts.written),
                _ => {}
            }
        }
        if let Some(reason) = reason.filter(|reason| !reason.is_empty() && index < MOST_CHOICES) {
            if facts.finish_reasons.len() <= index {
                facts.finish_reasons.resize(index + 1, String::new());
            }
            facts.finish_reasons[index] = reason.into_owned();
        }
        count += 1;
    }
    count
}

/// Whether it holds a part of a tool call.
fn read_delta(delta: &[u8], written: &mut TextSize) -> bool {
    let (mut reasoned, mut calls) = (false, false);
    for (name, value) in members(delta) {
        match name {
            b"content" | b"refusal" => add(value, written),
            // Some servers send the same reasoning under both names.
            b"reasoning_content" | b"reasoning" if !reasoned => {
                reasoned = value.starts_with(b"\"");
                add(value, written);
            }
            b"tool_calls" => elements(value).for_each(|call| {
                calls = true;
                read_tool_call(call, written);
            }),
            _ => {}
        }
    }
    calls
}

fn add(value: &[u8], written: &mut TextSize) {
    if let Some(text) = text_of(value) {
        written.add(&text);
    }
}

/// Name and arguments are the part of a tool call that the model wrote.
fn read_tool_call(call: &[u8], written: &mut TextSize) {
    let function = member(call, b"function").unwrap_or_default();
    for (name, value) in members(function) {
        if matches!(name, b"name" | b"arguments") {
            add(value, written);
        }
    }
}
