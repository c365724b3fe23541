//! Redirects, followed as the vendors' Python SDKs do: by the rules of their httpx client.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, LOCATION, TRANSFER_ENCODING};
use http::{Method, StatusCode, Uri};

use super::Outgoing;
use crate::redact;

/// httpx's limit.
pub(super) const MOST_REDIRECTS: usize = 20;

/// The request that this answer asks for instead, without any credential where it goes to another host (httpx itself
/// drops `Authorization` alone); None where it is no redirect, or one to nowhere.
pub(super) fn next(outgoing: &Outgoing, status: StatusCode, headers: &HeaderMap) -> Option<Outgoing> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let uri = resolve(&outgoing.uri, headers.get(LOCATION)?.to_str().ok()?)?;
    let mut next = outgoing.clone();
    let same_host = next.uri.host() == uri.host();
    let upgraded = same_host
        && (next.uri.scheme_str(), uri.scheme_str()) == (Some("http"), Some("https"))
        && (port(&next.uri), port(&uri)) == (80, 443);
    let same_origin = same_host && next.uri.scheme() == uri.scheme() && port(&next.uri) == port(&uri);
    if !same_origin && !upgraded {
        let credentials: Vec<HeaderName> = next
            .headers
            .keys()
            .filter(|name| redact::names_a_credential(name.as_str()))
            .cloned()
            .collect();
        for name in credentials {
            next.headers.remove(name);
        }
    }
    if !matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
        next.method = Method::GET;
        next.body = Bytes::new();
        for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
            next.headers.remove(name);
        }
    }
    next.uri = uri;
    Some(next)
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16()
        .unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

/// `location` as seen from `base` (RFC 3986, without its dot segments, which servers resolve themselves).
fn resolve(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, authority) = (base.scheme_str()?, base.authority()?.as_str());
    let absolute = if location.contains("://") {
        location.to_owned()
    } else if let Some(rest) = location.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let uri: Uri = absolute.parse().ok()?;
    matches!(uri.scheme_str(), Some("http" | "https")).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    fn sent(uri: &str) -> Outgoing {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer sk-1"));
        headers.insert("x-api-key", HeaderValue::from_static("sk-2"));
        Outgoing {
            method: Method::POST,
            uri: uri.parse().expect("a URL"),
            headers,
            body: Bytes::from_static(b"{}"),
            tls: None,
        }
    }

    fn after(from: &str, status: u16, location: &'static str) -> Option<Outgoing> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static(location));
        next(&sent(from), StatusCode::from_u16(status).expect("a status"), &headers)
    }

    #[test]
    fn method_and_body_stay_with_307_and_308_alone() {
        for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
            let next = after("http://a/v1/x", status, "/v2/x").expect("a redirect");
            assert_eq!(next.method, method);
            assert_eq!(next.body.is_empty(), method == "GET");
            assert!(next.headers.contains_key(AUTHORIZATION));
        }
        assert!(after("http://a/v1/x", 304, "/v2/x").is_none());
    }

    #[test]
    fn another_host_gets_no_credentials() {
        for (location, kept) in [
            ("http://a:80/y", true),
            ("https://a/y", true),
            ("https://a:8443/y", false),
            ("http://a:81/y", false),
            ("http://b/y", false),
        ] {
            let next = after("http://a/v1/x", 307, location).expect("a redirect");
            for name in [AUTHORIZATION, HeaderName::from_static("x-api-key")] {
                assert_eq!(next.headers.contains_key(name), kept, "{location}");
            }
        }
    }

    #[test]
    fn locations_as_servers_write_them() {
        for (location, wanted) in [
            ("//b/y#z", "http://b/y"),
            ("y?k=1", "http://a/v1/y?k=1"),
            ("?k=1", "http://a/v1/x?k=1"),
            ("/y", "http://a/y"),
        ] {
            let next = after("http://a/v1/x", 308, location).expect("a redirect");
            assert_eq!(next.uri.to_string(), wanted);
        }
        assert!(after("http://a/v1/x", 308, "ftp://b/y").is_none());
    }
}
