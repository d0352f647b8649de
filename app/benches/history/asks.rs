//! What is asked of the history: each filter and what is hard by itself, and all combinations of a few values of each.

use crate::fill::{GONE, ROBOT};

/// What is asked for, by the number of the run: the names vary, so that not the same few pages are read.
pub type Ask = (&'static str, fn(u64) -> String);

fn user(run: u64) -> u64 {
    // From those who do much to those who do little.
    [0, 1, 5, 20, 50, 90, 120, 150, 180, 199][(run % 10) as usize]
}

pub fn single() -> Vec<Ask> {
    vec![
        ("all", |_| String::new()),
        ("guest, often used", |run| {
            format!("guest={}", ["100", "101", "cache2", "job3"][(run % 4) as usize])
        }),
        ("guest, seldom used", |run| format!("guest=lxc/web{}", 70 + 20 * (run % 90))),
        ("backend", |run| format!("backend={}", ["lxc", "proxmox-lxc", "proxmox-vm"][(run % 3) as usize])),
        ("backend given up", |_| "backend=crun".to_owned()),
        ("user", |run| format!("user=user{}", user(run))),
        ("user who has left", |_| format!("user={GONE}")),
        ("user unknown", |_| "user=unknown".to_owned()),
        ("action", |run| format!("action={}", ["start", "delete", "migrate", "unlock"][(run % 4) as usize])),
        ("result succeeded", |_| "result=succeeded".to_owned()),
        ("result bad", |_| "result=bad".to_owned()),
        ("result interrupted", |_| "result=interrupted".to_owned()),
        ("a week", |_| "from=2020-11-02&to=2020-11-08".to_owned()),
        ("text of many guests", |_| "text=web".to_owned()),
        ("text of one guest", |run| format!("text=mail-{}", 4 + 20 * (run % 90))),
        ("text of guests of old", |_| "text=build-".to_owned()),
        ("text of a user who has left", |_| format!("text={GONE}")),
        ("text of failures, common", |_| "text=resource+busy".to_owned()),
        ("text of failures, rare", |run| format!("text=code+{}:+build-web-00", run % 255)),
        ("text nowhere", |_| "text=qqqqqq".to_owned()),
        ("text nowhere, of common parts", |_| "text=no+such+device".to_owned()),
        ("text nowhere, two letters", |_| "text=qq".to_owned()),
        ("text of two letters", |_| "text=b1".to_owned()),
        ("user + action", |run| format!("user=user{}&action=start", user(run))),
        ("backend + user + action + bad", |run| {
            format!("backend=lxc&user=user{}&action=stop&result=bad", user(run))
        }),
        ("backend given up + interrupted", |_| "backend=crun&result=interrupted".to_owned()),
        ("guest + bad", |_| "guest=101&result=bad".to_owned()),
        ("guest + user + action", |run| format!("guest=101&user=user{}&action=start", user(run))),
        ("a week + user + bad", |run| {
            format!("from=2020-11-02&to=2020-11-08&user=user{}&result=bad", user(run))
        }),
        ("text + user who has left", |_| format!("text=web&user={GONE}")),
        ("text + user who never does it", |_| format!("text=web-&user={ROBOT}")),
        ("text + action + user", |run| format!("text=web&user=user{}&action=unlock", user(run))),
        ("text of failures + user who has left", |_| format!("text=denied&user={GONE}")),
        ("text of failures + guest", |_| "text=denied&guest=101".to_owned()),
        ("text of failures + result it never has", |_| {
            "text=denied&result=interrupted&user=robot".to_owned()
        }),
        ("text before it was ever used", |_| "text=user199&to=2020-10-01&backend=lxc".to_owned()),
        ("everything at once", |run| {
            format!(
                "guest=101&backend=proxmox-vm&user=user{}&action=start&result=bad&from=2020-10-01&text=denied",
                user(run)
            )
        }),
    ]
}

/// Of each field, nothing and a few values: much, little, none.
const VALUES: [(&str, &[&str]); 7] = [
    ("guest", &["", "101", "cache2"]),
    ("backend", &["", "lxc", "crun"]),
    ("user", &["", ROBOT, GONE, "user5", "user199", "unknown"]),
    ("action", &["", "start", "unlock"]),
    ("result", &["", "succeeded", "bad", "interrupted"]),
    ("when", &["", "from=2020-11-02&to=2020-11-08", "to=2021-03-01", "from=2021-06-01"]),
    ("text", &["", "web", "denied", "such device", "build-web-00", "qq", "te", "user19"]),
];

/// All ways to take one value of each field.
pub fn combined() -> impl Iterator<Item = String> {
    let all: usize = VALUES.iter().map(|(_, values)| values.len()).product();
    (0..all).map(|mut number| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let mut when = "";
        for (field, values) in VALUES {
            let value = values[number % values.len()];
            number /= values.len();
            match field {
                "when" => when = value,
                _ if value.is_empty() => {}
                _ => drop(query.append_pair(field, value)),
            }
        }
        [query.finish().as_str(), when].join("&")
    })
}
