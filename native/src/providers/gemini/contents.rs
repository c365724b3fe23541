//! A conversation in Gemini's words: contents of users and models, the system's parts apart.

use serde_json::{Map, Value, json};

use super::{Abilities, odd_part};
use crate::failure::Failure;
use crate::providers::dialect::refused;
use crate::providers::parts::{self, Source};

#[derive(Debug, Default)]
pub(super) struct Spoken {
    pub system: Vec<Value>,
    pub contents: Vec<Value>,
    /// How closely images are looked at, where a part says so.
    pub resolution: Option<&'static str>,
    ended: bool,
    /// Calls have ids, and must have signatures.
    has_ids: bool,
}

/// What Google documents for calls whose signature is lost (ai.google.dev/gemini-api/docs/thought-signatures), in base64:
/// `skip_thought_signature_validator`.
const NO_SIGNATURE: &str = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=";

/// The conversation, with the system's parts apart where the model knows instructions.
pub(super) fn translate(messages: Option<Value>, abilities: &Abilities<'_>) -> Result<Spoken, Failure> {
    let Some(Value::Array(messages)) = messages else {
        return Err(refused("messages must be a list of messages"));
    };
    let mut spoken = Spoken {
        has_ids: abilities.has_levels,
        ..Spoken::default()
    };
    let mut names: Vec<(String, String)> = Vec::new();
    for message in &messages {
        let Value::Object(message) = message else {
            return Err(refused("each message must be a dict with role and content"));
        };
        match message.get("role").and_then(Value::as_str).unwrap_or_default() {
            "system" | "developer" => {
                let texts = texts_of(message);
                if abilities.takes_system {
                    spoken.system.extend(texts);
                } else {
                    spoken.add("user", texts);
                }
            }
            "user" => {
                let parts = spoken.user_parts(message)?;
                spoken.add("user", parts);
            }
            "assistant" => {
                let parts = spoken.model_parts(message, &mut names)?;
                if parts.is_empty() {
                    spoken.ended = true;
                } else {
                    spoken.add("model", parts);
                }
            }
            "tool" | "function" => {
                let part = spoken.tool_result(message, &names)?;
                spoken.add("user", vec![part]);
            }
            other => {
                return Err(refused(format!(
                    "messages with the role '{other}' cannot be sent to Gemini"
                )));
            }
        }
    }
    if spoken.contents.is_empty() {
        // The API takes no request without contents; litellm's words.
        let text = if spoken.system.is_empty() { " " } else { "." };
        spoken.contents.push(json!({"role": "user", "parts": [{"text": text}]}));
    }
    Ok(spoken)
}

fn texts_of(message: &Map<String, Value>) -> Vec<Value> {
    match message.get("content") {
        Some(Value::String(text)) if !text.is_empty() => vec![json!({"text": text})],
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .map(|text| json!({"text": text}))
            .collect(),
        _ => Vec::new(),
    }
}

impl Spoken {
    /// Contents of one role in a row are one.
    fn add(&mut self, role: &str, mut parts: Vec<Value>) {
        let ended = std::mem::take(&mut self.ended);
        if let Some(last) = self.contents.last_mut().filter(|last| !ended && last["role"] == role)
            && let Some(known) = last["parts"].as_array_mut()
        {
            known.append(&mut parts);
            return;
        }
        if !parts.is_empty() {
            self.contents.push(json!({"role": role, "parts": parts}));
        }
    }

    fn user_parts(&mut self, message: &Map<String, Value>) -> Result<Vec<Value>, Failure> {
        let parts = match message.get("content") {
            Some(Value::String(text)) => return Ok(vec![json!({"text": text})]),
            Some(Value::Array(parts)) => parts,
            _ => return Ok(vec![json!({"text": ""})]),
        };
        let mut made = Vec::with_capacity(parts.len());
        for part in parts {
            made.push(self.part(part)?);
        }
        if !made.iter().any(|part| part.get("text").is_some()) {
            made.push(json!({"text": " "}));
        }
        Ok(made)
    }

    fn part(&mut self, part: &Value) -> Result<Value, Failure> {
        match part["type"].as_str() {
            Some("text") => Ok(json!({"text": part["text"]})),
            Some("image_url") => {
                self.look(part["image_url"]["detail"].as_str());
                let source = parts::image(part).ok_or_else(|| refused("an image_url part has no url"))?;
                data(&source, part["image_url"]["format"].as_str())
            }
            Some("file") => {
                let source = parts::file(part).ok_or_else(|| refused("a file part needs file_data or file_id"))?;
                let mut made = data(&source, part["file"]["format"].as_str())?;
                if let Some(metadata) = part["file"].get("video_metadata") {
                    made["video_metadata"] = metadata.clone();
                }
                Ok(made)
            }
            Some("input_audio") => {
                let audio = &part["input_audio"];
                let format = audio["format"].as_str().unwrap_or("wav");
                let mime_type = if format.contains('/') {
                    format.to_owned()
                } else {
                    format!("audio/{format}")
                };
                Ok(json!({"inline_data": {"data": audio["data"], "mime_type": mime_type}}))
            }
            // Gemini's own parts.
            None if part.is_object() => Ok(part.clone()),
            None => part.as_str().map(|text| json!({"text": text})).ok_or_else(odd_part),
            Some(_) => Err(odd_part()),
        }
    }

