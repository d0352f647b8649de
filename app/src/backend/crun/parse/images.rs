//! What skopeo and umoci say.

use crate::{
    backend::{CommandOutput, Error},
    domain::{
        action::Field,
        guest::BackendKind,
        plan::{Command, Exit},
    },
};

/// What went wrong with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    NoSuchImage,
    NotAnImage,
    Damaged,
    Denied,
    TooMany,
    RegistryFailed,
    Unreachable,
    NoSpace,
    NoPolicy,
    PolicySaysNo,
    InTheWay,
}

/// What skopeo 1.9.3 and umoci 0.4.7 say, by a piece of it; the first that fits holds. What is in none of the rows is
/// a failure in the tool's own words.
const MEANINGS: [(&str, Meaning); 18] = [
    ("no space left on device", Meaning::NoSpace),
    ("manifest unknown", Meaning::NoSuchImage),
    ("name unknown", Meaning::NoSuchImage),
    ("no descriptor found for reference", Meaning::NoSuchImage),
    ("tag is not found: ", Meaning::NoSuchImage),
    ("loading tar component manifest.json", Meaning::NotAnImage),
    ("read oci-layout: invalid image detected", Meaning::NotAnImage),
    ("digest mismatch", Meaning::Damaged),
    ("create gzip reader: ", Meaning::Damaged),
    ("unpack layer: read next entry: ", Meaning::Damaged),
    (": unauthorized", Meaning::Denied),
    (": denied", Meaning::Denied),
    (": toomanyrequests", Meaning::TooMany),
    ("received unexpected HTTP status: 5", Meaning::RegistryFailed),
    ("pinging container registry ", Meaning::Unreachable),
    ("Error loading trust policy", Meaning::NoPolicy),
    (" is rejected by policy", Meaning::PolicySaysNo),
    ("create runtime bundle: config.json already exists", Meaning::InTheWay),
];

fn meaning(output: &CommandOutput) -> Option<Meaning> {
    let words = output.words();
    let is_answer = matches!(output.exit, Exit::Code(_));
    MEANINGS.into_iter().find(|(piece, _)| is_answer && words.contains(piece)).map(|(_, meaning)| meaning)
}

pub fn answer(command: &Command, output: &CommandOutput) -> Result<(), Error> {
    if output.exit.is_success() {
        return Ok(());
    }
    let Some(meaning) = meaning(output) else { return Err(super::failed(command, output)) };
    let words = said(output.words());
    let invalid = |what: &str| Error::Invalid {
        field: Field::Image,
        message: format!("{what}: {words}. The container was not made."),
    };
    let not_ready = |reason: String, cure: &str| Error::NotReady {
        reason: format!("{reason}: {words}."),
        cure: cure.to_owned(),
    };
    Err(match meaning {
        Meaning::NoSuchImage => invalid("There is no such image"),
        Meaning::NotAnImage => invalid("That is no image"),
        Meaning::Damaged => invalid("The image is damaged"),
        Meaning::Denied => Error::Denied {
            account: None,
            backend: BackendKind::Crun,
            what: format!(
                "the registry does not let this host have the image ({words}); it may be private or not exist, and \
                 `skopeo login` on the host as root gives it an account"
            ),
        },
        Meaning::PolicySaysNo => Error::Denied {
            account: None,
            backend: BackendKind::Crun,
            what: format!("/etc/containers/policy.json of this host does not allow the image ({words})"),
        },
        Meaning::TooMany => not_ready(
            "The registry has had too many requests from here".to_owned(),
            "Wait, or `skopeo login` on the host as root with an account that may ask more.",
        ),
        Meaning::RegistryFailed => not_ready(
            "The registry itself has failed".to_owned(),
            "Try again later, or from another registry.",
        ),
        Meaning::Unreachable => not_ready(
            "The registry cannot be reached".to_owned(),
            "Look at its name and at the host's network, or bring the image as an archive.",
        ),
        Meaning::NoSpace => not_ready(
            "The disk is full".to_owned(),
            "Make room where images and bundles are kept, then try again: what is half made is removed first.",
        ),
        Meaning::NoPolicy => not_ready(
            "This host has no policy that says which images may be used".to_owned(),
            "Install Debian's, which takes all, by `apt-get install golang-github-containers-common`.",
        ),
        Meaning::InTheWay => not_ready(
            "Somebody else makes something at the same place".to_owned(),
            "Wait until that is over, then try again.",
        ),
    })
}

