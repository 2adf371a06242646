//! Fills the slots of the labelled set: `⟦type|pattern⟧` stands for a drawn value, so that the
//! repository holds no text that looks like somebody's secret, and each record can be tried with
//! many values.
//!
//! A pattern is text with `%A20`, a character class and a count; `%g` is a UUID, `%c` and `%C` are
//! passwords as people make them up, `%%` is a per cent sign. In front may stand how the text is
//! encoded: `b64:`, `b64u:`, `hex:`, `pct:`. `pem:LABEL` is a private key, over several lines as the
//! last part says (`4` blanks in front, `num`bered, `plus` signs of a diff), `pem1:LABEL` one with
//! `\n`, `jwt` a JSON Web Token. A slot without a type is no secret.

use std::fmt::Write as _;

use crate::corpus::{Record, Span};

/// Characters a class draws from, all equally often.
fn class(name: char) -> &'static str {
    match name {
        'A' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        'a' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        'h' => "0123456789abcdef",
        'H' => "0123456789ABCDEF",
        'd' => "0123456789",
        'L' | 'l' => "abcdefghijklmnopqrstuvwxyz0123456789",
        'K' | 'O' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        'U' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        'u' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        'w' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_",
        'b' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        't' => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.~-_",
        'S' => "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!*-_.~+",
        'P' => "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#$%^&*-_=+?",
        'W' => {
            "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#$%^&*-_=+?@(){}[]<>|~:;., "
        }
        _ => panic!("no class {name}"),
    }
}

/// Draws values, the same for the same seed.
struct Drawer(u64);

impl Drawer {
    /// One of `count`.
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % count
    }

    fn run(&mut self, class_name: char, count: usize) -> String {
        let letters: Vec<char> = class(class_name).chars().collect();
        (0..count)
            .map(|at| match (at, class_name) {
                (0, 'P' | 'S' | 'W') => letters[self.below(48)],
                _ => letters[self.below(letters.len())],
            })
            .collect()
    }

    fn chosen(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "Tiger", "Winter", "Harbour", "Velvet", "Copper", "Meadow", "Falcon", "Pepper",
            "Thunder", "Lantern", "Orchid", "Gravel",
        ];
        let (first, second) = (self.below(12), self.below(12));
        format!(
            "{}{}{}!",
            WORDS[first],
            WORDS[second].to_lowercase(),
            self.run('d', 2)
        )
    }

    /// Draws what a pattern without encodings describes.
    fn plain(&mut self, pattern: &str) -> String {
        let mut drawn = String::new();
        let mut rest = pattern.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '\\' if rest.peek() == Some(&'n') => {
                    rest.next();
                    drawn.push('\n');
                }
                '%' => match rest.next().expect("a class") {
                    '%' => drawn.push('%'),
                    'g' => drawn += &[8, 4, 4, 4, 12].map(|count| self.run('h', count)).join("-"),
                    'c' | 'C' => drawn += &self.chosen(),
                    name => {
                        let mut count = 0;
                        while let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(10)) {
                            count = count * 10 + digit as usize;
                            rest.next();
                        }
                        drawn += &self.run(name, count.max(1));
                    }
                },
                other => drawn.push(other),
            }
        }
        drawn
    }

    fn key(&mut self, label: &str, end: &str) -> String {
        let mut key = format!("-----BEGIN {label}-----{end}");
        if label.starts_with("PGP") {
            key += end;
        }
        for count in [64, 64, 64, 40] {
            key += &self.run('b', count);
            key += end;
        }
        key + &format!("-----END {label}-----")
    }

    fn value(&mut self, pattern: &str) -> String {
        let Some((coding, rest)) = pattern.split_once(':') else {
            return match pattern {
                "jwt" => self.token(),
                _ => self.plain(pattern),
            };
        };
        match coding {
            "b64" => base64(self.plain(rest).as_bytes(), b"+/", "="),
            "b64u" => base64(self.plain(rest).as_bytes(), b"-_", ""),
            "hex" => bytes(&self.plain(rest), ""),
            "pct" => bytes(&self.plain(rest), "%"),
            "pem1" => self.key(rest, "\\n") + "\\n",
            "pem" => {
                let (label, style) = rest.split_once(':').unwrap_or((rest, ""));
                let key = self.key(label, "\n");
                match style {
                    "" => key,
                    "4" => key.replace('\n', "\n    "),
                    "plus" => key.replace('\n', "\n+"),
                    "num" => {
                        let lines = key.lines().zip(1..);
                        let numbered = lines.map(|(line, number)| match number {
                            1 => line.to_owned(),
                            _ => format!("{number:3}\t{line}"),
                        });
                        numbered.collect::<Vec<_>>().join("\n")
                    }
                    _ => panic!("no style {style}"),
                }
            }
            _ => self.plain(pattern),
        }
    }

    fn token(&mut self) -> String {
        let claims = format!("{{\"sub\":\"{}\",\"exp\":1900000000}}", self.run('A', 12));
        let parts = ["{\"alg\":\"RS256\",\"typ\":\"JWT\"}", &claims];
        let parts = parts.map(|part| base64(part.as_bytes(), b"-_", ""));
        format!("{}.{}.{}", parts[0], parts[1], self.run('u', 86))
    }
}

fn bytes(text: &str, before: &str) -> String {
    text.bytes().fold(String::new(), |mut coded, byte| {
        let _fits = write!(coded, "{before}{byte:02x}");
        coded
    })
}

fn base64(bytes: &[u8], last: &[u8; 2], pad: &str) -> String {
    let mut letters = class('A').as_bytes().to_vec();
    letters.extend(last);
    let mut coded = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .zip([16, 8, 0])
            .fold(0, |bits, (byte, by)| bits | u32::from(*byte) << by);
        for place in 0..=group.len() {
            coded.push(char::from(
                letters[(bits >> (18 - 6 * place) & 63) as usize],
            ));
        }
        coded += &pad.repeat(3 - group.len());
    }
    coded
}

/// Fills the slots of a record; another draw gives other values.
pub(crate) fn filled(record: &Record, draw: u64) -> Record {
    let mut drawer = Drawer(hash(&record.id) ^ draw.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (mut text, mut spans) = (String::new(), Vec::new());
    let mut rest = record.text.as_str();
    while let Some((before, slot)) = rest.split_once('⟦') {
        let (slot, after) = slot.split_once('⟧').expect("a slot ends");
        let (kind, pattern) = slot.split_once('|').expect("a slot has a type");
        text += before;
        let start = text.chars().count();
        let value = drawer.value(pattern);
        text += &value;
        if !kind.is_empty() {
            spans.push(Span {
                start,
                end: text.chars().count(),
                kind: kind.to_owned(),
                value,
            });
        }
        rest = after;
    }
    text += rest;
    Record {
        text,
        spans,
        ..record.clone()
    }
}

/// FNV-1a: tells records apart for good, whatever the toolchain.
pub(crate) fn hash(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
