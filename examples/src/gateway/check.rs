//! What is wrong with a file that can be read.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Empty;

use super::{
    Config, Error,
    config::Server,
    limits::Limits,
    reach::reaches,
    stack::{self, Simulators},
};

impl Config {
    /// Checks what can be known without listening: names, keys, URLs, globs, certificates,
    /// deadlines, and that each limit can hold.
    ///
    /// # Errors
    ///
    /// Names the key of the first setting that cannot take effect.
    pub fn check(&self) -> Result<(), Error> {
        server(&self.server)?;
        stack::authenticate(self)?;
        Limits::new(self)?;
        for limit in reaches(self) {
            let fault = limit.fault(self.access.as_ref());
            if let Some(fault) = fault {
                return Err(Error::new(limit.key, fault));
            }
        }
        let simulators = simulators(self)?;
        stack::router::<Empty<Bytes>>(self, &simulators)?;
        if self.route.is_empty() {
            let none = "there is none, so that every call would be refused";
            return Err(Error::new("route", none));
        }
        Ok(())
    }
}

fn server(server: &Server) -> Result<(), Error> {
    if server.max_body_bytes == 0 {
        return Err(Error::new(
            "server.max_body_bytes",
            "must be greater than 0",
        ));
    }
    if server.write_timeout.is_zero() {
        return Err(Error::new("server.write_timeout", "must be longer than 0"));
    }
    Ok(())
}

/// The simulators, each at an address that nobody listens on.
fn simulators(config: &Config) -> Result<Simulators, Error> {
    let Server {
        listen,
        admin_listen,
        ..
    } = config.server;
    let mut taken = vec![("server.listen".to_owned(), listen)];
    taken.extend(admin_listen.map(|address| ("server.admin_listen".to_owned(), address)));
    let mut simulators = Simulators::new();
    for (index, simulator) in config.simulator.iter().enumerate() {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
        if simulators.insert(simulator.id.clone(), nowhere).is_some() {
            let key = format!("simulator[{index}].id");
            return Err(Error::new(key, format!("duplicate id `{}`", simulator.id)));
        }
        taken.push((format!("simulator[{index}].listen"), simulator.listen));
    }
    for (index, (key, address)) in taken.iter().enumerate() {
        let mut before = taken.iter().take(index);
        // Port 0 is another one each time.
        if address.port() != 0
            && let Some((other, _)) = before.find(|(_, taken)| taken == address)
        {
            let twice = format!("{address} is the address of `{other}` too");
            return Err(Error::new(key, twice));
        }
    }
    Ok(simulators)
}
