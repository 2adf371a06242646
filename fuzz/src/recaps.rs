//! Summaries that a model wrote: refused or bounded, and never the end of what was pinned.

use bowline_core::Recap;

/// The body: the model's reply.
pub(crate) fn read(data: &[u8]) {
    let reply = String::from_utf8_lossy(data);
    let Ok(recap) = Recap::read(&reply) else {
        return;
    };
    let is_line = |text: &str| text.chars().count() <= 1_000 && !text.contains('\n');
    assert!(is_line(&recap.goal) && is_line(&recap.next_step));
    for fact in recap.pinned() {
        assert!(is_line(fact), "{fact:?}");
    }
    assert!(recap.constraints.len() <= 60 && recap.done.is_empty());
    let earlier = Recap {
        constraints: vec!["kept".to_owned()],
        dead_ends: vec!["no way".to_owned()],
        ..Recap::default()
    };
    let text = earlier.and_then(recap.clone()).text();
    for fact in ["kept", "no way"].into_iter().chain(recap.pinned()) {
        let is_there = text.contains(fact)
            || text.to_ascii_lowercase().contains(&fact.trim().to_ascii_lowercase());
        assert!(is_there, "{fact:?} is gone");
    }
}
