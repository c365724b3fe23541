//! Settings: what `configure(...)` was given, else the environment, read at first use.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::content::Capture;

const DEFAULT_QUEUE_BYTES: usize = 16 << 20;

/// What `configure` was given; a field that is None is the environment's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// A path, or `off`.
    pub ledger: Option<String>,
    pub service_name: Option<String>,
    /// A mode, or an OTLP URL.
    pub otel: Option<String>,
    /// The callback `otel` was registered: what litellm's variables say of OTLP counts too.
    pub litellm_otel: bool,
    /// Where content goes, by OpenTelemetry's names.
    pub capture_content: Option<String>,
}

/// Who emits spans and metrics: `EDGEQUAKE_OBS_OTEL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtelMode {
    /// The program's own providers where it has them, else this module where an endpoint is configured.
    Auto,
    Python,
    Native,
    Off,
}

impl OtelMode {
    /// None for a text that is no mode.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "auto" => Some(Self::Auto),
            "python" => Some(Self::Python),
            "native" => Some(Self::Native),
            "off" => Some(Self::Off),
            _ => None,
        }
    }

    pub(crate) fn may_be_python(self) -> bool {
        matches!(self, Self::Auto | Self::Python)
    }

    pub(crate) fn may_be_native(self) -> bool {
        matches!(self, Self::Auto | Self::Native)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// None: no ledger.
    pub ledger: Option<PathBuf>,
    /// Why there is no ledger although none was asked to be off.
    pub ledger_problem: Option<String>,
    pub queue_bytes: usize,
    pub service_name: Option<String>,
    pub disabled: bool,
    pub otel: OtelMode,
    pub capture: Capture,
    /// The OTLP endpoint that the program gave.
    pub otel_url: Option<String>,
}

static GIVEN: Mutex<Option<Given>> = Mutex::new(None);

fn given() -> MutexGuard<'static, Option<Given>> {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lays `more` over what was given before.
pub(crate) fn give(more: Given) {
    let mut slot = given();
    let current = slot.get_or_insert_default();
    if more.ledger.is_some() {
        current.ledger = more.ledger;
    }
    if more.service_name.is_some() {
        current.service_name = more.service_name;
    }
    current.litellm_otel |= more.litellm_otel;
    if more.capture_content.is_some() {
        current.capture_content = more.capture_content;
    }
    if more.otel.is_some() {
        current.otel = more.otel;
    }
}

pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)
        .and_then(|value| value.into_string().ok())
        .filter(|value| !value.trim().is_empty())
}

fn is_on(name: &str) -> bool {
    variable(name)
        .is_some_and(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
}

/// The settings as they stand now.
pub(crate) fn read() -> Settings {
    let given = given().clone().unwrap_or_default();
    let (ledger, ledger_problem) = match given.ledger.or_else(|| variable("EDGEQUAKE_OBS_LEDGER")) {
        Some(off) if off.eq_ignore_ascii_case("off") => (None, None),
        Some(path) => (Some(absolute(Path::new(&path))), None),
        None => match user_data_folder() {
            Some(folder) => (Some(folder.join("edgequake-obs").join("ledger.duckdb")), None),
            None => (
                None,
                Some(
                    "there is no home folder to keep the ledger in: set EDGEQUAKE_OBS_LEDGER to a path, or to 'off'"
                        .to_owned(),
                ),
            ),
        },
    };
    let otel_url = given.otel.clone().filter(|given| given.contains("://"));
    let mode = given
        .otel
        .filter(|_| otel_url.is_none())
        .or_else(|| variable("EDGEQUAKE_OBS_OTEL"));
    let capture = given
        .capture_content
        .or_else(|| variable("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"));
    Settings {
        capture: capture.and_then(|name| Capture::named(&name)).unwrap_or_default(),
        otel: mode.and_then(|mode| OtelMode::named(&mode)).unwrap_or(OtelMode::Auto),
        otel_url,
        ledger,
        ledger_problem,
        queue_bytes: variable("EDGEQUAKE_OBS_QUEUE_BYTES")
            .and_then(|value| value.parse().ok())
            .unwrap_or(DEFAULT_QUEUE_BYTES),
        service_name: given.service_name.or_else(|| variable("OTEL_SERVICE_NAME")),
        disabled: is_on("EDGEQUAKE_OBS_DISABLED"),
    }
}

/// A variable that says something of OTLP; litellm's where the program registered its callback and OpenTelemetry's is not set.
pub(crate) fn otlp_variable(name: &str) -> Option<String> {
    let as_litellm = || {
        given().as_ref().filter(|given| given.litellm_otel)?;
        match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => {
                let endpoint = variable("OTEL_ENDPOINT")?;
                Some(endpoint.trim_end_matches('/').trim_end_matches("/v1/traces").to_owned())
            }
            "OTEL_EXPORTER_OTLP_HEADERS" => variable("OTEL_HEADERS"),
            "OTEL_EXPORTER_OTLP_PROTOCOL" => match variable("OTEL_EXPORTER")?.as_str() {
                "otlp_grpc" | "grpc" => Some("grpc".to_owned()),
                _ => None,
            },
            _ => None,
        }
    };
    variable(name).or_else(as_litellm)
}

/// Whether providers are told which trace a request belongs to.
pub(crate) fn propagates() -> bool {
    is_on("EDGEQUAKE_OBS_PROPAGATE")
}

/// Whether usage is asked for where a stream's caller said nothing of it.
pub(crate) fn injects_stream_usage() -> bool {
    !variable("EDGEQUAKE_OBS_STREAM_USAGE").is_some_and(|value| value.eq_ignore_ascii_case("off"))
}

/// Why there is no ledger, the first time that somebody asks.
pub(crate) fn take_ledger_problem() -> Option<String> {
    static TOLD: AtomicBool = AtomicBool::new(false);
    read().ledger_problem.filter(|_| !TOLD.swap(true, Ordering::Relaxed))
}

/// `path` from the folder the process is in now: a program may change its folder later, its ledger must not move.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    let path = match path.strip_prefix("~") {
        Ok(rest) => home().map_or_else(|| path.to_path_buf(), |home| home.join(rest)),
        Err(_) => path.to_path_buf(),
    };
    std::path::absolute(&path).unwrap_or(path)
}

fn home() -> Option<PathBuf> {
    variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from)
}

/// Where the platform keeps a user's data: XDG, Apple's and Microsoft's conventions.
pub(crate) fn user_data_folder() -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(PathBuf::from);
    }
    if cfg!(target_os = "macos") {
        return home().map(|home| home.join("Library").join("Application Support"));
    }
    // The XDG specification: a relative path is invalid and to be ignored.
    let xdg = variable("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    xdg.or_else(|| home().map(|home| home.join(".local").join("share")))
}
