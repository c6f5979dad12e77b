/// The type of a value on the server, by its object identifier.
public struct PGType: Hashable, Sendable {
    /// The identifier, as in `pg_type.oid`.
    public let oid: UInt32

    /// Any type, also one that an extension or a schema of yours defines.
    @inlinable
    public init(oid: UInt32) {
        self.oid = oid
    }

    /// Lets the server infer the type from where the parameter stands. Right for a Swift enum that is bound
    /// to an enum column; for a plain string prefer a cast in the SQL, such as `\(name)::my_enum`.
    @inlinable public static var unspecified: PGType { PGType(oid: 0) }
    /// `boolean`
    @inlinable public static var bool: PGType { PGType(oid: 16) }
    /// `bytea`
    @inlinable public static var bytea: PGType { PGType(oid: 17) }
    /// `name`, the type of identifiers in the catalogue
    @inlinable public static var name: PGType { PGType(oid: 19) }
    /// `bigint`
    @inlinable public static var int8: PGType { PGType(oid: 20) }
    /// `smallint`
    @inlinable public static var int2: PGType { PGType(oid: 21) }
    /// `integer`
    @inlinable public static var int4: PGType { PGType(oid: 23) }
    /// `text`
    @inlinable public static var text: PGType { PGType(oid: 25) }
    /// `json`
    @inlinable public static var json: PGType { PGType(oid: 114) }
    /// `real`
    @inlinable public static var float4: PGType { PGType(oid: 700) }
    /// `double precision`
    @inlinable public static var float8: PGType { PGType(oid: 701) }
    /// `character`
    @inlinable public static var bpchar: PGType { PGType(oid: 1042) }
    /// `character varying`
    @inlinable public static var varchar: PGType { PGType(oid: 1043) }
    /// `date`
    @inlinable public static var date: PGType { PGType(oid: 1082) }
    /// `timestamp with time zone`
    @inlinable public static var timestamptz: PGType { PGType(oid: 1184) }
    /// `interval`
    @inlinable public static var interval: PGType { PGType(oid: 1186) }
    /// `numeric`
    @inlinable public static var numeric: PGType { PGType(oid: 1700) }
    /// `uuid`
    @inlinable public static var uuid: PGType { PGType(oid: 2950) }
    /// `jsonb`
    @inlinable public static var jsonb: PGType { PGType(oid: 3802) }
    /// `boolean[]`
    @inlinable public static var boolArray: PGType { PGType(oid: 1000) }
    /// `bytea[]`
    @inlinable public static var byteaArray: PGType { PGType(oid: 1001) }
    /// `smallint[]`
    @inlinable public static var int2Array: PGType { PGType(oid: 1005) }
    /// `integer[]`
    @inlinable public static var int4Array: PGType { PGType(oid: 1007) }
    /// `text[]`
    @inlinable public static var textArray: PGType { PGType(oid: 1009) }
    /// `bigint[]`
    @inlinable public static var int8Array: PGType { PGType(oid: 1016) }
    /// `real[]`
    @inlinable public static var float4Array: PGType { PGType(oid: 1021) }
    /// `double precision[]`
    @inlinable public static var float8Array: PGType { PGType(oid: 1022) }
    /// `date[]`
    @inlinable public static var dateArray: PGType { PGType(oid: 1182) }
    /// `timestamp with time zone[]`
    @inlinable public static var timestamptzArray: PGType { PGType(oid: 1185) }
    /// `interval[]`
    @inlinable public static var intervalArray: PGType { PGType(oid: 1187) }
    /// `numeric[]`
    @inlinable public static var numericArray: PGType { PGType(oid: 1231) }
    /// `uuid[]`
    @inlinable public static var uuidArray: PGType { PGType(oid: 2951) }
    /// `jsonb[]`
    @inlinable public static var jsonbArray: PGType { PGType(oid: 3807) }

    /// Whether the type was created by a user or an extension rather than by Postgres itself.
    @usableFromInline
    var isUserDefined: Bool { oid >= 16384 }
}
