//! `todo`: the session's own list of what is to be done.

use bowline_core::call::{Effect, ReplayPlan, TodoStatus};
use bowline_core::spec::ActionKind;
use bowline_core::{Action, BoxFuture, Permit, ReplayClass, Risk, TodoItem, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::spec::About;
use super::{count, run_blocking};
use crate::tool::{Call, Finish, InputError, Plan, PlanCx, Tool};

/// Longest entry in bytes; the whole list is repeated to the model.
const TEXT_BYTES_MAX: usize = 500;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Input {
    #[schemars(length(max = 100))]
    items: Vec<Item>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Item {
    text: String,
    status: Status,
}

// As `TodoStatus`; a doc comment here would go to the model.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    InProgress,
    Done,
}

pub(super) fn spec() -> ToolSpec {
    About {
        name: "todo",
        title: "Keep a todo list",
        description: "Set the whole todo list, for work of several steps: keep one item in \
                      progress and mark items done as soon as they are.",
        risk: Risk::None,
        replay_ceiling: ReplayClass::Free,
        actions: &[ActionKind::Note],
        timeout_ms: None,
        result: &[("effect", "object")],
    }
    .spec::<Input>()
}

pub(super) struct TodoTool {
    spec: ToolSpec,
}

impl TodoTool {
    pub(super) fn new() -> Self {
        Self { spec: spec() }
    }

    fn items(&self, input: &Value) -> Result<Vec<TodoItem>, InputError> {
        let Input { items } = crate::input::read(&self.spec.input_schema, input)?;
        for (index, item) in items.iter().enumerate() {
            if item.text.trim().is_empty() {
                return Err(InputError::new(format!("\"items[{index}].text\" is empty")));
            }
            if item.text.len() > TEXT_BYTES_MAX {
                let message = format!(
                    "\"items[{index}].text\" has {} bytes: keep it below {TEXT_BYTES_MAX}",
                    item.text.len()
                );
                return Err(InputError::new(message));
            }
        }
        let item = |Item { text, status }| TodoItem {
            text,
            status: match status {
                Status::Pending => TodoStatus::Pending,
                Status::InProgress => TodoStatus::InProgress,
                Status::Done => TodoStatus::Done,
            },
        };
        Ok(items.into_iter().map(item).collect())
    }
}

impl Tool for TodoTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn plan(&self, input: &Value, _cx: &PlanCx) -> Result<Plan, InputError> {
        let essence = format!("todo ({})", summary(&self.items(input)?));
        let replay = ReplayPlan {
            class: ReplayClass::Free,
        };
        Ok(Plan {
            actions: vec![Action::Note],
            replay,
            essence,
            resolved: Vec::new(),
            executes: Vec::new(),
        })
    }

    fn call(&self, permit: Permit, call: Call) -> BoxFuture<'static, Finish> {
        let items = self.items(&call.input);
        run_blocking(permit, call, move |_, _| match items {
            Ok(items) => finish(items),
            Err(error) => Finish::failed(error.message),
        })
    }
}

fn finish(items: Vec<TodoItem>) -> Finish {
    let text = if items.is_empty() {
        "The todo list is empty now.\n".to_owned()
    } else {
        items.iter().map(row).collect()
    };
    let mut finish = Finish::ok(text, format!("todo: {}", summary(&items)));
    finish.effect = Effect {
        todo: Some(items),
        ..Effect::default()
    };
    finish
}

fn row(item: &TodoItem) -> String {
    let mark = match item.status {
        TodoStatus::Pending => ' ',
        TodoStatus::InProgress => '>',
        TodoStatus::Done => 'x',
    };
    format!("[{mark}] {}\n", item.text)
}

fn summary(items: &[TodoItem]) -> String {
    let done = items
        .iter()
        .filter(|item| item.status == TodoStatus::Done)
        .count();
    format!("{done} of {} done", count(items.len() as u64, "item"))
}
