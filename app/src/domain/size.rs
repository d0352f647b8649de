//! Sizes as people write them.

/// The text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Enter a size in bytes or with a unit, such as 512M or 2G.")]
pub struct BadSize;

/// Bytes of `512M`, `2 GiB`, `1.5g`, `4096`. Units count in powers of 1024, with or without the `i`, as the tools
/// themselves do.
pub fn parse(text: &str) -> Result<u64, BadSize> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(BadSize),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > 6 || (!part.is_empty() && shift == 0) {
        return Err(BadSize);
    }
    let whole: u64 = whole.parse().map_err(|_| BadSize)?;
    let whole = whole.checked_mul(1 << shift).ok_or(BadSize)?;
    let millionths: u64 = format!("{part:0<6}").parse().map_err(|_| BadSize)?;
    let part = u128::from(millionths) * (1u128 << shift) / 1_000_000;
    whole.checked_add(u64::try_from(part).map_err(|_| BadSize)?).ok_or(BadSize)
}

/// So that [`parse`] reads it back: a whole number of the largest unit that fits.
pub fn text(bytes: u64) -> String {
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
    let fits = |(shift, _): &(u32, &str)| bytes > 0 && bytes.is_multiple_of(1 << *shift);
    match units.into_iter().find(fits) {
        Some((shift, unit)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_the_tools_read_them() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("512M", 512 << 20),
            ("2 GiB", 2 << 30),
            ("1.5g", 3 << 29),
            (" 1k ", 1024),
            ("0.5T", 1 << 39),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn a_size_is_written_as_it_is_read() {
        for (bytes, shown) in
            [(0, "0"), (1, "1"), (512 << 20, "512M"), (2 << 30, "2G"), (3 << 29, "1536M"), (4097, "4097")]
        {
            assert_eq!(text(bytes), shown);
            assert_eq!(parse(shown), Ok(bytes));
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in
            ["", "M", "-1", "1.5", "1e9", "5X", "1.2.3M", "99999999999T", "0x10", "1 G B", "1.0000000G", "١M"]
        {
            assert_eq!(parse(text), Err(BadSize), "{text}");
        }
    }
}
