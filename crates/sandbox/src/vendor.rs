//! One vendor: credentials, rate limit, and the route that answers.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use indexmap::IndexMap;
use koine_connector::expr::Scope;
use koine_connector::problem::Problem;
use serde_json::{Map, Value, json};

use crate::StandIn;
use crate::answer::{self, Tokens};
use crate::case::Case;
use crate::reply::{self, Answer, Broken};
use crate::request::Request;
use crate::spec::{Reply, Route, Segment, Spec};
use crate::state::State;

/// A vendor and all it remembers; a clone goes its own way from there.
#[derive(Clone, Debug)]
pub struct Vendor {
    pub(crate) name: String,
    pub(crate) spec: Arc<Spec>,
    people: Arc<[Value]>,
    /// Computed when somebody first asks, for all clones.
    start: Arc<OnceLock<State>>,
    state: OnceLock<State>,
    /// The state before the last write, for stale reads.
    earlier: Option<State>,
    tokens: Vec<Token>,
    issued: u64,
    window: Option<(Instant, u64)>,
}

/// How many people show that a vendor's collections can be computed.
const FEW: usize = 3;

/// An access token that was given out.
#[derive(Clone, Debug)]
struct Token {
    text: String,
    ends: Instant,
    grant: Value,
}

impl Vendor {
    pub(crate) fn new(name: &str, spec: Spec, people: Arc<[Value]>) -> Result<Self, Problem> {
        // Everybody takes long for many vendors, of whom few are asked; a few people show whether it can be done.
        State::begin(&spec, &people[..people.len().min(FEW)])?;
        Ok(Self {
            name: name.to_owned(),
            spec: Arc::new(spec),
            people,
            start: Arc::default(),
            state: OnceLock::new(),
            earlier: None,
            tokens: Vec::new(),
            issued: 0,
            window: None,
        })
    }

    /// One exchange without a network: the path (and query) below the vendor's prefix, `stale` for an answer from
    /// before the last write. Gives status, headers and body.
    pub fn exchange(
        &mut self,
        verb: &str,
        path_and_query: &str,
        headers: &[(String, String)],
        body: &str,
        stale: bool,
    ) -> (u16, Vec<(String, String)>, bytes::Bytes) {
        let answer = self.answer(&Request::new(verb, path_and_query, headers, body), stale);
        (answer.status, answer.headers, answer.body)
    }

    /// What it says about something that it does not have.
    pub fn not_found(&self, verb: &str, path_and_query: &str) -> (u16, Vec<(String, String)>, bytes::Bytes) {
        let request = Request::new(verb, path_and_query, &[], "");
        let root = json!({"request": request.root(&Map::new())});
        let answer = reply::reply(&self.spec.not_found, 404, &root);
        let answer = answer.unwrap_or_else(|broken| Answer::text(500, &broken.to_string()));
        (answer.status, answer.headers, answer.body)
    }

    /// The calls that show its methods at work, by name.
    #[must_use]
    pub fn cases(&self) -> &IndexMap<String, Case> {
        &self.spec.cases
    }

    /// How it is reached and what an account needs, were it served at the origin (`http://host`).
    #[must_use]
    pub fn stand_in(&self, origin: &str) -> StandIn {
        let spec = &self.spec;
        let base_url = format!("{origin}/{}{}", self.name, spec.base_path);
        let elsewhere =
            spec.elsewhere.iter().map(|(prefix, path)| (prefix.clone(), format!("{base_url}{path}")));
        StandIn {
            name: self.name.clone(),
            elsewhere: elsewhere.collect(),
            base_url,
            context: spec.whole_context(),
            made: spec.keys.keys().cloned().collect(),
        }
    }

    /// Time passes: no read is as old as what was written until now.
    pub fn rest(&mut self) {
        self.earlier = None;
    }

    /// Whether both hold the same records.
    #[must_use]
    pub fn holds_the_same_as(&self, other: &Self) -> bool {
        self.state().0 == other.state().0
    }

    /// The records of a collection.
    #[must_use]
    pub fn collection(&self, name: &str) -> &[Value] {
        self.state().records(name)
    }

    /// What it holds now.
    pub(crate) fn state(&self) -> &State {
        self.state.get_or_init(|| self.start().clone())
    }

    fn state_mut(&mut self) -> &mut State {
        self.state();
        self.state.get_mut().expect("it was computed right above")
    }

    fn start(&self) -> &State {
        self.start.get_or_init(|| {
            State::begin(&self.spec, &self.people).unwrap_or_else(|problem| {
                tracing::error!(vendor = self.name, %problem, "a sandbox could not begin");
                State::default()
            })
        })
    }

    /// Everything as at the start.
    pub(crate) fn reset(&mut self) {
        self.state = OnceLock::new();
        self.earlier = None;
        self.tokens.clear();
        self.window = None;
    }

    /// All access tokens end.
    pub(crate) fn expire_tokens(&mut self) {
        self.tokens.clear();
    }

    /// Answers; `stale` reads from before the last write.
    pub(crate) fn answer(&mut self, request: &Request, stale: bool) -> Answer {
        let mut answer = self.answer_or_break(request, stale).unwrap_or_else(|broken| {
            tracing::error!(vendor = self.name, %broken, "a sandbox could not answer");
            Answer::text(500, &format!("the sandbox of {}: {broken}", self.name))
        });
        let rate = self.rate();
        if let Some(headers) = &self.spec.headers {
            let root = json!({"request": request.root(&Map::new()), "rate": rate});
            let scope = Scope::new(&root);
            if let Ok(Value::Object(headers)) = headers.eval(&scope) {
                answer.add_headers(&headers);
            }
        }
        answer
    }

