//! Images and files as OpenAI's content parts hold them.

use serde_json::Value;

/// Where the bytes of an image or a file are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// Base64 text and its media type.
    Data {
        media_type: &'a str,
        base64: &'a str,
    },
    Url(&'a str),
    /// The provider's id of a file uploaded before.
    Id(&'a str),
}

impl<'a> Source<'a> {
    /// Of a URL, which may be a `data:` one; bare text is taken for base64 of `media_type`.
    pub(super) fn of_url(text: &'a str, media_type: &'a str) -> Self {
        if let Some(rest) = text.strip_prefix("data:") {
            let (kind, base64) = rest.split_once(',').unwrap_or(("", rest));
            let named = kind.split(';').next().unwrap_or_default();
            let media_type = if named.is_empty() { media_type } else { named };
            return Self::Data { media_type, base64 };
        }
        if text.contains("://") {
            return Self::Url(text);
        }
        Self::Data {
            media_type,
            base64: text,
        }
    }

    fn with_format(self, format: Option<&'a str>) -> Self {
        match (self, format) {
            (Self::Data { base64, .. }, Some(media_type)) => Self::Data { media_type, base64 },
            (source, _) => source,
        }
    }
}

/// Of an `image_url` part, whose URL may stand in an object or alone.
pub(super) fn image(part: &Value) -> Option<Source<'_>> {
    let image = part.get("image_url")?;
    let url = image.as_str().or_else(|| image.get("url")?.as_str())?;
    let format = image.get("format").and_then(Value::as_str);
    Some(Source::of_url(url, "image/jpeg").with_format(format))
}

/// Of a `file` part.
pub(super) fn file(part: &Value) -> Option<Source<'_>> {
    let file = part.get("file")?;
    let format = file.get("format").and_then(Value::as_str);
    if let Some(data) = file.get("file_data").and_then(Value::as_str) {
        return Some(Source::of_url(data, "application/pdf").with_format(format));
    }
    let id = file.get("file_id")?.as_str()?;
    Some(match Source::of_url(id, "") {
        Source::Data { media_type: "", .. } => Source::Id(id),
        source => source.with_format(format),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sources_are_told_apart() {
        let data = Source::Data {
            media_type: "image/png",
            base64: "QQ==",
        };
        assert_eq!(image(&json!({"image_url": "data:image/png;base64,QQ=="})), Some(data));
        let webp = json!({"image_url": {"url": "data:image/png;base64,QQ==", "format": "image/webp"}});
        assert!(matches!(
            image(&webp),
            Some(Source::Data {
                media_type: "image/webp",
                ..
            })
        ));
        assert_eq!(
            image(&json!({"image_url": {"url": "https://h/a.png"}})),
            Some(Source::Url("https://h/a.png"))
        );
        assert_eq!(
            file(&json!({"file": {"file_id": "file-1"}})),
            Some(Source::Id("file-1"))
        );
        assert_eq!(
            file(&json!({"file": {"file_id": "https://h/a.pdf"}})),
            Some(Source::Url("https://h/a.pdf"))
        );
        assert_eq!(file(&json!({"file": {}})), None);
    }
}
