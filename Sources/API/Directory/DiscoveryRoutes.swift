import Domain
import HTTPTypes
import Hummingbird

/// `/scim/v2/ServiceProviderConfig`, `ResourceTypes` and `Schemas`: what a directory can expect. The same for
/// every company, and so for everybody.
struct DiscoveryRoutes: Sendable {
    private static let schemas: [ScimSchema] = [.user, .group]

    func add(to routes: some RouterMethods<AppContext>) {
        routes.get("ServiceProviderConfig", use: serviceProviderConfig)
        routes.group("ResourceTypes").get(use: resourceTypes).get(":id", use: resourceType)
        routes.group("Schemas").get(use: schemas).get(":id", use: schema)
    }

    /// `GET /scim/v2/ServiceProviderConfig`
    @Sendable func serviceProviderConfig(_ request: Request, in context: AppContext) throws -> Response {
        func supported(_ value: Bool) -> [String: JSONValue] { ["supported": .bool(value)] }
        return try ScimAnswer.response(
            .object([
                "schemas": [.string("urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig")].json,
                "patch": .object(supported(true)),
                "bulk": .object(
                    supported(false).merging(["maxOperations": .integer(0), "maxPayloadSize": .integer(0)]) {
                        $1
                    }
                ),
                "filter": .object(
                    supported(true).merging(["maxResults": .integer(ScimListRequest.most)]) { $1 }
                ),
                "changePassword": .object(supported(false)),
                "sort": .object(supported(false)),
                "etag": .object(supported(true)),
                "authenticationSchemes": [
                    .object([
                        "type": .string("oauthbearertoken"),
                        "name": .string("A key of the organization"),
                        "description": .string("Authorization: Bearer bm_org_…, with the scope scim"),
                        "primary": .bool(true),
                    ])
                ].json,
                "meta": Self.meta("ServiceProviderConfig", "/scim/v2/ServiceProviderConfig"),
            ])
        )
    }

    /// `GET /scim/v2/ResourceTypes`
    @Sendable func resourceTypes(_ request: Request, in context: AppContext) throws -> Response {
        try Self.list(Self.schemas.map(Self.resourceType))
    }

    /// `GET /scim/v2/ResourceTypes/{id}`
    @Sendable func resourceType(_ request: Request, in context: AppContext) throws -> Response {
        let name = context.parameters.get("id")
        guard let schema = Self.schemas.first(where: { $0.name == name }) else { throw Problem.notFound }
        return try ScimAnswer.response(Self.resourceType(schema))
    }

    /// `GET /scim/v2/Schemas`
    @Sendable func schemas(_ request: Request, in context: AppContext) throws -> Response {
        try Self.list(Self.schemas.map(Self.schema))
    }

    /// `GET /scim/v2/Schemas/{id}`
    @Sendable func schema(_ request: Request, in context: AppContext) throws -> Response {
        let id = context.parameters.get("id")
        guard let schema = Self.schemas.first(where: { $0.id == id }) else { throw Problem.notFound }
        return try ScimAnswer.response(Self.schema(schema))
    }

    private static func list(_ resources: [JSONValue]) throws -> Response {
        try ScimAnswer.response(
            .object([
                "schemas": [.string("urn:ietf:params:scim:api:messages:2.0:ListResponse")].json,
                "totalResults": .integer(resources.count),
                "startIndex": .integer(1),
                "itemsPerPage": .integer(resources.count),
                "Resources": resources.json,
            ])
        )
    }

    private static func meta(_ type: String, _ location: String) -> JSONValue {
        .object(["resourceType": .string(type), "location": .string(location)])
    }

    private static func resourceType(_ schema: ScimSchema) -> JSONValue {
        .object([
            "schemas": [.string("urn:ietf:params:scim:schemas:core:2.0:ResourceType")].json,
            "id": .string(schema.name),
            "name": .string(schema.name),
            "description": .string(schema.description),
            "endpoint": .string("/\(schema.name)s"),
            "schema": .string(schema.id),
            "meta": meta("ResourceType", "/scim/v2/ResourceTypes/\(schema.name)"),
        ])
    }

    private static func schema(_ schema: ScimSchema) -> JSONValue {
        .object([
            "schemas": [.string("urn:ietf:params:scim:schemas:core:2.0:Schema")].json,
            "id": .string(schema.id),
            "name": .string(schema.name),
            "description": .string(schema.description),
            "attributes": schema.attributes.map(attribute).json,
            "meta": meta("Schema", "/scim/v2/Schemas/\(schema.id)"),
        ])
    }

    private static func attribute(_ attribute: ScimSchema.Attribute) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(attribute.name),
            "description": .string(attribute.description),
            "multiValued": .bool(attribute.isMultiValued),
            "required": .bool(attribute.isRequired),
            "mutability": .string(
                attribute.isReadOnly ? "readOnly" : attribute.isImmutable ? "immutable" : "readWrite"
            ),
            "returned": .string("default"),
            "uniqueness": .string(attribute.isUnique ? "server" : "none"),
        ]
        switch attribute.kind {
        case .text(let caseExact):
            members["type"] = .string(attribute.refersTo == nil ? "string" : "reference")
            members["caseExact"] = .bool(caseExact)
        case .flag: members["type"] = .string("boolean")
        case .instant: members["type"] = .string("dateTime")
        case .complex(let attributes):
            members["type"] = .string("complex")
            members["subAttributes"] = attributes.map(Self.attribute).json
        }
        members["referenceTypes"] = attribute.refersTo.map { [.string($0)].json }
        return .object(members)
    }
}

extension [JSONValue] {
    fileprivate var json: JSONValue { .array(self) }
}
