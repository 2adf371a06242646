//! What is asked for beyond a sandbox.

use std::sync::Arc;

use serde_json::json;

use super::*;

fn asked(needs: serde_json::Value) -> Result<Vec<String>, String> {
    let needs: Needs = serde_json::from_value(needs).map_err(|error| error.to_string())?;
    let cx = PlanCx {
        cwd: "/usr".into(),
        roots: vec!["/usr".into()],
        seen: Arc::default(),
        jobs: Arc::default(),
        masks: Arc::new(crate::masks::NoMasks),
    };
    let actions = needs.actions(&cx).map_err(|error| error.message)?;
    let shown = |action: Action| match action {
        Action::WritePath { path } => format!("write {}", path.resolved),
        Action::Reach { host, sends: false } => format!("reach {host}"),
        other => panic!("{other:?}"),
    };
    Ok(actions.into_iter().map(shown).collect())
}

#[test]
fn paths_and_hosts_become_acts() {
    let check = |needs, expect: &[&str]| assert_eq!(asked(needs).unwrap(), expect);
    check(json!({}), &[]);
    check(
        json!({ "write": ["/srv", "../opt/x"], "hosts": ["Docs.RS.", "0x7f.1:8080", "[::1]:80"] }),
        &[
            "write /srv",
            "write /opt/x",
            "reach docs.rs",
            "reach 127.0.0.1:8080",
            "reach [::1]:80",
        ],
    );
}

#[test]
fn what_names_nothing_is_refused() {
    let check = |needs, expect: &str| {
        let said = asked(needs).unwrap_err();
        assert!(said.contains(expect), "{said}");
    };
    check(json!({ "hosts": ["*.docs.rs"] }), "`*.docs.rs` is no host");
    check(json!({ "hosts": ["https://docs.rs/"] }), "more than a host");
    check(json!({ "hosts": [""] }), "names no host");
    check(json!({ "hosts": vec!["docs.rs"; 17] }), "more than 16");
    check(json!({ "read": ["/x"] }), "unknown field");
}
