//! Images: Imagen's `predict`, and the models of generateContent that paint.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::NoEvents;
use super::usage::of_kind;
use crate::failure::Failure;
use crate::ids;
use crate::images::Images;
use crate::providers::dialect::{Answered, Events, Reading, bytes_of, object};
use crate::providers::openai::{Facts, read_error};
use crate::providers::parameters::{Wishes, unsupported};
use crate::providers::raw_object::member;

/// OpenAI's parameters of images that have no word here.
const REFUSED: &[&str] = &["quality", "style", "response_format", "user"];

/// Imagen's own parameters, and the ways that Python programs write them.
const IMAGENS: &[(&str, &str)] = &[
    ("aspect_ratio", "aspectRatio"),
    ("aspectRatio", "aspectRatio"),
    ("image_size", "imageSize"),
    ("imageSize", "imageSize"),
    ("negative_prompt", "negativePrompt"),
    ("negativePrompt", "negativePrompt"),
    ("person_generation", "personGeneration"),
    ("personGeneration", "personGeneration"),
    ("seed", "seed"),
];

/// OpenAI's sizes, and others of the same shapes, as Google's ratios.
const RATIOS: &[(&str, &str)] = &[
    ("1024x1024", "1:1"),
    ("512x512", "1:1"),
    ("256x256", "1:1"),
    ("1792x1024", "16:9"),
    ("1024x1792", "9:16"),
    ("1536x1024", "3:2"),
    ("1024x1536", "2:3"),
    ("1280x896", "4:3"),
    ("896x1280", "3:4"),
];

fn is_imagen(model: &str) -> bool {
    model.starts_with("imagen")
}

/// The method of the API, which stands in the path.
pub(super) fn method(model: &str) -> &'static str {
    if is_imagen(model) { "predict" } else { "generateContent" }
}

pub(super) fn word(body: &mut Map<String, Value>, wishes: &Wishes<'_>, extra: &[String]) -> Result<Value, Failure> {
    let is_refused = |name: &str| REFUSED.contains(&name) && !extra.iter().any(|given| given == name);
    if let Some(name) = body
        .keys()
        .find(|name| is_refused(name))
        .filter(|_| !wishes.drop_params)
    {
        return Err(unsupported(format!(
            "{} does not take '{name}' for images of {}. To leave it out, set drop_params=True",
            wishes.provider, wishes.model
        )));
    }
    let prompt = body.remove("prompt").unwrap_or_default();
    let ratio = match body.remove("size") {
        Some(size) if size == "auto" => None,
        Some(size) => match RATIOS.iter().find(|(known, _)| size == *known) {
            Some((_, ratio)) => Some(*ratio),
            None if wishes.drop_params => None,
            None => {
                return Err(unsupported(format!(
                    "{} has no images of size {size}: pass aspect_ratio, such as '16:9', or drop_params=True",
                    wishes.provider
                )));
            }
        },
        None => None,
    };
    let count = body.remove("n");
    if is_imagen(wishes.model) {
        let mut parameters = Map::new();
        if let Some(count) = count {
            parameters.insert("sampleCount".to_owned(), count);
        }
        if let Some(ratio) = ratio {
            parameters.insert("aspectRatio".to_owned(), ratio.into());
        }
        for (name, value) in std::mem::take(body) {
            if let Some((_, googles)) = IMAGENS.iter().find(|(known, _)| *known == name) {
                parameters.insert((*googles).to_owned(), value);
            } else if extra.contains(&name) {
                parameters.insert(name, value);
            }
        }
        return Ok(json!({"instances": [{"prompt": prompt}], "parameters": parameters}));
    }
    let mut settings = Map::new();
    settings.insert("response_modalities".to_owned(), json!(["IMAGE", "TEXT"]));
    if let Some(count) = count.filter(|count| *count != 1) {
        settings.insert("candidateCount".to_owned(), count);
    }
    let own_ratio = body.remove("aspect_ratio").or_else(|| body.remove("aspectRatio"));
    if let Some(ratio) = own_ratio.or(ratio.map(Value::from)) {
        settings.insert("imageConfig".to_owned(), json!({"aspectRatio": ratio}));
    }
    let mut out = Map::new();
    out.insert("contents".to_owned(), json!([{"parts": [{"text": prompt}]}]));
    out.insert("generationConfig".to_owned(), Value::Object(settings));
    out.extend(
        std::mem::take(body)
            .into_iter()
            .filter(|(name, _)| extra.contains(name)),
    );
    Ok(Value::Object(out))
}

/// How the answer is read.
#[derive(Debug)]
pub(super) struct Painted;

impl Reading for Painted {
    fn answer(&self, body: &Bytes) -> Result<Answered, String> {
        let answer = object(body)?;
        if answer.get("error").is_some_and(|error| !error.is_null()) {
            return Ok(Answered::Error(read_error(body)));
        }
        let images = images_in(&answer);
        let data: Vec<Value> = images.iter().map(|image| json!({"b64_json": image})).collect();
        let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        let facts = Facts {
            response_id: text("responseId"),
            model: text("modelVersion"),
            usage: member(body, "usageMetadata").map(str::to_owned),
            images: Some(Images {
                count: images.len() as u64,
                ..Images::default()
            }),
            ..Facts::default()
        };
        let counts = answer.get("usageMetadata").and_then(Value::as_object);
        let made = json!({
            "created": ids::wall_clock_ns() / 1_000_000_000, "data": data, "usage": counted(counts),
        });
        Ok(Answered::Whole(facts, bytes_of(&made)))
    }

    fn events(&self) -> Box<dyn Events> {
        Box::new(NoEvents)
    }
}

/// The images' data in base64, of either kind of model.
fn images_in(answer: &Map<String, Value>) -> Vec<&Value> {
    let list = |name: &str| answer.get(name).and_then(Value::as_array).into_iter().flatten();
    let predicted = list("predictions").map(|prediction| &prediction["bytesBase64Encoded"]);
    let written = list("candidates")
        .filter_map(|candidate| candidate["content"]["parts"].as_array())
        .flatten()
        .map(|part| match &part["inlineData"] {
            Value::Null => &part["inline_data"]["data"],
            inline => &inline["data"],
        });
    predicted.chain(written).filter(|data| data.is_string()).collect()
}

/// The counts as OpenAI's answers have them: what is not said to be text was painted.
fn counted(usage: Option<&Map<String, Value>>) -> Value {
    let count = |name: &str| usage.and_then(|usage| usage.get(name)?.as_u64()).unwrap_or(0);
    let of_kind = |list, kind| usage.and_then(|usage| of_kind(usage, list, kind)).unwrap_or(0);
    let (read, written) = (count("promptTokenCount"), count("candidatesTokenCount"));
    let images_read = of_kind("promptTokensDetails", "IMAGE");
    let mut made = json!({
        "input_tokens": read,
        "input_tokens_details": {"image_tokens": images_read, "text_tokens": read.saturating_sub(images_read)},
        "output_tokens": written,
        "total_tokens": count("totalTokenCount"),
    });
    if usage.is_some() {
        let text = of_kind("candidatesTokensDetails", "TEXT");
        made["output_tokens_details"] = json!({"image_tokens": written.saturating_sub(text), "text_tokens": text});
    }
    made
}
