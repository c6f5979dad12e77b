import JWTKit

/// The keys that a provider signs with, as it shows them (RFC 7517 §5).
struct ProviderKeys: Decodable {
    struct Key: Decodable {
        let kty: String
        let kid, alg, use, n, e: String?
    }

    let keys: [Key]

    /// Those for RS256 that have a name. Each is a collection of its own, so that none has another to fall back to,
    /// and is for that algorithm, whether it says so or not: so no token can bring another one along.
    func byName() async -> [String: JWTKeyCollection] {
        var collections: [String: JWTKeyCollection] = [:]
        for key in keys where key.isForRS256 {
            guard let kid = key.kid, let rsa = key.rsa else { continue }
            collections[kid] = await JWTKeyCollection().add(rsa: rsa, digestAlgorithm: .sha256)
        }
        return collections
    }
}

extension ProviderKeys.Key {
    fileprivate var isForRS256: Bool { kty == "RSA" && use ?? "sig" == "sig" && alg ?? "RS256" == "RS256" }

    /// Nil for what is no key, or one of less than 2048 bits.
    fileprivate var rsa: Insecure.RSA.PublicKey? {
        guard let n, let e else { return nil }
        return try? Insecure.RSA.PublicKey(modulus: n, exponent: e)
    }
}
