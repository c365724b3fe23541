//! What went wrong with a call of ours, in the terms that litellm's exceptions are chosen by.

/// What kind of failure it was; the facade picks the exception by it and by the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// No connection, or one that broke before the answer was whole.
    Connection,
    Timeout,
    /// The provider answered with an error status, or with an error inside a stream.
    Status,
    /// The provider's answer cannot be read.
    InvalidResponse,
    /// Refused before sending: the request cannot be made from what was given.
    InvalidRequest,
}

impl FailureKind {
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::InvalidResponse => "invalid_response",
            Self::InvalidRequest => "invalid_request",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub kind: FailureKind,
    /// Redacted.
    pub message: String,
    pub status: Option<u16>,
    /// The provider's code or type for it.
    pub code: Option<String>,
    pub headers: Vec<(String, String)>,
    /// Redacted, as text.
    pub body: String,
    pub retries: usize,
}

impl Failure {
    #[must_use]
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            status: None,
            code: None,
            headers: Vec::new(),
            body: String::new(),
            retries: 0,
        }
    }

    /// The same without secrets, wherever the provider may have repeated them.
    #[must_use]
    pub(crate) fn redacted(self, redact: impl Fn(&str) -> String) -> Self {
        Self {
            message: redact(&self.message),
            code: self.code.as_deref().map(&redact),
            headers: self
                .headers
                .into_iter()
                .map(|(name, value)| (name, redact(&value)))
                .collect(),
            body: redact(&self.body),
            ..self
        }
    }

    /// The column `error_type`: the provider's code, else the HTTP status, else the kind of failure.
    #[must_use]
    pub(crate) fn error_type(&self) -> String {
        match (&self.code, self.status) {
            (Some(code), _) => code.clone(),
            (None, Some(status)) if self.kind == FailureKind::Status => status.to_string(),
            _ => match self.kind {
                FailureKind::Connection => "connection_error",
                FailureKind::Timeout => "timeout",
                FailureKind::Status => "error_in_stream",
                FailureKind::InvalidResponse => "invalid_response",
                FailureKind::InvalidRequest => "invalid_request",
            }
            .to_owned(),
        }
    }
}