/// The core of a tool's words, to stand inside of a sentence: skopeo logs it as `... msg="WORDS"`, umoci marks it.
fn said(words: &str) -> String {
    const LONGEST: usize = 400;
    let core = match words.split_once("msg=\"") {
        Some((_, rest)) => {
            let rest = rest.trim_end();
            rest.strip_suffix('"').unwrap_or(rest).replace("\\\"", "\"")
        }
        None => words.trim_start_matches(|c: char| c.is_whitespace() || c == '⨯').to_owned(),
    };
    core.trim().trim_end_matches('.').chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::captured_of, *};
    use crate::domain::failure::FailureKind;

    #[test]
    fn every_known_answer_has_its_meaning() {
        use FailureKind::{Denied, Invalid, NotReady};
        let cases = [
            ("skopeo-1.9.3", "registry-tag-unknown", Meaning::NoSuchImage, Invalid),
            ("skopeo-1.9.3", "registry-name-unknown", Meaning::NoSuchImage, Invalid),
            ("skopeo-1.9.3", "layout-tag-missing", Meaning::NoSuchImage, Invalid),
            ("umoci-0.4.7", "unpack-tag-missing", Meaning::NoSuchImage, Invalid),
            ("skopeo-1.9.3", "archive-empty", Meaning::NotAnImage, Invalid),
            ("umoci-0.4.7", "unpack-no-layout", Meaning::NotAnImage, Invalid),
            ("umoci-0.4.7", "unpack-corrupt", Meaning::Damaged, Invalid),
            ("umoci-0.4.7", "unpack-bad-gzip", Meaning::Damaged, Invalid),
            ("umoci-0.4.7", "unpack-bad-layer", Meaning::Damaged, Invalid),
            ("skopeo-1.9.3", "registry-unauthorized", Meaning::Denied, Denied),
            ("skopeo-1.9.3", "registry-denied", Meaning::Denied, Denied),
            ("skopeo-1.9.3", "registry-rate-limit", Meaning::TooMany, NotReady),
            ("skopeo-1.9.3", "registry-broken", Meaning::RegistryFailed, NotReady),
            ("skopeo-1.9.3", "registry-refused", Meaning::Unreachable, NotReady),
            ("skopeo-1.9.3", "registry-no-such-host", Meaning::Unreachable, NotReady),
            ("skopeo-1.9.3", "registry-plain-http", Meaning::Unreachable, NotReady),
            ("skopeo-1.9.3", "copy-no-space", Meaning::NoSpace, NotReady),
            ("umoci-0.4.7", "unpack-no-space", Meaning::NoSpace, NotReady),
            ("skopeo-1.9.3", "copy-no-policy", Meaning::NoPolicy, NotReady),
            ("skopeo-1.9.3", "copy-policy-rejects", Meaning::PolicySaysNo, Denied),
            ("umoci-0.4.7", "unpack-exists", Meaning::InTheWay, NotReady),
        ];
        for (tool, case, wanted, kind) in cases {
            let (command, output) = captured_of(tool, case);
            assert_eq!(meaning(&output), Some(wanted), "{case}");
            let error = super::super::answer(&command, &output).unwrap_err();
            assert_eq!(error.kind(), kind, "{case}: {error}");
        }
        for (piece, _) in MEANINGS {
            let is_row =
                |(tool, case, ..): &(&str, &str, _, _)| captured_of(tool, case).1.words().contains(piece);
            assert!(cases.iter().any(is_row), "no case for the row “{piece}”");
        }
    }

    #[test]
    fn what_a_tool_said_stands_in_a_sentence() {
        let error = |tool, case| {
            let (command, output) = captured_of(tool, case);
            answer(&command, &output).unwrap_err().to_string()
        };
        assert_eq!(
            error("skopeo-1.9.3", "layout-tag-missing"),
            "There is no such image: initializing source oci:lay:nope: no descriptor found for reference \"nope\". \
             The container was not made."
        );
        assert_eq!(
            error("umoci-0.4.7", "unpack-tag-missing"),
            "There is no such image: tag is not found: nope. The container was not made."
        );
    }

    #[test]
    fn a_copy_that_went_well_is_one() {
        let (command, output) = captured_of("skopeo-1.9.3", "registry-copy");
        assert_eq!(answer(&command, &output), Ok(()));
        let crashed = CommandOutput { exit: Exit::Signal(9), stderr: "manifest unknown".into(), ..output };
        assert!(matches!(answer(&command, &crashed), Err(Error::ToolFailed { .. })));
    }
}
