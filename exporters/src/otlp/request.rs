//! The request that carries spans or metrics, and what its answer means.

use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::problem::Problem;
use super::protobuf as pb;
use super::settings::Protocol;
use super::signal::Signal;
use super::value::{Value, attribute};
use super::{SCHEMA_URL, SCOPE};

/// What one process says about itself, encoded once: a `Resource`.
pub(super) fn resource(attributes: &[(String, String)], pid: u32, host: Option<&str>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in attributes {
        attribute(&mut out, 1, name, &Value::text(value));
    }
    let is_given = |name: &str| attributes.iter().any(|(given, _)| given == name);
    // Two workers of one service add up different metrics: without these a backend takes them for one that jumps.
    if !is_given("process.pid") {
        attribute(&mut out, 1, "process.pid", &Value::Integer(i64::from(pid)));
    }
    if let Some(host) = host.filter(|_| !is_given("host.name")) {
        attribute(&mut out, 1, "host.name", &Value::text(host));
    }
    out
}

/// An `Export…ServiceRequest`, whose shape is the same for all signals. `items`: whole fields 2 of the scope's message.
pub(super) fn body(resource: &[u8], items: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.len() + resource.len() + 256);
    pb::message(&mut out, 1, |out| {
        pb::bytes(out, 1, resource);
        pb::message(out, 2, |out| {
            pb::message(out, 1, |out| {
                pb::text(out, 1, SCOPE);
                pb::text(out, 2, env!("CARGO_PKG_VERSION"));
            });
            out.extend_from_slice(items);
            pb::text(out, 3, SCHEMA_URL);
        });
    });
    out
}

/// The body as it is sent: compressed, and in gRPC's frame, where that is asked for.
pub(super) fn framed(body: Vec<u8>, gzip: bool, protocol: Protocol) -> Vec<u8> {
    let body = if gzip { compressed(&body) } else { body };
    match protocol {
        Protocol::Http => body,
        Protocol::Grpc => {
            let mut out = Vec::with_capacity(body.len() + 5);
            out.push(u8::from(gzip));
            out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(&body);
            out
        }
    }
}

fn compressed(body: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing into a Vec cannot fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// What a collector answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    /// gRPC's status and message, from the trailers.
    pub grpc: Option<(u32, String)>,
    /// Seconds, or a date that is not looked into.
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct Unanswered {
    pub problem: Problem,
    /// Nobody listens there.
    pub unreachable: bool,
}

/// What becomes of what was sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// `refused` of it not, and why.
    Taken {
        refused: u64,
        why: Option<String>,
    },
    Later {
        after: Option<Duration>,
        why: Problem,
        unreachable: bool,
    },
    Never {
        why: Problem,
    },
}

/// gRPC's CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS: retryable by OTLP's specification.
const RETRYABLE_GRPC: [u32; 6] = [1, 4, 10, 11, 14, 15];

impl Verdict {
    pub(super) fn of(answered: &Result<Answer, Unanswered>, protocol: Protocol) -> Self {
        let answer = match answered {
            Ok(answer) => answer,
            Err(unanswered) => {
                return Self::Later {
                    after: None,
                    why: unanswered.problem.clone(),
                    unreachable: unanswered.unreachable,
                };
            }
        };
        let after = answer.retry_after.as_deref().and_then(|text| text.trim().parse().ok());
        let later = |why: Problem| Self::Later {
            after: after.map(Duration::from_secs),
            why,
            unreachable: false,
        };
        if matches!(answer.status, 429 | 502 | 503 | 504) {
            return later(Problem::of_status(answer.status));
        }
        if !(200..300).contains(&answer.status) {
            return Self::Never {
                why: Problem::of_status(answer.status),
            };
        }
        match (protocol, &answer.grpc) {
            (Protocol::Http, _) => Self::taken(&answer.body),
            (Protocol::Grpc, Some((0, _))) => Self::taken(answer.body.get(5..).unwrap_or_default()),
            (Protocol::Grpc, Some((status, message))) => {
                let why = Problem::of_grpc_status(*status, message);
                // RESOURCE_EXHAUSTED is only worth another try where the server says when.
                if RETRYABLE_GRPC.contains(status) || (*status == 8 && after.is_some()) {
                    later(why)
                } else {
                    Self::Never { why }
                }
            }
            (Protocol::Grpc, None) => Self::Never {
                why: Problem::new("the answer is not gRPC's: is the endpoint one for http/protobuf?"),
            },
        }
    }

    /// An answer of 2xx means that it was taken, whatever garbage its body is.
    fn taken(body: &[u8]) -> Self {
        let partial = pb::fields(body).find_map(|(number, field)| match (number, field) {
            (1, pb::Field::Bytes(partial)) => Some(partial),
            _ => None,
        });
        let (mut refused, mut why) = (0, None);
        for (number, field) in pb::fields(partial.unwrap_or_default()) {
            match (number, field) {
                (1, pb::Field::Integer(count)) => refused = count,
                (2, pb::Field::Bytes(text)) => {
                    why = Some(String::from_utf8_lossy(text).into_owned()).filter(|text| !text.is_empty());
                }
                _ => {}
            }
        }
        Self::Taken { refused, why }
    }
}

/// Sends a signal's bodies to its destination; never on the caller's thread.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// `done` is called once, from any thread.
    fn post(&self, signal: Signal, body: Vec<u8>, done: Box<dyn FnOnce(Result<Answer, Unanswered>) + Send>);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &[u8]) -> Verdict {
        let answer = Answer {
            status,
            body: body.to_vec(),
            ..Answer::default()
        };
        Verdict::of(&Ok(answer), Protocol::Http)
    }

    #[test]
    fn verdicts() {
        let whole = Verdict::Taken { refused: 0, why: None };
        assert_eq!(verdict(200, b""), whole);
        assert_eq!(verdict(200, b"<html>what</html>"), whole);
        let mut partial = Vec::new();
        pb::message(&mut partial, 1, |out| {
            pb::integer(out, 1, 3);
            pb::text(out, 2, "too old");
        });
        assert_eq!(
            verdict(200, &partial),
            Verdict::Taken {
                refused: 3,
                why: Some("too old".to_owned())
            }
        );
        for status in [429, 502, 503, 504] {
            assert!(matches!(verdict(status, b""), Verdict::Later { .. }));
        }
        for status in [400, 401, 404, 413, 500, 301] {
            assert!(matches!(verdict(status, b""), Verdict::Never { .. }), "{status}");
        }
    }
}
