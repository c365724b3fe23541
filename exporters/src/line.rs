//! A record as one line of the spool: a JSON object whose keys are the columns of the view `calls`.

use std::collections::BTreeMap;

use crate::json::{Object, embed_merged, string};
use crate::record::{Attempt, CallRecord};

/// A line and its newline are at most so long: DuckDB refuses every query over a file that has one above 16 MiB.
pub const MAX_LINE: usize = 1 << 20;

/// What every line of a process says about the process.
#[derive(Clone, Debug)]
pub struct Process {
    pub service_name: Option<String>,
    pub host: Option<String>,
    pub pid: u32,
}

impl Process {
    /// This process; after a fork there is a new one to ask for.
    #[must_use]
    pub fn current(service_name: Option<String>) -> Self {
        Self {
            service_name,
            host: host_name(),
            pid: std::process::id(),
        }
    }
}

#[cfg(unix)]
pub(crate) fn host_name() -> Option<String> {
    let mut buffer = [0_u8; 256];
    // SAFETY: the pointer and the length are those of `buffer`, which outlives the call.
    let failed = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len()) } != 0;
    let name = buffer
        .split(|byte| *byte == 0)
        .next()
        .filter(|name| !failed && !name.is_empty())?;
    Some(String::from_utf8_lossy(name).into_owned())
}

#[cfg(not(unix))]
pub(crate) fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// What a line above `MAX_LINE` loses, in this order, until it fits. The first four are the protocol's; the others stand
/// behind them because a line that is still too long would cost every reader every query.
const CUTS: [&str; 11] = [
    "content",
    "metadata",
    "request_params",
    "usage",
    "provider_details",
    "attempts.usage",
    "attempts",
    "finish_reasons",
    "tags",
    "cost_breakdown",
    "strings",
];

/// How many of `CUTS` a line has lost.
#[derive(Clone, Copy)]
struct Cut(usize);

impl Cut {
    fn has(self, name: &str) -> bool {
        CUTS[..self.0].contains(&name)
    }

    fn keeps<'a>(self, name: &str, text: Option<&'a String>) -> Option<&'a str> {
        text.filter(|_| !self.has(name)).map(String::as_str)
    }
}

/// In the last resort a string keeps so many characters: thirty of them, each escaped to six bytes, still fit.
const LAST_RESORT: usize = 1_000;

/// Appends the record's line, newline included.
pub fn write_line(record: &CallRecord, process: &Process, out: &mut Vec<u8>) {
    let start = out.len();
    for cut in 0..=CUTS.len() {
        // Nothing lost by what is not there.
        if cut > 0 && !is_there(record, CUTS[cut - 1]) {
            continue;
        }
        out.truncate(start);
        write_object(record, process, Cut(cut), out);
        out.push(b'\n');
        if out.len() - start <= MAX_LINE {
            return;
        }
    }
}

fn is_there(record: &CallRecord, name: &str) -> bool {
    match name {
        "content" => record.content.is_some(),
        "metadata" => {
            record.metadata.is_some() || record.labels.as_ref().is_some_and(|labels| labels.metadata.is_some())
        }
        "request_params" => record.request_params.is_some(),
        "usage" => record.usage.is_some(),
        "provider_details" => record.provider_details.is_some(),
        "attempts.usage" => record.attempts.iter().any(|attempt| attempt.usage.is_some()),
        "attempts" => !record.attempts.is_empty(),
        "finish_reasons" => !record.finish_reasons.is_empty(),
        "tags" => !record.tags.is_empty() || record.labels.as_ref().is_some_and(|labels| !labels.tags.is_empty()),
        "cost_breakdown" => record.cost.as_ref().is_some_and(|cost| !cost.breakdown.is_empty()),
        _ => true,
    }
}

