import Domain
import Foundation
import Logging
import Testing

@testable import API

struct SettingsTests {
    @Test func `without anything set there are defaults`() throws {
        let settings = try Settings(environment: [:])
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8080)
        #expect(settings.home == ".breathmaster")
        #expect(settings.sqlFolder == "sql")
        #expect(settings.logLevel == .info)
    }

    @Test(arguments: [
        ("BREATHMASTER_POTR", "8080"), ("BREATHMASTER_", "x"), ("BREATHMASTER_PORT", "eighty"),
        ("BREATHMASTER_PORT", "65536"), ("LOG_LEVEL", "loud"), ("BREATHMASTER_HOST", "not an address"),
        ("DATABASE_URL", "mysql://localhost/x"), ("MIGRATION_DATABASE_URL", "localhost"),
        ("BREATHMASTER_TRUSTED_PROXIES", "proxy.example"), ("BREATHMASTER_TRUSTED_PROXIES", "10.0.0.0/33"),
        ("MAIL_FROM", "us"), ("GOOGLE_ISSUER", "http://accounts.example"),
        ("GOOGLE_ISSUER", "accounts.example"),
        ("GOOGLE_CLIENT_ID", "one two"),
        ("BREATHMASTER_RESOLVER", "dns.example"),
        ("BREATHMASTER_RESOLVER", "127.0.0.1:"),
        ("BREATHMASTER_RESOLVER", "127.0.0.1:0"), ("BREATHMASTER_RESOLVER", "[::1"),
        ("BREATHMASTER_RESOLVER", "[::1]53"), ("BREATHMASTER_RESOLVER", "[::1]:"),
        ("BREATHMASTER_RESOLVER", "[::1]:65536"), ("BREATHMASTER_RESOLVER", "[resolver]:53"),
    ])
    func `a name or a value that can't be is refused by its name`(name: String, value: String) {
        #expect {
            try Settings(environment: [name: value])
        } throws: { error in
            "\(error)".hasPrefix(name)
        }
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:5353", "::1", "[::1]", "[::1]:5353", "2001:db8::53"])
    func `a resolver has an address, of either kind and with a port or without`(_ resolver: String) throws {
        _ = try Settings(environment: ["BREATHMASTER_RESOLVER": resolver])
    }

    @Test func `without a mail server mail goes to the home folder, and with one it says from whom`() throws {
        guard case .folder(let folder) = try Settings(environment: [:]).mailTransport else {
            return #expect(Bool(false), "a folder")
        }
        #expect(folder.relativePath.hasSuffix(".breathmaster/outbox"))
        let url = "smtps://mail.example.org"
        #expect(throws: Settings.Malformed.self) {
            try Settings(environment: ["SMTP_URL": "mail.example.org", "MAIL_FROM": "hello@example.org"])
        }
        #expect(throws: Settings.Malformed.self) { try Settings(environment: ["SMTP_URL": url]) }
        let settings = try Settings(environment: ["SMTP_URL": url, "MAIL_FROM": "hello@example.org"])
        guard case .smtp(let smtp) = settings.mailTransport else { return #expect(Bool(false), "SMTP") }
        #expect(smtp.url == url)
        #expect(settings.mailFrom.description == "hello@example.org")
    }

    @Test func `several programs of Google's may be named, and a secret without one is a mistake`() throws {
        #expect(try Settings(environment: [:]).google == nil)
        let google = try Settings(environment: ["GOOGLE_CLIENT_ID": "server, editor"]).google
        #expect(google?.clientIDs == ["server", "editor"])
        #expect(google?.secret == nil)
        #expect(google?.issuer == "https://accounts.google.com")
        #expect {
            try Settings(environment: ["GOOGLE_CLIENT_SECRET": "kept"])
        } throws: { error in
            "\(error)".hasPrefix("GOOGLE_CLIENT_ID")
        }
    }

    @Test func `a database that is needed is asked for by its name`() throws {
        let settings = try Settings(environment: ["DATABASE_URL": ""])
        #expect {
            try settings.require(settings.databaseURL, "DATABASE_URL")
        } throws: { error in
            "\(error)".hasPrefix("DATABASE_URL")
        }
    }
}
