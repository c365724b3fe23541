//! What went wrong with a request, and what a user can do about it.

const ENDPOINT: &str = "Check OTEL_EXPORTER_OTLP_ENDPOINT";
const HEADERS: &str = "Check OTEL_EXPORTER_OTLP_HEADERS";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub what: String,
    /// A sentence's first half: the second names the switch that turns the export off.
    pub remedy: &'static str,
}

impl Problem {
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            remedy: ENDPOINT,
        }
    }

    pub(super) fn of_status(status: u16) -> Self {
        Self {
            what: format!("the collector answered with status {status}"),
            remedy: if matches!(status, 401 | 403) { HEADERS } else { ENDPOINT },
        }
    }

    /// gRPC's PERMISSION_DENIED and UNAUTHENTICATED are about who asks.
    pub(super) fn of_grpc_status(status: u32, message: &str) -> Self {
        Self {
            what: format!("the collector answered with gRPC status {status}: {message}"),
            remedy: if matches!(status, 7 | 16) { HEADERS } else { ENDPOINT },
        }
    }
}
