import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Tenancy

/// Answers as `application/scim+json`, with no more of a resource than was asked for.
enum ScimAnswer {
    static let contentType = "application/scim+json"

    static func response(_ body: JSONValue, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(
            status: status,
            headers: [.contentType: contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: try JSONOutput.bytes(of: body)))
        )
    }

    /// One resource, with its entity tag; a 304 where the request has it already.
    static func response(
        _ resource: StoredScimResource,
        to request: Request,
        showing selection: ScimSelection,
        status: HTTPResponse.Status = .ok
    ) throws -> Response {
        var headers: HTTPFields = [.eTag: resource.tag]
        if request.method == .get, resource.matches(request.headers[.ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        if status == .created { headers[.location] = resource.location }
        var response = try response(selection.applied(to: resource.json), status: status)
        response.headers.append(contentsOf: headers)
        return response
    }

    static func list(
        _ resources: [StoredScimResource],
        of total: Int,
        from startIndex: Int,
        showing selection: ScimSelection
    ) throws -> Response {
        try response(
            .object([
                "schemas": .array([.string("urn:ietf:params:scim:api:messages:2.0:ListResponse")]),
                "totalResults": .integer(total),
                "startIndex": .integer(startIndex),
                "itemsPerPage": .integer(resources.count),
                "Resources": .array(resources.map { selection.applied(to: $0.json) }),
            ])
        )
    }
}

/// A user or a group as it is kept.
struct StoredScimResource: Sendable {
    let id: UUID
    let schema: ScimSchema
    var attributes: ScimResource
    let version: Int64
    let createdAt, changedAt: Instant

    var location: String { "/scim/v2/\(schema.name)s/\(id.text)" }
    var tag: String { "W/\"\(version)\"" }

    var json: JSONValue {
        let meta: [String: JSONValue] = [
            "resourceType": .string(schema.name),
            "created": .string(createdAt.description),
            "lastModified": .string(changedAt.description),
            "location": .string(location),
            "version": .string(tag),
        ]
        let own: [String: JSONValue] = [
            "schemas": .array([.string(schema.id)]), "id": .string(id.text), "meta": .object(meta),
        ]
        return .object(attributes.merging(own) { $1 })
    }

    /// Whether a field such as `If-Match` names this version.
    func matches(_ field: String?) -> Bool {
        field.map { $0 == "*" || $0.contains("\"\(version)\"") } ?? false
    }

    /// - Throws: 412 where the request is about another version.
    func require(_ request: Request) throws {
        guard request.headers[.ifMatch] == nil || matches(request.headers[.ifMatch]) else {
            throw Problem(.preconditionFailed, "version_mismatch", "It has changed since")
        }
    }
}

/// Which attributes an answer has: those of `attributes`, or all but those of `excludedAttributes`.
struct ScimSelection: Sendable {
    private let only: [[String]]?
    private let without: [[String]]

    init(attributes: [String], excluded: [String]) {
        only = attributes.isEmpty ? nil : attributes.map(Self.names)
        without = excluded.map(Self.names)
    }

    /// Whether an attribute of its own table has to be looked up at all.
    func shows(_ attribute: String) -> Bool {
        let name = attribute.lowercased()
        return only.map { $0.contains { $0.first == name } } ?? !without.contains([name])
    }

    func applied(to resource: JSONValue) -> JSONValue {
        guard case .object(let members) = resource else { return resource }
        // What says which resource it is, and of which kind, is always there.
        let always = members.filter { ["id", "schemas"].contains($0.key) }
        let chosen =
            if let only { Self.keep(only, of: members) } else { Self.drop(without, of: members) }
        return .object(chosen.merging(always) { $1 })
    }

    /// Without the schema's name, `name.familyName` in its parts.
    private static func names(_ path: String) -> [String] {
        let path = path.lowercased()
        let name = path.hasPrefix("urn:") ? path.split(separator: ":").last.map(String.init) ?? path : path
        return name.split(separator: ".").map(String.init)
    }

    private static func keep(_ paths: [[String]], of members: [String: JSONValue]) -> [String: JSONValue] {
        var kept: [String: JSONValue] = [:]
        for (name, value) in members {
            let rest = paths.filter { $0.first == name.lowercased() }.map { Array($0.dropFirst()) }
            guard !rest.isEmpty else { continue }
            kept[name] = rest.contains([]) ? value : value.mapObjects { keep(rest, of: $0) }
        }
        return kept
    }

    private static func drop(_ paths: [[String]], of members: [String: JSONValue]) -> [String: JSONValue] {
        var kept: [String: JSONValue] = [:]
        for (name, value) in members {
            let rest = paths.filter { $0.first == name.lowercased() }.map { Array($0.dropFirst()) }
            guard !rest.contains([]) else { continue }
            kept[name] = rest.isEmpty ? value : value.mapObjects { drop(rest, of: $0) }
        }
        return kept
    }
}

extension JSONValue {
    /// Itself, or each of its values, where that is an object.
    fileprivate func mapObjects(_ change: ([String: JSONValue]) -> [String: JSONValue]) -> JSONValue {
        switch self {
        case .object(let members): .object(change(members))
        case .array(let values): .array(values.map { $0.mapObjects(change) })
        default: self
        }
    }
}
