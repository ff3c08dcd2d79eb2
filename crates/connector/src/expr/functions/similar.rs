//! How alike two texts are, by Sørensen and Dice: for names that people typed, such as roles.

use std::collections::HashMap;

use jsonata_core::value::JValue;

use super::values::{is_present, items_of, to_number};
use super::{Entry, Outcome, arg, fail};

pub(super) const TABLE: &[Entry] = &[("mostSimilar", most_similar), ("diceCoefficient", dice_coefficient)];

/// How alike the best candidate must be when nothing is said.
const THRESHOLD: f64 = 0.8;

/// A text as its lower-case Latin letters and digits, and how often it has each pair of neighbours.
struct Pairs {
    text: Vec<u8>,
    counts: HashMap<[u8; 2], usize>,
    total: usize,
}

impl Pairs {
    fn of(text: &str) -> Self {
        let text: Vec<u8> = text.to_lowercase().bytes().filter(u8::is_ascii_alphanumeric).collect();
        let mut counts = HashMap::new();
        match text.as_slice() {
            // Something to compare a single letter by; no pair has a zero.
            [only] => *counts.entry([*only, 0]).or_default() += 1,
            letters => {
                for pair in letters.windows(2) {
                    *counts.entry([pair[0], pair[1]]).or_default() += 1;
                }
            }
        }
        let total = counts.values().sum();
        Self { text, counts, total }
    }

    /// From 0 to 1. Costs what the other text is long, so that a list of candidates costs its own length.
    #[expect(clippy::cast_precision_loss, reason = "texts are far shorter than 2^52")]
    fn likeness(&self, other: &Self) -> f64 {
        if self.text == other.text {
            return 1.0;
        }
        let shared =
            |(pair, count): (&[u8; 2], &usize)| self.counts.get(pair).map_or(0, |own| *own.min(count));
        let common: usize = other.counts.iter().map(shared).sum();
        // Of two texts that differ, one has a letter and so a pair.
        2.0 * common as f64 / (self.total + other.total) as f64
    }
}

fn dice_coefficient(args: &[JValue]) -> Outcome {
    match (arg(args, 0).as_str(), arg(args, 1).as_str()) {
        (Some(a), Some(b)) => Ok(JValue::from_f64(Pairs::of(a).likeness(&Pairs::of(b)))),
        _ => fail("$diceCoefficient needs two texts"),
    }
}

/// `$mostSimilar(value, candidates, threshold = 0.8)`: the first of the best, or the value when none is like it.
fn most_similar(args: &[JValue]) -> Outcome {
    let Some(value) = arg(args, 0).as_str() else { return fail("$mostSimilar needs a text") };
    let threshold = if is_present(arg(args, 2)) { to_number(arg(args, 2)) } else { THRESHOLD };
    let wanted = Pairs::of(value);
    let mut best = (0.0, arg(args, 0).clone());
    for candidate in items_of(arg(args, 1)).into_iter().filter(|item| !item.is_undefined()) {
        let Some(text) = candidate.as_str() else { return fail("$mostSimilar compares texts only") };
        let likeness = wanted.likeness(&Pairs::of(text));
        if likeness > best.0 {
            best = (likeness, candidate);
        }
    }
    Ok(if best.0 >= threshold { best.1 } else { arg(args, 0).clone() })
}
