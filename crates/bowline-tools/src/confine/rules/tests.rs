//! Rules are made of what is there.

use super::*;

#[test]
fn a_path_that_is_gone_takes_no_rule_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let abi = ABI::from(sandbox::landlock_abi().unwrap());
    let mut rules = Rules {
        ruleset: Some(create(abi, &Network::None).unwrap()),
        abi,
        hidden: Vec::new(),
    };
    rules
        .allow(&dir.path().join("gone"), AccessFs::ReadFile.into())
        .unwrap();
    assert!(rules.ruleset.is_some());
    rules.allow(dir.path(), AccessFs::ReadFile.into()).unwrap();
    assert!(rules.ruleset.is_some());
}
