//! Facts about signatures.

use http::Method;

use super::{Credentials, Signed, sign};
use crate::outcall::Url;

#[test]
fn signature_is_that_of_the_published_example() {
    // The example that AWS publishes for a part of an object.
    let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
    let keys = Credentials::fixed(
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
    );
    let mut headers = vec![("Range".to_owned(), "bytes=0-9".to_owned())];
    let what = Signed {
        method: &Method::GET,
        url: &url,
        body: b"",
        service: "s3",
        region: "us-east-1",
        // 2013-05-24T00:00:00Z
        now_ms: 1_369_353_600_000,
    };

    sign(what, &keys, &mut headers);

    assert_eq!(
        headers.last().unwrap().1,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
    assert_eq!(format!("{keys:?}"), "Credentials { .. }");
}

#[test]
fn keys_of_the_machine_come_from_its_metadata_with_or_without_a_session() {
    use super::{Metadata, Provider, Source};
    use crate::outcall::Trust;
    use crate::testing::{Server, core};

    for has_session in [false, true] {
        let server = Server::with(move |request| {
            let is_let_in = !has_session || request.to_ascii_lowercase().contains("token: sess");
            let body = match request.split(' ').nth(1) {
                Some("/latest/api/token") => "sess",
                Some("/latest/meta-data/iam/security-credentials/") if is_let_in => "my-role\n",
                Some("/latest/meta-data/iam/security-credentials/my-role") if is_let_in => {
                    r#"{"AccessKeyId":"A","SecretAccessKey":"B","Token":"C"}"#
                }
                _ => return b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
            };
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        });
        let metadata = Metadata {
            base: format!("http://127.0.0.1:{}", server.port),
            has_session,
        };
        let timeout = std::time::Duration::from_secs(2);
        let provider = Provider::new(Source::Machine(metadata), None, timeout);

        let trust = Trust::default();
        let keys = core().block_on(provider.credentials(&trust, 1000)).unwrap();

        assert_eq!((keys.id.as_str(), keys.secret.as_str()), ("A", "B"));
        assert_eq!(keys.token.as_deref(), Some("C"));
    }
}
