/// What a record says to prove a domain: `token=… expiry=…`, where the expiry is a day, or `never`,
/// after which it means nothing any more. Who makes it may leave the expiry out.
package struct DomainProof: Equatable, Sendable {
    package let token: String

    /// Nil for what says something else, such as the records of others at the same name, or no longer says it.
    package init?(_ text: String, at now: Instant) {
        var token: String?
        for word in text.split(whereSeparator: { $0.isWhitespace || $0 == ";" || $0 == "\"" }) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            switch parts[0].lowercased() {
            case "token":
                // Two tokens are not one proof.
                guard token == nil else { return nil }
                token = parts[1].lowercased()
            case "expiry":
                guard Self.lasts(parts[1], at: now) else { return nil }
            default: continue
            }
        }
        guard let token, !token.isEmpty else { return nil }
        self.token = token
    }

    /// The day itself is the last on which it counts, in UTC.
    private static func lasts(_ expiry: Substring, at now: Instant) -> Bool {
        if expiry.lowercased() == "never" { return true }
        guard let end = Instant("\(expiry)T23:59:59Z") ?? Instant(String(expiry)) else { return false }
        return now <= end
    }
}
