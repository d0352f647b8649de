use super::*;

fn version(tasks: u64, guests: u64) -> Option<Version> {
    Some(Version { tasks: [("pve1".to_owned(), tasks)].into(), guests })
}

/// How often it asks and how often it only tells of guests, looked at every 100 ms for so many seconds.
fn minute(last: &mut Last, seconds: u32, version: impl Fn(u32) -> Option<Version>) -> (u32, u32) {
    let begun = Instant::now();
    let (mut asked, mut told) = (0, 0);
    for tick in 0..seconds * 10 {
        let now = begun + Duration::from_millis(100) * tick;
        match last.due(version(tick), now) {
            Due::Ask => {
                asked += 1;
                last.tried = Some(now);
            }
            Due::Guests => told += 1,
            Due::Wait(time) => assert!(time <= PERIOD && !time.is_zero(), "{time:?}"),
        }
    }
    (asked, told)
}

#[tokio::test]
async fn elsewhere_a_minute_has_forty_seven_requests_at_most() {
    assert_eq!(minute(&mut Last::default(), 60, |_| None), (47, 0));
}

#[tokio::test]
async fn on_a_node_itself_a_minute_has_six_and_one_for_each_change() {
    assert_eq!(minute(&mut Last::default(), 60, |_| version(1, 1)), (6, 0));
    let mut last = Last::default();
    let (asked, told) = minute(&mut last, 60, |tick| version(1 + u64::from(tick >= 305), 1));
    assert!((7..=8).contains(&asked) && told == 0, "{asked}");
    let mut last = Last::default();
    assert_eq!(minute(&mut last, 9, |tick| version(1, 1 + u64::from(tick >= 35))), (1, 1));
    assert_eq!(last.beat.guests, 1);
}

#[tokio::test]
async fn a_file_that_changes_all_the_time_causes_no_more_requests_than_there_are_elsewhere() {
    let (asked, _) = minute(&mut Last::default(), 600, |tick| version(tick.into(), 1));
    assert!(asked <= 462 + 11, "{asked} in ten minutes");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_any_more_is_done_without() {
    let (asked, _) = minute(&mut Last::default(), 60, |tick| version(1, 1).filter(|_| tick < 300));
    assert!((25..=29).contains(&asked), "{asked}");
}

#[tokio::test]
async fn while_requests_fail_they_become_rare() {
    let begun = Instant::now();
    let asked = |failures: u32, version: Option<Version>| {
        let mut last = Last { failures, tried: Some(begun), ..Last::default() };
        (1..600).find(|tick| {
            let now = begun + Duration::from_millis(100) * *tick;
            matches!(last.due(version.clone(), now), Due::Ask)
        })
    };
    let pauses = [0, 1, 2, 5, 6, 100].map(|failures| asked(failures, None));
    assert_eq!(pauses, [13, 26, 52, 300, 300, 300].map(Some));
    assert_eq!(asked(1, version(2, 1)), Some(200), "whatever the file says");
}
