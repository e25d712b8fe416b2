//! Answers that a provider encodes although nobody asked it to: passed untouched, and counted as
//! unmeasured.

use serde_json::json;

use crate::{
    callers::Caller,
    house::{House, every_dialect},
    wire::post_with,
};

/// How the providers' answer below is encoded.
struct Encoded {
    encoding: &'static str,
    /// In base64.
    whole: &'static str,
    events: &'static str,
}

const ENCODED: [Encoded; 3] = [
    Encoded {
        encoding: "gzip",
        whole: WHOLE_GZIP,
        events: EVENTS_GZIP,
    },
    Encoded {
        encoding: "br",
        whole: WHOLE_BR,
        events: EVENTS_BR,
    },
    Encoded {
        encoding: "zstd",
        whole: WHOLE_ZSTD,
        events: EVENTS_ZSTD,
    },
];

/// Has the simulator answer with these bytes, in pieces, and expects them as they are.
async fn passes(house: &House, encoding: &str, base64: &str, content_type: &str, stream: bool) {
    let script = json!({"default": {
        "raw": {"base64": base64, "content_type": content_type},
        "headers": {"content-encoding": encoding},
        "chunk_bytes": 7,
    }});
    let mut body = Caller::OpenAi.body();
    body["stream"] = stream.into();
    let headers = format!("content-type: application/json\r\nx-simulation: {script}");
    let request = post_with(Caller::OpenAi.path(), &headers, &body.to_string());
    let mut wire = house.connect().await;
    wire.send(&request).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.head.header("content-encoding"), Some(encoding));
    assert_eq!(answer.head.header("content-type"), Some(content_type));
    assert_eq!(answer.body, decoded(base64), "{encoding} {content_type}");
    wire.send(Caller::OpenAi.request()).await;
    assert_eq!(wire.answer().await.status(), 200);
}

#[tokio::test]
async fn an_encoded_answer_passes_untouched_and_is_counted_as_unmeasured() {
    let house = House::open(&every_dialect("")).await;
    for (encoded, rounds) in ENCODED.iter().zip(1..) {
        passes(
            &house,
            encoded.encoding,
            encoded.whole,
            "application/json",
            false,
        )
        .await;
        // Each is followed by an answer that is measured.
        let used = house.used_by("openai", 2 * rounds).await;
        assert_eq!((used.complete, used.unmeasured), (2 * rounds, rounds));
        assert!(used.input > 0 && used.output > 0);
    }
}

#[tokio::test]
async fn an_encoded_stream_passes_untouched_and_is_counted_as_unmeasured() {
    let house = House::open(&every_dialect("")).await;
    for (encoded, rounds) in ENCODED.iter().zip(1..) {
        passes(
            &house,
            encoded.encoding,
            encoded.events,
            "text/event-stream",
            true,
        )
        .await;
        let used = house.used_by("openai", 2 * rounds).await;
        assert_eq!((used.complete, used.unmeasured), (2 * rounds, rounds));
    }
}

fn decoded(base64: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = base64.bytes().filter(|&byte| byte != b'=');
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::new());
    for digit in digits {
        let value = alphabet.iter().position(|&known| known == digit).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    bytes
}

// Made by gzip, zstd and Node's zlib, each at its highest level, of a chat completion that says
// "Hello!" and states a usage of 3 and 4 tokens, and of the same as a stream.

const WHOLE_GZIP: &str = concat!(
    "H4sIAAAAAAACAz2O3QrCMAyFn8Vz3YniQOgT+A4iUru4VWszlgjC2Lubgu4qcP6+zEgdPOIQNL7G3OzhwLcHRf2p28",
    "imkyYuZsWJgpI19g4v7ihbqh+1abmaA6dIAn+ekUpHH/idxUgk9AQ/Y+JsF0EkiYaitcNFqVTYiXLmDRaHeypJhquh",
    "xKAeojxiuTi8/0PjZE/pVflJxXiHuvP/clVbB2UNeRWOy/IFtimj6O8AAAA="
);
const WHOLE_BR: &str = concat!(
    "G+4AAIzTFfOilHEPoraWMpt58RbEJN2QOix9T68swMC8tSQK29rn3Q5yxIv8QNcbluOmZobP4UuYO9BO9dfu12Z5RA",
    "Ea2b5DKAKh4WkSXsF4fVZ4EtvbSAWiDFfTQQjSDdCVIpigXNdNhdEMrZcKv8H7nRfnmh9svZ5zv75yDg4vAg1TMwpF",
    "L3NmYgY="
);
const WHOLE_ZSTD: &str = concat!(
    "KLUv/STvBQUAQkwjGXBvDj4zRamWaXtLvpfvfx0zRQflWUBVGAJZdkTX3FfjWrRPuRL30tTEFWVdlewU93y75Om2Wq",
    "AJJXSu2QGOcZG3t9yW/K5v6XrCOd3bN3J1rH0fN+dO16H92kbCY0n73AcZetezETT1vD1uw9OVaG+23VbvesmwN1IT",
    "P6HfRgxfTwSRml476L29gccCBQA0C7sSpH6HBhMIMrOJB6V6yjQ="
);
const EVENTS_GZIP: &str = concat!(
    "H4sIAAAAAAACA0WOQQrCMBBF9z2FzjqKoiBkreBKD1BKicloYmOmNFMQpHd3ChK37/95851hoxcfCA40WG/Yvvq42o",
    "ICuj3R8o+uLQlHDpTW1o+pk4Id0DDK3VbBixxG6T56Xu1pDj0Fixl0Le7k8A16o0BKbEB/wFJiTLP9jDHSEiYF95BC",
    "9q1YMyVJMlMPUzNVlfuN/EsbBWM2D5xd/SDbuGXqMEm2k+dlbKF7BUxsYgGHqYjr4/VyaqrqC18thEoMAQAA"
);
const EVENTS_BR: &str = concat!(
    "GwsBQBwHzrkryPVgELQ+iGIQ5LZU4TPmqYpJ2q0VWLr6pg5L39t2HdPxtiJC9Hr2O/qiEwXN3uyc3JzP4zgQCb/Wom",
    "JOFMHcgaNc2/3adJsYQvDLeCJya6f/WAkuh63R+gvG69O9k9hjRyqQjLB4YRoEWS+4UhcqMpKaS1sN+D7wjsyTtubh",
    "JrH113Pu11dG4vHC1ZCrOHhsnUIRyjN/Sj9rbAM="
);
const EVENTS_ZSTD: &str = concat!(
    "KLUv/WQMAJUFALLMJRhgWQd8wW5WVTHZvowG70IJUc1OxgZggZYAAC2NozxjotHmvkQuj/mP24w76m5jr7s4vxX9wE",
    "sIAEZofMf9fZ7jj64XWd/FXdTleIE1bZnPN7fNcb04T1vb6bKYD3firovP/Lf1YqtenpGhu+rz2k68XRrz0zZdr14+",
    "40CrEhxfvVyJrotJfHlj0LqtNrXq56frYjBp0ykIAFwomGbhnBKE/XYsDOAok5mdwCGzSQZSaktL"
);
