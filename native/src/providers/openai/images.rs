//! Which of OpenAI's parameters for images a model does not take, as its documentation has it.

/// The older models were the last to choose between a URL and data, and to have styles.
const OF_DALL_E: &[&str] = &["response_format", "style"];

/// Whether a model that paints refuses `name`.
pub(crate) fn refuses(model: &str, name: &str) -> bool {
    !model.contains("dall-e") && OF_DALL_E.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::refuses;

    #[test]
    fn only_the_older_models_have_styles() {
        assert!(refuses("gpt-image-1", "style") && !refuses("dall-e-3", "style"));
        assert!(!refuses("gpt-image-1", "background"));
    }
}
