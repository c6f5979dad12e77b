import Domain
import Foundation
import Hummingbird

/// What of a list is asked for, in the query of a `GET` or in the body of `.search` (RFC 7644 §3.4.2, §3.4.3).
struct ScimListRequest: Sendable {
    /// How many an answer has at most, and how many where none is said.
    static let most = 500
    private static let usual = 100

    let filter: String?
    /// From 1.
    let startIndex: Int
    let count: Int
    let selection: ScimSelection

    init(_ request: Request) throws(ScimError) {
        let parameters = Self.parameters(request)
        try self.init(
            filter: parameters["filter"],
            startIndex: Self.number(parameters["startIndex"].map(JSONValue.string), "startIndex"),
            count: Self.number(parameters["count"].map(JSONValue.string), "count"),
            selection: Self.selection(of: request)
        )
    }

    init(_ body: JSONValue) throws(ScimError) {
        guard case .object(let members) = body else { throw ScimError(.invalidSyntax, "it takes an object") }
        var filter: String?
        if case .string(let text) = members["filter"] { filter = text }
        try self.init(
            filter: filter,
            startIndex: Self.number(members["startIndex"], "startIndex"),
            count: Self.number(members["count"], "count"),
            selection: ScimSelection(
                attributes: Self.names(members["attributes"]),
                excluded: Self.names(members["excludedAttributes"])
            )
        )
    }

    private init(filter: String?, startIndex: Int?, count: Int?, selection: ScimSelection) throws(ScimError) {
        self.filter = filter
        // Below its least value either means that one.
        self.startIndex = max(1, startIndex ?? 1)
        self.count = min(Self.most, max(0, count ?? Self.usual))
        self.selection = selection
    }

    /// The condition on resources of one kind; nil where there is none.
    func condition(on schema: ScimSchema) throws(ScimError) -> ScimFilter {
        guard let filter else { return .always }
        return try ScimFilter(filter, on: schema)
    }

    /// Which attributes a `GET` or a change wants back.
    static func selection(of request: Request) -> ScimSelection {
        let parameters = parameters(request)
        return ScimSelection(
            attributes: names(parameters["attributes"].map(JSONValue.string)),
            excluded: names(parameters["excludedAttributes"].map(JSONValue.string))
        )
    }

    /// With a space for each plus, which is how Entra ID writes them.
    private static func parameters(_ request: Request) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let words = parts.map { String($0).replacing("+", with: " ").removingPercentEncoding ?? "" }
            parameters[words[0]] = words.count == 2 ? words[1] : ""
        }
        return parameters
    }

    private static func number(_ value: JSONValue?, _ name: String) throws(ScimError) -> Int? {
        switch value {
        case nil, .null: return nil
        case .integer(let number): return number
        case .string(let text):
            if let number = Int(text) { return number }
        default: break
        }
        throw ScimError(.invalidValue, "\(name) is a whole number")
    }

    /// A list in JSON, or one with commas.
    private static func names(_ value: JSONValue?) -> [String] {
        switch value {
        case .array(let values): values.flatMap { names($0) }
        case .string(let text):
            text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        default: []
        }
    }
}
