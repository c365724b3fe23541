//! The proxies that the environment names, as curl and Python's own clients read them.

use std::fmt;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::settings::variable;

/// Which proxy a host is reached through, if any; the environment's, as it was when the first call asked.
#[derive(Debug)]
pub(super) struct Proxies {
    matcher: Matcher,
    /// A plain request carries the proxy's password itself; where no proxy has one, no request need be looked at.
    with_password: bool,
}

impl Proxies {
    pub(super) fn of_environment() -> Self {
        // The small names win, as with curl; in a CGI program HTTP_PROXY is a header that a client of its sent.
        let either = |small: &str, large: &str| variable(small).or_else(|| variable(large)).unwrap_or_default();
        let http = match std::env::var_os("REQUEST_METHOD") {
            None => either("http_proxy", "HTTP_PROXY"),
            Some(_) => variable("http_proxy").unwrap_or_default(),
        };
        let https = either("https_proxy", "HTTPS_PROXY");
        let all = either("all_proxy", "ALL_PROXY");
        let without: Vec<String> = either("no_proxy", "NO_PROXY").split(',').map(of_domain).collect();
        let with_password = [&http, &all].iter().any(|url| url.contains('@'));
        // The matcher's own star is for names, not for addresses.
        let matcher = if without.iter().any(|entry| entry == "*") {
            Matcher::builder().build()
        } else {
            Matcher::builder()
                .http(http)
                .https(https)
                .all(all)
                .no(without.join(","))
                .build()
        };
        Self { matcher, with_password }
    }

    pub(super) fn of(&self, uri: &Uri) -> Option<Intercept> {
        self.matcher.intercept(uri)
    }

    /// What a plain request says to its proxy; a tunnel says it when it is opened.
    pub(super) fn password(&self, uri: &Uri) -> Option<HeaderValue> {
        if !self.with_password || uri.scheme_str() != Some("http") {
            return None;
        }
        self.of(uri)?.basic_auth().cloned()
    }
}

/// An entry of `NO_PROXY` without the star that some write before a domain.
fn of_domain(entry: &str) -> String {
    let entry = entry.trim();
    entry.strip_prefix("*.").unwrap_or(entry).to_owned()
}

/// What went wrong on the way to a proxy, or at it.
#[derive(Debug)]
pub(super) struct ProxyError {
    pub(super) proxy: String,
    pub(super) source: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "through the proxy {}", self.proxy)
    }
}

impl std::error::Error for ProxyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
