//! A text as a QR code.

use qrcode_generator::qr::{Encoder, ErrorCorrection};

use crate::domain::account::QrCode;

/// `None` for more than fits into one: some 2,000 bytes.
pub fn code(text: &str) -> Option<QrCode> {
    let rows = Encoder::new(ErrorCorrection::Medium).encode_text(text).ok()?.to_matrix();
    let mut path = String::new();
    for (y, row) in rows.iter().enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] {
                path.push_str(&format!("M{x} {y}h{0}v1h-{0}z", run.len()));
            }
            x += run.len();
        }
    }
    Some(QrCode { side: rows.len(), path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path as it is drawn: each part of it is one unit high.
    fn drawn(code: &QrCode) -> Vec<Vec<bool>> {
        let mut dark = vec![vec![false; code.side]; code.side];
        for run in code.path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (length, end) = rest.split_once("v1h-").unwrap();
            assert_eq!(end, format!("{length}z"));
            let [x, y, length] = [x, y, length].map(|number| number.parse::<usize>().unwrap());
            dark[y][x..x + length].fill(true);
        }
        dark
    }

    #[test]
    fn what_is_drawn_is_read_by_another_library() {
        for text in [
            "otpauth://totp/Paddock%20pve1:anna?secret=GEZDGNBVGY3TQOJQ&issuer=Paddock%20pve1",
            &"k%C3%B6".repeat(100),
        ] {
            let code = code(text).unwrap();
            let dark = drawn(&code);
            // Four pixels a module, and the quiet zone around.
            let pixels = (code.side + 8) * 4;
            let at = |x: usize, y: usize| {
                let module = (y / 4).checked_sub(4).and_then(|y| dark.get(y)?.get((x / 4).checked_sub(4)?));
                if module == Some(&true) { 0 } else { 255 }
            };
            let mut image = rqrr::PreparedImage::prepare_from_greyscale(pixels, pixels, at);
            let grids = image.detect_grids();
            assert_eq!(grids.len(), 1);
            assert_eq!(grids[0].decode().unwrap().1, text);
        }
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert_eq!(super::code(&"x".repeat(10_000)), None);
    }
}
