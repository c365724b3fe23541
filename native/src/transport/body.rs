//! A response's body as it arrives: decompressed where the server compressed it, and cut off where it does not end.

use std::fmt;
use std::future::poll_fn;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use hyper::body::{Body as _, Incoming};
use tokio::sync::SemaphorePermit;

/// Compressed bytes looked at in one go: they may become a thousand times as many.
const PIECE: usize = 16 << 10;

pub(crate) struct Body {
    incoming: Incoming,
    /// None: the bytes are taken as they come.
    decoder: Option<Decoder>,
    compressed: Bytes,
    arrived: usize,
    limit: usize,
    /// Given back when the body is done with.
    _turn: SemaphorePermit<'static>,
}

#[derive(Debug)]
pub(crate) enum BodyError {
    Broken(String),
    TooLong(usize),
    Undecodable(String),
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(why) => write!(f, "it broke off: {why}"),
            Self::TooLong(limit) => write!(f, "it is longer than {limit} bytes and was cut off there"),
            Self::Undecodable(why) => f.write_str(why),
        }
    }
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// By the standard that is zlib's format; some send the bare one.
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
    Deflate(Box<DeflateDecoder<Vec<u8>>>),
    /// `deflate`, before its first byte.
    Undecided,
    Unknown(String),
}

impl Body {
    pub(super) fn new(incoming: Incoming, headers: &HeaderMap, turn: SemaphorePermit<'static>) -> Self {
        let named = headers.get(CONTENT_ENCODING).map(|value| {
            let name = String::from_utf8_lossy(value.as_bytes());
            name.trim().to_ascii_lowercase()
        });
        let decoder = named.and_then(|name| match name.as_str() {
            "" | "identity" => None,
            "gzip" | "x-gzip" => Some(Decoder::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            "deflate" => Some(Decoder::Undecided),
            _ => Some(Decoder::Unknown(name)),
        });
        Self {
            incoming,
            decoder,
            compressed: Bytes::new(),
            arrived: 0,
            limit: usize::MAX,
            _turn: turn,
        }
    }

    /// The same, cut off after `limit` bytes.
    pub(crate) fn limited(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) async fn data(&mut self) -> Option<Result<Bytes, BodyError>> {
        poll_fn(|context| self.poll_data(context)).await
    }

    /// The next bytes; None at the end.
    pub(crate) fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            let data = match ready!(self.poll_decoded(context)) {
                Some(Ok(data)) => data,
                end_or_error => return Poll::Ready(end_or_error),
            };
            if data.is_empty() {
                continue;
            }
            self.arrived = self.arrived.saturating_add(data.len());
            return Poll::Ready(Some(if self.arrived > self.limit {
                Err(BodyError::TooLong(self.limit))
            } else {
                Ok(data)
            }));
        }
    }

    fn poll_decoded(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        if self.compressed.is_empty() {
            match ready!(Pin::new(&mut self.incoming).poll_frame(context)) {
                Some(Ok(frame)) => match (frame.into_data(), &self.decoder) {
                    (Ok(data), None) => return Poll::Ready(Some(Ok(data))),
                    (Ok(data), Some(_)) => self.compressed = data,
                    (Err(_trailers), _) => {}
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(BodyError::Broken(super::chain(&error))))),
                None => return Poll::Ready(self.decoder.take().and_then(Decoder::end).map(Err)),
            }
        }
        let piece = self.compressed.split_to(self.compressed.len().min(PIECE));
        let Some(decoder) = &mut self.decoder else {
            return Poll::Ready(Some(Ok(piece)));
        };
        Poll::Ready(Some(decoder.decode(&piece).map(Bytes::from)))
    }
}

impl Decoder {
    fn decode(&mut self, piece: &[u8]) -> Result<Vec<u8>, BodyError> {
        if piece.is_empty() {
            return Ok(Vec::new());
        }
        if matches!(self, Self::Undecided) {
            // zlib's first byte: method 8, a window of up to 32 KiB (RFC 1950). No bare block begins so in practice.
            *self = if piece[0] & 0x8f == 0x08 {
                Self::Zlib(Box::new(ZlibDecoder::new(Vec::new())))
            } else {
                Self::Deflate(Box::new(DeflateDecoder::new(Vec::new())))
            };
        }
        // What is there now goes on now: events wait in a compressed stream for nothing but the next flush.
        let (done, out) = match self {
            Self::Gzip(gzip) => (gzip.write_all(piece).and_then(|()| gzip.flush()), gzip.get_mut()),
            Self::Zlib(zlib) => (zlib.write_all(piece).and_then(|()| zlib.flush()), zlib.get_mut()),
            Self::Deflate(deflate) => (
                deflate.write_all(piece).and_then(|()| deflate.flush()),
                deflate.get_mut(),
            ),
            Self::Undecided => return Ok(Vec::new()),
            Self::Unknown(name) => {
                return Err(BodyError::Undecodable(format!(
                    "it is compressed with {name}, which nobody asked for"
                )));
            }
        };
        done.map_err(|error| BodyError::Undecodable(format!("it cannot be decompressed: {error}")))?;
        Ok(std::mem::take(out))
    }

    /// What is wrong with a body that ends here.
    fn end(self) -> Option<BodyError> {
        let ended = match self {
            Self::Gzip(mut gzip) => gzip.try_finish(),
            Self::Zlib(mut zlib) => zlib.try_finish(),
            Self::Deflate(mut deflate) => deflate.try_finish(),
            Self::Undecided | Self::Unknown(_) => Ok(()),
        };
        ended
            .err()
            .map(|error| BodyError::Broken(format!("its compressed form is not whole: {error}")))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("arrived", &self.arrived)
            .finish_non_exhaustive()
    }
}
