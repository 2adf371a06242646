//! A request's digest covers its confinement, and leaves requests without one as they were.

use super::*;
use crate::CallRequest;

fn request(confinement: Option<Confinement>) -> CallRequest {
    CallRequest {
        tool: "shell".to_owned(),
        arguments: "{}".to_owned(),
        cwd: "/w".to_owned(),
        resolved: Vec::new(),
        confinement: confinement.map(Box::new),
        executes: Vec::new(),
    }
}

fn confinement(change: impl FnOnce(&mut Confinement)) -> Confinement {
    let mut confinement = Confinement {
        backend: Backend::Namespaces,
        profile: Profile {
            writable: vec!["/w".to_owned()],
            ..Profile::default()
        },
    };
    change(&mut confinement);
    confinement
}

#[test]
fn any_other_limit_is_another_request() {
    let all = [
        None,
        Some(confinement(|_| {})),
        Some(confinement(|it| it.backend = Backend::Landlock)),
        Some(confinement(|it| it.profile.network = Network::Open)),
        Some(confinement(|it| it.profile.writable.push("/x".to_owned()))),
        Some(confinement(|it| it.profile.protected.push("/x".to_owned()))),
        Some(confinement(|it| it.profile.hidden.push("/x".to_owned()))),
    ];
    let digests: std::collections::BTreeSet<_> = all
        .iter()
        .map(|one| request(one.clone()).digest())
        .collect();
    assert_eq!(digests.len(), all.len());
}

#[test]
fn a_request_without_confinement_is_written_and_hashed_as_before() {
    let text = r#"{"tool":"shell","arguments":"{}","cwd":"/w","resolved":[]}"#;
    let plain: CallRequest = serde_json::from_str(text).unwrap();
    assert_eq!(plain, request(None));
    assert_eq!(serde_json::to_string(&plain).unwrap(), text);
    let parts: [&[u8]; 4] = [b"bowline-call-1", b"shell", b"{}", b"/w"];
    assert_eq!(plain.digest(), Digest::of_parts(&parts));
}