    fn look(&mut self, detail: Option<&str>) {
        let resolution = match detail {
            Some("low") => "MEDIA_RESOLUTION_LOW",
            Some("medium") => "MEDIA_RESOLUTION_MEDIUM",
            Some("high") => "MEDIA_RESOLUTION_HIGH",
            _ => return,
        };
        self.resolution = Some(resolution);
    }

    /// `names`: by the id of each call, its function: results name the function, not the call.
    fn model_parts(
        &mut self,
        message: &Map<String, Value>,
        names: &mut Vec<(String, String)>,
    ) -> Result<Vec<Value>, Failure> {
        let mut made = Vec::new();
        let fields = message.get("provider_specific_fields").unwrap_or(&Value::Null);
        if let Some(reasoning) = message
            .get("reasoning_content")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
        {
            made.push(json!({"thought": true, "text": reasoning}));
        }
        let first_text = made.len();
        match message.get("content") {
            Some(Value::String(text)) if !text.is_empty() => made.push(json!({"text": text})),
            Some(Value::Array(parts)) => {
                for part in parts {
                    made.push(self.part(part)?);
                }
            }
            _ => {}
        }
        if let (Some(signature), Some(part)) = (fields["thought_signatures"].get(0), made.get_mut(first_text)) {
            part["thoughtSignature"] = signature.clone();
        }
        let calls = message
            .get("tool_calls")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for call in calls {
            let (id, name) = (call["id"].as_str(), call["function"]["name"].as_str());
            if let (Some(id), Some(name)) = (id, name) {
                names.push((id.to_owned(), name.to_owned()));
            }
            let mut part = function_call(&call["function"], signature_of(call))?;
            if self.has_ids {
                part["function_call"]["id"] = call["id"].clone();
                if !made
                    .iter()
                    .chain([&part])
                    .any(|part| part.get("thoughtSignature").is_some())
                {
                    part["thoughtSignature"] = NO_SIGNATURE.into();
                }
            }
            made.push(part);
        }
        if let Some(function) = message.get("function_call").filter(|function| function.is_object()) {
            made.push(function_call(function, None)?);
        }
        Ok(made)
    }

    fn tool_result(&mut self, message: &Map<String, Value>, names: &[(String, String)]) -> Result<Value, Failure> {
        let id = message.get("tool_call_id").and_then(Value::as_str).unwrap_or_default();
        let known = names
            .iter()
            .rev()
            .find(|(known, _)| known == id)
            .map(|(_, name)| name.as_str());
        let name = known
            .or_else(|| message.get("name").and_then(Value::as_str))
            .ok_or_else(|| {
                refused(format!(
                    "the tool message for '{id}' answers no call in the messages: Gemini needs the function's name"
                ))
            })?;
        let (mut text, mut media) = (String::new(), Vec::new());
        match message.get("content") {
            Some(Value::String(content)) => text.clone_from(content),
            Some(Value::Array(parts)) => {
                for part in parts {
                    match part["text"].as_str() {
                        Some(piece) => text.push_str(piece),
                        None => media.push(self.part(part)?),
                    }
                }
            }
            None | Some(Value::Null) => {}
            Some(other) => text = other.to_string(),
        }
        let response = match serde_json::from_str::<Value>(&text) {
            Ok(object @ Value::Object(_)) => object,
            _ => json!({"content": text}),
        };
        let mut made = json!({"name": name, "response": response});
        if self.has_ids && !id.is_empty() {
            made["id"] = id.into();
        }
        if !media.is_empty() {
            made["parts"] = media.into();
        }
        Ok(json!({"function_response": made}))
    }
}

fn signature_of(call: &Value) -> Option<&Value> {
    [call, &call["function"]]
        .into_iter()
        .find_map(|holder| holder["provider_specific_fields"].get("thought_signature"))
        .filter(|signature| signature.is_string())
}

fn function_call(function: &Value, signature: Option<&Value>) -> Result<Value, Failure> {
    let arguments = function["arguments"].as_str().unwrap_or_default();
    let args: Value = if arguments.trim().is_empty() {
        json!({})
    } else {
        serde_json::from_str(arguments)
            .map_err(|_| refused("the arguments of a tool call in the messages are not JSON"))?
    };
    let mut part = json!({"function_call": {"name": function["name"], "args": args}});
    if let Some(signature) = signature {
        part["thoughtSignature"] = signature.clone();
    }
    Ok(part)
}

fn data(source: &Source<'_>, format: Option<&str>) -> Result<Value, Failure> {
    Ok(match source {
        Source::Data { media_type, base64 } => json!({"inline_data": {"data": base64, "mime_type": media_type}}),
        Source::Url(url) | Source::Id(url) => {
            let mime_type = format.or_else(|| mime_of(url)).ok_or_else(|| {
                refused(format!(
                    "cannot tell the media type of '{url}': give it as `format` beside the URL or id"
                ))
            })?;
            json!({"file_data": {"mime_type": mime_type, "file_uri": url}})
        }
    })
}

/// By the end of the path, as Python's `mimetypes` has it.
fn mime_of(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    // Google's own file store and YouTube name no type.
    let end = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match end.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "html" => "text/html",
        "csv" => "text/csv",
        "md" => "text/markdown",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "mpeg" | "mpg" => "video/mpeg",
        _ => return None,
    })
}
