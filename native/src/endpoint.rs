//! Base URLs, as users write them.

use http::Uri;

/// litellm's default for Azure.
const AZURE_API_VERSION: &str = "2025-02-01-preview";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub https: bool,
    pub host: String,
    pub port: Option<u16>,
    path: String,
    query: Option<String>,
    /// What stood before an `@`: a secret, in no request line and no record.
    pub credentials: Option<String>,
}

/// Reads a base URL; None for text that is no http or https URL.
pub(crate) fn parse(text: &str) -> Option<Endpoint> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let https = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (credentials, host_and_port) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials.to_owned()), host),
        None => (None, authority),
    };
    let authority: http::uri::Authority = host_and_port.parse().ok()?;
    // Only digits make a port; the colons of an IPv6 address are inside its brackets.
    let port_is_wrong = host_and_port
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']') && port.parse::<u16>().is_err());
    if authority.host().is_empty() || port_is_wrong {
        return None;
    }
    let tail = tail.split('#').next().unwrap_or_default();
    let (path, query) = match tail.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (tail, None),
    };
    Some(Endpoint {
        https,
        host: authority.host().to_ascii_lowercase(),
        port: authority.port_u16(),
        path: path.trim_end_matches('/').to_owned(),
        query,
        credentials,
    })
}

/// litellm's prefixes for kinds of models are no part of a deployment's name.
pub(crate) fn bare_deployment(name: &str) -> &str {
    ["o_series/", "gpt5_series/"]
        .iter()
        .find_map(|kind| name.strip_prefix(kind))
        .unwrap_or(name)
}

impl Endpoint {
    /// The port that is connected to.
    pub(crate) fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// What of the URL may be a credential: user and password, and the values of its query.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let user_info = self
            .credentials
            .iter()
            .flat_map(|all| std::iter::once(all.as_str()).chain(all.split(':')));
        let values = self
            .query
            .iter()
            .flat_map(|query| query.split('&'))
            .filter_map(|pair| Some(pair.split_once('=')?.1));
        // Short values are versions and flags, which stand in many texts.
        user_info
            .chain(values)
            .filter(|value| value.len() >= 8)
            .map(str::to_owned)
            .collect()
    }

    /// The URL of an operation; a base that names it already is taken as it is.
    pub(crate) fn with_path(&self, operation: &str) -> Option<Uri> {
        let path = if self.path.ends_with(operation) {
            self.path.clone()
        } else {
            format!("{}{operation}", self.path)
        };
        self.uri(&path, self.query.clone())
    }

    /// The same with something of the operation's own in the query.
    pub(crate) fn with_path_and_query(&self, operation: &str, query: Option<&str>) -> Option<Uri> {
        let all: Vec<&str> = self.query.as_deref().into_iter().chain(query).collect();
        let path = format!("{}{operation}", self.path);
        self.uri(&path, (!all.is_empty()).then(|| all.join("&")))
    }

    /// The same where the operation's path begins with a version that users also write into the base.
    pub(crate) fn with_versioned_path(&self, version: &str, operation: &str) -> Option<Uri> {
        let base = self.path.strip_suffix(version).unwrap_or(&self.path);
        let base = base
            .strip_suffix(operation)
            .map_or(base, |base| base.strip_suffix(version).unwrap_or(base));
        self.uri(&format!("{base}{version}{operation}"), self.query.clone())
    }

    /// Azure OpenAI: the deployment stands in the path, the API's version in the query. Its `/openai/v1` API is plain.
    pub(crate) fn azure(&self, operation: &str, deployment: &str, api_version: Option<&str>) -> Option<Uri> {
        if self.path.ends_with("/openai/v1") {
            return self.with_path(operation);
        }
        let deployment = bare_deployment(deployment);
        let path = if self.path.contains("/openai/deployments/") {
            // Users copy whole URLs, too.
            let base = self.path.strip_suffix(operation).unwrap_or(&self.path);
            format!("{base}{operation}")
        } else {
            format!("{}/openai/deployments/{deployment}{operation}", self.path)
        };
        self.uri(&path, Some(self.azure_query(api_version)))
    }

    /// Azure's endpoints that serve all deployments: the request's body names the one meant.
    pub(crate) fn azure_for_all(&self, operation: &str, api_version: Option<&str>) -> Option<Uri> {
        if self.path.ends_with("/openai/v1") {
            return self.with_path(operation);
        }
        let base = self.path.split("/openai/").next().unwrap_or_default();
        let path = format!("{base}/openai{operation}");
        self.uri(&path, Some(self.azure_query(api_version)))
    }

    fn azure_query(&self, api_version: Option<&str>) -> String {
        let version = api_version
            .map(str::to_owned)
            .or_else(|| std::env::var("AZURE_API_VERSION").ok());
        match &self.query {
            Some(query) if query.contains("api-version=") => query.clone(),
            Some(query) => format!(
                "{query}&api-version={}",
                version.as_deref().unwrap_or(AZURE_API_VERSION)
            ),
            None => format!("api-version={}", version.as_deref().unwrap_or(AZURE_API_VERSION)),
        }
    }

    fn uri(&self, path: &str, query: Option<String>) -> Option<Uri> {
        let scheme = if self.https { "https" } else { "http" };
        let port = self.port.map_or_else(String::new, |port| format!(":{port}"));
        let query = query.map_or_else(String::new, |query| format!("?{query}"));
        format!("{scheme}://{}{port}{path}{query}", self.host).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str) -> Option<String> {
        parse(base)?.with_path("/chat/completions").map(|uri| uri.to_string())
    }

    #[test]
    fn bases_as_users_write_them() {
        assert_eq!(
            url("https://api.openai.com/v1/").as_deref(),
            Some("https://api.openai.com/v1/chat/completions")
        );
        assert_eq!(
            url("http://[::1]:8000").as_deref(),
            Some("http://[::1]:8000/chat/completions")
        );
        assert_eq!(
            url("http://h/v1/chat/completions").as_deref(),
            Some("http://h/v1/chat/completions")
        );
        assert_eq!(
            url("http://h/v1?tenant=a").as_deref(),
            Some("http://h/v1/chat/completions?tenant=a")
        );
        for wrong in ["", "localhost:8000", "ftp://h", "http://", "http:///v1", "http://h:x/"] {
            assert_eq!(url(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn credentials_are_taken_out() {
        let endpoint = parse("https://user:pass@host/v1").expect("an endpoint");
        assert_eq!(endpoint.credentials.as_deref(), Some("user:pass"));
        assert_eq!(
            url("https://user:pass@host/v1").as_deref(),
            Some("https://host/v1/chat/completions")
        );
    }

    #[test]
    fn azure_has_its_own_path() {
        let at = |base: &str| {
            parse(base)
                .and_then(|e| e.azure("/chat/completions", "dep", Some("2024-10-21")))
                .map(|uri| uri.to_string())
        };
        assert_eq!(
            at("https://r.openai.azure.com/").as_deref(),
            Some("https://r.openai.azure.com/openai/deployments/dep/chat/completions?api-version=2024-10-21")
        );
        assert_eq!(
            at("https://r.openai.azure.com/openai/v1").as_deref(),
            Some("https://r.openai.azure.com/openai/v1/chat/completions")
        );
    }
}
