//! Dates and times in ISO 8601.

use std::io::Write;

const DAY: i64 = 86_400; // seconds

/// Days since 1970-01-01 as `2024-02-29`, in the Gregorian calendar.
pub fn write_date(days: i32, out: &mut Vec<u8>) {
    write_day(days.into(), out);
}

/// Nanoseconds since midnight as `12:30:05`, with a fraction of 6 or 9 digits where it is not 0.
pub fn write_time(nanos: i64, out: &mut Vec<u8>) {
    let seconds = nanos.div_euclid(1_000_000_000);
    write_clock(seconds, nanos.rem_euclid(1_000_000_000), out);
}

/// Ticks since 1970 as `2024-02-29T12:30:05`, with `+00:00` behind it for a moment in UTC.
pub fn write_timestamp(ticks: i64, per_second: i64, utc: bool, out: &mut Vec<u8>) {
    let seconds = ticks.div_euclid(per_second);
    write_day(seconds.div_euclid(DAY), out);
    out.push(b'T');
    let nanos = ticks.rem_euclid(per_second) * (1_000_000_000 / per_second);
    write_clock(seconds.rem_euclid(DAY), nanos, out);
    if utc {
        out.extend_from_slice(b"+00:00");
    }
}

/// The calendar repeats every 400 years; within them, years begin in March, so that a leap day is
/// the last of its year.
fn write_day(days: i64, out: &mut Vec<u8>) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // 0 is March
    let day = day - (153 * month + 2) / 5 + 1;
    let (carry, month) = if month < 10 {
        (0, month + 3)
    } else {
        (1, month - 9)
    };
    let year = 400 * era + year + carry;
    let _ = write!(out, "{year:04}-{month:02}-{day:02}");
}

fn write_clock(seconds: i64, nanos: i64, out: &mut Vec<u8>) {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let _ = write!(out, "{hours:02}:{minutes:02}:{:02}", seconds % 60);
    if nanos % 1000 != 0 {
        let _ = write!(out, ".{nanos:09}");
    } else if nanos != 0 {
        let _ = write!(out, ".{:06}", nanos / 1000);
    }
}
