//! The proxies that the environment names, as curl and Python's own clients read them.

use std::fmt;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::settings::variable;

/// Which proxy a host is reached through, if any; the environment's, as it was when the first call asked.
#[derive(Debug)]
pub(super) struct Proxies {
    matcher: Matcher,
    /// Ports of hosts that are reached without a proxy: each with what lets all hosts but these through.
    direct_ports: Vec<(u16, Matcher)>,
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
        let without = either("no_proxy", "NO_PROXY");
        let (without, direct_ports) = exceptions(&without);
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
        Self {
            matcher,
            direct_ports,
            with_password,
        }
    }

    pub(super) fn of(&self, uri: &Uri) -> Option<Intercept> {
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            _ => 80,
        });
        let is_direct = |(direct, others): &(u16, Matcher)| *direct == port && others.intercept(uri).is_none();
        if self.direct_ports.iter().any(is_direct) {
            return None;
        }
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

/// The entries of `NO_PROXY`: hosts, and hosts of which one port only is meant.
fn exceptions(entries: &str) -> (Vec<String>, Vec<(u16, Matcher)>) {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for entry in entries.split(',').map(of_domain) {
        let (host, port) = match entry.rsplit_once(':') {
            // The colons of an IPv6 address are inside brackets where a port follows.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse().ok()),
            _ => (entry.as_str(), None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match port {
            // The proxy is never asked: what matters is only which hosts would not go through it.
            Some(port) => ports.push((port, Matcher::builder().all("http://unused").no(host).build())),
            None if host.is_empty() => {}
            None => hosts.push(host.to_owned()),
        }
    }
    (hosts, ports)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_a_host_is_meant_alone() {
        let (hosts, direct_ports) = exceptions("a.org, *.b.org:8080, [::1]:90, ::2,[::3]");
        assert_eq!(hosts, ["a.org", "::2", "::3"]);
        let matcher = Matcher::builder().all("http://proxy:1").no(hosts.join(",")).build();
        let proxies = Proxies {
            matcher,
            direct_ports,
            with_password: false,
        };
        let is_direct = |uri: &'static str| proxies.of(&Uri::from_static(uri)).is_none();
        assert!(is_direct("http://a.org:7/") && is_direct("http://x.b.org:8080/") && is_direct("http://[::1]:90/"));
        assert!(!is_direct("http://b.org/") && !is_direct("http://[::1]/") && !is_direct("http://c.org:8080/"));
        assert!(is_direct("http://[::2]:5/") && is_direct("http://[::3]/"));
    }
}
