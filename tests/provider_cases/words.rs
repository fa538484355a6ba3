//! Figures in words: `2 x D13_v2 (16 cores)`, `DW1500c for 1 h`, `3 x t2.micro + 1 x t2.small`, `42%`, `4 of 8`.

use rust_decimal::Decimal;

/// The number a word starts with: `16` of `16vCPU`.
pub(crate) fn leading(word: &str) -> Option<Decimal> {
    let end = word.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(word.len());
    word[..end].trim_end_matches('.').parse().ok()
}

/// All numbers that stand alone in a text or start a word.
pub(crate) fn numbers(text: &str) -> Vec<Decimal> {
    text.split(|character: char| !character.is_ascii_digit() && character != '.')
        .filter_map(|word| word.trim_matches('.').parse().ok())
        .collect()
}

/// The number right before a word that contains `unit`: 16 in `(16 cores)`, 30 in `30 min each`.
pub(crate) fn before(text: &str, unit: &str) -> Option<Decimal> {
    let words: Vec<&str> = text.split(|character: char| character.is_whitespace() || "(),;".contains(character)).collect();
    words.windows(2).find(|pair| pair[1].starts_with(unit)).and_then(|pair| pair[0].parse().ok()).or_else(|| {
        let glued = words.iter().find(|word| word.len() > unit.len() && word.ends_with(unit))?;
        glued.trim_end_matches(unit).parse().ok()
    })
}

/// Counts and names: `2 x a + b` is (2, a), (1, b).
pub(crate) fn counted(text: &str) -> Vec<(Decimal, String)> {
    let one = |part: &str| {
        let part = part.trim();
        let (count, rest) = part.split_once(" x ").unwrap_or(("1", part));
        count.trim().parse().map_or_else(|_| (Decimal::ONE, part.to_owned()), |count| (count, rest.trim().to_owned()))
    };
    text.split(" + ").map(one).collect()
}

/// The hours that a text gives to things running: `for 2 h`, `30 min each`; 1 without.
pub(crate) fn hours(text: &str) -> Decimal {
    let minutes = before(text, "min").map(|minutes| minutes / Decimal::from(60));
    minutes.or_else(|| before(text, "h")).unwrap_or(Decimal::ONE)
}

/// Units in use in the hour: cores in brackets, hundreds of cDWU, or things.
pub(crate) fn units(text: &str) -> Decimal {
    let of_each = |name: &str| -> Decimal {
        let blocks = name.split_whitespace().find_map(|word| word.strip_prefix("DW")).and_then(leading);
        blocks.map_or(Decimal::ONE, |units| units / Decimal::ONE_HUNDRED)
    };
    let whole = ["cores", "core", "vcores", "vCores", "vCPU", "units", "CU", "PTU"].iter().find_map(|unit| before(text, unit));
    let sum = || counted(text).iter().map(|(count, name)| *count * of_each(name)).sum();
    whole.unwrap_or_else(sum) * hours(text)
}

/// Half a unit of the last digit that is printed, and a little more.
pub(crate) fn rounding(printed: &str) -> Decimal {
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| u32::try_from(decimals.len()).unwrap_or(0));
    Decimal::new(1, decimals) * Decimal::new(51, 2)
}
