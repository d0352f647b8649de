//! The image of a container that LXC's template `oci` makes.

use crate::{backend::Error, domain::action::Field};

use super::facts::create::ImageLayout;

/// Longest image that is named, bytes. A path on the host may be long.
const LONGEST: usize = 4096;
const LONGEST_TAG: usize = 128;

/// Judges the image's name by itself: `docker://REFERENCE` or `oci:/DIRECTORY:TAG`.
pub fn check(image: &str) -> Result<(), Error> {
    let is_image = match (image.strip_prefix("docker://"), image.strip_prefix("oci:")) {
        (Some(reference), _) => is_reference(reference),
        (_, Some(rest)) => {
            rest.rsplit_once(':').is_some_and(|(directory, tag)| is_directory(directory) && is_tag(tag))
        }
        _ => false,
    };
    if is_image && image.len() <= LONGEST {
        return Ok(());
    }
    Err(invalid(
        "Enter docker://NAME:TAG for an image in a registry, or oci:/DIRECTORY:TAG for one in an OCI image layout on \
         the host."
            .to_owned(),
    ))
}

fn invalid(message: String) -> Error {
    Error::Invalid { field: Field::Image, message }
}

/// `host:port/name/name:tag`, or with a digest instead of the tag. Never with a password: it would stand in the plan.
fn is_reference(reference: &str) -> bool {
    let (name, digest) = match reference.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (reference, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/');
    let is_digest = |digest: &str| {
        digest.split_once(':').is_some_and(|(algorithm, hash)| {
            !algorithm.is_empty()
                && algorithm.bytes().all(|b| b.is_ascii_alphanumeric())
                && hash.len() >= 32
                && hash.bytes().all(|b| b.is_ascii_hexdigit())
        })
    };
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
        && name.split('/').all(|part| !part.is_empty())
        && !name.ends_with(':')
        && digest.is_none_or(is_digest)
}

fn is_directory(directory: &str) -> bool {
    directory.starts_with('/')
        && !directory.contains(':')
        && !directory.chars().any(char::is_control)
        && !directory.split('/').any(|part| part == "..")
}

fn is_tag(tag: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && tag.len() <= LONGEST_TAG
        && tag.chars().all(plain)
}

/// Whether the image is in its layout on the host. One in a registry is for skopeo to find.
pub fn check_layout(image: &str, found: &ImageLayout) -> Result<(), Error> {
    let rest = image.strip_prefix("oci:").unwrap_or(image);
    let (directory, tag) = rest.rsplit_once(':').unwrap_or((rest, ""));
    match found {
        ImageLayout::Missing => Err(invalid(format!("There is no directory {directory} on the host."))),
        ImageLayout::NotALayout => Err(invalid(format!(
            "{directory} is no OCI image layout: it has no index.json that can be read."
        ))),
        ImageLayout::Tags(tags) if tags.iter().any(|found| found == tag) => Ok(()),
        ImageLayout::Tags(tags) => Err(invalid(match &tags[..] {
            [] => format!("There is no image with a tag in {directory}."),
            tags => format!("There is no image “{tag}” in {directory}; there are {}.", tags.join(", ")),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_in_registries_and_layouts_are_taken() {
        let digest = format!("docker://docker.io/library/alpine@sha256:{}", "a".repeat(64));
        for image in [
            "docker://alpine",
            "docker://alpine:3.20",
            "docker://localhost:5000/a/b_c:latest",
            &digest,
            "oci:/srv/images:3.20",
            "oci:/srv/my images:_t",
        ] {
            assert_eq!(check(image), Ok(()), "{image}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("docker://{}", "a".repeat(LONGEST));
        for image in [
            "",
            "alpine",
            "docker://",
            "docker://-a",
            "docker:///a",
            "docker://a//b",
            "docker://a:",
            "docker://a b",
            "docker://a\n",
            "docker://user:pass@registry/a",
            "docker://a@sha256:xyz",
            "docker://a$(id)",
            "oci:",
            "oci:/srv/images",
            "oci:relative:tag",
            "oci:/srv/../etc:tag",
            "oci:/srv/images:",
            "oci:/srv/images:-t",
            "oci:/a:b:c",
            "oci:/srv\n:t",
            "dir:/etc",
            "containers-storage:x",
            "--url=x",
            &long,
        ] {
            assert!(matches!(check(image), Err(Error::Invalid { field: Field::Image, .. })), "{image:?}");
        }
    }

    #[test]
    fn an_image_that_is_not_in_its_layout_is_told_with_those_that_are() {
        let of = |found| check_layout("oci:/srv/images:3.20", &found).map_err(|e| e.to_string());
        assert_eq!(of(ImageLayout::Tags(vec!["3.19".into(), "3.20".into()])), Ok(()));
        assert!(of(ImageLayout::Missing).unwrap_err().contains("/srv/images"));
        assert!(of(ImageLayout::NotALayout).unwrap_err().contains("index.json"));
        assert!(of(ImageLayout::Tags(vec!["3.19".into()])).unwrap_err().contains("there are 3.19"));
        assert!(of(ImageLayout::Tags(vec![])).unwrap_err().contains("no image with a tag"));
    }
}
