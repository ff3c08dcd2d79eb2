//! The plan of a call: a state machine without IO. [`Plan::next`] says what to send, [`Plan::feed`] takes the
//! answer; the rest of the gateway only carries messages.
//!
//! The rules that make it safe to use on people's accounts:
//! * a lost answer or a 5xx to a destructive request is settled by reading, never by repeating blindly;
//! * the request is sent again only if reading shows that it had no effect and it is idempotent, at most
//!   [`MOST_SENDS`] times;
//! * success is what the connector's `verify` read shows.

mod answered;
mod gather;
mod judge;
mod list;
mod read;
mod request;
mod scope;
mod steps;
mod tombstone;
mod types;
mod verify;
mod write;

use std::sync::Arc;

use koine_model::{Answer, Outcome, Request, Response};
use serde_json::{Value, json};
use url::Url;

use crate::build::{self, BuildError};
use crate::compiled::{Call, Connector, ResponseFormat, Row, Target};
use crate::xml;
use judge::judge;
pub(crate) use judge::wire_scope;
pub use types::{Ask, Exchange, Failure, Finished, Mode, Next, Refusal, Send, Success};

/// Most times that one destructive request is sent within a call.
pub const MOST_SENDS: u32 = 3;
/// Most times that one read is sent.
const MOST_READS: u32 = 4;

/// Where a plan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Target,
    Tombstone,
    Before(usize),
    BeforeWait(usize, u32),
    Guard,
    Main,
    Verify { tries: u32, why: Why },
    After(usize),
    End,
}

/// Why the effect is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The vendor said yes.
    Confirm,
    /// The vendor said that there was nothing to remove.
    Absent,
    /// Nobody knows.
    Settle,
}

/// One call under way.
pub struct Plan {
    connector: Arc<Connector>,
    row: Arc<Row>,
    ask: Box<Ask>,
    seen: scope::Seen,
    base: Url,
    stage: Stage,
    /// Named answers of steps, as an object.
    before: Value,
    target: Option<Value>,
    main: Option<Exchange>,
    /// The list that a step or a proof is reading.
    gathered: gather::Gathered,
    /// The request whose answer is being taken.
    asked: Option<Arc<Request>>,
    planned: Vec<Send>,
    /// The request in flight.
    sent: Option<Send>,
    /// Sends of the request of this stage so far.
    tries: u32,
    delay_ms: u64,
    /// Sends of the main request.
    main_sends: u32,
    /// Whether an earlier send of a destructive request may have had its effect unseen.
    unsure: Option<String>,
    /// Whether some destructive step has succeeded.
    changed: bool,
    /// Whether the vendor has said that it did less than was asked.
    did_less: bool,
    /// What went wrong after the removal itself was done.
    aftermath: Option<String>,
    /// The last refusal of the main request.
    refusal: Option<Refusal>,
    /// Whether any verifying read since the last send was readable.
    read_ok: bool,
    pages: list::Pages,
    now: u64,
    done: Option<Finished>,
}

type Step<T> = Result<T, Failure>;

impl Plan {
    /// Prepares a call.
    ///
    /// # Errors
    /// Unknown method, an id or parameter that cannot be used, or a base URL that cannot be filled in.
    /// `now` is the epoch second. Boxed, since it is large and goes from hand to hand.
    pub fn new(connector: Arc<Connector>, ask: impl Into<Box<Ask>>, now: u64) -> Result<Box<Self>, Failure> {
        let mut ask = ask.into();
        let (known_target, known_before) = (ask.known_target.take(), std::mem::take(&mut ask.known_before));
        let base =
            build::base_url(&connector, ask.context.all(), ask.base_url.as_ref()).map_err(from_build)?;
        let row = Arc::clone(row(&connector, &ask, &ask.resource, &ask.method)?);
        if let (Some(pattern), Some(id)) = (&row.id_pattern, &ask.id)
            && !pattern.is_match(id)
        {
            return Err(Failure::Input(format!("`{id}` is not an id of {}", connector.label)));
        }
        let seen = scope::Seen::of(&mut ask);
        let mut plan = Box::new(Self {
            connector,
            row,
            ask,
            seen,
            base,
            stage: Stage::Target,
            before: Value::Object(known_before),
            target: known_target,
            main: None,
            gathered: gather::Gathered::default(),
            asked: None,
            planned: Vec::new(),
            sent: None,
            tries: 0,
            delay_ms: 0,
            main_sends: 0,
            unsure: None,
            changed: false,
            aftermath: None,
            did_less: false,
            refusal: None,
            read_ok: false,
            pages: list::Pages::default(),
            now,
            done: None,
        });
        if plan.ask.mode == Mode::Settle {
            plan.unsure = Some("the gateway stopped before it saw the answer".to_owned());
            plan.stage = Stage::Verify { tries: 0, why: Why::Settle };
        }
        Ok(plan)
    }

