//! Whether a call's span is exported, by OpenTelemetry's standard samplers.

/// `OTEL_TRACES_SAMPLER`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// The caller's own span decides, where there is one.
    follows_parent: bool,
    /// Of the traces that nobody has decided on, those whose id is below this.
    below: u128,
}

const ALL: u128 = 1 << 64;

impl Sampler {
    pub(super) fn read(variable: &dyn Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> Self {
        let given = variable("OTEL_TRACES_SAMPLER").map(|name| name.trim().to_ascii_lowercase());
        let name = given.as_deref().unwrap_or("parentbased_always_on");
        let (follows_parent, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name),
        };
        let below = match root {
            "always_on" => ALL,
            "always_off" => 0,
            "traceidratio" => match variable("OTEL_TRACES_SAMPLER_ARG").map(|text| text.trim().parse::<f64>()) {
                None => ALL,
                Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => (ratio * ALL as f64).round() as u128,
                Some(_) => {
                    problems
                        .push("OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1: every trace is sampled".to_owned());
                    ALL
                }
            },
            _ => {
                problems.push(format!(
                    "OTEL_TRACES_SAMPLER is '{name}', which is not supported: 'parentbased_always_on' is used"
                ));
                return Self {
                    follows_parent: true,
                    below: ALL,
                };
            }
        };
        Self { follows_parent, below }
    }

    /// `parent`: whether the span around the call is sampled, where there is one. The ratio is of the id's lower half, as in
    /// Python's SDK, so that both ways agree about a trace.
    pub(super) fn samples(&self, trace_id: &[u8; 16], parent: Option<bool>) -> bool {
        if let Some(sampled) = parent.filter(|_| self.follows_parent) {
            return sampled;
        }
        (u128::from_be_bytes(*trace_id) & (ALL - 1)) < self.below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(name: &str, argument: Option<&str>) -> (Sampler, usize) {
        let mut problems = Vec::new();
        let read = Sampler::read(
            &|variable| match variable {
                "OTEL_TRACES_SAMPLER" => Some(name.to_owned()),
                _ => argument.map(str::to_owned),
            },
            &mut problems,
        );
        (read, problems.len())
    }

    #[test]
    fn samplers() {
        let (low, high) = (1_u128.to_be_bytes(), (u128::from(u64::MAX)).to_be_bytes());
        let cases = [
            ("always_on", None, [true, true, true]),
            ("always_off", None, [false, false, false]),
            ("parentbased_always_off", None, [false, false, true]),
            ("traceidratio", Some("0.5"), [true, false, true]),
            ("traceidratio", Some("0"), [false, false, false]),
            ("traceidratio", Some("1"), [true, true, true]),
            ("parentbased_always_on", None, [true, true, true]),
        ];
        for (name, argument, expected) in cases {
            let (sampler, problems) = sampler(name, argument);
            let found = [
                sampler.samples(&low, None),
                sampler.samples(&high, None),
                sampler.samples(&low, Some(true)),
            ];
            assert_eq!((found, problems), (expected, 0), "{name} {argument:?}");
        }
        assert!(!sampler("parentbased_always_on", None).0.samples(&low, Some(false)));
        for wrong in [sampler("jaeger_remote", None), sampler("traceidratio", Some("2"))] {
            assert!(wrong.0.samples(&high, None) && wrong.1 == 1);
        }
    }
}
