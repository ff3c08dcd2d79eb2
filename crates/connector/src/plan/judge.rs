//! What an answer means, by the connector's own rules.

use std::cell::LazyCell;

use koine_model::{Answer, Response};
use serde_json::{Value, json};

use super::types::Refusal;
use crate::compiled::{Connector, RequestSpec};
use crate::expr::Expr;

/// Longest wait, in seconds, that a plan takes upon itself before it hands a 429 to the caller.
const LONGEST_WAIT: u64 = 20;
/// Waits of a vendor that does not say how long stay below [`LONGEST_WAIT`].
const MOST_DOUBLINGS: u32 = 4;

/// An answer, judged.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It worked.
    Good(Response),
    /// It does not exist.
    NotFound(Refusal),
    /// Too fast; nothing was done. Seconds to wait, `None` if longer than we wait.
    Throttled(Refusal, Option<u64>),
    /// The vendor said no; nothing was done.
    Refused(Refusal),
    /// The vendor failed: it may or may not have acted.
    Failed(Refusal),
    /// It may have arrived.
    Lost(String),
    /// It did not arrive.
    NotSent(String),
    /// Our guard refused.
    Forbidden(String),
}

/// `now` is the epoch second, `tries` how often the request had been sent before.
pub(super) fn judge(
    connector: &Connector,
    spec: &RequestSpec,
    answer: Answer,
    now: u64,
    tries: u32,
) -> Verdict {
    let response = match answer {
        Answer::Received(response) => response,
        Answer::Lost(why) => return Verdict::Lost(why),
        Answer::NotSent(why) => return Verdict::NotSent(why),
        Answer::Forbidden(why) => return Verdict::Forbidden(why),
    };
    // Most successes are none of the rules' business.
    let wire = LazyCell::new(|| wire_scope(&response));
    let holds = |expr: Option<&Expr>| expr.is_some_and(|expr| expr.test(&*wire).unwrap_or(false));
    let throttled = response.status == 429 || holds(connector.rate_limit.is_limited.as_ref());
    let is_error = spec.is_error.as_ref().or(connector.errors.is_error.as_ref());
    let erring = !(200..300).contains(&response.status) || holds(is_error);
    if !erring && !throttled {
        return Verdict::Good(response);
    }
    let wire = wire_scope(&response);
    let told = told_status(connector, &wire);
    // An error inside a success is the gateway's 502 unless the connector's rule knows better.
    // So is a status that HTTP does not know.
    let own = if (400..600).contains(&response.status) { response.status } else { 502 };
    let refusal = Refusal {
        message: message(connector, &wire),
        status: told.unwrap_or(own),
        retry_after: throttled.then(|| wait_seconds(connector, &response, &wire, now, tries)),
        throttled,
        response,
    };
    if throttled {
        let wait = refusal.retry_after.filter(|seconds| *seconds <= LONGEST_WAIT);
        return Verdict::Throttled(refusal, wait);
    }
    let not_found = match &connector.errors.not_found {
        Some(expr) => expr.test(&wire).unwrap_or(false),
        None => refusal.response.status == 404,
    };
    // Inside a success the connector's rule says whose fault it was; without one, the vendor's "no" counts.
    let inside = refusal.response.status < 400;
    let failed = refusal.response.status >= 500 || (inside && told.is_some_and(|told| told >= 500));
    match refusal.response.status {
        _ if not_found => Verdict::NotFound(refusal),
        _ if failed => Verdict::Failed(refusal),
        _ => Verdict::Refused(refusal),
    }
}

/// The status that the connector's rule gives an error.
fn told_status(connector: &Connector, wire: &Value) -> Option<u16> {
    let told = connector.errors.status.as_ref()?.eval(wire).ok().flatten()?;
    let told = u16::try_from(told.as_u64()?).ok()?;
    (400..600).contains(&told).then_some(told)
}

/// `data`, `status`, `headers`, `response`.
pub(crate) fn wire_scope(response: &Response) -> Value {
    let data = response.json().unwrap_or(Value::Null);
    json!({"data": data, "response": data, "status": response.status, "headers": headers(response)})
}

/// Headers as expressions see them.
pub(super) fn headers(response: &Response) -> Value {
    let pairs = response.headers.iter();
    Value::Object(pairs.map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect())
}

fn message(connector: &Connector, wire: &Value) -> Option<String> {
    let value = connector.errors.message.as_ref()?.eval(wire).ok().flatten()?;
    value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// The later of what `retry-after`, the connector's rules and a floor of one second say; when nobody says anything,
/// twice as long as the time before.
fn wait_seconds(connector: &Connector, response: &Response, wire: &Value, now: u64, tries: u32) -> u64 {
    let number = |expr: Option<&Expr>| {
        let value = expr?.eval(wire).ok().flatten()?;
        let value = value.get("reset").cloned().unwrap_or(value);
        match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }
    };
    let header = response.header("retry-after").and_then(|text| text.parse::<f64>().ok());
    let relative = number(connector.rate_limit.retry_after.as_ref()).or(header);
    #[expect(clippy::cast_precision_loss, reason = "an epoch second is far below 2^52")]
    let absolute = number(connector.rate_limit.reset.as_ref()).map(|reset| reset - now as f64);
    let wait = match (relative, absolute) {
        (None, None) => f64::from(1_u32 << tries.min(MOST_DOUBLINGS)),
        (relative, absolute) => relative.unwrap_or(1.0).max(absolute.unwrap_or(0.0)),
    };
    let wait = wait.clamp(1.0, 86_400.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a day")]
    let seconds = wait.ceil() as u64;
    seconds
}
