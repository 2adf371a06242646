//! `ask_user`: a question that only a person can answer.
//!
//! It acts on nothing. The answer is recorded by the engine as the result of the call, so the
//! tool itself is never run.

use bowline_core::action::{Choice, Question};
use bowline_core::call::ReplayPlan;
use bowline_core::spec::ActionKind;
use bowline_core::{Action, BoxFuture, Permit, ReplayClass, Risk, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::spec::About;
use super::{first_chars, one_line, text_of};
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};

/// Longest question in bytes: a person reads it in a terminal.
const QUESTION_BYTES_MAX: usize = 4 << 10;

/// Longest label or description of a choice in bytes.
const CHOICE_BYTES_MAX: usize = 200;

/// Longest essence in characters.
const ESSENCE_CHARS_MAX: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    question: String,
    /// Texts, or {label, description}
    #[schemars(length(min = 2, max = 8))]
    #[schemars(with = "Option<Vec<Value>>")]
    choices: Option<Vec<Given>>,
    multiple: Option<bool>,
}

/// A choice as models write it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Given {
    Text(String),
    Explained {
        label: String,
        description: Option<String>,
    },
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "ask_user",
        title: "Ask the person",
        description: "Ask what only the person can know or decide; never for permission.",
        risk: Risk::None,
        replay_ceiling: ReplayClass::Free,
        actions: &[ActionKind::AskPerson],
        timeout_ms: None,
        result: &[],
    }
    .spec::<Input>()
}

pub(super) struct AskUserTool {
    spec: ToolSpec,
}

impl AskUserTool {
    pub(super) fn new() -> Self {
        Self { spec: spec() }
    }

    fn question(&self, input: &Value) -> Result<Question, InputError> {
        let Input {
            question,
            choices,
            multiple,
        } = crate::input::read(&self.spec.input_schema, input)
            .map_err(|error| explain_choices(input, error))?;
        let text = text_of(&question, "question", QUESTION_BYTES_MAX)?;
        let choices: Vec<Choice> = choices
            .unwrap_or_default()
            .into_iter()
            .enumerate()
            .map(|(index, given)| choice(index, given))
            .collect::<Result<_, _>>()?;
        for (index, one) in choices.iter().enumerate() {
            if choices[..index]
                .iter()
                .any(|other| other.label == one.label)
            {
                let message = format!("\"choices[{index}]\" repeats `{}`", one.label);
                return Err(InputError::new(message));
            }
        }
        let multiple = multiple.unwrap_or_default() && !choices.is_empty();
        Ok(Question {
            text,
            choices,
            multiple,
        })
    }
}

/// A choice of another shape is told as one: serde would only name the enum.
fn explain_choices(input: &Value, error: InputError) -> InputError {
    let odd = |one: &Value| !one.is_string() && !one.get("label").is_some_and(Value::is_string);
    let choices = input.get("choices").and_then(Value::as_array);
    match choices.and_then(|list| list.iter().position(odd)) {
        Some(index) => InputError::new(format!(
            "\"choices[{index}]\" must be a text or an object with \"label\" and \"description\""
        )),
        None => error,
    }
}

fn choice(index: usize, given: Given) -> Result<Choice, InputError> {
    let (label, description) = match given {
        Given::Text(label) => (label, None),
        Given::Explained { label, description } => (label, description),
    };
    let name = format!("choices[{index}]");
    let label = text_of(&label, &name, CHOICE_BYTES_MAX)?;
    let description = description.filter(|text| !text.trim().is_empty());
    let description = description
        .map(|text| text_of(&text, &name, CHOICE_BYTES_MAX))
        .transpose()?;
    Ok(Choice { label, description })
}

impl Tool for AskUserTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, _cx: &PlanCx) -> Result<Plan, InputError> {
        let question = self.question(input)?;
        let replay = ReplayPlan {
            class: ReplayClass::Free,
        };
        let line = one_line(&question.text);
        let (shown, is_cut) = first_chars(&line, ESSENCE_CHARS_MAX);
        let essence = format!("{shown}{}", if is_cut { " …" } else { "" });
        Ok(Plan {
            actions: vec![Action::AskPerson { question }],
            replay,
            essence,
            resolved: Vec::new(),
            executes: Vec::new(),
        })
    }

    fn call(&self, _permit: Permit, _call: Call) -> BoxFuture<'static, Finish> {
        Box::pin(async { Finish::failed("Not run: a question is answered by a person.") })
    }
}
