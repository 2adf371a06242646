//! `--image`: what is stored, sent and refused.

use bowline_model::scenario::Scenario;
use bowline_testkit::{Options, ScriptedServer};
use serde_json::json;

use crate::support::{Scratch, of_kind, snapshot};

/// A PNG of one pixel.
pub(crate) const PNG: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0a, 0x49, 0x44, 0x41, 0x54,
    0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];

/// The same in base64, as it goes over the wire.
const PNG_BASE64: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==";

#[test]
fn in_every_dialect_the_server_gets_exactly_those_bytes_again_each_turn() {
    for (provider, ending) in [("openai-chat", "/v1"), ("openai", "/v1"), ("anthropic", "")] {
        let scratch = Scratch::new();
        scratch.file("shot.png", PNG);
        let steps = json!({ "version": 1, "steps": [
            { "calls": [{ "tool": "list", "input": {} }] }, { "text": "a pixel" },
            { "text": "still a pixel" }
        ] });
        let server = ScriptedServer::start(
            Scenario::from_value(steps).expect("valid"),
            Options::default(),
        );
        let origin = server.root_url();
        let model = format!("{provider}/m");
        let url = format!("{origin}{ending}");
        let exec = |more: &[&str]| {
            let mut args = vec!["exec", "--model", &model, "--base-url", &url];
            args.extend(more);
            scratch.run(&args)
        };
        exec(&["--image", "shot.png", "what is it?"]).expect(0, &["a pixel"]);
        exec(&["--continue", "and now?"]).expect(0, &["still a pixel"]);
        for request in server.requests() {
            let body = request.body.to_string();
            assert_eq!(body.matches(PNG_BASE64).count(), 1, "{provider}: {body}");
        }
        assert!(server.violations().is_empty(), "{:?}", server.violations());
        // A stored image that is gone is said to be gone; the session goes on. That is another
        // history than the server knows, so one that checks nothing is asked.
        let blobs = scratch
            .home()
            .join("sessions")
            .join(&scratch.sessions()[0])
            .join("blobs");
        std::fs::remove_dir_all(blobs).expect("removed");
        let steps = json!({ "version": 1, "steps": [{ "text": "where is it?" }] });
        let options = Options {
            strict: false,
            ..Options::default()
        };
        let other = ScriptedServer::start(Scenario::from_value(steps).expect("valid"), options);
        let origin = other.root_url();
        let args = [
            "exec",
            "--base-url",
            &format!("{origin}{ending}"),
            "--continue",
            "and now?",
        ];
        scratch.run(&args).expect(0, &["where is it?"]);
        let last = other.requests()[0].body.to_string();
        assert!(!last.contains(PNG_BASE64), "{provider}");
        assert!(
            last.contains("image"),
            "{provider}: the model is told: {last}"
        );
    }
}

#[test]
fn an_image_is_stored_whole_and_named_by_its_prompt() {
    let scratch = Scratch::new();
    scratch.file("shot.txt", PNG);
    let model = scratch.scenario(&json!([{ "text": "a pixel" }]));
    scratch
        .run(&[
            "exec",
            "--model",
            &model,
            "--image",
            "shot.txt",
            "what is it?",
        ])
        .expect(0, &["a pixel"]);
    let events = scratch.events();
    let prompt = &of_kind(&events, "PromptAccepted")[0]["data"];
    assert_eq!(prompt["images"][0]["media_type"], "image/png");
    let stored = snapshot(&scratch.home());
    assert!(stored.values().any(|content| content == &PNG));
}

#[test]
fn what_is_no_image_is_refused_before_anything_is_stored() {
    let scratch = Scratch::new();
    scratch.file("notes.png", "not a picture");
    scratch.file("empty.png", "");
    let mut large = PNG.to_vec();
    large.resize((5 << 20) + 1, 0);
    scratch.file("large.png", large);
    scratch.file("ok.png", PNG);
    let model = scratch.scenario(&json!([{ "text": "x" }]));
    for (file, part) in [
        ("notes.png", "no PNG, JPEG, GIF or WebP"),
        ("empty.png", "no PNG"),
        ("large.png", "over 5 MiB"),
        ("missing.png", "No such file"),
        (".", "not a regular file"),
        ("/dev/zero", "not a regular file"),
    ] {
        scratch
            .run(&["exec", "--model", &model, "--image", file, "go"])
            .expect(2, &[file, part]);
    }
    let mut many = vec!["exec", "--model", &model, "go"];
    for _ in 0..21 {
        many.extend(["--image", "ok.png"]);
    }
    scratch.run(&many).expect(2, &["21 images", "at most 20"]);
    assert!(!scratch.home().exists());
}
