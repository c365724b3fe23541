//! What a record counts for in the queue's bound.

use std::sync::Arc;

use crate::record::{Attempt, CallRecord, Labels};

/// About what the record holds in memory. Cheap, as the caller pays for it: lengths, no looking into texts. Names that
/// all calls share (models, hosts) are not counted.
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
        + of_tags(&record.tags)
        + record.labels.as_ref().map_or(0, of_labels)
}

fn of_attempt(attempt: &Attempt) -> usize {
    size_of::<Attempt>() + length(&attempt.error_type) + length(&attempt.request_id) + length(&attempt.usage)
}

/// The record's share of what it has in common with the other calls of its context.
fn of_labels(labels: &Arc<Labels>) -> usize {
    (size_of::<Labels>() + of_tags(&labels.tags) + length(&labels.metadata)) / Arc::strong_count(labels).max(1)
}

fn of_tags(tags: &[(String, String)]) -> usize {
    tags.iter()
        .map(|(key, value)| 2 * size_of::<String>() + key.len() + value.len())
        .sum()
}

fn length(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}
