//! The little of protobuf's wire format that OTLP needs, written field by field.
//!
//! By hand because the generated types of the whole protocol, and the builder that fills them, would be more code than this
//! and copies every text twice on its way. Encoding: <https://protobuf.dev/programming-guides/encoding/>; field numbers:
//! `opentelemetry-proto` 1.x, whose Python package decodes the output in the tests.

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const DELIMITED: u32 = 2;
const FIXED32: u32 = 5;

pub(super) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn key(out: &mut Vec<u8>, field: u32, wire: u32) {
    varint(out, u64::from(field << 3 | wire));
}

pub(super) fn integer(out: &mut Vec<u8>, field: u32, value: u64) {
    key(out, field, VARINT);
    varint(out, value);
}

pub(super) fn fixed64(out: &mut Vec<u8>, field: u32, value: u64) {
    key(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    fixed64(out, field, value.to_bits());
}

pub(super) fn fixed32(out: &mut Vec<u8>, field: u32, value: u32) {
    key(out, field, FIXED32);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(super) fn bytes(out: &mut Vec<u8>, field: u32, value: &[u8]) {
    key(out, field, DELIMITED);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

pub(super) fn text(out: &mut Vec<u8>, field: u32, value: &str) {
    bytes(out, field, value.as_bytes());
}

/// A repeated fixed-size field in its packed form.
pub(super) fn packed64(out: &mut Vec<u8>, field: u32, values: impl ExactSizeIterator<Item = u64>) {
    key(out, field, DELIMITED);
    varint(out, 8 * values.len() as u64);
    for value in values {
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// A message within a message, whose length is known only once it is written.
pub(super) fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    key(out, field, DELIMITED);
    // Most are shorter than 128 bytes, and then their length has the place kept for it.
    let start = out.len();
    out.push(0);
    write(out);
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
    } else {
        let mut prefix = Vec::with_capacity(10);
        varint(&mut prefix, length as u64);
        out.splice(start..=start, prefix);
    }
}

/// A field as it was read.
#[derive(Debug, PartialEq)]
pub(super) enum Field<'a> {
    Integer(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message; what is no message ends them.
pub(super) fn fields(mut data: &[u8]) -> impl Iterator<Item = (u32, Field<'_>)> {
    std::iter::from_fn(move || {
        loop {
            let key = read_varint(&mut data)?;
            let number = u32::try_from(key >> 3).ok()?;
            let skipped = match (key & 7) as u32 {
                VARINT => return Some((number, Field::Integer(read_varint(&mut data)?))),
                DELIMITED => {
                    let length = usize::try_from(read_varint(&mut data)?).ok()?;
                    let (value, rest) = data.split_at_checked(length)?;
                    data = rest;
                    return Some((number, Field::Bytes(value)));
                }
                FIXED64 => 8,
                FIXED32 => 4,
                _ => return None,
            };
            data = data.get(skipped..)?;
        }
    })
}

fn read_varint(data: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = data.split_first()?;
        *data = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let long = "x".repeat(300);
        let mut out = Vec::new();
        integer(&mut out, 1, 300);
        message(&mut out, 2, |out| text(out, 1, &long));
        double(&mut out, 3, 1.5);
        fixed32(&mut out, 4, 7);
        message(&mut out, 5, |_| {});
        let read: Vec<_> = fields(&out).collect();
        assert_eq!(read[0], (1, Field::Integer(300)));
        let Field::Bytes(inner) = &read[1].1 else {
            panic!("{read:?}")
        };
        assert_eq!(fields(inner).next(), Some((1, Field::Bytes(long.as_bytes()))));
        assert_eq!(read[2], (5, Field::Bytes(b"")));
    }

    #[test]
    fn garbage_ends_at_once() {
        assert_eq!(fields(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").count(), 0);
        assert_eq!(fields(b"\x0a\x7f<html>").count(), 0);
    }
}
