//! Inputs of tools: planned or refused in words for the model; nothing is done.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bowline_tools::builtin::{BuiltinConfig, toolbox};
use bowline_tools::{PlanCx, Toolbox, input};

/// Last byte: which tool. What is before it: its arguments, as a model wrote them.
pub(crate) fn inputs(data: &[u8]) {
    static PARTS: OnceLock<(Toolbox, PlanCx)> = OnceLock::new();
    let Some((which, arguments)) = data.split_last() else {
        return;
    };
    let Ok(arguments) = std::str::from_utf8(arguments) else {
        return;
    };
    let (toolbox, cx) = PARTS.get_or_init(parts);
    let specs = toolbox.specs().list();
    let spec = &specs[usize::from(*which) % specs.len()];
    let tool = toolbox.find(&spec.name).expect("a tool");
    let Ok(input) = input::parse(arguments) else {
        return;
    };
    match tool.plan(&input, cx) {
        Ok(plan) => assert!(!plan.essence.is_empty(), "{}: {input}", spec.name),
        Err(error) => assert!(!error.message.is_empty(), "{}: {input}", spec.name),
    }
}

fn parts() -> (Toolbox, PlanCx) {
    let folder = std::env::temp_dir().join(format!("bowline-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let folder = std::fs::canonicalize(folder).expect("a folder");
    let cx = PlanCx {
        cwd: folder.clone(),
        roots: vec![folder],
        seen: Arc::default(),
        jobs: Arc::default(),
    };
    (
        toolbox(BuiltinConfig::new(PathBuf::from("/nonexistent"))),
        cx,
    )
}
