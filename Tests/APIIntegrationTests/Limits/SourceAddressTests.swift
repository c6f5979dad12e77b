import Testing

@testable import API

struct SourceAddressTests {
    @Test(arguments: [
        ("192.0.2.17", "192.0.2.17/32", "192.0.2.0/24"),
        ("::ffff:192.0.2.17", "192.0.2.17/32", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::1", "0:0:0:0::/64", "0:0:0::/48"),
    ])
    func `who shares a network counts as one, and less of it is told`(
        text: String,
        limited: String,
        coarse: String
    ) throws {
        let address = try #require(SourceAddress(text))
        #expect(address.limited == limited)
        #expect(address.coarse == coarse)
    }

    @Test(arguments: [
        ("192.0.2.17", "192.0.2.17/32"), ("10.255.255.255/9", "10.128.0.0/9"), ("192.0.2.17/0", "0.0.0.0/0"),
        ("2001:db8::17", "2001:db8:0:0:0:0:0:17/128"), ("2001:db8:ffff::/33", "2001:db8:8000::/33"),
        ("2001:db8:1:2:3::/47", "2001:db8:0::/47"), ("2001:db8::17/120", "2001:db8:0:0:0:0:0:0/120"),
        ("::1/0", "::/0"),
    ])
    func `a network has nothing behind its bits`(text: String, network: String) throws {
        #expect(try #require(SourceNetwork(text)).text == network)
    }

    @Test(arguments: ["", "localhost", "192.0.2", "192.0.2.17:80", "[::1]:80", "unknown", "192.0.2.17\0"])
    func `what is no address is none`(text: String) {
        #expect(SourceAddress(text) == nil)
    }

    @Test(arguments: [
        // Nobody is trusted, so nobody is believed.
        ("", "192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        // Only the peer is, and it says who asked it.
        ("192.0.2.1", "192.0.2.1", ["198.51.100.7"], "198.51.100.7"),
        // What stands before that, the one who asked may have made up.
        ("192.0.2.1", "192.0.2.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("192.0.2.1", "192.0.2.1", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        // One trusted proxy behind another.
        ("10.0.0.0/8, 192.0.2.1", "192.0.2.1", ["203.0.113.9, 198.51.100.7 , 10.1.2.3"], "198.51.100.7"),
        ("2001:db8::/32", "2001:db8::5", ["::ffff:198.51.100.7"], "198.51.100.7"),
        // What can't be read ends it, at the last one that could.
        ("192.0.2.1, 10.0.0.0/8", "192.0.2.1", ["198.51.100.7, unknown, 10.1.2.3"], "10.1.2.3"),
        ("192.0.2.1", "192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1", [","], "192.0.2.1"),
    ])
    func `a source is what the nearest trusted proxy says of it`(
        trusted: String,
        peer: String,
        forwardedFor: [String],
        source: String
    ) throws {
        let proxies = try #require(TrustedProxies(trusted))
        let peer = try #require(SourceAddress(peer))
        #expect(proxies.source(of: peer, forwardedFor: forwardedFor) == SourceAddress(source))
    }

    @Test(arguments: ["proxy.example", "10.0.0.0/33", "10.0.0.0/-1", "::1/129", "10.0.0.0/", "10.0.0.0/8/8"])
    func `what is no network is refused`(text: String) {
        #expect(TrustedProxies(text) == nil)
    }
}
