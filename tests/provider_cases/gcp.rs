//! Published examples of this provider, translated into cases.

use crate::Outcome;
use serde_json::Value;

pub(crate) fn run(example: &Value) -> Outcome {
    Outcome::Unsupported(format!("no adapter for kind {}", example["kind"]))
}
