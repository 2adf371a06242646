//! `--output-schema FILE`: the schema that the final answer must fit, checked before anything is
//! spent.

use std::io::Read as _;
use std::path::Path;

use bowline_core::context::caps;
use bowline_tools::answer::AnswerSchema;
use serde_json::Value;

use crate::failure::Failure;

/// The most of a schema, in bytes: all of it goes to the model, with a few words around it.
const SCHEMA_BYTES_MAX: usize = caps::OUTPUT_SCHEMA_BYTES - (1 << 10);

/// Reads and compiles a schema.
pub fn read(path: &Path) -> Result<Value, Failure> {
    let cannot = |why: String| Failure::usage(format!("--output-schema {}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| cannot(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(SCHEMA_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot(error.to_string()))?;
    if bytes.len() > SCHEMA_BYTES_MAX {
        return Err(cannot(
            "it is over 63 KiB: all of it goes to the model, so make it smaller".to_owned(),
        ));
    }
    let schema: Value = serde_json::from_slice(&bytes)
        .map_err(|error| cannot(format!("it is not valid JSON: {error}")))?;
    AnswerSchema::compile(&schema).map_err(|error| cannot(error.to_string()))?;
    Ok(schema)
}
