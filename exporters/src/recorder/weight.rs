//! What a record counts for in the queue's bound.

use crate::record::{Attempt, CallRecord};

/// About what the record holds in memory. Cheap, as the caller pays for it: lengths, no looking into texts. What calls
/// share (labels, model names) is not counted.
pub(super) fn of(record: &CallRecord) -> usize {
    let texts = [
        &record.response_model,
        &record.response_id,
        &record.usage,
        &record.service_tier,
        &record.requested_service_tier,
        &record.error_type,
        &record.error_message,
        &record.user,
        &record.metadata,
        &record.request_params,
        &record.provider_details,
        &record.content,
    ];
    size_of::<CallRecord>()
        + texts.into_iter().map(length).sum::<usize>()
        + record.attempts.iter().map(of_attempt).sum::<usize>()
        + record
            .finish_reasons
            .iter()
            .map(|reason| size_of::<String>() + reason.len())
            .sum::<usize>()
        + record
            .tags
            .iter()
            .map(|(key, value)| 2 * size_of::<String>() + key.len() + value.len())
            .sum::<usize>()
}

fn of_attempt(attempt: &Attempt) -> usize {
    size_of::<Attempt>()
        + length(&attempt.error_type)
        + length(&attempt.request_id)
        + length(&attempt.usage)
}

fn length(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}
