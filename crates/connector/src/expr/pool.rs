//! One evaluator per thread: building one costs as much as evaluating a record.

use std::cell::RefCell;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::value::JValue;

use super::{EvalError, functions};

/// Longest evaluation in milliseconds, by the clock on the wall. It ends what runs away; what is merely slow on a busy
/// machine must not fail by it.
const LONGEST_MS: u64 = 2_000;
/// Deepest evaluation stack.
const DEEPEST: usize = 2_000;
/// Longest sequence.
const LONGEST: usize = 1_000_000;

thread_local! {
    static EVALUATOR: RefCell<Evaluator> = RefCell::new(build());
}

fn build() -> Evaluator {
    let options = EvaluatorOptions {
        timeout_ms: Some(LONGEST_MS),
        cancel: None,
        max_stack_depth: Some(DEEPEST),
        max_sequence_length: Some(LONGEST),
    };
    let mut evaluator = Evaluator::with_options(functions::context(), options);
    functions::register(&mut evaluator);
    evaluator
}

/// `source` is the text of `ast`: messages that the author wrote there may leave.
pub(super) fn evaluate(source: &str, ast: &AstNode, input: &JValue) -> Result<JValue, EvalError> {
    EVALUATOR
        .with_borrow_mut(|evaluator| evaluator.evaluate(ast, input))
        .map_err(|error| public(source, &error))
}

/// The engine's messages quote values, so that only its codes leave, in words of ours.
fn public(source: &str, error: &EvaluatorError) -> EvalError {
    let (code, rest) = error.message().split_once(": ").unwrap_or(("", ""));
    let words = match code {
        // The codes of `$error` and `$assert`; a text that was computed may hold data.
        "D3137" | "D3141" if !rest.is_empty() && source.contains(rest) => {
            return EvalError { message: rest.to_owned() };
        }
        _ if format!("{code}: ") == functions::OURS => return EvalError { message: rest.to_owned() },
        "D3137" => "$error was called",
        "D3141" => "$assert failed",
        "D1001" => "a number is out of range",
        "D1011" | "U1001" => "the evaluation is nested too deeply",
        "D1012" => "the evaluation took too long",
        "D2014" => "a sequence is too long",
        "D3030" => "$number was given a value that is no number",
        "D3110" | "D3136" => "a text is not a date",
        "T0410" | "T0411" | "T0412" => "a function was given an argument of the wrong type",
        "T1006" => "a value that is no function was called",
        "T2001" | "T2002" => "a calculation was given a value that is no number",
        "T2009" | "T2010" => "two values of different types were compared",
        _ => "the evaluation failed",
    };
    let is_code = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    EvalError { message: if is_code { format!("{words} ({code})") } else { words.to_owned() } }
}
