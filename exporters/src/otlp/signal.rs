//! What is exported: spans or metrics, and what each is called where.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Traces,
    Metrics,
}

impl Signal {
    /// As it stands in the variables' names.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
        }
    }

    pub(super) fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
        }
    }

    pub(super) fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        }
    }

    /// What one export may take at most, whatever the exporter's own timeout says.
    pub(super) fn timeout_variable(self) -> &'static str {
        match self {
            Self::Traces => "OTEL_BSP_EXPORT_TIMEOUT",
            Self::Metrics => "OTEL_METRIC_EXPORT_TIMEOUT",
        }
    }

    /// As warnings name it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Metrics => "metrics",
        }
    }
}
