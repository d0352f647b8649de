//! From meters to samples: what two readings come to a second.

use crate::{
    backend::{Cpu, Meters},
    domain::{limits::Cpus, usage::Sample},
};

/// How often in a row a reading that nobody has measured anew stands for what is used now: pvestatd is looked at about
/// as often as it measures. Past that it hangs.
const MOST_HELD: u32 = 3;

/// What is remembered of a guest or node from one moment to the next.
#[derive(Debug, Clone)]
pub struct Last {
    meters: Meters,
    sample: Sample,
    held: u32,
}

/// All that a guest may use where it has no limit of its own, or a higher one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Most {
    pub cpu: Option<Cpus>,
    pub memory: Option<u64>,
}

/// What the newest reading comes to; `None` where nothing new has been measured for long. `last` is brought up to date.
pub fn next(last: &mut Option<Last>, now: Meters, most: Most) -> Option<Sample> {
    if let Some(last) = last
        && last.meters.run == now.run
        && last.meters.at == now.at
    {
        last.held = last.held.saturating_add(1);
        return (last.held <= MOST_HELD).then_some(last.sample);
    }
    let sample = sample(last.as_ref().map(|last| &last.meters), &now, most);
    *last = Some(Last { meters: now, sample, held: 0 });
    Some(sample)
}

/// Rates are told between two readings of one run, and only of counters that have not gone back.
fn sample(before: Option<&Meters>, now: &Meters, most: Most) -> Sample {
    let before = before.filter(|before| before.run == now.run && before.at < now.at);
    let seconds = before.map(|before| (now.at - before.at).as_secs_f64());
    let rate = |earlier: u64, later: u64| Some(later.checked_sub(earlier)? as f64 / seconds?);
    let pair = |of: fn(&Meters) -> Option<[u64; 2]>| match (before.and_then(of), of(now)) {
        (Some([a, b]), Some([c, d])) => [rate(a, c), rate(b, d)].map(|rate| rate.map(whole)),
        _ => [None, None],
    };
    let cpu_most = lower(now.cpu_limit, most.cpu);
    let cpu = match (before.and_then(|before| before.cpu), now.cpu) {
        (_, Some(Cpu::Now(cpus))) => Some(cpus),
        // Nanoseconds in a second are billionths of a core.
        (Some(Cpu::Used(earlier)), Some(Cpu::Used(later))) => {
            rate(earlier, later).map(|rate| cpus(rate / 1e6))
        }
        _ => None,
    };
    let ([disk_read, disk_write], [net_in, net_out]) = (pair(|m| m.disk), pair(|m| m.network));
    Sample {
        // The two clocks do not tick together: no guest uses more processors than there are.
        cpu: cpu.map(|cpu| cpu.min(most.cpu.unwrap_or(Cpus::MOST))),
        cpu_most,
        memory: now.memory,
        memory_most: lower(now.memory_limit, most.memory),
        disk_read,
        disk_write,
        net_in,
        net_out,
    }
}

fn lower<T: Ord>(limit: Option<T>, most: Option<T>) -> Option<T> {
    match (limit, most) {
        (Some(limit), Some(most)) => Some(limit.min(most)),
        (limit, most) => limit.or(most),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stops at the bounds"
)]
fn whole(rate: f64) -> u64 {
    rate.round() as u64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn cpus(thousandths: f64) -> Cpus {
    Cpus(thousandths.round().clamp(0.0, f64::from(Cpus::MOST.0)) as u32)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn meters(run: u64, seconds: u64, counters: u64) -> Meters {
        Meters {
            run,
            at: Duration::from_secs(seconds),
            cpu: Some(Cpu::Used(counters * 1_000_000)),
            memory: Some(counters),
            disk: Some([counters, 2 * counters]),
            network: Some([3 * counters, 4 * counters]),
            ..Meters::default()
        }
    }

    fn rates(sample: Sample) -> [Option<u64>; 5] {
        let Sample { disk_read, disk_write, net_in, net_out, .. } = sample;
        [sample.cpu.map(|cpu| u64::from(cpu.0)), disk_read, disk_write, net_in, net_out]
    }

    fn after(last: &mut Option<Last>, now: Meters) -> Sample {
        next(last, now, Most::default()).unwrap()
    }

    #[test]
    fn two_readings_come_to_rates_and_one_to_none() {
        let mut last = None;
        let first = after(&mut last, meters(1, 100, 5000));
        assert_eq!((rates(first), first.memory), ([None; 5], Some(5000)));
        let second = after(&mut last, meters(1, 110, 15_000));
        assert_eq!(rates(second), [1000, 1000, 2000, 3000, 4000].map(Some));
    }

    #[test]
    fn a_restart_is_no_rate_and_neither_is_a_counter_that_went_back() {
        let mut last = None;
        after(&mut last, meters(1, 100, 9000));
        assert_eq!(rates(after(&mut last, meters(2, 110, 10))), [None; 5], "another run");
        assert_eq!(rates(after(&mut last, meters(2, 5, 500))), [None; 5], "its clock began anew");
        assert_eq!(rates(after(&mut last, meters(2, 15, 400))), [None; 5], "counters went back");
        assert_eq!(rates(after(&mut last, meters(2, 25, 500)))[1], Some(10), "and go on from there");
        let mut gone = meters(2, 35, 600);
        gone.disk = None;
        assert_eq!(rates(after(&mut last, gone))[1..], [None, None, Some(30), Some(40)]);
        assert_eq!(rates(after(&mut last, meters(2, 45, 700)))[1], None, "what was not told before");
    }

    #[test]
    fn what_nobody_measured_anew_stands_for_a_while() {
        let mut last = None;
        let sample = next(&mut last, meters(1, 100, 5), Most::default());
        for _ in 0..MOST_HELD {
            assert_eq!(next(&mut last, meters(1, 100, 5), Most::default()), sample);
        }
        assert_eq!(next(&mut last, meters(1, 100, 5), Most::default()), None);
        assert!(next(&mut last, meters(1, 110, 5), Most::default()).is_some());
    }

    #[test]
    fn nobody_may_or_does_use_more_than_there_is() {
        let most = Most { cpu: Some(Cpus(2000)), memory: Some(1 << 30) };
        let mut last = None;
        next(&mut last, Meters { cpu_limit: Some(Cpus(500)), ..meters(1, 1, 0) }, most);
        let now = Meters { cpu_limit: Some(Cpus(8000)), memory_limit: Some(u64::MAX), ..meters(1, 2, 2100) };
        let sample = next(&mut last, now, most).unwrap();
        assert_eq!((sample.cpu, sample.cpu_most, sample.memory_most), (most.cpu, most.cpu, most.memory));
        let own = Meters { cpu_limit: Some(Cpus(500)), ..meters(1, 3, 2100) };
        assert_eq!(next(&mut last, own, most).unwrap().cpu_most, Some(Cpus(500)));
        assert_eq!(
            next(&mut last, meters(1, 4, u64::MAX / 4_000_000), Most::default()).unwrap().cpu,
            Some(Cpus::MOST)
        );
    }
}
