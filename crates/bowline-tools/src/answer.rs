//! Holds a final answer against a JSON Schema.
//!
//! An answer is the whole text of a reply as JSON, or, where words stand around it, the content of
//! its one fenced block. References leave the schema for nowhere: nothing is fetched.

use jsonschema::Validator;
use serde_json::Value;

/// A schema that answers can be held against.
#[derive(Debug, Clone)]
pub struct AnswerSchema {
    validator: Validator,
}

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no JSON Schema that can be used: {why}")]
pub struct SchemaError {
    /// What and where.
    pub why: String,
}

/// Problems told of one answer, at most.
const PROBLEMS_MAX: usize = 10;

/// Characters of one problem, at most.
const PROBLEM_CHARS_MAX: usize = 300;

impl AnswerSchema {
    /// Compiles a schema (draft 2020-12 unless `$schema` names another).
    ///
    /// # Errors
    /// [`SchemaError`] when it is not valid or refers to something outside itself.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        match jsonschema::validator_for(schema) {
            Ok(validator) => Ok(Self { validator }),
            Err(error) => {
                let path = error.instance_path().to_string();
                let what = bounded(&error.to_string());
                let why = if path.is_empty() {
                    what
                } else {
                    format!("{path}: {what}")
                };
                Err(SchemaError { why })
            }
        }
    }

    /// The answer that a reply holds.
    ///
    /// # Errors
    /// What does not fit, each problem in one line with its place as a JSON pointer; never empty,
    /// bounded in number and length.
    pub fn check(&self, reply: &str) -> Result<Value, Vec<String>> {
        let answer = extract(reply).map_err(|problem| vec![problem])?;
        let mut problems: Vec<String> = Vec::new();
        let mut more = 0_usize;
        for error in self.validator.iter_errors(&answer) {
            if problems.len() == PROBLEMS_MAX {
                more += 1;
                continue;
            }
            let path = error.instance_path().to_string();
            let place = if path.is_empty() {
                "(the whole)"
            } else {
                path.as_str()
            };
            problems.push(bounded(&format!("{place}: {error}")));
        }
        if more > 0 {
            problems.push(format!("and {more} more"));
        }
        if problems.is_empty() {
            Ok(answer)
        } else {
            Err(problems)
        }
    }
}

/// The JSON value in a reply: the whole of it, or its one fenced block.
fn extract(reply: &str) -> Result<Value, String> {
    let whole = match serde_json::from_str::<Value>(reply.trim()) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match fenced(reply)[..] {
        [block] => serde_json::from_str(block)
            .map_err(|error| bounded(&format!("the fenced block is not valid JSON: {error}"))),
        [] => Err(bounded(&format!("the answer is not valid JSON: {whole}"))),
        _ => Err("the answer holds several fenced blocks: give one JSON value alone".to_owned()),
    }
}

/// The contents of the fenced blocks of a text. One that is not closed is none.
fn fenced(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if line.trim_start().starts_with("```") {
            match open.take() {
                Some(start) => blocks.push(&text[start..at]),
                None => open = Some(end),
            }
        }
        at = end;
    }
    blocks
}

fn bounded(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    match line.char_indices().nth(PROBLEM_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests;
