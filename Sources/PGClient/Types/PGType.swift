/// The type of a value on the server, by its object identifier.
public struct PGType: Hashable, Sendable {
    /// The identifier, as in `pg_type.oid`.
    public let oid: UInt32

    /// Any type, also one that an extension or a schema of yours defines.
    public init(oid: UInt32) {
        self.oid = oid
    }

    /// Lets the server infer the type from where the parameter stands. Right for a Swift enum that is bound
    /// to an enum column; for a plain string prefer a cast in the SQL, such as `\(name)::my_enum`.
    public static let unspecified = PGType(oid: 0)
    /// `boolean`
    public static let bool = PGType(oid: 16)
    /// `bytea`
    public static let bytea = PGType(oid: 17)
    /// `name`, the type of identifiers in the catalogue
    public static let name = PGType(oid: 19)
    /// `bigint`
    public static let int8 = PGType(oid: 20)
    /// `smallint`
    public static let int2 = PGType(oid: 21)
    /// `integer`
    public static let int4 = PGType(oid: 23)
    /// `text`
    public static let text = PGType(oid: 25)
    /// `json`
    public static let json = PGType(oid: 114)
    /// `real`
    public static let float4 = PGType(oid: 700)
    /// `double precision`
    public static let float8 = PGType(oid: 701)
    /// `character`
    public static let bpchar = PGType(oid: 1042)
    /// `character varying`
    public static let varchar = PGType(oid: 1043)
    /// `date`
    public static let date = PGType(oid: 1082)
    /// `timestamp with time zone`
    public static let timestamptz = PGType(oid: 1184)
    /// `interval`
    public static let interval = PGType(oid: 1186)
    /// `numeric`
    public static let numeric = PGType(oid: 1700)
    /// `uuid`
    public static let uuid = PGType(oid: 2950)
    /// `jsonb`
    public static let jsonb = PGType(oid: 3802)
    /// `boolean[]`
    public static let boolArray = PGType(oid: 1000)
    /// `bytea[]`
    public static let byteaArray = PGType(oid: 1001)
    /// `smallint[]`
    public static let int2Array = PGType(oid: 1005)
    /// `integer[]`
    public static let int4Array = PGType(oid: 1007)
    /// `text[]`
    public static let textArray = PGType(oid: 1009)
    /// `bigint[]`
    public static let int8Array = PGType(oid: 1016)
    /// `real[]`
    public static let float4Array = PGType(oid: 1021)
    /// `double precision[]`
    public static let float8Array = PGType(oid: 1022)
    /// `date[]`
    public static let dateArray = PGType(oid: 1182)
    /// `timestamp with time zone[]`
    public static let timestamptzArray = PGType(oid: 1185)
    /// `interval[]`
    public static let intervalArray = PGType(oid: 1187)
    /// `numeric[]`
    public static let numericArray = PGType(oid: 1231)
    /// `uuid[]`
    public static let uuidArray = PGType(oid: 2951)
    /// `jsonb[]`
    public static let jsonbArray = PGType(oid: 3807)

    /// Whether the type was created by a user or an extension rather than by Postgres itself.
    var isUserDefined: Bool { oid >= 16384 }
}
