//! Times as a person names them.

use time::{Date, Month};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What a named time covers: a day, a minute, a second, or nothing but one moment. Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start_ms: i64,
    /// Just past it.
    pub end_ms: i64,
}

impl Span {
    fn of(start_ms: i64, length_ms: i64) -> Self {
        Self { start_ms, end_ms: start_ms.saturating_add(length_ms) }
    }
}

/// Reads `2026-11-26`, `2026-11-26T10:00`, `2026-11-26 10:00:30` (UTC, or with `Z` or `+01:00` behind), `24h` (so
/// long ago), `today` and `yesterday` (in UTC). Else says what it takes.
pub fn read(text: &str, now_ms: i64) -> Result<Span, String> {
    let today = now_ms.div_euclid(DAY).saturating_mul(DAY);
    match text {
        "today" => return Ok(Span::of(today, DAY)),
        "yesterday" => return Ok(Span::of(today.saturating_sub(DAY), DAY)),
        _ => {}
    }
    if let Some((count, unit)) = so_long(text) {
        let passed = count.parse::<i64>().ok().and_then(|count| count.checked_mul(unit));
        let start_ms = passed.and_then(|passed| now_ms.checked_sub(passed));
        let too_far = || "So long ago is before all time. Take a smaller number.".to_owned();
        return start_ms.map(|start_ms| Span::of(start_ms, 0)).ok_or_else(too_far);
    }
    let parts = Parts::read(text).ok_or_else(|| {
        "This is no time. Take 2026-11-26, 2026-11-26T10:00 or 2026-11-26 10:00:30, in UTC or with an offset as in \
         +01:00; or 90s, 15m, 24h, 7d, 2w ago; or today or yesterday."
            .to_owned()
    })?;
    parts.span().ok_or_else(|| "There is no such day or time of day; look at each number.".to_owned())
}

/// When something is over that is to go on until then: with the end of a day, or at a time of day.
pub fn ending(text: &str, now_ms: i64) -> Result<i64, String> {
    let span = read(text, now_ms)?;
    Ok(if span.end_ms - span.start_ms == DAY { span.end_ms } else { span.start_ms })
}

/// The digits of `15m`, and its unit in milliseconds.
fn so_long(text: &str) -> Option<(&str, i64)> {
    let units = [('s', SECOND), ('m', MINUTE), ('h', HOUR), ('d', DAY), ('w', 7 * DAY)];
    let (count, unit) =
        units.into_iter().find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, unit)))?;
    let is_number = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some((count, unit))
}

/// The numbers of a written time, not yet looked at.
#[derive(Default)]
struct Parts {
    year: u16,
    month: u8,
    day: u8,
    /// `None` for a whole day.
    hour_and_minute: Option<(u8, u8)>,
    second: Option<u8>,
    /// Its sign, hours and minutes.
    offset: Option<(i64, u8, u8)>,
}

impl Parts {
    /// `None` if it does not have the shape of one.
    fn read(text: &str) -> Option<Self> {
        let rest = &mut &*text;
        let mut parts = Self { year: digits(rest, 4)?, ..Self::default() };
        parts.month = skip(rest, &['-']).and_then(|_| two_digits(rest))?;
        parts.day = skip(rest, &['-']).and_then(|_| two_digits(rest))?;
        if skip(rest, &['T', 't', ' ']).is_some() {
            let hour = two_digits(rest)?;
            let minute = skip(rest, &[':']).and_then(|_| two_digits(rest))?;
            parts.hour_and_minute = Some((hour, minute));
            if skip(rest, &[':']).is_some() {
                parts.second = Some(two_digits(rest)?);
            }
        }
        if let Some(sign @ ('+' | '-')) = skip(rest, &['Z', 'z', '+', '-']) {
            let hours = two_digits(rest)?;
            let minutes = skip(rest, &[':']).and_then(|_| two_digits(rest))?;
            parts.offset = Some((if sign == '+' { 1 } else { -1 }, hours, minutes));
        }
        rest.is_empty().then_some(parts)
    }

    /// `None` if there is no such day or time.
    fn span(&self) -> Option<Span> {
        let month = Month::try_from(self.month).ok()?;
        let date = Date::from_calendar_date(self.year.into(), month, self.day).ok()?;
        let (hour, minute) = self.hour_and_minute.unwrap_or_default();
        let moment = date.with_hms(hour, minute, self.second.unwrap_or_default()).ok()?;
        let (sign, hours, minutes) = self.offset.unwrap_or((1, 0, 0));
        // No place on earth is further from Greenwich.
        if hours > 14 || minutes > 59 {
            return None;
        }
        let ahead = sign * (i64::from(hours) * HOUR + i64::from(minutes) * MINUTE);
        let length = match (self.hour_and_minute, self.second) {
            (None, _) => DAY,
            (Some(_), None) => MINUTE,
            (Some(_), Some(_)) => SECOND,
        };
        Some(Span::of(moment.assume_utc().unix_timestamp() * SECOND - ahead, length))
    }
}

/// Takes exactly so many digits off the front.
fn digits(rest: &mut &str, count: usize) -> Option<u16> {
    let (head, tail) = rest.split_at_checked(count)?;
    let number = head.parse().ok().filter(|_| head.bytes().all(|b| b.is_ascii_digit()))?;
    *rest = tail;
    Some(number)
}

fn two_digits(rest: &mut &str) -> Option<u8> {
    digits(rest, 2)?.try_into().ok()
}

/// Takes one of these characters off the front, and says which.
fn skip(rest: &mut &str, any: &[char]) -> Option<char> {
    let first = rest.chars().next().filter(|first| any.contains(first))?;
    *rest = rest.split_at_checked(first.len_utf8())?.1;
    Some(first)
}
