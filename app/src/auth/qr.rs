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

    #[test]
    fn the_path_begins_with_the_corner_that_every_code_has() {
        let code = code("otpauth://totp/Paddock:anna?secret=GEZDGNBVGY3TQOJQ").unwrap();
        // Sizes are 21, 25, 29 and so on.
        assert!(code.side >= 21 && (code.side - 21).is_multiple_of(4), "{}", code.side);
        assert!(code.path.starts_with("M0 0h7v1h-7z"), "{}", code.path);
        assert!(code.path.contains(&format!("M{} 0h7v1h-7z", code.side - 7)));
        assert!(code.path.contains("M0 1h1v1h-1zM6 1h1v1h-1z"));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert_eq!(super::code(&"x".repeat(10_000)), None);
    }
}