fn write_object(record: &CallRecord, process: &Process, cut: Cut, out: &mut Vec<u8>) {
    let longest = if cut.has("strings") { LAST_RESORT } else { usize::MAX };
    let mut line = Object::open(out).with_longest(longest);
    write_identity(record, cut, &mut line);
    write_call(record, cut, &mut line);
    write_tokens(record, cut, &mut line);
    write_cost(record, cut, &mut line);
    write_outcome(record, cut, &mut line);
    line.text_if("service_name", process.service_name.as_deref());
    line.text_if("host", process.host.as_deref());
    line.integer("pid", i64::from(process.pid));
    if cut.0 > 0 {
        let lost = CUTS[..cut.0].iter().filter(|name| is_there(record, name));
        write_list(line.key("cut"), lost.copied());
    }
    line.close();
}

fn write_identity(record: &CallRecord, cut: Cut, line: &mut Object<'_>) {
    let labels = record.labels.as_deref();
    let [a, b, c, d, e] = uuid_parts(&record.call_uid);
    line.plain("call_uid", format_args!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}"));
    line.plain(
        "trace_id",
        format_args!("{:032x}", u128::from_be_bytes(record.trace_id)),
    );
    line.plain("span_id", format_args!("{:016x}", u64::from_be_bytes(record.span_id)));
    if let Some(parent) = record.parent_span_id {
        line.plain("parent_span_id", format_args!("{:016x}", u64::from_be_bytes(parent)));
    }
    line.text_if("session_id", labels.and_then(|labels| labels.session.as_deref()));
    line.text_if(
        "user_id",
        record
            .user
            .as_deref()
            .or_else(|| labels.and_then(|labels| labels.user.as_deref())),
    );
    line.text_if("api_key_id", record.api_key_id.as_deref());
    if !cut.has("tags") && is_there(record, "tags") {
        // A map also where only one side has tags: a key that stood twice in an object would be refused.
        let mut tags: BTreeMap<&str, &str> = BTreeMap::new();
        let outer = labels.map_or(&[][..], |labels| &labels.tags);
        tags.extend(
            outer
                .iter()
                .chain(&record.tags)
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        let mut object = Object::open(line.key("tags"));
        for (key, value) in tags {
            string(object.any_key(key), value);
        }
        object.close();
    }
    if !cut.has("metadata") {
        match (
            labels.and_then(|labels| labels.metadata.as_deref()),
            record.metadata.as_deref(),
        ) {
            (Some(outer), Some(own)) => embed_merged(line.key("metadata"), outer, own),
            (outer, own) => line.json_if("metadata", own.or(outer)),
        }
    }
}

fn write_call(record: &CallRecord, cut: Cut, line: &mut Object<'_>) {
    line.integer("start_ns", record.start_ns);
    line.integer("duration_ns", record.duration_ns);
    line.integer_if("time_to_first_chunk_ns", record.time_to_first_chunk_ns);
    line.text("origin", record.origin);
    line.text_if("origin_version", record.origin_version.as_deref());
    line.text("operation", record.operation);
    line.text("provider", &record.provider);
    line.text_if("request_model", record.request_model.as_deref());
    line.text_if("response_model", record.response_model.as_deref());
    line.text_if("response_id", record.response_id.as_deref());
    line.text_if("server_address", record.server_address.as_deref());
    line.boolean("streaming", record.streaming);
    line.boolean("cached", record.cached);
    line.count_if("chunks", record.chunks.map(u64::from));
    line.json_if(
        "request_params",
        cut.keeps("request_params", record.request_params.as_ref()),
    );
    line.json_if(
        "provider_details",
        cut.keeps("provider_details", record.provider_details.as_ref()),
    );
    line.json_if("content", cut.keeps("content", record.content.as_ref()));
}

fn write_tokens(record: &CallRecord, cut: Cut, line: &mut Object<'_>) {
    let tokens = &record.tokens;
    line.count_if("input_tokens", tokens.input);
    line.count_if("output_tokens", tokens.output);
    line.count_if("cache_read_tokens", tokens.cache_read);
    line.count_if("cache_write_5m_tokens", tokens.cache_write_5m);
    line.count_if("cache_write_1h_tokens", tokens.cache_write_1h);
    line.count_if("reasoning_tokens", tokens.reasoning);
    line.count_if("audio_input_tokens", tokens.audio_input);
    line.count_if("audio_output_tokens", tokens.audio_output);
    line.count_if("image_input_tokens", tokens.image_input);
    line.count_if("image_output_tokens", tokens.image_output);
    line.count_if("estimated_input_tokens", record.estimated_input_tokens);
    line.count_if("estimated_output_tokens", record.estimated_output_tokens);
    line.json_if("usage", cut.keeps("usage", record.usage.as_ref()));
}

fn write_cost(record: &CallRecord, cut: Cut, line: &mut Object<'_>) {
    line.text_if("service_tier", record.service_tier.as_deref());
    line.text_if("requested_service_tier", record.requested_service_tier.as_deref());
    let Some(cost) = &record.cost else {
        return line.text("cost_status", "no_usage");
    };
    line.text("cost_status", cost.status.as_str());
    // Strings, because DuckDB passes numbers through a double.
    for (key, usd) in [
        ("cost_usd", cost.usd),
        ("computed_cost_usd", cost.computed_usd),
        ("reported_cost_usd", cost.reported_usd),
    ] {
        if let Some(usd) = usd {
            line.plain(key, format_args!("{usd}"));
        }
    }
    line.text_if("price_key", cost.price_key.as_deref());
    line.text("price_version", &cost.price_version);
    if let Some(reason) = &cost.reason {
        line.text("cost_reason", &reason.to_string());
    }
    if !cut.has("cost_breakdown") && is_there(record, "cost_breakdown") {
        line.json_if("cost_breakdown", Some(&cost.breakdown_json()));
    }
}

fn write_outcome(record: &CallRecord, cut: Cut, line: &mut Object<'_>) {
    line.text("outcome", record.outcome.as_str());
    line.text_if("error_type", record.error_type.as_deref());
    line.text_if("error_message", record.error_message.as_deref());
    line.count_if("http_status", record.http_status.map(u64::from));
    if !cut.has("finish_reasons") && is_there(record, "finish_reasons") {
        write_list(
            line.key("finish_reasons"),
            record.finish_reasons.iter().map(String::as_str),
        );
    }
    // Also where there is none: a call that was refused before it was sent has 0 attempts, not an unknown number.
    if !cut.has("attempts") {
        let out = line.key("attempts");
        out.push(b'[');
        for (place, attempt) in record.attempts.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_attempt(attempt, cut, out);
        }
        out.push(b']');
    }
}

