//! What resources mean, and how their methods are done.

use std::sync::Arc;

use koine_model::{Effect, NameMap};

use crate::expr::Expr;
use crate::pattern::Pattern;
use crate::template::{Template, TextTemplate};

/// What a vendor resource means in the unified model.
#[derive(Debug, Default)]
pub struct Resource {
    /// Unified field -> expression over one vendor record.
    pub record: NameMap<Expr>,
    /// Methods by name; `find` is not public.
    pub methods: NameMap<Arc<Row>>,
}

/// Which request a row calls.
#[derive(Debug, Clone)]
pub enum Choice {
    /// Always this one.
    Fixed(String),
    /// The expression's text, which must be one of the list.
    Chosen(Expr, Vec<String>),
}

/// How one unified method is done.
#[derive(Debug, Default)]
pub struct Row {
    /// The resource half of the request's name.
    pub resource: Option<Choice>,
    /// The method half.
    pub method: Option<Choice>,
    /// The whole path id must match this.
    pub id_pattern: Option<Pattern>,
    /// Default vendor query.
    pub query: Option<Template>,
    /// Computed vendor query.
    pub query_mapping: Option<Expr>,
    /// Default vendor body.
    pub body: Option<Template>,
    /// Computed vendor body.
    pub request_body_mapping: Option<Expr>,
    /// Computed path.
    pub path_mapping: Option<Expr>,
    /// Computed headers.
    pub request_header_mapping: Option<Expr>,
    /// Accepted query parameters.
    pub query_schema: NameMap<Parameter>,
    /// Accepted body fields.
    pub request_body_schema: NameMap<Parameter>,
    /// Picks the record or list.
    pub select: Option<Expr>,
    /// A whole expression instead of the record map, and whether it sees the whole list at once.
    pub response_mapping: Option<(Expr, bool)>,
    /// Overrides single fields of the resource's record map.
    pub record: NameMap<Expr>,
    /// Headers shown to the caller.
    pub response_header_mapping: Option<Expr>,
    /// `{status?, message?}` for a refusal.
    pub error_mapping: Option<Expr>,
    /// Whether list items are shallow.
    pub is_partial: Option<Expr>,
    /// The read before a write.
    pub target: Option<Target>,
    /// The read that shows whom the vendor remembers when the target is not there.
    pub tombstone: Option<Call>,
    /// Steps before the call.
    pub before: Vec<Step>,
    /// Steps after it.
    pub after: Vec<Step>,
    /// Checks after the reads.
    pub guard: Vec<(Expr, String)>,
    /// What success does.
    pub removal: Option<Removal>,
    /// What proves it.
    pub verify: Option<Verify>,
    /// When the vendor does less than was asked.
    pub lesser: Option<Lesser>,
    /// When the destructive answer says that there was nothing to remove.
    pub already_gone: Option<Expr>,
    /// Calls with equal text run one after another.
    pub serialize_on: Option<TextTemplate>,
}

/// One accepted parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// `string`, `boolean`, `number`, `object` or `array`.
    pub kind: String,
    /// Whether this vendor cannot do without.
    pub required: bool,
    /// When it cannot do without.
    pub required_if: Option<Expr>,
    /// Whether another value means somebody or something else; otherwise it only says how.
    pub names_target: bool,
    /// The only values.
    pub values: Vec<String>,
    /// What the whole value must look like.
    pub pattern: Option<Pattern>,
    /// For the documentation.
    pub note: Option<String>,
}

/// One extra request of a row.
#[derive(Debug, Default)]
pub struct Step {
    /// What `before.<name>` calls its answer.
    pub name: Option<String>,
    /// `resource.method`; empty for a step that only waits.
    pub call: Option<Call>,
    /// Only if this holds.
    pub run_if: Option<Expr>,
    /// Whether its answer, not the call's, is the `raw` one.
    pub main: bool,
    /// Whether it changes something; by default, whether its verb is not GET.
    pub destructive: Option<bool>,
    /// Whether a refusal of it is ignored.
    pub optional: bool,
    /// A bounded poll after it.
    pub wait: Option<Wait>,
}

/// A request with its own id and parameters.
#[derive(Debug)]
pub struct Call {
    /// `resource.method`, or an expression that chooses one of several.
    pub request: Choice,
    /// The id; the call's own by default.
    pub id: Option<Expr>,
    /// Query parameters.
    pub query: Option<Template>,
    /// The body.
    pub body: Option<Template>,
    /// Picks from the answer.
    pub select: Option<Expr>,
}

/// The read before a write.
#[derive(Debug)]
pub enum Target {
    /// The `get` row of a resource of the same model, with this id.
    Get(String, Option<Expr>),
    /// A request of its own.
    Call(Call),
}

/// A bounded poll.
#[derive(Debug)]
pub struct Wait {
    /// What to read.
    pub call: Call,
    /// Until this holds.
    pub until: Expr,
    /// Most reads.
    pub tries: u32,
    /// Milliseconds between them.
    pub delay_ms: u64,
}

/// Removal semantics.
#[derive(Debug, Clone)]
pub struct Removal {
    /// What success does.
    pub effect: Effect,
    /// Whether and until when it can be taken back.
    pub reversible: String,
    /// Whether the paid seat becomes free.
    pub seat_freed: String,
    /// What happens to what the person owned.
    pub content: String,
}

/// A refusal that has an effect of its own.
#[derive(Debug)]
pub struct Lesser {
    /// When an answer is one.
    pub when: Expr,
    /// What it does.
    pub effect: Effect,
    /// When the read that proves the removal shows this effect.
    pub shown: Expr,
    /// What people should know.
    pub detail: String,
}

/// The read that proves a removal.
#[derive(Debug)]
pub struct Verify {
    /// What to read.
    pub call: Call,
    /// True when the effect is there.
    pub gone: Expr,
    /// True when the call must be sent again.
    pub repeat_if: Option<Expr>,
    /// Most reads.
    pub tries: u32,
    /// Milliseconds between them.
    pub delay_ms: u64,
}
