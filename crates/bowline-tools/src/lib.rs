//! Acts on the world: file tools, search and shell commands, each only under a permit.
//!
//! **Purpose.** A [`Tool`] describes itself as data, plans a call without effects, and runs it for
//! a [`Permit`](bowline_core::Permit), which exists only for a recorded allow. [`builtin`] has the
//! tools of Bowline, [`keeper`] the small process under which shell commands outlive the
//! harness.
//!
//! **Deliberately absent:** permission (the policy judges what a plan says), masking and capping of
//! results (the runtime does both on the way into the context), home and environment (values come
//! in through [`builtin::BuiltinConfig`]).
//!
//! **Start at** [`Tool`], then [`Toolbox`].
//!
//! ```
//! use std::sync::Arc;
//!
//! use bowline_core::Action;
//! use bowline_tools::builtin::{self, BuiltinConfig};
//! use bowline_tools::masks::NoMasks;
//! use bowline_tools::tool::PlanCx;
//! use serde_json::json;
//!
//! let toolbox = builtin::toolbox(BuiltinConfig::new("/usr/bin/bowline".into()));
//! let cx = PlanCx { cwd: "/usr".into(), roots: vec!["/usr".into()], seen: Default::default(),
//!     jobs: Default::default(), masks: Arc::new(NoMasks) };
//! let read = toolbox.get("read")?;
//! let plan = read.plan(&json!({"path": "include/stdio.h"}), &cx)?;
//! assert!(matches!(&plan.actions[0], Action::ReadPath { path } if path.by_name == "/usr/include/stdio.h"));
//! let error = read.plan(&json!({"file_path": "a"}), &cx).unwrap_err();
//! assert_eq!(error.message, r#"missing "path"; unknown key "file_path": did you mean "path"?"#);
//! # Ok::<(), bowline_tools::tool::InputError>(())
//! ```

pub mod answer;
pub mod builtin;
pub mod confine;
pub mod input;
pub mod keeper;
pub mod masks;
pub mod page;
pub mod path;
pub mod program;
pub mod proxy;
mod sandbox;
pub mod tool;
mod toolbox;

pub use tool::{Call, Cancel, Confinable, Finish, Found, InputError, Plan, PlanCx, Shares, Tool};
pub use toolbox::Toolbox;
