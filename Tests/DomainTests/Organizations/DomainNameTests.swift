import Domain
import Testing

/// Domains in one form, and what a record says of one.
struct DomainNameTests {
    @Test func `a domain has one form, however it is written`() {
        for (text, form) in [
            ("Acme.Example", "acme.example"), (" acme.example. ", "acme.example"),
            ("Bücher.example", "xn--bcher-kva.example"), ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
            ("bu\u{308}cher.example", "xn--bcher-kva.example"), ("例え.jp", "xn--r8jz45g.jp"),
        ] {
            #expect(DomainName(text)?.description == form)
        }
    }

    @Test func `a domain is in itself and in all that it lies in`() {
        #expect(DomainName("a.b.example")?.andParents == ["a.b.example", "b.example", "example"])
    }

    @Test func `a record proves by its token, until its expiry is over`() throws {
        let now = try #require(Instant("2026-03-06T18:00:00Z"))
        for text in [
            "token=abc", "token=ABC expiry=never", "expiry=2026-03-06 token=abc",
            "TOKEN=abc; expiry=2026-12-31",
            "token=abc expiry=2026-03-06T18:00:01Z", "  token=abc   note=x  ", "\"token=abc\"",
        ] {
            #expect(DomainProof(text, at: now)?.token == "abc", "\(text)")
        }
        for text in [
            "", "abc", "token=", "token=abc expiry=2026-03-05", "token=abc expiry=", "token=abc token=def",
            "token=abc expiry=2026-03-06T17:59:59Z", "tokens=abc",
        ] {
            #expect(DomainProof(text, at: now) == nil, "\(text)")
        }
    }
}
