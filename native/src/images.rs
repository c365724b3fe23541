//! Images that are paid by the piece: how many, how large, how good.

/// What an answer says of its images, or what the request asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Images {
    pub count: u64,
    /// Such as `1024x1792`.
    pub size: Option<String>,
    pub quality: Option<String>,
}

impl Images {
    /// The usage of these images; None where there is not one.
    pub(crate) fn usage(&self) -> Option<String> {
        if self.count == 0 {
            return None;
        }
        let pixels = self
            .sides()
            .map(|(width, height)| self.count * u64::from(width) * u64::from(height));
        Some(match pixels {
            Some(pixels) => format!(r#"{{"images":{},"pixels":{pixels}}}"#, self.count),
            None => format!(r#"{{"images":{}}}"#, self.count),
        })
    }

    fn sides(&self) -> Option<(u16, u16)> {
        let (width, height) = self.size.as_deref()?.split_once('x')?;
        Some((width.parse().ok()?, height.parse().ok()?))
    }

    /// The names under which the price table may have these images, the most particular first.
    pub(crate) fn price_names(&self, model: &str) -> Vec<String> {
        let mut names = Vec::new();
        if let Some((width, height)) = self.sides() {
            // The name of the quality where none is asked for.
            let quality = self.quality.as_deref().filter(|q| *q != "auto").unwrap_or("standard");
            names.push(format!("{quality}/{width}-x-{height}/{model}"));
            names.push(format!("{width}-x-{height}/{model}"));
        }
        names
    }
}
