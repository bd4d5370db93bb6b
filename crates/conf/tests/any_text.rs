//! Whatever stands in a file or a variable, loading ends with settings or with mistakes.

use gatehouse_conf::{Cidr, Endpoint, LoadOptions, ProxyServer, Settings, properties};
use proptest::prelude::*;
use test_support::TempDir;

fn load_file(text: &str) {
    let folder = TempDir::new("conf");
    let file = folder.join("kong.conf");
    std::fs::write(&file, text).expect("it is written");
    for is_strict in [false, true] {
        let file = Some(file.clone());
        drop(Settings::load(&LoadOptions {
            file,
            is_strict,
            ..LoadOptions::default()
        }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_is_a_file(text in r"(\PC|[\n\\#;=\[\] ]){0,200}") {
        load_file(&text);
    }

    #[test]
    fn any_text_is_a_value(value in r"([0-9a-z:,./%@\[\]{}= -]|\PC){0,40}") {
        let all = properties().map(|property| (property.name.to_owned(), value.clone()));
        let options = LoadOptions { overrides: all.collect(), ..LoadOptions::default() };
        drop(Settings::load(&options));
    }

    #[test]
    fn any_text_is_an_address(text in r"([0-9a-z:./%@\[\]]|\PC){0,40}") {
        drop(Endpoint::parse(&text, 443));
        drop(Cidr::parse(&text));
        drop(ProxyServer::parse(&format!("http://{text}")));
    }
}