fn write_attempt(attempt: &Attempt, cut: Cut, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.integer("start_ns", attempt.start_ns);
    object.integer("duration_ns", attempt.duration_ns);
    object.text("provider", &attempt.provider);
    object.text_if("model", attempt.model.as_deref());
    object.text_if("server_address", attempt.server_address.as_deref());
    object.count_if("http_status", attempt.http_status.map(u64::from));
    object.text_if("error_type", attempt.error_type.as_deref());
    object.text_if("request_id", attempt.request_id.as_deref());
    object.json_if("usage", cut.keeps("attempts.usage", attempt.usage.as_ref()));
    if let Some(usd) = attempt.cost_usd {
        object.plain("cost_usd", format_args!("{usd}"));
    }
    object.close();
}

fn write_list<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a str>) {
    out.push(b'[');
    for (place, text) in texts.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        string(out, text);
    }
    out.push(b']');
}

/// The groups of a UUID's text, which differ in width.
fn uuid_parts(uid: &[u8; 16]) -> [u64; 5] {
    let whole = u128::from_be_bytes(*uid);
    let group = |shift: u32, digits: u32| ((whole >> shift) as u64) & ((1_u64 << (4 * digits)) - 1);
    [group(96, 8), group(80, 4), group(64, 4), group(48, 4), group(0, 12)]
}
