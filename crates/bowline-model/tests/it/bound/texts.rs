//! Texts of many kinds: from the disk, and made.

use std::path::{Path, PathBuf};

/// A text and what it is called.
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

/// All texts in a fixed order: whole ones, or a sample of short beginnings.
pub(super) fn all(everything: bool) -> Vec<Text> {
    let (longest, per_folder) = if everything {
        (usize::MAX, usize::MAX)
    } else {
        (3_000, 60)
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut texts = Vec::new();
    for folder in ["crates", "docs", "xtask", "fixtures", "examples"] {
        read(&root, folder, per_folder, &mut texts);
    }
    for folder in [
        "usr/include",
        "usr/share/common-licenses",
        "usr/share/perl",
        "usr/share/vim",
        "usr/lib/python3",
        "usr/share/doc",
    ] {
        read(Path::new("/"), folder, per_folder.min(1_000), &mut texts);
    }
    for text in &mut texts {
        text.text.truncate(text.text.floor_char_boundary(longest));
    }
    let escaped = texts.iter().step_by(7).map(|text| Text {
        name: format!("{} as JSON", text.name),
        text: serde_json::to_string(&text.text).unwrap(),
    });
    let escaped: Vec<Text> = escaped.collect();
    texts.extend(escaped);
    texts.extend(made());
    texts.retain(|text| text.text.len() >= 100);
    texts
}

/// Reads up to `most` text files beneath `folder`, spread over all of them.
fn read(root: &Path, folder: &str, most: usize, texts: &mut Vec<Text>) {
    let mut files = Vec::new();
    list(&root.join(folder), 0, &mut files);
    files.sort();
    let step = files.len().div_ceil(most).max(1);
    for file in files.into_iter().step_by(step) {
        let name = file.strip_prefix(root).unwrap().to_string_lossy();
        // Binary files are no texts, and what is huge says little more.
        if let Ok(text) = std::fs::read_to_string(&file)
            && text.len() < 1 << 20
        {
            texts.push(Text {
                name: name.into_owned(),
                text,
            });
        }
    }
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth < 6 && !path.ends_with("target") => {
                list(&path, depth + 1, files);
            }
            Ok(kind) if kind.is_file() => files.push(path),
            _ => {}
        }
    }
}

/// The same story in many languages.
const LANGUAGES: [(&str, &str); 14] = [
    (
        "English",
        "The harness reads the journal, folds what it finds, and asks what is due next.",
    ),
    (
        "German",
        "Wer die Schlüssel verliert, muss später über das Gerüst in den dunklen Keller klettern.",
    ),
    (
        "French",
        "L'élève a oublié son cahier près de la fenêtre, où le soleil l'a complètement décoloré.",
    ),
    (
        "Polish",
        "Żółta łódź płynie wzdłuż brzegu, a dzieci śmieją się głośno i machają do rybaków.",
    ),
    (
        "Turkish",
        "Öğretmen çocuklara şehrin kuruluşunu anlatırken dışarıda yağmur gittikçe güçleniyordu.",
    ),
    (
        "Vietnamese",
        "Buổi sáng hôm ấy trời nhiều mây, những con thuyền nhỏ vẫn lặng lẽ ra khơi.",
    ),
    (
        "Russian",
        "Когда наступила ночь, сторож зажёг фонарь и медленно пошёл вдоль пустых причалов.",
    ),
    (
        "Greek",
        "Ο γέρος ψαράς κάθισε στην άκρη του μόλου και περίμενε να γυρίσει ο άνεμος.",
    ),
    (
        "Hebrew",
        "הספן הזקן קשר את החבל אל המזח והמתין בשקט עד שהרוח תשכך.",
    ),
    (
        "Arabic",
        "ربط البحّار العجوز الحبل إلى الرصيف وانتظر في هدوء حتى تهدأ الريح.",
    ),
    (
        "Hindi",
        "बूढ़े नाविक ने रस्सी को घाट से बाँधा और हवा के थमने तक चुपचाप बैठा रहा।",
    ),
    (
        "Chinese",
        "老船夫把缆绳系在码头上，静静地坐着等风停下来，然后才点起灯来。",
    ),
    (
        "Japanese",
        "年老いた船頭は桟橋に綱を結び、風が止むまで静かに腰を下ろして待っていた。",
    ),
    (
        "Korean",
        "늙은 뱃사공은 부두에 밧줄을 묶고 바람이 잦아들 때까지 조용히 앉아 기다렸다.",
    ),
];

fn made() -> Vec<Text> {
    let mut texts = Vec::new();
    let mut random = Random(7);
    let mut add = |name: String, text: String| texts.push(Text { name, text });
    for (language, story) in LANGUAGES {
        let words: Vec<&str> = story.split(' ').collect();
        for number in 0..3 {
            let shuffled = (0..60).map(|_| words[random.below(words.len())]);
            let shuffled: Vec<&str> = shuffled.collect();
            add(
                format!("{language} {number}"),
                format!("{story}\n{}", shuffled.join(" ")),
            );
        }
    }
    for number in 0..8 {
        let from = |letters: &'static str, random: &mut Random| -> String {
            let letters: Vec<char> = letters.chars().collect();
            (0..1_200)
                .map(|_| letters[random.below(letters.len())])
                .collect()
        };
        let base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        add(format!("base64 {number}"), from(base64, &mut random));
        add(
            format!("hex {number}"),
            from("0123456789abcdef", &mut random),
        );
        add(
            format!("letters {number}"),
            from("abcdefghijklmnopqrstuvwxyz", &mut random),
        );
        add(
            format!("minified {number}"),
            from("abcefnrtx(){}[];,.=!&|?:'\"0123", &mut random),
        );
        add(
            format!("table {number}"),
            from("0123456789 .,;\t|-+\n", &mut random),
        );
        add(
            format!("emoji {number}"),
            from("😀🎉🚀👍🏽❤️🦀🏳️‍🌈 ok", &mut random),
        );
        let line = |at: usize| {
            format!(
                "2026-11-{:02}T{:02}:00:{:02}.{:06}Z WARN pool[{}]: {:08x} took {} ms\n",
                at % 28 + 1,
                at % 24,
                at % 60,
                at * 7_919 % 1_000_000,
                at % 9,
                at * 2_654_435_761,
                at * 31 % 977
            )
        };
        add(
            format!("log {number}"),
            (number * 40..number * 40 + 40).map(line).collect(),
        );
    }
    texts
}

/// A small generator of numbers that are the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}