    /// The base URL that requests of this plan go to.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// What a later settlement must know: the ids and body of the call, and what was read so far.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        json!({"id": self.ask.id, "body": self.seen.body, "target": self.target, "before": self.before})
    }

    /// What to do next.
    #[expect(clippy::should_implement_trait, reason = "it never ends with None: the end is a value")]
    pub fn next(&mut self) -> Next {
        if let Some(sent) = &self.sent {
            return Next::Send(Box::new(sent.clone()));
        }
        while self.done.is_none() {
            match self.advance() {
                Ok(Some(send)) => {
                    self.sent = Some(send.clone());
                    return Next::Send(Box::new(send));
                }
                Ok(None) => {}
                Err(failure) => self.fail(failure),
            }
        }
        Next::Done(Box::new(self.done.take().expect("the loop ends with `done` set")))
    }

    /// Takes the answer to the last request.
    pub fn feed(&mut self, answer: Answer) {
        let Some(send) = self.sent.take() else { return };
        self.asked = Some(Arc::clone(&send.request));
        let connector = self.connector.clone();
        let Some(spec) = connector.requests.get(&send.step) else { return };
        let answer = readable(spec.response_format, answer);
        let verdict = judge(&connector, spec, answer, self.now, self.earlier_tries());
        let result = match self.stage {
            Stage::Tombstone => self.tombstone_answered(spec, verdict, send),
            Stage::Main if send.destructive => self.main_answered(verdict),
            Stage::Verify { tries, why } => self.verify_answered(spec, verdict, tries, why),
            Stage::Before(index) if send.destructive => self.destructive_step_answered(spec, verdict, index),
            Stage::After(index) if send.destructive => self.after_step_answered(spec, verdict, index),
            _ => self.read_answered(spec, verdict, send),
        };
        if let Err(failure) = result {
            self.fail(failure);
        }
    }

    /// How often the request in flight had been sent before.
    fn earlier_tries(&self) -> u32 {
        match self.stage {
            Stage::Main if self.main_sends > 0 => self.main_sends - 1,
            Stage::Verify { tries, .. } | Stage::BeforeWait(_, tries) => tries,
            _ => self.tries,
        }
    }

    /// The answer in hand is the one that callers may see.
    fn keep_main(&mut self, response: Response) {
        self.main = self.asked.take().map(|request| Exchange { request, response });
    }

    /// Moves on until there is something to send (`Some`) or the stage changed (`None`).
    fn advance(&mut self) -> Step<Option<Send>> {
        let (connector, row) = (self.connector.clone(), self.row.clone());
        match self.stage {
            Stage::Target => match &row.target {
                None => self.go(Stage::Before(0)),
                Some(Target::Call(call)) => self.read(&connector, call),
                Some(Target::Get(resource, id)) => self.read_target(&connector, resource, id.as_ref()),
            },
            Stage::Tombstone => match &row.tombstone {
                None => Err(Failure::NotFound),
                Some(call) => self.read(&connector, call),
            },
            Stage::Before(index) => match row.before.get(index) {
                None => self.go(Stage::Guard),
                Some(step) => self.step(&connector, step, Stage::Before(index + 1)),
            },
            Stage::BeforeWait(index, _) => match row.before.get(index).and_then(|step| step.wait.as_ref()) {
                None => self.go(Stage::Before(index + 1)),
                Some(wait) => self.read(&connector, &wait.call),
            },
            Stage::Guard => {
                self.check_guards()?;
                self.go(Stage::Main)
            }
            Stage::Main => self.send_main(&connector, &row),
            Stage::Verify { .. } => match &row.verify {
                Some(verify) => self.read(&connector, &verify.call),
                None => Err(Failure::Uncertain("this method has no read that could settle it".to_owned())),
            },
            Stage::After(index) => match row.after.get(index) {
                None => {
                    self.finish_write(&row);
                    Ok(None)
                }
                Some(step) => self.step(&connector, step, Stage::After(index + 1)),
            },
            Stage::End => Ok(None),
        }
    }

    fn go(&mut self, stage: Stage) -> Step<Option<Send>> {
        self.stage = stage;
        self.tries = 0;
        self.delay_ms = 0;
        self.gathered = gather::Gathered::default();
        Ok(None)
    }

    fn step(
        &mut self,
        connector: &Connector,
        step: &crate::compiled::Step,
        then: Stage,
    ) -> Step<Option<Send>> {
        let runs = match &step.run_if {
            Some(expr) => expr.test(&self.scope(false)).map_err(|error| broken("run_if", &error))?,
            None => true,
        };
        let Some(call) = step.call.as_ref().filter(|_| runs) else { return self.go(then) };
        let mut send = self.build_call(connector, call)?;
        let reads = connector.requests.get(&send.step).is_some_and(|spec| spec.reads);
        send.destructive = step.destructive.unwrap_or(!reads);
        if self.ask.mode == Mode::Settle && !reads {
            self.aftermath
                .get_or_insert(format!("done; whether the step `{}` after it was is not known", send.step));
            return self.go(then);
        }
        if send.destructive {
            self.check_guards()?;
        }
        if self.ask.mode == Mode::DryRun && !reads {
            self.planned.push(send);
            return self.go(then);
        }
        Ok(Some(send))
    }

    /// Before anything destructive is sent, the first step included.
    fn check_guards(&self) -> Step<()> {
        for (expr, message) in &self.row.guard {
            if expr.test(&self.scope(false)).map_err(|error| broken("guard", &error))? {
                return Err(Failure::Guard(message.clone()));
            }
        }
        Ok(())
    }

    fn read(&mut self, connector: &Connector, call: &Call) -> Step<Option<Send>> {
        self.build_call(connector, call).map(Some)
    }

    fn fail(&mut self, failure: Failure) {
        let writes = self.row.removal.is_some();
        let outcome = match &failure {
            _ if !writes || self.ask.mode == Mode::DryRun => None,
            Failure::NotFound => None,
            Failure::Uncertain(_) => Some(Outcome::Uncertain),
            _ if self.unsure.is_some() => Some(Outcome::Uncertain),
            _ => Some(Outcome::Refused),
        };
        let failure = match (outcome, failure) {
            (Some(Outcome::Uncertain), Failure::Unreachable(why)) => Failure::Uncertain(why),
            (_, failure) => failure,
        };
        let detail = self.changed.then(|| "an earlier step of this removal had already been done".to_owned());
        self.end(Err(failure), outcome, detail);
    }

    fn end(&mut self, result: Result<Success, Failure>, outcome: Option<Outcome>, detail: Option<String>) {
        self.stage = Stage::End;
        self.sent = None;
        let before = match self.before.take() {
            Value::Object(before) => before,
            _ => serde_json::Map::new(),
        };
        self.done = Some(Finished {
            result,
            outcome,
            target: self.target.take(),
            main: self.main.take(),
            planned: std::mem::take(&mut self.planned),
            before,
            detail,
        });
    }
}

