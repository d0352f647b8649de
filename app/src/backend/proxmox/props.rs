//! Property strings: `name=eth0,bridge=vmbr0`. The one place that joins them, so that no value can bring a comma of
//! its own and with it a property that nobody asked for.

use crate::{backend::Error, domain::action::Field};

use super::check::invalid;

/// A property string that is being put together.
#[derive(Debug, Clone)]
pub struct Props {
    /// The form's field that a bad value came from.
    field: Field,
    text: String,
}

impl Props {
    pub fn new(field: Field) -> Self {
        Self { field, text: String::new() }
    }

    /// The property that needs no name: a volume, a network card's model.
    pub fn value(self, value: &str) -> Result<Self, Error> {
        self.push(None, value)
    }

    pub fn set(self, name: &str, value: &str) -> Result<Self, Error> {
        self.push(Some(name), value)
    }

    fn push(mut self, name: Option<&str>, value: &str) -> Result<Self, Error> {
        let is_bad = |c: char| c == ',' || c.is_control() || c.is_whitespace();
        // Without a name, `a=b` would be the property `a`.
        if value.is_empty() || value.contains(is_bad) || (name.is_none() && value.contains('=')) {
            return Err(invalid(self.field, format!("“{}” cannot be used here.", value.escape_debug())));
        }
        if !self.text.is_empty() {
            self.text.push(',');
        }
        if let Some(name) = name {
            self.text.push_str(name);
            self.text.push('=');
        }
        self.text.push_str(value);
        Ok(self)
    }

    pub fn text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn properties_are_joined_in_their_order() {
        let props = Props::new(Field::Network).value("virtio").unwrap().set("bridge", "vmbr0").unwrap();
        assert_eq!(props.text(), "virtio,bridge=vmbr0");
    }

    proptest! {
        #[test]
        fn no_value_brings_a_property_of_its_own(value in "\\PC*|.*[,=\\s].*") {
            let set = Props::new(Field::Network).set("bridge", &value);
            if let Ok(props) = set {
                let text = props.text();
                prop_assert_eq!(text.split(',').count(), 1);
                prop_assert!(text.starts_with("bridge="));
            }
            if let Ok(props) = Props::new(Field::Disk).value(&value) {
                prop_assert!(!props.text().contains([',', '=']));
            }
        }
    }
}