    /// What the vendor says to too many requests.
    pub(crate) fn throttled(&self, request: &Request) -> Answer {
        let bare = Reply::default();
        let reply = self.spec.rate_limit.as_ref().map_or(&bare, |limit| &limit.refusal);
        let root = json!({"request": request.root(&Map::new()), "rate": self.rate()});
        reply::reply(reply, 429, &root).unwrap_or_else(|broken| Answer::text(429, &broken.to_string()))
    }

    fn answer_or_break(&mut self, request: &Request, stale: bool) -> Result<Answer, Broken> {
        if self.over_limit() {
            return Ok(self.throttled(request));
        }
        let found = self.route(request);
        let route = found.as_ref().map(|(at, _)| &self.spec.routes[*at]);
        if route.is_none_or(|route| route.auth)
            && let Some(refusal) = self.refused(request)?
        {
            return Ok(refusal);
        }
        let Some((at, params)) = found else {
            let reply = self.spec.no_route.as_ref().unwrap_or(&self.spec.not_found);
            return reply::reply(reply, 404, &json!({"request": request.root(&Map::new())}));
        };
        let spec = Arc::clone(&self.spec);
        let before = (!spec.routes[at].effects.is_empty()).then(|| self.state().clone());
        let reads = stale.then(|| self.earlier.clone()).flatten();
        let next = format!("sandbox-{}-{}", self.name, self.issued + 1);
        let tokens = Tokens { next, grants: self.grants() };
        let done = match reads {
            Some(mut earlier) => answer::run(&spec, at, request, &params, &mut earlier, &tokens)?,
            None => answer::run(&spec, at, request, &params, self.state_mut(), &tokens)?,
        };
        if done.changed {
            self.earlier = before;
        }
        if let (Some(grant), Some(issue)) = (done.grant, &spec.routes[at].issue) {
            self.issued += 1;
            let ends = Instant::now() + Duration::from_secs(issue.seconds);
            self.tokens.push(Token { text: tokens.next, ends, grant });
        }
        Ok(done.answer)
    }

    /// What is remembered of the live access tokens, by token.
    fn grants(&self) -> Value {
        let now = Instant::now();
        let live = self.tokens.iter().filter(|token| token.ends > now);
        Value::Object(live.map(|token| (token.text.clone(), token.grant.clone())).collect())
    }

    /// The route that fits with the fewest parameters, and these.
    fn route(&self, request: &Request) -> Option<(usize, Map<String, Value>)> {
        let routes = self.spec.routes.iter().enumerate();
        let fitting =
            routes.filter_map(|(at, route)| Some((at, matched(route, &self.spec.base_path, request)?)));
        fitting.min_by_key(|(_, params)| params.len())
    }

    /// The refusal of wrong credentials.
    fn refused(&self, request: &Request) -> Result<Option<Answer>, Broken> {
        let Some(auth) = &self.spec.auth else { return Ok(None) };
        let grants = self.grants();
        let live: Vec<_> = grants.as_object().into_iter().flat_map(Map::keys).collect();
        let root = json!({"request": request.root(&Map::new()), "issued": live, "grants": grants});
        if auth.accepts.test(&root)? {
            return Ok(None);
        }
        reply::reply(&auth.refusal, 401, &root).map(Some)
    }

    /// Counts the request.
    fn over_limit(&mut self) -> bool {
        let Some(limit) = &self.spec.rate_limit else { return false };
        let now = Instant::now();
        let length = Duration::from_secs(limit.seconds);
        let (began, count) = self.window.filter(|(began, _)| now - *began < length).unwrap_or((now, 0));
        self.window = Some((began, count + 1));
        count >= limit.requests
    }

    fn rate(&self) -> Value {
        let Some(limit) = &self.spec.rate_limit else { return Value::Null };
        let (began, count) = self.window.unwrap_or((Instant::now(), 0));
        let left = Duration::from_secs(limit.seconds).saturating_sub(began.elapsed());
        let end = SystemTime::now() + left;
        let reset = end.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() + 1);
        json!({"limit": limit.requests, "remaining": limit.requests.saturating_sub(count), "reset": reset,
               "seconds": left.as_secs() + 1})
    }
}

/// The parameters, when verb and path fit.
fn matched(route: &Route, base: &str, request: &Request) -> Option<Map<String, Value>> {
    let base: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    let path = request.path.strip_prefix_of(&base)?;
    if route.verb != request.verb || route.path.len() != path.len() {
        return None;
    }
    let root = || json!({"request": request.root(&Map::new())});
    if route.when.as_ref().is_some_and(|when| !when.test(&root()).unwrap_or(false)) {
        return None;
    }
    let mut params = Map::new();
    for (segment, part) in route.path.iter().zip(path) {
        match segment {
            Segment::Literal(text) if text == part => {}
            Segment::Literal(_) => return None,
            Segment::Param(name) => {
                params.insert(name.clone(), Value::String(part.clone()));
            }
        }
    }
    Some(params)
}

trait StripPrefix {
    fn strip_prefix_of(&self, base: &[&str]) -> Option<&[String]>;
}

impl StripPrefix for Vec<String> {
    fn strip_prefix_of(&self, base: &[&str]) -> Option<&[String]> {
        let (head, tail) = self.split_at_checked(base.len())?;
        head.iter().zip(base).all(|(own, wanted)| own == wanted).then_some(tail)
    }
}
