//! The embedded sample project and the scenario that mends it.

/// The model name that plays the embedded scenario: `scripted/demo`.
pub const MODEL: &str = "demo";

/// The scenario: finds the fault, edits it, proves it.
pub const SCENARIO: &str = include_str!("demo/scenario.json");

/// The files of the sample project.
pub const FILES: [(&str, &str); 4] = [
    ("README.md", include_str!("demo/project/README.md")),
    ("invoice.sh", include_str!("demo/project/invoice.sh")),
    (
        "lib/discount.sh",
        include_str!("demo/project/lib/discount.sh"),
    ),
    ("test.sh", include_str!("demo/project/test.sh")),
];
