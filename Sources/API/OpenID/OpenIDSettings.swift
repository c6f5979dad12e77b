/// A provider of OpenID Connect as the operator has set it, and this server's place with it.
struct OpenIDSettings: Sendable {
    /// For people.
    let title: String
    /// An `https` address, as the provider writes itself; on this machine alone, `http` too.
    let issuer: String
    /// The programs whose ID tokens are taken. The first is this server, which people come back to.
    let clientIDs: [String]
    /// What this server shows to get tokens for people who come back to it; without one, it sends nobody.
    let secret: String?

    static let googleIssuer = "https://accounts.google.com"
}
