import Domain
import Foundation
import PGClient

/// The columns that a filter's names are in.
struct ScimColumns: Sendable {
    enum Kind: Sendable {
        case text
        /// Text that is in lower case already, and has an index.
        case key
        case id
    }

    let columns: [String: (SQL, Kind)]
    /// Of each multi-valued attribute: where its values come from, and their columns.
    let values: [String: (from: SQL, columns: [String: (SQL, Kind)])]

    static let users = ScimColumns(
        columns: [
            "id": ("u.directory_user_id", .id),
            "externalId": ("u.external_id", .text),
            "userName": ("u.user_key", .key),
            "displayName": ("u.display_name", .text),
            "name.formatted": ("u.formatted_name", .text),
            "name.familyName": ("u.family_name", .text),
            "name.givenName": ("u.given_name", .text),
            "name": ("coalesce(u.formatted_name, u.family_name, u.given_name)", .text),
            "active": ("u.active", .text),
            "meta.created": ("u.created_at", .text),
            "meta.lastModified": ("u.changed_at", .text),
            "meta": ("u.created_at", .text),
        ],
        values: [
            "emails": (
                "jsonb_array_elements(u.emails) as email (email)",
                [
                    "value": ("email ->> 'value'", .text),
                    "type": ("email ->> 'type'", .text),
                    "primary": ("(email ->> 'primary')::boolean", .text),
                ]
            )
        ]
    )

    static let groups = ScimColumns(
        columns: [
            "id": ("g.directory_group_id", .id),
            "externalId": ("g.external_id", .text),
            "displayName": ("g.name_key", .key),
            "meta.created": ("g.created_at", .text),
            "meta.lastModified": ("g.changed_at", .text),
            "meta": ("g.created_at", .text),
        ],
        values: [
            "members": (
                """
                app.directory_group_member m
                  where m.organization_id = g.organization_id and m.directory_group_id = g.directory_group_id
                """,
                [
                    "value": ("m.directory_user_id", .id),
                    "$ref": ("('/scim/v2/Users/' || m.directory_user_id)", .text),
                ]
            )
        ]
    )

    /// Never null, so that `not` is its opposite.
    func condition(_ filter: ScimFilter) -> SQL {
        condition(filter, columns)
    }

    private func condition(_ filter: ScimFilter, _ columns: [String: (SQL, Kind)]) -> SQL {
        switch filter {
        case .always: return "true"
        case .not(let inner): return "not (\(condition(inner, columns)))"
        case .both(let left, let right):
            return "(\(condition(left, columns)) and \(condition(right, columns)))"
        case .either(let left, let right):
            return "(\(condition(left, columns)) or \(condition(right, columns)))"
        case .present(let name):
            guard let (column, kind) = columns[name] else { return "false" }
            // Text that is empty is there; what the schema requires always is.
            return kind == .text ? "\(column) is not null" : "true"
        case .flag(let name, let value):
            guard let (column, _) = columns[name] else { return "false" }
            return "coalesce(\(column) = \(value), false)"
        case .instant(let name, let order, let value):
            guard let (column, _) = columns[name], let comparison = order.comparison else { return "false" }
            return "coalesce(date_trunc('milliseconds', \(column)) \(comparison) \(value), false)"
        case .any(let name, let inner):
            guard let (source, inside) = values[name] else { return "false" }
            let joint: SQL = name == "members" ? "and" : "where"
            let holds: SQL = "exists (select from \(source) \(joint) \(condition(inner, inside)))"
            guard name == "emails", let address = inner.wantedAddress else { return holds }
            return "(\(Self.isFound(by: address)) and \(holds))"
        case .text(let name, let caseExact, let order, let value):
            guard let (column, kind) = columns[name] else { return "false" }
            return condition(column, kind, caseExact: caseExact, order, value)
        }
    }

    /// Whose address begins so is found by an index, and looked at more closely afterwards. The array is made once for
    /// the statement, whatever stands beside it.
    private static func isFound(by address: String) -> SQL {
        """
        u.directory_user_id = any (array(
          select e.directory_user_id from app.directory_email e
          where e.organization_id = (select app.key_organization_id()) and e.email_key = left(lower(\(address)), 320)))
        """
    }

    private func condition(
        _ column: SQL,
        _ kind: Kind,
        caseExact: Bool,
        _ order: ScimFilter.Order,
        _ value: String
    ) -> SQL {
        if kind == .id, order == .equal {
            // In one form only, as it is shown.
            guard let id = UUID(uuidString: value), id.text == value else { return "false" }
            return "\(column) = \(id)"
        }
        let wanted: SQL = caseExact ? "\(value)" : "lower(\(value))"
        let text: SQL =
            switch kind {
            case .id: "\(column)::text"
            case .key: column
            case .text: caseExact ? column : "lower(\(column))"
            }
        let holds: SQL =
            switch order {
            // In this form it is never null and has the index.
            case .equal where kind == .text: "\(column) is not null and \(text) = \(wanted)"
            case .equal: "\(text) = \(wanted)"
            case .contains: "strpos(\(text), \(wanted)) > 0"
            case .starts: "starts_with(\(text), \(wanted))"
            case .ends: "right(\(text), length(\(wanted))) = \(wanted)"
            case .greater: "\(text) collate \"C\" > \(wanted)"
            case .greaterOrEqual: "\(text) collate \"C\" >= \(wanted)"
            case .less: "\(text) collate \"C\" < \(wanted)"
            case .lessOrEqual: "\(text) collate \"C\" <= \(wanted)"
            }
        return kind == .text && order != .equal ? "coalesce(\(holds), false)" : "(\(holds))"
    }
}

extension ScimFilter {
    /// The one value without which it can't hold for an address; nil where others will do.
    fileprivate var wantedAddress: String? {
        switch self {
        case .text("value", _, .equal, let value): value
        case .both(let left, let right): left.wantedAddress ?? right.wantedAddress
        default: nil
        }
    }
}

extension ScimFilter.Order {
    fileprivate var comparison: SQL? {
        switch self {
        case .equal: "="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .less: "<"
        case .lessOrEqual: "<="
        case .contains, .starts, .ends: nil
        }
    }
}
