import Configuration
import Domain
import Foundation
import Logging

/// The settings, read from the environment once at the start. README.md has the
/// same table for people.
struct Settings: Sendable {
    struct Malformed: Error, CustomStringConvertible {
        let name: String
        let why: String

        var description: String { "\(name) \(why)" }
    }

    let host: String
    let port: Int
    let home: String
    let sqlFolder: String
    let databaseURL: String?
    let migrationDatabaseURL: String?
    let site: Site
    let trustedProxies: TrustedProxies
    let logLevel: Logger.Level
    let mailTransport: MailTransport
    let mailFrom: EmailAddress
    let lookup: TXTLookup
    /// Nil where nobody signs in by Google.
    let google: OpenIDSettings?

    private static let known: Set<String> = [
        "BREATHMASTER_HOST", "BREATHMASTER_PORT", "BREATHMASTER_HOME", "BREATHMASTER_SQL",
        "BREATHMASTER_RESOLVER", "BREATHMASTER_TRUSTED_PROXIES", "BREATHMASTER_URL",
    ]

    /// - Throws: ``Malformed`` for a value that can't be, and for a name that
    ///   begins like ours but isn't: most likely a misspelt one.
    init(environment: [String: String]) throws {
        for name in environment.keys.sorted()
        where name.hasPrefix("BREATHMASTER_") && !Self.known.contains(name) {
            throw Malformed(name: name, why: "is not a setting")
        }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment))
        host = reader.string(forKey: "breathmaster.host", default: "127.0.0.1")
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }) else {
            throw Malformed(name: "BREATHMASTER_HOST", why: "must be an address or a host's name")
        }
        home = reader.string(forKey: "breathmaster.home", default: ".breathmaster")
        sqlFolder = reader.string(forKey: "breathmaster.sql", default: "sql")
        databaseURL = try Self.url(reader.string(forKey: "database.url"), "DATABASE_URL")
        migrationDatabaseURL = try Self.url(
            reader.string(forKey: "migration.database.url"),
            "MIGRATION_DATABASE_URL"
        )
        guard let port = Int(reader.string(forKey: "breathmaster.port", default: "8080")),
            (0...65535).contains(port)
        else {
            throw Malformed(name: "BREATHMASTER_PORT", why: "must be a number from 0 to 65535")
        }
        self.port = port
        guard
            let site = Site(
                reader.string(
                    forKey: "breathmaster.url",
                    default: "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
                )
            )
        else {
            throw Malformed(
                name: "BREATHMASTER_URL",
                why: "must be an address such as https://breath.example.org"
            )
        }
        self.site = site
        guard
            let proxies = TrustedProxies(reader.string(forKey: "breathmaster.trusted.proxies", default: ""))
        else {
            throw Malformed(
                name: "BREATHMASTER_TRUSTED_PROXIES",
                why: "must be addresses and networks, such as 10.0.0.0/8, ::1"
            )
        }
        trustedProxies = proxies
        guard
            let level = Logger.Level(
                rawValue: reader.string(forKey: "log.level", default: "info").lowercased()
            )
        else {
            throw Malformed(
                name: "LOG_LEVEL",
                why: "must be one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        logLevel = level
        let resolver = reader.string(forKey: "breathmaster.resolver", default: "")
        guard let lookup = resolver.isEmpty ? TXTLookup.ofThisMachine : TXTLookup(resolver) else {
            throw Malformed(
                name: "BREATHMASTER_RESOLVER",
                why: "must be an IP address, with a port or without, such as 127.0.0.1:53 or [::1]:53"
            )
        }
        self.lookup = lookup
        google = try Self.google(
            clientIDs: reader.string(forKey: "google.client.id", default: ""),
            secret: reader.string(forKey: "google.client.secret", default: ""),
            issuer: reader.string(forKey: "google.issuer", default: "")
        )
        (mailTransport, mailFrom) = try Self.mail(
            smtp: reader.string(forKey: "smtp.url"),
            from: reader.string(forKey: "mail.from"),
            home: home
        )
    }

    private static func google(clientIDs: String, secret: String, issuer: String) throws -> OpenIDSettings? {
        let issuer = issuer.isEmpty ? OpenIDSettings.googleIssuer : issuer
        guard issuer.hasPrefix("https://") || Fetch.isOnThisMachine(issuer), !issuer.hasSuffix("/") else {
            throw Malformed(
                name: "GOOGLE_ISSUER",
                why: "must be an address such as https://accounts.google.com"
            )
        }
        let ids = clientIDs.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        guard ids.allSatisfy({ !$0.contains(where: \.isWhitespace) }) else {
            throw Malformed(name: "GOOGLE_CLIENT_ID", why: "must be client IDs with commas between")
        }
        guard let first = ids.first, !first.isEmpty else {
            guard secret.isEmpty else {
                throw Malformed(name: "GOOGLE_CLIENT_ID", why: "must be set where GOOGLE_CLIENT_SECRET is")
            }
            return nil
        }
        return OpenIDSettings(
            title: "Google",
            issuer: issuer,
            clientIDs: ids,
            secret: secret.isEmpty ? nil : secret
        )
    }

    /// Without a mail server, mail is written to the home folder, from nobody in particular.
    private static func mail(
        smtp url: String?,
        from address: String?,
        home: String
    ) throws -> (MailTransport, EmailAddress) {
        let hasServer = url?.isEmpty == false
        guard let from = EmailAddress(address ?? (hasServer ? "" : "no-reply@breathmaster.localhost")) else {
            throw Malformed(name: "MAIL_FROM", why: "must be the address that mail comes from")
        }
        guard let url, hasServer else {
            return (.folder(URL(filePath: home).appending(path: "outbox")), from)
        }
        guard let smtp = SMTP(url) else {
            throw Malformed(
                name: "SMTP_URL",
                why: "must be a URL such as smtps://user:password@mail.example.org"
            )
        }
        return (.smtp(smtp), from)
    }

    /// A URI or keywords, as libpq takes them; what else is wrong with it, libpq says.
    private static func url(_ text: String?, _ name: String) throws -> String? {
        guard let text, !text.isEmpty else { return nil }
        guard text.hasPrefix("postgresql://") || text.hasPrefix("postgres://") || text.contains("=") else {
            throw Malformed(name: name, why: "must be a URI such as postgresql://user@host/database")
        }
        return text
    }

    func require(_ url: String?, _ name: String) throws -> String {
        guard let url, !url.isEmpty else {
            throw Malformed(
                name: name,
                why: "is needed, such as postgresql://breathmaster_api@localhost/breathmaster"
            )
        }
        return url
    }

    /// The keys that sign access tokens, in the home folder.
    var keyFile: KeyFile { KeyFile(home: home) }
}
