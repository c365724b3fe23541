//! What a program says about itself with everything it emits.

use super::settings::Wish;

pub(super) fn resource(wish: &Wish, variable: &dyn Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let mut resource = vec![
        ("telemetry.sdk.language".to_owned(), "rust".to_owned()),
        ("telemetry.sdk.name".to_owned(), "edgequake_obs".to_owned()),
        ("telemetry.sdk.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let mut set = |name: String, value: String| match resource.iter_mut().find(|(known, _)| *known == name) {
        Some(found) => found.1 = value,
        None => resource.push((name, value)),
    };
    set("service.name".to_owned(), "unknown_service:python".to_owned());
    for (name, value) in variable("OTEL_RESOURCE_ATTRIBUTES")
        .iter()
        .flat_map(|value| pairs(value))
    {
        set(name, value);
    }
    if let Some(name) = wish.service_name.clone().or_else(|| variable("OTEL_SERVICE_NAME")) {
        set("service.name".to_owned(), name);
    }
    resource
}

/// `key=value,key=value`, values percent-encoded as in W3C baggage.
pub(super) fn pairs(text: &str) -> Vec<(String, String)> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name.trim()), decoded(value.trim())))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], code) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
