//! Which failures are tried again, and when: the rules of OpenAI's own SDK, which litellm relies on.

use std::time::Duration;

use http::HeaderMap;

use crate::ids;

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(8);
/// A server that asks for more than this is not waited for; the usual backoff applies.
const LONGEST_ASKED_DELAY: Duration = Duration::from_secs(60);

/// Whether an answer with this status is worth another attempt; `x-should-retry` is the vendor's own word on it.
pub(crate) fn is_worth_another(status: u16, headers: &HeaderMap) -> bool {
    match headers.get("x-should-retry").map(|value| value.as_bytes()) {
        Some(b"true") => return true,
        Some(b"false") => return false,
        _ => {}
    }
    matches!(status, 408 | 409 | 429) || status >= 500
}

/// How long to wait before the attempt after `failed` failed ones.
pub(crate) fn delay(failed: u32, headers: Option<&HeaderMap>) -> Duration {
    if let Some(asked) = headers
        .and_then(asked_delay)
        .filter(|delay| *delay <= LONGEST_ASKED_DELAY)
    {
        return asked;
    }
    let backoff = FIRST_DELAY
        .saturating_mul(1 << failed.saturating_sub(1).min(10))
        .min(LONGEST_DELAY);
    // Up to a quarter less, so that clients that failed together do not come back together.
    backoff - backoff.mul_f64(0.25 * (ids::random_u64() >> 11) as f64 / (1u64 << 53) as f64)
}

fn asked_delay(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| {
        headers
            .get(name)?
            .to_str()
            .ok()?
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|n| *n >= 0.0)
    };
    let seconds = number("retry-after-ms")
        .map(|ms| ms / 1000.0)
        .or_else(|| number("retry-after"));
    if let Some(seconds) = seconds {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = http_date(headers.get("retry-after")?.to_str().ok()?.trim())?;
    let now = ids::wall_clock_ns() / 1_000_000_000;
    Some(Duration::from_secs(u64::try_from(date - now).unwrap_or(0)))
}

/// Seconds since the epoch of an HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT", RFC 9110).
fn http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let rest = text.split_once(", ")?.1.strip_suffix(" GMT")?;
    let mut parts = rest.split([' ', ':']);
    let day: i64 = parts.next()?.parse().ok()?;
    let month_name = parts.next()?;
    let month = MONTHS.iter().position(|m| *m == month_name)? as i64 + 1;
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (year, hour, minute, second) = (number()?, number()?, number()?, number()?);
    // Days from civil, after Howard Hinnant's date algorithms (public domain).
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (http::HeaderName::from_static(k), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn the_server_may_say_when() {
        assert_eq!(
            delay(1, Some(&headers(&[("retry-after", "2")]))),
            Duration::from_secs(2)
        );
        assert_eq!(
            delay(1, Some(&headers(&[("retry-after-ms", "1"), ("retry-after", "9")]))),
            Duration::from_millis(1)
        );
        assert_eq!(
            delay(1, Some(&headers(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]))),
            Duration::ZERO
        );
        assert!(delay(1, Some(&headers(&[("retry-after", "3600")]))) <= FIRST_DELAY);
    }

    #[test]
    fn backoff_doubles_up_to_a_limit() {
        for (failed, full) in [(1, 500), (2, 1000), (3, 2000), (9, 8000)] {
            let waited = delay(failed, None).as_millis();
            assert!(waited <= full && waited >= full * 3 / 4, "{waited} ms after {failed}");
        }
    }

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        assert_eq!(http_date("soon"), None);
    }

    #[test]
    fn statuses_worth_another_attempt() {
        for status in [408, 409, 429, 500, 503, 529] {
            assert!(is_worth_another(status, &HeaderMap::new()), "{status}");
        }
        for status in [400, 401, 403, 404, 422] {
            assert!(!is_worth_another(status, &HeaderMap::new()), "{status}");
        }
        assert!(is_worth_another(400, &headers(&[("x-should-retry", "true")])));
        assert!(!is_worth_another(500, &headers(&[("x-should-retry", "false")])));
    }
}
