use super::*;

fn certificates() -> Certificates {
    let hosts = Hosts::new("konghq.localhost", &["us".to_owned()]);
    let authority = Authority::create("test authority").unwrap();
    Certificates::new(hosts, Arc::new(authority))
}

fn made(certificates: &Certificates) -> usize {
    certificates.made.lock().len()
}

const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

#[test]
fn prefixes_share_one_certificate() {
    let certificates = certificates();
    for prefix in ["0c9f4e21aa", "7b46471d3b", "x"] {
        let name = format!("{prefix}.us.cp0.konghq.localhost");
        certificates.config(Some(&name), LOCAL).unwrap();
    }
    assert_eq!(made(&certificates), 1);
}

#[test]
fn names_of_strangers_get_no_certificate_of_their_own() {
    let certificates = certificates();
    for name in ["example.com", "a.example.com", "au.api.konghq.localhost"] {
        certificates.config(Some(name), LOCAL).unwrap();
    }
    assert_eq!(made(&certificates), 1);
    let names = certificates.names(Some("example.com"), LOCAL);
    assert_eq!(names, ["cloud.konghq.localhost"]);
}

#[test]
fn a_connection_without_a_name_gets_the_address_connected_to() {
    let certificates = certificates();
    let address = "192.0.2.7".parse().unwrap();
    assert!(
        certificates
            .names(None, address)
            .contains(&"192.0.2.7".to_owned())
    );
    let mapped = "::ffff:192.0.2.7".parse().unwrap();
    assert!(
        certificates
            .names(None, mapped)
            .contains(&"192.0.2.7".to_owned())
    );
}

#[test]
fn certificates_are_issued_anew_long_before_they_end() {
    let certificates = certificates();
    let name = Some("us.api.konghq.localhost");
    let first = certificates.config(name, LOCAL).unwrap();
    assert!(Arc::ptr_eq(
        &first,
        &certificates.config(name, LOCAL).unwrap()
    ));
    let later = clock::unix_millis() + (REISSUED_AFTER + 1) * 1000;
    let _guard = clock::freeze(later);
    assert!(!Arc::ptr_eq(
        &first,
        &certificates.config(name, LOCAL).unwrap()
    ));
}
