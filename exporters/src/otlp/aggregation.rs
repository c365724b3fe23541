//! Metrics added up in the process, between two exports or since its start.

use std::collections::HashMap;

use super::Semconv;
use super::measurements::{INSTRUMENTS, Kind, common_attributes, error_attribute, measurements};
use super::protobuf as pb;
use super::settings::Temporality;
use super::value::{Value, attribute};
use crate::record::CallRecord;

/// So many sets of attributes an instrument tells apart; the rest are one (OpenTelemetry's default).
const MOST_POINTS: usize = 2_000;

const DELTA: u64 = 1;
const CUMULATIVE: u64 = 2;

#[derive(Debug, Default)]
struct Point {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    /// One more than there are bounds; none for a counter.
    buckets: Vec<u64>,
    exemplar: Option<Exemplar>,
}

/// The last call that was measured here, so that a dashboard leads to its trace.
#[derive(Debug)]
struct Exemplar {
    at_ns: i64,
    value: f64,
    trace_id: [u8; 16],
    span_id: [u8; 8],
}

#[derive(Debug)]
pub(super) struct Metrics {
    semconv: Semconv,
    temporality: Temporality,
    /// Of each instrument, by its attributes as they are encoded.
    points: Vec<HashMap<Vec<u8>, Point>>,
    since_ns: i64,
    changed: bool,
}

impl Metrics {
    pub(super) fn new(semconv: Semconv, temporality: Temporality, now_ns: i64) -> Self {
        Self {
            semconv,
            temporality,
            points: INSTRUMENTS.iter().map(|_| HashMap::new()).collect(),
            since_ns: now_ns,
            changed: false,
        }
    }

    /// Whether anything was added since the last export.
    pub(super) fn changed(&self) -> bool {
        self.changed
    }

    pub(super) fn has_points(&self) -> bool {
        self.points.iter().any(|points| !points.is_empty())
    }

    pub(super) fn add(&mut self, record: &CallRecord, sampled: bool) {
        let mut common = Vec::with_capacity(256);
        common_attributes(record, |name, value| write_attribute(&mut common, name, &value));
        let mut with_error = common.clone();
        if let Some((name, value)) = error_attribute(record) {
            write_attribute(&mut with_error, name, &value);
        }
        let semconv = self.semconv;
        measurements(record, semconv, |measured| {
            let mut key = if measured.with_error_type { &with_error } else { &common }.clone();
            for (name, value) in &measured.extra {
                write_attribute(&mut key, name, value);
            }
            let points = &mut self.points[measured.instrument];
            if points.len() >= MOST_POINTS && !points.contains_key(&key) {
                key.clear();
                write_attribute(&mut key, "otel.metric.overflow", &Value::Boolean(true));
            }
            let point = points.entry(key).or_default();
            point.add(measured.value, INSTRUMENTS[measured.instrument].kind);
            if sampled {
                point.exemplar = Some(Exemplar {
                    at_ns: record.start_ns + record.duration_ns,
                    value: measured.value,
                    trace_id: record.trace_id,
                    span_id: record.span_id,
                });
            }
        });
        self.changed = true;
    }

    /// The `Metric`s of everything added up, each as a field 2 of a `ScopeMetrics`; with delta temporality they begin anew.
    pub(super) fn collect(&mut self, now_ns: i64) -> Vec<u8> {
        let mut out = Vec::new();
        for (instrument, points) in INSTRUMENTS.iter().zip(&self.points) {
            if points.is_empty() {
                continue;
            }
            pb::message(&mut out, 2, |out| {
                pb::text(out, 1, instrument.name);
                pb::text(out, 2, instrument.description);
                pb::text(out, 3, instrument.unit);
                let data = match instrument.kind {
                    Kind::Counter => 7,
                    Kind::Histogram(_) => 9,
                };
                pb::message(out, data, |out| {
                    for (attributes, point) in points {
                        pb::message(out, 1, |out| match instrument.kind {
                            Kind::Counter => {
                                self.write_sum(out, attributes, point, now_ns, instrument.is_integer);
                            }
                            Kind::Histogram(bounds) => self.write_histogram(out, attributes, point, now_ns, bounds),
                        });
                    }
                    let temporality = match self.temporality {
                        Temporality::Delta => DELTA,
                        Temporality::Cumulative => CUMULATIVE,
                    };
                    pb::integer(out, 2, temporality);
                    if instrument.kind == Kind::Counter {
                        pb::integer(out, 3, 1);
                    }
                });
            });
        }
        self.changed = false;
        for point in self.points.iter_mut().flat_map(HashMap::values_mut) {
            point.exemplar = None;
        }
        if self.temporality == Temporality::Delta {
            self.points.iter_mut().for_each(HashMap::clear);
            self.since_ns = now_ns;
        }
        out
    }

    fn write_sum(&self, out: &mut Vec<u8>, attributes: &[u8], point: &Point, now_ns: i64, is_integer: bool) {
        pb::fixed64(out, 2, self.since_ns.cast_unsigned());
        pb::fixed64(out, 3, now_ns.cast_unsigned());
        if is_integer {
            pb::fixed64(out, 6, (point.sum as i64).cast_unsigned());
        } else {
            pb::double(out, 4, point.sum);
        }
        write_exemplar(out, 5, point);
        write_attributes(out, 7, attributes);
    }

    fn write_histogram(&self, out: &mut Vec<u8>, attributes: &[u8], point: &Point, now_ns: i64, bounds: &[f64]) {
        pb::fixed64(out, 2, self.since_ns.cast_unsigned());
        pb::fixed64(out, 3, now_ns.cast_unsigned());
        pb::fixed64(out, 4, point.count);
        pb::double(out, 5, point.sum);
        pb::packed64(out, 6, point.buckets.iter().copied());
        pb::packed64(out, 7, bounds.iter().map(|bound| bound.to_bits()));
        write_exemplar(out, 8, point);
        write_attributes(out, 9, attributes);
        pb::double(out, 11, point.min);
        pb::double(out, 12, point.max);
    }
}

impl Point {
    fn add(&mut self, value: f64, kind: Kind) {
        if self.count == 0 {
            (self.min, self.max) = (value, value);
        }
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if let Kind::Histogram(bounds) = kind {
            self.buckets.resize(bounds.len() + 1, 0);
            // A bound belongs to the bucket beneath it.
            self.buckets[bounds.partition_point(|bound| *bound < value)] += 1;
        }
    }
}

/// In a key an attribute is a whole `KeyValue` with its length in front, so that it can be written under any field number.
fn write_attribute(key: &mut Vec<u8>, name: &str, value: &Value<'_>) {
    attribute(key, 1, name, value);
}

fn write_attributes(out: &mut Vec<u8>, field: u32, key: &[u8]) {
    for (_, attribute) in pb::fields(key) {
        if let pb::Field::Bytes(attribute) = attribute {
            pb::bytes(out, field, attribute);
        }
    }
}

fn write_exemplar(out: &mut Vec<u8>, field: u32, point: &Point) {
    let Some(exemplar) = &point.exemplar else { return };
    pb::message(out, field, |out| {
        pb::fixed64(out, 2, exemplar.at_ns.cast_unsigned());
        pb::double(out, 3, exemplar.value);
        pb::bytes(out, 4, &exemplar.span_id);
        pb::bytes(out, 5, &exemplar.trace_id);
    });
}