/// The base URL of an account: the operator's, or the connector's with credential fields filled in.
///
/// # Errors
/// A field that is missing, or a result that is no URL.
pub fn base_url(connector: &Connector, context: &Value, operator: Option<&Url>) -> Result<Url, Failure> {
    build::base_url(connector, context, operator).map_err(from_build)
}

/// The answer with its body as JSON. What cannot be read as promised stays as it is, and fails as "not JSON".
fn readable(format: ResponseFormat, answer: Answer) -> Answer {
    let Answer::Received(mut response) = answer else { return answer };
    let json = match format {
        ResponseFormat::Json | ResponseFormat::Binary => None,
        ResponseFormat::Xml => xml::parsed(&response.body),
        ResponseFormat::Text => Some(Value::String(String::from_utf8_lossy(&response.body).into_owned())),
    };
    if let Some(json) = json {
        response.body = json.to_string().into();
    }
    Answer::Received(response)
}

fn row<'a>(connector: &'a Connector, ask: &Ask, resource: &str, method: &str) -> Step<&'a Arc<Row>> {
    connector
        .models
        .get(&ask.model)
        .and_then(|resources| resources.get(resource))
        .and_then(|resource| resource.methods.get(method))
        .ok_or_else(|| Failure::Connector(format!("{}: {resource}.{method} is not mapped", connector.name)))
}

fn broken(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::Connector(format!("`{what}`: {error}"))
}

fn from_build(error: BuildError) -> Failure {
    match error {
        BuildError::Input(text) => Failure::Input(text),
        BuildError::Connector(text) => Failure::Connector(text),
    }
}
