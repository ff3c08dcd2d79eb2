//! Faults on demand.

use serde_json::Value;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    LoseAnswer,
    LoseRequest,
    Never,
    Slow,
    Throttle,
    ThrottleBare,
    Status,
    StatusAfter,
    Truncated,
    WrongJson,
    Html,
    Huge,
    StaleReads,
}

const KINDS: &[(&str, Kind)] = &[
    ("lose_answer", Kind::LoseAnswer),
    ("lose_request", Kind::LoseRequest),
    ("never", Kind::Never),
    ("slow", Kind::Slow),
    ("throttle", Kind::Throttle),
    ("throttle_bare", Kind::ThrottleBare),
    ("status", Kind::Status),
    ("status_after", Kind::StatusAfter),
    ("truncated", Kind::Truncated),
    ("wrong_json", Kind::WrongJson),
    ("html", Kind::Html),
    ("huge", Kind::Huge),
    ("stale_reads", Kind::StaleReads),
];

impl Kind {
    /// The word in the control interface.
    pub(crate) fn name(self) -> &'static str {
        KINDS.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// One that hits a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub kind: Kind,
    pub ms: u64,
    pub status: u16,
}

#[derive(Debug)]
struct Rule {
    vendor: String,
    method: Option<String>,
    path: String,
    after: u64,
    times: u64,
    fault: Fault,
}

/// All that are armed.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Rule>);

impl Faults {
    /// Arms one.
    ///
    /// # Errors
    /// What is wrong with the description, for people.
    pub(crate) fn arm(&mut self, wanted: &Value) -> Result<(), String> {
        let text = |name: &str| wanted.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let number = |name: &str, default| wanted.get(name).map_or(Some(default), Value::as_u64);
        let kind = text("kind").ok_or("`kind` is missing")?;
        let known = KINDS.iter().find(|(name, _)| *name == kind);
        let known = known.ok_or_else(|| {
            let names: Vec<_> = KINDS.iter().map(|(name, _)| *name).collect();
            format!("`{kind}` is no kind of fault; known: {}", names.join(", "))
        })?;
        let status = number("status", 500).and_then(|status| u16::try_from(status).ok());
        self.0.push(Rule {
            vendor: text("vendor").ok_or("`vendor` is missing")?,
            method: text("method"),
            path: text("path").unwrap_or_default(),
            after: number("after", 0).ok_or("`after` must be a number")?,
            times: number("times", 1).ok_or("`times` must be a number")?,
            fault: Fault {
                kind: known.1,
                ms: number("ms", 1000).ok_or("`ms` must be a number")?,
                status: status
                    .filter(|status| (200..600).contains(status))
                    .ok_or("`status` must be 200 to 599")?,
            },
        });
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first armed fault for this request, used up by one.
    pub(crate) fn take(&mut self, vendor: &str, method: &str, path: &str) -> Option<Fault> {
        let fits = |rule: &&mut Rule| {
            rule.times > 0
                && rule.vendor == vendor
                && rule.method.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(method))
                && path.starts_with(&rule.path)
                && (rule.fault.kind != Kind::StaleReads || matches!(method, "GET" | "HEAD"))
        };
        let rule = self.0.iter_mut().find(fits)?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault)
    }
}
