//! Characters that a page writes by name or number.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Names that count without a semicolon in text.
const BARE: [&str; 7] = ["amp", "lt", "gt", "quot", "nbsp", "copy", "reg"];

/// Longest name, in bytes.
const NAME_MAX: usize = 10;

/// Names and what they stand for; a name that is missing stays as it is written.
const NAMES: &str = "\
amp & lt < gt > quot \" apos ' nbsp \u{a0} iexcl ¡ cent ¢ pound £ curren ¤ yen ¥ brvbar ¦ sect § uml ¨ \
copy © ordf ª laquo « not ¬ shy \u{ad} reg ® macr ¯ deg ° plusmn ± sup2 ² sup3 ³ acute ´ micro µ para ¶ \
middot · cedil ¸ sup1 ¹ ordm º raquo » frac14 ¼ frac12 ½ frac34 ¾ iquest ¿ Agrave À Aacute Á Acirc Â \
Atilde Ã Auml Ä Aring Å AElig Æ Ccedil Ç Egrave È Eacute É Ecirc Ê Euml Ë Igrave Ì Iacute Í Icirc Î \
Iuml Ï ETH Ð Ntilde Ñ Ograve Ò Oacute Ó Ocirc Ô Otilde Õ Ouml Ö times × Oslash Ø Ugrave Ù Uacute Ú \
Ucirc Û Uuml Ü Yacute Ý THORN Þ szlig ß agrave à aacute á acirc â atilde ã auml ä aring å aelig æ \
ccedil ç egrave è eacute é ecirc ê euml ë igrave ì iacute í icirc î iuml ï eth ð ntilde ñ ograve ò \
oacute ó ocirc ô otilde õ ouml ö divide ÷ oslash ø ugrave ù uacute ú ucirc û uuml ü yacute ý thorn þ \
yuml ÿ OElig Œ oelig œ Scaron Š scaron š Yuml Ÿ fnof ƒ circ ˆ tilde ˜ Alpha Α Beta Β Gamma Γ Delta Δ \
Epsilon Ε Zeta Ζ Eta Η Theta Θ Iota Ι Kappa Κ Lambda Λ Mu Μ Nu Ν Xi Ξ Omicron Ο Pi Π Rho Ρ Sigma Σ \
Tau Τ Upsilon Υ Phi Φ Chi Χ Psi Ψ Omega Ω alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η \
theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π rho ρ sigmaf ς sigma σ tau τ upsilon υ \
phi φ chi χ psi ψ omega ω ensp \u{2002} emsp \u{2003} thinsp \u{2009} zwnj \u{200c} zwj \u{200d} \
lrm \u{200e} rlm \u{200f} ndash – mdash — lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” bdquo „ dagger † \
Dagger ‡ bull • hellip … permil ‰ prime ′ Prime ″ lsaquo ‹ rsaquo › oline ‾ frasl ⁄ euro € image ℑ \
weierp ℘ real ℜ trade ™ alefsym ℵ larr ← uarr ↑ rarr → darr ↓ harr ↔ crarr ↵ lArr ⇐ uArr ⇑ rArr ⇒ \
dArr ⇓ hArr ⇔ forall ∀ part ∂ exist ∃ empty ∅ nabla ∇ isin ∈ notin ∉ ni ∋ prod ∏ sum ∑ minus − \
lowast ∗ radic √ prop ∝ infin ∞ ang ∠ and ∧ or ∨ cap ∩ cup ∪ int ∫ there4 ∴ sim ∼ cong ≅ asymp ≈ ne ≠ \
equiv ≡ le ≤ ge ≥ sub ⊂ sup ⊃ nsub ⊄ sube ⊆ supe ⊇ oplus ⊕ otimes ⊗ perp ⊥ sdot ⋅ lceil ⌈ rceil ⌉ \
lfloor ⌊ rfloor ⌋ lang ⟨ rang ⟩ loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦ lbrace { rbrace } lbrack [ \
rbrack ] lpar ( rpar ) num # percnt % colon : semi ; comma , period . excl ! quest ? equals = plus + \
sol / bsol \\ lowbar _ grave ` verbar | vert | ast * commat @ dollar $ Hat ^ check ✓ cross ✗ star ☆ \
starf ★ NewLine \u{a} Tab \u{9} hyphen ‐ horbar ― laquor « para ¶";

/// `text` with its entities decoded.
pub(super) fn decode(text: &str) -> String {
    replace(text, true)
}

/// The value of an attribute with its entities decoded: each needs its semicolon, so that the
/// parameters of an address stay what they are.
pub(super) fn decode_value(text: &str) -> String {
    replace(text, false)
}

fn replace(text: &str, takes_bare: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match entity(rest, takes_bare) {
            Some((letter, bytes)) => {
                out.push(letter);
                rest = &rest[bytes..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The entity at the start of `text`, and its length in bytes.
fn entity(text: &str, takes_bare: bool) -> Option<(char, usize)> {
    let name = &text[1..];
    if let Some(number) = name.strip_prefix('#') {
        return numeric(number).map(|(letter, bytes)| (letter, bytes + 2));
    }
    let end = name.bytes().take(NAME_MAX + 1);
    let end = end.take_while(u8::is_ascii_alphanumeric).count();
    let (word, after) = name.split_at(end);
    if after.starts_with(';') {
        return named(word).map(|letter| (letter, end + 2));
    }
    let bare = takes_bare
        .then(|| BARE.iter().find(|bare| word == **bare))
        .flatten()?;
    named(bare).map(|letter| (letter, end + 1))
}

fn named(word: &str) -> Option<char> {
    static LETTERS: LazyLock<HashMap<&str, char>> = LazyLock::new(|| {
        let words: Vec<&str> = NAMES.split(' ').collect();
        let pairs = words.chunks_exact(2);
        let letters = pairs.filter_map(|pair| Some((pair[0], pair[1].chars().next()?)));
        letters.collect()
    });
    LETTERS.get(word).copied()
}

/// A number after `&#`, and its length in bytes with the semicolon.
fn numeric(text: &str) -> Option<(char, usize)> {
    let (radix, digits, lead) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits, 1),
        None => (10, text, 0),
    };
    let end = digits.bytes().take(9);
    let end = end
        .take_while(|byte| char::from(*byte).is_digit(radix))
        .count();
    let number = u32::from_str_radix(&digits[..end], radix).ok()?;
    let semicolon = usize::from(digits[end..].starts_with(';'));
    Some((letter(number), lead + end + semicolon))
}

/// The character of a number; those of Windows count where Latin-1 has controls.
fn letter(number: u32) -> char {
    /// From 128 on.
    const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let windows = number
        .checked_sub(128)
        .and_then(|at| WINDOWS.chars().nth(at as usize));
    windows
        .or_else(|| char::from_u32(number))
        .filter(|letter| *letter != '\0')
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}
