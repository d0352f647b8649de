//! Reads lists of addresses and networks.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{
    error::Problem,
    key::{Given, Wrong},
    list::{self, Item},
    read,
};

const EXPECTED: &str = "an address such as \"127.0.0.1\" or a network such as \"10.0.0.0/24\", which is not all addresses and \
                        has no bit set beyond its length";

/// A list of texts; as a variable with commas between them, or a list as in a file.
pub fn list(given: Given<'_>) -> Result<Vec<IpNet>, Wrong> {
    if let Given::Text(text) = given
        && !list::is_toml(text)
    {
        let parts = text.split(',').map(str::trim).enumerate();
        return parts
            .map(|(index, part)| {
                network(Given::Text(part)).map_err(|wrong| wrong.inside(&list::number(index), None))
            })
            .collect();
    }
    let networks = list::read(given, "a list such as [\"127.0.0.1\"]", |item| match item {
        Item::Plain(value) => network(value),
        Item::Table(_) => {
            Err(Problem::Wrong { found: "a table".to_owned(), expected: EXPECTED.to_owned() }.into())
        }
    })?;
    Ok(networks.into_iter().map(|(_, network)| network).collect())
}

fn network(given: Given<'_>) -> Result<IpNet, Wrong> {
    read::parsed(given, EXPECTED, |text| match text.parse::<IpAddr>() {
        Ok(address) => Some(address.to_canonical().into()),
        // One with bits beyond its length is one address to whoever wrote it, and many to the program.
        Err(_) => text.parse().ok().filter(|net: &IpNet| *net == net.trunc() && net.prefix_len() > 0),
    })
}
