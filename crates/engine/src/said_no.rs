//! What a token endpoint said when it gave no token: the same question is not put again at once. A vendor that took a
//! grant back is not asked with every call until somebody connects the account again, and one that asks for patience
//! gets it, from all nodes.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use koine_upstream::TokenError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::grant::now;

/// How long a refusal counts. Not for ever: vendors make mistakes too.
const FINAL: Duration = Duration::from_secs(600);
/// The longest that a vendor can ask for patience.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The hash of a request for tokens: with another refresh token, another app or another address it is another question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question(String);

impl Question {
    pub(crate) fn of(endpoint: &Url, context: &Value) -> Self {
        let hash = digest(&SHA256, format!("{endpoint} {context}").as_bytes());
        Self(hash.as_ref().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
    }
}

/// One answer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SaidNo {
    question: Question,
    /// As an epoch second.
    until: f64,
    status: u16,
    /// Whether it asked for patience, rather than meant it.
    is_busy: bool,
    body: String,
}

impl SaidNo {
    /// What is worth remembering of an error; nothing of one that may be over in a moment.
    pub(crate) fn of(error: &TokenError, question: Question) -> Option<Self> {
        let (status, is_busy, body, time) = match error {
            TokenError::Refused { status, body } if error.is_final() => (*status, false, body, FINAL),
            TokenError::Busy { status, retry_after: Some(seconds), body } => {
                (*status, true, body, Duration::from_secs(*seconds).min(LONGEST_WAIT))
            }
            _ => return None,
        };
        Some(Self { question, until: now() + time.as_secs_f64(), status, is_busy, body: body.clone() })
    }

    /// The same answer once more, if it is one to this question and still counts.
    pub(crate) fn again(&self, question: &Question) -> Option<TokenError> {
        let left = self.until - now();
        // A clock that was set back must not make it count for longer.
        if self.question != *question || left <= 0.0 || left > FINAL.max(LONGEST_WAIT).as_secs_f64() {
            return None;
        }
        let (status, body) = (self.status, self.body.clone());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most ten minutes")]
        let seconds = left.ceil() as u64;
        Some(if self.is_busy {
            TokenError::Busy { status, retry_after: Some(seconds), body }
        } else {
            TokenError::Refused { status, body }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(token: &str) -> Question {
        Question::of(&"https://id.example.com/token".parse().unwrap(), &json!({"refresh_token": token}))
    }

    #[test]
    fn the_same_question_has_the_same_answer_for_a_while() {
        let refused = TokenError::Refused { status: 400, body: "invalid_grant".to_owned() };
        let no = SaidNo::of(&refused, question("a")).unwrap();
        assert_eq!(no.again(&question("a")), Some(refused));
        assert_eq!(no.again(&question("b")), None, "another refresh token");
        assert_eq!(SaidNo { until: now() - 1.0, ..no.clone() }.again(&question("a")), None, "it is over");
        assert_eq!(SaidNo { until: now() + 1e6, ..no }.again(&question("a")), None, "the clock was set back");
    }

    #[test]
    fn patience_has_an_end() {
        let busy = |retry_after| TokenError::Busy { status: 503, retry_after, body: "later".to_owned() };
        for (told, left) in [(30, 30), (1_000_000, 600)] {
            let no = SaidNo::of(&busy(Some(told)), question("a")).unwrap();
            assert_eq!(no.again(&question("a")), Some(busy(Some(left))));
        }
        assert!(SaidNo::of(&busy(None), question("a")).is_none());
        assert!(SaidNo::of(&TokenError::Lost("gone".to_owned()), question("a")).is_none());
    }
}
